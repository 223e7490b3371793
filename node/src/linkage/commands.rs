//! What staff do with links, as the command `link` of the running node.
//!
//! It takes one argument object with an `action`; lists come as rows.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{LinkError, Linkage};
use crate::admin::{AdminError, Request, Responder, Router};

/// Bytes of a token file, at most: a hundred thousand tokens.
const FILE_BYTES_MAX: usize = 128 * 1024 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", tag = "action", deny_unknown_fields)]
enum Action {
    Import,
    Add { local: String },
    List { local: Option<String> },
    Remove { local: String },
    Quarantine,
    Resolve { id: String, local: String },
    Discard { id: String },
}

/// Registers `link`.
pub fn register(router: &mut Router, linkage: &Arc<Linkage>) {
    let own = Arc::clone(linkage);
    router.add("link", move |request, responder| {
        let linkage = Arc::clone(&own);
        async move { run(&linkage, request, responder).await }
    });
}

async fn run(linkage: &Linkage, mut request: Request, responder: Responder) -> Result<Value, AdminError> {
    match request.parse::<Action>()? {
        Action::Import => {
            let staff = request.staff()?.to_owned();
            let text = text(&mut request).await?;
            let total = text.lines().count() as u64;
            let mut faults = Vec::new();
            let summary = linkage
                .import(
                    &text,
                    &staff,
                    |line, fault| faults.push((line, fault)),
                    |done| responder.progress("tokens", done, Some(total), "tokens"),
                )
                .await?;
            for (line, fault) in faults {
                responder.warning(fault.to_string(), Some(format!("line {line}"))).await;
            }
            Ok(serde_json::to_value(&summary).unwrap_or(Value::Null))
        }
        Action::Add { local } => {
            let staff = request.staff()?.to_owned();
            let text = text(&mut request).await?;
            let mut lines = text.lines().filter(|line| !line.trim().is_empty());
            let (Some(line), None) = (lines.next(), lines.next()) else {
                return Err(AdminError::new("the file must hold exactly one link token")
                    .next("use `hibiki-node link import` for several"));
            };
            Ok(json!({ "link": linkage.add(line, &local, &staff).await? }))
        }
        Action::List { local } => {
            linkage.means.log_look(&request.looker(), "links listed").await.map_err(LinkError::from)?;
            let links = linkage.list(local.as_deref())?;
            for link in &links {
                responder.row(serde_json::to_value(link).unwrap_or(Value::Null)).await;
            }
            Ok(json!({ "links": links.len() }))
        }
        Action::Remove { local } => Ok(json!({ "removed": linkage.remove(&local, request.staff()?).await? })),
        Action::Quarantine => {
            linkage.means.log_look(&request.looker(), "quarantine listed").await.map_err(LinkError::from)?;
            let waiting = linkage.quarantine()?;
            for entry in &waiting {
                responder.row(serde_json::to_value(entry).unwrap_or(Value::Null)).await;
            }
            Ok(json!({ "waiting": waiting.len() }))
        }
        Action::Resolve { id, local } => {
            Ok(json!({ "link": linkage.resolve_to(&id, &local, request.staff()?).await? }))
        }
        Action::Discard { id } => {
            linkage.discard(&id, request.staff()?).await?;
            Ok(json!({ "discarded": true }))
        }
    }
}

async fn text(request: &mut Request) -> Result<String, AdminError> {
    let bytes = request.body.collect(FILE_BYTES_MAX).await.map_err(LinkError::from)?;
    String::from_utf8(bytes)
        .map_err(|_| AdminError::new("the file is no token file").next("export it again at the registry"))
}
