//! The commands `school pupil import`, `school pupil list`, `school class list` and `school class kitchen`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::list::{self, ListFault};
use super::{Roster, RosterError};
use crate::admin::{AdminError, Request, Responder, Router};
use crate::school::naming::named;

/// Name of the command that takes a class list.
pub const IMPORT: &str = "school pupil import";
/// Name of the command that lists the pupils of a class.
pub const PUPILS: &str = "school pupil list";
/// Name of the command that lists the classes.
pub const CLASSES: &str = "school class list";
/// Name of the command that says which kitchen cooks for a class.
pub const KITCHEN: &str = "school class kitchen";

/// Arguments of `school pupil list`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfClass {
    /// The class.
    pub class: String,
}

/// Arguments of `school class kitchen`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kitchen {
    /// The class.
    pub class: String,
    /// Its kitchen; absent: the school's.
    pub kitchen: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Registers the commands.
pub fn register(router: &mut Router, roster: &Arc<Roster>) {
    let own = Arc::clone(roster);
    router.add(IMPORT, move |request, responder| import(Arc::clone(&own), request, responder));
    let own = Arc::clone(roster);
    router.add(PUPILS, move |request, _| pupils(Arc::clone(&own), request));
    let own = Arc::clone(roster);
    router.add(CLASSES, move |request, _| classes(Arc::clone(&own), request));
    let own = Arc::clone(roster);
    router.add(KITCHEN, move |request, _| kitchen(Arc::clone(&own), request));
}

impl From<RosterError> for AdminError {
    fn from(error: RosterError) -> Self {
        let text = error.to_string();
        match text.split_once("; ") {
            Some((what, next)) => Self::new(what).next(next),
            None => Self::new(text),
        }
    }
}

impl From<ListFault> for AdminError {
    fn from(fault: ListFault) -> Self {
        Self::new(fault.to_string())
            .at("the file")
            .next("nothing was entered; mend the file and repeat the command")
    }
}

async fn import(
    roster: Arc<Roster>,
    mut request: Request,
    responder: Responder,
) -> Result<Value, AdminError> {
    let Nothing {} = request.parse()?;
    let staff = request.staff()?.to_owned();
    let bytes = request.body.collect(list::FILE_BYTES_MAX).await.map_err(|error| {
        AdminError::new(error.to_string()).at("the file").next("split it by classes, and import each part")
    })?;
    // A city's list takes a while to read; nobody else waits for it.
    let list = roster.means.env.blocking(move || list::read(&bytes)).await;
    let list = list.ok_or_else(|| {
        AdminError::new("the command failed inside the node").next("look into the node's log")
    })??;
    let total = list.pupils.len() as u64;
    let progress = |done: usize| responder.progress("pupils", done as u64, Some(total), "pupils");
    let imported = roster.import(&list, &staff, progress).await?;
    let rejected = list.rejected;
    for line in &rejected {
        responder.warning(line.what.clone(), Some(format!("line {}", line.line))).await;
    }
    let classes: Vec<Value> =
        imported.classes.iter().map(|(class, pupils)| json!({ "class": class, "pupils": pupils })).collect();
    let faults: Vec<Value> =
        rejected.iter().map(|line| json!({ "line": line.line, "what": line.what })).collect();
    Ok(json!({
        "added": imported.added,
        "replaced": imported.replaced,
        "unchanged": imported.unchanged,
        "left": imported.left,
        "stayed": imported.stayed,
        "classes": classes,
        "faults": faults,
    }))
}

async fn pupils(roster: Arc<Roster>, request: Request) -> Result<Value, AdminError> {
    let OfClass { class } = request.parse()?;
    roster.means.log_look(&request.looker(), PUPILS).await.map_err(RosterError::from)?;
    let class = roster.class_named(&class)?;
    let pupils: Vec<Value> = roster
        .of_class(&class)?
        .into_iter()
        .map(|facts| json!({ "local": facts.local_number, "name": facts.name, "kana": facts.kana, "class": class }))
        .collect();
    Ok(json!({ "pupils": pupils }))
}

async fn classes(roster: Arc<Roster>, request: Request) -> Result<Value, AdminError> {
    let Nothing {} = request.parse()?;
    Ok(json!({ "classes": roster.classes()? }))
}

async fn kitchen(roster: Arc<Roster>, request: Request) -> Result<Value, AdminError> {
    let Kitchen { class, kitchen } = request.parse()?;
    let staff = request.staff()?.to_owned();
    let kitchen = kitchen
        .map(|kitchen| {
            named(&kitchen).ok_or_else(|| {
                AdminError::new("not the name of a kitchen")
                    .at("argument kitchen")
                    .next("use at most 60 characters")
            })
        })
        .transpose()?;
    let class = roster.class_named(&class)?;
    let kitchen = roster.set_kitchen(&class, kitchen, &staff).await?;
    Ok(json!({ "class": class, "kitchen": kitchen }))
}
