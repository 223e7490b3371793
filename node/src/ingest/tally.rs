//! What became of an import so far: counts only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lot::{Lot, Part};
use super::notice::Notice;
use crate::recordbook::PutOutcome;

/// Counts of one import. Everything in it is durable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Bytes of the file that are dealt with. A bundle is one document: 0 until all of it is.
    pub bytes: u64,
    /// Bytes of the file, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_total: Option<u64>,
    /// Records that were not there.
    pub added: u64,
    /// Records that were there with other content.
    pub replaced: u64,
    /// Records that were there already.
    pub unchanged: u64,
    /// Records that are there in a newer form, by the source's own time; that one stays.
    pub older: u64,
    /// Persons whose facts are new or changed.
    pub people: u64,
    /// Groups that are new or have other members now.
    pub groups: u64,
    /// Resources that are no records here, by what they are.
    pub skipped: BTreeMap<String, u64>,
    /// Resources that were not taken; each was reported with its place.
    pub rejected: u64,
}

impl Tally {
    /// Records that are stored anew.
    #[must_use]
    pub fn stored(&self) -> u64 {
        self.added.saturating_add(self.replaced)
    }

    /// Records that were dealt with, whatever became of them.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.stored().saturating_add(self.unchanged).saturating_add(self.older)
    }

    /// Counts a lot whose entries came out like this, and returns what was refused in it.
    pub(super) fn count(&mut self, lot: Lot, outcomes: &[PutOutcome]) -> Vec<Notice> {
        let mut notices = lot.notices;
        for ((part, resource), outcome) in lot.parts.into_iter().zip(outcomes) {
            if let PutOutcome::Refused(refusal) = *outcome {
                notices.push(Notice::Refused { resource, refusal });
                continue;
            }
            let changed = matches!(outcome, PutOutcome::Added | PutOutcome::Replaced);
            match part {
                Part::Person => self.people += u64::from(changed),
                Part::Group => self.groups += u64::from(changed),
                Part::Record => match outcome {
                    PutOutcome::Added => self.added += 1,
                    PutOutcome::Replaced => self.replaced += 1,
                    PutOutcome::Unchanged => self.unchanged += 1,
                    PutOutcome::Older => self.older += 1,
                    PutOutcome::Refused(_) => {}
                },
            }
        }
        for (kind, count) in lot.skipped {
            *self.skipped.entry(kind.to_string()).or_default() += count;
        }
        // A person and the record that says so are one resource.
        notices.dedup();
        self.rejected += notices.len() as u64;
        self.bytes = lot.bytes;
        notices
    }
}
