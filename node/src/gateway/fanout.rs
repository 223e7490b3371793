//! The bookkeeping of one view: every part gets exactly one outcome, and nothing comes after the end.
//!
//! A pure state machine: events go in by `handle_*`, each returns what is to be done, in order. It holds
//! no clock (the deadline is an event) and never looks at an answer. Must not know: links, terminals.

use std::collections::BTreeMap;

use hibiki_protocol::ids::{Digest, MemberId};
use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::query::Refusal;

use crate::links::Failure;

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action<A> {
    /// Forward this sealed answer to the terminal.
    Forward {
        /// Whose it is.
        audience: MemberId,
        /// The answer as it came.
        answer: A,
    },
    /// Sign and send what the gateway observed about this institution.
    Observe(Observed),
    /// Say that the view is complete.
    End {
        /// Parts in all.
        parts: u64,
    },
}

/// What the gateway itself can say about an institution that gave no sealed answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The institution.
    pub audience: MemberId,
    /// Digest of the part it was to answer.
    pub part: Digest,
    /// What became of it.
    pub outcome: Outcome,
    /// The institution's own refusal, where it sent one.
    pub refusal: Option<Refusal>,
    /// Milliseconds after which asking again makes sense.
    pub retry_after_millis: Option<u64>,
}

/// One view under way.
#[derive(Debug)]
pub struct FanOut {
    /// Parts without an outcome yet.
    waiting: BTreeMap<MemberId, Digest>,
    parts: u64,
    ended: bool,
}

impl FanOut {
    /// A view of these parts, each for another institution (a second one for the same is ignored: the
    /// driver refuses such views before).
    pub fn new(parts: impl IntoIterator<Item = (MemberId, Digest)>) -> Self {
        let waiting: BTreeMap<_, _> = parts.into_iter().collect();
        Self { parts: waiting.len() as u64, waiting, ended: false }
    }

    /// Begins: a view without parts ends at once.
    pub fn handle_start<A>(&mut self) -> Vec<Action<A>> {
        self.end_if_complete(Vec::new())
    }

    /// `audience` answered; `well_sized` says whether its answer has one of the sizes an answer may have.
    pub fn handle_answer<A>(&mut self, audience: &MemberId, answer: A, well_sized: bool) -> Vec<Action<A>> {
        let Some(part) = self.waiting.remove(audience) else { return Vec::new() };
        let action = if well_sized {
            Action::Forward { audience: audience.clone(), answer }
        } else {
            Action::Observe(observed(audience.clone(), part, Failure::Invalid))
        };
        self.end_if_complete(vec![action])
    }

    /// Asking `audience` failed.
    pub fn handle_failure<A>(&mut self, audience: &MemberId, failure: Failure) -> Vec<Action<A>> {
        let Some(part) = self.waiting.remove(audience) else { return Vec::new() };
        self.end_if_complete(vec![Action::Observe(observed(audience.clone(), part, failure))])
    }

    /// `audience` is not to be asked at all: by the list in force it is no institution that answers.
    pub fn handle_not_asked<A>(&mut self, audience: &MemberId) -> Vec<Action<A>> {
        let Some(part) = self.waiting.remove(audience) else { return Vec::new() };
        let action = Action::Observe(Observed {
            audience: audience.clone(),
            part,
            outcome: Outcome::NotAsked,
            refusal: None,
            retry_after_millis: None,
        });
        self.end_if_complete(vec![action])
    }

    /// Time is over: whoever is still silent is observed, `reason` telling what is known of each.
    pub fn handle_deadline<A>(&mut self, reason: impl Fn(&MemberId) -> Failure) -> Vec<Action<A>> {
        let silent = std::mem::take(&mut self.waiting).into_iter();
        let actions = silent.map(|(audience, part)| {
            let failure = reason(&audience);
            Action::Observe(observed(audience, part, failure))
        });
        let actions = actions.collect();
        self.end_if_complete(actions)
    }

    /// Whether the view is complete.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    fn end_if_complete<A>(&mut self, mut actions: Vec<Action<A>>) -> Vec<Action<A>> {
        if self.waiting.is_empty() && !self.ended {
            self.ended = true;
            actions.push(Action::End { parts: self.parts });
        }
        actions
    }
}

fn observed(audience: MemberId, part: Digest, failure: Failure) -> Observed {
    let (outcome, refusal, retry_after_millis) = match failure {
        Failure::Unreachable => (Outcome::Unreachable, None, None),
        Failure::TimedOut => (Outcome::TimedOut, None, None),
        Failure::Invalid => (Outcome::InvalidAnswer, None, None),
        Failure::Declined { refusal, retry_after_millis } => {
            (Outcome::from(refusal), Some(refusal), retry_after_millis)
        }
    };
    Observed { audience, part, outcome, refusal, retry_after_millis }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn id(n: usize) -> MemberId {
        MemberId::new(&format!("maebashi/m{n}")).unwrap()
    }

    #[derive(Debug, Clone)]
    enum Event {
        Answer(usize, bool),
        Failure(usize, Failure),
        NotAsked(usize),
        Deadline,
    }

    fn failure() -> impl Strategy<Value = Failure> {
        prop_oneof![
            Just(Failure::Unreachable),
            Just(Failure::TimedOut),
            Just(Failure::Invalid),
            (0..Refusal::ALL.len(), any::<Option<u64>>()).prop_map(|(n, retry_after_millis)| {
                Failure::Declined { refusal: Refusal::ALL[n], retry_after_millis }
            }),
        ]
    }

    fn event(members: usize) -> impl Strategy<Value = Event> {
        // Some events come from members that were never asked.
        let who = 0..members + 2;
        prop_oneof![
            4 => (who.clone(), any::<bool>()).prop_map(|(n, well)| Event::Answer(n, well)),
            3 => (who.clone(), failure()).prop_map(|(n, failure)| Event::Failure(n, failure)),
            1 => who.prop_map(Event::NotAsked),
            1 => Just(Event::Deadline),
        ]
    }

    fn apply(machine: &mut FanOut, event: &Event) -> Vec<Action<usize>> {
        match event {
            Event::Answer(n, well) => machine.handle_answer(&id(*n), *n, *well),
            Event::Failure(n, failure) => machine.handle_failure(&id(*n), *failure),
            Event::NotAsked(n) => machine.handle_not_asked(&id(*n)),
            Event::Deadline => machine.handle_deadline(|_| Failure::TimedOut),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Whatever comes in whatever order: one outcome per part, its own answer, one end, nothing after,
        /// and the deadline always ends it.
        #[test]
        fn every_part_gets_exactly_one_outcome(
            members in 0usize..8,
            events in prop::collection::vec(event(8), 0..40),
        ) {
            let digest = |n: usize| Digest([n as u8; 32]);
            let mut machine = FanOut::new((0..members).map(|n| (id(n), digest(n))));
            let mut actions: Vec<Action<usize>> = machine.handle_start();
            prop_assert_eq!(machine.has_ended(), members == 0);
            for event in events.iter().chain([&Event::Deadline, &Event::Deadline, &Event::Answer(0, true)]) {
                let over = machine.has_ended();
                let more = apply(&mut machine, event);
                prop_assert!(!over || more.is_empty(), "{more:?} after the end");
                if matches!(event, Event::Deadline) {
                    prop_assert!(machine.has_ended());
                }
                actions.extend(more);
            }
            let mut outcomes: BTreeMap<MemberId, usize> = BTreeMap::new();
            for action in &actions[..actions.len() - 1] {
                let audience = match action {
                    Action::Forward { audience, answer } => {
                        prop_assert_eq!(audience, &id(*answer), "somebody else's answer");
                        audience
                    }
                    Action::Observe(observed) => {
                        let n = (0..members).find(|n| id(*n) == observed.audience).unwrap();
                        prop_assert_eq!(observed.part, digest(n));
                        prop_assert!(!matches!(observed.outcome, Outcome::Data | Outcome::NothingToShow));
                        &observed.audience
                    }
                    Action::End { .. } => panic!("an end before the end"),
                };
                *outcomes.entry(audience.clone()).or_default() += 1;
            }
            prop_assert_eq!(actions.last().unwrap(), &Action::End { parts: members as u64 });
            let expected: BTreeMap<MemberId, usize> = (0..members).map(|n| (id(n), 1)).collect();
            prop_assert_eq!(outcomes, expected);
        }
    }

    #[test]
    fn what_was_observed_is_said_exactly() {
        let all = |failure| {
            let mut machine = FanOut::new([(id(1), Digest::ZERO)]);
            match machine.handle_failure::<()>(&id(1), failure).remove(0) {
                Action::Observe(observed) => {
                    (observed.outcome, observed.refusal, observed.retry_after_millis)
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(all(Failure::Unreachable), (Outcome::Unreachable, None, None));
        assert_eq!(all(Failure::TimedOut), (Outcome::TimedOut, None, None));
        assert_eq!(all(Failure::Invalid), (Outcome::InvalidAnswer, None, None));
        let busy = Failure::Declined { refusal: Refusal::Busy, retry_after_millis: Some(9) };
        assert_eq!(all(busy), (Outcome::Busy, Some(Refusal::Busy), Some(9)));
        let mut machine = FanOut::new([(id(1), Digest::ZERO)]);
        let bad: Vec<Action<()>> = machine.handle_answer(&id(1), (), false);
        assert!(matches!(&bad[0], Action::Observe(observed) if observed.outcome == Outcome::InvalidAnswer));
    }
}
