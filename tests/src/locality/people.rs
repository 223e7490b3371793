//! Families whose ordinary records carry the canaries, one in each record.
//!
//! Every guardian has two children, every child is known at every institution, and the canaries of an
//! institution are dealt out to all children alike. Two more families have one heavy record each at the
//! hospital, small and large, for the measurement of volume. Names are invented; nobody is meant.

use std::collections::BTreeMap;

use base64::Engine as _;
use hibiki_records::date::CalendarDate;
use hibiki_records::person::Sex;
use serde_json::{Value, json};

use super::canary::Canary;
use crate::chance::Chance;
use crate::family::fhir;
use crate::house::House;
use crate::population::{Guardianship, Population, Resident};

/// Children of every guardian.
pub const CHILDREN: usize = 2;
/// Content of the record of the small kind, in bytes.
pub const SMALL_BYTES: usize = 1024;
/// Content of the record of the large kind: just below what a record may have (1 MiB).
pub const LARGE_BYTES: usize = 1_000_000;

/// Who lives in the town.
pub struct Settled {
    /// Everybody, and each institution's records.
    pub people: Population,
    /// Guardians of the workload, by resident number.
    pub guardians: Vec<String>,
    /// The guardian whose child's record is small.
    pub small: String,
    /// The guardian whose child's record is large.
    pub large: String,
}

/// Settles `families` families and deals out the canaries.
///
/// # Panics
/// `today` is so near the beginning of the calendar that no parent could have been born.
pub fn settle(
    families: usize,
    canaries: &BTreeMap<House, Vec<Canary>>,
    seed: u64,
    today: CalendarDate,
) -> Settled {
    let mut town = Founding { today, chance: Chance::new(seed), people: Population::default() };
    let guardians: Vec<String> = (0..families).map(|place| town.family(place, CHILDREN)).collect();
    let children: Vec<String> =
        guardians.iter().flat_map(|guardian| town.children(guardian)).map(|child| child.number).collect();
    for (house, texts) in canaries {
        for (place, canary) in texts.iter().enumerate() {
            let child = children[place % children.len().max(1)].clone();
            town.record(*house, &child, place, |day| carrier(canary, day));
        }
    }
    let (small, large) = (town.heavy(families, SMALL_BYTES), town.heavy(families + 1, LARGE_BYTES));
    Settled { people: town.people, guardians, small, large }
}

struct Founding {
    today: CalendarDate,
    chance: Chance,
    people: Population,
}

impl Founding {
    fn family(&mut self, place: usize, children: usize) -> String {
        const SURNAMES: [(&str, &str); 5] = [
            ("青柳", "アオヤギ"),
            ("茂木", "モテギ"),
            ("樋口", "ヒグチ"),
            ("桑原", "クワバラ"),
            ("関口", "セキグチ"),
        ];
        let (name, kana) = SURNAMES[place % SURNAMES.len()];
        let number = place as i32;
        let mother = self.resident((name, kana), place, ("母", "ハハ"), Sex::Female, 12_000 + number * 3);
        for child in 0..children {
            let days = 1_200 + number * 11 + child as i32 * 700;
            let named = if child == 0 { ("葵", "アオイ") } else { ("蓮", "レン") };
            let sex = if child == 0 { Sex::Female } else { Sex::Male };
            let child = self.resident((name, kana), place, named, sex, days);
            self.people.guardianships.push(Guardianship { guardian: mother.clone(), child });
        }
        self.people.card_holders.push(mother.clone());
        mother
    }

    fn resident(
        &mut self,
        surname: (&str, &str),
        family: usize,
        given: (&str, &str),
        sex: Sex,
        days: i32,
    ) -> String {
        // One letter more for every family of the name, so that nobody is taken for somebody else.
        let more: String =
            "アイウエオカキクケコサシスセソタチツテト".chars().skip(family / 5).take(1).collect();
        let number = format!("{:010}", 1_000_000_000 + self.chance.below(8_999_999_999));
        #[expect(clippy::expect_used, reason = "a caller near the beginning of the calendar is told")]
        let birth = self.today.plus_days(-days).expect("a birth date");
        self.people.residents.push(Resident {
            number: number.clone(),
            name: format!("{} {}{more}", surname.0, given.0),
            kana: format!("{} {}{more}", surname.1, given.1),
            birth,
            sex,
        });
        number
    }

    fn children(&self, guardian: &str) -> Vec<Resident> {
        self.people.children_of(guardian).cloned().collect()
    }

    /// A record of a child at a house; the house gets to know the child with it.
    fn record(&mut self, house: House, child: &str, place: usize, make: impl Fn(CalendarDate) -> Value) {
        let Some(person) = self.people.resident(child).cloned() else { return };
        let (number, new) = self.people.number_at(house, child, &mut self.chance);
        if new {
            let (key, line) = fhir::patient(&number, &person);
            self.people.add(house, &line, &key, &[child]);
        }
        let day = person.birth.plus_days(30 + place as i32 % 900).unwrap_or(person.birth);
        let id = self.chance.id();
        let (key, line) = fhir::about(&make(day), &number, &id);
        self.people.add(house, &line, &key, &[child]);
    }

    /// A family with one child, known at the hospital alone, with one record of this many bytes.
    fn heavy(&mut self, place: usize, bytes: usize) -> String {
        let guardian = self.family(place, 1);
        let Some(child) = self.children(&guardian).into_iter().next() else { return guardian };
        // Random, so that compression does not make a small one of it.
        let frame = json_of(&immunization("", self.today)).len() + 200;
        let draws: Vec<u8> =
            std::iter::repeat_with(|| self.chance.next().to_le_bytes()).take(bytes / 8).flatten().collect();
        let mut note = base64::engine::general_purpose::STANDARD.encode(draws);
        note.truncate(bytes.saturating_sub(frame));
        self.record(House::Hospital, &child.number, 0, |day| immunization(&note, day));
        guardian
    }
}

fn json_of(value: &Value) -> String {
    value.to_string()
}

/// A vaccination with a remark.
fn immunization(note: &str, day: CalendarDate) -> Value {
    json!({
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": { "text": "日本脳炎" },
        "occurrenceDateTime": day.to_string(),
        "note": [{ "text": note }],
    })
}

/// An ordinary record in which the canary stands where such a text would.
fn carrier(canary: &Canary, day: CalendarDate) -> Value {
    let text = canary.text.as_str();
    let mut record = immunization("", day);
    match canary.kind.as_str() {
        "latin" => record["lotNumber"] = json!(text),
        "number" => record["identifier"] = json!([{ "value": text }]),
        "attachment" => {
            record["extension"] =
                json!([{ "url": "http://example.jp/fhir/scan", "valueAttachment": { "data": text } }]);
        }
        _ => record["note"] = json!([{ "text": text }]),
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn every_canary_stands_in_exactly_one_record_of_its_house() {
        let canary = |house: House, place: usize| Canary {
            kind: ["latin", "kana", "number", "date", "attachment"][place % 5].into(),
            text: format!("{}-{place:05}", house.slug()),
        };
        let canaries: BTreeMap<House, Vec<Canary>> = House::EIGHT
            .into_iter()
            .map(|house| (house, (0..50).map(|place| canary(house, place)).collect()))
            .collect();
        let settled = settle(7, &canaries, 5, clock::today());
        for (house, texts) in &canaries {
            let archive = &settled.people.archives[house];
            for canary in texts {
                let lines = archive.ndjson.lines().filter(|line| line.contains(&canary.text)).count();
                assert_eq!(lines, 1, "{house}");
            }
            assert!(archive.numbers.len() >= 14, "every child is known everywhere");
        }
        let people = &settled.people;
        let unique: std::collections::BTreeSet<_> =
            people.residents.iter().map(|person| (&person.kana, person.birth)).collect();
        assert_eq!(unique.len(), people.residents.len(), "nobody is taken for somebody else");
    }

    #[test]
    fn heavy_records_have_their_size() {
        let settled = settle(1, &BTreeMap::new(), 5, clock::today());
        let lines = settled.people.archives[&House::Hospital].ndjson.lines();
        let mut sizes: Vec<usize> =
            lines.filter(|line| line.contains("Immunization")).map(str::len).collect();
        sizes.sort_unstable();
        assert!(sizes[0] <= SMALL_BYTES && sizes[0] > SMALL_BYTES - 200, "{sizes:?}");
        assert!(sizes[1] <= LARGE_BYTES && sizes[1] > LARGE_BYTES - 200, "{sizes:?}");
    }
}
