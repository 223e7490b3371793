//! The stable JSON of a history.

use hibiki_protocol::act::Reach;
use hibiki_protocol::grant::Basis;
use hibiki_protocol::ids::{Category, MemberId};
use hibiki_protocol::session::Purpose;
use serde::Serialize;

use super::{CoverageJson, ReceiptJson, StandingJson, SubjectJson, coverage, rfc3339};
use crate::history::{History, HistoryEntry, HistoryPart, Proof, Said};

/// A whole history.
#[derive(Serialize)]
pub struct HistoryJson<'a> {
    subject: SubjectJson<'a>,
    as_of: String,
    simulated: bool,
    gateway_lost: bool,
    parts: Vec<HistoryPartJson<'a>>,
    coverage: CoverageJson,
}

impl<'a> From<&'a History> for HistoryJson<'a> {
    fn from(history: &'a History) -> Self {
        Self {
            subject: (&history.subject).into(),
            as_of: rfc3339(history.as_of),
            simulated: history.simulated,
            gateway_lost: history.gateway_lost,
            parts: history.parts.iter().map(Into::into).collect(),
            coverage: coverage(&history.coverage()),
        }
    }
}

/// One institution's part of a history.
#[derive(Serialize)]
pub struct HistoryPartJson<'a> {
    #[serde(flatten)]
    standing: StandingJson<'a>,
    entries: Vec<EntryJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    older: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<ReceiptJson<'a>>,
}

impl<'a> From<&'a HistoryPart> for HistoryPartJson<'a> {
    fn from(part: &'a HistoryPart) -> Self {
        Self {
            standing: (&part.standing).into(),
            entries: part.entries.iter().map(Into::into).collect(),
            older: part.older,
            checkpoint: part.head.as_ref().map(|head| head.note.as_str()),
            receipt: part.receipt.as_ref().map(Into::into),
        }
    }
}

/// One entry.
#[derive(Serialize)]
pub(super) struct EntryJson<'a> {
    index: u64,
    leaf_hash: String,
    proof: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    doubt: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(flatten)]
    said: Option<SaidJson<'a>>,
}

impl<'a> From<&'a HistoryEntry> for EntryJson<'a> {
    fn from(entry: &'a HistoryEntry) -> Self {
        let doubt = match entry.proof {
            Proof::Unproven(doubt) => Some(doubt.as_str()),
            Proof::Proven | Proof::Pending => None,
        };
        Self {
            index: entry.index,
            leaf_hash: entry.leaf_hash.hex(),
            proof: entry.proof.as_str(),
            doubt,
            at: entry.at.map(rfc3339),
            said: entry.said.as_ref().map(Into::into),
        }
    }
}

#[derive(Serialize)]
struct SaidJson<'a> {
    event: &'static str,
    who: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<&'static str>,
    categories: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reach: Option<&'static str>,
    simulated: bool,
}

impl<'a> From<&'a Said> for SaidJson<'a> {
    fn from(said: &'a Said) -> Self {
        Self {
            event: said.event.as_str(),
            who: said.who.as_str(),
            purpose: said.purpose.map(Purpose::as_str),
            categories: said.categories.iter().map(Category::as_str).collect(),
            count: said.count,
            basis: said.basis.map(Basis::as_str),
            via: said.via.as_ref().map(MemberId::as_str),
            reach: said.reach.map(Reach::as_str),
            simulated: said.simulated,
        }
    }
}
