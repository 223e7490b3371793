//! The commands `school registration list` and `school registration set`.

use std::collections::BTreeMap;
use std::sync::Arc;

use hibiki_records::allergen::Allergen;
use hibiki_records::lunch::{Registration, Removal};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::keeper::RegistrationError;
use super::{Party, Registered, Registrations, join};
use crate::admin::{AdminError, Request, Router};
use crate::school::roster::Roster;

/// Name of the command that lists.
pub const LIST: &str = "school registration list";
/// Name of the command that enters the school's own list for a pupil.
pub const SET: &str = "school registration set";

/// Arguments of `school registration list`.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only this class.
    pub class: Option<String>,
    /// Only this pupil.
    pub pupil: Option<String>,
}

/// Arguments of `school registration set`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// The pupil's number.
    pub pupil: String,
    /// Her whole list; empty: none.
    pub allergens: Vec<OneAllergen>,
}

/// One allergen of a list.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OneAllergen {
    /// Its short name, such as `egg`.
    pub id: String,
    /// Whether seasonings are removed as well.
    #[serde(default)]
    pub strict: bool,
}

/// Registers the commands.
pub fn register(router: &mut Router, registrations: &Arc<Registrations>, roster: &Arc<Roster>) {
    let (own, pupils) = (Arc::clone(registrations), Arc::clone(roster));
    router.add(LIST, move |request, _| list(Arc::clone(&own), Arc::clone(&pupils), request));
    let (own, pupils) = (Arc::clone(registrations), Arc::clone(roster));
    router.add(SET, move |request, _| set(Arc::clone(&own), Arc::clone(&pupils), request));
}

impl From<RegistrationError> for AdminError {
    fn from(error: RegistrationError) -> Self {
        Self::new(error.to_string()).next("nothing was changed; repeat the command")
    }
}

async fn list(
    registrations: Arc<Registrations>,
    roster: Arc<Roster>,
    request: Request,
) -> Result<Value, AdminError> {
    let List { class, pupil } = request.parse()?;
    let by = request.looker();
    let only = pupil.map(|number| roster.key(&number)).transpose()?;
    match only {
        Some(key) => registrations.means.log_look_at(key, &by, LIST).await,
        None => registrations.means.log_look(&by, LIST).await,
    }
    .map_err(RegistrationError::from)?;
    let all = match &only {
        Some(key) => registrations.of(key),
        None => registrations.all(),
    };
    let mut by_child: BTreeMap<[u8; 16], Vec<Registered>> = BTreeMap::new();
    for one in all.map_err(RegistrationError::from)? {
        by_child.entry(one.subject).or_default().push(one);
    }
    let mut shown = Vec::new();
    for (subject, parties) in by_child {
        let placed = roster.pupil(&subject)?;
        let in_class = placed.as_ref().map(|pupil| pupil.class.clone());
        if class.as_deref().is_some_and(|class| in_class.as_deref() != Some(class.trim())) {
            continue;
        }
        let facts = roster.facts(&subject)?;
        shown.push(line(&parties, in_class, facts.map(|facts| (facts.local_number, facts.name))));
    }
    Ok(json!({ "registrations": shown }))
}

fn line(parties: &[Registered], class: Option<String>, who: Option<(String, String)>) -> Value {
    let mut all = Registration::new();
    let mut of_school = Registration::new();
    for one in parties {
        join(&mut all, &one.allergens);
        if one.party == Party::School {
            join(&mut of_school, &one.allergens);
        }
    }
    let listed = |list: &Registration| -> Vec<Value> {
        let one = |(allergen, removal): (&Allergen, &Removal)| json!({ "id": allergen.id(), "name": allergen.label().ja, "strict": *removal == Removal::Strict });
        list.iter().map(one).collect()
    };
    let guardians = parties.iter().filter(|one| one.party != Party::School).count();
    let addresses = parties.iter().filter(|one| one.address.is_some()).count();
    let (pupil, name) = who.unwrap_or_default();
    json!({ "pupil": pupil, "name": name, "class": class, "allergens": listed(&all), "by_school": listed(&of_school),
        "guardians": guardians, "addresses": addresses })
}

async fn set(
    registrations: Arc<Registrations>,
    roster: Arc<Roster>,
    request: Request,
) -> Result<Value, AdminError> {
    let staff = request.staff()?.to_owned();
    let Set { pupil, allergens } = request.parse()?;
    let key = roster.key(&pupil)?;
    let mut list = Registration::new();
    for OneAllergen { id, strict } in &allergens {
        let allergen = Allergen::from_id(id.trim()).ok_or_else(|| {
            let known: Vec<&str> = Allergen::all().map(Allergen::id).collect();
            AdminError::new("not an allergen of the standard list / 標準の一覧にない名前です")
                .at("argument allergens")
                .next(format!("use one of {}", known.join(", ")))
        })?;
        let removal = if *strict { Removal::Strict } else { Removal::Usual };
        join(&mut list, &Registration::from([(allergen, removal)]));
    }
    registrations.set_by_school(&key, list, &staff).await?;
    Ok(json!({ "pupil": pupil, "allergens": allergens.len() }))
}
