//! Every page, in both languages, on every screen: what must hold of all of them.

use std::collections::BTreeSet;

use hibiki_tests::browser::{Browser, By, Screen};
use hibiki_tests::evidence;

use super::pictures;
use super::scene::scene;
use super::visit::{Visit, WINDOW};

/// Pages about a child, below its own: path, and name of its picture.
pub(crate) const OF_A_CHILD: [(&str, &str); 12] = [
    ("", "person"),
    ("/vaccinations", "vaccinations"),
    ("/growth", "growth"),
    ("/growth/who", "growth-who"),
    ("/checkups", "checkups"),
    ("/medicines", "medicines"),
    ("/school", "school"),
    ("/lunch", "lunch"),
    ("/registration", "registration"),
    ("/access", "access"),
    ("/consent", "consent"),
    ("/export", "export"),
];
/// Pages about the card's holder: those that only she has, and those that are not alike.
const OF_ONESELF: [(&str, &str); 3] = [("/rubella", "rubella"), ("", OWN), ("/checkups", OWN)];
/// No picture: the guide shows a child's.
const OWN: &str = "her own";
/// Those that are drawn as a phone shows them, too.
const ON_A_PHONE: [&str; 2] = ["home", "vaccinations"];

#[test]
fn every_page_is_sound_and_fair_in_both_languages_on_every_screen() {
    let scene = scene();
    let test = "every page";
    let Some(visit) = scene.guest(test, &scene.mother, &[]) else { return };
    let (child, oneself) = (visit.person(scene.child()), visit.person(scene.name(&scene.family.mother)));
    let below = |base: &str, pages: &[(&str, &str)]| -> Vec<(String, String)> {
        pages.iter().map(|(path, name)| (format!("{base}{path}"), (*name).to_owned())).collect()
    };
    let mut pages = vec![("/".to_owned(), "home".to_owned())];
    pages.extend(below(&child, &OF_A_CHILD));
    pages.extend(below(&oneself, &OF_ONESELF));
    assert_known(&visit, &pages, &[&child, &oneself]);

    let personal = evidence::personal_data(&scene.people);
    let mut faults = Vec::new();
    for lang in ["ja", "en"] {
        for (path, name) in &pages {
            let mut here = Vec::new();
            visit.browser.resize(WINDOW).unwrap();
            visit.open(path);
            here.extend(visit.faults(path, lang, &personal));
            if lang == "ja" {
                if name != OWN {
                    pictures::draw(&visit.browser, name);
                }
                here.extend(visit.too_wide(WINDOW));
                here.extend(visit.unfair(test));
            }
            here.extend(visit.too_wide(Screen::ZOOMED));
            if lang == "ja" && ON_A_PHONE.contains(&name.as_str()) {
                visit.open(path);
                pictures::draw_phone(&visit.browser, name);
            }
            here.extend(visit.too_wide(Screen::PHONE));
            if lang == "en" {
                here.extend(visit.unfair(test));
                here.extend(untranslated(&visit.browser));
            }
            faults.extend(here.into_iter().map(|fault| format!("{lang} {name} {path}: {fault}")));
        }
        if lang == "ja" {
            visit.browser.resize(WINDOW).unwrap();
            visit.browser.click(By::Named("button", "English")).unwrap();
            visit.until("the page is in English", "return document.documentElement.lang === 'en'");
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    visit.assert_clean();
}

/// No page is missing above: everything that is linked is among them.
fn assert_known(visit: &Visit, pages: &[(String, String)], persons: &[&str]) {
    let known: BTreeSet<&str> = pages.iter().map(|(path, _)| path.as_str()).collect();
    for person in persons {
        visit.open(person);
        let linked =
            "return [...document.querySelectorAll('nav.pages a')].map(link => link.getAttribute('href'))";
        let linked = visit.browser.script(linked, &[]).unwrap();
        let linked: Vec<&str> = linked.as_array().unwrap().iter().filter_map(|path| path.as_str()).collect();
        assert!(linked.len() > 4, "{linked:?}");
        // The holder's own pages are the child's, but for those that are only hers.
        let unknown: Vec<&&str> = linked
            .iter()
            .filter(|path| {
                !known.contains(**path) && !OF_A_CHILD.iter().any(|(page, _)| path.ends_with(page))
            })
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

/// Sentences that stand on an English page in Japanese without saying so: a screen reader would read them wrong.
/// Records are in the language they were written in.
fn untranslated(browser: &Browser) -> Vec<String> {
    let find =
        "return [...document.querySelectorAll('h1, h2, button, nav a, caption, th[scope=col], footer')]
        .filter(it => it.closest('[lang]').lang === 'en')
        .map(it => [...it.childNodes].filter(node => node.nodeType === 3).map(node => node.data).join(' '))
        .filter(text => /[\\u3040-\\u30ff]/.test(text))";
    let found = browser.script(find, &[]).unwrap();
    found.as_array().unwrap().iter().map(|text| format!("not in English: {text}")).collect()
}
