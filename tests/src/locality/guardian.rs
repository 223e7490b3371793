//! One guardian at the terminal: a touch, a PIN, and view after view in one session.
//!
//! The terminal's own code, in this process: a program for every view would spend most of the machine on
//! starting it. What it shows is held against what was loaded.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use hibiki_protocol::outcome::Outcome;
use hibiki_terminal::card::FileCard;
use hibiki_terminal::card::{Card as _, Pin};
use hibiki_terminal::config::Config;
use hibiki_terminal::connection::Connection;
use hibiki_terminal::federation::Federation;
use hibiki_terminal::question::Wish;
use hibiki_terminal::receipts::folder::Folder;
use hibiki_terminal::session::Session;
use hibiki_terminal::view::{self, View};

use super::Trouble;
use crate::clock;
use crate::house::House;
use crate::population::{Expected, content_key};
use crate::town::Card;

/// A guardian.
#[derive(Clone)]
pub struct Guardian {
    /// Her card.
    pub card: Card,
    /// The terminal's settings.
    pub config: PathBuf,
    /// What her children's views must show.
    pub expected: Expected,
    /// Where she keeps her receipts, if she does.
    pub receipts: Option<PathBuf>,
}

/// No waiting between views.
pub const AT_ONCE: Duration = Duration::from_millis(1);

/// What came of a visit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Views that came together, complete or with gaps that were named.
    pub views: u64,
    /// Of them, those in which every institution answered.
    pub complete: u64,
    /// Views and sessions that were refused, or lost with the gateway: nothing was shown, and it was said.
    pub refused: u64,
    /// Bytes of record content shown.
    pub shown_bytes: u64,
}

impl Tally {
    /// Both together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self {
            views: self.views + other.views,
            complete: self.complete + other.complete,
            refused: self.refused + other.refused,
            shown_bytes: self.shown_bytes + other.shown_bytes,
        }
    }
}

impl Guardian {
    /// Opens a session and asks for `views` views, the children in turn, one every `pace`. A gateway that is gone ends the
    /// visit; that is counted and no error.
    ///
    /// # Errors
    /// A view shows something else than what was loaded.
    pub async fn visit(&self, views: u64, pace: Duration) -> Result<Tally, Trouble> {
        let mut tally = Tally::default();
        let Ok((session, federation)) = self.open().await else {
            return Ok(Tally { refused: 1, ..tally });
        };
        if self.receipts.is_some() {
            session.keep_receipts();
        }
        let mut ticks = tokio::time::interval(pace);
        for turn in 0..views {
            ticks.tick().await;
            let children: Vec<_> = session
                .subjects()
                .iter()
                .filter(|subject| self.expected.contains_key(subject.kana.as_str()))
                .collect();
            let Some(child) = children.get(turn as usize % children.len().max(1)) else {
                tally.refused += 1;
                break;
            };
            let wish = Wish { categories: Vec::new(), since: None, deadline_millis: Some(8_000) };
            let assembled =
                view::assemble(&session, &federation, child, &wish, clock::now(), &mut |_| {}).await;
            let Ok(view) = assembled else {
                tally.refused += 1;
                break;
            };
            tally.shown_bytes += self.judge(&view)?;
            tally.views += 1;
            tally.complete += u64::from(view.coverage().complete());
            if view.gateway_lost {
                break;
            }
        }
        self.keep(&session, &federation)?;
        let _ = session.close().await;
        Ok(tally)
    }

    /// Keeps what institutions promised with their answers.
    fn keep(&self, session: &Session, federation: &Federation) -> Result<(), Trouble> {
        let Some(folder) = &self.receipts else { return Ok(()) };
        let kept =
            Folder::create(folder).and_then(|folder| folder.keep(session.take_receipts(), federation, None));
        kept.map(drop).map_err(|error| Trouble::Terminal(error.to_string()))
    }

    async fn open(&self) -> Result<(Session, Federation), Trouble> {
        let said = |error: &dyn std::fmt::Display| Trouble::Terminal(error.to_string());
        let config = Config::load(&self.config).map_err(|error| said(&error))?;
        let mut federation =
            Federation::load(&config.root, &config.trust_list).map_err(|error| said(&error))?;
        let mut card = FileCard::open(&self.card.file).map_err(|error| said(&error))?;
        let pin = fs::read_to_string(&self.card.pin_file);
        let pin = Pin::new(pin.map_err(|source| Trouble::file(&self.card.pin_file, source))?);
        card.inspect().await.map_err(|error| said(&error))?;
        let address = config.gateway_address.as_deref();
        let connection = Connection::open(&mut federation, &config.gateway, address, clock::now()).await;
        let connection = connection.map_err(|error| said(&error))?;
        let session = Session::open(connection, &federation, &mut card, &pin, clock::now()).await;
        Ok((session.map_err(|error| said(&error))?, federation))
    }

    /// Holds a view against what was loaded: an institution that answered with data shows everything it has
    /// of the child and nothing else. How many bytes were shown.
    fn judge(&self, view: &View) -> Result<u64, Trouble> {
        let wrong = |what: String| Trouble::View(what);
        let expected = self.expected.get(view.subject.kana.as_str()).cloned().unwrap_or_default();
        let mut bytes = 0;
        for part in &view.parts {
            let house = House::of(part.institution.as_str())
                .ok_or_else(|| wrong("an institution nobody knows".into()))?;
            let wanted = expected.get(&house).cloned().unwrap_or_default();
            match part.outcome {
                Outcome::Data => {
                    let shown: BTreeSet<String> =
                        part.records.iter().map(|record| content_key(&record.content)).collect();
                    if shown != wanted || part.records.len() != wanted.len() {
                        let (many, all) = (part.records.len(), wanted.len());
                        return Err(wrong(format!("{house} shows {many} records where {all} were loaded")));
                    }
                    bytes += part.records.iter().map(|record| record.content.len() as u64).sum::<u64>();
                }
                Outcome::NothingToShow if !wanted.is_empty() => {
                    return Err(wrong(format!("{house} shows nothing where {} were loaded", wanted.len())));
                }
                _ => {}
            }
        }
        Ok(bytes)
    }
}
