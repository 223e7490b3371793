//! Canaries: texts that nobody can guess, planted among ordinary records, each of one institution. A
//! commitment to all of them is made known before any record is loaded; they themselves are revealed after the
//! run. Software that was written before cannot know them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hibiki_protocol::ids::{Digest, MemberId};
use hibiki_protocol::tlog::{DigestKind, EntryKind, Frontier};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::artefacts::{Artefacts, write_new};
use crate::evidence::Evidence;
use crate::ledgers::entries;
use crate::strand::Strand;

/// The forms canaries take, in turn.
const KINDS: [&str; 5] = ["latin", "kana", "number", "date", "attachment"];
/// The syllables of the Japanese ones.
const SYLLABLES: [&str; 32] = [
    "あ", "い", "う", "え", "お", "か", "き", "く", "け", "こ", "さ", "し", "す", "せ", "そ", "た", "ち",
    "つ", "て", "と", "な", "に", "ぬ", "ね", "の", "は", "ひ", "ふ", "へ", "ほ", "ま", "み",
];

/// One canary, revealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// Whose it is.
    pub member: String,
    /// Its form.
    pub kind: String,
    /// The text.
    pub text: String,
    /// The salt of its leaf, hexadecimal.
    pub salt: String,
}

impl Canary {
    fn draw(member: &MemberId, kind: &str) -> Result<Self, String> {
        let mut random = [0; 48];
        getrandom::fill(&mut random).map_err(|error| format!("no randomness: {error}"))?;
        let (salt, draw) = random.split_at(32);
        let number = draw.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        let text = match kind {
            "latin" => format!("HK{number:032X}"),
            "kana" => {
                let syllable = |n: u32| SYLLABLES.get((number >> (5 * n)) as usize % SYLLABLES.len());
                (0..25).filter_map(syllable).copied().collect()
            }
            "number" => format!("{:020}", number % 10_u128.pow(20)),
            "date" => {
                let (month, day) = (1 + number % 12, 1 + (number >> 8) % 28);
                format!("2019-{month:02}-{day:02} 所見 {:020x}", number >> 48)
            }
            _ => STANDARD.encode(draw.repeat(3)),
        };
        Ok(Self { member: member.to_string(), kind: kind.to_owned(), text, salt: hex::encode(salt) })
    }

    fn leaf(&self) -> Vec<u8> {
        [&self.salt, &self.member, &self.kind, &self.text].map(String::as_str).join("\0").into_bytes()
    }
}

/// The root over all of them (RFC 6962, in the order of the file), hexadecimal.
fn root(canaries: &[Canary]) -> String {
    let mut tree = Frontier::default();
    for canary in canaries {
        tree.append(&canary.leaf());
    }
    hex::encode(tree.root().0)
}

/// Draws `count` canaries for every member and writes `commitment.json`, to be made known now, and
/// `canaries.ndjson`, to be kept secret until after the run.
///
/// # Errors
/// There are none to draw, a file is there already or cannot be written.
pub fn plant(members: &[MemberId], count: usize, out: &Path) -> Result<(), String> {
    if members.is_empty() || count == 0 {
        return Err("no canaries, no proof: name members and a count above 0".into());
    }
    let mut canaries = Vec::new();
    for member in members {
        for kind in KINDS.iter().cycle().take(count) {
            canaries.push(Canary::draw(member, kind)?);
        }
    }
    let counts: BTreeMap<&str, usize> = members.iter().map(|member| (member.as_str(), count)).collect();
    let commitment = json!({ "root": root(&canaries), "count": canaries.len(), "members": counts });
    fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    let lines: String = canaries.iter().map(|canary| format!("{}\n", json!(canary))).collect();
    write_new(&out.join("canaries.ndjson"), &lines)?;
    write_new(&out.join("commitment.json"), &format!("{commitment}\n"))
}

/// The revealed canaries.
///
/// # Errors
/// The file is missing or damaged.
pub fn revealed(artefacts: &Artefacts) -> Result<Vec<Canary>, String> {
    let (mut canaries, mut bad) = (Vec::new(), 0_u64);
    artefacts.lines("canaries/canaries.ndjson", |line| match serde_json::from_value(line) {
        Ok(canary) => canaries.push(canary),
        Err(_) => bad += 1,
    })?;
    if bad > 0 { Err(format!("canaries/canaries.ndjson: {bad} lines are no canaries")) } else { Ok(canaries) }
}

/// Whether the revealed canaries are those committed to, and the commitment was known before anything was
/// released.
pub fn check(evidence: &Evidence, strand: &mut Strand) {
    let canaries = strand.need(revealed(&evidence.artefacts)).unwrap_or_default();
    strand.count("canaries", canaries.len() as u64);
    let bytes = strand.need(evidence.artefacts.read("canaries/commitment.json"));
    let Some(bytes) = bytes else { return };
    let commitment: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    strand.must(commitment["root"] == root(&canaries) && commitment["count"] == canaries.len(), || {
        "the revealed canaries are not those that were committed to".to_owned()
    });
    let digest = Digest::of(&[&bytes]).0;
    let all = evidence.ledgers.values().flatten();
    let noted = all.filter(|entry| entry.digest(DigestKind::Document) == Some(&digest));
    let imports = entries(&evidence.ledgers, &[EntryKind::Import]).map(|(_, entry)| entry.leaf.time_ms);
    match (noted.map(|entry| entry.leaf.time_ms).min(), imports.min()) {
        (None, _) => strand.problem("the commitment is in no ledger"),
        (Some(noted), Some(first)) if noted > first => {
            strand.problem("the commitment was entered in a ledger after the first import");
        }
        _ => strand.count("ledgers with the commitment", 1),
    }
}
