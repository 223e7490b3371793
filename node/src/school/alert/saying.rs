//! What a guardian is to be told of one lunch, given what she was told before.
//!
//! The decision: pure. She is told once of what her child must not eat, or that it could not be checked; again only
//! if that has become something else; and of a lunch that is clear only if she was told otherwise before.

use std::collections::BTreeSet;

use hibiki_protocol::ids::Digest;
use hibiki_records::allergen::Allergen;
use hibiki_records::lunch::{Decision, Doubt, Finding, Source, Verdict};
use serde::{Deserialize, Serialize};

/// What is known of a lunch for one child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// No menu has been accepted.
    NoMenu,
    /// There is one, and it was judged for her.
    Judged(Decision),
}

/// What she was told last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// How often she was told something of this lunch.
    pub n: u32,
    /// In one word.
    pub said: Said,
    /// Digest of what exactly, hexadecimal.
    pub content: String,
}

/// What was said, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Something registered is in it.
    Contains,
    /// It could not be cleared.
    CannotBeCleared,
    /// There is no menu to check.
    NoMenu,
    /// Nothing registered is in it (any more).
    Clear,
}

/// Something to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saying {
    /// What is known.
    pub outlook: Outlook,
    /// Whether it replaces something she was told before; that nothing could be checked yet is nothing to correct.
    pub correction: bool,
    /// What she will have been told then.
    pub told: Told,
}

impl Outlook {
    /// In one word.
    pub fn said(&self) -> Said {
        match self {
            Self::NoMenu => Said::NoMenu,
            Self::Judged(decision) => match decision.verdict() {
                Verdict::Contains => Said::Contains,
                Verdict::CannotBeCleared => Said::CannotBeCleared,
                Verdict::Clear => Said::Clear,
            },
        }
    }

    /// Digest of what matters to a guardian: which allergen in which thing, sure or not. Not which rule found it, nor
    /// in what order.
    fn content(&self) -> String {
        let mut things: BTreeSet<(Option<Allergen>, &Source, bool)> = BTreeSet::new();
        let finding = |it: &'_ Finding| it.allergen;
        if let Self::Judged(decision) = self {
            things.extend(decision.contains.iter().map(|it| (Some(finding(it)), &it.source, true)));
            things.extend(decision.doubts.iter().map(|doubt| match doubt {
                Doubt::CheckLabel(it) => (Some(finding(it)), &it.source, false),
                Doubt::Unknown(source) => (None, source, false),
            }));
        }
        let bytes = serde_json::to_vec(&(self.said(), things)).unwrap_or_default();
        Digest::of(&[b"hibiki lunch alert\0", &bytes]).hex()
    }
}

/// What to tell, if anything.
pub fn next(told: Option<&Told>, outlook: Outlook) -> Option<Saying> {
    let said = outlook.said();
    let content = outlook.content();
    match told {
        None if said == Said::Clear => None,
        Some(told) if told.content == content => None,
        told => {
            let told_now = Told { n: told.map_or(1, |told| told.n.saturating_add(1)), said, content };
            let correction = told.is_some_and(|told| told.said != Said::NoMenu);
            Some(Saying { outlook, correction, told: told_now })
        }
    }
}

#[cfg(test)]
mod tests {
    use hibiki_records::lunch::{Certainty, Rule};

    use super::*;

    fn finding(id: &str, thing: &str) -> Finding {
        Finding {
            allergen: Allergen::from_id(id).unwrap(),
            source: Source::Ingredient(thing.to_owned()),
            certainty: Certainty::Evident,
            seasoning: false,
            rule: Rule::Ingredient(thing.to_owned()),
        }
    }

    fn contains(findings: &[Finding]) -> Outlook {
        Outlook::Judged(Decision { contains: findings.to_vec(), ..Decision::default() })
    }

    #[test]
    fn a_clear_lunch_is_not_told_of_and_a_found_allergen_is_told_of_once() {
        assert_eq!(next(None, contains(&[])), None);
        let first = next(None, contains(&[finding("egg", "鶏卵")])).unwrap();
        assert_eq!((first.correction, first.told.n, first.told.said), (false, 1, Said::Contains));
        assert_eq!(next(Some(&first.told), contains(&[finding("egg", "鶏卵")])), None);
    }

    #[test]
    fn the_order_and_the_rule_are_no_news_and_another_thing_is() {
        let both = [finding("egg", "鶏卵"), finding("milk", "牛乳")];
        let told = next(None, contains(&both)).unwrap().told;
        let mut turned = [both[1].clone(), both[0].clone()];
        turned[0].rule = Rule::Label;
        assert_eq!(next(Some(&told), contains(&turned)), None);
        let more = [both[0].clone(), both[1].clone(), finding("egg", "マヨネーズ")];
        let again = next(Some(&told), contains(&more)).unwrap();
        assert_eq!((again.correction, again.told.n), (true, 2));
    }

    #[test]
    fn what_became_clear_is_told_to_whom_was_alarmed() {
        let told = next(None, contains(&[finding("egg", "鶏卵")])).unwrap().told;
        let clear = next(Some(&told), contains(&[])).unwrap();
        assert_eq!((clear.correction, clear.told.said), (true, Said::Clear));
        assert_eq!(next(Some(&clear.told), contains(&[])), None);
        let back = next(Some(&clear.told), contains(&[finding("egg", "鶏卵")])).unwrap();
        assert_eq!(back.told.n, 3);
    }

    #[test]
    fn without_a_menu_it_is_said_that_nothing_could_be_checked() {
        let none = next(None, Outlook::NoMenu).unwrap();
        assert_eq!(none.told.said, Said::NoMenu);
        assert_eq!(next(Some(&none.told), Outlook::NoMenu), None);
        assert!(next(Some(&none.told), contains(&[])).is_some());
        let unknown = Decision {
            doubts: vec![Doubt::Unknown(Source::Ingredient("なにか".to_owned()))],
            ..Decision::default()
        };
        assert_eq!(next(None, Outlook::Judged(unknown)).unwrap().told.said, Said::CannotBeCleared);
    }
}
