//! What a guardian registers at a school for one child: allergens, an address for mails, which mails.
//!
//! Like a choice about consent: made at one institution, asked of all of them, so that the gateway learns neither that
//! something was registered nor where; and with a receipt.

use std::collections::BTreeMap;

use hibiki_protocol::act::Act;
use hibiki_protocol::answer::Answer;
use hibiki_protocol::history::Event;
use hibiki_protocol::ids::{CommandKey, GuardianAlias, MemberId};
use hibiki_protocol::limits;
use hibiki_protocol::registration::{
    ChangeRegistration, RegisteredAllergen, RegistrationChange, RegistrationState, ShowRegistration,
};
use hibiki_protocol::session::AttestedSubject;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::Member;
use hibiki_records::allergen::Allergen;
use hibiki_records::lunch::{Registration, Removal};

use crate::change::{self, ChangeReceipt};
use crate::federation::Federation;
use crate::history::{self, COVER, HistoryEntry};
use crate::question::Question;
use crate::round::{self, Settled, Standing};
use crate::session::Session;
use crate::trouble::Trouble;

/// A change to be made at one institution. Keep it until its outcome is known: sent again, it is carried out once and
/// gives the same receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registering {
    /// What is to change.
    pub change: RegistrationChange,
    key: CommandKey,
}

impl Registering {
    /// A new change, with a name of its own.
    ///
    /// # Errors
    /// This machine has no randomness.
    pub fn new(change: RegistrationChange) -> Result<Self, Trouble> {
        let mut key = [0; 16];
        getrandom::fill(&mut key).map_err(|error| Trouble::Machine(error.to_string()))?;
        Ok(Self { change, key: CommandKey(key) })
    }

    fn act(&self) -> Act {
        let Self { change, key } = self.clone();
        Act::ChangeRegistration(ChangeRegistration { key, change })
    }

    /// Whether a ledger entry says that something was registered. What exactly stays in the house.
    fn is_said_by(&self, entry: &HistoryEntry) -> bool {
        entry.said.as_ref().is_some_and(|said| said.event == Event::RegistrationChanged)
    }
}

/// How one institution stands to what this guardian registers.
#[derive(Clone, Debug)]
pub struct RegistrationPart {
    /// The institution, and what became of asking it. With `nothing to show` it takes no registration.
    pub standing: Standing,
    /// What is registered there, with `data`.
    pub state: Option<RegistrationState>,
    /// The receipt, where a change was made.
    pub receipt: Option<ChangeReceipt>,
}

impl RegistrationPart {
    /// What is registered for the child by everybody together: on this the institution acts.
    pub fn together(&self) -> Registration {
        let mut all = Registration::new();
        let state = self.state.iter();
        for one in state.flat_map(|state| state.allergens.iter().chain(&state.others)) {
            let Some((allergen, removal)) = read(one) else { continue };
            let known = all.entry(allergen).or_insert(removal);
            *known = (*known).max(removal);
        }
        all
    }
}

/// A registered allergen, if it is one of the standard list.
pub fn read(one: &RegisteredAllergen) -> Option<(Allergen, Removal)> {
    let removal = if one.strict { Removal::Strict } else { Removal::Usual };
    Some((Allergen::from_jfagy(&one.code)?, removal))
}

/// Asks every institution what is registered there; `landed` is called with each part the moment it is known. The parts
/// come in the order of the trust list.
///
/// # Errors
/// The round was refused as a whole.
pub async fn show(
    session: &Session,
    federation: &Federation,
    subject: &AttestedSubject,
    deadline_millis: Option<u64>,
    now: Timestamp,
    landed: &mut (dyn FnMut(&RegistrationPart) + Send),
) -> Result<Vec<RegistrationPart>, Trouble> {
    let act = |_: &MemberId| Act::ShowRegistration(ShowRegistration { version: limits::VERSION_MAX });
    let question = Question::prepare_acts(session, federation, subject, &act, now)?;
    let mut done = BTreeMap::new();
    round::ask(session, federation, question, deadline_millis, &mut |member, settled| {
        let part = part(member, None, None, settled);
        landed(&part);
        done.insert(member.id.clone(), part);
    })
    .await?;
    Ok(federation.responders().filter_map(|member| done.remove(&member.id)).collect())
}

/// Makes a change at one institution. `landed` is called the moment its answer is there; the future ends with the round.
/// Where the outcome is not known in the end, send the same [`Registering`] again.
///
/// # Errors
/// The round was refused as a whole, or this is no institution that answers.
pub async fn register(
    session: &Session,
    federation: &Federation,
    subject: &AttestedSubject,
    institution: &MemberId,
    change: &Registering,
    now: Timestamp,
    landed: &mut (dyn FnMut(&RegistrationPart) + Send),
) -> Result<RegistrationPart, Trouble> {
    federation.answers(institution)?;
    let act = |id: &MemberId| if id == institution { change.act() } else { COVER };
    let question = Question::prepare_acts(session, federation, subject, &act, now)?;
    let own = history::aliases(subject).get(institution).copied();
    let mut found = None;
    round::ask(session, federation, question, None, &mut |member, settled| {
        if &member.id == institution {
            let part = part(member, own, Some(change), settled);
            landed(&part);
            found = Some(part);
        }
    })
    .await?;
    found.ok_or_else(|| Trouble::NoSuchInstitution(institution.clone()))
}

fn part(
    member: &Member,
    own: Option<GuardianAlias>,
    change: Option<&Registering>,
    Settled { standing, answer }: Settled,
) -> RegistrationPart {
    let mut part = RegistrationPart { standing, state: None, receipt: None };
    let Some(Answer { registration: Some(mut state), .. }) = answer else { return part };
    part.receipt = state
        .changed
        .take()
        .zip(change)
        .map(|(changed, change)| change::judge(member, own, changed, |entry| change.is_said_by(entry)));
    part.state = Some(state);
    part
}
