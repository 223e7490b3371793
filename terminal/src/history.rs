//! Who looked: every institution's history of accesses to one person's records, each entry checked.
//!
//! An entry counts as proven when what it says, its salt and the digest of the half that stays in the house
//! make the ledger's leaf, and the leaf's audit path leads to a checkpoint that the institution's ledger key
//! — the one in the trust list — signed. What does not verify is shown and marked, never passed over.

use std::collections::BTreeMap;

use hibiki_protocol::act::{Act, AskHistory, Reach};
use hibiki_protocol::grant::Basis;
use hibiki_protocol::history::{self, Actor, Disclosed, EntryFault, Event, HistoryPage};
use hibiki_protocol::ids::{Category, Digest, GuardianAlias, MemberId};
use hibiki_protocol::outcome::Coverage;
use hibiki_protocol::receipt::Receipt;
use hibiki_protocol::session::{AttestedSubject, Purpose};
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::tlog::{Checkpoint, EntryKind, Hash, LogProof};
use hibiki_protocol::trust::Member;

use crate::federation::Federation;
use crate::question::Question;
use crate::round::{self, Ended, Settled, Standing};
use crate::session::Session;
use crate::trouble::Trouble;

/// Asks for nothing: no entry is older than the first. It goes to institutions that only keep others company,
/// so that the gateway does not learn which one is meant.
pub(crate) const COVER: Act = Act::History(AskHistory { before: Some(0) });

/// Who did what an entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// The holder of this card.
    You,
    /// The person whose records these are, with a card of her own.
    Subject,
    /// Another guardian. Told to the person herself alone.
    Guardian,
    /// Staff of the institution.
    Staff,
}

impl Who {
    /// Stable name for JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::You => "you",
            Self::Subject => "subject",
            Self::Guardian => "guardian",
            Self::Staff => "staff",
        }
    }
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What happened.
    pub event: Event,
    /// Who did it.
    pub who: Who,
    /// The purpose stated.
    pub purpose: Option<Purpose>,
    /// The categories concerned; with a choice, none means every category.
    pub categories: Vec<Category>,
    /// How many records, or entries of the history, were shown.
    pub count: Option<u64>,
    /// On what the right to look rested.
    pub basis: Option<Basis>,
    /// The gateway that brought the query.
    pub via: Option<MemberId>,
    /// Whose view a choice is about.
    pub reach: Option<Reach>,
    /// A simulated card.
    pub simulated: bool,
}

impl Said {
    fn new(disclosed: Disclosed, own: Option<GuardianAlias>) -> Self {
        let who = match disclosed.actor {
            Actor::Staff => Who::Staff,
            _ if disclosed.alias.is_some() && disclosed.alias == own => Who::You,
            Actor::Subject => Who::Subject,
            Actor::Guardian => Who::Guardian,
        };
        Self {
            event: disclosed.event,
            who,
            purpose: disclosed.purpose,
            categories: disclosed.categories,
            count: disclosed.count,
            basis: disclosed.basis,
            via: disclosed.via,
            reach: disclosed.reach,
            simulated: disclosed.simulated,
        }
    }
}

/// Why an entry cannot be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// There is no checkpoint that this institution's ledger key signed.
    Checkpoint,
    /// The leaf cannot be read.
    Leaf,
    /// What it says is not what the leaf commits to.
    Commitment,
    /// What it says cannot be read by this software.
    Unreadable,
    /// The leaf is not in the ledger where the proof says.
    NotIncluded,
    /// It does not stand where the institution promised it.
    NotAsPromised,
}

impl Doubt {
    /// Stable name for JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Leaf => "leaf",
            Self::Commitment => "commitment",
            Self::Unreadable => "unreadable",
            Self::NotIncluded => "not_included",
            Self::NotAsPromised => "not_as_promised",
        }
    }
}

/// How far an entry is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It is in the ledger, and says this.
    Proven,
    /// It says this, and the ledger's next checkpoint will cover it: ask again in a minute.
    Pending,
    /// It cannot be believed.
    Unproven(Doubt),
}

impl Proof {
    /// Stable name for JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Pending => "pending",
            Self::Unproven(_) => "unproven",
        }
    }
}

impl From<EntryFault> for Proof {
    fn from(fault: EntryFault) -> Self {
        match fault {
            EntryFault::NotYet => Self::Pending,
            EntryFault::Leaf => Self::Unproven(Doubt::Leaf),
            EntryFault::Commitment => Self::Unproven(Doubt::Commitment),
            EntryFault::Disclosed => Self::Unproven(Doubt::Unreadable),
            EntryFault::NotIncluded => Self::Unproven(Doubt::NotIncluded),
        }
    }
}

/// One entry of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// Its number in the institution's ledger.
    pub index: u64,
    /// When, by the institution's clock; `None` if the leaf cannot be read.
    pub at: Option<Timestamp>,
    /// The kind of entry, if the leaf can be read.
    pub kind: Option<EntryKind>,
    /// Hash of the leaf (RFC 6962).
    pub leaf_hash: Digest,
    /// What it says; `None` where that cannot be believed or read.
    pub said: Option<Said>,
    /// How far it is proven.
    pub proof: Proof,
}

/// The ledger's head as the institution signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Name of the ledger, how many entries it has, and the root over them.
    pub checkpoint: Checkpoint,
    /// The signed note (c2sp.org/tlog-checkpoint).
    pub note: String,
}

/// One institution's place in the history.
#[derive(Clone, Debug)]
pub struct HistoryPart {
    /// The institution, and what became of asking it.
    pub standing: Standing,
    /// The entries, newest first.
    pub entries: Vec<HistoryEntry>,
    /// Where older entries go on, for [`older`]; `None`: there are no older ones.
    pub older: Option<u64>,
    /// The verified head that the proofs lead to.
    pub head: Option<Head>,
    /// The ledger's promise that this look itself was logged.
    pub receipt: Option<Receipt>,
}

/// Whether a receipt of before is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The entry stands where it was promised, proven.
    Yes,
    /// It will be seen with the next checkpoint, or on an older page.
    NotYet,
    /// Another entry stands in its place, or none: the institution has broken its promise.
    No,
}

impl HistoryPart {
    /// Whether what a receipt promised — of an answer with data, or of a choice — stands in this page of the
    /// history. (What was answered with nothing to show is no access, and not in the history.)
    pub fn keeps(&self, promised: &Receipt) -> Kept {
        match self.entries.iter().find(|entry| entry.index == promised.index) {
            Some(entry) if entry.leaf_hash != promised.leaf_hash => Kept::No,
            Some(entry) => match entry.proof {
                Proof::Proven => Kept::Yes,
                Proof::Pending => Kept::NotYet,
                Proof::Unproven(_) => Kept::No,
            },
            // Entries come newest first and without gaps among those this guardian is told of.
            None => match (self.entries.first(), self.entries.last()) {
                (Some(newest), Some(oldest))
                    if oldest.index < promised.index && promised.index < newest.index =>
                {
                    Kept::No
                }
                _ => Kept::NotYet,
            },
        }
    }
}

/// The history, from every institution.
#[derive(Clone, Debug)]
pub struct History {
    /// Whose records it is about.
    pub subject: AttestedSubject,
    /// When it was asked for.
    pub as_of: Timestamp,
    /// Made with a simulated card.
    pub simulated: bool,
    /// Every institution, in the order of the trust list.
    pub parts: Vec<HistoryPart>,
    /// The gateway was lost while the history was under way.
    pub gateway_lost: bool,
}

impl History {
    /// Counts of outcomes.
    pub fn coverage(&self) -> Coverage {
        self.parts.iter().map(|part| part.standing.outcome).collect()
    }
}

/// Asks every institution who looked at `subject`'s records; `landed` is called with each part the moment it is
/// known. Each gives its newest entries; [`older`] goes on.
///
/// # Errors
/// The round was refused as a whole. A gateway lost on the way is no error.
pub async fn assemble(
    session: &Session,
    federation: &Federation,
    subject: &AttestedSubject,
    deadline_millis: Option<u64>,
    now: Timestamp,
    landed: &mut (dyn FnMut(&HistoryPart) + Send),
) -> Result<History, Trouble> {
    let newest = Act::History(AskHistory { before: None });
    let question = Question::prepare_acts(session, federation, subject, &|_| newest.clone(), now)?;
    let own = aliases(subject);
    let mut done = BTreeMap::new();
    let ended = round::ask(session, federation, question, deadline_millis, &mut |member, settled| {
        let part = part(member, own.get(&member.id).copied(), settled);
        landed(&part);
        done.insert(member.id.clone(), part);
    })
    .await?;
    Ok(History {
        subject: subject.clone(),
        as_of: now,
        simulated: session.simulated(),
        parts: federation.responders().filter_map(|member| done.remove(&member.id)).collect(),
        gateway_lost: ended == Ended::GatewayLost,
    })
}

/// The entries of one institution before `before` ([`HistoryPart::older`]). The others are asked for nothing,
/// so that the gateway does not learn which one was meant.
///
/// # Errors
/// The round was refused as a whole, or this is no institution that answers.
pub async fn older(
    session: &Session,
    federation: &Federation,
    subject: &AttestedSubject,
    institution: &MemberId,
    before: u64,
    deadline_millis: Option<u64>,
    now: Timestamp,
) -> Result<HistoryPart, Trouble> {
    federation.answers(institution)?;
    let wanted = Act::History(AskHistory { before: Some(before) });
    let act = |id: &MemberId| if id == institution { wanted.clone() } else { COVER };
    let question = Question::prepare_acts(session, federation, subject, &act, now)?;
    let own = aliases(subject).get(institution).copied();
    let mut found = None;
    round::ask(session, federation, question, deadline_millis, &mut |member, settled| {
        if &member.id == institution {
            found = Some(part(member, own, settled));
        }
    })
    .await?;
    found.ok_or_else(|| Trouble::NoSuchInstitution(institution.clone()))
}

/// The holder's alias at each institution, from its grant.
pub(crate) fn aliases(subject: &AttestedSubject) -> BTreeMap<MemberId, GuardianAlias> {
    let claimed = subject.grants.iter().filter_map(|grant| grant.claimed().ok());
    claimed.map(|grant| (grant.audience, grant.guardian)).collect()
}

fn part(member: &Member, own: Option<GuardianAlias>, Settled { standing, answer }: Settled) -> HistoryPart {
    let mut part = HistoryPart { standing, entries: Vec::new(), older: None, head: None, receipt: None };
    let Some(answer) = answer else { return part };
    part.receipt = answer.receipt;
    let Some(HistoryPage { entries, older, checkpoint }) = answer.history else { return part };
    part.head = checkpoint.and_then(|note| head(member, note));
    part.entries = entries.iter().map(|told| entry(told, own, part.head.as_ref())).collect();
    part.entries.sort_by_key(|entry| std::cmp::Reverse(entry.index));
    part.older = older;
    part
}

/// The head, if the ledger key in the trust list signed it.
pub(crate) fn head(member: &Member, note: String) -> Option<Head> {
    let (checkpoint, _) = Checkpoint::open(note.as_bytes(), &member.ledger_verifier()?, &[]).ok()?;
    Some(Head { checkpoint, note })
}

/// Judges one entry.
pub(crate) fn entry(
    told: &history::HistoryEntry,
    own: Option<GuardianAlias>,
    head: Option<&Head>,
) -> HistoryEntry {
    let leaf = told.leaf().ok();
    let opened = told.open();
    let proof = match (&opened, head) {
        (Err(fault), _) => Proof::from(*fault),
        (Ok(_), _) if told.path.is_none() => Proof::Pending,
        (Ok(_), None) => Proof::Unproven(Doubt::Checkpoint),
        (Ok(_), Some(head)) => told.prove(&head.checkpoint).map_or_else(Proof::from, |()| Proof::Proven),
    };
    HistoryEntry {
        index: told.index,
        at: leaf.as_ref().map(|leaf| Timestamp(leaf.time_ms)),
        kind: leaf.as_ref().map(|leaf| leaf.kind),
        leaf_hash: told.leaf_hash(),
        said: opened.ok().map(|(_, disclosed)| Said::new(disclosed, own)),
        proof,
    }
}

/// A proof in one file (c2sp.org/tlog-proof), to be kept: anybody can check it with the ledger's key.
pub(crate) fn proof_file(told: &history::HistoryEntry, head: &Head) -> Option<String> {
    let path = told.path.as_ref()?.iter().map(|hash| Hash(hash.0)).collect();
    Some(LogProof { index: told.index, path, checkpoint: head.note.clone() }.to_string())
}

#[cfg(test)]
pub(crate) mod tests;
