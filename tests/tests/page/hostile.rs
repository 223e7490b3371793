//! Records as an attacker would write them: imported like any others, shown as the words they are.

use hibiki_tests::browser::Screen;
use hibiki_tests::chance::Chance;
use hibiki_tests::evidence;
use hibiki_tests::house::House;
use hibiki_tests::population::{Population, record_key};
use serde_json::{Value, json};

use super::every_page::OF_A_CHILD;
use super::newcomers::{self, family, known_at};
use super::scene::scene;

const SCRIPT: &str = "<script>window.pwned=1</script>";
const TEMPLATE: &str = "{{7*7}}${7*7}{% raw %}";
/// What an attacker writes where words are expected.
const ATTACKS: [&str; 8] = [
    SCRIPT,
    "\"><img src=x onerror=window.pwned=1>",
    "'><svg/onload=window.pwned=1>",
    TEMPLATE,
    "\u{202E}txet desrever\u{202C}",
    "</title></style></textarea></main><h1>別の施設からのお知らせ</h1>",
    "javascript:window.pwned=1//&lt;b&gt;",
    "\u{2066}<a href=\"https://evil.example/\">ここを押してください</a>",
];
/// A word without any place to break it, in letters.
const LONG: usize = 10_000;
/// The child's own name.
const NAME: (&str, &str) =
    ("<b>赤城</b> \"><img/src=x/onerror=window.pwned=1>", "アカギ '><svg/onload=window.pwned=1>");

/// Where people write words in a resource.
const WORDS: [&str; 10] = [
    "text",
    "display",
    "contentString",
    "description",
    "comment",
    "lotNumber",
    "valueString",
    "series",
    "conclusion",
    "title",
];
/// Where the words of a record stand beside a code, so that they are shown only without it.
const CODED: [&str; 3] = ["code", "vaccineCode", "medicationCodeableConcept"];

/// A guardian and her child, about whom every house holds what it holds about the third-grader, every word of it
/// replaced by an attack; the guardian's resident number.
pub(crate) fn settle(people: &mut Population, like: &str, chance: &mut Chance) -> String {
    let (guardian, child) = family(people, like, chance, ("粕川 守", "カスカワ マモル"), NAME);
    let mut attacks = Attacks { next: 0 };
    for house in House::ALL {
        let Some(archive) = people.archives.get(&house).cloned() else { continue };
        let Some(model) = archive.numbers.get(like) else { continue };
        let model = format!("Patient/{model}");
        let number = known_at(people, house, like, &child, chance);
        for (place, mut record) in newcomers::lines(&archive.ndjson).enumerate() {
            let kind = record["resourceType"].as_str().unwrap_or_default().to_owned();
            let to_all = record.to_string().contains("\"Group/");
            let hers = record.to_string().contains(&format!("\"{model}\"")) || to_all;
            if !hers || ["Patient", "Group"].contains(&kind.as_str()) {
                continue;
            }
            record["id"] = json!(format!("{}x", record["id"].as_str().unwrap_or_default()));
            attacks.write_into(&mut record, &format!("Patient/{number}"));
            if place % 2 == 1
                && (kind == "Immunization" || kind == "AllergyIntolerance" || kind.starts_with("Medication"))
            {
                CODED.iter().for_each(|element| {
                    if let Some(concept) = record[*element].as_object_mut() {
                        concept.remove("coding");
                    }
                });
            }
            people.add(house, &record.to_string(), &record_key(&record), &[&child.number]);
        }
    }
    assert!(attacks.next > 200, "{} words replaced", attacks.next);
    guardian.number
}

/// The attacks, one after the other.
struct Attacks {
    next: usize,
}

impl Attacks {
    fn word(&mut self) -> String {
        self.next += 1;
        if self.next.is_multiple_of(23) {
            return "W".repeat(LONG);
        }
        ATTACKS[self.next % ATTACKS.len()].to_owned()
    }

    fn write_into(&mut self, value: &mut Value, patient: &str) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| self.write_into(value, patient)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value {
                        Value::String(text) if WORDS.contains(&name.as_str()) => *text = self.word(),
                        Value::String(text) if name == "reference" => patient.clone_into(text),
                        _ => self.write_into(value, patient),
                    }
                }
            }
            _ => {}
        }
    }
}

/// What of the attacks has become a part of the page.
const ALIVE: &str = "
    return [...document.querySelectorAll('script:not([src^=\"/assets/\"]), img, iframe, object, svg[onload], [onerror], \
        main style, main b, a[href^=\"javascript:\"], a[href*=\"evil.example\"], h1 ~ h1')].map(it => it.outerHTML.slice(0, 200));";

#[test]
fn hostile_records_are_words_and_nothing_else() {
    let scene = scene();
    let test = "hostile records";
    let Some(visit) = scene.guest(test, &scene.attacked, &[]) else { return };
    visit.settle();
    let person = visit.person("赤城");
    let personal = evidence::personal_data(&scene.people);
    let mut faults = Vec::new();
    let mut words = String::new();
    let paths = OF_A_CHILD.iter().map(|(path, name)| (format!("{person}{path}"), *name));
    for (path, name) in [("/".to_owned(), "home")].into_iter().chain(paths) {
        visit.open(&path);
        let mut here = visit.faults(&path, "ja", &personal);
        here.extend(visit.too_wide(Screen::PHONE));
        let alive = visit.browser.script(ALIVE, &[]).unwrap();
        here.extend(alive.as_array().unwrap().iter().map(|it| format!("alive: {it}")));
        let text = visit.browser.script("return document.body.textContent", &[]).unwrap();
        let text = text.as_str().unwrap();
        here.extend(text.contains(['\u{202E}', '\u{2066}']).then(|| "a direction override".to_owned()));
        words.push_str(text);
        faults.extend(here.into_iter().map(|fault| format!("{name}: {fault}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    // They were there to be shown, as they were written.
    for attack in ATTACKS.iter().filter(|attack| !attack.contains(['\u{202E}', '\u{2066}'])) {
        assert!(words.contains(attack), "{attack} is nowhere on the pages");
    }
    assert!(words.contains("txet desrever") && words.contains(&"W".repeat(100)), "tidied, not dropped");
    visit.assert_clean();
}
