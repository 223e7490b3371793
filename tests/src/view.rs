//! A view's JSON, read strictly as `docs/view-json.md` describes it: a key that is not in the document is an
//! error here, and so is one that is missing.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::house::House;
use crate::population::record_key;

/// A view.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// Whose.
    pub subject: Subject,
    /// When it was assembled, RFC 3339 UTC.
    pub as_of: String,
    /// Made with a simulated card.
    pub simulated: bool,
    /// The gateway was lost on the way.
    pub gateway_lost: bool,
    /// Every institution.
    pub parts: Vec<Part>,
    /// Counts.
    pub coverage: Coverage,
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Name as registered.
    pub name: String,
    /// Name in kana.
    pub kana: String,
    /// Birth date.
    pub birth_date: String,
    /// Sex.
    pub sex: String,
    /// `self` or `child`.
    pub relation: String,
}

/// One institution's part.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Member id.
    pub institution: String,
    /// Kind.
    pub kind: String,
    /// Names.
    pub name: Name,
    /// Outcome.
    pub outcome: String,
    /// More about it.
    pub detail: Option<String>,
    /// Ask again after this many milliseconds.
    pub retry_after_ms: Option<u64>,
    /// How current.
    pub as_of: Option<String>,
    /// Policy it applied.
    pub policy_version: Option<u64>,
    /// Its records.
    pub records: Vec<Record>,
    /// Its ledger's promise.
    pub receipt: Option<Receipt>,
    /// Since when it keeps which category.
    #[serde(default)]
    pub kept_since: Vec<KeptSince>,
}

/// Since when an institution keeps a category.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptSince {
    /// The category.
    pub category: String,
    /// The first day.
    pub since: String,
}

/// Names of an institution.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// Japanese.
    pub ja: String,
    /// English.
    pub en: String,
}

/// One record.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Kind of record.
    pub category: String,
    /// Japanese day.
    pub date: String,
    /// When the institution last changed it, RFC 3339 UTC.
    pub updated_at: String,
    /// Media type of the content.
    pub media_type: String,
    /// The content.
    pub content: Value,
}

impl Record {
    /// `Type/id` of FHIR content.
    pub fn key(&self) -> String {
        record_key(&self.content)
    }
}

/// A receipt.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Name of the ledger.
    pub origin: String,
    /// Place of the entry.
    pub index: u64,
    /// Its leaf hash, hexadecimal.
    pub leaf_hash: String,
}

/// Counts of outcomes.
#[derive(Clone, Debug, Deserialize)]
pub struct Coverage {
    /// Institutions in all.
    pub asked: usize,
    /// Whether every one answered.
    pub complete: bool,
    /// How many had each outcome.
    #[serde(flatten)]
    pub outcomes: BTreeMap<String, usize>,
}

impl View {
    /// The part of a house.
    pub fn part(&self, house: House) -> Option<&Part> {
        self.parts.iter().find(|part| part.institution == house.id())
    }

    /// A house's outcome; empty where it is not in the view.
    pub fn outcome(&self, house: House) -> &str {
        self.part(house).map_or("", |part| &part.outcome)
    }

    /// Keys of all records, by institution; institutions without any are left out. Doubles show as an error.
    ///
    /// # Errors
    /// A record stands twice in one part.
    pub fn keys(&self) -> Result<BTreeMap<House, BTreeSet<String>>, String> {
        let mut found: BTreeMap<House, BTreeSet<String>> = BTreeMap::new();
        for part in &self.parts {
            let house =
                House::of(&part.institution).ok_or_else(|| format!("a stranger: {}", part.institution))?;
            for record in &part.records {
                if !found.entry(house).or_default().insert(record.key()) {
                    return Err(format!("{house} shows {} twice", record.key()));
                }
            }
        }
        Ok(found)
    }
}
