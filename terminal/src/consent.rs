//! What a guardian lets each institution show, category by category: her own choices, and changing them.
//!
//! A choice is made at one institution; the question goes to all of them, so that the gateway learns neither
//! that a choice was made nor where. What comes back is a receipt: the entry of that institution's ledger,
//! checked like an entry of the history, and a proof in one file that anybody can check later.

use std::collections::BTreeMap;

use hibiki_protocol::act::{Act, ChangeConsent, Changed, Reach, ShowConsent, Withdrawal};
use hibiki_protocol::answer::Answer;
use hibiki_protocol::history::Event;
use hibiki_protocol::ids::{Category, CommandKey, GuardianAlias, MemberId};
use hibiki_protocol::limits;
use hibiki_protocol::session::AttestedSubject;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::Member;

use crate::change::{self, ChangeReceipt};
use crate::federation::Federation;
use crate::history::{self, COVER, HistoryEntry};
use crate::question::Question;
use crate::round::{self, Settled, Standing};
use crate::session::Session;
use crate::trouble::Trouble;

/// A choice to be made at one institution. Keep it until its outcome is known: sent again, it is carried out
/// once and gives the same receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Which category; `None`: every category.
    pub category: Option<Category>,
    /// Give it again (true) or withdraw it (false).
    pub permit: bool,
    /// Whose view it is about.
    pub reach: Reach,
    key: CommandKey,
}

impl Choice {
    /// A new choice, with a name of its own.
    ///
    /// # Errors
    /// This machine has no randomness.
    pub fn new(category: Option<Category>, permit: bool, reach: Reach) -> Result<Self, Trouble> {
        let mut key = [0; 16];
        getrandom::fill(&mut key).map_err(|error| Trouble::Machine(error.to_string()))?;
        Ok(Self { category, permit, reach, key: CommandKey(key) })
    }

    fn act(&self) -> Act {
        let Self { category, permit, reach, key } = self.clone();
        Act::ChangeConsent(ChangeConsent { category, permit, reach, key })
    }

    /// Whether a ledger entry says that this was done.
    fn is_said_by(&self, entry: &HistoryEntry) -> bool {
        let event = if self.permit { Event::ConsentGiven } else { Event::ConsentWithdrawn };
        entry.said.as_ref().is_some_and(|said| {
            said.event == event
                && said.reach == Some(self.reach)
                && said.categories.as_slice() == self.category.as_slice()
        })
    }
}

/// What this guardian has withdrawn at one institution. What staff or others have denied is not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// Her withdrawals.
    pub withdrawn: Vec<Withdrawal>,
}

impl Choices {
    /// Her withdrawal that keeps this category from being shown, if there is one: of this category, or of
    /// every category.
    pub fn withdrawal(&self, category: &Category) -> Option<&Withdrawal> {
        let concerns = |withdrawal: &&Withdrawal| {
            withdrawal.category.as_ref().is_none_or(|withdrawn| withdrawn == category)
        };
        self.withdrawn.iter().find(concerns)
    }
}

/// How one institution stands to this guardian's choices.
#[derive(Clone, Debug)]
pub struct ConsentPart {
    /// The institution, and what became of asking it. With `nothing to show` it lets nothing be chosen, for a
    /// reason it does not tell.
    pub standing: Standing,
    /// Her choices, with `data`.
    pub choices: Option<Choices>,
    /// The receipt, where a choice was made.
    pub receipt: Option<ChangeReceipt>,
}

/// Asks every institution what this guardian has withdrawn there; `landed` is called with each part the moment
/// it is known. The parts come in the order of the trust list.
///
/// # Errors
/// The round was refused as a whole.
pub async fn show(
    session: &Session,
    federation: &Federation,
    subject: &AttestedSubject,
    deadline_millis: Option<u64>,
    now: Timestamp,
    landed: &mut (dyn FnMut(&ConsentPart) + Send),
) -> Result<Vec<ConsentPart>, Trouble> {
    let act = |_: &MemberId| Act::ShowConsent(ShowConsent { version: limits::VERSION_MAX });
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

/// Makes a choice at one institution. `landed` is called the moment its answer is there; the future ends with
/// the round, so that its end tells the gateway nothing. Where the outcome is not known in the end, send the
/// same [`Choice`] again.
///
/// # Errors
/// The round was refused as a whole, or this is no institution that answers.
pub async fn choose(
    session: &Session,
    federation: &Federation,
    subject: &AttestedSubject,
    institution: &MemberId,
    choice: &Choice,
    now: Timestamp,
    landed: &mut (dyn FnMut(&ConsentPart) + Send),
) -> Result<ConsentPart, Trouble> {
    federation.answers(institution)?;
    let act = |id: &MemberId| if id == institution { choice.act() } else { COVER };
    let question = Question::prepare_acts(session, federation, subject, &act, now)?;
    let own = history::aliases(subject).get(institution).copied();
    let mut found = None;
    round::ask(session, federation, question, None, &mut |member, settled| {
        if &member.id == institution {
            let part = part(member, own, Some(choice), settled);
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
    choice: Option<&Choice>,
    Settled { standing, answer }: Settled,
) -> ConsentPart {
    let mut part = ConsentPart { standing, choices: None, receipt: None };
    let Some(Answer { consent: Some(state), .. }) = answer else { return part };
    part.choices = Some(Choices { withdrawn: state.withdrawn });
    part.receipt = state.changed.zip(choice).map(|(changed, choice)| receipt(member, own, choice, changed));
    part
}

fn receipt(member: &Member, own: Option<GuardianAlias>, choice: &Choice, changed: Changed) -> ChangeReceipt {
    change::judge(member, own, changed, |entry| choice.is_said_by(entry))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use hibiki_protocol::history::{Actor, HistoryPage};
    use hibiki_protocol::receipt::Receipt;

    use super::*;
    use crate::history::tests::{MOTHER, disclosed, member, page};
    use crate::history::{Doubt, Proof};

    fn choice(category: Option<&str>, permit: bool, reach: Reach) -> Choice {
        Choice::new(category.and_then(Category::new), permit, reach).unwrap()
    }

    /// What the hospital hands over for a withdrawal of growth from every guardian.
    fn changed() -> Changed {
        let link = disclosed(Event::Linked, Actor::Staff, None);
        let withdrawn = disclosed(Event::ConsentWithdrawn, Actor::Guardian, Some(MOTHER));
        let HistoryPage { mut entries, checkpoint, .. } = page(&link, &withdrawn);
        let entry = entries.remove(1);
        let receipt = Receipt { origin: "ledger".into(), index: 1, leaf_hash: entry.leaf_hash() };
        Changed { receipt, entry, checkpoint }
    }

    #[test]
    fn a_receipt_is_proven_if_it_says_what_was_chosen() {
        let judge = |choice: &Choice, changed| receipt(&member(), Some(MOTHER), choice, changed);
        let right = choice(Some("growth"), false, Reach::EveryGuardian);
        let proven = judge(&right, changed());
        assert_eq!((proven.entry.proof, proven.file.is_some()), (Proof::Proven, true));
        let not_as_promised = Proof::Unproven(Doubt::NotAsPromised);
        for other in [
            choice(Some("growth"), true, Reach::EveryGuardian),
            choice(Some("growth"), false, Reach::OwnView),
            choice(Some("allergy"), false, Reach::EveryGuardian),
            choice(None, false, Reach::EveryGuardian),
        ] {
            let judged = judge(&other, changed());
            assert_eq!((judged.entry.proof, judged.file), (not_as_promised, None), "{other:?}");
        }
        let elsewhere = Receipt { index: 0, ..changed().receipt };
        assert_eq!(judge(&right, Changed { receipt: elsewhere, ..changed() }).entry.proof, not_as_promised);
        let pending = judge(
            &right,
            Changed {
                entry: {
                    let mut entry = changed().entry;
                    entry.path = None;
                    entry
                },
                ..changed()
            },
        );
        assert_eq!((pending.entry.proof, pending.file), (Proof::Pending, None));
    }

    #[test]
    fn a_choice_has_a_name_of_its_own_and_keeps_it() {
        let one = choice(None, true, Reach::OwnView);
        assert_ne!(one.key, choice(None, true, Reach::OwnView).key);
        assert_eq!(one.act(), one.clone().act(), "sent again it is the same command");
    }

    #[test]
    fn a_withdrawal_of_everything_withholds_each() {
        let growth = Category::new("growth").unwrap();
        let withdrawn = |category: Option<&str>| Choices {
            withdrawn: vec![Withdrawal {
                category: category.and_then(Category::new),
                reach: Reach::OwnView,
                at: Timestamp(0),
            }],
        };
        assert!(withdrawn(None).withdrawal(&growth).is_some());
        assert!(withdrawn(Some("growth")).withdrawal(&growth).is_some());
        assert!(withdrawn(Some("allergy")).withdrawal(&growth).is_none());
    }
}
