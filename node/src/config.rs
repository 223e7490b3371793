//! Configuration: one TOML file, kebab-case, no secrets in it, only paths to them.
//!
//! Reading goes in two steps: `parse` knows the shape (sections, keys, types), `check` the sense (values that
//! fit each other and the protocol's limits). Both report everything that is wrong at once, with line and
//! column. Relative paths start at the file's own folder.
//!
//! Must not know: what the parts do with their settings.

mod check;
pub mod defaults;
mod guard;
mod nearest;
mod parse;
mod problem;
mod publish;
mod school;
pub mod shape;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hibiki_protocol::answer::KeptSince;
use hibiki_protocol::ids::{Category, MemberId};
use hibiki_protocol::trust::MemberKind;
use serde::{Serialize, Serializer};

pub use nearest::nearest;
pub use problem::{Place, Problem, Problems};
pub use shape::{Limits, Roles, Udp};

/// Longest configuration file, in bytes: ours have ten thousand.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A configuration that makes sense. All paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Config {
    /// Who this node is.
    pub node: Node,
    /// Roles it plays.
    pub roles: Roles,
    /// Where it can be reached.
    pub listen: Listen,
    /// Whom it trusts.
    pub federation: Federation,
    /// How it asks on a guardian's behalf; used with the role `gateway`.
    pub gateway: Gateway,
    /// How it connects.
    pub links: Links,
    /// For whom it attests; used with the role `registry`.
    pub registry: Registry,
    /// The record store.
    pub store: Store,
    /// The ledger.
    pub ledger: Ledger,
    /// Who vouches for the ledger.
    pub witnesses: Witnesses,
    /// What it says about its records.
    pub records: Records,
    /// Folder whose files are imported, if one is watched.
    pub inbox: Option<PathBuf>,
    /// The admin socket's path.
    pub admin_socket: PathBuf,
    /// TCP address for Prometheus, if wanted.
    pub metrics: Option<SocketAddr>,
    /// Logs.
    pub log: Log,
    /// How much it takes on at once.
    pub limits: Limits,
    /// What it decides by.
    pub policy: Policy,
    /// What a school does besides; none: this is no school.
    pub school: Option<School>,
    /// How mails go out; none: none do.
    pub mail: Option<Mail>,
    /// TCP address of the staff's page, if wanted.
    pub staff_page: Option<SocketAddr>,
    /// What its network card can do.
    pub udp: Udp,
}

/// What a school does. Times are minutes after midnight in Japan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct School {
    /// Kitchen, or area, of the classes that have none of their own.
    pub kitchen: String,
    /// When guardians are told of the next lunch.
    pub alert: u16,
    /// When staff are told of what is missing for it.
    pub warn: u16,
    /// When the lunch is eaten.
    pub lunch: u16,
    /// Addresses of staff.
    pub staff_mail: Vec<String>,
}

/// How the connection to the mail relay is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MailTls {
    /// By STARTTLS, which must succeed (RFC 3207).
    StartTls,
    /// From the first byte (RFC 8314).
    Tls,
    /// Not at all: the relay is on this machine.
    None,
}

/// How mails go out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mail {
    /// The relay's host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: MailTls,
    /// Certificate authority of the relay, PEM: it alone is believed then, and none of the system's.
    pub ca_file: Option<PathBuf>,
    /// User at the relay.
    pub user: Option<String>,
    /// File of the user's password.
    pub password_file: Option<PathBuf>,
    /// Who writes.
    pub from: String,
    /// Where answers go.
    pub reply_to: Option<String>,
    /// Patience with the relay, in seconds.
    pub timeout_seconds: u64,
    /// Connections to the relay at once.
    pub at_once: u64,
}

/// Who the node is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Member id.
    #[serde(serialize_with = "as_text")]
    pub id: MemberId,
    /// Display name, Japanese.
    pub name_ja: String,
    /// Display name, English.
    pub name_en: String,
    /// Kind of institution.
    #[serde(serialize_with = "as_text")]
    pub kind: MemberKind,
    /// Folder of everything the node writes.
    pub data_dir: PathBuf,
    /// Folder of its keys, mode 0700.
    pub keys_dir: PathBuf,
    /// Seconds to finish what was begun when told to stop.
    pub drain_seconds: u64,
}

/// Where the node can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listen {
    /// UDP address to bind.
    pub address: SocketAddr,
    /// `host:port` to put on the trust list; none for a node that only dials out.
    pub advertise: Option<String>,
}

/// Whom the node trusts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Federation {
    /// File of the council's root.
    pub root: PathBuf,
    /// File of a trust list to start from; the node keeps the highest it has seen in its `data-dir`.
    pub trust_list: PathBuf,
    /// Days an expired trust list is still used, with warnings.
    pub grace_days: u64,
}

/// How the gateway asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gateway {
    /// The registry that attests for its guardians; always set with the role `gateway`.
    #[serde(serialize_with = "as_optional_text")]
    pub registry: Option<MemberId>,
    /// Keep a connection to every member that can be reached.
    pub dial_members: bool,
    /// Deadline of a view where the terminal names none, in milliseconds.
    pub deadline_ms: u64,
}

/// How the node connects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Links {
    /// Members this node dials although it is no gateway: it is behind a firewall.
    #[serde(serialize_with = "as_texts")]
    pub dial: Vec<MemberId>,
    /// First retry after this many milliseconds.
    pub back_off_min_ms: u64,
    /// Slowest retry, in milliseconds.
    pub back_off_max_ms: u64,
}

/// For whom the registry attests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Registry {
    /// Area; always set with the role `registry`.
    pub area: Option<String>,
    /// File of the key that makes pairwise tokens.
    pub master_key: PathBuf,
}

/// Store engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Embedded, durable.
    Sled,
    /// Forgets everything when the process ends: for trials.
    Memory,
}

/// The record store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Store {
    /// Engine.
    pub engine: Engine,
    /// Folder.
    pub path: PathBuf,
    /// Memory for its cache, in MiB.
    pub cache_mib: u64,
    /// Reserve on disk for holds and revocations, in MiB.
    pub ballast_mib: u64,
    /// Imports and releases stop below this much free space, in MiB.
    pub low_space_mib: u64,
}

/// The ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// Folder.
    pub path: PathBuf,
    /// Seconds between checkpoints.
    pub checkpoint_seconds: u64,
    /// How its public part can be read; none: it cannot.
    pub publish: Option<Publish>,
}

/// How the public part of the ledger can be read over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Publish {
    /// TCP address.
    pub address: SocketAddr,
    /// File of the token that readers bring; always set where others can reach the address.
    pub token_file: Option<PathBuf>,
}

/// Who vouches for the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Witnesses {
    /// Cosignatures that make a checkpoint count; none: by the number of possible witnesses.
    pub quorum: Option<usize>,
    /// Without them for so long: an alarm.
    pub alarm: Duration,
    /// Without them for so long: nothing is released.
    pub stop: Duration,
}

/// What the institution says about its records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Records {
    /// Since when it keeps which category, in the order of the names.
    #[serde(serialize_with = "as_days")]
    pub kept_since: Vec<KeptSince>,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For eyes.
    Human,
}

/// Logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Log {
    /// The least important level that is written.
    #[serde(serialize_with = "as_text")]
    pub level: tracing::Level,
    /// Form.
    pub format: LogFormat,
}

/// What the institution decides by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// No answer leaves sooner after its query than this, in milliseconds.
    pub answer_floor_ms: u64,
    /// Age in years at which guardianship ends.
    pub adult_age: u8,
    /// Age in years from which a guardian is no longer shown the categories below.
    pub sensitive_from_age: u8,
    /// These categories.
    #[serde(serialize_with = "as_texts")]
    pub sensitive_categories: Vec<Category>,
}

/// A configuration and what its operator should know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What is allowed but unwise.
    pub warnings: Vec<Problem>,
}

impl Config {
    /// Reads and checks a file, its permissions and those of the secrets it names.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(file: &Path) -> Result<Loaded, Problems> {
        let fail = |problems| Problems { file: file.to_owned(), problems };
        let text = guard::read(file, FILE_BYTES_MAX).map_err(|problem| fail(vec![problem]))?;
        let absolute = std::path::absolute(file).map_err(|error| fail(vec![guard::io(file, &error)]))?;
        let folder = absolute.parent().unwrap_or_else(|| Path::new("/"));
        let mut loaded = Self::from_text(&text, folder).map_err(fail)?;
        let (refusals, warnings) = guard::inspect(&absolute, &loaded.config);
        if !refusals.is_empty() {
            return Err(fail(refusals));
        }
        loaded.warnings.extend(warnings);
        Ok(loaded)
    }

    /// Reads and checks text; relative paths start at `folder`. Looks at no file.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of the text.
    pub fn from_text(text: &str, folder: &Path) -> Result<Loaded, Vec<Problem>> {
        let parsed = parse::parse(text);
        let mut problems = parsed.problems;
        // What a syntax error hid would be reported as missing.
        let readable = problems.iter().all(|problem| !problem.what.starts_with("not TOML"));
        let checked = check::check(&parsed.shape, &parsed.places, folder);
        if readable {
            problems.extend(checked.problems);
        }
        problems.sort_by_key(|problem| problem.place.map_or((1, 0, 0), |at| (0, at.line, at.column)));
        match checked.config {
            Some(config) if problems.is_empty() => Ok(Loaded { config, warnings: checked.warnings }),
            _ => Err(problems),
        }
    }

    /// Names of the roles this node plays.
    pub fn role_names(&self) -> Vec<&'static str> {
        [
            (self.roles.responder, "responder"),
            (self.roles.gateway, "gateway"),
            (self.roles.registry, "registry"),
            (self.roles.witness, "witness"),
        ]
        .into_iter()
        .filter_map(|(played, name)| played.then_some(name))
        .collect()
    }
}

fn as_text<T: fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn as_optional_text<T: fmt::Display, S: Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

fn as_texts<T: fmt::Display, S: Serializer>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(ToString::to_string))
}

fn as_days<S: Serializer>(kept: &[KeptSince], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(kept.iter().map(|kept| (kept.category.as_str(), kept.since.as_str())))
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod examples;
