//! A child with a thousand records: the page stays usable.

use std::time::Duration;

use hibiki_records::date::CalendarDate;
use hibiki_tests::chance::Chance;
use hibiki_tests::house::House;
use hibiki_tests::population::Population;
use serde_json::{Value, json};

use super::newcomers::{family, known_at};
use super::scene::scene;

const NAME: (&str, &str) = ("大胡 千尋", "オオゴ チヒロ");
const MEASURED: usize = 640;
const VACCINATED: usize = 160;
const NOTICES: usize = 200;

/// The promise: a second from the first answer to the first paint.
const PROMISED: Duration = Duration::from_secs(1);
/// What it may take on a machine that does much else.
const WORST: Duration = Duration::from_secs(3);

/// A guardian and her child with a thousand records; the guardian's resident number.
pub(crate) fn settle(people: &mut Population, like: &str, chance: &mut Chance) -> String {
    let (guardian, child) = family(people, like, chance, ("大胡 万里", "オオゴ マリ"), NAME);
    let day = |place: usize, of: usize| child.birth.plus_days((place * 2900 / of) as i32).unwrap();
    let patient = |number: &str| json!({ "reference": format!("Patient/{number}") });
    let clinic = known_at(people, House::Clinic, like, &child, chance);
    let school = known_at(people, House::School, like, &child, chance);
    let mut add = |house, record: Value| {
        let key = format!("{}/{}", record["resourceType"].as_str().unwrap(), record["id"].as_str().unwrap());
        people.add(house, &record.to_string(), &key, &[&child.number]);
    };
    for place in 0..MEASURED {
        add(House::Clinic, measured(place, day(place, MEASURED), &patient(&clinic)));
    }
    for place in 0..VACCINATED {
        add(House::Clinic, vaccinated(place, day(place, VACCINATED), &patient(&clinic)));
    }
    for place in 0..NOTICES {
        add(House::School, notice(place, day(place, NOTICES), &patient(&school)));
    }
    guardian.number
}

fn measured(place: usize, day: CalendarDate, subject: &Value) -> Value {
    let share = place as f64 / MEASURED as f64;
    let (code, word, value, unit) = if place.is_multiple_of(2) {
        ("8302-2", "身長", 49.0 + 85.0 * share, "cm")
    } else {
        ("29463-7", "体重", 3.0 + 28.0 * share, "kg")
    };
    json!({
        "resourceType": "Observation", "id": format!("m{place}"), "status": "final", "subject": subject,
        "code": { "coding": [{ "system": "http://loinc.org", "code": code }], "text": word },
        "effectiveDateTime": day.to_string(),
        "valueQuantity": { "value": (value * 10.0).round() / 10.0, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit },
    })
}

fn vaccinated(place: usize, day: CalendarDate, patient: &Value) -> Value {
    json!({
        "resourceType": "Immunization", "id": format!("v{place}"), "status": "completed", "patient": patient,
        "vaccineCode": { "coding": [{ "system": "http://hl7.org/fhir/sid/cvx", "code": "141" }], "text": "インフルエンザ" },
        "occurrenceDateTime": day.to_string(), "lotNumber": format!("TH{place:04}T"),
    })
}

fn notice(place: usize, day: CalendarDate, subject: &Value) -> Value {
    json!({
        "resourceType": "Communication", "id": format!("n{place}"), "status": "completed", "subject": subject,
        "topic": { "text": format!("お知らせ 第{place}号") }, "sent": format!("{day}T15:30:00+09:00"),
        "payload": [{ "contentString": "学級の様子をお知らせします。".repeat(12) }],
    })
}

/// Notes when the first part lands, and when the page that shows it is painted: two frames later, so that it is.
const WATCH: &str = "
    window.__seen = {};
    const note = name => { window.__seen[name] ??= performance.now(); };
    new EventSource('/events').addEventListener('part', () => note('landed'));
    new MutationObserver(() => requestAnimationFrame(() => requestAnimationFrame(() => {
        note('painted');
        if (document.querySelector('#coverage .whole')) note('complete');
    }))).observe(document.getElementById('main'), { childList: true });";

/// How long a page takes to be made, and how long it is.
const FETCH: &str = "
    const done = arguments[arguments.length - 1];
    (async () => {
        const times = [];
        let size = 0;
        for (let round = 0; round < 5; round++) {
            const began = performance.now();
            size = (await (await fetch(location.pathname, { cache: 'no-store' })).text()).length;
            times.push(performance.now() - began);
        }
        times.sort((a, b) => a - b);
        done({ median: times[2], size });
    })();";

#[test]
fn a_thousand_records_are_painted_within_a_second_of_the_first_answer() {
    let scene = scene();
    let Some(visit) = scene.guest("a thousand records", &scene.busy, &[]) else { return };
    let person = visit.person(NAME.0);
    let held = [House::Clinic, House::School];
    for page in ["/growth", "/vaccinations", "/school"] {
        visit.open(&format!("{person}{page}"));
        held.iter().for_each(|house| scene.town.node(*house).freeze());
        visit.press_again();
        let others = "return document.querySelector('#coverage progress')?.value === 4";
        visit.until("everybody else has answered", others);
        visit.browser.script(WATCH, &[]).unwrap();
        held.iter().for_each(|house| scene.town.node(*house).thaw());
        visit.until("all is painted", "return window.__seen.complete !== undefined");
        let seen = visit.browser.script("return window.__seen", &[]).unwrap();
        let at = |name: &str| Duration::from_secs_f64(seen[name].as_f64().unwrap() / 1000.0);
        let (first, all) = (at("painted") - at("landed"), at("complete") - at("landed"));
        let made = visit.browser.script_that_waits(FETCH, &[]).unwrap();
        println!(
            "a thousand records, {page}: first paint {first:?} after the first answer, complete {all:?}; the page is \
             made and fetched in {:.0} ms ({} characters){}",
            made["median"].as_f64().unwrap(),
            made["size"],
            if first > PROMISED { " LATE" } else { "" }
        );
        assert!(first < WORST, "{page}: {first:?}");
        assert!(made["median"].as_f64().unwrap() < 1_000.0, "{page}: {made}");
        assert!(made["size"].as_u64().unwrap() > 10_000, "{page}: {made}");
    }
    visit.open(&format!("{person}/school"));
    assert!(
        visit.main().contains("お知らせ 第0号") && visit.main().contains("お知らせ 第199号"),
        "none is left out"
    );
    visit.assert_clean();
}
