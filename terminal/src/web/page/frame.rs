//! What stands around every page: language, token, the persons to choose from, the time that is left.

use crate::desk::{Phase, Seat, Snapshot};
use crate::web::{App, Lang};

/// The frame of one page.
pub(super) struct Frame {
    /// The language that stands first.
    pub(super) lang: Lang,
    /// What every write carries.
    pub(super) token: String,
    /// The desk's scene: the page goes when it changes.
    pub(super) scene: u64,
    /// The change of the desk's sight the page was made at: the script asks for a later one.
    pub(super) change: u64,
    /// The page's own path, to come back to.
    pub(super) here: String,
    /// What an open session adds.
    pub(super) session: Option<SessionFrame>,
}

/// The frame of an open session.
pub(super) struct SessionFrame {
    /// Given names and numbers, as the registry attests.
    pub(super) persons: Vec<PersonLink>,
    /// When the session ends, in milliseconds since the Unix epoch.
    pub(super) not_after: u64,
    /// A simulated card: nothing here is about a real person.
    pub(super) simulated: bool,
}

/// A person to choose.
pub(super) struct PersonLink {
    pub(super) number: usize,
    pub(super) name: String,
    pub(super) oneself: bool,
    pub(super) chosen: bool,
}

impl Frame {
    /// The frame of the page at `here`, about the person with this number (from 1), if about any.
    pub(super) fn new(app: &App, snapshot: &Snapshot, here: String, person: Option<usize>) -> Self {
        let session = match &snapshot.phase {
            Phase::Open(seat) => Some(SessionFrame::new(seat, person)),
            _ => None,
        };
        let lang = app.lang.at(&snapshot.phase);
        Self { lang, token: app.door.token(), scene: snapshot.scene, change: snapshot.change, here, session }
    }

    /// The chosen person's number; 0 where a page is about nobody.
    pub(super) fn person(&self) -> usize {
        let persons = self.session.iter().flat_map(|session| &session.persons);
        persons.filter(|person| person.chosen).map(|person| person.number).next().unwrap_or(0)
    }

    /// Whether the page is about a person.
    pub(super) fn about_somebody(&self) -> bool {
        self.person() != 0
    }

    /// Whether the chosen person is the card's holder.
    pub(super) fn oneself(&self) -> bool {
        self.session.iter().flat_map(|session| &session.persons).any(|person| person.chosen && person.oneself)
    }

    /// Marks the link to this very page.
    pub(super) fn at(&self, path: &str) -> bool {
        let number = self.person();
        self.here
            == if path.is_empty() { format!("/person/{number}") } else { format!("/person/{number}/{path}") }
    }
}

impl SessionFrame {
    pub(super) fn new(seat: &Seat, chosen: Option<usize>) -> Self {
        let link = |(index, person): (usize, &hibiki_protocol::session::AttestedSubject)| PersonLink {
            number: index + 1,
            name: person.name.clone(),
            oneself: person.relation == hibiki_protocol::session::Relation::Oneself,
            chosen: chosen == Some(index + 1),
        };
        Self {
            persons: seat.persons.iter().enumerate().map(link).collect(),
            not_after: seat.not_after.0,
            simulated: seat.simulated,
        }
    }
}
