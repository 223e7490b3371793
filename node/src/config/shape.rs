//! The shape of the file: sections, keys and their types, nothing about sense.
//!
//! Keys without a default are `Option`s here, so that everything missing is reported at once by the check
//! instead of one by one by the reader. Must not know: whether values make sense together.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::defaults;

macro_rules! section {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident : $type:ty = $default:expr,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}

section! {
    /// The whole file.
    Shape {
        /// Who this is.
        node: Node = Node::default(),
        /// What it does.
        roles: Roles = Roles::default(),
        /// Where it can be reached.
        listen: Listen = Listen::default(),
        /// Whom it trusts.
        federation: Federation = Federation::default(),
        /// How it asks for a guardian.
        gateway: Gateway = Gateway::default(),
        /// How it connects.
        links: Links = Links::default(),
        /// For whom it attests.
        registry: Registry = Registry::default(),
        /// Where its records are.
        store: Store = Store::default(),
        /// Where its ledger is.
        ledger: Ledger = Ledger::default(),
        /// Who vouches for that ledger.
        witnesses: Witnesses = Witnesses::default(),
        /// What it says about its records.
        records: Records = Records::default(),
        /// How records come in.
        ingest: Ingest = Ingest::default(),
        /// Where it takes commands.
        admin: Admin = Admin::default(),
        /// Where it is measured.
        metrics: Metrics = Metrics::default(),
        /// How it reports.
        log: Log = Log::default(),
        /// How much it takes on.
        limits: Limits = Limits::default(),
        /// What it decides by.
        policy: Policy = Policy::default(),
        /// What a school does besides.
        school: School = School::default(),
        /// How mails go out.
        mail: Mail = Mail::default(),
        /// Where staff find their page.
        staff_page: StaffPage = StaffPage::default(),
        /// What its network card can do.
        udp: Udp = Udp::default(),
    }
}

section! {
    /// `[node]`
    Node {
        /// Member id.
        id: Option<String> = None,
        /// Display name, Japanese.
        name_ja: Option<String> = None,
        /// Display name, English.
        name_en: Option<String> = None,
        /// Kind of institution.
        kind: Option<String> = None,
        /// Folder of everything the node writes.
        data_dir: Option<PathBuf> = None,
        /// Folder of its keys.
        keys_dir: Option<PathBuf> = None,
        /// Seconds to finish what was begun when told to stop.
        drain_seconds: u64 = defaults::DRAIN_SECONDS,
    }
}

section! {
    /// `[roles]`
    Roles {
        /// Answers about its own records.
        responder: bool = defaults::RESPONDER,
        /// Admits terminals and relays.
        gateway: bool = defaults::GATEWAY,
        /// Attests guardianship.
        registry: bool = defaults::REGISTRY,
        /// Cosigns other members' ledgers.
        witness: bool = defaults::WITNESS,
    }
}

section! {
    /// `[listen]`
    Listen {
        /// UDP address to bind.
        address: String = defaults::LISTEN.to_owned(),
        /// `host:port` under which others reach it.
        advertise: Option<String> = None,
    }
}

section! {
    /// `[federation]`
    Federation {
        /// The council's root.
        root: Option<PathBuf> = None,
        /// A trust list to start from.
        trust_list: Option<PathBuf> = None,
        /// Days an expired trust list is still used, with warnings.
        grace_days: u64 = defaults::GRACE_DAYS,
    }
}

section! {
    /// `[gateway]`
    Gateway {
        /// The registry that attests for this gateway's guardians.
        registry: Option<String> = None,
        /// Keep a connection to every member that can be reached.
        dial_members: bool = defaults::DIAL_MEMBERS,
        /// Deadline of a view.
        deadline_ms: u64 = defaults::DEADLINE_MS,
    }
}

section! {
    /// `[links]`
    Links {
        /// Members to dial although this node is no gateway.
        dial: Vec<String> = Vec::new(),
        /// First retry.
        back_off_min_ms: u64 = defaults::BACK_OFF_MIN_MS,
        /// Slowest retry.
        back_off_max_ms: u64 = defaults::BACK_OFF_MAX_MS,
    }
}

section! {
    /// `[registry]`
    Registry {
        /// Area whose residents it attests.
        area: Option<String> = None,
        /// File of the key that makes pairwise tokens.
        master_key: Option<PathBuf> = None,
    }
}

section! {
    /// `[store]`
    Store {
        /// `sled` or `memory`.
        engine: String = defaults::ENGINE.to_owned(),
        /// Folder.
        path: Option<PathBuf> = None,
        /// Memory for its cache.
        cache_mib: u64 = defaults::CACHE_MIB,
        /// Reserve on disk.
        ballast_mib: u64 = defaults::BALLAST_MIB,
        /// Watermark of free space.
        low_space_mib: u64 = defaults::LOW_SPACE_MIB,
    }
}

section! {
    /// `[ledger]`
    Ledger {
        /// Folder.
        path: Option<PathBuf> = None,
        /// Seconds between checkpoints.
        checkpoint_seconds: u64 = defaults::CHECKPOINT_SECONDS,
        /// TCP address where its public part can be read; none: nowhere.
        publish: Option<SocketAddr> = None,
        /// File of the token that readers bring.
        publish_token_file: Option<PathBuf> = None,
    }
}

section! {
    /// `[witnesses]`
    Witnesses {
        /// Cosignatures that make a checkpoint count.
        quorum: Option<u64> = None,
        /// Minutes without them until the alarm.
        alarm_minutes: u64 = defaults::WITNESSES_ALARM_MINUTES,
        /// Minutes without them until nothing is released.
        stop_minutes: u64 = defaults::WITNESSES_STOP_MINUTES,
    }
}

section! {
    /// `[records]`
    Records {
        /// First day of each category's records.
        kept_since: BTreeMap<String, String> = BTreeMap::new(),
    }
}

section! {
    /// `[ingest]`
    Ingest {
        /// Folder whose files are imported; none switches it off.
        inbox: Option<PathBuf> = None,
    }
}

section! {
    /// `[admin]`
    Admin {
        /// Unix socket.
        socket: Option<PathBuf> = None,
    }
}

section! {
    /// `[metrics]`
    Metrics {
        /// TCP address for Prometheus; none switches it off.
        address: Option<SocketAddr> = None,
        /// Allow an address that others can reach.
        allow_non_loopback: bool = defaults::ALLOW_NON_LOOPBACK,
    }
}

section! {
    /// `[log]`
    Log {
        /// `error`, `warn`, `info`, `debug` or `trace`.
        level: String = defaults::LOG_LEVEL.to_owned(),
        /// `json` or `human`.
        format: String = defaults::LOG_FORMAT.to_owned(),
    }
}

section! {
    /// `[limits]`
    Limits {
        /// Guardians' sessions a gateway keeps.
        sessions: u64 = defaults::SESSIONS,
        /// Queries an institution works on at once.
        queries_at_once: u64 = defaults::QUERIES_AT_ONCE,
        /// Views a gateway fans out at once.
        views_at_once: u64 = defaults::VIEWS_AT_ONCE,
        /// Queries remembered against repetition.
        replay_entries: u64 = defaults::REPLAY_ENTRIES,
    }
}

section! {
    /// `[policy]`
    Policy {
        /// No answer leaves sooner.
        answer_floor_ms: u64 = defaults::ANSWER_FLOOR_MS,
        /// Age at which guardianship ends.
        adult_age: u64 = defaults::ADULT_AGE,
        /// Age from which the categories below are the child's own.
        sensitive_from_age: u64 = defaults::SENSITIVE_FROM_AGE,
        /// These categories.
        sensitive_categories: Vec<String> =
            defaults::SENSITIVE_CATEGORIES.iter().map(|&name| name.to_owned()).collect(),
    }
}

section! {
    /// `[school]`
    School {
        /// Kitchen, or area, of the classes that have none of their own; none: no school.
        kitchen: Option<String> = None,
        /// When guardians are told of the next lunch.
        alert_time: String = defaults::ALERT_TIME.to_owned(),
        /// When staff are told of what is missing for it.
        warn_time: String = defaults::WARN_TIME.to_owned(),
        /// When the lunch is eaten.
        lunch_time: String = defaults::LUNCH_TIME.to_owned(),
        /// Addresses of staff.
        staff_mail: Vec<String> = Vec::new(),
    }
}

section! {
    /// `[mail]`
    Mail {
        /// `host:port` of the relay; none: no mails.
        relay: Option<String> = None,
        /// `start-tls`, `tls` or `none`.
        tls: String = defaults::MAIL_TLS.to_owned(),
        /// Certificate authority of the relay, PEM.
        ca_file: Option<PathBuf> = None,
        /// User at the relay.
        user: Option<String> = None,
        /// File of the user's password.
        password_file: Option<PathBuf> = None,
        /// Who writes.
        from: Option<String> = None,
        /// Where answers go.
        reply_to: Option<String> = None,
        /// Patience with the relay.
        timeout_seconds: u64 = defaults::MAIL_TIMEOUT_SECONDS,
        /// Connections to the relay.
        at_once: u64 = defaults::MAILS_AT_ONCE,
    }
}

section! {
    /// `[staff-page]`
    StaffPage {
        /// TCP address on the loopback interface; none: no page.
        address: Option<SocketAddr> = None,
    }
}

section! {
    /// `[udp]`
    Udp {
        /// Let the kernel cut large sends into datagrams.
        segmentation_offload: bool = defaults::SEGMENTATION_OFFLOAD,
    }
}
