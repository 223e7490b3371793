//! The regulator's signature under a report: a signed note (c2sp.org/signed-note) over its digest.

use std::path::{Path, PathBuf};

use hibiki_protocol::ids::Digest;
use hibiki_protocol::tlog::{KeyAlgorithm, NoteSigner, SignedNote, VerifierKey};

use crate::artefacts::{file, write_new};

/// The first line of such a note.
const TITLE: &str = "hibiki-audit report";

/// Makes a key file, readable by its owner alone; the verifier key.
///
/// # Errors
/// The name is none, there is no randomness, or the file exists or cannot be written.
pub fn generate(name: &str, out: &Path) -> Result<String, String> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| format!("no randomness: {error}"))?;
    let signer = signer(name, &seed)?;
    write_new(out, &format!("{name}\n{}\n", hex::encode(seed)))?;
    Ok(signer.verifier_key().to_string())
}

/// Reads a key file.
///
/// # Errors
/// It cannot be read, or is none.
pub fn read(path: &Path) -> Result<NoteSigner, String> {
    let bytes = file(path)?;
    let mut lines = std::str::from_utf8(&bytes).unwrap_or_default().lines();
    let name = lines.next().unwrap_or_default();
    let seed = lines.next().and_then(|seed| hex::decode(seed).ok()?.try_into().ok());
    signer(name, &seed.ok_or_else(|| format!("{} is no key of `hibiki-audit keygen`", path.display()))?)
}

fn signer(name: &str, seed: &[u8; 32]) -> Result<NoteSigner, String> {
    NoteSigner::from_seed(name, KeyAlgorithm::Ed25519, seed).map_err(|error| error.to_string())
}

/// The note beside a report.
#[must_use]
pub fn note_of(report: &Path) -> PathBuf {
    let mut name = report.as_os_str().to_owned();
    name.push(".note");
    name.into()
}

fn text_of(report: &[u8]) -> String {
    format!("{TITLE}\n{}\n", Digest::of(&[report]).hex())
}

/// Signs a report.
///
/// # Errors
/// The note cannot be made.
pub fn sign(signer: &NoteSigner, report: &[u8]) -> Result<String, String> {
    let text = text_of(report);
    let signature = signer.sign(&text, 0);
    SignedNote::new(text, vec![signature]).map(|note| note.to_string()).map_err(|error| error.to_string())
}

/// Verifies a report's note.
///
/// # Errors
/// The note is missing, of another report, or not signed by this key.
pub fn verify(key: &VerifierKey, note: &Path, report: &[u8]) -> Result<(), String> {
    let signed = SignedNote::parse(&file(note)?).map_err(|error| error.to_string())?;
    let made = signed.verify(std::slice::from_ref(key)).is_ok_and(|made| !made.is_empty());
    if !made {
        return Err(format!("{} is not signed by {}", note.display(), key.name()));
    }
    if signed.text() == text_of(report) {
        return Ok(());
    }
    Err(format!("{} is about another report", note.display()))
}
