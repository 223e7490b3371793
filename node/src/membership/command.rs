//! The command `trust-list`: show the list in force, or install the council's next one.
//!
//! Must not know: how the list is judged.

use hibiki_protocol::trust::Accepted;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Membership, files};
use crate::admin::{AdminError, Request, Router};

/// Bytes of the largest upload: sixteen lists of a large federation.
const UPLOAD_BYTES_MAX: usize = 16 << 20;

/// What is asked of the command.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", tag = "action", deny_unknown_fields)]
enum Action {
    /// Show the list in force.
    Show,
    /// Install the list in the request's body.
    Install,
}

/// Registers `trust-list` with the actions `show` and `install` (the list comes as the request's body).
pub fn register(router: &mut Router, membership: Membership) {
    router.add("trust-list", move |request, _responder| {
        let membership = membership.clone();
        async move {
            match request.parse::<Action>()? {
                Action::Show => Ok(describe(&membership.current())),
                Action::Install => install(&membership, request).await,
            }
        }
    });
}

async fn install(membership: &Membership, mut request: Request) -> Result<Value, AdminError> {
    let bytes = request.body.collect(UPLOAD_BYTES_MAX).await?;
    let lists = files::parse_lists(&bytes).map_err(|error| {
        AdminError::new(format!("the file is not a trust list: {error}"))
            .next("fetch it from the council again; it is a binary file (CBOR)")
    })?;
    let offered = membership.offer(&lists).await.map_err(|error| AdminError::new(error.to_string()))?;
    match offered.refused {
        Some(refused) => {
            Err(AdminError::new(format!("the trust list is not used: {refused}")).next(format!(
                "epoch {} stays in force; ask the council for the list that follows it",
                membership.current().list().epoch
            )))
        }
        None => Ok(json!({
            "installed": offered.installed,
            "in_force": describe(&membership.current()),
        })),
    }
}

fn describe(accepted: &Accepted) -> Value {
    let list = accepted.list();
    let members: Vec<Value> = list
        .members
        .iter()
        .map(|member| {
            json!({
                "id": member.id.as_str(),
                "kind": member.kind.as_str(),
                "name": { "ja": member.name_ja, "en": member.name_en },
                "roles": member.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
                "addresses": member.addresses,
            })
        })
        .collect();
    json!({
        "federation": list.federation.as_str(),
        "epoch": list.epoch,
        "digest": accepted.digest().hex(),
        "issued": list.issued.0,
        "expires": list.expires.0,
        "members": members,
    })
}
