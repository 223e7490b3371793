//! One resource to one item.
//!
//! Owns local numbers, record keys and subjects. Must not know where the resource stands in the file.

use super::{IngestRecord, Item, Subject, is_patient_number, limits};
use crate::category::{Category, FHIR_JSON};
use crate::fhir::classify::{self, Class, Skip};
use crate::fhir::element::{self, Identifier, Member, Participant, Reference};
use crate::fhir::reference::{self, Index};
use crate::fhir::resource::{Resource, ResourceType};
use crate::fhir::{Reason, standing, when};
use crate::person::{PatientElements, PatientFacts};

/// Longest key or number, in bytes: identifiers have no limit in FHIR, ours do.
const KEY_MAX_BYTES: usize = 256;

/// A refusal without its place.
pub(super) type Refusal = (Option<ResourceType>, Reason);

/// Reads one resource. `full_url` is that of its bundle entry; `within` names the container for messages.
pub(super) fn interpret(
    text: &str,
    full_url: Option<&str>,
    index: &Index,
    within: &'static str,
) -> Result<Item, Refusal> {
    let resource = Resource::read(text)?;
    let refuse = |reason| (Some(resource.kind), reason);
    if resource.kind.name() == "Bundle" {
        return Err(refuse(Reason::NestedBundle(within)));
    }
    match classify::classify(&resource).map_err(refuse)? {
        Class::Skip(kind) => Ok(Item::Skipped { kind }),
        Class::Group => group(&resource, full_url, index).map_err(refuse),
        Class::Record(Category::Patient) => patient(&resource, full_url).map_err(refuse),
        Class::Record(category) => record(&resource, category, full_url, index).map_err(refuse),
    }
}

/// Who an entry is, if it is a Patient or a Group: what references within the file may lead to.
pub(super) fn identify(resource: &Resource<'_>, full_url: Option<&str>) -> Option<Subject> {
    match resource.kind.name() {
        "Patient" => local_number(resource, full_url).ok().map(Subject::Person),
        "Group" => own_id(resource, full_url).ok().map(Subject::Group),
        _ => None,
    }
}

/// The identifiers of a resource; none where they cannot be read.
pub(super) fn identifiers<'a>(resource: &Resource<'a>) -> Vec<Identifier<'a>> {
    element::list(resource.elements.identifier, "identifier").unwrap_or_default()
}

fn patient(resource: &Resource<'_>, full_url: Option<&str>) -> Result<Item, Reason> {
    let elements = &resource.elements;
    let number = local_number(resource, full_url)?;
    let facts = PatientFacts::read(
        number.clone(),
        &PatientElements { name: elements.name, birth_date: elements.birth_date, gender: elements.gender },
    )?;
    let id = format!("Patient/{number}");
    let record = build(resource, Category::Patient, Subject::Person(number), id)?;
    Ok(Item::Patient { facts, record })
}

fn record(
    resource: &Resource<'_>,
    category: Category,
    full_url: Option<&str>,
    index: &Index,
) -> Result<Item, Reason> {
    standing::check(resource)?;
    if resource.kind.name() == "Immunization" && resource.elements.vaccine_code.is_none() {
        return Err(Reason::Missing("vaccineCode"));
    }
    let subject = subject(resource, category, index)?;
    let id = key(resource, full_url)?;
    build(resource, category, subject, id).map(Item::Record)
}

fn build(
    resource: &Resource<'_>,
    category: Category,
    subject: Subject,
    id: String,
) -> Result<IngestRecord, Reason> {
    Ok(IngestRecord {
        category,
        subject,
        id,
        date: when::effective_date(resource)?,
        updated_at: when::last_updated(resource)?.and_then(|time| time.unix_ms),
        media_type: FHIR_JSON,
        content: resource.text.as_bytes().to_vec(),
    })
}

/// The class and its active members. One member who cannot be followed refuses the class: a class with a
/// child silently missing is worse than none.
fn group(resource: &Resource<'_>, full_url: Option<&str>, index: &Index) -> Result<Item, Reason> {
    let kind = match resource.elements.kind {
        Some(raw) if raw.get().starts_with('"') => element::text(Some(raw), "type")?,
        Some(_) => return Err(Reason::Malformed("type")),
        None => return Err(Reason::Missing("type")),
    };
    if kind.as_deref() != Some("person") {
        return Ok(Item::Skipped { kind: Skip::NoCategory(resource.kind) });
    }
    let id = own_id(resource, full_url)?;
    let members: Vec<Member<'_>> = element::list(resource.elements.member, "member")?;
    if members.len() > limits::MEMBERS_MAX {
        return Err(Reason::TooManyMembers);
    }
    let mut numbers = Vec::with_capacity(members.len());
    for (place, member) in members.iter().enumerate() {
        if member.inactive == Some(true) {
            continue;
        }
        let entity = member.entity.as_ref().ok_or(Reason::BadMember(place + 1))?;
        match index.resolve(entity) {
            Ok(Subject::Person(number)) => numbers.push(number),
            _ => return Err(Reason::BadMember(place + 1)),
        }
    }
    Ok(Item::Group { id, members: numbers })
}

/// The subject: `subject` or `patient`, `for` of a Task, the recipients of a Communication that has no
/// subject, the participants of an Appointment. Guardians and staff among the recipients are passed over.
fn subject(resource: &Resource<'_>, category: Category, index: &Index) -> Result<Subject, Reason> {
    let elements = &resource.elements;
    let group = category.may_address_group();
    let named = match resource.kind.name() {
        "Task" => element::one(elements.beneficiary, "for")?,
        _ => match element::one(elements.subject, "subject")? {
            Some(subject) => Some(subject),
            None => element::one(elements.patient, "patient")?,
        },
    };
    let addressed: Vec<Reference<'_>> = match (named, resource.kind.name()) {
        (Some(reference), _) => return admit(index.resolve(&reference)?, group),
        (None, "Communication") => element::list(elements.recipient, "recipient")?,
        (None, "Appointment") => element::list::<Participant<'_>>(elements.participant, "participant")?
            .into_iter()
            .filter_map(|participant| participant.actor)
            .collect(),
        _ => Vec::new(),
    };
    let mut found: Option<Subject> = None;
    for reference in addressed.iter().filter(|reference| !reference::is_of_another_type(reference)) {
        let subject = match index.resolve(reference) {
            // In a bundle staff may be named by `urn:uuid:` as well.
            Err(Reason::WrongSubject) => continue,
            resolved => resolved?,
        };
        if found.as_ref().is_some_and(|earlier| *earlier != subject) {
            return Err(Reason::SeveralSubjects);
        }
        found = Some(subject);
    }
    admit(found.ok_or(Reason::NoSubject { group })?, group)
}

fn admit(subject: Subject, group: bool) -> Result<Subject, Reason> {
    match subject {
        Subject::Group(_) if !group => Err(Reason::GroupNotAllowed),
        subject => Ok(subject),
    }
}

/// The rule is stated in [`super`].
fn local_number(resource: &Resource<'_>, full_url: Option<&str>) -> Result<String, Reason> {
    if resource.elements.id.is_some() {
        return own_id(resource, None);
    }
    let identifiers: Vec<Identifier<'_>> = element::list(resource.elements.identifier, "identifier")?;
    let number = identifiers.iter().find(|identifier| is_patient_number(identifier));
    if let Some(value) = number.and_then(|identifier| identifier.value.as_deref()) {
        return sound_key(value.to_owned(), "identifier");
    }
    own_id(resource, full_url)
}

/// `id`, else the tail of the entry's `fullUrl`.
fn own_id(resource: &Resource<'_>, full_url: Option<&str>) -> Result<String, Reason> {
    let id = match element::text(resource.elements.id, "id")? {
        Some(id) => id,
        None => full_url.and_then(tail).ok_or(Reason::NoKey)?.into(),
    };
    reference::valid_id(&id).map(str::to_owned).map_err(|_| Reason::Malformed("id"))
}

fn key(resource: &Resource<'_>, full_url: Option<&str>) -> Result<String, Reason> {
    let kind = resource.kind.name();
    if resource.elements.id.is_none() {
        let identifiers: Vec<Identifier<'_>> = element::list(resource.elements.identifier, "identifier")?;
        let first =
            identifiers.iter().find_map(|identifier| Some((identifier, identifier.value.as_deref()?)));
        if let Some((identifier, value)) = first {
            let system = identifier.system.as_deref().unwrap_or_default();
            return sound_key(format!("{kind}?{system}|{value}"), "identifier");
        }
    }
    own_id(resource, full_url).map(|id| format!("{kind}/{id}"))
}

fn sound_key(key: String, field: &'static str) -> Result<String, Reason> {
    let sound = key.len() <= KEY_MAX_BYTES && !key.trim().is_empty() && !key.chars().any(char::is_control);
    if sound { Ok(key) } else { Err(Reason::Malformed(field)) }
}

/// The last part of a `fullUrl`.
fn tail(full_url: &str) -> Option<&str> {
    let uuid = full_url.strip_prefix("urn:uuid:").or_else(|| full_url.strip_prefix("urn:oid:"));
    uuid.or_else(|| reference::relative(full_url).map(|(_, id)| id))
}
