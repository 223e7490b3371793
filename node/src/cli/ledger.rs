//! `hibiki-node ledger`: the ledger of a running node, or the folder of one that is stopped.

use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};
use hibiki_protocol::tlog::{KeyAlgorithm, VerifierKey};
use hibiki_protocol::trust::Member;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::CliError;
use super::connect::Connection;
use super::init::{KEYRING, NODE_KEY};
use super::output::{complain, count, print, printable};
use crate::admin::ledger::{CHECKPOINT, NOTE, Note, SHOW, STATUS, Show, VERIFY, Verify};
use crate::config::Config;
use crate::env::SystemEntropy;
use crate::keyring::{self, KeyRing};
use crate::keys::NodeKeys;
use crate::ledger::{EntrySealer, verify_folder};
use crate::observe::log::rfc3339;
use crate::witness::command::WITNESSES;

/// Arguments of `ledger`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "read once per process")]
enum Command {
    /// How many entries there are, and the newest signed checkpoint.
    #[command(after_help = "Example:\n  hibiki-node ledger status")]
    Status {
        #[command(flatten)]
        connection: Connection,
    },
    /// Check that nothing in the ledger was changed or removed.
    #[command(after_help = "Examples:\n  hibiki-node ledger verify --deep\n  \
        hibiki-node ledger verify --folder /var/lib/hibiki/ledger --config /etc/hibiki/node.toml\n  \
        hibiki-node ledger verify --folder copy/ --key \"maebashi/chuo-hospital/ledger+1a2b3c4d+AX…\"\n\n\
        Exit status 1: something is wrong, or the ledger cannot be read.")]
    Verify {
        /// Also every file, every checkpoint ever signed, and every entry (which needs the node's keys).
        #[arg(long)]
        deep: bool,
        /// Verify this ledger folder without asking a node: it is stopped, or this is a copy.
        #[arg(long, value_name = "DIR")]
        folder: Option<PathBuf>,
        /// With --folder: the ledger's verifier key (`ledger status` shows it), instead of the node's own.
        #[arg(long, value_name = "KEY", requires = "folder")]
        key: Option<VerifierKey>,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show the last entries in full. This is itself entered in the ledger.
    #[command(after_help = "Example:\n  hibiki-node ledger show --last 20 --staff Sato")]
    Show {
        /// How many.
        #[arg(long, value_name = "N", default_value_t = 20)]
        last: u64,
        #[command(flatten)]
        connection: Connection,
    },
    /// Enter a document's digest, so that it can be shown later that it was there before.
    #[command(after_help = "Example:\n  hibiki-node ledger note --document commitment.json --staff Sato")]
    Note {
        /// The document. Only its SHA-256 is entered, for everybody to see.
        #[arg(long, value_name = "FILE")]
        document: PathBuf,
        #[command(flatten)]
        connection: Connection,
    },
    /// Who has cosigned this ledger, up to where and since when; and forks that were seen.
    #[command(after_help = "Example:\n  hibiki-node ledger witnesses\n\n\
        Exit status 1: too few have cosigned, or a ledger has two histories.")]
    Witnesses {
        #[command(flatten)]
        connection: Connection,
    },
    /// Sign the present state and print it.
    #[command(after_help = "Example:\n  hibiki-node ledger checkpoint > checkpoint.txt")]
    Checkpoint {
        #[command(flatten)]
        connection: Connection,
    },
}

/// Does and prints.
///
/// # Errors
/// The node cannot be asked or refuses, or something is wrong with the ledger.
pub fn run(arguments: &Arguments) -> Result<(), CliError> {
    match &arguments.command {
        Command::Status { connection } => {
            let reply = connection.call(STATUS, Value::Null)?;
            Ok(print(connection.format, &reply.result, status)?)
        }
        Command::Verify { deep, folder: None, connection, .. } => {
            let reply = connection.call(VERIFY, json!(Verify { deep: *deep }))?;
            verdict(connection, &reply.result)
        }
        Command::Verify { deep, folder: Some(folder), key, connection } => {
            let report = offline(folder, key.as_ref(), *deep, connection)?;
            verdict(connection, &report)
        }
        Command::Show { last, connection } => {
            let reply = connection.call(SHOW, json!(Show { last: *last }))?;
            Ok(print(connection.format, &json!({ "entries": reply.rows }), |_| entries(&reply.rows))?)
        }
        Command::Note { document, connection } => {
            let digest = hex::encode(digest_of(document)?);
            let reply = connection.call(NOTE, json!(Note { digest }))?;
            Ok(print(connection.format, &reply.result, |noted| {
                format!(
                    "台帳の {} 番に記載しました / entered as number {}: {}\n",
                    number(noted, "entry"),
                    number(noted, "entry"),
                    printable(text(noted, "digest"))
                )
            })?)
        }
        Command::Witnesses { connection } => {
            let reply = connection.call(WITNESSES, Value::Null)?;
            print(connection.format, &reply.result, witnesses)?;
            let standing = text(&reply.result, "standing");
            let forks =
                reply.result.get("forks").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
            if matches!(standing, "fine" | "alone") && !forks { Ok(()) } else { Err(CliError::Said) }
        }
        Command::Checkpoint { connection } => {
            let reply = connection.call(CHECKPOINT, Value::Null)?;
            let note = |value: &Value| text(value, "checkpoint").to_owned();
            Ok(print(connection.format, &reply.result, note)?)
        }
    }
}

/// SHA-256 of a file of any size.
fn digest_of(path: &Path) -> Result<[u8; 32], CliError> {
    let file = |source| CliError::File { path: path.to_owned(), source };
    let mut hash = Sha256::new();
    io::copy(&mut File::open(path).map_err(file)?, &mut HashWriter(&mut hash)).map_err(file)?;
    Ok(hash.finalize().into())
}

/// Writes into a hash.
struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Verifies a folder that no node has open. Its entries are opened, too, if that is asked for and the keys of
/// the node it belongs to are at hand.
fn offline(
    folder: &Path,
    key: Option<&VerifierKey>,
    deep: bool,
    connection: &Connection,
) -> Result<Value, CliError> {
    if !folder.is_dir() {
        return Err(refuse(format!("{}: there is no such folder", folder.display())));
    }
    let (key, ring) = match key {
        Some(key) => (key.clone(), None),
        None => own_keys(&connection.config, deep)?,
    };
    let sealer = ring.as_ref().map(|ring| ring as &dyn EntrySealer);
    let report = verify_folder(folder, &key, sealer).map_err(refuse)?;
    let passed = report.passed();
    let mut value = serde_json::to_value(report)?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("passed".to_owned(), passed.into());
    }
    Ok(value)
}

/// The ledger's key and, if asked for, the keyring of the node that a configuration describes.
fn own_keys(config: &Path, deep: bool) -> Result<(VerifierKey, Option<KeyRing>), CliError> {
    let node = Config::load(config)?.config.node;
    let keys = NodeKeys::open(&node.keys_dir).map_err(refuse)?;
    let name = Member::ledger_origin(&node.id);
    let public = keys.ledger().verifying_key();
    let key = VerifierKey::from_bytes(&name, KeyAlgorithm::Ed25519, &public.0).map_err(refuse)?;
    let wrapped = node.keys_dir.join(KEYRING);
    // Opening a keyring that is not there would make an empty one.
    if !deep || !wrapped.exists() {
        return Ok((key, None));
    }
    let node_key = keyring::load_node_key(&node.keys_dir.join(NODE_KEY)).map_err(refuse)?;
    let ring = KeyRing::open(&wrapped, &node_key, Arc::new(SystemEntropy)).map_err(refuse)?;
    Ok((key, Some(ring)))
}

fn refuse(what: impl std::fmt::Display) -> CliError {
    complain(&what.to_string());
    CliError::Said
}

fn verdict(connection: &Connection, report: &Value) -> Result<(), CliError> {
    print(connection.format, report, verification)?;
    if report.get("passed") == Some(&Value::Bool(true)) { Ok(()) } else { Err(CliError::Said) }
}

fn verification(report: &Value) -> String {
    let passed = report.get("passed") == Some(&Value::Bool(true));
    let heading = if passed {
        "正常 / nothing is wrong"
    } else {
        "異常があります / SOMETHING IS WRONG: keep this folder as evidence"
    };
    let mut out = format!("{}: {heading}\n", printable(text(report, "origin")));
    let _ = writeln!(
        out,
        "  記録 / entries {}, 署名済み / signed {}, 開封 / opened {}, 消去済み / erased {}",
        count(number(report, "entries")),
        count(number(report, "signed")),
        count(number(report, "opened")),
        count(number(report, "erased"))
    );
    let _ = writeln!(out, "  root {}", printable(text(report, "root")));
    for check in report.get("checks").and_then(Value::as_array).into_iter().flatten() {
        let mark = match text(check, "outcome") {
            "passed" => "OK  ",
            "failed" => "NG  ",
            _ => "--  ",
        };
        let _ =
            writeln!(out, "  {mark}{} ({})", printable(text(check, "what")), count(number(check, "count")));
        for finding in check.get("findings").and_then(Value::as_array).into_iter().flatten() {
            let _ = writeln!(out, "        {}", printable(finding.as_str().unwrap_or_default()));
        }
    }
    out
}

fn status(status: &Value) -> String {
    let signed = status.get("signed").and_then(Value::as_u64);
    let signed = signed.map_or_else(|| "なし / none".to_owned(), count);
    let mut out = String::new();
    let _ = writeln!(out, "名称 / name        {}", printable(text(status, "origin")));
    let _ = writeln!(out, "検証鍵 / key       {}", printable(text(status, "key")));
    let _ = writeln!(out, "記録 / entries     {}", count(number(status, "entries")));
    let _ = writeln!(out, "署名済み / signed  {signed}");
    out
}

fn witnesses(reply: &Value) -> String {
    let standing = match text(reply, "standing") {
        "fine" => "正常 / fine",
        "alone" => "証人なし / the trust list has no witness for this ledger",
        "below" => "不足 / BELOW QUORUM",
        "alarm" => "不足（警報） / BELOW QUORUM FOR LONG",
        "stopped" => "不足（停止） / BELOW QUORUM FOR TOO LONG: nothing is released",
        _ => "停止 / HALTED: the witnesses know another ledger; see `hibiki-node status`",
    };
    let mut out = format!("{}: {standing}\n", printable(text(reply, "origin")));
    let (entries, time) = (count(number(reply, "entries")), number(reply, "time"));
    let when = if time > 0 { rfc3339(time) } else { "まだありません / never".to_owned() };
    let _ = writeln!(
        out,
        "  定足数 / quorum {}, 連署済み / cosigned {entries} ({when})",
        number(reply, "quorum")
    );
    for witness in reply.get("witnesses").and_then(Value::as_array).into_iter().flatten() {
        let failure = witness.get("failure").and_then(Value::as_str);
        let since = witness.get("since").and_then(Value::as_u64);
        let mark = if since.is_some() { "OK  " } else { "--  " };
        let _ = write!(out, "  {mark}{:<32} ", printable(text(witness, "member")));
        match number(witness, "entries") {
            0 => out.push_str("未署名 / never cosigned"),
            size => {
                let _ = write!(out, "{} ({})", count(size), rfc3339(number(witness, "time")));
            }
        }
        if let Some(since) = since {
            let _ = write!(out, ", since {}", rfc3339(since));
        }
        if let Some(failure) = failure {
            let _ = write!(out, ": {}", printable(failure));
        }
        out.push('\n');
    }
    let list = |field: &str| reply.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    for fork in list("forks") {
        let ledger = printable(fork.as_str().unwrap_or_default());
        let _ = writeln!(out, "  警報 / ALARM: {ledger} has two histories, or is not what it was");
    }
    for file in list("evidence") {
        let _ = writeln!(out, "        witnessed/{}", printable(file.as_str().unwrap_or_default()));
    }
    out
}

fn entries(rows: &[Value]) -> String {
    let mut out = String::new();
    for row in rows {
        let _ = write!(
            out,
            "{:>8}  {}  {:<14}",
            number(row, "index"),
            printable(text(row, "time")),
            printable(text(row, "kind"))
        );
        match row.get("details") {
            Some(Value::Object(details)) => {
                for (name, value) in details {
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    let _ = write!(out, "  {}={}", printable(name), printable(&value).replace('\n', " "));
                }
                out.push('\n');
            }
            _ => out.push_str("  消去済み / erased\n"),
        }
    }
    out
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, field: &str) -> u64 {
    value.get(field).and_then(Value::as_u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_verification_stands_out() {
        let report = json!({
            "origin": "maebashi/clinic/ledger", "entries": 1_200, "root": "AA=", "signed": 1_000, "opened": 0,
            "erased": 2, "passed": false,
            "checks": [
                {"what": "leaves", "outcome": "passed", "count": 1_200, "findings": []},
                {"what": "tiles", "outcome": "failed", "count": 5, "findings": ["tile/0/000 differs"]},
                {"what": "entries", "outcome": "skipped", "count": 0, "findings": ["no keyring"]},
            ],
        });
        let shown = verification(&report);
        for line in
            ["SOMETHING IS WRONG", "OK  leaves (1,200)", "NG  tiles (5)", "tile/0/000 differs", "--  entries"]
        {
            assert!(shown.contains(line), "{shown}");
        }
    }

    #[test]
    fn who_has_cosigned_and_who_has_not_is_seen_at_a_glance() {
        let reply = json!({
            "origin": "maebashi/clinic/ledger", "standing": "below", "quorum": 3, "entries": 1_200,
            "time": 1_795_376_852_123_u64,
            "witnesses": [
                {"member": "maebashi/city-hall", "entries": 1_200, "time": 1_795_376_852_000_u64,
                    "since": 1_795_376_000_000_u64, "failure": null},
                {"member": "maebashi/school", "entries": 0, "time": 0, "since": null, "failure": "no way\u{1b}"},
            ],
            "forks": ["maebashi/hospital/ledger"], "evidence": ["forks/a.json"],
        });
        let shown = witnesses(&reply);
        for line in [
            "BELOW QUORUM",
            "quorum 3",
            "OK  maebashi/city-hall",
            "never cosigned: no way\u{fffd}",
            "ALARM: maebashi/hospital/ledger has two histories",
            "witnessed/forks/a.json",
        ] {
            assert!(shown.contains(line), "{line}: {shown}");
        }
    }

    #[test]
    fn entries_stand_on_one_line_each() {
        let rows = [
            json!({"index": 3, "time": "2026-11-22T20:07:32.123Z", "kind": "import", "erased": false,
                "details": {"by": "Sato\n", "accepted": 5}}),
            json!({"index": 4, "time": "2026-11-22T20:07:33.123Z", "kind": "release", "erased": true, "details": null}),
        ];
        let shown = entries(&rows);
        assert_eq!(shown.lines().count(), 2);
        assert!(shown.contains("accepted=5") && shown.contains("消去済み / erased"), "{shown}");
    }
}
