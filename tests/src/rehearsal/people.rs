//! Who lives in a rehearsed city: families, and a few records of every child at every institution, each of which names
//! its house.
//!
//! Names are invented; nobody is meant.

use hibiki_records::date::CalendarDate;
use hibiki_records::person::Sex;
use serde_json::json;

use crate::chance::Chance;
use crate::family::fhir;
use crate::house::House;
use crate::population::{Guardianship, Population, Resident};

/// Records of a child at one house, at most.
const RECORDS_MAX: u64 = 3;

const SURNAMES: [(&str, &str); 4] =
    [("青柳", "アオヤギ"), ("茂木", "モテギ"), ("樋口", "ヒグチ"), ("桑原", "クワバラ")];

/// Stands in every record, before the name of the house it is of.
pub(super) const MARK: &str = "mark-of-";

/// Settles `families` guardians with two children each.
pub(super) fn settle(
    families: usize,
    houses: &[House],
    chance: &mut Chance,
    today: CalendarDate,
) -> Population {
    let mut people = Population::default();
    for place in 0..families {
        let guardian = resident(&mut people, place, ("母", "ハハ"), Sex::Female, 12_000, chance, today);
        people.card_holders.push(guardian.number.clone());
        for (named, sex, days) in [(("葵", "アオイ"), Sex::Female, 2_900), (("蓮", "レン"), Sex::Male, 1_400)]
        {
            let child = resident(&mut people, place, named, sex, days, chance, today);
            let care = Guardianship { guardian: guardian.number.clone(), child: child.number.clone() };
            people.guardianships.push(care);
            for house in houses {
                keep(&mut people, *house, &child, chance);
            }
        }
    }
    people
}

fn resident(
    people: &mut Population,
    family: usize,
    given: (&str, &str),
    sex: Sex,
    days: i32,
    chance: &mut Chance,
    today: CalendarDate,
) -> Resident {
    let (name, kana) = SURNAMES[family % SURNAMES.len()];
    let more: String = "アイウエオカキクケコ".chars().skip(family / SURNAMES.len()).take(1).collect();
    let birth = today.plus_days(-days - chance.below(300) as i32).unwrap_or(today);
    let resident = Resident {
        number: format!("{:010}", 1_000_000_000 + chance.below(8_999_999_999)),
        name: format!("{name} {}{more}", given.0),
        kana: format!("{kana} {}{more}", given.1),
        birth,
        sex,
    };
    people.residents.push(resident.clone());
    resident
}

/// A house gets to know a child, with some records or with none.
fn keep(people: &mut Population, house: House, child: &Resident, chance: &mut Chance) {
    let (number, _) = people.number_at(house, &child.number, chance);
    let (key, line) = fhir::patient(&number, child);
    people.add(house, &line, &key, &[&child.number]);
    for place in 0..=chance.below(RECORDS_MAX) {
        let day = child.birth.plus_days(60 + 30 * place as i32).unwrap_or(child.birth);
        let dose = json!({
            "resourceType": "Immunization",
            "status": "completed",
            "vaccineCode": { "text": "日本脳炎" },
            "occurrenceDateTime": day.to_string(),
            "note": [{ "text": format!("{MARK}{house}") }],
        });
        let (key, line) = fhir::about(&dose, &number, &chance.id());
        people.add(house, &line, &key, &[&child.number]);
    }
}
