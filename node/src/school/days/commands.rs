//! The commands `school day list`, `school day add` and `school day remove`.

use std::sync::Arc;

use hibiki_records::date::CalendarDate;
use hibiki_records::school_days::{DayException, Kind, Whom};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Days, DaysError};
use crate::admin::{AdminError, Request, Router};
use crate::school::naming;
use crate::school::roster::Roster;

/// Name of the command that lists.
pub const LIST: &str = "school day list";
/// Name of the command that enters.
pub const ADD: &str = "school day add";
/// Name of the command that takes out.
pub const REMOVE: &str = "school day remove";

/// Longest reason, in characters.
const REASON_CHARS_MAX: usize = 100;
/// Longest stretch of days, in days.
const DAYS_MAX: i32 = 400;

/// Arguments of `school day add`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Add {
    /// First day.
    pub from: CalendarDate,
    /// Last day; absent: the first.
    pub to: Option<CalendarDate>,
    /// What they are.
    pub kind: Kind,
    /// For this class only.
    pub class: Option<String>,
    /// For the classes of this kitchen only.
    pub kitchen: Option<String>,
    /// Why.
    pub reason: String,
}

/// Arguments of `school day remove`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remove {
    /// The entry's name, from `school day list`.
    pub id: String,
}

/// Arguments of `school day list`.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only entries that reach this day or a later one.
    pub from: Option<CalendarDate>,
}

/// Registers the commands.
pub fn register(router: &mut Router, days: &Arc<Days>, roster: &Arc<Roster>) {
    let own = Arc::clone(days);
    router.add(LIST, move |request, _| list(Arc::clone(&own), request));
    let (own, classes) = (Arc::clone(days), Arc::clone(roster));
    router.add(ADD, move |request, _| add(Arc::clone(&own), Arc::clone(&classes), request));
    let own = Arc::clone(days);
    router.add(REMOVE, move |request, _| remove(Arc::clone(&own), request));
}

impl From<DaysError> for AdminError {
    fn from(error: DaysError) -> Self {
        let text = error.to_string();
        match text.split_once("; ") {
            Some((what, next)) => Self::new(what).next(next),
            None => Self::new(text),
        }
    }
}

async fn list(days: Arc<Days>, request: Request) -> Result<Value, AdminError> {
    let List { from } = request.parse()?;
    let shown: Vec<Value> = days
        .list()
        .map_err(DaysError::from)?
        .into_iter()
        .filter(|(_, day)| from.is_none_or(|from| day.to >= from))
        .map(|(id, day)| {
            let (class, kitchen) = match &day.whom {
                Whom::Everybody => (None, None),
                Whom::Class(class) => (Some(class), None),
                Whom::Kitchen(kitchen) => (None, Some(kitchen)),
            };
            json!({ "id": id, "from": day.from, "to": day.to, "kind": day.kind, "class": class,
                "kitchen": kitchen, "reason": day.reason })
        })
        .collect();
    Ok(json!({ "days": shown }))
}

async fn add(days: Arc<Days>, roster: Arc<Roster>, request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let Add { from, to, kind, class, kitchen, reason } = request.parse()?;
    let to = to.unwrap_or(from);
    let wrong = |what: &str, place: &str, next: &str| {
        AdminError::new(what).at(format!("argument {place}")).next(next)
    };
    if to < from {
        return Err(wrong(
            "the last day is before the first / 終わりの日が先です",
            "to",
            "exchange the two days",
        ));
    }
    if to.days_since(from) > DAYS_MAX {
        return Err(wrong(
            "that is more than a year / 一年を超えています",
            "to",
            "enter each school year by itself",
        ));
    }
    let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX || reason.contains(char::is_control) {
        return Err(wrong(
            "a reason of 1 to 100 characters is needed / わけが要ります",
            "reason",
            "write 冬休み, 遠足 …",
        ));
    }
    let whom = match (class, kitchen) {
        (Some(_), Some(_)) => {
            return Err(wrong(
                "either a class or a kitchen / 学級か給食地区のどちらか",
                "class",
                "name one of them",
            ));
        }
        (Some(class), None) => {
            let named = roster.class_named(&class);
            Whom::Class(named.map_err(|error| AdminError::from(error).at("argument class"))?)
        }
        (None, Some(kitchen)) => {
            let known = roster.all_kitchens()?;
            let kitchen = naming::named(&kitchen).unwrap_or(kitchen);
            if !known.contains(&kitchen) {
                let names: Vec<&str> = known.iter().map(String::as_str).collect();
                let next = format!("known are {}", names.join(", "));
                return Err(wrong(
                    "no class has this kitchen / その給食地区の学級はありません",
                    "kitchen",
                    &next,
                ));
            }
            Whom::Kitchen(kitchen)
        }
        (None, None) => Whom::Everybody,
    };
    let id = days.add(DayException { from, to, whom, kind, reason }, &staff).await?;
    Ok(json!({ "id": id }))
}

async fn remove(days: Arc<Days>, request: Request) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let Remove { id } = request.parse()?;
    days.remove(&id, &staff).await?;
    Ok(json!({ "removed": id }))
}
