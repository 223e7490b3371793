//! The stable JSON of a view, documented in `docs/view-json.md`.
//!
//! Content that is JSON stands byte for byte as the institution holds it: a decimal is never
//! re-printed.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hibiki_protocol::answer::{KeptSince, Receipt, Record};
use hibiki_protocol::outcome::{Coverage, Outcome};
use hibiki_protocol::session::AttestedSubject;
use hibiki_protocol::time::Timestamp;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::round::Standing;
use crate::view::{View, ViewPart};

mod consent;
mod history;
mod receipts;
mod registration;

pub use consent::ConsentJson;
pub use history::{HistoryJson, HistoryPartJson};
pub use receipts::{ProvingJson, VerifiedJson};
pub use registration::RegistrationJson;

/// RFC 3339 in UTC with milliseconds.
pub fn rfc3339(at: Timestamp) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).map_or_else(|_| "invalid".to_owned(), |at| format!("{at:.3}"))
}

/// A person the card may act for.
#[derive(Serialize)]
pub struct SubjectJson<'a> {
    name: &'a str,
    kana: &'a str,
    birth_date: &'a str,
    sex: &'a str,
    relation: &'static str,
}

impl<'a> From<&'a AttestedSubject> for SubjectJson<'a> {
    fn from(subject: &'a AttestedSubject) -> Self {
        Self {
            name: &subject.name,
            kana: &subject.kana,
            birth_date: subject.birth_date.as_str(),
            sex: &subject.sex,
            relation: subject.relation.as_str(),
        }
    }
}

/// A whole view.
#[derive(Serialize)]
pub struct ViewJson<'a> {
    subject: SubjectJson<'a>,
    as_of: String,
    simulated: bool,
    gateway_lost: bool,
    parts: Vec<PartJson<'a>>,
    coverage: CoverageJson,
}

impl<'a> From<&'a View> for ViewJson<'a> {
    fn from(view: &'a View) -> Self {
        Self {
            subject: (&view.subject).into(),
            as_of: rfc3339(view.as_of),
            simulated: view.simulated,
            gateway_lost: view.gateway_lost,
            parts: view.parts.iter().map(Into::into).collect(),
            coverage: coverage(&view.coverage()),
        }
    }
}

fn coverage(coverage: &Coverage) -> CoverageJson {
    let outcomes = Outcome::ALL.iter().map(|outcome| (outcome.as_str(), coverage.count(*outcome))).collect();
    CoverageJson { asked: coverage.asked(), complete: coverage.complete(), outcomes }
}

#[derive(Serialize)]
struct CoverageJson {
    asked: usize,
    complete: bool,
    #[serde(flatten)]
    outcomes: BTreeMap<&'static str, usize>,
}

/// An institution, and what became of asking it.
#[derive(Serialize)]
struct StandingJson<'a> {
    institution: &'a str,
    kind: &'static str,
    name: NameJson<'a>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
}

impl<'a> From<&'a Standing> for StandingJson<'a> {
    fn from(standing: &'a Standing) -> Self {
        Self {
            institution: standing.institution.as_str(),
            kind: standing.kind.as_str(),
            name: NameJson { ja: &standing.name.0, en: &standing.name.1 },
            outcome: standing.outcome.as_str(),
            detail: standing.detail,
            retry_after_ms: standing.retry_after_millis,
            as_of: standing.as_of.map(rfc3339),
        }
    }
}

/// One institution's part.
#[derive(Serialize)]
pub struct PartJson<'a> {
    institution: &'a str,
    kind: &'static str,
    name: NameJson<'a>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_version: Option<u64>,
    records: Vec<RecordJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<ReceiptJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    kept_since: Vec<KeptSinceJson<'a>>,
}

#[derive(Serialize)]
struct NameJson<'a> {
    ja: &'a str,
    en: &'a str,
}

impl<'a> From<&'a ViewPart> for PartJson<'a> {
    fn from(part: &'a ViewPart) -> Self {
        Self {
            institution: part.institution.as_str(),
            kind: part.kind.as_str(),
            name: NameJson { ja: &part.name.0, en: &part.name.1 },
            outcome: part.outcome.as_str(),
            detail: part.detail,
            retry_after_ms: part.retry_after_millis,
            as_of: part.as_of.map(rfc3339),
            policy_version: part.policy_version,
            records: part.records.iter().map(Into::into).collect(),
            receipt: part.receipt.as_ref().map(Into::into),
            kept_since: part.kept_since.iter().map(Into::into).collect(),
        }
    }
}

#[derive(Serialize)]
struct KeptSinceJson<'a> {
    category: &'a str,
    since: &'a str,
}

impl<'a> From<&'a KeptSince> for KeptSinceJson<'a> {
    fn from(kept: &'a KeptSince) -> Self {
        Self { category: kept.category.as_str(), since: kept.since.as_str() }
    }
}

#[derive(Serialize)]
struct ReceiptJson<'a> {
    origin: &'a str,
    index: u64,
    leaf_hash: String,
}

impl<'a> From<&'a Receipt> for ReceiptJson<'a> {
    fn from(receipt: &'a Receipt) -> Self {
        Self { origin: &receipt.origin, index: receipt.index, leaf_hash: receipt.leaf_hash.hex() }
    }
}

#[derive(Serialize)]
struct RecordJson<'a> {
    category: &'a str,
    date: &'a str,
    updated_at: String,
    media_type: &'a str,
    content: Option<Box<RawValue>>,
}

impl<'a> From<&'a Record> for RecordJson<'a> {
    fn from(record: &'a Record) -> Self {
        Self {
            category: record.category.as_str(),
            date: record.date.as_str(),
            updated_at: rfc3339(record.updated_at),
            media_type: &record.media_type,
            content: content(record),
        }
    }
}

/// JSON as it is; text as a string; anything else as `{"base64": …}`.
fn content(record: &Record) -> Option<Box<RawValue>> {
    let text = std::str::from_utf8(&record.content).ok();
    let verbatim = text
        .filter(|_| record.media_type.ends_with("json"))
        .and_then(|text| RawValue::from_string(text.to_owned()).ok());
    let as_text = || match text {
        Some(text) => to_raw_value(text).ok(),
        None => to_raw_value(&BTreeMap::from([("base64", STANDARD.encode(&record.content))])).ok(),
    };
    verbatim.or_else(as_text)
}
