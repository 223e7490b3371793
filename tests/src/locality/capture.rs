//! tcpdump on loopback: every datagram of the town, and of nobody else.
//!
//! Owns one capture from start to end; must not know what is in the datagrams.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::Trouble;
use crate::{child, clock};

/// How long tcpdump may take to begin, and to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A capture that runs.
pub struct Capture {
    child: Child,
    said: PathBuf,
}

impl Capture {
    /// Captures what comes from and goes to these UDP ports into `out`; what tcpdump says goes beside it. `None` where it
    /// may not capture.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(ports: &[u16], out: &Path) -> Result<Option<Self>, Trouble> {
        let said = out.with_extension("txt");
        let log = File::create(&said).map_err(|source| Trouble::file(&said, source))?;
        let ports: Vec<String> = ports.iter().map(|port| format!("port {port}")).collect();
        let mut command = child::tied_to_us();
        command.args([
            "tcpdump",
            "-i",
            "lo",
            "-n",
            "-Z",
            "root",
            "-U",
            "--immediate-mode",
            "-B",
            "32768",
            "-w",
        ]);
        command.arg(out).arg(format!("udp and ({})", ports.join(" or ")));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = child::spawn(command).map_err(|source| Trouble::file(Path::new("tcpdump"), source))?;
        let mut capture = Self { child, said };
        let mut ended = false;
        clock::wait_until(PATIENCE, || {
            ended = !matches!(capture.child.try_wait(), Ok(None));
            ended || capture.says("listening on").is_some()
        });
        Ok((!ended && capture.says("listening on").is_some()).then_some(capture))
    }

    /// Ends it when everything has been written; how many packets the kernel dropped.
    ///
    /// # Errors
    /// It does not end, or does not say.
    pub fn end(mut self) -> Result<u64, Trouble> {
        clock::pause(Duration::from_millis(500));
        self.interrupt();
        if !clock::wait_until(PATIENCE, || !matches!(self.child.try_wait(), Ok(None))) {
            return Err(Trouble::Machine("tcpdump does not end".into()));
        }
        let dropped = self.says("packets dropped by kernel");
        dropped
            .and_then(|line| line.split_whitespace().next()?.parse().ok())
            .ok_or_else(|| Trouble::content(&self.said, "tcpdump does not say what it dropped"))
    }

    fn interrupt(&self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::INT);
        }
    }

    fn says(&self, what: &str) -> Option<String> {
        let said = fs::read_to_string(&self.said).unwrap_or_default();
        said.lines().find(|line| line.contains(what)).map(str::to_owned)
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.interrupt();
            let _ = self.child.wait();
        }
    }
}
