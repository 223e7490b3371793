//! The commands `staff add`, `staff list`, `staff password` and `staff remove`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::accounts::{Account, AccountError, Accounts, Role};
use crate::admin::{AdminError, Request, Router};

/// Name of the command that makes an account.
pub const ADD: &str = "staff add";
/// Name of the command that lists.
pub const LIST: &str = "staff list";
/// Name of the command that changes a password.
pub const PASSWORD: &str = "staff password";
/// Name of the command that removes.
pub const REMOVE: &str = "staff remove";

/// Arguments of `staff add`. The password comes as the body: arguments are easily printed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// The account's name.
    pub name: String,
    /// What others read.
    pub display: Option<String>,
    /// What it may do.
    pub roles: Vec<Role>,
}

/// An account by its name.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// The account's name.
    pub name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Registers the commands.
pub fn register(router: &mut Router, accounts: &Arc<Accounts>) {
    let it = Arc::clone(accounts);
    router.add(ADD, move |request, _| add(Arc::clone(&it), request));
    let it = Arc::clone(accounts);
    router.add(LIST, move |request, _| list(Arc::clone(&it), request));
    let it = Arc::clone(accounts);
    router.add(PASSWORD, move |request, _| password(Arc::clone(&it), request));
    let it = Arc::clone(accounts);
    router.add(REMOVE, move |request, _| remove(Arc::clone(&it), request));
}

impl From<AccountError> for AdminError {
    fn from(error: AccountError) -> Self {
        let text = error.to_string();
        match text.split_once("; ") {
            Some((what, next)) => Self::new(what).next(next),
            None => Self::new(text),
        }
    }
}

async fn add(accounts: Arc<Accounts>, mut request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let Add { name, display, roles } = request.parse()?;
    let password = word(&mut request).await?;
    accounts.add(&name, display.as_deref().unwrap_or_default(), &roles, password, &staff).await?;
    Ok(json!({ "added": name }))
}

async fn list(accounts: Arc<Accounts>, request: Request) -> Result<Value, AdminError> {
    let Nothing {} = request.parse()?;
    let line = |account: Account| json!({ "name": account.name, "display": account.display, "roles": account.roles });
    Ok(json!({ "staff": accounts.list()?.into_iter().map(line).collect::<Vec<_>>() }))
}

async fn password(accounts: Arc<Accounts>, mut request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let Which { name } = request.parse()?;
    let password = word(&mut request).await?;
    accounts.set_password(&name, password, &staff).await?;
    Ok(json!({ "changed": name }))
}

async fn remove(accounts: Arc<Accounts>, request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let Which { name } = request.parse()?;
    accounts.remove(&name, &staff).await?;
    Ok(json!({ "removed": name }))
}

async fn word(request: &mut Request) -> Result<Zeroizing<String>, AdminError> {
    let bytes = request.body.collect(4_096).await.map_err(|_| AccountError::Password)?;
    let text = String::from_utf8(bytes).map_err(|_| AccountError::Password)?;
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}
