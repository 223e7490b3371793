//! The command `ledger witnesses`: who has cosigned this ledger, up to where, since when; and forks seen.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Asking;
use crate::admin::wire::AdminError;
use crate::admin::{Request, Router};

/// Name of the command.
pub const WITNESSES: &str = "ledger witnesses";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Registers the command.
pub fn register(router: &mut Router, asking: &Asking) {
    let asking = asking.clone();
    router.add(WITNESSES, move |request, _| witnesses(asking.clone(), request));
}

async fn witnesses(asking: Asking, request: Request) -> Result<Value, AdminError> {
    let Nothing {} = request.parse()?;
    let (quorum, entries, time) = asking.quorum();
    let witnesses: Vec<Value> = asking
        .seen()
        .into_iter()
        .map(|(member, key, seen)| {
            json!({
                "member": member.as_str(), "key": key.to_string(), "entries": seen.size, "time": seen.time,
                "since": seen.since, "failure": seen.failure,
            })
        })
        .collect();
    Ok(json!({
        "origin": asking.origin(),
        "standing": asking.stands(),
        "quorum": quorum,
        "entries": entries,
        "time": time,
        "witnesses": witnesses,
        "forks": asking.forks().origins(),
        "evidence": asking.forks().files(),
    }))
}
