//! The stable JSON of what is registered at a school.

use hibiki_protocol::registration::{Delivery, RegisteredAllergen, RegistrationState};
use hibiki_protocol::time::Day;
use serde::Serialize;

use super::consent::ChangeReceiptJson;
use super::{StandingJson, rfc3339};
use crate::registration::{RegistrationPart, read};

/// One institution's part.
#[derive(Serialize)]
pub struct RegistrationJson<'a> {
    #[serde(flatten)]
    standing: StandingJson<'a>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    state: Option<StateJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<ChangeReceiptJson<'a>>,
}

impl<'a> From<&'a RegistrationPart> for RegistrationJson<'a> {
    fn from(part: &'a RegistrationPart) -> Self {
        Self {
            standing: (&part.standing).into(),
            state: part.state.as_ref().map(Into::into),
            receipt: part.receipt.as_ref().map(Into::into),
        }
    }
}

#[derive(Serialize)]
struct StateJson<'a> {
    allergens: Vec<AllergenJson<'a>>,
    others: Vec<AllergenJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<WaitingJson<'a>>,
    mails: Vec<&'static str>,
    deliveries: Vec<DeliveryJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'static str>,
}

impl<'a> From<&'a RegistrationState> for StateJson<'a> {
    fn from(state: &'a RegistrationState) -> Self {
        let waiting = state.waiting.as_ref();
        Self {
            allergens: state.allergens.iter().map(Into::into).collect(),
            others: state.others.iter().map(Into::into).collect(),
            address: state.address.as_deref(),
            waiting: waiting.map(|it| WaitingJson { address: &it.address, until: rfc3339(it.until) }),
            mails: state.mails.iter().map(|kind| kind.as_str()).collect(),
            deliveries: state.deliveries.iter().map(Into::into).collect(),
            refused: state.refused.map(hibiki_protocol::registration::RegistrationRefusal::as_str),
        }
    }
}

#[derive(Serialize)]
struct AllergenJson<'a> {
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'static str>,
    strict: bool,
}

impl<'a> From<&'a RegisteredAllergen> for AllergenJson<'a> {
    fn from(one: &'a RegisteredAllergen) -> Self {
        let id = read(one).map(|(allergen, _)| allergen.id());
        Self { code: &one.code, id, strict: one.strict }
    }
}

#[derive(Serialize)]
struct WaitingJson<'a> {
    address: &'a str,
    until: String,
}

#[derive(Serialize)]
struct DeliveryJson<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    lunch: Option<&'a str>,
    state: &'static str,
    at: String,
}

impl<'a> From<&'a Delivery> for DeliveryJson<'a> {
    fn from(delivery: &'a Delivery) -> Self {
        Self {
            kind: delivery.kind.as_str(),
            lunch: delivery.lunch.as_ref().map(Day::as_str),
            state: delivery.state.as_str(),
            at: rfc3339(delivery.at),
        }
    }
}
