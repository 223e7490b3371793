//! A guardian at her terminal: the page, and the browser that shows it.

use std::collections::BTreeSet;
use std::sync::Once;

use hibiki_tests::browser::{Browser, BrowserError, By, Key, PATIENCE, Screen, Settings as Wishes};
use hibiki_tests::evidence;
use hibiki_tests::skip::skipped;
use hibiki_tests::town::cards::PIN;
use hibiki_tests::town::{Card, Page};
use serde_json::{Value, json};

use super::scene::Scene;

/// A window on a PC, as the pictures show it.
pub(crate) const WINDOW: Screen = Screen { width: 1100, height: 800, density: 1.0, phone: false };

/// What is true of every page, as far as its own script can see: status, headings, language.
const SOUND: &str = "
    const [navigation] = performance.getEntriesByType('navigation');
    return {
        status: navigation.responseStatus,
        h1: document.querySelectorAll('h1').length,
        lang: document.documentElement.lang,
        title: document.title,
        skip: document.querySelector('.skip') !== null,
        pwned: window.pwned ?? null,
    };";

/// A terminal that serves the page, and the browser that opened its link. The browser ends last.
pub(crate) struct Visit {
    pub(crate) page: Page,
    pub(crate) browser: Browser,
}

impl Scene {
    /// Serves the page for a card and opens its link; `None`, said aloud, where there is no browser.
    pub(crate) fn visit(&self, test: &str, card: &Card, more: &[&str]) -> Option<Visit> {
        let wishes = Wishes { screen: WINDOW, ..Wishes::default() };
        let browser = Browser::start_or_skip(test, &wishes)?;
        // On a page that glides, nothing is where it will be.
        browser.prefer(&[("prefers-reduced-motion", "reduce")]).unwrap();
        let page = self.town.serve(card, more).unwrap();
        browser.goto(page.link()).unwrap();
        Some(Visit { page, browser })
    }

    /// The same, and logs in.
    pub(crate) fn guest(&self, test: &str, card: &Card, more: &[&str]) -> Option<Visit> {
        let visit = self.visit(test, card, more)?;
        visit.log_in();
        Some(visit)
    }
}

impl Visit {
    /// Types the PIN when it is asked for, and waits for the first page.
    pub(crate) fn log_in(&self) {
        self.browser.wait_for(By::Css("#pin")).unwrap();
        self.browser.type_text(PIN).unwrap();
        self.browser.press(Key::Enter).unwrap();
        self.browser.wait_for(By::Css(".people")).unwrap();
    }

    /// Opens a page of ours and waits until nothing more will land on it.
    pub(crate) fn open(&self, path: &str) {
        self.browser.goto(&format!("{}{path}", self.page.origin())).unwrap();
        self.settle();
    }

    /// Waits until nothing more will land on the page.
    pub(crate) fn settle(&self) {
        // On the first page, whoever has not been asked about yet has no line of her own; the holder never needs one.
        let settled = "const count = selector => document.querySelectorAll(selector).length;
            return count('#main') === 1 && count('#main progress') === 0
                && count('.person-card') - 1 <= count('.person-card [role=status]');";
        self.until("everything has landed", settled);
    }

    /// Where the pages about a person begin, by her name on the first page.
    pub(crate) fn person(&self, name: &str) -> String {
        self.open("/");
        let find = "return [...document.querySelectorAll('.people h2 a')]
            .find(link => link.innerText.includes(arguments[0]))?.getAttribute('href') ?? null";
        let found = self.browser.script(find, &[json!(name)]).unwrap();
        found.as_str().unwrap_or_else(|| panic!("{name} is on the first page")).to_owned()
    }

    /// What the main part says now.
    pub(crate) fn main(&self) -> String {
        let text = self.browser.script("return document.getElementById('main')?.innerText ?? ''", &[]);
        text.unwrap().as_str().unwrap_or_default().to_owned()
    }

    /// Waits until a script says yes.
    pub(crate) fn until(&self, what: &str, script: &str) {
        let wait =
            self.browser.wait_until(what, PATIENCE, |browser| Ok(browser.script(script, &[])? == true));
        wait.unwrap();
    }

    /// Presses the button that asks every institution again, without waiting for any.
    pub(crate) fn press_again(&self) {
        let change = "return document.body.dataset.change";
        let before = self.browser.script(change, &[]).unwrap();
        self.browser.click(By::Named("button", "もう一度問い合わせる")).unwrap();
        let wait = self.browser.wait_until("the question is under way", PATIENCE, |browser| {
            Ok(browser.script(change, &[])? != before)
        });
        wait.unwrap();
    }

    /// The same, and waits for all of them.
    pub(crate) fn ask_again(&self) {
        self.press_again();
        self.settle();
    }

    /// What is wrong with the page as it is now: what must hold of every page.
    pub(crate) fn faults(&self, path: &str, lang: &str, personal: &BTreeSet<String>) -> Vec<String> {
        let mut faults = Vec::new();
        let sound = self.browser.script(SOUND, &[]).unwrap();
        let mut expect = |what: &str, seen: &Value, wanted: Value| {
            if *seen != wanted {
                faults.push(format!("{what} is {seen}, not {wanted}"));
            }
        };
        expect("the status", &sound["status"], json!(200));
        expect("the number of h1", &sound["h1"], json!(1));
        expect("the language", &sound["lang"], json!(lang));
        expect("a link past the navigation", &sound["skip"], json!(true));
        expect("what a foreign script left", &sound["pwned"], Value::Null);
        let url = self.browser.url().unwrap();
        expect("the address", &json!(url), json!(format!("{}{path}", self.page.origin())));
        // What browsers keep in their history.
        let kept = format!("{url} {}", sound["title"]);
        for piece in evidence::found_in(&kept, personal) {
            faults.push(format!("address or title say {piece}: {kept}"));
        }
        faults
    }

    /// By how much the page is too wide on this screen, all of it unfolded.
    pub(crate) fn too_wide(&self, screen: Screen) -> Vec<String> {
        self.browser.resize(screen).unwrap();
        self.unfold();
        let overflow = self.browser.overflow().unwrap();
        if overflow <= 0 { Vec::new() } else { vec![format!("{overflow} px too wide at {}", screen.width)] }
    }

    /// Opens everything that is folded.
    pub(crate) fn unfold(&self) {
        let unfold = "for (const it of document.querySelectorAll('details')) it.open = true";
        self.browser.script(unfold, &[]).unwrap();
    }

    /// What axe-core finds on the page as it is now; nothing, said aloud once, where it is not installed.
    pub(crate) fn unfair(&self, test: &str) -> Vec<String> {
        static SAID: Once = Once::new();
        match self.browser.axe() {
            Ok(found) => found.iter().map(ToString::to_string).collect(),
            Err(missing @ BrowserError::Missing(_)) => {
                SAID.call_once(|| skipped(&format!("accessibility, {test}"), &missing.to_string()));
                Vec::new()
            }
            Err(failed) => panic!("{failed}"),
        }
    }

    /// What went wrong since the browser started: errors in the console, violations of the page's policy,
    /// requests to anybody but this machine, things put aside in the browser.
    #[track_caller]
    pub(crate) fn assert_clean(&self) {
        assert_eq!(self.browser.complaints().unwrap(), Vec::<String>::new(), "console and policy");
        assert_eq!(self.browser.foreign_requests().unwrap(), Vec::<String>::new(), "calls to strangers");
        assert_eq!(self.browser.stored().unwrap(), Vec::<String>::new(), "put aside in the browser");
    }
}
