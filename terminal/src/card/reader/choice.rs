//! Which card is meant: decided from what is seen and, where several lie there, from what they are.

use super::Looked;
use super::sight::{Sight, Slot};
use crate::card::{CardFault, Inspection};

/// What to do about the present sight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Look at the cards in these readers.
    Look(Vec<String>),
    /// Wait for a change; this is what is missing.
    Wait(CardFault),
    /// Waiting is no use.
    GiveUp(CardFault),
}

/// Decides from the sight; `wanted` is a part of the name of the only reader that counts.
pub fn next(sight: &Sight, wanted: Option<&str>) -> Next {
    let readers = match sight {
        Sight::Looking => return Next::Wait(CardFault::NoReader),
        Sight::Blind(fault) => return Next::GiveUp(fault.clone()),
        Sight::Readers(readers) => readers,
    };
    let means = |name: &str| wanted.is_none_or(|wanted| name.to_lowercase().contains(&wanted.to_lowercase()));
    let meant = || readers.iter().filter(|(name, _)| means(name));
    if meant().next().is_none() {
        return Next::Wait(match wanted {
            Some(asked) if !readers.is_empty() => {
                CardFault::UnknownReader { asked: asked.to_owned(), known: readers.keys().cloned().collect() }
            }
            _ => CardFault::NoReader,
        });
    }
    let cards: Vec<String> =
        meant().filter(|(_, slot)| matches!(slot, Slot::Card { .. })).map(|(name, _)| name.clone()).collect();
    if !cards.is_empty() {
        return Next::Look(cards);
    }
    let mute = meant().find(|(_, slot)| **slot == Slot::Mute);
    Next::Wait(mute.map_or(CardFault::NoCard, |(name, _)| CardFault::Mute { reader: name.clone() }))
}

/// The one card that will do, by its place among `looked`.
///
/// # Errors
/// None will do (then what is wrong with the first), or several would.
pub fn only(looked: &[Looked]) -> Result<(usize, &Inspection), CardFault> {
    let usable = || looked.iter().enumerate().filter_map(|(at, l)| Some((at, l.found.as_ref().ok()?)));
    match (usable().next(), usable().nth(1)) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => {
            let readers = usable().filter_map(|(at, _)| looked.get(at)).map(|l| l.reader.clone()).collect();
            Err(CardFault::SeveralCards { readers })
        }
        (None, _) => {
            let first = looked.iter().find_map(|looked| looked.found.as_ref().err());
            Err(first.cloned().unwrap_or(CardFault::NoCard))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeMap;

    use super::*;

    fn sight(readers: &[(&str, Slot)]) -> Sight {
        Sight::Readers(
            readers.iter().map(|(name, slot)| ((*name).to_owned(), *slot)).collect::<BTreeMap<_, _>>(),
        )
    }

    const CARD: Slot = Slot::Card { touches: 1, in_use: false };

    #[test]
    fn what_is_missing_is_said_and_waited_for() {
        assert_eq!(next(&sight(&[]), None), Next::Wait(CardFault::NoReader));
        assert_eq!(next(&sight(&[]), Some("x")), Next::Wait(CardFault::NoReader));
        assert_eq!(next(&sight(&[("A", Slot::Empty)]), None), Next::Wait(CardFault::NoCard));
        let mute = next(&sight(&[("A", Slot::Mute), ("B", Slot::Empty)]), None);
        assert_eq!(mute, Next::Wait(CardFault::Mute { reader: "A".to_owned() }));
        let unknown = CardFault::UnknownReader { asked: "x".to_owned(), known: vec!["A".to_owned()] };
        assert_eq!(next(&sight(&[("A", CARD)]), Some("x")), Next::Wait(unknown));
        assert_eq!(next(&Sight::Blind(CardFault::NoService), None), Next::GiveUp(CardFault::NoService));
    }

    #[test]
    fn readers_are_meant_by_a_part_of_their_name() {
        let both = sight(&[("Sony RC-S300 00", CARD), ("Virtual PCD 01", CARD), ("Z", Slot::Empty)]);
        let names = ["Sony RC-S300 00", "Virtual PCD 01"].map(str::to_owned);
        assert_eq!(next(&both, None), Next::Look(names.to_vec()));
        assert_eq!(next(&both, Some("virtual")), Next::Look(vec![names[1].clone()]));
        assert_eq!(next(&both, Some("z")), Next::Wait(CardFault::NoCard), "that reader is empty");
    }

    #[test]
    fn what_is_wrong_with_a_card_is_said_unless_another_will_do() {
        let foreign = |reader: &str| Looked {
            reader: reader.to_owned(),
            found: Err(CardFault::ForeignCard { reader: reader.to_owned() }),
        };
        assert_eq!(only(&[]), Err(CardFault::NoCard));
        assert_eq!(
            only(&[foreign("A"), foreign("B")]),
            Err(CardFault::ForeignCard { reader: "A".to_owned() })
        );
    }
}
