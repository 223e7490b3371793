//! Libraries of Python, from PyPI, in an environment of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use hibiki_tests::skip::skipped;

/// What is installed; `fhir.resources` and `fhirclient` are two implementations of FHIR that share nothing.
const REQUIREMENTS: [&str; 4] =
    ["icalendar==7.3.2", "vobject==0.9.9", "fhir.resources==8.3.0", "fhirclient==4.4.0"];
/// Seconds a reader may take.
const SECONDS: &str = "300";

/// The interpreter of the environment; `None`, said aloud, where Python or PyPI cannot be reached.
pub(crate) fn interpreter(test: &str) -> Option<&'static Path> {
    static MADE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match MADE.get_or_init(make) {
        Ok(python) => Some(python),
        Err(why) => {
            skipped(test, why);
            None
        }
    }
}

fn make() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("export-venv");
    let python = folder.join("bin/python");
    let complete = folder.join("complete");
    let wanted = REQUIREMENTS.join("\n");
    if fs::read_to_string(&complete).is_ok_and(|had| had == wanted) {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder), "python3 cannot make a venv")?;
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--retries",
        "1",
        "--timeout",
        "20",
    ]);
    run(pip.args(REQUIREMENTS), "PyPI cannot be reached")?;
    fs::write(&complete, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}

fn run(command: &mut Command, what: &str) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{what}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "{what}: {}",
        said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no reason given")
    ))
}

/// Runs one of the readers beside this file on files of a folder; it must be content.
pub(crate) fn must_accept(python: &Path, reader: &str, folder: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/export_foreign").join(reader);
    let mut command = Command::new("timeout");
    command.arg(SECONDS).arg(python).arg(script).arg(folder).stdin(Stdio::null());
    let output = command.output().unwrap();
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{reader}:\n{said}");
    said
}
