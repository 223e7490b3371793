//! What can be seen at a desk at one moment. Cheap to clone; nothing of it outlives the session.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hibiki_protocol::ids::MemberId;
use hibiki_protocol::outcome::Coverage;
use hibiki_protocol::session::AttestedSubject;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::MemberKind;

use crate::card::{CardFault, Inspection};
use crate::view::ViewPart;
use crate::words::Words;

/// How far the person at the desk has come.
#[derive(Clone)]
pub enum Phase {
    /// Nobody is there: what is waited for, and what there is to say about the last session.
    Waiting {
        /// What is missing.
        missing: CardFault,
        /// Why the session before ended.
        notice: Option<Words>,
    },
    /// A card lies there; its PIN is asked for.
    Seen {
        /// What it shows without a PIN.
        card: Box<Inspection>,
        /// What became of the last try.
        notice: Option<Words>,
    },
    /// A card lies there that opens no session: what is wrong with it. It waits to be taken away.
    Unusable(Words),
    /// The PIN was typed; card, gateway and registry are at work.
    Opening,
    /// A session is open.
    Open(Arc<Seat>),
    /// The session ended while the card is still there.
    Over(Words),
}

impl Phase {
    /// Stable name, the same for as long as the same page is right.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Seen { .. } => "seen",
            Self::Unusable(_) => "unusable",
            Self::Opening => "opening",
            Self::Open(_) => "open",
            Self::Over(_) => "over",
        }
    }
}

impl fmt::Debug for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A desk at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// How far the person has come.
    pub phase: Phase,
    /// Changes when a page of before must not stay on the screen: another phase, another notice, another session.
    pub scene: u64,
}

/// An institution that is asked.
#[derive(Clone, Debug)]
pub struct Institution {
    /// Its id.
    pub id: MemberId,
    /// What it is.
    pub kind: MemberKind,
    /// Its name, Japanese and English.
    pub name: (String, String),
}

/// An open session as the page sees it.
#[derive(Clone)]
pub struct Seat {
    /// Whom the card may act for.
    pub persons: Arc<[AttestedSubject]>,
    /// Every institution of the federation that answers.
    pub institutions: Arc<[Institution]>,
    /// A simulated card.
    pub simulated: bool,
    /// When the session ends.
    pub not_after: Timestamp,
    /// A view for each person, in their order; `None` until she is asked about.
    pub views: Vec<Option<LiveView>>,
}

impl fmt::Debug for Seat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Seat({} persons)", self.persons.len())
    }
}

/// A view while it comes together.
#[derive(Clone, Debug)]
pub struct LiveView {
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// What has landed, by institution.
    pub parts: BTreeMap<MemberId, Arc<ViewPart>>,
    /// How it ended: `None` while parts may still land, the reason if it was refused as a whole.
    pub ended: Option<Result<(), Words>>,
}

impl LiveView {
    /// A view that was asked for and of which nothing has landed.
    pub fn asked(at: Timestamp) -> Self {
        Self { asked_at: at, parts: BTreeMap::new(), ended: None }
    }

    /// Whether every institution has its outcome.
    pub const fn complete(&self) -> bool {
        matches!(self.ended, Some(Ok(())))
    }

    /// Counts of outcomes so far.
    pub fn coverage(&self) -> Coverage {
        self.parts.values().map(|part| part.outcome).collect()
    }
}
