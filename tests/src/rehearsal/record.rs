//! A rehearsal in figures and in what it takes to live through it again.
//!
//! A seed stands for one state of the code and of its dependencies: both are written down with it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use hibiki_protocol::ids::Digest;
use serde::{Deserialize, Serialize};

use super::plan::Plan;
use super::{Report, Stumble};

/// Everything about a rehearsal but its story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Record {
    /// The seed.
    pub seed: u64,
    /// The state of the code, as git calls it.
    pub commit: String,
    /// Digest of `Cargo.lock`, its first sixteen digits.
    pub lock: String,
    /// Hash over every byte of every datagram.
    pub trace: String,
    /// What must not happen and did.
    pub broken: Vec<String>,
    /// How much there was of what.
    pub figures: BTreeMap<String, u64>,
    /// What was rehearsed.
    pub plan: Plan,
}

impl Record {
    /// What is written down of a report.
    pub fn of(report: &Report) -> Self {
        let tally = &report.tally;
        let mut figures: BTreeMap<String, u64> = [
            ("virtual-ms", report.lasted.as_millis() as u64),
            ("datagrams", report.trace.sent),
            ("datagrams-lost", report.trace.lost + report.trace.blocked),
            ("sessions", tally.sessions),
            ("refused", tally.refused),
            ("views", tally.views),
            ("views-complete", tally.complete),
            ("sent-twice", tally.repeated),
            ("choices", tally.choices),
            ("withheld", tally.withheld),
        ]
        .map(|(name, figure)| (name.to_owned(), figure))
        .into();
        for trouble in &report.plan.troubles {
            *figures.entry(format!("trouble-{}", trouble.what.name())).or_default() += 1;
        }
        for mark in &report.marks {
            if let Some(outcome) = mark.kind.outcome(&mark.text) {
                *figures.entry(format!("outcome-{outcome}")).or_default() += 1;
            }
        }
        Self {
            seed: report.seed,
            commit: commit(),
            lock: lock(),
            trace: format!("{:016x}", report.trace.exact),
            broken: report.broken.clone(),
            figures,
            plan: report.plan.clone(),
        }
    }

    /// Reads what was written down.
    ///
    /// # Errors
    /// It is no such file, or its plan makes no sense.
    pub fn parse(toml: &str) -> Result<Self, Stumble> {
        let record: Self = toml::from_str(toml).map_err(|error| Stumble(format!("the record: {error}")))?;
        record.plan.check()?;
        Ok(record)
    }

    /// The record as a file.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// In which way this is another story than `other`; none if it is the same to the last byte.
    pub fn differs(&self, other: &Self) -> Option<String> {
        if self.trace == other.trace {
            return None;
        }
        let unlike = |name: &str, ours: &str, theirs: &str| {
            (ours != theirs).then(|| format!("{name} is {ours} here and was {theirs}"))
        };
        let why =
            [unlike("the code", &self.commit, &other.commit), unlike("Cargo.lock", &self.lock, &other.lock)];
        let why: Vec<String> = why.into_iter().flatten().collect();
        let because = if why.is_empty() { "nothing tells why".to_owned() } else { why.join(", ") };
        Some(format!("another story, trace {} instead of {}: {because}", self.trace, other.trace))
    }
}

/// The state of the code this program was built beside; `unknown` where that is no git repository.
fn commit() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let described =
        Command::new("git").args(["describe", "--always", "--dirty"]).current_dir(folder).output();
    let described = described.ok().filter(|output| output.status.success());
    let name = described.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

fn lock() -> String {
    let digest = Digest::of(&[include_bytes!("../../../Cargo.lock")]);
    hex::encode(&digest.0[..8])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::super::rehearse;
    use super::*;

    #[test]
    fn a_record_survives_being_written_down_and_tells_another_story_apart() {
        let plan = Plan::from_seed(6);
        let record = Record::of(&rehearse(6, &plan).unwrap());
        assert_eq!(Record::parse(&record.to_toml()).unwrap(), record);
        assert!(record.figures["views"] > 0 && record.figures["outcome-data"] > 0, "{record:?}");
        assert_eq!(record.differs(&record), None);
        let other = Record { trace: "0".into(), lock: "1".into(), ..record.clone() };
        assert!(record.differs(&other).unwrap().contains("Cargo.lock"));
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let good = Record::of(&rehearse(6, &Plan::calm(1, 1)).unwrap()).to_toml();
        assert!(Record::parse(&good).is_ok());
        for (a, b, named) in [("seed = 6", "seed = -1", "seed"), ("houses = 1", "houses = 99", "houses")] {
            assert!(Record::parse(&good.replace(a, b)).unwrap_err().to_string().contains(named));
        }
        assert!(Record::parse("houses = 1").is_err());
    }
}
