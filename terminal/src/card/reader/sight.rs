//! What can be seen of the readers without touching a card.

use std::collections::BTreeMap;

use crate::card::CardFault;

/// A reader's slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// No card.
    Empty,
    /// A card.
    Card {
        /// Insertions and removals the service has counted: another number, another touch.
        touches: u32,
        /// Whether some program has it open.
        in_use: bool,
    },
    /// A card that gives no sign of life.
    Mute,
    /// The reader itself cannot be used.
    Unavailable,
}

/// All readers, by name.
pub type Readers = BTreeMap<String, Slot>;

/// The present sight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Nothing is known yet.
    Looking,
    /// The service cannot be asked.
    Blind(CardFault),
    /// The readers there are; there may be none.
    Readers(Readers),
}

impl Sight {
    /// Whether the card that was touched as number `touches` still lies in `reader`. A service that cannot
    /// be asked counts as a card that is gone: doubt ends a session.
    pub fn still_there(&self, reader: &str, touches: u32) -> bool {
        match self {
            Self::Readers(readers) => match readers.get(reader) {
                Some(Slot::Card { touches: now, .. }) => *now == touches,
                _ => false,
            },
            Self::Looking | Self::Blind(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_touch_in_the_same_reader_is_still_there() {
        let sight = |slot| Sight::Readers(BTreeMap::from([("A".to_owned(), slot)]));
        let card = |touches| sight(Slot::Card { touches, in_use: true });
        assert!(card(3).still_there("A", 3));
        assert!(!card(5).still_there("A", 3), "taken away and put back");
        assert!(!card(3).still_there("B", 3));
        for gone in
            [sight(Slot::Empty), sight(Slot::Mute), Sight::Looking, Sight::Blind(CardFault::NoService)]
        {
            assert!(!gone.still_there("A", 3), "{gone:?}");
        }
    }
}
