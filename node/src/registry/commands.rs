//! What clerks do at the counter, as commands of the running node: `resident`, `card`, `guardianship`, `hold`.
//!
//! Each takes one argument object with an `action`; lists come as rows. Answers show staff what staff asked
//! for; nothing of them goes into logs. Must not know: how answers are printed.

use std::sync::Arc;

use hibiki_protocol::grant::Basis;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::time::Day;
use serde::Deserialize;
use serde_json::{Value, json};

use super::csv;
use super::guardianship::{Guardianship, Proposal, Standing};
use super::hold::HoldStanding;
use super::resident::{Resident, ResidentFault, ResidentNumber};
use super::{HoldProposal, ListedHold, Registry, RegistryError, VALID_DAYS_DEFAULT};
use crate::admin::{AdminError, Request, Responder, Router};
use crate::linkage::token::TokenLine;

/// Bytes of an uploaded certificate, at most.
const CERTIFICATE_BYTES_MAX: usize = 64 * 1024;
/// Bytes of an uploaded revocation list, at most.
const LIST_BYTES_MAX: usize = 64 * 1024 * 1024;

type Outcome = Result<Value, AdminError>;

/// Registers `resident`, `card`, `guardianship` and `hold`.
pub fn register(router: &mut Router, registry: &Arc<Registry>) {
    let own = Arc::clone(registry);
    router.add("resident", move |request, responder| {
        let registry = Arc::clone(&own);
        async move { resident(&registry, request, responder).await }
    });
    let own = Arc::clone(registry);
    router.add("card", move |request, _| {
        let registry = Arc::clone(&own);
        async move { card(&registry, request).await }
    });
    let own = Arc::clone(registry);
    router.add("guardianship", move |request, responder| {
        let registry = Arc::clone(&own);
        async move { guardianship(&registry, request, responder).await }
    });
    let own = Arc::clone(registry);
    router.add("hold", move |request, responder| {
        let registry = Arc::clone(&own);
        async move { hold(&registry, request, responder).await }
    });
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", tag = "action", deny_unknown_fields)]
enum ResidentAction {
    Import,
    Add { number: String, name: String, kana: String, birth_date: String, sex: String },
    Show { number: String },
    Tokens { member: String, residents: Option<Vec<String>>, days: Option<u64> },
}

async fn resident(registry: &Registry, mut request: Request, responder: Responder) -> Outcome {
    let staff = request.staff()?.to_owned();
    match request.parse::<ResidentAction>()? {
        ResidentAction::Import => {
            let bytes = request.body.collect(csv::FILE_BYTES_MAX).await.map_err(RegistryError::from)?;
            let file = csv::read(&bytes).map_err(RegistryError::from)?;
            for rejected in &file.rejected {
                let place = format!("line {}, column {}", rejected.line, rejected.fault.field());
                responder.warning(rejected.fault.to_string(), Some(place)).await;
            }
            let total = file.residents.len() as u64;
            let progress = |done| responder.progress("residents", done, Some(total), "residents");
            let imported = registry.import(&file, &staff, progress).await?;
            Ok(to_value(&imported))
        }
        ResidentAction::Add { number, name, kana, birth_date, sex } => {
            let resident = Resident::read(&number, &name, &kana, &birth_date, &sex).map_err(at_field)?;
            Ok(json!({ "entered": registry.enter(&resident, &staff).await? }))
        }
        ResidentAction::Show { number } => {
            let (resident, card) = registry.show(&parse_number(&number, "number")?, &staff).await?;
            let mut shown = to_value(&resident);
            if let Some(fields) = shown.as_object_mut() {
                fields.insert("card".to_owned(), json!(card));
            }
            Ok(shown)
        }
        ResidentAction::Tokens { member, residents, days } => {
            let member = MemberId::new(&member).ok_or_else(|| {
                AdminError::new("this is no member's name")
                    .at("argument \"member\"")
                    .next("write it as federation/member, such as maebashi/chuo-hospital")
            })?;
            let numbers: Option<Vec<ResidentNumber>> = residents
                .map(|numbers| numbers.iter().map(|number| parse_number(number, "residents")).collect())
                .transpose()?;
            let days = days.unwrap_or(VALID_DAYS_DEFAULT);
            let export = registry.export_tokens(&member, numbers.as_deref(), days, &staff).await?;
            for token in &export.tokens {
                responder.row(to_value(&TokenLine::new(token, &member, export.expires))).await;
            }
            Ok(
                json!({ "member": member.as_str(), "tokens": export.tokens.len(), "expires": export.expires.0 }),
            )
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", tag = "action", deny_unknown_fields)]
enum CardAction {
    Enrol { resident: String },
    Remove { resident: String },
    Revocations,
}

async fn card(registry: &Registry, mut request: Request) -> Outcome {
    let staff = request.staff()?.to_owned();
    match request.parse::<CardAction>()? {
        CardAction::Enrol { resident } => {
            let number = parse_number(&resident, "resident")?;
            let bytes = request.body.collect(CERTIFICATE_BYTES_MAX).await.map_err(RegistryError::from)?;
            let der = super::card::revocation::to_der(bytes).ok_or_else(|| {
                AdminError::new("the file is no certificate")
                    .next("give the card's user-authentication certificate, DER or PEM")
            })?;
            let replaced = registry.enrol_card(&number, &der, &staff).await?;
            Ok(json!({ "enrolled": true, "replaced": replaced }))
        }
        CardAction::Remove { resident } => {
            registry.remove_card(&parse_number(&resident, "resident")?, &staff).await?;
            Ok(json!({ "removed": true }))
        }
        CardAction::Revocations => {
            let bytes = request.body.collect(LIST_BYTES_MAX).await.map_err(RegistryError::from)?;
            let installed = registry.install_revocations(bytes, &staff).await?;
            Ok(json!({
                "authority": installed.authority,
                "revoked": installed.revoked,
                "issued": installed.issued,
                "next": installed.next,
            }))
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", tag = "action", deny_unknown_fields)]
enum GuardianshipAction {
    Propose {
        guardian: String,
        child: String,
        basis: String,
        from: Option<String>,
        until: Option<String>,
        document: Option<String>,
    },
    Confirm {
        id: String,
    },
    End {
        id: String,
    },
    List {
        resident: Option<String>,
    },
}

async fn guardianship(registry: &Registry, request: Request, responder: Responder) -> Outcome {
    match request.parse::<GuardianshipAction>()? {
        GuardianshipAction::Propose { guardian, child, basis, from, until, document } => {
            let (guardian, child) = (parse_number(&guardian, "guardian")?, parse_number(&child, "child")?);
            let basis = Basis::from_name(&basis.trim().replace('-', "_"))
                .ok_or(RegistryError::Guardianship(super::guardianship::GuardianshipFault::Basis))?;
            let from = from.map(|day| parse_day(&day, "from")).transpose()?;
            let until = until.map(|day| parse_day(&day, "until")).transpose()?;
            let from = from.unwrap_or_else(|| registry.means.today());
            let proposal = Proposal { basis, from, until, document };
            let staff = request.staff()?;
            let entry = registry.enter_guardianship(&guardian, &child, proposal, staff).await?;
            Ok(shown(&entry, Standing::AwaitsApproval))
        }
        GuardianshipAction::Confirm { id } => {
            let entry = registry.approve_guardianship(&id, request.staff()?).await?;
            Ok(json!({ "id": entry.id, "confirmed": true }))
        }
        GuardianshipAction::End { id } => {
            let entry = registry.end_guardianship(&id, request.staff()?).await?;
            Ok(json!({ "id": entry.id, "ended": true }))
        }
        GuardianshipAction::List { resident } => {
            registry
                .means
                .log_look(&request.looker(), "guardianships listed")
                .await
                .map_err(RegistryError::from)?;
            let of = resident.map(|number| parse_number(&number, "resident")).transpose()?;
            let all = registry.list_guardianships(of.as_ref())?;
            for (entry, standing) in &all {
                responder.row(shown(entry, *standing)).await;
            }
            Ok(json!({ "guardianships": all.len() }))
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", tag = "action", deny_unknown_fields)]
enum HoldAction {
    Place {
        child: String,
        guardian: Option<String>,
        reason_reference: String,
        review_by: String,
    },
    Lift {
        id: String,
    },
    List {
        #[serde(default)]
        all: bool,
    },
}

async fn hold(registry: &Registry, request: Request, responder: Responder) -> Outcome {
    match request.parse::<HoldAction>()? {
        HoldAction::Place { child, guardian, reason_reference, review_by } => {
            let proposal = HoldProposal {
                child: parse_number(&child, "child")?,
                guardian: guardian.map(|number| parse_number(&number, "guardian")).transpose()?,
                reference: reason_reference,
                review_by: parse_day(&review_by, "review_by")?,
            };
            let order = registry.place_hold(proposal, request.staff()?).await?;
            Ok(json!({ "id": order.id, "standing": HoldStanding::InForce }))
        }
        HoldAction::Lift { id } => {
            let order = registry.lift_hold(&id, request.staff()?).await?;
            let standing =
                if order.in_force() { HoldStanding::LiftAwaitsSecondClerk } else { HoldStanding::Lifted };
            Ok(json!({ "id": order.id, "standing": standing }))
        }
        HoldAction::List { all } => {
            registry.means.log_look(&request.looker(), "holds listed").await.map_err(RegistryError::from)?;
            let holds = registry.list_holds(all)?;
            for hold in &holds {
                responder.row(listed(hold)).await;
            }
            Ok(json!({ "holds": holds.len() }))
        }
    }
}

fn shown(entry: &Guardianship, standing: Standing) -> Value {
    json!({
        "id": entry.id,
        "guardian": entry.guardian.as_str(),
        "child": entry.child.as_str(),
        "basis": entry.basis.as_str(),
        "from": entry.from.as_str(),
        "until": entry.until.as_str(),
        "document": entry.document,
        "standing": standing,
        "entered_by": entry.entered.by,
        "confirmed_by": entry.approved.as_ref().map(|act| &act.by),
        "ended_by": entry.ended.as_ref().map(|act| &act.by),
    })
}

fn listed(hold: &ListedHold) -> Value {
    let order = &hold.order;
    json!({
        "id": order.id,
        "child": order.child.as_str(),
        "guardian": order.guardian.as_ref().map(ResidentNumber::as_str),
        "reference": order.reference,
        "review_by": order.review_by.as_str(),
        "standing": hold.standing,
        "placed_by": order.placed.by,
        "placed_at": order.placed.at,
        "members": hold.members,
    })
}

fn parse_number(text: &str, argument: &str) -> Result<ResidentNumber, AdminError> {
    ResidentNumber::new(text)
        .map_err(|fault| AdminError::new(fault.to_string()).at(format!("argument \"{argument}\"")))
}

fn parse_day(text: &str, argument: &str) -> Result<Day, AdminError> {
    let day = hibiki_records::date::CalendarDate::parse_japanese(text.trim()).ok();
    day.and_then(|day| Day::new(&day.to_string())).ok_or_else(|| {
        AdminError::new("this is not a day of the calendar / 日付が読めません")
            .at(format!("argument \"{argument}\""))
            .next("write 2026-11-22 or 令和8年11月22日")
    })
}

fn at_field(fault: ResidentFault) -> AdminError {
    AdminError::from(RegistryError::from(fault)).at(format!("argument \"{}\"", fault.field()))
}

fn to_value<T: serde::Serialize>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}
