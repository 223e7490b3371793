//! What a school does besides answering: its roster, its days, its menus, what guardians register, and the allergy alert.
//!
//! Each book stands by itself; [`School`] holds them together for whoever builds the node. Must not know how mails are
//! sent ([`crate::mail`]), who may see what (the responder), which words mean an allergen ([`hibiki_records::lunch`]).

pub mod alert;
pub mod days;
pub mod menus;
pub mod registrations;
pub mod roster;

use std::sync::Arc;

use hibiki_records::category::Category;
use hibiki_records::date::CalendarDate;

use crate::admin::Router;
use crate::config;
use crate::holds::Holds;
use crate::institution::Means;
use crate::mail::Outbox;
use crate::observe::board::StatusBoard;
use crate::recordbook::{RecordBook, StoredRecord};
use alert::hours::Hours;
use roster::RosterError;

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
        let roster = Arc::new(roster::Roster::new(means.clone(), Arc::clone(&book), kitchen.clone()));
        let days = Arc::new(days::Days::new(means.clone()));
        let menus = Arc::new(menus::Menus::new(means.clone(), kitchen));
        let registrations =
            registrations::Registrations::new(means.clone(), Arc::clone(&outbox), mails, name.clone());
        let registrations = Arc::new(registrations);
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
        Self { roster, days, menus, registrations, alerts }
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
        if category != Category::SchoolMenu {
            return Ok(Vec::new());
        }
        let Some(pupil) = self.roster.pupil(key)? else { return Ok(Vec::new()) };
        Ok(self.menus.records_of(&pupil.kitchen, today)?)
    }

    /// Registers the commands of all of them.
    pub fn register(&self, router: &mut Router) {
        roster::commands::register(router, &self.roster);
        days::commands::register(router, &self.days, &self.roster);
        menus::commands::register(router, &self.menus);
        registrations::commands::register(router, &self.registrations, &self.roster);
        alert::commands::register(router, &self.alerts);
    }
}
