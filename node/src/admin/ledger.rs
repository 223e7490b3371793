//! The commands `ledger status`, `ledger verify`, `ledger show`, `ledger note` and `ledger checkpoint` of a running node.

use hibiki_protocol::tlog::SignedNote;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::responder::Responder;
use super::router::{Request, Router};
use super::wire::AdminError;
use crate::env::Env;
use crate::ledger::{Content, DigestKind, Entry, Ledger, Logged, ReadError, details};
use crate::observe::log::rfc3339;

/// Name of the command that says how the ledger stands.
pub const STATUS: &str = "ledger status";
/// Name of the command that verifies it.
pub const VERIFY: &str = "ledger verify";
/// Name of the command that shows its last entries in full.
pub const SHOW: &str = "ledger show";
/// Name of the command that notes a public document.
pub const NOTE: &str = "ledger note";
/// Name of the command that signs the present state.
pub const CHECKPOINT: &str = "ledger checkpoint";

/// Most entries shown at once: more is work for a program that reads the folder.
pub const SHOW_MAX: u64 = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Arguments of `ledger verify`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Verify {
    /// Every file, checkpoint and entry.
    pub deep: bool,
}

/// Arguments of `ledger show`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// How many of the last entries.
    pub last: u64,
}

/// Arguments of `ledger note`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// SHA-256 of the document, hexadecimal.
    pub digest: String,
}

/// Registers the commands.
pub fn register(router: &mut Router, ledger: &Ledger, env: &Env) {
    let own = ledger.clone();
    router.add(STATUS, move |request, _| status(own.clone(), request));
    let (own, world) = (ledger.clone(), env.clone());
    router.add(VERIFY, move |request, _| verify(own.clone(), world.clone(), request));
    let (own, world) = (ledger.clone(), env.clone());
    router.add(SHOW, move |request, responder| show(own.clone(), world.clone(), request, responder));
    let (own, world) = (ledger.clone(), env.clone());
    router.add(NOTE, move |request, _| note(own.clone(), world.clone(), request));
    let (own, world) = (ledger.clone(), env.clone());
    router.add(CHECKPOINT, move |request, _| checkpoint(own.clone(), world.clone(), request));
}

async fn status(ledger: Ledger, request: Request) -> Result<Value, AdminError> {
    let Nothing {} = request.parse()?;
    let note = ledger.newest_checkpoint();
    let signed = note.as_deref().and_then(signed_entries);
    Ok(json!({
        "origin": ledger.origin(),
        "key": ledger.verifier_key().to_string(),
        "entries": ledger.size(),
        "signed": signed,
        "checkpoint": note,
    }))
}

async fn verify(ledger: Ledger, env: Env, request: Request) -> Result<Value, AdminError> {
    let Verify { deep } = request.parse()?;
    let verified = env.blocking(move || ledger.verify(deep)).await.ok_or_else(ended)?;
    let report = verified.map_err(|error| AdminError::new(error.to_string()))?;
    let passed = report.passed();
    let mut value = serde_json::to_value(report).map_err(|_| ended())?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("passed".to_owned(), passed.into());
    }
    Ok(value)
}

/// Looking at entries is itself an act of staff, logged before anything is shown.
async fn show(ledger: Ledger, env: Env, request: Request, responder: Responder) -> Result<Value, AdminError> {
    let by = request.staff()?.to_owned();
    let Show { last } = request.parse()?;
    if !(1..=SHOW_MAX).contains(&last) {
        let next = format!("choose from 1 to {SHOW_MAX}");
        return Err(AdminError::new("out of range").at("argument --last").next(next));
    }
    let until = ledger.size();
    let action = format!("{SHOW} --last {last}");
    let entry = Entry::new(env.now(), None, &details::Staff { by, action });
    let logged = match entry {
        Ok(entry) => ledger.append(entry).await.map(drop),
        Err(error) => Err(error),
    };
    logged.map_err(|error| AdminError::new(error.to_string()).next("nothing is shown without it"))?;
    for index in until.saturating_sub(last)..until {
        if responder.is_cancelled() {
            break;
        }
        let reader = ledger.clone();
        let read = env.blocking(move || reader.read(index..index + 1)).await.ok_or_else(ended)?;
        for logged in read.map_err(unreadable)? {
            responder.row(row(&logged)).await;
        }
    }
    Ok(json!({ "entries": until }))
}

/// Enters the digest of a document, for everybody to see in the leaf: whoever has the document can show later
/// that it was there before whatever came after.
async fn note(ledger: Ledger, env: Env, request: Request) -> Result<Value, AdminError> {
    let by = request.staff()?.to_owned();
    let Note { digest } = request.parse()?;
    let bytes = hex::decode(&digest).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let bytes = bytes.ok_or_else(|| {
        AdminError::new("not a SHA-256 digest").at("argument digest").next("64 hexadecimal digits are wanted")
    })?;
    let noted = details::Administration { by, action: NOTE.to_owned(), outcome: "noted".to_owned() };
    let entry =
        Entry::new(env.now(), None, &noted).map(|entry| entry.with_digest(DigestKind::Document, bytes));
    let receipt = match entry {
        Ok(entry) => ledger.append(entry).await,
        Err(error) => Err(error),
    };
    let receipt = receipt.map_err(|error| AdminError::new(error.to_string()))?;
    Ok(json!({ "digest": hex::encode(bytes), "entry": receipt.index, "origin": receipt.origin }))
}

async fn checkpoint(ledger: Ledger, env: Env, request: Request) -> Result<Value, AdminError> {
    let Nothing {} = request.parse()?;
    let note = ledger.checkpoint().await.map_err(|error| AdminError::new(error.to_string()))?;
    Ok(json!({ "signed": signed_entries(&note), "checkpoint": note, "at": env.now() }))
}

fn row(logged: &Logged) -> Value {
    let details = match &logged.content {
        Content::Details(details) => serde_json::from_str(details.get()).unwrap_or(Value::Null),
        Content::Erased => Value::Null,
    };
    json!({
        "index": logged.index,
        "kind": logged.leaf.kind.to_string(),
        "at": logged.leaf.time_ms,
        "time": rfc3339(logged.leaf.time_ms),
        "erased": logged.is_erased(),
        "details": details,
    })
}

/// The tree size on the second line of a checkpoint (c2sp.org/tlog-checkpoint).
fn signed_entries(note: &str) -> Option<u64> {
    let note = SignedNote::parse(note.as_bytes()).ok()?;
    note.text().lines().nth(1)?.parse().ok()
}

fn unreadable(error: ReadError) -> AdminError {
    AdminError::new(error.to_string()).next("run `hibiki-node ledger verify --deep`")
}

fn ended() -> AdminError {
    AdminError::new("the command failed inside the node").next("look into the node's log")
}
