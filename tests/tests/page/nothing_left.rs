//! The end: by the button, by going away; and what is left of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hibiki_tests::browser::By;
use hibiki_tests::evidence;
use hibiki_tests::skip::skipped;

use super::scene::scene;

/// Seconds after which a session ends by itself here: the fewest there are.
const IDLE: &str = "10";

/// What somebody without the cookie gets: status and text.
fn knock(url: &str) -> (u16, String) {
    let agent = ureq::Agent::new_with_config(
        ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build(),
    );
    let mut answer = agent.get(url).call().unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

/// Files a process has open; `None` where it may not be asked.
fn open_files(process: u32) -> Option<BTreeSet<PathBuf>> {
    let open = std::fs::read_dir(format!("/proc/{process}/fd")).ok()?.flatten();
    let files = open.filter_map(|file| std::fs::read_link(file.path()).ok());
    Some(files.filter(|file| file.is_absolute() && file.is_file()).collect())
}

#[test]
fn nothing_of_a_session_is_left() {
    let scene = scene();
    let test = "nothing is left";
    let receipts = scene.town.folder().join("receipts");
    let wanted = ["--idle", IDLE, "--receipts", receipts.to_str().unwrap()];
    let Some(visit) = scene.guest(test, &scene.mother, &wanted) else { return };
    let child = scene.people.resident(&scene.family.third_grader).unwrap().clone();
    let baby = scene.people.resident(&scene.family.baby).unwrap().clone();
    let mother = scene.people.resident(&scene.family.mother).unwrap().clone();

    // The link opened once, and nobody else comes in.
    for (url, what) in
        [(visit.page.link().to_owned(), "the used link"), (format!("{}/", visit.page.origin()), "the page")]
    {
        let (status, text) = knock(&url);
        assert_eq!(status, 403, "{what}");
        assert!(text.contains("このリンクは使えません") && !text.contains(&child.name), "{what}: {text}");
    }
    assert!(visit.page.knock().unwrap().starts_with("HTTP/1.1 403"));

    // Every kind of page has been on the screen.
    let person = visit.person(&child.name);
    for page in ["", "/growth", "/medicines", "/school", "/access", "/consent"] {
        visit.open(&format!("{person}{page}"));
    }
    visit.open(&person);
    assert!(visit.main().contains(&child.name));
    visit.browser.click(By::Named("button", "終了する")).unwrap();
    visit.browser.wait_for(By::Text("終了しました")).unwrap();
    visit.browser.wait_for(By::Text("に保存しました")).unwrap();
    let shows_nobody = |when: &str| {
        let source = visit.browser.source().unwrap();
        for name in [&child.name, &baby.name, &mother.name] {
            assert!(!source.contains(name.as_str()), "{when}: {name}");
        }
    };
    shows_nobody("after the end");
    for _ in 0..2 {
        visit.browser.back().unwrap();
        visit.browser.wait_for(By::Css("h1")).unwrap();
        shows_nobody("after Back");
    }
    assert_eq!(visit.unfair(test), Vec::<String>::new(), "the last page");

    // Somebody who goes away and leaves the card.
    visit.browser.goto(&format!("{}/", visit.page.origin())).unwrap();
    visit.browser.click(By::Named("button", "このカードでもう一度はじめる")).unwrap();
    visit.log_in();
    let idle = visit
        .browser
        .wait_for_within(By::Text("しばらく操作がなかったため終了しました"), Duration::from_secs(30));
    idle.map(drop).unwrap();
    shows_nobody("after a while");
    visit.assert_clean();

    // The terminal: what it had open, and what lies in its folder.
    match open_files(visit.page.id()) {
        None => skipped(test, "the terminal's open files cannot be listed by this user"),
        Some(files) => {
            let log = scene.town.folder().join("serve.log");
            let others: Vec<&PathBuf> = files.iter().filter(|file| **file != log).collect();
            assert!(others.is_empty(), "{others:?}");
        }
    }
    let said = visit.page.said();
    let personal = evidence::personal_data(&scene.people);
    assert_eq!(evidence::found_in(&said, &personal), Vec::<&str>::new(), "{said}");
    assert!(visit.page.stop().unwrap().success());
    assert_eq!(found_beside(scene.town.folder(), &personal), Vec::<String>::new());

    // Her receipts stay, as she wished; they tell of nobody.
    let judged = scene.town.verify_receipts(&receipts).unwrap().json;
    let count = |what: &str| judged["summary"][what].as_u64().unwrap();
    assert!(count("promised") > 6 && count("broken") + count("wrong") + count("unreadable") == 0, "{judged}");
    assert_eq!(found_beside(&receipts, &personal), Vec::<String>::new());

    // The browser: its profile, its caches, whatever it wrote.
    let left = visit.browser.end().unwrap();
    assert_eq!(left.reached_for().unwrap(), BTreeSet::new());
    let mut needles: BTreeSet<&str> = BTreeSet::new();
    for person in [&child, &baby, &mother] {
        for written in [&person.name, &person.kana] {
            needles.insert(written);
            needles.extend(written.split(' ').filter(|part| part.len() >= 6));
        }
    }
    assert!(needles.contains("結菜") && needles.contains("アカギ ユイナ"), "{needles:?}");
    assert_eq!(left.traces(needles.iter().copied()).unwrap(), vec![]);
    // The same search finds a name that was put there.
    let planted: Vec<u8> = child.name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(left.home().join("planted"), planted).unwrap();
    let traces = left.traces(needles.iter().copied()).unwrap();
    assert!(
        traces.iter().any(|trace| trace.needle == child.name && trace.file == Path::new("planted")),
        "{traces:?}"
    );
}

/// Personal data in the files that lie in a folder itself, as `file: piece`.
fn found_beside(folder: &Path, personal: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    let mut read = 0;
    for file in std::fs::read_dir(folder).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        let content = std::fs::read(file.path()).unwrap();
        read += content.len();
        let text = format!("{}{}", file.path().display(), String::from_utf8_lossy(&content));
        let name = file.file_name().to_string_lossy().into_owned();
        found.extend(evidence::found_in(&text, personal).into_iter().map(|piece| format!("{name}: {piece}")));
    }
    assert!(read > 0, "there is something to search");
    found
}
