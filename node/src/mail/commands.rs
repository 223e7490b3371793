//! The commands `mail list`, `mail show`, `mail retry` and `mail test`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::compose::{self, Writer};
use super::outbox::{Outbox, Queued, State};
use super::relay::Relay;
use super::{Letter, LetterId, LetterKind};
use crate::admin::{AdminError, Request, Router};
use crate::institution::Means;
use crate::ledger::{NotLogged, details};
use crate::vault::VaultError;

/// Name of the command that lists.
pub const LIST: &str = "mail list";
/// Name of the command that shows one.
pub const SHOW: &str = "mail show";
/// Name of the command that tries again.
pub const RETRY: &str = "mail retry";
/// Name of the command that tries the relay.
pub const TEST: &str = "mail test";

/// Letters listed where nobody says how many.
const LISTED: usize = 100;

/// What the commands work on.
#[derive(Clone)]
pub struct Deps {
    /// Clock, ledger, tables.
    pub means: Means,
    /// The letters.
    pub outbox: Arc<Outbox>,
    /// The relay and the sender's name, where mail is configured.
    pub relay: Option<(Arc<dyn Relay>, Writer)>,
}

/// Arguments of `mail list`.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only these: `waiting`, `sent` or `failed`.
    pub state: Option<String>,
    /// At most so many; 100 if not said.
    pub limit: Option<usize>,
}

/// Arguments of `mail show` and `mail retry`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// The letter's name, or (to retry) `all` that failed or wait.
    pub id: String,
}

/// Arguments of `mail test`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// The address.
    pub to: String,
}

/// Registers the commands.
pub fn register(router: &mut Router, deps: Deps) {
    let one = deps.clone();
    router.add(LIST, move |request, _| list(one.clone(), request));
    let one = deps.clone();
    router.add(SHOW, move |request, _| show(one.clone(), request));
    let one = deps.clone();
    router.add(RETRY, move |request, _| retry(one.clone(), request));
    router.add(TEST, move |request, _| test(deps.clone(), request));
}

async fn list(deps: Deps, request: Request) -> Result<Value, AdminError> {
    let List { state, limit } = request.parse()?;
    if let Some(state) = &state
        && !["waiting", "sent", "failed"].contains(&state.as_str())
    {
        return Err(AdminError::new("no such state")
            .at("argument state")
            .next("say waiting, sent or failed"));
    }
    deps.means.log_look(&request.looker(), LIST).await.map_err(not_logged)?;
    let all = deps.outbox.all().map_err(unusable)?;
    let wanted = |queued: &&Queued| state.as_deref().is_none_or(|state| state == name(queued.state));
    let shown: Vec<Value> = all.iter().filter(wanted).take(limit.unwrap_or(LISTED)).map(line).collect();
    let counts = deps.outbox.counts().map_err(unusable)?;
    Ok(json!({ "mails": shown, "counts": counts }))
}

async fn show(deps: Deps, request: Request) -> Result<Value, AdminError> {
    let Which { id } = request.parse()?;
    let queued = find(&deps, &id)?;
    let by = request.looker();
    match queued.letter.subject_key {
        Some(subject) => deps.means.log_look_at(subject, &by, SHOW).await,
        None => deps.means.log_look(&by, SHOW).await,
    }
    .map_err(not_logged)?;
    let mut shown = line(&queued);
    shown["to"] = json!(queued.letter.to);
    shown["text"] = json!(queued.letter.text);
    Ok(shown)
}

async fn retry(deps: Deps, request: Request) -> Result<Value, AdminError> {
    let Which { id } = request.parse()?;
    let by = request.staff()?.to_owned();
    let entry = details::Staff { by, action: RETRY.to_owned() };
    deps.means.log(None, &entry).await.map_err(not_logged)?;
    let ids: Vec<LetterId> = if id == "all" {
        let all = deps.outbox.all().map_err(unusable)?;
        all.iter()
            .filter(|queued| !matches!(queued.state, State::Sent { .. }))
            .map(|it| it.letter.id)
            .collect()
    } else {
        vec![find(&deps, &id)?.letter.id]
    };
    let one = id != "all";
    let mut again = 0;
    for id in ids {
        again += usize::from(deps.outbox.retry(id).await.map_err(unusable)?);
    }
    if one && again == 0 {
        return Err(AdminError::new(
            "this mail was sent, or would come too late / 送信ずみか、もう間に合いません",
        )
        .at("argument id")
        .next("see `hibiki-node mail show`; what comes too late is a telephone call"));
    }
    Ok(json!({ "again": again }))
}

async fn test(deps: Deps, request: Request) -> Result<Value, AdminError> {
    let Test { to } = request.parse()?;
    let by = request.staff()?.to_owned();
    let Some((relay, writer)) = &deps.relay else {
        return Err(
            AdminError::new("no mail relay is configured").next("fill in [mail] in the configuration")
        );
    };
    let entry = details::Staff { by, action: TEST.to_owned() };
    deps.means.log(None, &entry).await.map_err(not_logged)?;
    let letter = Letter {
        id: LetterId::from_bytes(deps.means.env.random()),
        subject_key: None,
        guardian: None,
        kind: LetterKind::Staff,
        lunch: None,
        to,
        title: "響き: メールの確認 / Hibiki: a test of the mail relay".to_owned(),
        text: "このメールが届けば、リレーの設定は正しく動いています。\nIf you read this, the relay is set up well.\n".to_owned(),
        html: "<p>このメールが届けば、リレーの設定は正しく動いています。</p><p>If you read this, the relay is set up well.</p>".to_owned(),
        send_by: None,
    };
    let message = compose::message(writer, &letter, deps.means.env.now()).map_err(|error| {
        AdminError::new(error.to_string()).at("argument to").next("write the address as name@example.jp")
    })?;
    match relay.try_out(message).await {
        Ok(said) => Ok(json!({ "sent": true, "relay": said })),
        Err(said) => Err(AdminError::new(format!("the relay did not take it: {said}"))
            .next("check [mail] relay, tls, ca-file, user and password-file")),
    }
}

fn find(deps: &Deps, id: &str) -> Result<Queued, AdminError> {
    let found = LetterId::parse(id).map(|id| deps.outbox.find(id)).transpose().map_err(unusable)?.flatten();
    found.ok_or_else(|| AdminError::new("no such mail").at("argument id").next("see `hibiki-node mail list`"))
}

const fn name(state: State) -> &'static str {
    match state {
        State::Waiting { .. } => "waiting",
        State::Sent { .. } => "sent",
        State::Failed { .. } => "failed",
    }
}

fn line(queued: &Queued) -> Value {
    let Queued { letter, queued: since, state } = queued;
    json!({
        "id": letter.id.hex(),
        "kind": letter.kind,
        "lunch": letter.lunch,
        "title": letter.title,
        "to": masked(&letter.to),
        "queued": since,
        "send_by": letter.send_by,
        "status": state,
    })
}

/// An address as it is listed: whose it is can be guessed by whoever knows it, and by nobody else.
fn masked(address: &str) -> String {
    let (name, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let first: String = name.chars().take(1).collect();
    format!("{first}***@{domain}")
}

fn unusable(error: VaultError) -> AdminError {
    AdminError::new(error.to_string()).next("repeat the command; if it fails again, see `hibiki-node status`")
}

fn not_logged(error: NotLogged) -> AdminError {
    AdminError::new(error.to_string()).next("nothing was done; repeat it once the ledger takes entries")
}
