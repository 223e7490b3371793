//! A real Chromium, driven as a person would use it.
//!
//! Chromium is Debian's own, headless, with a profile of its own in a folder of its own; chromedriver speaks
//! [WebDriver](https://www.w3.org/TR/webdriver2/) for it. Nothing it does reaches another machine: every host
//! but 127.0.0.1 leads to a closed port, and who tried is told ([`Browser::foreign_requests`], [`Left::reached_for`]).
//!
//! ```text
//! Browser::start ─► goto, click, press, text … ─► complaints, axe, print, screenshot ─► end ─► Left: what is on its disk
//! ```
//! Nothing here waits longer than it must: everything that may take time is asked for again and again until a
//! deadline. Must not know what the pages are about.

mod act;
mod axe;
mod by;
mod element;
mod error;
mod keys;
mod left;
mod look;
mod pdf;
mod process;
mod screen;
mod walk;
mod watch;
mod wire;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock;
use crate::skip::skipped;
use process::Driver;
use watch::Watched;
use wire::Session;

pub use axe::Violation;
pub use by::By;
pub use element::Element;
pub use error::BrowserError;
pub use keys::Key;
pub use left::{Left, Trace};
pub use look::Cookie;
pub use pdf::Pdf;
pub use screen::Screen;
pub use walk::Focused;

/// How long a page may take to become what a test waits for, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// What differs between browsers.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Languages it asks for, as in `Accept-Language`.
    pub languages: String,
    /// Screen it has.
    pub screen: Screen,
    /// Host names that lead to 127.0.0.1, such as an attacker's whose name was rebound.
    pub rebound: Vec<String>,
    /// More arguments for Chromium.
    pub arguments: Vec<String>,
}

impl Default for Settings {
    /// A guardian's PC in Japan.
    fn default() -> Self {
        Self {
            languages: "ja,en-US;q=0.7,en;q=0.3".to_owned(),
            screen: Screen::DESK,
            rebound: Vec::new(),
            arguments: Vec::new(),
        }
    }
}

fn own_folder() -> Result<tempfile::TempDir, BrowserError> {
    let made = tempfile::Builder::new().prefix("hibiki-browser-").tempdir();
    made.map_err(|error| BrowserError::System("making the browser's folder", error))
}

/// A browser with one window. Dropping it ends it and removes everything it wrote.
pub struct Browser {
    // Ended in this order.
    session: Session,
    driver: Driver,
    /// Process id, of one that was started here.
    chromium: Option<u32>,
    debugger: String,
    watched: Watched,
    folder: tempfile::TempDir,
}

impl Browser {
    /// Starts Chromium, with an empty page.
    ///
    /// # Errors
    /// [`BrowserError::Missing`] where Chromium or its driver is not installed; others where they do not start.
    pub fn start(settings: &Settings) -> Result<Self, BrowserError> {
        let programs = process::Programs::find()?;
        let folder = own_folder()?;
        let driver = Driver::launch(&programs, folder.path())?;
        let wanted = process::capabilities(folder.path(), settings);
        let (session, capabilities) = Session::open(driver.address(), &wanted)?;
        let chromium = capabilities["goog:processID"].as_u64().and_then(|id| u32::try_from(id).ok());
        let debugger = capabilities["goog:chromeOptions"]["debuggerAddress"].as_str().unwrap_or_default();
        let debugger = debugger.to_owned();
        let browser = Self { session, driver, chromium, debugger, watched: Watched::default(), folder };
        browser.resize(settings.screen)?;
        browser.speak(&settings.languages)?;
        Ok(browser)
    }

    /// Starts Chromium for a test; `None`, said aloud, where it is not installed.
    ///
    /// # Panics
    /// It is installed and does not start: that is no reason to skip a test.
    #[expect(clippy::panic, reason = "the test fails")]
    pub fn start_or_skip(test: &str, settings: &Settings) -> Option<Self> {
        match Self::start(settings) {
            Ok(browser) => Some(browser),
            Err(missing @ BrowserError::Missing(_)) => {
                skipped(test, &missing.to_string());
                None
            }
            Err(failed) => panic!("{failed}"),
        }
    }

    /// Takes over a Chromium that somebody else started with `--remote-debugging-port`, as it is, such as a
    /// kiosk's: `address` is where it listens. Whoever started it ends it.
    ///
    /// # Errors
    /// Chromium's driver is not installed, or nobody answers there.
    pub fn attach(address: &str) -> Result<Self, BrowserError> {
        let programs = process::Programs::find()?;
        let folder = own_folder()?;
        let listens = || std::net::TcpStream::connect(address).is_ok();
        if !clock::wait_until(PATIENCE, listens) {
            return Err(BrowserError::Started(format!("nobody listens at {address}")));
        }
        let driver = Driver::launch(&programs, folder.path())?;
        let (session, _) = Session::open(driver.address(), &process::capabilities_of(address))?;
        Ok(Self {
            session,
            driver,
            chromium: None,
            debugger: address.to_owned(),
            watched: Watched::default(),
            folder,
        })
    }

    /// Where the browser itself listens for DevTools.
    pub fn debugger(&self) -> &str {
        &self.debugger
    }

    /// Opens an address and waits until everything of it is loaded.
    ///
    /// # Errors
    /// It does not load.
    pub fn goto(&self, url: &str) -> Result<(), BrowserError> {
        let before = self.page_number()?;
        self.begin(url)?;
        let other_part = |at: &str| at.split('#').next() == url.split('#').next();
        if url.contains('#') && other_part(&self.url()?) && self.page_number()? == before {
            return Ok(());
        }
        self.wait_until("the page is loaded", PATIENCE, |browser| {
            Ok(browser.page_number()? != before && browser.is_loaded()?)
        })
    }

    /// Begins to open an address and waits for nothing: for pages that arrive in parts.
    ///
    /// # Errors
    /// The browser refuses.
    pub fn begin(&self, url: &str) -> Result<(), BrowserError> {
        self.session.post("url", &json!({ "url": url })).map(drop)
    }

    /// Loads the page again and waits until it is there.
    ///
    /// # Errors
    /// It does not load.
    pub fn reload(&self) -> Result<(), BrowserError> {
        self.away("refresh")
    }

    /// Goes back to the page before and waits until it is there.
    ///
    /// # Errors
    /// It does not load.
    pub fn back(&self) -> Result<(), BrowserError> {
        self.away("back")
    }

    fn away(&self, command: &str) -> Result<(), BrowserError> {
        let before = self.page_number()?;
        self.session.post(command, &json!({}))?;
        self.wait_until("the page is loaded", PATIENCE, |browser| {
            Ok(browser.page_number()? != before && browser.is_loaded()?)
        })
    }

    /// A number no other page has: when it began, or came back from the cache of pages, by the browser's clock.
    fn page_number(&self) -> Result<Value, BrowserError> {
        self.script(
            "if (window.__page === undefined) {
                 window.__page = performance.timeOrigin;
                 addEventListener('pageshow', event => { if (event.persisted) window.__page += 0.001; });
             }
             return window.__page;",
            &[],
        )
    }

    fn is_loaded(&self) -> Result<bool, BrowserError> {
        Ok(self.script("return document.readyState", &[])? == "complete")
    }

    /// Asks until the answer is yes. A page that changes under the question is asked again.
    ///
    /// # Errors
    /// [`BrowserError::TimedOut`] with the page as it is then, or whatever else the question fails with.
    pub fn wait_until(
        &self,
        what: &str,
        patience: Duration,
        mut question: impl FnMut(&Self) -> Result<bool, BrowserError>,
    ) -> Result<(), BrowserError> {
        let mut failed = None;
        let yes = clock::wait_until(patience, || match question(self) {
            Ok(answer) => answer,
            Err(error) if error.is_passing() => false,
            Err(error) => {
                failed = Some(error);
                true
            }
        });
        match failed {
            Some(error) => Err(error),
            None if yes => Ok(()),
            None => Err(BrowserError::TimedOut { what: what.to_owned(), patience, page: self.glimpse() }),
        }
    }

    /// Runs the body of a function in the page; its result. Elements may be given as [`Element::argument`].
    ///
    /// # Errors
    /// It throws.
    pub fn script(&self, body: &str, arguments: &[Value]) -> Result<Value, BrowserError> {
        self.session.post("execute/sync", &json!({ "script": body, "args": arguments }))
    }

    /// The same for a function that calls its last argument when it has its result.
    ///
    /// # Errors
    /// It throws, or takes more than 30 seconds.
    pub fn script_that_waits(&self, body: &str, arguments: &[Value]) -> Result<Value, BrowserError> {
        self.session.post("execute/async", &json!({ "script": body, "args": arguments }))
    }

    /// A command of the DevTools protocol.
    fn devtools(&self, command: &str, parameters: &Value) -> Result<Value, BrowserError> {
        self.session.post("goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// Ends the browser as its window's cross does, and returns what it left on the disk.
    ///
    /// # Errors
    /// It does not end.
    pub fn end(mut self) -> Result<Left, BrowserError> {
        self.session.close()?;
        self.over()
    }

    /// Ends it at once (SIGKILL), as a power cut does: it can clear nothing away.
    ///
    /// # Errors
    /// It does not end.
    pub fn tear_down(self) -> Result<Left, BrowserError> {
        if let Some(id) = self.chromium {
            process::kill(id);
        }
        self.over()
    }

    fn over(self) -> Result<Left, BrowserError> {
        let Self { session, driver, chromium, folder, .. } = self;
        let ended = chromium.is_none_or(|id| clock::wait_until(PATIENCE, || process::is_gone(id)));
        drop((session, driver));
        if ended { Ok(Left::new(folder)) } else { Err(BrowserError::Started("Chromium does not end".into())) }
    }

    /// Everything the browser writes lies here.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file that was downloaded last, once it is whole.
    ///
    /// # Errors
    /// None is.
    pub fn downloaded(&self) -> Result<PathBuf, BrowserError> {
        let folder = process::downloads(self.folder.path());
        let mut found = None;
        self.wait_until("a file is downloaded", PATIENCE, |_| {
            let files = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
            // Chromium writes under another name until a file is whole.
            let whole = files.filter(|file| {
                let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                !name.ends_with(".crdownload") && !name.starts_with('.')
            });
            let made = |file: &PathBuf| file.metadata().and_then(|meta| meta.modified()).ok();
            found = whole.max_by_key(made);
            Ok(found.is_some())
        })?;
        found.ok_or(BrowserError::Answer("a downloaded file"))
    }
}
