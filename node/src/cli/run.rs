//! `hibiki-node run`: the process around the services.
//!
//! Owns the order of things: harden, read the configuration, log, measure, take the admin socket (and with
//! it the proof that no other node runs here), start the services, say READY, serve, drain. Must not know:
//! what the services are; they come through [`Services`].

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::mpsc;

use super::output::complain;
use crate::admin::{self, AdminSocket, BindError, Router};
use crate::config::{Config, Loaded};
use crate::env::Env;
use crate::exit::ExitStatus;
use crate::hardening::harden;
use crate::observe::board::{Phase, StatusBoard};
use crate::observe::{log, metrics, scrape};
use crate::shutdown::service::Manager;
use crate::shutdown::signals::Signals;
use crate::shutdown::{self, Shutdown, Stage};

/// How long threads that block on the disk may take to end after everything else has.
const THREADS_WAIT: Duration = Duration::from_secs(2);

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hibiki-node run /etc/hibiki/node.toml\n\n\
    SIGTERM and SIGINT finish what was begun and stop; a second one stops at once. SIGHUP reloads.")]
pub struct Arguments {
    /// The configuration.
    #[arg(value_name = "FILE", default_value = super::connect::CONFIG_FILE)]
    file: PathBuf,
}

/// What services find around them. They register their commands on `router` while they start.
#[derive(Debug)]
pub struct Host {
    /// The configuration's file, to be read again on reload.
    pub file: PathBuf,
    /// The configuration.
    pub config: Config,
    /// The world.
    pub env: Env,
    /// Where services report how they fare.
    pub board: StatusBoard,
    /// Their commands.
    pub router: Router,
    /// The end of the process.
    pub shutdown: Shutdown,
}

/// Why the services cannot start.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct StartError {
    /// What happened, where, and what to do next.
    pub what: String,
    /// What the service manager makes of it.
    pub status: ExitStatus,
}

impl StartError {
    /// An error with its exit status.
    pub fn new(status: ExitStatus, what: impl ToString) -> Self {
        Self { what: what.to_string(), status }
    }
}

impl From<BindError> for StartError {
    fn from(error: BindError) -> Self {
        let status = match &error {
            BindError::Io { source, .. } => ExitStatus::from(source),
            BindError::InUse(_) => ExitStatus::TryAgain,
            BindError::NotASocket(_) | BindError::TooLong(_) => ExitStatus::Config,
        };
        Self::new(status, error)
    }
}

/// What the process runs.
pub trait Services: Sized + Send {
    /// Opens, binds and registers everything. On return the node answers. Dropped if the process is told
    /// to stop meanwhile.
    ///
    /// # Errors
    /// The node must not run.
    fn start(host: &mut Host) -> impl Future<Output = Result<Self, StartError>> + Send;

    /// Reads keys, certificates and the trust list again; the configuration file as far as it can change
    /// under a running node.
    ///
    /// # Errors
    /// Nothing was changed.
    fn reload(&mut self, host: &Host) -> impl Future<Output = Result<(), String>> + Send;

    /// Takes nothing new, finishes what was begun, makes everything durable. Dropped at the deadline.
    fn drain(self) -> impl Future<Output = ()> + Send;
}

/// No services: a process that can be asked how it fares, and stopped.
#[derive(Debug, Clone, Copy)]
pub struct Bare;

impl Services for Bare {
    async fn start(_host: &mut Host) -> Result<Self, StartError> {
        Ok(Self)
    }

    async fn reload(&mut self, _host: &Host) -> Result<(), String> {
        Ok(())
    }

    async fn drain(self) {}
}

/// Runs the daemon with its services until it is told to stop.
pub fn run<S: Services>(arguments: &Arguments) -> ExitStatus {
    if let Err(error) = harden() {
        complain(&format!("the system does not let this process protect its memory: {error}"));
        return ExitStatus::System;
    }
    let Loaded { config, warnings } = match Config::load(&arguments.file) {
        Ok(loaded) => loaded,
        Err(problems) => {
            complain(&problems.to_string());
            return ExitStatus::Config;
        }
    };
    let env = Env::system();
    let handle = match observe(&config, &env) {
        Ok(handle) => handle,
        Err(what) => {
            complain(&what);
            return ExitStatus::Software;
        }
    };
    for warning in &warnings {
        tracing::warn!(reason = %warning, "configuration");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "cannot start threads");
            return ExitStatus::System;
        }
    };
    let (trigger, shutdown) = shutdown::channel();
    let (board, router) = (StatusBoard::new(), Router::new());
    let host = Host { file: arguments.file.clone(), config, env, board, router, shutdown };
    let status = runtime.block_on(serve::<S>(host, trigger, handle));
    runtime.shutdown_timeout(THREADS_WAIT);
    status
}

fn observe(config: &Config, env: &Env) -> Result<PrometheusHandle, String> {
    // Stderr: the journal keeps it apart from the output of commands.
    let subscriber = log::subscriber(&config.log, env.clock().clone(), std::io::stderr);
    tracing::subscriber::set_global_default(subscriber).map_err(|error| format!("logging: {error}"))?;
    log::log_panics();
    let recorder = scrape::recorder().map_err(|error| format!("metrics: {error}"))?;
    let handle = recorder.handle();
    ::metrics::set_global_recorder(recorder).map_err(|error| format!("metrics: {error}"))?;
    metrics::describe(env!("CARGO_PKG_VERSION"), env.now());
    Ok(handle)
}

async fn serve<S: Services>(
    host: Host,
    trigger: shutdown::ShutdownTrigger,
    handle: PrometheusHandle,
) -> ExitStatus {
    let (reload, reloads) = mpsc::channel(1);
    match Signals::listen() {
        Ok(signals) => host.env.spawn(signals.relay(trigger.clone(), reload)),
        Err(error) => {
            tracing::error!(%error, "cannot listen for signals");
            return ExitStatus::System;
        }
    }
    match live::<S>(host, trigger, reloads, handle).await {
        Ok(()) => ExitStatus::Done,
        Err(error) => {
            tracing::error!(%error, "the node does not run");
            error.status
        }
    }
}

/// The life of the process from the admin socket to the end of the drain.
async fn live<S: Services>(
    mut host: Host,
    trigger: shutdown::ShutdownTrigger,
    mut reloads: mpsc::Receiver<()>,
    handle: PrometheusHandle,
) -> Result<(), StartError> {
    host.env.spawn(scrape::upkeep(handle.clone()));
    introduce(&host);
    // First of all: whoever holds the socket is the only node in this folder.
    let socket = AdminSocket::bind(&host.config.admin_socket)?;
    if let Some(address) = host.config.metrics {
        let page = scrape::Page::bind(address).await.map_err(|error| {
            StartError::new(ExitStatus::from(&error), format!("[metrics] address {address}: {error}"))
        })?;
        host.env.spawn(page.serve(handle, host.shutdown.clone()));
    }
    admin::status::register(&mut host.router, host.board.clone(), host.env.clock().clone());
    let mut stop = host.shutdown.clone();
    let mut services = tokio::select! { biased;
        () = stop.draining() => return Ok(()),
        started = S::start(&mut host) => started?,
    };
    let admin = tokio::spawn(admin::serve(socket, host.router.clone(), host.shutdown.clone()));

    host.board.set_phase(Phase::Running);
    Manager.ready("answering");
    host.env.spawn(Manager.watchdog());
    tracing::info!(node = %host.config.node.id, roles = host.config.role_names().join(","), "ready");
    loop {
        tokio::select! { biased;
            () = stop.draining() => break,
            Some(()) = reloads.recv() => {
                Manager.reloading();
                reloaded(services.reload(&host).await, &host.board);
                Manager.ready("answering");
            }
        }
    }
    drain(services, admin, &host).await;
    trigger.advance(Stage::Now);
    tracing::info!("stopped");
    Ok(())
}

fn introduce(host: &Host) {
    let (config, started) = (&host.config, host.env.now());
    tracing::info!(node = %config.node.id, version = env!("CARGO_PKG_VERSION"), "starting");
    host.board.update(|status| {
        status.id = config.node.id.to_string();
        status.kind = config.node.kind.to_string();
        let days = config.records.kept_since.iter();
        status.kept_since =
            days.map(|kept| (kept.category.to_string(), kept.since.as_str().to_owned())).collect();
        status.roles = config.role_names().into_iter().map(str::to_owned).collect();
        status.version = env!("CARGO_PKG_VERSION").to_owned();
        status.started = started;
    });
}

fn reloaded(outcome: Result<(), String>, board: &StatusBoard) {
    match outcome {
        Ok(()) => {
            board.clear("reload");
            tracing::info!("reloaded");
        }
        Err(error) => {
            tracing::error!(%error, "not reloaded; the former keys and lists stay in force");
            board.raise("reload", error);
        }
    }
}

async fn drain<S: Services>(services: S, admin: tokio::task::JoinHandle<()>, host: &Host) {
    let limit = Duration::from_secs(host.config.node.drain_seconds);
    Manager.stopping(limit + THREADS_WAIT);
    host.board.set_phase(Phase::Draining);
    let stopper = admin.abort_handle();
    let finish = async {
        // Commands first: a service must outlive the commands that use it.
        if admin.await.is_err() {
            tracing::warn!("a command on the admin socket did not end by itself");
        }
        services.drain().await;
    };
    let mut now = host.shutdown.clone();
    tokio::select! { biased;
        () = now.now() => tracing::warn!("stopping with work unfinished, as asked"),
        ended = tokio::time::timeout(limit, finish) => {
            if ended.is_err() {
                tracing::warn!("the time to finish is over; stopping with work unfinished");
            }
        }
    }
    stopper.abort();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use std::path::Path;
    use std::sync::Mutex;

    use serde_json::{Value, json};
    use tokio::sync::mpsc::Sender;
    use tokio::task::{JoinHandle, spawn_blocking};

    use super::*;
    use crate::admin::client::{Call, call};
    use crate::observe::board::Status;

    /// Services that note what happens to them; one test uses them.
    struct Recorded;

    static MARKS: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

    fn note(mark: &'static str) {
        MARKS.lock().unwrap().push(mark);
    }

    impl Services for Recorded {
        async fn start(host: &mut Host) -> Result<Self, StartError> {
            host.router.add("echo", |request, _| async move { Ok(request.arguments) });
            note("started");
            Ok(Self)
        }

        async fn reload(&mut self, _host: &Host) -> Result<(), String> {
            note("reloaded");
            Err("the new list is older".into())
        }

        async fn drain(self) {
            note("drained");
        }
    }

    /// Services that never start, or never end.
    struct Stuck<const START: bool>;

    impl<const START: bool> Services for Stuck<START> {
        async fn start(_host: &mut Host) -> Result<Self, StartError> {
            if START { Ok(Self) } else { std::future::pending().await }
        }

        async fn reload(&mut self, _host: &Host) -> Result<(), String> {
            Ok(())
        }

        async fn drain(self) {
            std::future::pending::<()>().await;
        }
    }

    struct Process {
        life: JoinHandle<Result<(), StartError>>,
        trigger: shutdown::ShutdownTrigger,
        reload: Sender<()>,
        socket: PathBuf,
    }

    fn start<S: Services + 'static>(folder: &Path, drain_seconds: u64) -> Process {
        let text = format!(
            "[node]\nid = \"a/b\"\nname-ja = \"b\"\nname-en = \"b\"\nkind = \"clinic\"\ndata-dir = \".\"\n\
             drain-seconds = {drain_seconds}\n[federation]\nroot = \"r\"\ntrust-list = \"t\"\n"
        );
        let config = Config::from_text(&text, folder).unwrap().config;
        let socket = config.admin_socket.clone();
        let (trigger, shutdown) = shutdown::channel();
        let (board, router, env) = (StatusBoard::new(), Router::new(), Env::system());
        let host = Host { file: folder.join("node.toml"), config, env, board, router, shutdown };
        let (reload, reloads) = mpsc::channel(1);
        let handle = scrape::recorder().unwrap().handle();
        let life = tokio::spawn(live::<S>(host, trigger.clone(), reloads, handle));
        Process { life, trigger, reload, socket }
    }

    /// Asks until the node answers: it may be starting.
    async fn ask(socket: &Path, command: &'static str, arguments: Value) -> Value {
        for _ in 0..500 {
            let (socket, arguments) = (socket.to_owned(), arguments.clone());
            let asked = spawn_blocking(move || {
                call(&Call { socket: &socket, command, arguments, staff: None }, &mut |_| {})
            });
            if let Ok(value) = asked.await.unwrap() {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Value::Null
    }

    async fn status(socket: &Path) -> Status {
        serde_json::from_value(ask(socket, "status", Value::Null).await).unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn services_live_between_ready_and_drained() {
        let folder = tempfile::tempdir().unwrap();
        let process = start::<Recorded>(folder.path(), 5);
        assert_eq!(ask(&process.socket, "echo", json!([1])).await, json!([1]));
        let before = status(&process.socket).await;
        assert_eq!((before.id.as_str(), before.phase), ("a/b", Phase::Running));
        assert_eq!((before.kind.as_str(), before.roles.join(" ").as_str()), ("clinic", "responder witness"));
        assert!(before.started > 0 && before.now >= before.started);

        process.reload.send(()).await.unwrap();
        let mut problems = before.problems;
        while problems.is_empty() {
            problems = status(&process.socket).await.problems;
        }
        assert_eq!(problems["reload"], "the new list is older");

        process.trigger.ask();
        process.life.await.unwrap().unwrap();
        assert_eq!(*MARKS.lock().unwrap(), ["started", "reloaded", "drained"]);
        assert!(!process.socket.exists());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_second_node_in_the_same_folder_does_not_start() {
        let folder = tempfile::tempdir().unwrap();
        let first = start::<Bare>(folder.path(), 5);
        assert_eq!(status(&first.socket).await.phase, Phase::Running);
        let second = start::<Bare>(folder.path(), 5).life.await.unwrap().unwrap_err();
        assert_eq!(second.status, ExitStatus::TryAgain);
        assert!(second.what.contains("another hibiki-node"), "{second}");
        assert_eq!(status(&first.socket).await.phase, Phase::Running);
        first.trigger.ask();
        first.life.await.unwrap().unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_start_can_be_broken_off() {
        let folder = tempfile::tempdir().unwrap();
        let process = start::<Stuck<false>>(folder.path(), 5);
        process.trigger.ask();
        process.life.await.unwrap().unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_drain_ends_at_its_deadline_or_when_asked_again() {
        for (drain_seconds, asks) in [(0, 1), (300, 2)] {
            let folder = tempfile::tempdir().unwrap();
            let process = start::<Stuck<true>>(folder.path(), drain_seconds);
            assert_eq!(status(&process.socket).await.phase, Phase::Running);
            for _ in 0..asks {
                process.trigger.ask();
            }
            process.life.await.unwrap().unwrap();
        }
    }
}
