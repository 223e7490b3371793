//! The commands `school hand-in add`, `list`, `show` and `mark`.

use std::sync::Arc;

use hibiki_records::date::CalendarDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{HandIns, State};
use crate::admin::{AdminError, Request, Router};
use crate::school::notices::SendError;
use crate::school::{titled, written};

/// Name of the command that asks for something.
pub const ADD: &str = "school hand-in add";
/// Name of the command that lists.
pub const LIST: &str = "school hand-in list";
/// Name of the command that shows who has handed in.
pub const SHOW: &str = "school hand-in show";
/// Name of the command that notes who has.
pub const MARK: &str = "school hand-in mark";

/// Arguments of `school hand-in add`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// The class it is wanted of.
    pub class: Option<String>,
    /// Or some pupils, by their numbers.
    #[serde(default)]
    pub pupils: Vec<String>,
    /// What.
    pub title: String,
    /// What else is said of it.
    pub note: Option<String>,
    /// The last day.
    pub due: CalendarDate,
}

/// Arguments of `school hand-in show`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Its name.
    pub id: String,
}

/// Arguments of `school hand-in mark`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Its name.
    pub id: String,
    /// The pupils' numbers.
    pub pupils: Vec<String>,
    /// How it stands for them.
    pub state: State,
}

/// Registers the commands.
pub fn register(router: &mut Router, hand_ins: &Arc<HandIns>) {
    let it = Arc::clone(hand_ins);
    router.add(ADD, move |request, _| add(Arc::clone(&it), request));
    let it = Arc::clone(hand_ins);
    router.add(LIST, move |request, _| list(Arc::clone(&it), request));
    let it = Arc::clone(hand_ins);
    router.add(SHOW, move |request, _| show(Arc::clone(&it), request));
    let it = Arc::clone(hand_ins);
    router.add(MARK, move |request, _| mark(Arc::clone(&it), request));
}

async fn add(hand_ins: Arc<HandIns>, request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let Add { class, pupils, title, note, due } = request.parse()?;
    if class.is_some() != pupils.is_empty() {
        return Err(AdminError::new("of whom? / だれに出してもらうか分かりません")
            .at("argument class")
            .next("name a class, or pupils by their numbers"));
    }
    let title = titled(&title, "title")?;
    let note = note.map(|note| written(&note, "note")).transpose()?;
    let class = class.map(|class| class.trim().to_owned());
    let id = hand_ins.add((title, note, due), class, &pupils, &staff).await?;
    Ok(json!({ "id": id }))
}

async fn list(hand_ins: Arc<HandIns>, request: Request) -> Result<Value, AdminError> {
    hand_ins.means.log_look(&request.looker(), LIST).await.map_err(SendError::from)?;
    let shown: Vec<Value> = hand_ins
        .list()?
        .into_iter()
        .map(|(id, it, wanted, done)| {
            json!({ "id": id, "title": it.title, "class": it.class, "due": it.due, "wanted": wanted, "done": done })
        })
        .collect();
    Ok(json!({ "hand_ins": shown }))
}

async fn show(hand_ins: Arc<HandIns>, request: Request) -> Result<Value, AdminError> {
    let Which { id } = request.parse()?;
    hand_ins.means.log_look(&request.looker(), SHOW).await.map_err(SendError::from)?;
    let (it, lines) = hand_ins.show(&id)?;
    let pupils: Vec<Value> = lines
        .into_iter()
        .map(|line| json!({ "local": line.local, "name": line.name, "state": line.state }))
        .collect();
    Ok(
        json!({ "id": id, "title": it.title, "class": it.class, "due": it.due, "note": it.note, "pupils": pupils }),
    )
}

async fn mark(hand_ins: Arc<HandIns>, request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let Mark { id, pupils, state } = request.parse()?;
    hand_ins.mark(&id, &pupils, state, &staff).await?;
    Ok(json!({ "marked": pupils.len() }))
}
