//! What can be seen at a desk at one moment. Cheap to clone; nothing of it outlives the session.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hibiki_protocol::ids::MemberId;
use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::session::AttestedSubject;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::MemberKind;

use crate::card::{CardFault, Inspection};
use crate::consent::{Choice, ConsentPart};
use crate::history::HistoryPart;
use crate::registration::{Registering, RegistrationPart};
use crate::view::ViewPart;
use crate::words::{self, Words};

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
    /// Counts whatever changes in the sight: a page made from an earlier one is behind.
    pub change: u64,
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
    /// Who looked, for each person.
    pub histories: Vec<Option<Live<HistoryPart>>>,
    /// What the holder lets be shown, for each person.
    pub consents: Vec<Option<Live<ConsentPart>>>,
    /// Choices that were made in this session, the latest last.
    pub choices: Vec<MadeChoice>,
    /// What is registered for each person.
    pub registrations: Vec<Option<Live<RegistrationPart>>>,
    /// Changes of it that were made in this session, the latest last.
    pub registered: Vec<MadeRegistration>,
}

impl fmt::Debug for Seat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Seat({} persons)", self.persons.len())
    }
}

/// An answer of every institution, while it comes together.
#[derive(Clone, Debug)]
pub struct Live<P> {
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// What has landed, by institution.
    pub parts: BTreeMap<MemberId, Arc<P>>,
    /// How it ended: `None` while parts may still land, the reason if it was refused as a whole.
    pub ended: Option<Result<(), Words>>,
}

/// A view while it comes together.
pub type LiveView = Live<ViewPart>;

impl<P> Live<P> {
    /// What was asked for and of which nothing has landed.
    pub const fn asked(at: Timestamp) -> Self {
        Self { asked_at: at, parts: BTreeMap::new(), ended: None }
    }
}

/// What lands: one institution's part of an answer.
pub trait Landed {
    /// The institution.
    fn institution(&self) -> &MemberId;
    /// What became of asking it.
    fn outcome(&self) -> Outcome;
    /// The same in words.
    fn words(&self) -> Words;
}

impl Landed for ViewPart {
    fn institution(&self) -> &MemberId {
        &self.institution
    }

    fn outcome(&self) -> Outcome {
        self.outcome
    }

    fn words(&self) -> Words {
        words::what_became(self)
    }
}

impl Landed for HistoryPart {
    fn institution(&self) -> &MemberId {
        &self.standing.institution
    }

    fn outcome(&self) -> Outcome {
        self.standing.outcome
    }

    fn words(&self) -> Words {
        words::history::what_became(self)
    }
}

impl Landed for ConsentPart {
    fn institution(&self) -> &MemberId {
        &self.standing.institution
    }

    fn outcome(&self) -> Outcome {
        self.standing.outcome
    }

    fn words(&self) -> Words {
        words::consent::what_became(self)
    }
}

impl Landed for RegistrationPart {
    fn institution(&self) -> &MemberId {
        &self.standing.institution
    }

    fn outcome(&self) -> Outcome {
        self.standing.outcome
    }

    fn words(&self) -> Words {
        words::registration::what_became(self)
    }
}

/// A change of what is registered, and what became of it.
#[derive(Clone, Debug)]
pub struct MadeRegistration {
    /// For whom, by her place in [`Seat::persons`].
    pub person: usize,
    /// Where.
    pub institution: MemberId,
    /// What.
    pub change: Registering,
    /// What the institution answered; `None` until it has, the reason if nothing was asked.
    pub answer: Option<Result<Arc<RegistrationPart>, Words>>,
}

/// A choice, and what became of it.
#[derive(Clone, Debug)]
pub struct MadeChoice {
    /// Whose records, by her place in [`Seat::persons`].
    pub person: usize,
    /// Where.
    pub institution: MemberId,
    /// What.
    pub choice: Choice,
    /// What the institution answered; `None` until it has, the reason if nothing was asked.
    pub answer: Option<Result<Arc<ConsentPart>, Words>>,
}
