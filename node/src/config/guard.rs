//! Who else could read or change what the node relies on: the permissions of its files.
//!
//! Must not know: what is in the files.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::problem::Problem;
use super::{Config, Place};

const OTHERS_WRITE: u32 = 0o002;
const GROUP_WRITE: u32 = 0o020;
const NOT_OWNER: u32 = 0o077;
const STICKY: u32 = 0o1000;

/// Reads a text file of at most `max` bytes.
pub(super) fn read(file: &Path, max: u64) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    let opened = File::open(file).and_then(|opened| opened.take(max + 1).read_to_end(&mut bytes));
    opened.map_err(|error| io(file, &error))?;
    if bytes.len() as u64 > max {
        let what = format!("longer than the {max} bytes a configuration may have");
        return Err(problem(None, what, "is this the right file?"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes().get(..valid).unwrap_or_default()).into_owned();
        problem(Some(Place::of(&text, valid)), "not UTF-8".into(), "save the file as UTF-8")
    })
}

/// The file cannot be read at all.
pub(super) fn io(file: &Path, error: &io::Error) -> Problem {
    let next = match error.kind() {
        io::ErrorKind::NotFound => "start from one of the files in config-examples/",
        io::ErrorKind::PermissionDenied => "run it as the account the node runs as",
        _ => "look at the file and its folder",
    };
    problem(None, format!("{}: {error}", file.display()), next)
}

/// What is refused, and what is only warned of.
pub(super) fn inspect(file: &Path, config: &Config) -> (Vec<Problem>, Vec<Problem>) {
    let (mut refusals, mut warnings) = (Vec::new(), Vec::new());
    if let Some(mode) = mode(file) {
        if mode & OTHERS_WRITE != 0 {
            refusals.push(permission(file, "anybody on this machine may change it", "chmod o-w"));
        } else if mode & GROUP_WRITE != 0 {
            warnings.push(permission(file, "its group may change it", "chmod g-w"));
        }
    }
    if let Some(folder) = file.parent()
        && mode(folder).is_some_and(|mode| mode & OTHERS_WRITE != 0 && mode & STICKY == 0)
    {
        refusals.push(permission(folder, "anybody on this machine may replace the files in it", "chmod o-w"));
    }
    let data_dir = &config.node.data_dir;
    if mode(data_dir).is_some_and(|mode| mode & NOT_OWNER != 0) {
        warnings.push(permission(data_dir, "others than its owner may look into it", "chmod go-rwx"));
    }
    for secret in secrets(config) {
        if mode(&secret).is_some_and(|mode| mode & NOT_OWNER != 0) {
            refusals.push(permission(&secret, "others than its owner may use this secret", "chmod go-rwx"));
        }
    }
    (refusals, warnings)
}

/// The secrets' outermost doors; before `init` they are not there yet.
fn secrets(config: &Config) -> Vec<PathBuf> {
    let (keys_dir, master_key) = (&config.node.keys_dir, &config.registry.master_key);
    let outside = (!master_key.starts_with(keys_dir)).then(|| master_key.clone());
    let password = config.mail.as_ref().and_then(|mail| mail.password_file.clone());
    let token = config.ledger.publish.as_ref().and_then(|publish| publish.token_file.clone());
    std::iter::once(keys_dir.clone()).chain(outside).chain(password).chain(token).collect()
}

fn mode(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|metadata| metadata.permissions().mode())
}

fn permission(path: &Path, what: &str, command: &str) -> Problem {
    problem(None, format!("{}: {what}", path.display()), &format!("{command} {}", path.display()))
}

fn problem(place: Option<Place>, what: String, next: &str) -> Problem {
    Problem { place, key: None, what, next: Some(next.to_owned()) }
}
