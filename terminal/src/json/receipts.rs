//! The stable JSON of receipts: what came of asking for proofs, and what a folder is worth.

use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::time::Timestamp;
use serde::Serialize;

use super::rfc3339;
use crate::receipts::prove::Proving;
use crate::receipts::verdict::{Judged, Summary, Verdict};

/// What came of asking for proofs.
#[derive(Serialize)]
pub struct ProvingJson<'a> {
    proved: usize,
    not_yet: usize,
    denied: usize,
    unusable: usize,
    gateway_lost: bool,
    unanswered: Vec<UnansweredJson<'a>>,
}

#[derive(Serialize)]
struct UnansweredJson<'a> {
    institution: &'a str,
    receipts: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
}

impl<'a> From<&'a Proving> for ProvingJson<'a> {
    fn from(proving: &'a Proving) -> Self {
        let unanswered = proving.unanswered.iter().map(|(id, (receipts, outcome))| UnansweredJson {
            institution: id.as_str(),
            receipts: *receipts,
            outcome: outcome.map(Outcome::as_str),
        });
        Self {
            proved: proving.proved,
            not_yet: proving.not_yet,
            denied: proving.denied,
            unusable: proving.unusable,
            gateway_lost: proving.gateway_lost,
            unanswered: unanswered.collect(),
        }
    }
}

/// What the receipts of a folder are worth.
#[derive(Serialize)]
pub struct VerifiedJson<'a> {
    as_of: String,
    summary: SummaryJson,
    receipts: Vec<JudgedJson<'a>>,
}

#[derive(Serialize)]
struct SummaryJson {
    proved: usize,
    promised: usize,
    keys_unknown: usize,
    broken: usize,
    wrong: usize,
    unreadable: usize,
    copies: usize,
}

#[derive(Serialize)]
struct JudgedJson<'a> {
    file: &'a str,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copy_of: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leaf_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing_epoch: Option<u64>,
}

impl<'a> VerifiedJson<'a> {
    /// As of `now`.
    pub fn new(judged: &'a [Judged], summary: &Summary, now: Timestamp) -> Self {
        let Summary { proved, promised, keys_unknown, broken, wrong, unreadable, copies } = *summary;
        Self {
            as_of: rfc3339(now),
            summary: SummaryJson { proved, promised, keys_unknown, broken, wrong, unreadable, copies },
            receipts: judged.iter().map(|judged| one(judged, now)).collect(),
        }
    }
}

fn one(judged: &Judged, now: Timestamp) -> JudgedJson<'_> {
    let receipt = judged.receipt.as_ref();
    let promised = receipt.map(|receipt| &receipt.promise.receipt);
    let detail = match &judged.verdict {
        Verdict::Unreadable(why) => Some(why.to_string()),
        verdict => verdict.detail().map(str::to_owned),
    };
    JudgedJson {
        file: &judged.file,
        verdict: judged.verdict.as_str(),
        detail,
        copy_of: judged.copy_of.as_deref(),
        member: receipt.map(|receipt| receipt.member.as_str()),
        origin: promised.map(|promised| promised.origin.as_str()),
        index: promised.map(|promised| promised.index),
        leaf_hash: promised.map(|promised| promised.leaf_hash.hex()),
        at: receipt.map(|receipt| rfc3339(receipt.promise.at)),
        waiting_ms: judged.waiting_millis(now),
        checkpoint_size: match judged.verdict {
            Verdict::Proved { size } => Some(size),
            _ => None,
        },
        missing_epoch: match judged.verdict {
            Verdict::KeysUnknown { epoch } => Some(epoch),
            _ => None,
        },
    }
}
