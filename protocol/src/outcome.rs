//! What became of each institution asked. Absence always carries its reason.

use crate::cbor::{wire_code, wire_struct};
use crate::ids::{Digest, MemberId};
use crate::query::Refusal;
use crate::signing::Signable;
use crate::time::Timestamp;

wire_code! {
    /// The outcome of asking one institution; put into words for the guardian at the terminal.
    pub enum Outcome {
        /// It answered with records.
        1 => Data = "data",
        /// It answered that it has nothing to show. A hold, a withdrawn consent, an unknown child
        /// and an empty record all look like this; the true reason is in its own ledger only.
        2 => NothingToShow = "nothing_to_show",
        /// It has too much work and asks to be asked again later.
        3 => Busy = "busy",
        /// No connection to it.
        4 => Unreachable = "unreachable",
        /// It did not answer before the deadline.
        5 => TimedOut = "timed_out",
        /// It speaks no version in common with us.
        6 => Version = "version",
        /// Session, query or trust list were too old for it.
        7 => Expired = "expired",
        /// It could not write its ledger and therefore released nothing.
        8 => NotLogged = "not_logged",
        /// It did not accept the query, or its answer does not verify.
        9 => InvalidAnswer = "invalid_answer",
        /// It was not asked; the reason stands beside it.
        10 => NotAsked = "not_asked",
    }
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Version => Self::Version,
            Refusal::Busy => Self::Busy,
            Refusal::Stale | Refusal::Expired | Refusal::Replayed => Self::Expired,
            Refusal::NotLogged => Self::NotLogged,
            Refusal::Unauthorized | Refusal::Malformed | Refusal::Fault => Self::InvalidAnswer,
        }
    }
}

wire_struct! {
    /// What a gateway observed about an institution that gave no sealed answer. The one thing in a
    /// view that is not inside an institution's seal; the gateway answers for it with its signature.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Observation {
        /// The gateway.
        1 => pub gateway: MemberId,
        /// The institution.
        3 => pub audience: MemberId,
        /// Digest of the part it was to answer.
        5 => pub part: Digest,
        /// What became of it.
        7 => pub outcome: Outcome,
        /// The institution's refusal, where it sent one.
        8 => pub refusal: Option<Refusal>,
        /// Milliseconds after which asking again makes sense.
        10 => pub retry_after_millis: Option<u64>,
        /// When it was observed.
        11 => pub at: Timestamp,
    }
}

impl Signable for Observation {
    const LABEL: &'static str = "hibiki/1/observation";
}

/// Counts of a view's outcomes: how much of the child's record this view can know about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    counts: [usize; Outcome::ALL.len()],
}

impl Coverage {
    /// Counts one institution.
    pub fn add(&mut self, outcome: Outcome) {
        if let Some(index) = Outcome::ALL.iter().position(|known| *known == outcome)
            && let Some(count) = self.counts.get_mut(index)
        {
            *count += 1;
        }
    }

    /// Institutions with this outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        let index = Outcome::ALL.iter().position(|known| *known == outcome);
        index.and_then(|index| self.counts.get(index)).copied().unwrap_or(0)
    }

    /// Institutions in all.
    pub fn asked(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Whether every institution answered, with data or with nothing to show.
    pub fn complete(&self) -> bool {
        self.count(Outcome::Data) + self.count(Outcome::NothingToShow) == self.asked()
    }
}

impl FromIterator<Outcome> for Coverage {
    fn from_iter<I: IntoIterator<Item = Outcome>>(outcomes: I) -> Self {
        let mut coverage = Self::default();
        outcomes.into_iter().for_each(|outcome| coverage.add(outcome));
        coverage
    }
}
