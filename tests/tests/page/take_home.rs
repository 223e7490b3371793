//! What a guardian takes home: files for other programs, and paper.

use hibiki_tests::browser::{BrowserError, By};
use hibiki_tests::skip::skipped;
use serde_json::{Value, json};

use super::scene::scene;
use super::visit::Visit;

/// Gets a file as the page itself would: with its cookie and under its policy.
const FETCH: &str = "
    const done = arguments[arguments.length - 1];
    fetch(arguments[0]).then(async response => done({
        status: response.status,
        type: response.headers.get('content-type'),
        name: response.headers.get('content-disposition'),
        cache: response.headers.get('cache-control'),
        text: await response.text(),
    }), error => done({ error: String(error) }));";

fn fetch(visit: &Visit, path: &str) -> Value {
    let answer = visit.browser.script_that_waits(FETCH, &[json!(path)]).unwrap();
    assert_eq!(answer["status"], 200, "{path}: {answer}");
    assert_eq!(answer["cache"], "no-store", "{path}");
    answer
}

/// The text of a printed page without white space, and its sheets; `None`, said aloud, where nothing reads PDF.
fn print(visit: &Visit, test: &str) -> Option<(String, u32)> {
    let pdf = visit.browser.print().unwrap();
    match pdf.text() {
        Err(missing @ BrowserError::Missing(_)) => {
            skipped(test, &missing.to_string());
            None
        }
        text => {
            let text = text.unwrap().split_whitespace().collect();
            Some((text, pdf.sheets().unwrap()))
        }
    }
}

#[test]
fn files_and_paper_are_made_from_the_page() {
    let scene = scene();
    let test = "files and paper";
    let Some(visit) = scene.guest(test, &scene.mother, &[]) else { return };
    let person = visit.person(scene.child());
    let oneself = visit.person(scene.name(&scene.family.mother));
    visit.open(&format!("{person}/export"));
    let names = [scene.child(), "結菜", "赤城"];
    for (file, kind, begins) in
        [("ips.json", "application/fhir+json", "{"), ("calendar.ics", "text/calendar", "BEGIN:VCALENDAR\r\n")]
    {
        let path = format!("{person}/export/{file}");
        assert!(visit.browser.has(By::Css(&format!("main a[href='{path}']"))).unwrap(), "{path} is offered");
        let answer = fetch(&visit, &path);
        assert!(answer["type"].as_str().unwrap().starts_with(kind), "{answer}");
        let name = answer["name"].as_str().unwrap();
        assert!(name.starts_with("attachment") && !names.iter().any(|it| name.contains(it)), "{name}");
        let text = answer["text"].as_str().unwrap();
        assert!(text.starts_with(begins) && text.len() > 500, "{file}: {}", text.len());
    }
    let summary: Value =
        serde_json::from_str(fetch(&visit, &format!("{person}/export/ips.json"))["text"].as_str().unwrap())
            .unwrap();
    assert_eq!((&summary["resourceType"], &summary["type"]), (&json!("Bundle"), &json!("document")));
    assert_eq!(summary["entry"][0]["resource"]["resourceType"], "Composition");

    for (path, words) in [
        (person.clone(), vec!["まとめ", "赤城結菜"]),
        (format!("{person}/vaccinations"), vec!["予防接種", "日本脳炎", "こどもクリニック"]),
        (format!("{oneself}/rubella"), vec!["風しん", "赤城響子"]),
    ] {
        visit.open(&path);
        let Some((text, sheets)) = print(&visit, test) else { break };
        for words in words {
            assert!(text.contains(words), "{path}: {words} is on paper:\n{text}");
        }
        assert!(
            !text.contains("終了する") && !text.contains("もう一度問い合わせる"),
            "no buttons on paper: {text}"
        );
        println!("{path}: {sheets} sheets");
        if path.ends_with("/rubella") {
            assert_eq!(sheets, 1, "one sheet for the counter:\n{text}");
        }
    }
    visit.assert_clean();
}
