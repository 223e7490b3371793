//! Signed notes (c2sp.org/signed-note): a text and the signatures under it. Knows nothing of what a text
//! means; whoever reads one asks for [`SignedNote::verify`] first.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::vkey::{VerifierKey, valid_name};

/// The most signatures a note may carry. The specification demands at least 16.
pub const MAX_SIGNATURES: usize = 64;
/// The longest note, in bytes: room for the signatures above even where they are post-quantum (5 KiB each).
pub const MAX_NOTE_BYTES: usize = 512 * 1024;

/// Why a note is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is not a note at all.
    #[error("not a signed note: {0}")]
    Malformed(&'static str),
    /// A key that we know stands beside a signature that it did not make.
    #[error("the signature of {name} does not verify: the note was altered, or its key was replaced")]
    BadSignature {
        /// Whose signature.
        name: String,
    },
    /// No signature is by a key that we know.
    #[error("no signature is by a trusted key")]
    Unsigned,
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    /// Id of the key.
    pub id: u32,
    /// What follows the id: the signature, behind a timestamp where the algorithm has one.
    pub bytes: Vec<u8>,
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.bytes);
        writeln!(f, "— {} {}", self.name, STANDARD.encode(bytes))
    }
}

/// One trusted key that signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Position of the key among those handed to [`SignedNote::verify`].
    pub key: usize,
    /// When a witness signed, in seconds since the Unix epoch.
    pub time: Option<u64>,
}

/// A text and its signatures, not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl SignedNote {
    /// A note from a text that ends in a newline.
    ///
    /// # Errors
    /// [`NoteError::Malformed`] for a text that a note cannot carry.
    pub fn new(text: String, signatures: Vec<NoteSignature>) -> Result<Self, NoteError> {
        if !text.ends_with('\n') {
            return Err(NoteError::Malformed("the text does not end in a newline"));
        }
        if text.contains(|c: char| c < ' ' && c != '\n') {
            return Err(NoteError::Malformed("a control character"));
        }
        Ok(Self { text, signatures })
    }

    /// Reads a note. Nothing in it may be believed before [`SignedNote::verify`].
    ///
    /// # Errors
    /// [`NoteError::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(NoteError::Malformed("too long"));
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Malformed("not UTF-8"))?;
        let split = note.rfind("\n\n").ok_or(NoteError::Malformed("no blank line before the signatures"))?;
        let (text, lines) = note.split_at_checked(split + 1).ok_or(NoteError::Malformed("no text"))?;
        let lines = lines
            .strip_prefix('\n')
            .and_then(|lines| lines.strip_suffix('\n'))
            .ok_or(NoteError::Malformed("no signature line, or the last one has no end"))?;
        let signatures = lines.split('\n').map(parse_line).collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::Malformed("too many signatures"));
        }
        Self::new(text.to_owned(), signatures)
    }

    /// The text, with its final newline.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, verified or not.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature, such as a witness's. One that is there already is not added again.
    pub fn add(&mut self, signature: NoteSignature) {
        if !self.signatures.contains(&signature) {
            self.signatures.push(signature);
        }
    }

    /// Which of these keys signed. Signatures of unknown keys are ignored, as the specification demands.
    ///
    /// # Errors
    /// [`NoteError::BadSignature`] if a line of a known key does not verify, [`NoteError::Unsigned`] if there
    /// is no line of a known key.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<Vec<Verified>, NoteError> {
        let mut verified: Vec<Verified> = Vec::new();
        for signature in &self.signatures {
            for (position, key) in keys.iter().enumerate().filter(|(_, key)| key.made(signature)) {
                let time = key
                    .verify(&self.text, &signature.bytes)
                    .ok_or_else(|| NoteError::BadSignature { name: signature.name.clone() })?;
                if !verified.iter().any(|seen| seen.key == position) {
                    verified.push(Verified { key: position, time });
                }
            }
        }
        if verified.is_empty() { Err(NoteError::Unsigned) } else { Ok(verified) }
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| signature.fmt(f))
    }
}

/// Divides a file of notes, each followed by an empty line: the notes that are complete, and their length
/// together. What follows was torn by a crash. Only for notes whose text has no empty line, as a checkpoint's.
#[must_use]
pub fn split_notes(bytes: &[u8]) -> (Vec<&[u8]>, usize) {
    let mut notes = Vec::new();
    let mut start = 0;
    // An empty line ends the text of a note, the next one its signatures.
    let mut in_signatures = false;
    for (at, pair) in bytes.windows(2).enumerate() {
        if pair != b"\n\n" || at < start {
            continue;
        }
        if in_signatures {
            notes.extend(bytes.get(start..=at));
            start = at + 2;
        }
        in_signatures = !in_signatures;
    }
    (notes, start)
}

/// `— <name> <base64>`
fn parse_line(line: &str) -> Result<NoteSignature, NoteError> {
    let malformed = NoteError::Malformed("a signature line is not `— <name> <base64>`");
    let (name, bytes) =
        line.strip_prefix("— ").and_then(|line| line.split_once(' ')).ok_or_else(|| malformed.clone())?;
    let bytes = STANDARD.decode(bytes).map_err(|_| malformed.clone())?;
    let (id, bytes) = bytes.split_first_chunk::<4>().ok_or_else(|| malformed.clone())?;
    if !valid_name(name) || bytes.is_empty() {
        return Err(malformed);
    }
    Ok(NoteSignature { name: name.to_owned(), id: u32::from_be_bytes(*id), bytes: bytes.to_vec() })
}
