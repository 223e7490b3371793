//! What should be true: who is kept from what, as far as anybody outside of an institution can know.
//!
//! Whoever orders something (a hold, a withdrawn consent, a removal) knows when it was begun and, once it is
//! acknowledged, from when on it must count; in between either is right. Must not know how an order travels.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::house::House;

/// Something ordered for a while. Moments are virtual time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Order {
    /// From here on it may count.
    begun: Duration,
    /// From here on it must count.
    sure: Option<Duration>,
    /// From here on it may count no longer.
    ending: Option<Duration>,
    /// From here on it must not count any more.
    over: Option<Duration>,
}

/// Names an order in a [`Model`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderId(usize);

/// What an order is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// What a house shows a guardian of a child.
    Records {
        /// The guardian's name in the world.
        guardian: String,
        /// The child's name in kana.
        kana: String,
        /// The house.
        house: House,
    },
    /// Whether an institution takes part.
    Membership {
        /// Its name in the world.
        who: String,
    },
}

/// Whether something may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// It must.
    Shown,
    /// It must not.
    Withheld,
    /// Nobody can know.
    Either,
}

/// All orders of a rehearsal.
#[derive(Debug, Default)]
pub struct Model {
    orders: BTreeMap<OrderId, (About, Order)>,
}

impl Model {
    /// An order is being given.
    pub fn begin(&mut self, about: About, now: Duration) -> OrderId {
        let id = OrderId(self.orders.len());
        self.orders.insert(id, (about, Order { begun: now, sure: None, ending: None, over: None }));
        id
    }

    fn note(&mut self, id: OrderId, change: impl FnOnce(&mut Order)) {
        if let Some((_, order)) = self.orders.get_mut(&id) {
            change(order);
        }
    }

    /// It is acknowledged.
    pub fn acknowledged(&mut self, id: OrderId, now: Duration) {
        self.note(id, |order| _ = order.sure.get_or_insert(now));
    }

    /// It is being taken back.
    pub fn take_back(&mut self, id: OrderId, now: Duration) {
        self.note(id, |order| _ = order.ending.get_or_insert(now));
    }

    /// That it is taken back is acknowledged.
    pub fn taken_back(&mut self, id: OrderId, now: Duration) {
        self.note(id, |order| _ = order.over.get_or_insert(now));
    }

    /// What was due in a view that was asked for at `asked` and ended at `ended`.
    pub fn due(&self, is_about: impl Fn(&About) -> bool, asked: Duration, ended: Duration) -> Due {
        let mut due = Due::Shown;
        for (_, order) in self.orders.values().filter(|(about, _)| is_about(about)) {
            let sure = order.sure.is_some_and(|sure| sure <= asked);
            if sure && order.ending.is_none_or(|ending| ending > ended) {
                return Due::Withheld;
            }
            if order.begun <= ended && order.over.is_none_or(|over| over > asked) {
                due = Due::Either;
            }
        }
        due
    }

    /// Orders that were begun and of which nobody knows that they are over.
    pub fn in_force(&self) -> Vec<String> {
        let open = self.orders.values().filter(|(_, order)| order.over.is_none());
        open.map(|(about, _)| format!("{about:?}")).collect()
    }

    /// How many there were.
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn between_order_and_acknowledgement_nobody_can_know() {
        let mut model = Model::default();
        let about = About::Membership { who: "clinic".to_owned() };
        let due = |model: &Model, asked, ended| model.due(|one| *one == about, at(asked), at(ended));
        let id = model.begin(about.clone(), at(10));
        assert_eq!(
            (due(&model, 1, 9), due(&model, 1, 10), due(&model, 50, 60)),
            (Due::Shown, Due::Either, Due::Either)
        );
        model.acknowledged(id, at(20));
        assert_eq!((due(&model, 19, 21), due(&model, 20, 21)), (Due::Either, Due::Withheld));
        model.take_back(id, at(30));
        assert_eq!((due(&model, 21, 29), due(&model, 21, 30)), (Due::Withheld, Due::Either));
        assert_eq!(model.in_force().len(), 1);
        model.taken_back(id, at(40));
        assert_eq!((due(&model, 39, 45), due(&model, 40, 45)), (Due::Either, Due::Shown));
        assert!(model.in_force().is_empty() && model.len() == 1);
        assert_eq!(model.due(|one| *one != about, at(20), at(21)), Due::Shown);
    }
}
