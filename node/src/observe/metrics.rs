//! Every metric of the node: its name, unit and labels, in one place.
//!
//! Names follow the Prometheus conventions (base units, `_total` for counters). Labels come from the closed
//! lists below; none can hold a person, a pseudonym or a reason of refusal (a scraper must not learn from a
//! counter what a guardian must not learn from an answer). Must not know: who increments them and when.

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// What a metric counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution.
    Histogram,
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name on the wire.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// Its unit.
    pub unit: Unit,
    /// The labels it may carry.
    pub labels: &'static [&'static str],
    /// What it means.
    pub help: &'static str,
}

macro_rules! metrics {
    ($($constant:ident = $name:literal, $kind:ident, $unit:ident, [$($label:literal),*], $help:literal;)+) => {
        $(#[doc = $help] pub const $constant: &str = $name;)+

        /// Every metric of the node.
        pub const ALL: &[Metric] = &[
            $(Metric { name: $name, kind: Kind::$kind, unit: Unit::$unit, labels: &[$($label),*], help: $help },)+
        ];
    };
}

metrics! {
    BUILD_INFO = "hibiki_build_info", Gauge, Count, ["version"],
        "Always 1; the label names the running version.";
    STARTED = "hibiki_start_time_seconds", Gauge, Seconds, [],
        "When the process started, in seconds since the Unix epoch.";
    TRUST_LIST_EPOCH = "hibiki_trust_list_epoch", Gauge, Count, [],
        "Number of the trust list in force.";
    TRUST_LIST_EXPIRES = "hibiki_trust_list_expires_seconds", Gauge, Seconds, [],
        "When the trust list in force expires, in seconds since the Unix epoch.";
    TRUST_LIST_FORKS = "hibiki_trust_list_forks_total", Counter, Count, [],
        "Times two different, validly signed trust lists of one epoch were met; anything above 0 is an alarm.";
    LINKS_UP = "hibiki_links_up", Gauge, Count, [],
        "Members connected at this moment.";
    LINKS_WANTED = "hibiki_links_wanted", Gauge, Count, [],
        "Members this node keeps a connection with.";
    LINK_DIALS = "hibiki_link_dials_total", Counter, Count, ["result"],
        "Attempts to connect to a member: up, failed or refused.";
    LINKS_CLOCK_ASTRAY = "hibiki_links_clock_astray", Gauge, Count, [],
        "Connected members whose clock differs from ours by more than a minute.";
    REQUESTS_REFUSED = "hibiki_requests_refused_total", Counter, Count, ["result"],
        "Exchanges reset before any work: late, malformed, too_long, not_permitted, not_greeted or version.";
    QUERIES = "hibiki_queries_total", Counter, Count, [],
        "Guardians' queries this gateway fanned out.";
    PARTS_RELAYED = "hibiki_parts_relayed_total", Counter, Count, ["result"],
        "Parts this gateway relayed: answered, unreachable, timed_out, busy, declined or not_asked, as it saw it.";
    RELAY_SECONDS = "hibiki_relay_seconds", Histogram, Seconds, ["result"],
        "From a part's sending to what became of it, by result as in hibiki_parts_relayed_total.";
    QUERY_SECONDS = "hibiki_query_seconds", Histogram, Seconds, [],
        "From a query's arrival at this gateway to its last part.";
    PARTS_ANSWERED = "hibiki_parts_answered_total", Counter, Count, [],
        "Parts this institution answered, whatever the answer was.";
    PART_SECONDS = "hibiki_part_seconds", Histogram, Seconds, [],
        "From a part's arrival at this institution to its sealed answer, the answer floor included.";
    MAILS_WAITING = "hibiki_mails_waiting", Gauge, Count, [],
        "Mails that wait to be sent, for the first time or again.";
    MAILS_OLDEST = "hibiki_mails_oldest_seconds", Gauge, Seconds, [],
        "How long the oldest of the waiting mails has been waiting; 0 if none is.";
    MAILS_SENT = "hibiki_mails_sent_total", Counter, Count, ["kind"],
        "Mails the relay has taken: allergy, notice, hand_in, gate, event, code or staff.";
    MAILS_DELAYED = "hibiki_mails_delayed_total", Counter, Count, ["kind"],
        "Attempts in vain after which a mail is tried again, by kind.";
    MAILS_FAILED = "hibiki_mails_failed_total", Counter, Count, ["kind"],
        "Mails given up, by kind; anything above 0 of kind allergy is a call to make.";
    WITNESSES_QUORUM = "hibiki_witnesses_quorum", Gauge, Count, [],
        "Cosignatures that make a checkpoint of this node's ledger count.";
    WITNESSES_COSIGNED = "hibiki_witnesses_cosigned", Gauge, Count, [],
        "Witnesses that cosigned in the newest round.";
    WITNESSES_SILENT = "hibiki_witnesses_silent_seconds", Gauge, Seconds, [],
        "For how long fewer than the quorum have cosigned; 0 while enough do.";
    WITNESS_OFFERS = "hibiki_witness_offers_total", Counter, Count, ["result"],
        "Other members' checkpoints offered to this node: cosigned, or why not.";
    LEDGER_FORKS = "hibiki_ledger_forks_total", Counter, Count, [],
        "Ledgers found to have two histories in this run; anything above 0 is an alarm.";
    CLOCK_OFF = "hibiki_clock_off_seconds", Gauge, Seconds, [],
        "How far this node's clock is ahead of the median of its witnesses' (negative: behind).";
    PARTS_DROPPED = "hibiki_parts_dropped_total", Counter, Count, [],
        "Parts refused before they were opened: malformed, stale, or over the rate.";
    GRANTS = "hibiki_grants_total", Counter, Count, [],
        "Grants this registry signed.";
    SESSIONS = "hibiki_sessions", Gauge, Count, [],
        "Guardians' sessions open at this gateway.";
    SESSIONS_OPENED = "hibiki_sessions_opened_total", Counter, Count, ["result"],
        "Sessions asked for at this gateway: opened or refused.";
    SESSION_ENDS_LEFT = "hibiki_session_ends_left_total", Counter, Count, ["result"],
        "Times a terminal left the ends of its session with this gateway: kept, busy (no room), malformed or refused.";
    SESSION_ENDS_KEPT = "hibiki_session_ends_kept", Gauge, Count, [],
        "Ends of open sessions this gateway keeps.";
    SESSION_ENDS_OUTSTANDING = "hibiki_session_ends_outstanding", Gauge, Count, [],
        "Ends of sessions this gateway is telling institutions that have not confirmed yet.";
    SESSION_ENDS_DELIVERED = "hibiki_session_ends_delivered_total", Counter, Count, ["result"],
        "Ends of sessions this gateway is done with: confirmed, refused by the institution, or given_up at the session's time.";
    SESSION_END_SECONDS = "hibiki_session_end_seconds", Histogram, Seconds, [],
        "From a session's end at this gateway to an institution's confirmation.";
    SESSIONS_ENDED = "hibiki_sessions_ended_total", Counter, Count, [],
        "Sessions ended at this institution before their time.";
    SESSION_ENDS_IN_FORCE = "hibiki_session_ends_in_force", Gauge, Count, [],
        "Ended sessions this institution remembers.";
    LEDGER_ENTRIES = "hibiki_ledger_entries", Gauge, Count, [],
        "Entries in this institution's ledger.";
    LEDGER_COMMIT_SECONDS = "hibiki_ledger_commit_seconds", Histogram, Seconds, [],
        "Time to make one group of ledger entries durable.";
    LEDGER_HALTED = "hibiki_ledger_halted", Gauge, Count, [],
        "1 while this is not the ledger its witnesses know: nothing is signed or released.";
    ANSWERS_NOT_LOGGED = "hibiki_answers_not_logged", Gauge, Count, [],
        "Answers `not logged` that are entered in the ledger when it takes entries again.";
    PUBLICATION_REQUESTS = "hibiki_publication_requests_total", Counter, Count, ["result"],
        "Requests to read the published ledger: served, missing, refused, method or failed.";
    STORE_COMMIT_SECONDS = "hibiki_store_commit_seconds", Histogram, Seconds, [],
        "Time to make one group of store writes durable.";
    STORE_FREE_BYTES = "hibiki_store_free_bytes", Gauge, Bytes, [],
        "Free space on the store's file system.";
    IMPORT_RECORDS = "hibiki_import_records_total", Counter, Count, ["result"],
        "Records read by imports: stored, unchanged or refused.";
    ADMIN_REQUESTS = "hibiki_admin_requests_total", Counter, Count, ["command", "result"],
        "Commands on the admin socket.";
    PANICS = "hibiki_panics_total", Counter, Count, [],
        "Panics caught in tasks; every one is a fault of the program to be reported.";
}

/// Upper bounds of the duration histograms, in seconds: from a memory lookup to the longest deadline.
pub const DURATION_BUCKETS_SECONDS: &[f64] =
    &[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Tells the installed recorder what every metric means, and sets those that never change.
pub fn describe(version: &'static str, started_ms: u64) {
    for metric in ALL {
        match metric.kind {
            Kind::Counter => describe_counter!(metric.name, metric.unit, metric.help),
            Kind::Gauge => describe_gauge!(metric.name, metric.unit, metric.help),
            Kind::Histogram => describe_histogram!(metric.name, metric.unit, metric.help),
        }
    }
    gauge!(BUILD_INFO, "version" => version).set(1.0);
    gauge!(STARTED).set(seconds(started_ms));
}

/// Counts one command on the admin socket, by its registered name.
pub fn admin_request(command: &'static str, result: &'static str) {
    counter!(ADMIN_REQUESTS, "command" => command, "result" => result).increment(1);
}

/// Notes which trust list is in force and when it expires, in milliseconds since the Unix epoch.
#[expect(clippy::cast_precision_loss, reason = "epochs stay far below 2^53")]
pub fn trust_list(epoch: u64, expires_ms: u64) {
    gauge!(TRUST_LIST_EPOCH).set(epoch as f64);
    gauge!(TRUST_LIST_EXPIRES).set(seconds(expires_ms));
}

/// Counts two lists of one epoch.
pub fn trust_list_fork() {
    counter!(TRUST_LIST_FORKS).increment(1);
}

/// Counts one more under a metric without labels.
pub fn count(name: &'static str) {
    counter!(name).increment(1);
}

/// Counts one more under a metric with the one label `result`, whose values are a closed list.
pub fn count_result(name: &'static str, result: &'static str) {
    counter!(name, "result" => result).increment(1);
}

/// Records a duration under a metric with the one label `result`, whose values are a closed list.
pub fn record_seconds_of(name: &'static str, result: &'static str, elapsed: std::time::Duration) {
    histogram!(name, "result" => result).record(elapsed.as_secs_f64());
}

/// Sets a gauge that counts things there are now.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
pub fn set_count(name: &'static str, count: usize) {
    gauge!(name).set(count as f64);
}

/// Sets a gauge of seconds, which may be negative.
#[expect(clippy::cast_precision_loss, reason = "differences of clocks stay far below 2^53 seconds")]
pub fn set_seconds(name: &'static str, seconds: i64) {
    gauge!(name).set(seconds as f64);
}

/// Records a duration in one of the histograms above.
pub fn record_seconds(name: &'static str, elapsed: std::time::Duration) {
    histogram!(name).record(elapsed.as_secs_f64());
}

/// Milliseconds as the seconds Prometheus wants.
#[expect(clippy::cast_precision_loss, reason = "times stay exact to the millisecond for 285,000 years")]
pub fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_follow_the_conventions() {
        let mut seen = BTreeSet::new();
        for metric in ALL {
            assert!(seen.insert(metric.name), "{} twice", metric.name);
            assert!(metric.name.starts_with("hibiki_"), "{}", metric.name);
            assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
            if metric.unit == Unit::Seconds {
                assert!(metric.name.ends_with("_seconds"), "{}", metric.name);
            }
            if metric.unit == Unit::Bytes {
                assert!(metric.name.ends_with("_bytes"), "{}", metric.name);
            }
            assert!(metric.help.ends_with('.'), "{}", metric.name);
        }
    }

    #[test]
    fn no_label_can_hold_a_person_or_a_reason() {
        let allowed = ["version", "result", "command", "kind"];
        for metric in ALL {
            assert!(metric.labels.iter().all(|label| allowed.contains(label)), "{}", metric.name);
        }
    }
}
