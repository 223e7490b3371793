//! What a school does besides answering: its roster, its days, its menus, what guardians register, and the allergy alert.
//!
//! Each book stands by itself; [`School`] holds them together for whoever builds the node. Must not know how mails are
//! sent ([`crate::mail`]), who may see what (the responder), which words mean an allergen ([`hibiki_records::lunch`]).

pub mod alert;
mod announce;
pub mod days;
pub mod events;
pub mod gates;
pub mod hand_ins;
pub mod hearing;
pub mod menus;
mod naming;
pub mod notices;
#[cfg(test)]
pub(crate) mod office;
pub mod registrations;
pub mod roster;

use std::sync::Arc;

use hibiki_records::category::Category;
use hibiki_records::date::CalendarDate;

use crate::admin::{AdminError, Router};
use crate::config;
use crate::holds::Holds;
use crate::institution::Means;
use crate::ledger::{NotLogged, details};
use crate::mail::Outbox;
use crate::observe::board::StatusBoard;
use crate::recordbook::{RecordBook, StoredRecord};
use crate::vault::form::Form;
use alert::hours::Hours;
use roster::RosterError;

/// The forms of its rows.
pub(crate) const FORMS: [&[Form]; 9] = [
    roster::FORMS,
    days::FORMS,
    menus::FORMS,
    registrations::FORMS,
    notices::FORMS,
    hand_ins::FORMS,
    events::FORMS,
    gates::FORMS,
    alert::FORMS,
];

/// A school's books.
#[derive(Clone)]
pub struct School {
    /// Classes and pupils.
    pub roster: Arc<roster::Roster>,
    /// Days with and without lunch.
    pub days: Arc<days::Days>,
    /// Menus.
    pub menus: Arc<menus::Menus>,
    /// What is registered for pupils.
    pub registrations: Arc<registrations::Registrations>,
    /// Notices.
    pub notices: Arc<notices::Notices>,
    /// Things to hand in.
    pub hand_ins: Arc<hand_ins::HandIns>,
    /// Events and timetables.
    pub events: Arc<events::Events>,
    /// Arrival and leaving.
    pub gates: Arc<gates::Gates>,
    /// The allergy alert.
    pub alerts: Arc<alert::Alerts>,
}

/// What a school is built of.
pub struct Setup {
    /// Its settings.
    pub settings: config::School,
    /// Its name in Japanese.
    pub name: String,
    /// Tables, ledger, clock.
    pub means: Means,
    /// The records.
    pub book: Arc<RecordBook>,
    /// Who must be told nothing.
    pub holds: Arc<Holds>,
    /// Where mails wait.
    pub outbox: Arc<Outbox>,
    /// Whether mails can be sent.
    pub mails: bool,
    /// Where trouble is shown.
    pub board: StatusBoard,
}

impl School {
    /// The books of a school in the node's tables.
    pub fn new(setup: Setup) -> Self {
        let Setup { settings, name, means, book, holds, outbox, mails, board } = setup;
        let config::School { kitchen, alert, warn, lunch, staff_mail } = settings;
        let kitchen = naming::named(&kitchen).unwrap_or(kitchen);
        let roster = Arc::new(roster::Roster::new(means.clone(), Arc::clone(&book), kitchen.clone()));
        let days = Arc::new(days::Days::new(means.clone()));
        let menus = Arc::new(menus::Menus::new(means.clone(), kitchen));
        let registrations =
            registrations::Registrations::new(means.clone(), Arc::clone(&outbox), mails, name.clone());
        let registrations = Arc::new(registrations);
        let announcer = Arc::new(announce::Announcer {
            means: means.clone(),
            registrations: Arc::clone(&registrations),
            holds: Arc::clone(&holds),
            outbox: Arc::clone(&outbox),
            school: name.clone(),
        });
        let shared = || (means.clone(), Arc::clone(&roster), Arc::clone(&announcer));
        let (own, classes, tells) = shared();
        let notices =
            notices::Notices { means: own, book: Arc::clone(&book), roster: classes, announcer: tells };
        let (own, classes, tells) = shared();
        let hand_ins = hand_ins::HandIns { means: own, roster: classes, announcer: tells };
        let (own, classes, tells) = shared();
        let events =
            events::Events { means: own, book: Arc::clone(&book), roster: classes, announcer: tells };
        let (own, classes, tells) = shared();
        let gates = gates::Gates { means: own, roster: classes, announcer: tells };
        let alerts = Arc::new(alert::Alerts {
            means,
            book,
            roster: Arc::clone(&roster),
            days: Arc::clone(&days),
            menus: Arc::clone(&menus),
            registrations: Arc::clone(&registrations),
            holds,
            outbox,
            board,
            hours: Hours { alert, warn, lunch },
            school: name,
            staff_mail,
            turn: tokio::sync::Mutex::default(),
        });
        Self {
            roster,
            days,
            menus,
            registrations,
            notices: Arc::new(notices),
            hand_ins: Arc::new(hand_ins),
            events: Arc::new(events),
            gates: Arc::new(gates),
            alerts,
        }
    }

    /// What the school holds of a pupil besides her records, of one category.
    ///
    /// # Errors
    /// The books cannot be read.
    pub fn records_of(
        &self,
        key: &[u8; 16],
        category: Category,
        today: CalendarDate,
    ) -> Result<Vec<StoredRecord>, RosterError> {
        if category == Category::SchoolGate {
            return Ok(self.gates.records_of(key, today)?);
        }
        if !matches!(category, Category::SchoolMenu | Category::SchoolNotice) {
            return Ok(Vec::new());
        }
        let Some(pupil) = self.roster.pupil(key)? else { return Ok(Vec::new()) };
        match category {
            Category::SchoolMenu => Ok(self.menus.records_of(&pupil.kitchen, today)?),
            _ => Ok(self.hand_ins.records_of(&pupil, today)?),
        }
    }

    /// Registers the commands of all of them.
    pub fn register(&self, router: &mut Router) {
        roster::commands::register(router, &self.roster);
        days::commands::register(router, &self.days, &self.roster);
        menus::commands::register(router, &self.menus, &self.roster);
        registrations::commands::register(router, &self.registrations, &self.roster);
        alert::commands::register(router, &self.alerts);
        notices::commands::register(router, &self.notices);
        hand_ins::commands::register(router, &self.hand_ins);
        events::commands::register(router, &self.events);
        gates::commands::register(router, &self.gates);
    }
}

/// Longest title, in characters.
const TITLE_CHARS_MAX: usize = 100;
/// Longest text, in characters.
const TEXT_CHARS_MAX: usize = 8_000;

/// Logs what staff are about to do; of a child, so that her guardians may be told.
async fn log(means: &Means, action: &str, staff: &str, child: Option<[u8; 16]>) -> Result<(), NotLogged> {
    let entry = details::Staff { by: staff.to_owned(), action: action.to_owned() };
    means.log(child, &entry).await.map(drop)
}

/// One line for guardians to read.
fn titled(text: &str, argument: &str) -> Result<String, AdminError> {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let fits = (1..=TITLE_CHARS_MAX).contains(&line.chars().count()) && !line.chars().any(char::is_control);
    let wrong =
        || AdminError::new("one line of 1 to 100 characters is needed / 1〜100文字の一行で書いてください");
    if fits {
        Ok(line)
    } else {
        Err(wrong().at(format!("argument {argument}")).next("write it again, shorter"))
    }
}

/// A text of several lines for guardians to read.
fn written(text: &str, argument: &str) -> Result<String, AdminError> {
    let text = text.replace("\r\n", "\n").trim_end().to_owned();
    let plain = |c: char| c == '\n' || c == '\t' || !c.is_control();
    if text.chars().count() <= TEXT_CHARS_MAX && text.chars().all(plain) {
        return Ok(text);
    }
    Err(AdminError::new("the text is longer than 8000 characters, or not plain / 本文が長すぎます")
        .at(format!("argument {argument}"))
        .next("attach it as a file"))
}

/// Text for HTML.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}
