//! Every default of the configuration, with its reason. `config-examples/` states the same values; a test
//! compares the two. Must not know: how values are read.

use hibiki_protocol::limits;

/// `[node] keys-dir`, inside `data-dir`.
pub const KEYS_DIR: &str = "keys";
/// `[node] drain-seconds`: twice the longest deadline a guardian may be waiting on is 60 s, but a restart
/// that long is felt by everybody else; ten seconds finish nearly every query.
pub const DRAIN_SECONDS: u64 = 10;

/// `[roles] responder`: an institution answers about its own records.
pub const RESPONDER: bool = true;
/// `[roles] gateway`: one per city.
pub const GATEWAY: bool = false;
/// `[roles] registry`: the municipality alone.
pub const REGISTRY: bool = false;

/// `[roles] witness`: who has a ledger needs witnesses, and so is one.
pub const WITNESS: bool = true;

/// `[listen] address`: every IPv4 interface, the port the federation uses.
pub const LISTEN: &str = "0.0.0.0:4433";

/// `[federation] grace-days`: a council's office closed over the New Year is back within a week.
pub const GRACE_DAYS: u64 = 7;

/// `[gateway] dial-members`: the gateway keeps its connections warm instead of waiting for a query.
pub const DIAL_MEMBERS: bool = true;
/// `[gateway] deadline-ms`: the longest a person waits before looking away.
pub const DEADLINE_MS: u64 = limits::VIEW_DEADLINE_MILLIS_DEFAULT;

/// `[links] back-off-min-ms`: the first retry; a restarted peer is back in about this time.
pub const BACK_OFF_MIN_MS: u64 = 200;
/// `[links] back-off-max-ms`: the slowest retry; a peer that was off all night is found within this.
pub const BACK_OFF_MAX_MS: u64 = 30_000;

/// `[registry] master-key`, inside `keys-dir`.
pub const MASTER_KEY: &str = "registry-master.key";

/// `[store] engine`.
pub const ENGINE: &str = "sled";
/// `[store] path`, inside `data-dir`.
pub const STORE: &str = "store";
/// `[store] cache-mib`: a clinic's whole store; larger institutions raise it.
pub const CACHE_MIB: u64 = 64;
/// `[store] ballast-mib`: kept aside so that holds and revocations fit on a full disk.
pub const BALLAST_MIB: u64 = 64;
/// `[store] low-space-mib`: imports and releases stop below this much free space.
pub const LOW_SPACE_MIB: u64 = 256;

/// `[ledger] path`, inside `data-dir`.
pub const LEDGER: &str = "ledger";
/// `[ledger] checkpoint-seconds`: how much of the ledger's end is not yet cosigned at most.
pub const CHECKPOINT_SECONDS: u64 = 60;

/// `[witnesses] alarm-minutes`: a witness that restarts, or a line that is down for lunch, alarms nobody.
pub const WITNESSES_ALARM_MINUTES: u64 = 15;
/// `[witnesses] stop-minutes`: four hours in which somebody can drive there; longer, a ledger nobody has seen
/// could have been anything.
pub const WITNESSES_STOP_MINUTES: u64 = 240;

/// `[admin] socket`, inside `data-dir`.
pub const SOCKET: &str = "admin.sock";

/// `[metrics] allow-non-loopback`: metrics tell a hospital's load; they stay on the machine.
pub const ALLOW_NON_LOOPBACK: bool = false;

/// `[log] level`.
pub const LOG_LEVEL: &str = "info";
/// `[log] format`: what log collectors read.
pub const LOG_FORMAT: &str = "json";

/// `[limits] sessions`.
pub const SESSIONS: u64 = limits::SESSIONS_MAX as u64;
/// `[limits] queries-at-once`.
pub const QUERIES_AT_ONCE: u64 = limits::QUERIES_AT_ONCE_MAX as u64;
/// `[limits] views-at-once`.
pub const VIEWS_AT_ONCE: u64 = limits::VIEWS_AT_ONCE_MAX as u64;
/// `[limits] replay-entries`.
pub const REPLAY_ENTRIES: u64 = limits::REPLAY_ENTRIES_MAX as u64;

/// `[policy] answer-floor-ms`: longer than reading a full record takes, so that an empty answer is not
/// known by its speed; shorter than anybody notices.
pub const ANSWER_FLOOR_MS: u64 = 40;
/// `[policy] adult-age`: Civil Code article 4 (from 2022).
pub const ADULT_AGE: u64 = 18;
/// `[policy] sensitive-from-age`: the end of compulsory schooling; from here on a young person may seek
/// medical help alone.
pub const SENSITIVE_FROM_AGE: u64 = 15;
/// `[policy] sensitive-categories`: what tells of such help.
pub const SENSITIVE_CATEGORIES: &[&str] = &["prenatal_checkup", "prescription"];

/// `[udp] segmentation-offload`.
pub const SEGMENTATION_OFFLOAD: bool = true;

/// `[school] alert-time`: families are at home, shops are open, and the school can be reached the next morning.
pub const ALERT_TIME: &str = "18:00";
/// `[school] warn-time`: the kitchen and the office are still at work.
pub const WARN_TIME: &str = "14:00";
/// `[school] lunch-time`: afterwards no alert helps any more.
pub const LUNCH_TIME: &str = "12:00";

/// `[mail] tls`: what mail submission (RFC 6409) on port 587 offers everywhere.
pub const MAIL_TLS: &str = "start-tls";
/// `[mail] timeout-seconds`: a greylisting or scanning relay takes its time; a dead one is noticed within a minute.
pub const MAIL_TIMEOUT_SECONDS: u64 = 30;
/// `[mail] at-once`: what the smallest relays allow one client.
pub const MAILS_AT_ONCE: u64 = 4;
