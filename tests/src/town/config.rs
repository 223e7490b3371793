//! The nodes' and the terminal's configuration files.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Node, TownError, make_folder};
use crate::house::House;

/// What differs between towns.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which institutions there are; city hall is the first.
    pub houses: &'static [House],
    /// Disk space each node keeps aside, in MiB.
    pub ballast_mib: u64,
    /// Free space below which a node stops importing and answering, in MiB.
    pub low_space_mib: u64,
    /// Slowest retry of a lost connection, in milliseconds.
    pub back_off_max_ms: u64,
    /// Seconds between checkpoints.
    pub checkpoint_seconds: u64,
    /// Another folder for everything a node writes, such as a disk of its own.
    pub data_dir: Option<(House, PathBuf)>,
    /// More lines for one node's file, by house.
    pub more: Vec<(House, String)>,
}

impl Default for Settings {
    /// Small reserves, for six nodes share one disk here, and quick retries.
    fn default() -> Self {
        Self {
            houses: &House::ALL,
            ballast_mib: 4,
            low_space_mib: 16,
            back_off_max_ms: 400,
            checkpoint_seconds: 2,
            data_dir: None,
            more: Vec::new(),
        }
    }
}

/// Writes a node's configuration and, for city hall, a terminal's beside it.
pub(super) fn write(node: &Node, town: &Path, settings: &Settings) -> Result<(), TownError> {
    make_folder(node.folder())?;
    save(node.config(), &node_toml(node, settings))?;
    if node.house() == House::CityHall {
        save(&town.join("terminal.toml"), &terminal_toml(node))
    } else {
        Ok(())
    }
}

fn save(path: &Path, text: &str) -> Result<(), TownError> {
    fs::write(path, text).map_err(|source| TownError::file(path, source))
}

fn node_toml(node: &Node, settings: &Settings) -> String {
    let house = node.house();
    let (ja, en) = house.names();
    let Settings { ballast_mib, low_space_mib, back_off_max_ms, checkpoint_seconds, .. } = settings;
    let mut toml = format!(
        "[node]\nid = \"{}\"\nname-ja = \"{ja}\"\nname-en = \"{en}\"\nkind = \"{}\"\ndata-dir = \"{data}\"\n\n\
         [listen]\naddress = \"{address}\"\nadvertise = \"{address}\"\n\n\
         [federation]\nroot = \"../council/root.cbor\"\ntrust-list = \"../trust-list.cbor\"\n\n\
         [links]\nback-off-min-ms = 50\nback-off-max-ms = {back_off_max_ms}\n\n\
         [store]\ncache-mib = 16\nballast-mib = {ballast_mib}\nlow-space-mib = {low_space_mib}\n\n\
         [ledger]\ncheckpoint-seconds = {checkpoint_seconds}\n\n",
        house.id(),
        house.kind(),
        address = node.address(),
        data = node.data().display(),
    );
    if house == House::CityHall {
        toml.push_str("[roles]\ngateway = true\nregistry = true\n\n[registry]\narea = \"maebashi\"\n\n");
    }
    for (_, more) in settings.more.iter().filter(|(whose, _)| *whose == house) {
        let _ = writeln!(toml, "{more}");
    }
    toml
}

fn terminal_toml(gateway: &Node) -> String {
    format!(
        "# A guardian's terminal. Try: hibiki-terminal login --config terminal.toml --card-file cards/1.json\n\
         root = \"council/root.cbor\"\ntrust-list = \"trust-list.cbor\"\n\
         gateway = \"{}\"\ngateway-address = \"{}\"\n",
        gateway.house().id(),
        gateway.address()
    )
}
