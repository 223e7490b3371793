//! Until a session is open: put the card down, type the PIN.

use askama::Template;
use axum::response::Response;

use super::{Frame, shown};
use crate::card::CardFault;
use crate::desk::{Phase, Snapshot};
use crate::web::App;
use crate::words::{self, Words};

#[derive(Template)]
#[template(path = "login.html")]
struct Login<'a> {
    f: Frame,
    phase: &'static str,
    /// What to do now.
    heading: Words,
    /// What there is to say about it.
    notice: Option<&'a Words>,
    /// What the card shows, a sentence each.
    card: Vec<Words>,
    tries_left: u8,
}

impl Login<'_> {
    /// Only one try is left.
    fn last_try(&self) -> bool {
        self.tries_left == 1
    }
}

/// The page of any phase but an open session.
pub(super) fn page(app: &App, snapshot: &Snapshot) -> Response {
    let f = Frame::new(app, snapshot, "/".to_owned(), None);
    let phase = snapshot.phase.name();
    let blank = Words { ja: String::new(), en: String::new() };
    let page = match &snapshot.phase {
        Phase::Waiting { missing, notice } => {
            let card = match missing {
                CardFault::NoCard => Vec::new(),
                other => vec![words::waiting(other)],
            };
            let heading = words::waiting(&CardFault::NoCard);
            Login { f, phase, heading, notice: notice.as_ref(), card, tries_left: 0 }
        }
        Phase::Seen { card, notice } => {
            let seen = words::inspection(card, crate::clock::now());
            let heading = words::enter_pin();
            Login { f, phase, heading, notice: notice.as_ref(), card: seen, tries_left: card.tries_left }
        }
        Phase::Opening => {
            Login { f, phase, heading: words::opening(), notice: None, card: Vec::new(), tries_left: 0 }
        }
        Phase::Unusable(said) | Phase::Over(said) => {
            Login { f, phase, heading: said.clone(), notice: None, card: Vec::new(), tries_left: 0 }
        }
        Phase::Open(_) => Login { f, phase, heading: blank, notice: None, card: Vec::new(), tries_left: 0 },
    };
    shown(&page)
}
