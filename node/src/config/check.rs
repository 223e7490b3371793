//! From [`Shape`] to [`Config`]: whether the values make sense, alone and together.
//!
//! Pure: looks at no file. Must not know: TOML.

use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use hibiki_protocol::answer::KeptSince;
use hibiki_protocol::ids::{Category, MemberId};
use hibiki_protocol::limits;
use hibiki_protocol::time::Day;
use hibiki_protocol::trust::MemberKind;

use super::problem::{Places, Problem};
use super::shape::Shape;
use super::{
    Config, Engine, Federation, Gateway, Ledger, Limits, Links, Listen, Log, LogFormat, Node, Policy,
    Records, Registry, Store, Witnesses, defaults, nearest,
};
use crate::admin::socket::SOCKET_PATH_MAX_BYTES;

/// What came of a check. Without a configuration there is at least one problem.
pub(super) struct Checked {
    pub(super) config: Option<Config>,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
}

/// Checks everything, even after the first problem.
pub(super) fn check(shape: &Shape, places: &Places, folder: &Path) -> Checked {
    let mut checker = Checker { shape, places, folder, problems: Vec::new(), warnings: Vec::new() };
    let config = checker.config();
    Checked { config, problems: checker.problems, warnings: checker.warnings }
}

pub(super) struct Checker<'a> {
    pub(super) shape: &'a Shape,
    places: &'a Places,
    pub(super) folder: &'a Path,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Checker<'_> {
    fn config(&mut self) -> Option<Config> {
        let shape = self.shape;
        let node = self.node();
        let listen = self.listen();
        let federation = self.federation();
        let data_dir = node.as_ref().map_or(self.folder, |node| &node.data_dir).to_owned();
        let keys_dir = node.as_ref().map_or(self.folder, |node| &node.keys_dir).to_owned();
        let gateway = self.gateway(node.as_ref().map(|node| &node.id));
        let links = self.links(node.as_ref().map(|node| &node.id));
        let registry = self.registry(&keys_dir);
        let store = self.store(&data_dir);
        let ledger = self.ledger(&data_dir);
        let witnesses = self.witnesses();
        let records = self.records();
        let inbox = self.inbox(&data_dir);
        let admin_socket = self.socket(&data_dir);
        let metrics = self.metrics();
        let log = self.log();
        let limits = self.limits();
        let policy = self.policy();
        let school = self.school();
        let mail = self.mail();
        let staff_page = self.staff_page();
        let roles = &shape.roles;
        if !(roles.responder || roles.gateway || roles.registry || roles.witness) {
            self.problem(
                "roles",
                "this node has no role",
                "set at least one of responder, gateway, registry, witness",
            );
        }
        if !self.problems.is_empty() {
            return None;
        }
        Some(Config {
            node: node?,
            roles: shape.roles.clone(),
            listen: listen?,
            federation: federation?,
            gateway,
            links,
            registry,
            store: store?,
            ledger,
            witnesses,
            records,
            inbox,
            admin_socket,
            metrics,
            log: log?,
            limits,
            policy: policy?,
            school,
            mail,
            staff_page,
            udp: shape.udp.clone(),
        })
    }

    fn node(&mut self) -> Option<Node> {
        let node = &self.shape.node;
        let id = self.required(
            "node.id",
            node.id.as_ref(),
            "the name \"federation/member\" that stands on the trust list",
        );
        let id = id.and_then(|text| self.parsed::<MemberId>("node.id", text));
        let name_ja = self.name("node.name-ja", node.name_ja.as_ref());
        let name_en = self.name("node.name-en", node.name_en.as_ref());
        let kinds: Vec<String> = MemberKind::ALL.iter().map(|kind| kind.as_str().replace('_', "-")).collect();
        let kind = self
            .required("node.kind", node.kind.as_ref(), &format!("one of {}", kinds.join(", ")))
            .and_then(|text| self.one_of("node.kind", text, &kinds))
            .and_then(|index| MemberKind::ALL.get(index).copied());
        let data_dir =
            self.required("node.data-dir", node.data_dir.as_ref(), "the folder the node may write to");
        let data_dir = data_dir.map(|path| self.folder.join(path));
        self.within("node.drain-seconds", node.drain_seconds, 0..=300);
        let data_dir = data_dir?;
        Some(Node {
            id: id?,
            name_ja: name_ja?,
            name_en: name_en?,
            kind: kind?,
            keys_dir: self.inside(&data_dir, node.keys_dir.as_ref(), defaults::KEYS_DIR),
            data_dir,
            drain_seconds: node.drain_seconds,
        })
    }

    fn listen(&mut self) -> Option<Listen> {
        let listen = &self.shape.listen;
        let address = match listen.address.parse::<SocketAddr>() {
            Ok(address) => Some(address),
            Err(_) => {
                let next = "write IP:PORT, such as \"0.0.0.0:4433\" or \"[::]:4433\"";
                self.problem("listen.address", "not an address to listen on", next);
                None
            }
        };
        if let Some(advertise) = &listen.advertise {
            let port = advertise.rsplit_once(':').and_then(|(host, port)| {
                let host_fits = !host.is_empty() && !host.contains(char::is_whitespace);
                host_fits.then(|| port.parse::<u16>().ok()).flatten()
            });
            if !matches!(port, Some(1..)) {
                let next =
                    "write HOST:PORT as other members reach it, or leave it out if this node only dials";
                self.problem("listen.advertise", "not a host and a port", next);
            }
        }
        Some(Listen { address: address?, advertise: listen.advertise.clone() })
    }

    fn federation(&mut self) -> Option<Federation> {
        let federation = &self.shape.federation;
        let root = self.required(
            "federation.root",
            federation.root.as_ref(),
            "the root file the council handed over",
        );
        let list = self.required(
            "federation.trust-list",
            federation.trust_list.as_ref(),
            "the trust list the council published",
        );
        self.within("federation.grace-days", federation.grace_days, 0..=30);
        Some(Federation {
            root: self.folder.join(root?),
            trust_list: self.folder.join(list?),
            grace_days: federation.grace_days,
        })
    }

    fn gateway(&mut self, own: Option<&MemberId>) -> Gateway {
        let (gateway, roles) = (&self.shape.gateway, &self.shape.roles);
        let mut registry = gateway.registry.as_ref().and_then(|text| self.parsed("gateway.registry", text));
        if roles.gateway && gateway.registry.is_none() {
            if roles.registry {
                registry = own.cloned();
            } else if !self.present("gateway.registry") {
                let next = "name the member that attests guardianship for this gateway";
                self.problem("gateway.registry", "missing; the role gateway needs it", next);
            }
        }
        if !roles.gateway && self.present("gateway.registry") {
            self.warning(
                "gateway.registry",
                "not used: the role gateway is off",
                "set [roles] gateway = true",
            );
        }
        self.within("gateway.deadline-ms", gateway.deadline_ms, 100..=limits::VIEW_DEADLINE_MILLIS_MAX);
        Gateway { registry, dial_members: gateway.dial_members, deadline_ms: gateway.deadline_ms }
    }

    fn links(&mut self, own: Option<&MemberId>) -> Links {
        let links = &self.shape.links;
        let dial: Vec<MemberId> =
            links.dial.iter().filter_map(|text| self.parsed::<MemberId>("links.dial", text)).collect();
        if own.is_some_and(|own| dial.contains(own)) {
            self.problem("links.dial", "names this node itself", "take it out");
        }
        let bounds = 10..=3_600_000;
        self.within("links.back-off-min-ms", links.back_off_min_ms, bounds.clone());
        self.within("links.back-off-max-ms", links.back_off_max_ms, bounds);
        if links.back_off_min_ms > links.back_off_max_ms {
            self.problem("links.back-off-min-ms", "above back-off-max-ms", "lower it or raise the other");
        }
        Links { dial, back_off_min_ms: links.back_off_min_ms, back_off_max_ms: links.back_off_max_ms }
    }

    fn registry(&mut self, keys_dir: &Path) -> Registry {
        let registry = &self.shape.registry;
        let area = registry.area.as_ref().map(|area| area.trim().to_owned()).filter(|area| !area.is_empty());
        if self.shape.roles.registry && area.is_none() {
            let next = "name the municipality as on the trust list, such as area = \"maebashi\"";
            self.problem("registry.area", "missing; the role registry needs it", next);
        }
        Registry {
            area,
            master_key: self.inside(keys_dir, registry.master_key.as_ref(), defaults::MASTER_KEY),
        }
    }

    fn store(&mut self, data_dir: &Path) -> Option<Store> {
        let store = &self.shape.store;
        let engine = match self.one_of("store.engine", &store.engine, &["sled", "memory"])? {
            0 => Engine::Sled,
            _ => {
                let next = "use \"sled\" for everything but a trial";
                self.warning("store.engine", "forgets every record when the process ends", next);
                Engine::Memory
            }
        };
        self.within("store.cache-mib", store.cache_mib, 8..=1_048_576);
        self.within("store.ballast-mib", store.ballast_mib, 1..=65_536);
        self.within("store.low-space-mib", store.low_space_mib, 16..=1_048_576);
        Some(Store {
            engine,
            path: self.inside(data_dir, store.path.as_ref(), defaults::STORE),
            cache_mib: store.cache_mib,
            ballast_mib: store.ballast_mib,
            low_space_mib: store.low_space_mib,
        })
    }

    fn ledger(&mut self, data_dir: &Path) -> Ledger {
        let ledger = &self.shape.ledger;
        self.within("ledger.checkpoint-seconds", ledger.checkpoint_seconds, 1..=3_600);
        Ledger {
            path: self.inside(data_dir, ledger.path.as_ref(), defaults::LEDGER),
            checkpoint_seconds: ledger.checkpoint_seconds,
            publish: self.publish(),
        }
    }

    fn witnesses(&mut self) -> Witnesses {
        let witnesses = &self.shape.witnesses;
        if let Some(quorum) = witnesses.quorum {
            self.within("witnesses.quorum", quorum, 1..=64);
        }
        self.within("witnesses.alarm-minutes", witnesses.alarm_minutes, 1..=1_440);
        self.within("witnesses.stop-minutes", witnesses.stop_minutes, 2..=10_080);
        if witnesses.stop_minutes <= witnesses.alarm_minutes {
            let next = "raise it above alarm-minutes: somebody must be told before anything stops";
            self.problem("witnesses.stop-minutes", "not later than the alarm", next);
        }
        Witnesses {
            quorum: witnesses.quorum.and_then(|quorum| usize::try_from(quorum).ok()),
            alarm: Duration::from_secs(witnesses.alarm_minutes.saturating_mul(60)),
            stop: Duration::from_secs(witnesses.stop_minutes.saturating_mul(60)),
        }
    }

    fn records(&mut self) -> Records {
        let key = "records.kept-since";
        let known: Vec<&str> =
            hibiki_records::category::Category::ALL.iter().map(|category| category.wire_name()).collect();
        let mut kept_since = Vec::new();
        for (name, text) in &self.shape.records.kept_since {
            if self.one_of(key, name, &known).is_none() {
                continue;
            }
            match (Category::new(name), Day::new(text)) {
                (Some(category), Some(since)) => kept_since.push(KeptSince { category, since }),
                _ => {
                    let next = format!("write {name} = \"yyyy-mm-dd\", a day of the Gregorian calendar");
                    self.problem(key, &format!("{text:?} is not a day"), &next);
                }
            }
        }
        Records { kept_since }
    }

    fn inbox(&mut self, data_dir: &Path) -> Option<PathBuf> {
        let inbox = self.folder.join(self.shape.ingest.inbox.as_ref()?);
        // The node keeps its own files in `data-dir`: whatever lies there must not be taken for records.
        if data_dir.starts_with(&inbox) {
            let next = "give it a folder of its own, such as \"inbox\"";
            self.problem("ingest.inbox", "the node's own files are in this folder", next);
        }
        Some(inbox)
    }

    fn socket(&mut self, data_dir: &Path) -> PathBuf {
        let socket = self.inside(data_dir, self.shape.admin.socket.as_ref(), defaults::SOCKET);
        // The socket is made under a longer name and then given its own.
        if socket.as_os_str().len() + ".new".len() > SOCKET_PATH_MAX_BYTES {
            let what = format!("{} is too long for a Unix socket", socket.display());
            self.problem(
                "admin.socket",
                &what,
                "set a path of at most 103 bytes, such as /run/hibiki/admin.sock",
            );
        }
        socket
    }

    fn metrics(&mut self) -> Option<SocketAddr> {
        let metrics = &self.shape.metrics;
        let address = metrics.address?;
        if !address.ip().is_loopback() {
            let next = "use 127.0.0.1 or [::1], or set allow-non-loopback = true knowingly";
            if metrics.allow_non_loopback {
                self.warning("metrics.address", "others on the network can read how busy this node is", next);
            } else {
                self.problem("metrics.address", "others on the network could read it", next);
            }
        }
        Some(address)
    }

    fn log(&mut self) -> Option<Log> {
        let levels = ["error", "warn", "info", "debug", "trace"];
        let level =
            self.one_of("log.level", &self.shape.log.level, &levels).and_then(|index| levels.get(index));
        let format = self.one_of("log.format", &self.shape.log.format, &["json", "human"]);
        let format = if format? == 0 { LogFormat::Json } else { LogFormat::Human };
        Some(Log { level: level?.parse().ok()?, format })
    }

    fn limits(&mut self) -> Limits {
        let limits = &self.shape.limits;
        for (key, value, max) in [
            ("limits.sessions", limits.sessions, limits::SESSIONS_MAX),
            ("limits.queries-at-once", limits.queries_at_once, limits::QUERIES_AT_ONCE_MAX),
            ("limits.views-at-once", limits.views_at_once, limits::VIEWS_AT_ONCE_MAX),
            ("limits.replay-entries", limits.replay_entries, limits::REPLAY_ENTRIES_MAX),
        ] {
            self.within(key, value, 1..=max as u64);
        }
        limits.clone()
    }

    fn policy(&mut self) -> Option<Policy> {
        let policy = &self.shape.policy;
        self.within("policy.answer-floor-ms", policy.answer_floor_ms, 0..=2_000);
        self.within("policy.adult-age", policy.adult_age, 15..=25);
        self.within("policy.sensitive-from-age", policy.sensitive_from_age, 0..=25);
        if policy.answer_floor_ms == 0 {
            let next = "leave it at its default";
            self.warning(
                "policy.answer-floor-ms",
                "the time of an answer tells whether there is a record",
                next,
            );
        }
        // The protocol would carry any name; a misspelt one here would protect nothing.
        let known: Vec<&str> =
            hibiki_records::category::Category::ALL.iter().map(|category| category.wire_name()).collect();
        let mut categories = Vec::new();
        for name in &policy.sensitive_categories {
            if self.one_of("policy.sensitive-categories", name, &known).is_some() {
                categories.extend(Category::new(name));
            }
        }
        Some(Policy {
            answer_floor_ms: policy.answer_floor_ms,
            adult_age: u8::try_from(policy.adult_age).ok()?,
            sensitive_from_age: u8::try_from(policy.sensitive_from_age).ok()?,
            sensitive_categories: categories,
        })
    }

    fn staff_page(&mut self) -> Option<SocketAddr> {
        let address = self.shape.staff_page.address?;
        if !address.ip().is_loopback() {
            let next =
                "use 127.0.0.1 or [::1]; from other machines, staff come in by SSH or the school's VPN";
            self.problem("staff-page.address", "others on the network could reach it", next);
        }
        Some(address)
    }

    /// A value that has no default. A key that is there and could not be read was reported already.
    pub(super) fn required<'v, T>(&mut self, key: &str, value: Option<&'v T>, next: &str) -> Option<&'v T> {
        if value.is_none() && !self.present(key) {
            self.problem(key, "missing", &format!("set it to {next}"));
        }
        value
    }

    fn name(&mut self, key: &str, value: Option<&String>) -> Option<String> {
        let name = self.required(key, value, "the institution's name as guardians know it")?.trim();
        if name.is_empty() || name.len() > limits::NAME_BYTES_MAX || name.contains(char::is_control) {
            let what = format!("not a name of 1 to {} bytes on one line", limits::NAME_BYTES_MAX);
            self.problem(key, &what, "write it as on the door sign");
            return None;
        }
        Some(name.to_owned())
    }

    fn parsed<T: FromStr<Err: Display>>(&mut self, key: &str, text: &str) -> Option<T> {
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(key, &format!("{text:?} is not accepted"), &error.to_string());
                None
            }
        }
    }

    pub(super) fn one_of<T: AsRef<str>>(&mut self, key: &str, text: &str, allowed: &[T]) -> Option<usize> {
        let found = allowed.iter().position(|word| word.as_ref() == text);
        if found.is_none() {
            let words: Vec<&str> = allowed.iter().map(AsRef::as_ref).collect();
            let next = match nearest(text, words.iter().copied()) {
                Some(near) => format!("did you mean {near:?}?"),
                None => format!("one of {}", words.join(", ")),
            };
            self.problem(key, &format!("{text:?} is not known"), &next);
        }
        found
    }

    pub(super) fn within(&mut self, key: &str, value: u64, range: RangeInclusive<u64>) {
        if !range.contains(&value) {
            let next = format!("choose from {} to {}", range.start(), range.end());
            self.problem(key, &format!("{value} is out of range"), &next);
        }
    }

    /// A path that has a default place.
    fn inside(&self, home: &Path, given: Option<&PathBuf>, default: &str) -> PathBuf {
        given.map_or_else(|| home.join(default), |path| self.folder.join(path))
    }

    pub(super) fn present(&self, key: &str) -> bool {
        self.places.get(key).is_some()
    }

    pub(super) fn problem(&mut self, key: &str, what: &str, next: &str) {
        let problem = self.about(key, what, next);
        self.problems.push(problem);
    }

    pub(super) fn warning(&mut self, key: &str, what: &str, next: &str) {
        let warning = self.about(key, what, next);
        self.warnings.push(warning);
    }

    fn about(&self, key: &str, what: &str, next: &str) -> Problem {
        let section = key.split_once('.').map_or(key, |(section, _)| section);
        Problem {
            place: self.places.get(key).or_else(|| self.places.get(section)),
            key: Some(key.to_owned()),
            what: what.to_owned(),
            next: Some(next.to_owned()),
        }
    }
}
