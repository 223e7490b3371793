//! The two programs: where they are, how they are started, and that they end.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{BrowserError, PATIENCE, Settings, wire::Session};
use crate::{child, clock};

/// Names under which a Chromium is found.
const CHROMIUMS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
/// Starts Chromium so that it ends with its driver, whatever ends that.
const TIED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/browser/tied-chromium");
/// Where every host but 127.0.0.1 leads: port 9 (discard), which is closed. A name that does not resolve would be
/// asked of the system's resolver.
pub(super) const NOWHERE: &str = "127.0.0.1:9";
/// How often another port is tried.
const ATTEMPTS: usize = 5;

/// Where the programs are.
pub(super) struct Programs {
    chromium: PathBuf,
    driver: PathBuf,
}

impl Programs {
    /// Finds both in the path. A Chromium that is only Ubuntu's snap counts as missing: it is confined to
    /// folders of its own.
    pub(super) fn find() -> Result<Self, BrowserError> {
        let chromium = CHROMIUMS.into_iter().find_map(|name| in_path(name).filter(|found| !is_snap(found)));
        Ok(Self {
            chromium: chromium.ok_or(BrowserError::Missing("chromium (as a package, not a snap)"))?,
            driver: in_path("chromedriver")
                .filter(|found| !is_snap(found))
                .ok_or(BrowserError::Missing("chromium-driver"))?,
        })
    }
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// Ubuntu's package is a script that calls the snap.
fn is_snap(program: &Path) -> bool {
    let within =
        fs::canonicalize(program).is_ok_and(|real| real.starts_with("/snap") || real.ends_with("snap"));
    let script = fs::read(program).is_ok_and(|bytes| {
        bytes.starts_with(b"#!") && String::from_utf8_lossy(&bytes).contains("/snap/bin/")
    });
    within || script
}

/// What the browser may write into: home, profile and temporary files. All of it is searched afterwards.
pub(super) fn home(folder: &Path) -> PathBuf {
    folder.join("home")
}

/// Its own log of every connection. Not a trace of the page's: only this harness asks for it.
pub(super) fn net_log(folder: &Path) -> PathBuf {
    folder.join("net.json")
}

/// Where downloads go: what a person saves on purpose.
pub(super) fn downloads(folder: &Path) -> PathBuf {
    folder.join("downloads")
}

/// chromedriver. Dropping it ends it and its Chromium.
pub(super) struct Driver {
    child: Child,
    address: String,
}

impl Driver {
    pub(super) fn launch(programs: &Programs, folder: &Path) -> Result<Self, BrowserError> {
        let home = home(folder);
        for made in [home.join("tmp"), downloads(folder)] {
            fs::create_dir_all(&made)
                .map_err(|error| BrowserError::System("making the browser's folders", error))?;
        }
        let log = folder.join("chromedriver.log");
        for _ in 0..ATTEMPTS {
            let address = free_address()?;
            let port = address.rsplit(':').next().unwrap_or_default();
            let said = File::create(&log).and_then(|log| Ok((log.try_clone()?, log)));
            let (out, err) =
                said.map_err(|error| BrowserError::System("opening chromedriver's log", error))?;
            let mut command = child::tied_to_us();
            command.arg(&programs.driver).arg(format!("--port={port}"));
            command.env("HIBIKI_CHROMIUM", &programs.chromium);
            command.env("HOME", &home).env("TMPDIR", home.join("tmp"));
            for (name, below) in [
                ("XDG_CONFIG_HOME", ".config"),
                ("XDG_CACHE_HOME", ".cache"),
                ("XDG_DATA_HOME", ".local/share"),
                ("XDG_RUNTIME_DIR", "run"),
            ] {
                command.env(name, home.join(below));
            }
            command.env_remove("DISPLAY").stdin(Stdio::null()).stdout(out).stderr(err);
            let child = child::spawn(command)
                .map_err(|error| BrowserError::System("starting chromedriver", error))?;
            let mut driver = Self { child, address };
            if driver.await_ready() {
                return Ok(driver);
            }
        }
        let said = fs::read_to_string(&log).unwrap_or_default();
        Err(BrowserError::Started(format!("chromedriver does not answer; it said:\n{said}")))
    }

    /// Whether it answers; `false` if it ended, for somebody else took the port.
    fn await_ready(&mut self) -> bool {
        let mut ended = false;
        let up = clock::wait_until(PATIENCE, || {
            ended = !matches!(self.child.try_wait(), Ok(None));
            ended || Session::is_ready(&self.address)
        });
        up && !ended
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Chromium is tied to it (`tied-chromium`).
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> Result<String, BrowserError> {
    let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    Ok(free.map_err(|error| BrowserError::System("finding a free port", error))?.to_string())
}

/// Ends a process at once.
pub(super) fn kill(id: u32) {
    if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Whether a process has ended. One that nobody has waited for is a zombie.
pub(super) fn is_gone(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"));
    stat.map_or(true, |stat| stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
}

/// What chromedriver is asked for. Whatever a browser may remember is left on, so that what it remembers is
/// found; whatever talks to its maker is off.
pub(super) fn capabilities(folder: &Path, settings: &Settings) -> Value {
    let mut rules: Vec<String> =
        settings.rebound.iter().map(|name| format!("MAP {name} 127.0.0.1")).collect();
    rules.push(format!("MAP * {NOWHERE}"));
    rules.push("EXCLUDE 127.0.0.1".to_owned());
    let mut arguments: Vec<String> = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--no-default-browser-check",
        "--no-proxy-server",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-domain-reliability",
        "--disable-sync",
        "--disable-features=AutofillServerCommunication,OptimizationHints,MediaRouter",
        "--force-color-profile=srgb",
        "--hide-scrollbars",
    ]
    .map(str::to_owned)
    .to_vec();
    arguments.push(format!("--host-resolver-rules={}", rules.join(", ")));
    arguments.push(format!("--user-data-dir={}", home(folder).join("profile").display()));
    arguments.push(format!("--log-net-log={}", net_log(folder).display()));
    arguments.push(format!("--accept-lang={}", settings.languages.split(';').next().unwrap_or("ja")));
    arguments.extend(settings.arguments.iter().cloned());
    let mut wanted = common();
    let options = &mut wanted["goog:chromeOptions"];
    options["binary"] = json!(TIED);
    options["args"] = json!(arguments);
    options["prefs"] = json!({
        "session.restore_on_startup": 4,
        "session.startup_urls": ["about:blank"],
        "homepage_is_newtabpage": false,
        "homepage": "about:blank",
        "autofill.profile_enabled": true,
        "credentials_enable_service": true,
        "download.default_directory": downloads(folder),
        "download.prompt_for_download": false,
    });
    wanted
}

/// What chromedriver is asked for where a browser runs already.
pub(super) fn capabilities_of(debugger: &str) -> Value {
    let mut wanted = common();
    wanted["goog:chromeOptions"]["debuggerAddress"] = json!(debugger);
    wanted
}

fn common() -> Value {
    json!({
        "browserName": "chrome",
        "pageLoadStrategy": "none",
        "unhandledPromptBehavior": "ignore",
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        "goog:chromeOptions": { "perfLoggingPrefs": { "enableNetwork": true, "enablePage": false } },
    })
}
