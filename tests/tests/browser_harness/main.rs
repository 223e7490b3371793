//! The browser harness, held against a page whose faults were planted: it does what it says, and it finds what
//! is there to be found.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod site;

use std::time::Duration;

use hibiki_tests::browser::{Browser, BrowserError, By, Key, Screen, Settings};
use hibiki_tests::clock::Stopwatch;
use hibiki_tests::skip::skipped;
use site::Site;

fn browser(test: &str) -> Option<Browser> {
    Browser::start_or_skip(test, &Settings::default())
}

#[test]
fn it_finds_as_people_do_and_clicks_taps_and_types() {
    let Some(browser) = browser("finding and acting") else { return };
    let site = Site::serve();
    browser.goto(&site.at("/")).unwrap();
    assert_eq!(browser.url().unwrap(), site.at("/"));
    assert_eq!(browser.title().unwrap(), "試しのページ");
    assert!(browser.text().unwrap().contains("こんにちは"));
    assert_eq!(browser.find(By::Css("#greeting")).unwrap().text().unwrap(), "こんにちは");
    assert_eq!(browser.find(By::Text("こんに")).unwrap().tag().unwrap(), "h1", "the innermost");
    assert!(!browser.has(By::Text("見えない文")).unwrap(), "what is hidden is not there");
    let button = browser.find(By::Named("button", "閉じる")).unwrap();
    assert_eq!(button.attribute("id").unwrap().as_deref(), Some("named-by-label"));
    assert_eq!((button.role().unwrap(), button.name().unwrap()), ("button".into(), "閉じる".into()));
    assert_eq!(browser.find_all(By::Role("button")).unwrap().len(), 3);
    let absent = browser.find(By::Named("button", "ない")).map(drop).unwrap_err().to_string();
    assert!(
        absent.contains("the button “ない” is not on the page") && absent.contains("こんにちは"),
        "{absent}"
    );

    // The button that counts tells mouse from finger.
    browser.click(By::Named("button", "数える")).unwrap();
    browser.wait_for(By::Text("1回目: mouse")).unwrap();
    browser.resize(Screen::PHONE).unwrap();
    browser.tap(By::Named("button", "数える")).unwrap();
    browser.wait_for(By::Text("2回目: touch")).unwrap();

    browser.click(By::Css("#field")).unwrap();
    browser.type_text("12").unwrap();
    browser.press(Key::Left).unwrap();
    browser.type_text("響").unwrap();
    let field = browser.find(By::Css("#field")).unwrap();
    assert_eq!(field.value().unwrap(), "1響2");
    browser.press(Key::Enter).unwrap();
    browser
        .wait_until("the form is sent", Duration::from_secs(10), |b| Ok(b.url()?.contains("/sent?")))
        .unwrap();
    assert_eq!(browser.text().unwrap().trim(), "届きました");
    browser.back().unwrap();
    assert_eq!(browser.title().unwrap(), "試しのページ");
    browser.reload().unwrap();
    browser.goto(&site.at("/#field")).unwrap();
    browser.goto(&site.at("/#greeting")).unwrap();
    assert!(browser.source().unwrap().contains("<h1"));
    assert!(matches!(
        browser.script("throw new Error('nein')", &[]),
        Err(BrowserError::Refused { message, .. }) if message.contains("nein")
    ));
}

#[test]
fn it_waits_no_longer_than_it_must_and_not_for_ever() {
    let Some(browser) = browser("waiting") else { return };
    let site = Site::serve();
    browser.begin(&site.at("/slow")).unwrap();
    browser.wait_for(By::Text("はじめ")).unwrap();
    assert!(!browser.has(By::Text("おわり")).unwrap(), "the second half has not come yet");
    site.let_go();
    browser.wait_for(By::Text("おわり")).unwrap();
    browser.goto(&site.at("/")).unwrap();
    let watch = Stopwatch::start();
    let never = browser.wait_for_within(By::Text("ない"), Duration::from_millis(300)).map(drop).unwrap_err();
    assert!(
        matches!(never, BrowserError::TimedOut { .. }) && watch.elapsed() < Duration::from_secs(3),
        "{never}"
    );
    assert!(never.to_string().contains("こんにちは"), "it shows the page: {never}");
    browser.click(By::Css("#vanish")).unwrap();
    browser.wait_gone(By::Css("#vanish")).unwrap();
}

#[test]
fn it_walks_by_keyboard_and_sees_the_focus() {
    let Some(browser) = browser("walking by keyboard") else { return };
    let site = Site::serve();
    browser.goto(&site.at("/")).unwrap();
    // Wherever the focus is before, the walk begins at the top.
    browser.click(By::Css("#field")).unwrap();
    let walked = browser.walk(Key::Tab, 20).unwrap();
    let ids: Vec<&str> = walked.iter().map(|focused| focused.id.as_str()).collect();
    assert_eq!(
        ids,
        ["link", "count", "named-by-label", "field", "vanish", "choice-a"],
        "radios are one stop"
    );
    let unseen: Vec<&str> = walked.iter().filter(|f| !f.visible).map(|f| f.id.as_str()).collect();
    assert_eq!(unseen, ["vanish"], "the one whose outline was taken away");
    assert_eq!((walked[0].role.as_str(), walked[0].name.as_str()), ("link", "次へ"));
    assert!(walked.iter().all(|focused| focused.on_screen && focused.height > 0));
    browser.find(By::Css("#choice-a")).unwrap().click().unwrap();
    let ids: Vec<String> = browser.walk(Key::Down, 1).unwrap().into_iter().map(|f| f.id).collect();
    assert_eq!(ids, ["choice-b"]);
    browser.chord(&[Key::Shift, Key::Tab]).unwrap();
    assert_eq!(browser.focus().unwrap().unwrap().id, "vanish");
}

#[test]
fn it_shows_screens_languages_and_paper() {
    let Some(browser) = browser("screens, languages and paper") else { return };
    let site = Site::serve();
    browser.goto(&site.at("/")).unwrap();
    assert_eq!(site.last("accept-language").unwrap(), "ja,en-US;q=0.9,en;q=0.8");
    browser.speak("en-GB,en").unwrap();
    browser.reload().unwrap();
    assert!(site.last("accept-language").unwrap().starts_with("en-GB"));
    assert_eq!(browser.script("return navigator.language", &[]).unwrap(), "en-GB");

    let width = || browser.script("return [innerWidth, innerHeight, devicePixelRatio]", &[]).unwrap();
    assert_eq!(width(), serde_json::json!([1280, 800, 1]));
    assert_eq!(browser.overflow().unwrap(), 0);
    browser.resize(Screen::ZOOMED).unwrap();
    assert_eq!(width(), serde_json::json!([640, 400, 2]));
    browser.resize(Screen::PHONE).unwrap();
    assert_eq!(browser.script("return document.documentElement.clientWidth", &[]).unwrap(), 360);
    let overflow = browser.overflow().unwrap();
    assert!((40..=41).contains(&overflow), "one line is 400 wide, give or take rounding: {overflow}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("whole.png");
    browser.screenshot(&file).unwrap();
    let png = std::fs::read(&file).unwrap();
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert!(
        png.starts_with(b"\x89PNG") && (800..=802).contains(&number(16)) && number(20) > 2 * 3000,
        "two dots a pixel, all of it"
    );

    browser.prefer(&[("prefers-color-scheme", "dark")]).unwrap();
    let dark = browser.script("return matchMedia('(prefers-color-scheme: dark)').matches", &[]).unwrap();
    assert_eq!(dark, true);
    let pdf = browser.print().unwrap();
    match pdf.text() {
        Err(missing @ BrowserError::Missing(_)) => skipped("the printed page", &missing.to_string()),
        text => {
            let text = text.unwrap();
            assert!(
                text.contains("こんにちは") && text.contains("紙だけ") && !text.contains("次へ"),
                "{text}"
            );
            assert!(pdf.sheets().unwrap() > 1, "3000 pixels are more than one sheet");
        }
    }
}

#[test]
fn it_hears_every_complaint_and_every_call_to_a_stranger() {
    let Some(browser) = browser("complaints and strangers") else { return };
    let site = Site::serve();
    browser.goto(&site.at("/sent")).unwrap();
    assert_eq!(browser.complaints().unwrap(), Vec::<String>::new());
    assert_eq!(browser.foreign_requests().unwrap(), Vec::<String>::new());
    assert!(browser.requests().unwrap().contains(&format!("GET {}", site.at("/sent"))));

    browser.goto(&site.at("/bad")).unwrap();
    browser.wait_for(By::Text("全部試した")).unwrap();
    let complaints = browser.complaints().unwrap().join("\n");
    for planted in ["planted complaint", "planted exception", "404"] {
        assert!(complaints.contains(planted), "{planted}: {complaints}");
    }
    let violations = browser.policy_violations().unwrap().join("\n");
    for planted in ["inline script", "inline style", "http://stranger.example/picture.png"] {
        assert!(violations.contains(planted), "{planted}: {violations}");
    }
    let strangers = browser.foreign_requests().unwrap().join("\n");
    for planted in ["http://stranger.example/picture.png", "http://allowed.example/beacon"] {
        assert!(strangers.contains(planted), "{planted}: {strangers}");
    }
    assert!(!strangers.contains("127.0.0.1"), "{strangers}");
    // What no request shows: a connection made ahead.
    let called = browser.end().unwrap().reached_for().unwrap();
    for planted in ["http://allowed.example/beacon", "http://ahead.example"] {
        assert!(called.contains(planted), "{planted}: {called:?}");
    }

    let browser = Browser::start(&Settings::default()).unwrap();
    browser.goto(&site.at("/")).unwrap();
    assert_eq!(browser.end().unwrap().reached_for().unwrap(), std::collections::BTreeSet::new());
}

#[test]
fn a_name_that_was_rebound_reaches_this_machine() {
    let settings = Settings { rebound: vec!["evil.example".into()], ..Settings::default() };
    let Some(browser) = Browser::start_or_skip("a rebound name", &settings) else { return };
    let site = Site::serve();
    let address = site.at("/sent").replace("127.0.0.1", "evil.example");
    browser.goto(&address).unwrap();
    assert!(site.last("host").unwrap().starts_with("evil.example:"));
    assert!(browser.foreign_requests().unwrap().contains(&format!("GET {address}")));
}

#[test]
fn axe_runs_under_a_strict_policy_and_finds_what_was_planted() {
    let test = "axe finds what was planted";
    let Some(browser) = browser(test) else { return };
    let site = Site::serve();
    browser.goto(&site.at("/")).unwrap();
    let Some(found) = browser.axe_or_skip(test).unwrap() else { return };
    assert_eq!(found, Vec::<String>::new());
    browser.goto(&site.at("/unfair")).unwrap();
    let found = browser.axe().unwrap();
    let rules: Vec<&str> = found.iter().map(|violation| violation.rule.as_str()).collect();
    for planted in ["color-contrast", "label", "image-alt", "html-has-lang"] {
        assert!(rules.contains(&planted), "{planted}: {rules:?}");
    }
    let contrast = found.iter().find(|violation| violation.rule == "color-contrast").unwrap();
    assert_eq!((contrast.impact.as_str(), contrast.places.join(" ")), ("serious", "#pale".to_owned()));
    assert!(contrast.to_string().starts_with("color-contrast (serious): Elements must"), "{contrast}");
    assert_eq!(
        browser.policy_violations().unwrap(),
        Vec::<String>::new(),
        "the checker itself violates nothing"
    );
}

#[test]
fn what_a_page_leaves_behind_is_found() {
    let Some(browser) = browser("traces") else { return };
    let site = Site::serve();
    browser.goto(&site.at("/sticky")).unwrap();
    browser.wait_for(By::Text("置いた")).unwrap();
    let stored = browser.stored().unwrap().join("\n");
    for kind in ["localStorage: kept", "sessionStorage: kept", "IndexedDB: kept", "cache: kept"] {
        assert!(stored.contains(kind), "{kind}: {stored}");
    }
    let cookies = browser.cookies().unwrap();
    let cookie = cookies.iter().find(|cookie| cookie.name == "session").unwrap();
    assert!(cookie.http_only && cookie.of_session && cookie.same_site == "Strict" && cookie.value == "abc");
    browser.script("document.querySelector('#save').click()", &[]).unwrap();
    let saved = browser.downloaded().unwrap();
    assert_eq!(std::fs::read_to_string(saved).unwrap(), "BEGIN:VCALENDAR\r\n");
    let home = browser.folder().to_owned();
    let left = browser.end().unwrap();
    // A title goes into the history, a cached answer onto the disk, a value into a database.
    let traces = left.traces(["赤城 結菜", "kept-in-storage", "決して出ない名"]).unwrap();
    let of = |needle: &str| traces.iter().filter(|trace| trace.needle == needle).collect::<Vec<_>>();
    assert!(of("赤城 結菜").iter().any(|trace| trace.file.ends_with("History")), "{traces:?}");
    assert!(!of("kept-in-storage").is_empty(), "{traces:?}");
    assert!(of("決して出ない名").is_empty(), "{traces:?}");
    assert!(left.traces(["kurz"]).is_err() && left.traces([]).is_err(), "a search that proves nothing");
    drop(left);
    assert!(!home.exists(), "the folder goes with the browser");
}

#[test]
fn a_browser_of_somebody_else_is_taken_over_and_left_running() {
    let Some(theirs) = browser("taking a browser over") else { return };
    let site = Site::serve();
    theirs.goto(&site.at("/")).unwrap();
    let ours = Browser::attach(theirs.debugger()).unwrap();
    assert_eq!(ours.url().unwrap(), site.at("/"));
    ours.click(By::Named("link", "次へ")).unwrap();
    ours.wait_for(By::Text("届きました")).unwrap();
    assert!(ours.requests().unwrap().iter().any(|request| request.contains("/sent")));
    drop(ours);
    assert_eq!(theirs.text().unwrap().trim(), "届きました");
}

#[test]
fn nothing_is_left_running() {
    let Some(first) = browser("ending") else { return };
    let home = first.folder().display().to_string();
    assert!(running(&home) > 2, "driver, browser, renderer");
    first.tear_down().unwrap().traces(["nothing at all"]).unwrap();
    assert_eq!(running(&home), 0);

    let second = Browser::start(&Settings::default()).unwrap();
    let home = second.folder().display().to_string();
    let panicked = std::thread::spawn(move || {
        let _browser = second;
        panic!("as a test that fails does");
    });
    assert!(panicked.join().is_err());
    assert!(hibiki_tests::clock::wait_until(Duration::from_secs(10), || running(&home) == 0));
}

/// Processes in whose arguments or environment a folder stands.
fn running(folder: &str) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let told = |path: &std::path::PathBuf| {
        ["cmdline", "environ"].iter().any(|file| {
            std::fs::read(path.join(file)).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(folder))
        })
    };
    processes.filter(told).count()
}
