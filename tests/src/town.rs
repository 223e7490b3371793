//! A town: six nodes (or eight) as real processes on loopback, each with its own folder, keys and port, and the
//! council's office beside them.
//!
//! Owns founding (keys, enrolment, trust list, cards), starting and stopping, and what staff do, all through
//! the programs a real operator uses. Everything lies in one folder; every process dies with the one that
//! started it. Must not know what is in the records.

pub mod cards;
pub mod config;
pub mod council;
pub mod error;
pub mod inspected;
pub mod page;
pub mod process;
pub mod programs;
pub mod receipts;
pub mod school;
pub mod staff;
pub mod terminal;

use std::collections::BTreeMap;
use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock;
use crate::house::House;
use crate::population::Population;

pub use cards::{Card, Touch};
pub use config::Settings;
pub use council::Council;
pub use error::TownError;
pub use page::Page;
pub use process::Node;
pub use programs::Programs;

/// How long a node may take to answer after it was started, on a busy machine.
pub const START_PATIENCE: Duration = Duration::from_secs(60);

/// The town.
pub struct Town {
    folder: PathBuf,
    programs: Programs,
    council: Council,
    nodes: BTreeMap<House, Node>,
    cards: BTreeMap<String, Card>,
}

impl Town {
    /// Founds a town in an empty folder: every node makes its keys and asks to join, the council publishes
    /// the first trust list, every node starts. `told` hears of each step.
    ///
    /// # Errors
    /// A program is missing or fails, or a port is taken.
    pub fn found(folder: &Path, settings: &Settings, told: &mut dyn FnMut(House)) -> Result<Self, TownError> {
        let programs = Programs::find()?;
        make_folder(folder)?;
        let folder = fs::canonicalize(folder).map_err(|source| TownError::file(folder, source))?;
        let mut council = Council::found(&folder.join("council"))?;
        let mut nodes = BTreeMap::new();
        let addresses = free_addresses(settings.houses.len())?;
        for (&house, address) in settings.houses.iter().zip(addresses) {
            told(house);
            let mut node = Node::new(house, &folder.join(house.slug()), address, &programs);
            if let Some((_, data)) = settings.data_dir.as_ref().filter(|(whose, _)| *whose == house) {
                node.keep_data_in(data);
            }
            config::write(&node, &folder, settings)?;
            nodes.insert(house, node);
        }
        for node in nodes.values() {
            programs.node(&["init", "--config", node.config_text()])?;
            let request = node.folder().join("member.request");
            programs.node(&["request", "--config", node.config_text(), "--out", &text(&request)])?;
            council.enrol(&request)?;
        }
        council.publish(&folder.join("trust-list.cbor"))?;
        let mut town = Self { folder, programs, council, nodes, cards: BTreeMap::new() };
        town.start_all()?;
        town.renew_revocations(24)?;
        Ok(town)
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The programs it runs.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }

    /// The council's office.
    pub fn council(&mut self) -> &mut Council {
        &mut self.council
    }

    /// A node.
    ///
    /// # Panics
    /// Never: there is one for every house.
    pub fn node(&self, house: House) -> &Node {
        &self.nodes[&house]
    }

    /// A node, to start or stop it.
    ///
    /// # Panics
    /// Never: there is one for every house.
    #[expect(clippy::expect_used, reason = "founded with one node for every house")]
    pub fn node_mut(&mut self, house: House) -> &mut Node {
        self.nodes.get_mut(&house).expect("a node for every house")
    }

    /// Starts every node that is not running and waits until all answer and city hall has a connection to
    /// each.
    ///
    /// # Errors
    /// One does not start.
    pub fn start_all(&mut self) -> Result<(), TownError> {
        for node in self.nodes.values_mut() {
            node.launch()?;
        }
        for node in self.nodes.values_mut() {
            node.await_running(START_PATIENCE)?;
        }
        self.await_links(&self.others())
    }

    /// Starts one node and waits until it answers and city hall is connected to it.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(&mut self, house: House) -> Result<(), TownError> {
        let node = self.node_mut(house);
        node.launch()?;
        node.await_running(START_PATIENCE)?;
        if house == House::CityHall { self.await_running_links() } else { self.await_links(&[house]) }
    }

    /// Starts one node and waits until it answers, whoever else is there.
    ///
    /// # Errors
    /// It does not start.
    pub fn launch(&mut self, house: House) -> Result<(), TownError> {
        let node = self.node_mut(house);
        node.launch()?;
        node.await_running(START_PATIENCE)
    }

    /// Waits until city hall is connected to these.
    ///
    /// # Errors
    /// It is not after a while.
    pub fn await_links(&self, houses: &[House]) -> Result<(), TownError> {
        let mut missing = Vec::new();
        let up = clock::wait_until(START_PATIENCE, || {
            let links = self.node(House::CityHall).links_up();
            // A connection older than the process is one to its predecessor.
            let since = |house: &House| links.get(house.id()).copied();
            let up =
                |house: &&House| since(house).is_some_and(|since| since >= self.node(**house).launched());
            missing = houses.iter().filter(|house| !up(house)).map(|house| house.id()).collect();
            missing.is_empty()
        });
        if up { Ok(()) } else { Err(TownError::NoLink(missing.join(", "))) }
    }

    /// Waits until city hall has noticed that these are gone.
    ///
    /// # Errors
    /// It has not after a while.
    pub fn await_links_down(&self, houses: &[House]) -> Result<(), TownError> {
        let gone = clock::wait_until(START_PATIENCE, || {
            let links = self.node(House::CityHall).links_up();
            houses.iter().all(|house| !links.contains_key(house.id()))
        });
        if gone { Ok(()) } else { Err(TownError::StillLinked) }
    }

    /// Every house of this town but city hall.
    pub fn others(&self) -> Vec<House> {
        self.nodes.keys().copied().filter(|house| *house != House::CityHall).collect()
    }

    fn await_running_links(&self) -> Result<(), TownError> {
        let running: Vec<House> =
            self.others().into_iter().filter(|house| self.node(*house).is_running()).collect();
        self.await_links(&running)
    }

    /// Loads everything: residents and guardianships at the registry, records at each institution, links
    /// made from the tokens the registry exports for each.
    ///
    /// # Errors
    /// A node refuses something.
    pub fn load(&mut self, people: &Population, told: &mut dyn FnMut(House)) -> Result<(), TownError> {
        staff::register(self, people)?;
        for (house, archive) in &people.archives {
            told(*house);
            let imported = staff::import(self, *house, &archive.ndjson)?;
            if !imported.whole {
                return Err(TownError::Command {
                    command: format!("import at {house}"),
                    output: imported.said,
                });
            }
        }
        for house in people.archives.keys() {
            staff::link(self, *house)?;
        }
        Ok(())
    }

    /// Issues a card to a resident and enrols it at the registry.
    ///
    /// # Errors
    /// A file cannot be written, or the registry refuses.
    pub fn issue_card(&mut self, resident: &str) -> Result<Card, TownError> {
        let card = self.council.issue_card(&self.folder.join("cards"), self.cards.len() + 1)?;
        staff::enrol_card(self, &card, resident)?;
        self.cards.insert(resident.to_owned(), card.clone());
        Ok(card)
    }

    /// A resident's card.
    ///
    /// # Errors
    /// None was issued to him.
    pub fn card(&self, resident: &str) -> Result<&Card, TownError> {
        self.cards.get(resident).ok_or(TownError::NoCard)
    }

    /// Hands the registry a fresh revocation list.
    ///
    /// # Errors
    /// It refuses it.
    pub fn renew_revocations(&mut self, hours: u64) -> Result<(), TownError> {
        let list = self.folder.join("crl.der");
        self.council.write_revocations(&list, hours)?;
        staff::revocations(self, &list)
    }
}

/// A folder only its owner may enter.
pub(crate) fn make_folder(path: &Path) -> Result<(), TownError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| TownError::file(path, source))
}

/// A path as a program takes it.
pub(crate) fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Free UDP ports on loopback, all different.
fn free_addresses(count: usize) -> Result<Vec<String>, TownError> {
    let sockets: Result<Vec<UdpSocket>, _> = (0..count).map(|_| UdpSocket::bind(("127.0.0.1", 0))).collect();
    let sockets = sockets.map_err(TownError::Port)?;
    sockets.iter().map(|socket| Ok(socket.local_addr().map_err(TownError::Port)?.to_string())).collect()
}
