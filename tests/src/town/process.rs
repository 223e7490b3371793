//! One node as a process: its folder, its log, and the signals it gets.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use hibiki_protocol::time::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Programs, TownError, text};
use crate::child;
use crate::clock;
use crate::house::House;

/// How long a node may take to end by itself.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// A node.
pub struct Node {
    house: House,
    folder: PathBuf,
    address: String,
    config: PathBuf,
    config_text: String,
    data: PathBuf,
    programs: Programs,
    child: Option<Child>,
    launched: Timestamp,
    wrapper: Vec<String>,
    program: PathBuf,
}

impl Node {
    pub(super) fn new(house: House, folder: &Path, address: String, programs: &Programs) -> Self {
        let config = folder.join("node.toml");
        Self {
            house,
            folder: folder.to_owned(),
            data: folder.join("data"),
            address,
            config_text: text(&config),
            config,
            programs: programs.clone(),
            child: None,
            launched: Timestamp(0),
            wrapper: Vec::new(),
            program: programs.path("hibiki-node"),
        }
    }

    /// Whose it is.
    pub fn house(&self) -> House {
        self.house
    }

    /// Everything it has: configuration, data, log.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where it writes: records, ledger, keys.
    pub fn data(&self) -> &Path {
        &self.data
    }

    pub(super) fn keep_data_in(&mut self, data: &Path) {
        data.clone_into(&mut self.data);
    }

    /// Address it listens on.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its configuration.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// The same as text.
    pub fn config_text(&self) -> &str {
        &self.config_text
    }

    /// What it said on stderr, over all its starts.
    pub fn log_file(&self) -> PathBuf {
        self.folder.join("node.log")
    }

    /// The log as text.
    pub fn log(&self) -> String {
        std::fs::read(self.log_file())
            .map_or_else(|_| String::new(), |log| String::from_utf8_lossy(&log).into_owned())
    }

    /// Starts it through another program from now on, such as `faketime`.
    pub fn wrap(&mut self, wrapper: &[&str]) {
        self.wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
    }

    /// Runs another program in the node's place from now on, with more in its environment.
    pub fn replace_program(&mut self, program: &str, environment: &[String]) {
        self.program = self.programs.path(program);
        self.wrapper.clear();
        if !environment.is_empty() {
            self.wrapper.push("env".into());
            self.wrapper.extend_from_slice(environment);
        }
    }

    /// Starts the process, if it is not running.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn launch(&mut self) -> Result<(), TownError> {
        if self.is_running() {
            return Ok(());
        }
        let path = self.log_file();
        let opened = OpenOptions::new().create(true).append(true).open(&path);
        let log: File = opened.map_err(|source| TownError::file(&path, source))?;
        let mut command = child::tied_to_us();
        command.args(&self.wrapper).arg(&self.program).arg("run").arg(&self.config);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.launched = clock::now();
        let started =
            child::spawn(command).map_err(|source| TownError::file(Path::new("setpriv"), source))?;
        self.child = Some(started);
        Ok(())
    }

    /// Waits until it answers on its admin socket and says that it runs.
    ///
    /// # Errors
    /// It ended, or does not answer in time.
    pub fn await_running(&mut self, patience: Duration) -> Result<(), TownError> {
        let mut ended = false;
        let up = clock::wait_until(patience, || {
            ended = !self.alive();
            ended || self.status().is_ok_and(|status| status["phase"] == "running")
        });
        if up && !ended { Ok(()) } else { Err(self.not_started()) }
    }

    /// Whether the process is there.
    pub fn is_running(&self) -> bool {
        self.pid().is_some_and(|pid| {
            // A process that has ended and was not waited for is a zombie.
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
            stat.is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
        })
    }

    fn alive(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Its process id.
    pub fn pid(&self) -> Option<Pid> {
        self.child.as_ref().and_then(|child| Pid::from_raw(i32::try_from(child.id()).ok()?))
    }

    /// What `hibiki-node status` says.
    ///
    /// # Errors
    /// It does not answer.
    pub fn status(&self) -> Result<Value, TownError> {
        self.programs.node_json(&["status", "--config", &self.config_text, "--format", "json"])
    }

    /// The key that its ledger's checkpoints verify with, as one line (c2sp.org/signed-note).
    ///
    /// # Errors
    /// It does not answer.
    pub fn ledger_key(&self) -> Result<String, TownError> {
        let status = ["ledger", "status", "--config", &self.config_text, "--format", "json"];
        Ok(self.programs.node_json(&status)?["key"].as_str().unwrap_or_default().to_owned())
    }

    /// When it was last started.
    pub fn launched(&self) -> Timestamp {
        self.launched
    }

    /// Members it is connected to, and since when.
    pub fn links_up(&self) -> BTreeMap<String, Timestamp> {
        let status = self.status().unwrap_or_default();
        let links = status["links"].as_object().cloned().unwrap_or_default();
        let up = links.into_iter().filter(|(_, link)| link["state"] == "up");
        up.map(|(member, link)| (member, Timestamp(link["since"].as_u64().unwrap_or_default()))).collect()
    }

    /// Sends a signal; a process that is gone gets none.
    pub fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            let _ = kill_process(pid, signal);
        }
    }

    /// Asks it to end (SIGTERM) and waits.
    ///
    /// # Errors
    /// It does not end.
    pub fn stop(&mut self) -> Result<(), TownError> {
        self.signal(Signal::TERM);
        let ended = clock::wait_until(STOP_PATIENCE, || !self.alive());
        if !ended {
            return Err(TownError::NotStopped(self.house.to_string()));
        }
        self.child = None;
        Ok(())
    }

    /// Ends it with SIGKILL, in the middle of whatever it does.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        if let Some(mut child) = self.child.take() {
            let _ = child.wait();
        }
    }

    /// Freezes it (SIGSTOP): connected, but silent.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// The last lines of its log, for a message.
    fn not_started(&self) -> TownError {
        let log = self.log();
        let mut end: Vec<&str> = log.lines().rev().take(12).collect();
        end.reverse();
        TownError::NotStarted { house: self.house.to_string(), log: self.log_file(), end: end.join("\n") }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}
