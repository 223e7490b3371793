//! Whom a token means among the persons here. Pure.
//!
//! A token's digests have a key of their own, so every token must be compared with every birth date here;
//! only persons born on the right day are compared further.

use std::collections::BTreeMap;

use hibiki_protocol::token::{IdentityMatch, PairwiseToken};

use super::persons::LocalPerson;

/// The persons here, by birth date.
#[derive(Debug)]
pub struct Register<'a> {
    by_birth_date: BTreeMap<&'a str, Vec<&'a LocalPerson>>,
}

/// Whom a token means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// Nobody here is like that: she is not our patient or pupil.
    Nobody,
    /// Exactly one person agrees in everything.
    One(&'a LocalPerson),
    /// Several agree in everything: entered twice, perhaps.
    Several(Vec<&'a LocalPerson>),
    /// Nobody agrees in everything, but some in birth date and one thing more.
    Partly(Vec<(&'a LocalPerson, IdentityMatch)>),
}

impl<'a> Register<'a> {
    /// A register of these persons.
    pub fn new(persons: &'a [LocalPerson]) -> Self {
        let mut by_birth_date: BTreeMap<&str, Vec<&LocalPerson>> = BTreeMap::new();
        for person in persons {
            by_birth_date.entry(&person.facts.birth_date).or_default().push(person);
        }
        Self { by_birth_date }
    }

    /// Looks for the person a token means.
    pub fn find(&self, token: &PairwiseToken) -> Found<'a> {
        let born_then = |persons: &&Vec<&'a LocalPerson>| {
            persons.first().is_some_and(|first| token.compare(&first.facts).birth_date)
        };
        let Some(persons) = self.by_birth_date.values().find(born_then) else { return Found::Nobody };
        let compared = persons.iter().map(|person| (*person, token.compare(&person.facts)));
        let (whole, partly): (Vec<_>, Vec<_>) = compared
            .filter(|(_, agreement)| agreement.sex || agreement.kana)
            .partition(|(_, agreement)| agreement.complete());
        match (whole.as_slice(), partly.is_empty()) {
            ([(one, _)], _) => Found::One(one),
            ([], true) => Found::Nobody,
            ([], false) => Found::Partly(partly),
            (several, _) => Found::Several(several.iter().map(|(person, _)| *person).collect()),
        }
    }
}

/// The names of the facts that do not agree.
pub fn disagreeing(agreement: IdentityMatch) -> Vec<&'static str> {
    [("birth_date", agreement.birth_date), ("sex", agreement.sex), ("kana", agreement.kana)]
        .into_iter()
        .filter_map(|(name, agrees)| (!agrees).then_some(name))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use hibiki_protocol::ids::MemberId;
    use hibiki_protocol::sealing::SealingSecret;
    use hibiki_protocol::token::{AudienceKey, IdentityFacts};
    use proptest::prelude::*;

    use super::*;

    fn person(number: &str, birth: &str, sex: &str, kana: &str) -> LocalPerson {
        let facts = IdentityFacts { birth_date: birth.into(), sex: sex.into(), kana: kana.into() };
        let mut key = [0; 16];
        key.iter_mut().zip(number.bytes()).for_each(|(to, from)| *to = from);
        LocalPerson { key, number: number.into(), facts }
    }

    fn token(resident: &str, birth: &str, sex: &str, kana: &str) -> PairwiseToken {
        let (registry, own) = (MemberId::new("t/city").unwrap(), MemberId::new("t/clinic").unwrap());
        let secret = SealingSecret::generate();
        let facts = IdentityFacts { birth_date: birth.into(), sex: sex.into(), kana: kana.into() };
        let key = AudienceKey::derive(&[7; 32], &own);
        let sealed = key.token(&registry, &own, &secret.public(), resident, &facts).unwrap();
        sealed.open(&registry, &own, &secret).unwrap()
    }

    #[test]
    fn twins_are_told_apart_by_their_names() {
        let twins =
            [person("1", "2020-01-01", "female", "ハナ"), person("2", "2020-01-01", "female", "ユキ")];
        let register = Register::new(&twins);
        assert_eq!(register.find(&token("a", "2020-01-01", "female", "ハナ")), Found::One(&twins[0]));
        assert_eq!(register.find(&token("b", "2020-01-01", "female", "ユキ")), Found::One(&twins[1]));
        let third = register.find(&token("c", "2020-01-01", "female", "ミオ"));
        assert!(matches!(third, Found::Partly(partly) if partly.len() == 2));
    }

    #[test]
    fn somebody_entered_twice_is_several() {
        let twice = [person("1", "2020-01-01", "male", "タロ"), person("9", "2020-01-01", "male", "タロ")];
        let found = Register::new(&twice);
        assert!(
            matches!(found.find(&token("a", "2020-01-01", "male", "タロ")), Found::Several(all) if all.len() == 2)
        );
    }

    #[test]
    fn a_birth_date_alone_means_nobody() {
        let one = [person("1", "2020-01-01", "male", "タロ")];
        let register = Register::new(&one);
        assert_eq!(register.find(&token("a", "2020-01-01", "female", "ハナ")), Found::Nobody);
        assert_eq!(register.find(&token("a", "2020-01-02", "male", "タロ")), Found::Nobody);
        let Found::Partly(partly) = register.find(&token("a", "2020-01-01", "female", "タロ")) else {
            unreachable!("the kana agree")
        };
        assert_eq!(disagreeing(partly[0].1), ["sex"]);
        assert_eq!(Register::new(&[]).find(&token("a", "2020-01-01", "male", "タロ")), Found::Nobody);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Whoever agrees in everything is found, however many others there are, and nobody else.
        #[test]
        fn the_right_one_is_found(
            others in proptest::collection::vec((1_u8..=28, any::<bool>(), 0_usize..4), 0..12),
            day in 1_u8..=28, female in any::<bool>(), name in 0_usize..4,
        ) {
            let names = ["ハナ", "ユキ", "ミオ", "タロ"];
            let sex = |female: bool| if female { "female" } else { "male" };
            let birth = |day: u8| format!("2020-02-{day:02}");
            let mut persons: Vec<LocalPerson> = others
                .iter()
                .filter(|other| **other != (day, female, name))
                .enumerate()
                .map(|(index, (day, female, name))| {
                    person(&format!("o{index}"), &birth(*day), sex(*female), names[*name])
                })
                .collect();
            let token = token("r", &birth(day), sex(female), names[name]);
            let found = Register::new(&persons).find(&token);
            prop_assert!(!matches!(found, Found::One(_) | Found::Several(_)));
            persons.push(person("x", &birth(day), sex(female), names[name]));
            let found = Register::new(&persons).find(&token);
            prop_assert!(matches!(found, Found::One(one) if one.number == "x"));
        }
    }
}
