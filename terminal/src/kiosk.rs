//! A kiosk: a browser over the whole screen, new for every guardian.
//!
//! Its profile lies in memory (tmpfs) and is removed with it, so that neither disk nor the next guardian finds
//! anything of the last one. When a session has ended, the browser is ended, too, and another one begins.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::sync::watch;

use crate::desk::{Desk, Phase, Snapshot};
use crate::trouble::Trouble;
use crate::web::Door;

/// Names under which a Chromium is found.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/// No first page, no offers, no traces, no words to anybody else.
const ARGUMENTS: [&str; 13] = [
    "--kiosk",
    "--incognito",
    "--no-first-run",
    "--no-default-browser-check",
    "--noerrdialogs",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-pinch",
    "--overscroll-history-navigation=0",
    "--disk-cache-size=1",
    "--disable-features=Translate,PasswordManagerOnboarding,AutofillServerCommunication",
];

/// Pause before a browser that was closed, or cannot be started, is started again.
const PAUSE: Duration = Duration::from_secs(1);
/// Browsers in a row that end before this count as one that cannot run.
const SHORT: Duration = Duration::from_secs(5);
const SHORT_MAX: u32 = 5;
/// A profile is removed again and again while the browser's last processes end: two seconds in all.
const REMOVALS_MAX: u32 = 100;
const REMOVAL_PAUSE: Duration = Duration::from_millis(20);

/// How to run the browser.
#[derive(Clone, Debug)]
pub struct Kiosk {
    browser: PathBuf,
    arguments: Vec<OsString>,
    memory: PathBuf,
}

impl Kiosk {
    /// Finds the browser (or takes the one that is named) and a place in memory for its profile.
    ///
    /// # Errors
    /// There is no browser, or no place in memory.
    pub fn find(browser: Option<PathBuf>, arguments: Vec<OsString>) -> Result<Self, Trouble> {
        let found = browser.or_else(|| {
            let path = std::env::var_os("PATH")?;
            std::env::split_paths(&path)
                .flat_map(|folder| BROWSERS.map(|name| folder.join(name)))
                .find(|candidate| candidate.is_file())
        });
        let browser = found.ok_or_else(|| {
            Trouble::Machine(format!(
                "no browser was found ({}); install chromium, or name one with --browser",
                BROWSERS.join(", ")
            ))
        })?;
        let memory = [std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from), Some("/dev/shm".into())];
        let memory = memory.into_iter().flatten().find(|place| in_memory(place)).ok_or_else(|| {
            Trouble::Machine(
                "neither XDG_RUNTIME_DIR nor /dev/shm lies in memory (tmpfs): the browser's profile would leave traces on disk"
                    .to_owned(),
            )
        })?;
        Ok(Self { browser, arguments, memory })
    }

    /// Shows the desk until something fails.
    ///
    /// # Errors
    /// The browser cannot be started, or ends at once again and again.
    pub async fn show(&self, door: &Door, desk: &Desk) -> Result<(), Trouble> {
        let mut sight = desk.watch();
        let mut short = 0;
        loop {
            let began = tokio::time::Instant::now();
            let profile = tempfile::Builder::new().prefix("hibiki-kiosk-").tempdir_in(&self.memory);
            let profile = profile.map_err(|error| Trouble::Machine(error.to_string()))?;
            let mut showing = self.start(&door.link()?, profile)?;
            tokio::select! {
                biased;
                () = session_over(&mut sight) => short = 0,
                _ = showing.browser.wait() => {
                    short = if began.elapsed() < SHORT { short + 1 } else { 0 };
                }
            }
            door.shut();
            showing.end().await?;
            if short >= SHORT_MAX {
                let browser = self.browser.display();
                return Err(Trouble::Machine(format!("{browser} ends at once; try it by hand")));
            }
            if short > 0 {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    fn start(&self, link: &str, profile: TempDir) -> Result<Showing, Trouble> {
        let mut folder = OsString::from("--user-data-dir=");
        folder.push(profile.path());
        let mut browser = Command::new(&self.browser);
        browser.arg(folder).args(ARGUMENTS).args(&self.arguments).arg(link);
        browser.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let started = browser.process_group(0).spawn();
        let browser = started
            .map_err(|error| Trouble::File { path: self.browser.clone(), reason: error.to_string() })?;
        let group = browser.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Showing { browser, group, profile: Some(profile) })
    }
}

/// A browser that shows the page, and its profile. Dropping it ends the one and removes the other.
struct Showing {
    browser: Child,
    /// The browser and every process it has started.
    group: Option<Pid>,
    profile: Option<TempDir>,
}

impl Showing {
    async fn end(mut self) -> Result<(), Trouble> {
        let ended = tokio::task::spawn_blocking(move || self.clear()).await;
        ended.unwrap_or_else(|error| Err(Trouble::Machine(error.to_string())))
    }

    /// The browser's processes write until the last of them is gone: what they wrote meanwhile is removed, too.
    #[expect(clippy::disallowed_methods, reason = "on a thread of its own, or at the end of the program")]
    fn clear(&mut self) -> Result<(), Trouble> {
        let Some(profile) = self.profile.take().map(TempDir::keep) else { return Ok(()) };
        if let Some(group) = self.group.take() {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let mut removed = std::fs::remove_dir_all(&profile);
        for _ in 0..REMOVALS_MAX {
            match &removed {
                Ok(()) => return Ok(()),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
                Err(_) => std::thread::sleep(REMOVAL_PAUSE),
            }
            removed = std::fs::remove_dir_all(&profile);
        }
        removed.map_err(|error| Trouble::File { path: profile, reason: error.to_string() })
    }
}

impl Drop for Showing {
    fn drop(&mut self) {
        let _ = self.clear();
    }
}

/// Whether a folder's file system is memory (tmpfs, by /proc/mounts).
fn in_memory(folder: &Path) -> bool {
    let Ok(mounts) = std::fs::read_to_string("/proc/mounts") else { return false };
    let Ok(folder) = folder.canonicalize() else { return false };
    let mounted = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        let (place, kind) = (fields.nth(1)?, fields.next()?);
        folder.starts_with(place).then_some((place.len(), kind))
    });
    // The last of those mounted deepest is the one that is seen.
    mounted.max_by_key(|(length, _)| *length).is_some_and(|(_, kind)| kind == "tmpfs")
}

/// Completes when a session that was open has ended.
async fn session_over(sight: &mut watch::Receiver<Snapshot>) {
    let open = |snapshot: &Snapshot| matches!(snapshot.phase, Phase::Open(_));
    let gone = sight.wait_for(open).await.is_err() || sight.wait_for(|now| !open(now)).await.is_err();
    if gone {
        // The desk is closed, and the program with it.
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_that_is_named_is_taken_and_memory_is_told_from_disk() {
        let kiosk = Kiosk::find(Some("/opt/browser".into()), Vec::new());
        if in_memory(Path::new("/dev/shm")) {
            assert_eq!(kiosk.unwrap().browser, Path::new("/opt/browser"));
        }
        assert!(!in_memory(Path::new("/proc")) && !in_memory(Path::new("/nowhere")));
    }
}
