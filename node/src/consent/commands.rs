//! What staff do with consents, as the command `consent` of the running node.

use std::sync::Arc;

use hibiki_protocol::ids::{Category, GuardianAlias};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ConsentError, Consents, Scope};
use crate::admin::{AdminError, Request, Responder, Router};

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", tag = "action", deny_unknown_fields)]
enum Action {
    Deny { local: String, category: Option<String>, guardian: Option<String> },
    Permit { local: String, category: Option<String>, guardian: Option<String>, made_by: Option<String> },
    List { local: String },
}

/// Registers `consent`.
pub fn register(router: &mut Router, consents: &Arc<Consents>) {
    let own = Arc::clone(consents);
    router.add("consent", move |request, responder| {
        let consents = Arc::clone(&own);
        async move { run(&consents, request, responder).await }
    });
}

async fn run(consents: &Consents, request: Request, responder: Responder) -> Result<Value, AdminError> {
    match request.parse::<Action>()? {
        Action::Deny { local, category, guardian } => {
            consents.deny(&local, &scope(category, guardian)?, request.staff()?).await?;
            Ok(json!({ "denied": true }))
        }
        Action::Permit { local, category, guardian, made_by } => {
            let made_by = made_by.map(|text| alias(&text, "made_by")).transpose()?;
            consents.permit(&local, &scope(category, guardian)?, made_by, request.staff()?).await?;
            Ok(json!({ "permitted": true }))
        }
        Action::List { local } => {
            let (means, by) = (&consents.means, request.looker());
            let looked = match consents.key(&local)? {
                Some(key) => means.log_look_at(key, &by, "consents listed").await,
                None => means.log_look(&by, "consents listed").await,
            };
            looked.map_err(ConsentError::from)?;
            let listed = consents.list(&local)?;
            for consent in &listed {
                responder.row(serde_json::to_value(consent).unwrap_or(Value::Null)).await;
            }
            Ok(json!({ "denials": listed.len() }))
        }
    }
}

fn scope(category: Option<String>, guardian: Option<String>) -> Result<Scope, AdminError> {
    let category = category
        .map(|name| {
            hibiki_records::category::Category::ALL
                .into_iter()
                .find(|known| known.wire_name() == name.trim())
                .and_then(|known| Category::new(known.wire_name()))
                .ok_or_else(|| {
                    let names: Vec<_> = hibiki_records::category::Category::ALL
                        .iter()
                        .map(|known| known.wire_name())
                        .collect();
                    AdminError::new("there is no such category / その区分はありません")
                        .at("argument \"category\"")
                        .next(format!("use one of {}", names.join(", ")))
                })
        })
        .transpose()?;
    let guardian = guardian.map(|text| alias(&text, "guardian")).transpose()?;
    Ok(Scope { category, guardian })
}

fn alias(text: &str, argument: &str) -> Result<GuardianAlias, AdminError> {
    let bytes = hex::decode(text.trim()).ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    bytes.map(GuardianAlias).ok_or_else(|| {
        AdminError::new("this is no guardian's alias / 保護者の仮名が読めません")
            .at(format!("argument {argument:?}"))
            .next("copy its 32 hexadecimal digits from `hibiki-node consent list` or `ledger show`, or leave it out")
    })
}
