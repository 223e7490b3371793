//! What the entries of this node tell the persons they concern. Staff are told of as staff, without a name;
//! a guardian by the alias that she herself has here.

use hibiki_protocol::act::ChangeConsent;
use hibiki_protocol::grant::{Basis, Grant};
use hibiki_protocol::history::{Actor, Disclosed, Event};
use hibiki_protocol::ids::{Category, GuardianAlias, MemberId};
use hibiki_protocol::session::Purpose;

/// An act of staff about the person.
#[must_use]
pub fn staff(event: Event) -> Disclosed {
    Disclosed {
        event,
        actor: Actor::Staff,
        alias: None,
        purpose: None,
        categories: Vec::new(),
        count: None,
        basis: None,
        via: None,
        reach: None,
        simulated: false,
    }
}

/// Something was shown to the holder of a grant.
#[must_use]
pub fn shown(
    event: Event,
    grant: &Grant,
    purpose: Purpose,
    via: &MemberId,
    categories: Vec<Category>,
    count: Option<u64>,
) -> Disclosed {
    Disclosed {
        actor: if grant.basis == Basis::Oneself { Actor::Subject } else { Actor::Guardian },
        alias: Some(grant.guardian),
        purpose: Some(purpose),
        categories,
        count,
        basis: Some(grant.basis),
        via: Some(via.clone()),
        simulated: grant.simulated,
        ..staff(event)
    }
}

/// The holder of a grant chose what is shown.
#[must_use]
pub fn chosen(change: &ChangeConsent, grant: &Grant, purpose: Purpose, via: &MemberId) -> Disclosed {
    let event = if change.permit { Event::ConsentGiven } else { Event::ConsentWithdrawn };
    let categories = change.category.iter().cloned().collect();
    Disclosed { reach: Some(change.reach), ..shown(event, grant, purpose, via, categories, None) }
}

/// The holder of a grant changed what she has registered.
#[must_use]
pub fn registered(grant: &Grant, purpose: Purpose, via: &MemberId) -> Disclosed {
    shown(Event::RegistrationChanged, grant, purpose, via, Vec::new(), None)
}

/// The institution sent a mail to a guardian: told to her, and to nobody else but the person herself.
#[must_use]
pub fn mailed(guardian: GuardianAlias) -> Disclosed {
    Disclosed { alias: Some(guardian), ..staff(Event::MailSent) }
}
