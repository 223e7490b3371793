//! One institution: the daemon's own parts on a simulated machine, started, commanded, crashed and started again.
//!
//! Must not know: what is in the records, who else there is.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hibiki_node::admin::{Body, Event, Request, Responder, Router};
use hibiki_node::cli::init;
use hibiki_node::cli::run::{Host as Process, Services};
use hibiki_node::config::Config;
use hibiki_node::daemon::Node;
use hibiki_node::keys::NodeKeys;
use hibiki_node::observe::board::{LinkState, Status, StatusBoard};
use hibiki_node::shutdown::{self, ShutdownTrigger, Stage};
use hibiki_protocol::cbor;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::time::Timestamp;
use hibiki_simnet::Host;
use serde_json::Value;
use tokio::sync::oneshot;

use super::Stumble;
use super::area::Area;
use super::outside::{self, Cellar};
use crate::house::House;

/// The port every institution listens at.
pub(super) const PORT: u16 = 4433;

/// How long a machine takes to start.
const BOOT: Duration = Duration::from_millis(20);

/// One institution.
#[derive(Clone)]
pub struct Institution {
    /// Its name in the world.
    pub name: String,
    /// Which.
    pub house: House,
    /// Which member.
    pub member: MemberId,
    /// Its machine.
    pub host: Host,
    /// What it keeps through a crash.
    pub cellar: Cellar,
    folder: PathBuf,
    config: Config,
    running: Arc<Mutex<Option<Running>>>,
}

/// A node that answers.
struct Running {
    router: Router,
    board: StatusBoard,
    trigger: ShutdownTrigger,
    gone: oneshot::Receiver<()>,
}

/// What a command came to.
#[derive(Debug)]
pub struct Done {
    /// Its result.
    pub result: Value,
    /// The rows it gave.
    pub rows: Vec<Value>,
}

impl Institution {
    /// Makes folder and keys; the request to the council is in the file returned.
    pub(super) fn prepare(
        area: Area,
        house: House,
        host: Host,
        folder: &Path,
    ) -> Result<(Self, PathBuf), Stumble> {
        let name = area.party(house.slug());
        let said = |error: &dyn std::fmt::Display| Stumble(format!("{name}: {error}"));
        let folder = folder.join(house.slug());
        fs::create_dir_all(&folder).map_err(|error| said(&error))?;
        let loaded = Config::from_text(&settings(area, house, &host), &folder);
        let config = loaded.map_err(|problems| Stumble(format!("{name}: {problems:?}")))?.config;
        let cellar = Cellar::default();
        let env = outside::env(&host, &cellar);
        init::make(&config, &env).map_err(|error| said(&error))?;
        let keys = NodeKeys::open(&config.node.keys_dir).map_err(|error| said(&error))?;
        let request = init::sign(&config, &keys, Timestamp(env.now())).map_err(|error| said(&error))?;
        let file = folder.join("member.request");
        fs::write(&file, cbor::encode(&request)).map_err(|error| said(&error))?;
        let member = config.node.id.clone();
        Ok((Self { name, house, member, host, cellar, folder, config, running: Arc::default() }, file))
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the node; on return it answers, or the machine crashed meanwhile.
    ///
    /// # Errors
    /// It refuses to start.
    pub async fn start(&self) -> Result<(), Stumble> {
        // A machine takes a moment to start; until then whatever ran on it is gone.
        tokio::time::sleep(BOOT).await;
        let (trigger, shutdown) = shutdown::channel();
        let process = Process {
            file: self.folder.join("node.toml"),
            config: self.config.clone(),
            env: outside::env(&self.host, &self.cellar),
            board: StatusBoard::new(),
            router: Router::new(),
            shutdown,
        };
        let (told, heard) = oneshot::channel();
        let (leaving, gone) = oneshot::channel();
        self.host.spawn(async move {
            let mut process = process;
            match Node::start(&mut process).await {
                Err(error) => _ = told.send(Err(error.to_string())),
                Ok(node) => {
                    _ = told.send(Ok((process.router.clone(), process.board.clone())));
                    process.shutdown.draining().await;
                    node.drain().await;
                    _ = leaving.send(());
                }
            }
        });
        match heard.await {
            Ok(Ok((router, board))) => {
                *self.running() = Some(Running { router, board, trigger, gone });
                Ok(())
            }
            Ok(Err(what)) => Err(Stumble(format!("{} does not start: {what}", self.name))),
            Err(_) => Ok(()),
        }
    }

    /// Whether the node answers.
    pub fn is_running(&self) -> bool {
        self.running().is_some()
    }

    /// The power goes.
    pub fn crash(&self) {
        self.host.crash();
        // Afterwards: nobody is to be told that the process ends.
        *self.running() = None;
        self.cellar.close();
    }

    /// Asks the node to stop, and waits until it has.
    pub async fn stop(&self) {
        let Some(running) = self.running().take() else { return };
        running.trigger.advance(Stage::Draining);
        // An error: the machine crashed first.
        _ = running.gone.await;
        running.trigger.advance(Stage::Now);
        self.host.crash();
        self.cellar.close();
    }

    /// What its status board shows.
    pub fn status(&self) -> Option<Status> {
        let now = hibiki_node::env::Clock::now(&outside::Wall(self.host.clone()));
        self.running().as_ref().map(|running| running.board.snapshot(now))
    }

    /// The epoch of the trust list it has in force; none while it does not run.
    pub fn epoch(&self) -> Option<u64> {
        Some(self.status()?.trust_list?.epoch)
    }

    /// Whether it has a link to this member.
    pub fn is_connected_to(&self, member: &MemberId) -> bool {
        let links = self.status().map(|status| status.links).unwrap_or_default();
        links.get(member.as_str()).is_some_and(|link| link.state == LinkState::Up)
    }

    /// Members it has a link to.
    pub fn links_up(&self) -> usize {
        let links = self.status().map(|status| status.links).unwrap_or_default();
        links.values().filter(|link| link.state == LinkState::Up).count()
    }

    /// What staff do at the node's own commands.
    ///
    /// # Errors
    /// It refuses, or does not run.
    pub async fn command(
        &self,
        command: &str,
        arguments: Value,
        staff: &str,
        body: Vec<u8>,
    ) -> Result<Done, Stumble> {
        let router = self.running().as_ref().map(|running| running.router.clone());
        let router = router.ok_or_else(|| Stumble(format!("{} does not run", self.name)))?;
        let request = Request { body: Body::of(body), ..Request::local(command, arguments, Some(staff)) };
        let (told, heard) = oneshot::channel();
        // On its machine, so that a command ends with the node it was given to.
        self.host.spawn(async move { _ = told.send(carry_out(router, request).await) });
        let outcome = heard.await.map_err(|_| "the power went".to_owned()).flatten();
        outcome.map_err(|error| Stumble(format!("{}: {command}: {error}", self.name)))
    }
}

async fn carry_out(router: Router, request: Request) -> Result<Done, String> {
    let (responder, mut events, _cancel) = Responder::channel();
    let mut rows = Vec::new();
    let mut note = |event| {
        if let Event::Row(row) = event {
            rows.push(row);
        }
    };
    let outcome = {
        let mut work = std::pin::pin!(router.dispatch(request, responder));
        loop {
            tokio::select! { biased;
                Some(event) = events.recv() => note(event),
                outcome = &mut work => break outcome,
            }
        }
    };
    while let Ok(event) = events.try_recv() {
        note(event);
    }
    Ok(Done { result: outcome.map_err(|error| error.to_string())?, rows })
}

/// The configuration, as an operator would write it.
fn settings(area: Area, house: House, host: &Host) -> String {
    let ((ja, en), address) = (area.names(house), host.addr(PORT));
    let mut toml = format!(
        "[node]\nid = \"{}\"\nname-ja = \"{ja}\"\nname-en = \"{en}\"\nkind = \"{}\"\ndata-dir = \"data\"\n\n\
         [listen]\naddress = \"{address}\"\nadvertise = \"{address}\"\n\n\
         [federation]\nroot = \"../council/root.cbor\"\ntrust-list = \"../trust-list.cbor\"\n\n",
        area.member(house),
        house.kind(),
    );
    if house == House::CityHall {
        let area = area.slug;
        _ = writeln!(toml, "[roles]\ngateway = true\nregistry = true\n\n[registry]\narea = \"{area}\"");
    }
    toml
}
