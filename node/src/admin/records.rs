//! The commands `records count` and `records erase`: what the institution holds, and the end of a subject.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::router::{Request, Router};
use super::wire::AdminError;
use crate::env::Env;
use crate::ledger::{Details, Entry, Ledger, NotLogged, details};
use crate::recordbook::{BookError, Counts, RecordBook};

/// Name of the command that counts.
pub const COUNT: &str = "records count";
/// Name of the command that erases.
pub const ERASE: &str = "records erase";

/// What the commands work on.
#[derive(Clone)]
pub struct Deps {
    /// The records.
    pub book: Arc<RecordBook>,
    /// Where acts are logged.
    pub ledger: Ledger,
    /// The world.
    pub env: Env,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Arguments of `records erase`. They name a person: never logged, never quoted.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erase {
    /// The institution's own number.
    pub local: String,
    /// On what ground.
    pub reason: String,
}

/// Registers the commands.
pub fn register(router: &mut Router, deps: Deps) {
    let counting = deps.clone();
    router.add(COUNT, move |request, _| count(counting.clone(), request));
    router.add(ERASE, move |request, _| erase(deps.clone(), request));
}

async fn count(deps: Deps, request: Request) -> Result<Value, AdminError> {
    let Nothing {} = request.parse()?;
    let counted = deps.env.blocking(move || deps.book.counts()).await;
    let Counts { subjects, groups, records } = counted.ok_or_else(ended)?.map_err(unusable)?;
    let records: serde_json::Map<String, Value> = records
        .into_iter()
        .map(|(category, count)| (category.wire_name().to_owned(), count.into()))
        .collect();
    Ok(json!({ "subjects": subjects, "groups": groups, "records": records }))
}

/// The entry comes first: no subject disappears without a word in the ledger. It says who and why, not whom;
/// an entry under the subject's own key would be gone together with it.
async fn erase(deps: Deps, request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    // What does not parse may hold a person's number: it is not quoted.
    let Erase { local, reason } = serde_json::from_value(request.arguments).map_err(|_| {
        AdminError::new("the arguments do not fit")
            .at(format!("command {ERASE}"))
            .next(format!("see `hibiki-node {ERASE} --help`"))
    })?;
    if reason.trim().is_empty() {
        return Err(AdminError::new("an erasure needs its ground").next("repeat it with --reason TEXT"));
    }
    let (book, number) = (Arc::clone(&deps.book), local);
    let found = deps.env.blocking(move || book.find_by_local_number(&number)).await;
    let Some(subject) = found.ok_or_else(ended)?.map_err(unusable)? else {
        return Err(AdminError::new("nobody has this local number here")
            .at("argument --local")
            .next("look it up in your own system; an earlier erasure may have removed it"));
    };
    let entry = details::Erase { by: staff.clone(), basis: reason };
    log(&deps, &entry).await.map_err(|error| {
        AdminError::new(error.to_string()).next("nothing was erased; repeat it once the ledger takes entries")
    })?;
    let (book, env) = (Arc::clone(&deps.book), deps.env.clone());
    let erased = deps.env.blocking(move || env.wait(book.erase(subject))).await;
    match erased.ok_or_else(ended).and_then(|erased| erased.map_err(unusable)) {
        // `false`: another erasure of the same subject was faster.
        Ok(_) => Ok(json!({ "erased": true })),
        Err(error) => {
            let outcome = "failed; to be repeated".to_owned();
            let entry = details::Administration { by: staff, action: ERASE.to_owned(), outcome };
            if let Err(error) = log(&deps, &entry).await {
                tracing::error!(%error, "a failed erasure is not in the ledger");
            }
            Err(error)
        }
    }
}

/// An erasure protects somebody: its entry may use the ledger's reserve.
async fn log<D: Details>(deps: &Deps, details: &D) -> Result<(), NotLogged> {
    deps.ledger.append_reserved(Entry::new(deps.env.now(), None, details)?).await.map(drop)
}

fn unusable(error: BookError) -> AdminError {
    AdminError::new(error.to_string()).next("repeat the command; if it fails again, see `hibiki-node status`")
}

fn ended() -> AdminError {
    AdminError::new("the command failed inside the node").next("look into the node's log")
}
