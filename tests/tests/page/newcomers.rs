//! Families beside the one of the story, made for one test each.

use hibiki_records::person::Sex;
use hibiki_tests::chance::Chance;
use hibiki_tests::house::House;
use hibiki_tests::population::{Guardianship, Population, Resident, record_key};
use serde_json::{Value, json};

/// A name in kanji and in kana.
pub(crate) type Written<'a> = (&'a str, &'a str);

/// A guardian and her child, born on the same days as the mother and the third-grader of the story.
pub(crate) fn family(
    people: &mut Population,
    like: &str,
    chance: &mut Chance,
    guardian: Written<'_>,
    child: Written<'_>,
) -> (Resident, Resident) {
    let like = people.resident(like).unwrap().clone();
    let mut resident = |(name, kana): Written<'_>, sex, birth| {
        let number = format!("N{:010}", chance.below(9_999_999_999));
        let resident = Resident { number, name: name.to_owned(), kana: kana.to_owned(), birth, sex };
        people.residents.push(resident.clone());
        resident
    };
    let grown_up = like.birth.plus_days(-28 * 365).unwrap();
    let guardian = resident(guardian, Sex::Female, grown_up);
    let child = resident(child, like.sex, like.birth);
    let care = Guardianship { guardian: guardian.number.clone(), child: child.number.clone() };
    people.guardianships.push(care);
    (guardian, child)
}

/// A house's number for a resident: it knows her from now on as it knows the person she is like.
pub(crate) fn known_at(
    people: &mut Population,
    house: House,
    like: &str,
    who: &Resident,
    chance: &mut Chance,
) -> String {
    let (number, new) = people.number_at(house, &who.number, chance);
    if new {
        let archive = &people.archives[&house];
        let model = format!("Patient/{}", archive.numbers[like]);
        let mut patient = lines(&archive.ndjson).find(|line| record_key(line) == model).unwrap();
        patient["id"] = json!(number);
        patient["identifier"][0]["value"] = json!(number);
        for (place, written) in [(0, &who.name), (1, &who.kana)] {
            let (family, given) = written.split_once(' ').unwrap_or((written, ""));
            patient["name"][place]["text"] = json!(written);
            patient["name"][place]["family"] = json!(family);
            patient["name"][place]["given"] = json!([given]);
        }
        people.add(house, &patient.to_string(), &format!("Patient/{number}"), &[&who.number]);
    }
    number
}

/// The resources of an export.
pub(crate) fn lines(ndjson: &str) -> impl Iterator<Item = Value> {
    ndjson.lines().map(|line| serde_json::from_str(line).unwrap())
}
