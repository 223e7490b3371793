//! Whether the ledger takes what it is given: always; or nothing that lets records out, because nobody has
//! vouched for it for too long; or nothing but what protects somebody, because it is not the ledger its
//! witnesses know. Knows neither witnesses nor what an entry says.

use std::sync::{PoisonError, RwLock};

use hibiki_protocol::tlog::EntryKind;

use super::error::{CheckpointFailure, NotLogged};
use super::journal::Urgency;

/// How the ledger stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    Unwitnessed,
    Halted(String),
}

/// How the ledger stands, shared by everybody who writes to it.
#[derive(Debug, Default)]
pub(super) struct Stand(RwLock<State>);

impl Stand {
    fn state(&self) -> State {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Releases stop, or go on. A halt is not ended by this.
    pub(super) fn set_unwitnessed(&self, unwitnessed: bool) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*state, State::Halted(_)) {
            *state = if unwitnessed { State::Unwitnessed } else { State::Open };
        }
    }

    /// Nothing is signed any more, for as long as the node runs. The first reason stays.
    pub(super) fn halt(&self, reason: String) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*state, State::Halted(_)) {
            *state = State::Halted(reason);
        }
    }

    /// Why it is halted.
    pub(super) fn halted(&self) -> Option<String> {
        match self.state() {
            State::Halted(reason) => Some(reason),
            State::Open | State::Unwitnessed => None,
        }
    }

    /// Whether an entry may be written now.
    pub(super) fn admits(&self, kind: EntryKind, urgency: Urgency) -> Result<(), NotLogged> {
        match self.state() {
            State::Unwitnessed if lets_out(kind) => Err(NotLogged::Unwitnessed),
            State::Halted(_) if urgency == Urgency::Ordinary => Err(NotLogged::Halted),
            State::Open | State::Unwitnessed | State::Halted(_) => Ok(()),
        }
    }

    /// Whether a checkpoint may be signed now.
    pub(super) fn may_sign(&self) -> Result<(), CheckpointFailure> {
        if self.halted().is_some() { Err(CheckpointFailure::Halted) } else { Ok(()) }
    }
}

/// Whether an entry of this kind goes before something that leaves the house. A refusal does, too: where only
/// releases failed, failing would tell that there is something.
const fn lets_out(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::Release | EntryKind::Refusal | EntryKind::Relay | EntryKind::Grant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_protects_is_taken_however_it_stands() {
        let stand = Stand::default();
        let admitted = |stand: &Stand, urgency| -> Vec<EntryKind> {
            EntryKind::ALL.into_iter().filter(|kind| stand.admits(*kind, urgency).is_ok()).collect()
        };
        assert_eq!(admitted(&stand, Urgency::Ordinary), EntryKind::ALL);
        stand.set_unwitnessed(true);
        let left = admitted(&stand, Urgency::Ordinary);
        assert_eq!(left.len(), EntryKind::ALL.len() - 4);
        assert!(left.contains(&EntryKind::Hold) && left.contains(&EntryKind::Consent));
        assert!(!left.contains(&EntryKind::Release) && !left.contains(&EntryKind::Refusal));
        assert!(stand.may_sign().is_ok());
        stand.set_unwitnessed(false);
        assert_eq!(admitted(&stand, Urgency::Ordinary), EntryKind::ALL);

        stand.halt("an older copy".to_owned());
        stand.halt("something else".to_owned());
        stand.set_unwitnessed(false);
        assert_eq!(stand.halted().as_deref(), Some("an older copy"));
        assert_eq!(admitted(&stand, Urgency::Ordinary), []);
        assert_eq!(admitted(&stand, Urgency::Reserved), EntryKind::ALL);
        assert!(matches!(stand.may_sign(), Err(CheckpointFailure::Halted)));
    }
}
