//! `hibiki-node status`: how a running node fares.

use std::fmt::Write as _;

use clap::Args;
use serde_json::Value;

use super::CliError;
use super::connect::Connection;
use super::output::{bytes, count, print, printable, span};
use crate::observe::board::{Direction, LinkState, LinkStatus, Phase, Status, Witnessing};
use crate::observe::log::rfc3339;

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  hibiki-node status\n  hibiki-node status --socket /run/hibiki/admin.sock --format json"
)]
pub struct Arguments {
    #[command(flatten)]
    connection: Connection,
}

/// Asks and prints.
///
/// # Errors
/// The node cannot be asked.
pub fn run(arguments: &Arguments) -> Result<(), CliError> {
    let reply = arguments.connection.call("status", Value::Null)?;
    let status: Status = serde_json::from_value(reply.result)?;
    Ok(print(arguments.connection.format, &status, describe)?)
}

fn describe(status: &Status) -> String {
    let mut text = String::new();
    let phase = match status.phase {
        Phase::Starting => "starting",
        Phase::Running => "running",
        Phase::Draining => "finishing what was begun",
    };
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<12}{}", printable(&value));
    };
    line("member", format!("{} ({})", status.id, status.kind));
    line("roles", status.roles.join(", "));
    line("version", status.version.clone());
    line("state", format!("{phase}, up for {}", age(status, status.started)));
    line("listens", status.listening.clone().unwrap_or_else(|| "not yet".to_owned()));
    line("trust list", trust_list(status));
    line("store", store(status));
    line("ledger", ledger(status));
    line("witnesses", witnesses(status));
    line("kept since", kept_since(status));
    line("ends", session_ends(status));
    if status.links.is_empty() {
        line("links", "none".to_owned());
    } else {
        let up = status.links.values().filter(|link| link.state == LinkState::Up).count();
        line("links", format!("{up} of {} up", status.links.len()));
        for (member, link) in &status.links {
            line("", format!("{member:<32} {}", link_words(status, link)));
        }
    }
    if status.problems.is_empty() {
        line("problems", "none".to_owned());
    } else {
        line("problems", status.problems.len().to_string());
        for (key, problem) in &status.problems {
            line("", format!("{key}: {problem}"));
        }
    }
    text
}

fn trust_list(status: &Status) -> String {
    let Some(list) = &status.trust_list else { return "none".to_owned() };
    let expiry = match list.expires.checked_sub(status.now) {
        Some(left) => format!("expires in {} ({})", span(left), rfc3339(list.expires)),
        None => format!("EXPIRED {} ago ({})", age(status, list.expires), rfc3339(list.expires)),
    };
    format!("epoch {}, {} members, {expiry}", list.epoch, list.members)
}

fn store(status: &Status) -> String {
    let Some(store) = &status.store else { return "not open".to_owned() };
    let mut words = store.engine.clone();
    if let Some(size) = store.size_bytes {
        let _ = write!(words, ", {}", bytes(size));
    }
    if let Some(free) = store.free_bytes {
        let _ = write!(words, ", {} free", bytes(free));
    }
    if store.low_space {
        words.push_str(", SPACE TOO LOW: no imports, no answers");
    }
    words
}

fn kept_since(status: &Status) -> String {
    if status.kept_since.is_empty() {
        return "not stated".to_owned();
    }
    let kept = status.kept_since.iter().map(|(category, since)| format!("{category} {since}"));
    kept.collect::<Vec<_>>().join(", ")
}

fn ledger(status: &Status) -> String {
    let Some(ledger) = &status.ledger else { return "not open".to_owned() };
    let mut words = format!("{} entries", count(ledger.entries));
    match ledger.checkpoint_time {
        0 => words.push_str(", no checkpoint yet"),
        time => {
            let _ = write!(
                words,
                ", checkpoint at {} {} ago",
                count(ledger.checkpoint_entries),
                age(status, time)
            );
        }
    }
    if let Some(reason) = &ledger.halted {
        let _ = write!(words, ", HALTED: {reason}");
    }
    words
}

fn witnesses(status: &Status) -> String {
    let Some(witnesses) = &status.witnesses else { return "not asked yet".to_owned() };
    let stands = match witnesses.standing {
        Witnessing::Alone => return "none by the trust list: nobody vouches for this ledger".to_owned(),
        Witnessing::Fine => "fine",
        Witnessing::Below => "BELOW QUORUM",
        Witnessing::Alarm => "BELOW QUORUM FOR LONG",
        Witnessing::Stopped => "BELOW QUORUM FOR TOO LONG: nothing is released",
        Witnessing::Halted => "HALTED: they know another ledger",
    };
    let mut words = format!(
        "{stands}, {} of {} cosigned, {} needed",
        witnesses.cosigned, witnesses.possible, witnesses.quorum
    );
    if witnesses.time > 0 {
        let _ = write!(words, ", at {} {} ago", count(witnesses.entries), age(status, witnesses.time));
    }
    words
}

fn session_ends(status: &Status) -> String {
    let ends = &status.session_ends;
    let mut words = format!("{} sessions ended here", count(ends.in_force));
    if ends.kept > 0 || ends.outstanding > 0 {
        let _ = write!(
            words,
            ", {} kept for open sessions, {} on their way",
            count(ends.kept),
            count(ends.outstanding)
        );
    }
    words
}

fn link_words(status: &Status, link: &LinkStatus) -> String {
    let state = match (link.state, link.direction) {
        (LinkState::Up, Direction::Out) => "up, dialled by us",
        (LinkState::Up, Direction::In) => "up, dialled by them",
        (LinkState::Down, Direction::Out) => "down",
        (LinkState::Down, Direction::In) => "down, waiting to be dialled",
        (LinkState::Dialling, _) => "dialling",
    };
    let mut words = format!("{state} for {}", age(status, link.since));
    if let Some(rtt) = link.rtt_us {
        let _ = write!(words, ", round trip {}.{} ms", rtt / 1000, rtt % 1000 / 100);
    }
    if let Some(reason) = &link.reason {
        let _ = write!(words, ": {reason}");
    }
    words
}

fn age(status: &Status, since: u64) -> String {
    span(status.now.saturating_sub(since))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::observe::board::{
        LedgerStatus, SessionEndsStatus, StoreStatus, TrustListStatus, WitnessesStatus,
    };

    const NOW: u64 = 1_795_376_852_123;

    fn sample() -> Status {
        Status {
            id: "maebashi/city-hall".into(),
            kind: "city_hall".into(),
            roles: vec!["gateway".into(), "registry".into()],
            version: "0.1.0".into(),
            started: NOW - 3_700_000,
            now: NOW,
            phase: Phase::Running,
            listening: Some("0.0.0.0:4433".into()),
            trust_list: Some(TrustListStatus { epoch: 12, issued: 0, expires: NOW + 86_400_000, members: 6 }),
            links: BTreeMap::from([
                (
                    "maebashi/chuo-hospital".into(),
                    LinkStatus {
                        state: LinkState::Up,
                        direction: Direction::Out,
                        since: NOW - 60_000,
                        rtt_us: Some(1_250),
                        reason: None,
                    },
                ),
                (
                    "maebashi/school".into(),
                    LinkStatus {
                        state: LinkState::Down,
                        direction: Direction::In,
                        since: NOW - 1_000,
                        rtt_us: None,
                        reason: Some("timed out\x1b[2J".into()),
                    },
                ),
            ]),
            store: Some(StoreStatus {
                engine: "sled".into(),
                size_bytes: Some(1 << 20),
                free_bytes: Some(70 << 30),
                low_space: false,
            }),
            ledger: Some(LedgerStatus {
                entries: 1_234,
                checkpoint_entries: 1_230,
                checkpoint_time: NOW - 42_000,
                halted: None,
            }),
            witnesses: Some(WitnessesStatus {
                standing: Witnessing::Fine,
                possible: 5,
                quorum: 3,
                cosigned: 4,
                entries: 1_230,
                time: NOW - 40_000,
                clock_off: Some(0),
            }),
            kept_since: BTreeMap::from([
                ("growth".into(), "2014-10-01".into()),
                ("immunization".into(), "2012-04-01".into()),
            ]),
            session_ends: SessionEndsStatus { in_force: 2, latest: NOW - 500, kept: 1_200, outstanding: 1 },
            problems: BTreeMap::new(),
        }
    }

    #[test]
    fn a_healthy_node_reads_like_this() {
        let expected = "\
member      maebashi/city-hall (city_hall)
roles       gateway, registry
version     0.1.0
state       running, up for 1 h 1 min
listens     0.0.0.0:4433
trust list  epoch 12, 6 members, expires in 1 d 0 h (2026-11-23T19:47:32.123Z)
store       sled, 1.0 MiB, 70.0 GiB free
ledger      1,234 entries, checkpoint at 1,230 42 s ago
witnesses   fine, 4 of 5 cosigned, 3 needed, at 1,230 40 s ago
kept since  growth 2014-10-01, immunization 2012-04-01
ends        2 sessions ended here, 1,200 kept for open sessions, 1 on their way
links       1 of 2 up
            maebashi/chuo-hospital           up, dialled by us for 1 min 0 s, round trip 1.2 ms
            maebashi/school                  down, waiting to be dialled for 1 s: timed out\u{fffd}[2J
problems    none
";
        assert_eq!(describe(&sample()), expected);
    }

    #[test]
    fn what_is_wrong_stands_out() {
        let mut status = sample();
        if let Some(list) = &mut status.trust_list {
            list.expires = NOW - 3_600_000;
        }
        if let Some(store) = &mut status.store {
            store.low_space = true;
        }
        if let Some(ledger) = &mut status.ledger {
            ledger.halted = Some("disk full".into());
        }
        if let Some(witnesses) = &mut status.witnesses {
            witnesses.standing = Witnessing::Stopped;
        }
        status.problems.insert("trust-list-fork".into(), "two lists of epoch 12".into());
        let text = describe(&status);
        for words in [
            "EXPIRED 1 h 0 min ago",
            "SPACE TOO LOW",
            "HALTED: disk full",
            "TOO LONG: nothing is released",
            "trust-list-fork: two lists",
        ] {
            assert!(text.contains(words), "{text}");
        }
        let text = describe(&Status::default());
        assert!(text.contains("starting") && text.contains("not open") && text.contains("not yet"));
    }
}
