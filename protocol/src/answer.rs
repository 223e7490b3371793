//! An institution's answer: signed by it, then compressed, padded and sealed to the terminal.
//!
//! Padding comes in few sizes, and everything that fits the first has the first: with data or
//! without, with a hold or without a child, the answers a relay sees look alike.

use std::io::Read as _;

use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};

use crate::act::{Act, ConsentState};
use crate::cbor::{self, wire_struct};
use crate::history::HistoryPage;
use crate::ids::{Category, Digest, MemberId, QueryId};
use crate::limits;
use crate::outcome::Outcome;
use crate::query::{Refusal, ReplyTo};
pub use crate::receipt::Receipt;
use crate::receipt::{Promise, ProofPage};
use crate::registration::RegistrationState;
use crate::sealing::{self, SealError, Sealed, SealingSecret};
use crate::signing::{Signable, Signed, VerifyingKey};
use crate::time::{Day, Timestamp};

wire_struct! {
    /// One record, its content untouched.
    #[derive(Clone, PartialEq, Eq)]
    pub struct Record {
        /// What kind of record.
        1 => pub category: Category,
        /// The day it is about (a calendar day in Japan).
        3 => pub date: Day,
        /// When the institution last changed it.
        5 => pub updated_at: Timestamp,
        /// Media type of the content, such as `application/fhir+json`.
        7 => pub media_type: String,
        /// The content, byte for byte as the institution holds it.
        9 => pub content: Vec<u8>,
    }
}

impl std::fmt::Debug for Record {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Record({}, ***)", self.category)
    }
}

wire_struct! {
    /// From which day on the institution has kept records of one category. Earlier ones are not missing
    /// by accident: they were never taken in.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct KeptSince {
        /// The category.
        1 => pub category: Category,
        /// The first day (a calendar day in Japan).
        3 => pub since: Day,
    }
}

wire_struct! {
    /// The answer.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Answer {
        /// Protocol version.
        1 => pub version: u64,
        /// The query it answers.
        3 => pub query_id: QueryId,
        /// Digest of the signed query it answers.
        5 => pub query_digest: Digest,
        /// The institution.
        7 => pub institution: MemberId,
        /// What became of the query.
        9 => pub outcome: Outcome,
        /// Milliseconds after which asking again makes sense (with `busy`).
        10 => pub retry_after_millis: Option<u64>,
        /// The records.
        11 => pub records: Vec<Record>,
        /// How current the records are.
        13 => pub as_of: Timestamp,
        /// Version of the institution's policy that was applied.
        15 => pub policy_version: u64,
        /// Its ledger entry; absent only when nothing was released because nothing could be logged.
        17 => pub receipt: Option<Receipt>,
        /// Whether a simulated card asked.
        19 => pub simulated: bool,
        /// The institution's refusal, where the query was opened but not accepted.
        20 => pub refusal: Option<Refusal>,
        /// Since when it keeps which category, if it says so: the same in every answer, whoever asks.
        22 => pub kept_since: Option<Vec<KeptSince>>,
        /// The history of accesses, where that was asked for.
        23 => pub history: Option<HistoryPage>,
        /// The guardian's choices, where those were asked for or changed.
        25 => pub consent: Option<ConsentState>,
        /// What is registered for the subject, where that was asked for or changed.
        27 => pub registration: Option<RegistrationState>,
        /// The receipt as a statement of its own, which can be shown to anybody.
        28 => pub promise: Option<Signed<Promise>>,
        /// Proofs of receipts, where those were asked for.
        29 => pub proofs: Option<ProofPage>,
    }
}

impl Signable for Answer {
    const LABEL: &'static str = "hibiki/1/answer";
}

/// A sealed answer; only the terminal that asked can open it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedAnswer(pub Sealed);
cbor::wire_newtype!(SealedAnswer);

/// Why an answer is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerFault {
    /// Sealed to another query, or damaged.
    #[error("the answer does not open")]
    DoesNotOpen,
    /// Compression or encoding is not right, or the answer is larger than allowed.
    #[error("the answer is not well-formed")]
    Malformed,
    /// Not signed by the institution that was asked.
    #[error("the answer is not signed by the institution that was asked")]
    Signature,
    /// Signed by the right institution, but for another query.
    #[error("the answer belongs to another query")]
    OtherQuery,
    /// It contradicts itself: records without `data`, data without a ledger entry, a promise of something else
    /// than its receipt, or an outcome that is not its refusal's.
    #[error("the answer contradicts itself")]
    Contradiction,
}

fn answer_info(institution: &MemberId, to: &ReplyTo) -> Vec<u8> {
    sealing::info("hibiki/1/answer", &[&to.id.0, institution.as_str().as_bytes(), &to.digest.0])
}

fn too_long(length: usize) -> SealError {
    let size = limits::ANSWER_PLAINTEXT_BYTES[limits::ANSWER_PLAINTEXT_BYTES.len() - 1];
    SealError::TooLong { length, size }
}

/// The compressed answer, before padding.
fn packed(answer: &Signed<Answer>) -> Result<Vec<u8>, SealError> {
    let bytes = cbor::encode(answer);
    if bytes.len() > limits::ANSWER_EXPANDED_BYTES_MAX {
        return Err(too_long(bytes.len()));
    }
    let mut compressed = Vec::new();
    DeflateEncoder::new(bytes.as_slice(), Compression::fast())
        .read_to_end(&mut compressed)
        .map_err(|_| too_long(bytes.len()))?;
    Ok(compressed)
}

/// Whether this many bytes of ciphertext are one of the sizes an answer may have.
pub fn is_answer_size(ciphertext: usize) -> bool {
    limits::ANSWER_PLAINTEXT_BYTES.iter().any(|size| size + 16 == ciphertext)
}

impl SealedAnswer {
    /// Compresses, pads to the smallest size that fits, and seals.
    ///
    /// # Errors
    /// The answer is too large for any size, or the answer key is invalid.
    pub fn seal(answer: &Signed<Answer>, institution: &MemberId, to: &ReplyTo) -> Result<Self, SealError> {
        let compressed = packed(answer)?;
        let size = limits::ANSWER_PLAINTEXT_BYTES.into_iter().find(|size| compressed.len() + 4 <= *size);
        let padded = sealing::pad(&compressed, size.ok_or_else(|| too_long(compressed.len()))?)?;
        to.answer_key.seal(&answer_info(institution, to), &[], &padded).map(Self)
    }

    /// Opens, expands and verifies the answer of `institution` to the query it was asked.
    ///
    /// # Errors
    /// Any step fails: then nothing of the answer is used.
    pub fn open(
        &self,
        institution: &MemberId,
        key: &VerifyingKey,
        to: &ReplyTo,
        secret: &SealingSecret,
    ) -> Result<Answer, AnswerFault> {
        let opened = secret.open(&answer_info(institution, to), &[], &self.0);
        let padded = opened.map_err(|_| AnswerFault::DoesNotOpen)?;
        let compressed = sealing::unpad(&padded).map_err(|_| AnswerFault::Malformed)?;
        let mut bytes = Vec::new();
        let mut expanding =
            DeflateDecoder::new(compressed).take(limits::ANSWER_EXPANDED_BYTES_MAX as u64 + 1);
        expanding.read_to_end(&mut bytes).map_err(|_| AnswerFault::Malformed)?;
        let read = expanding.get_ref().total_in();
        if bytes.len() > limits::ANSWER_EXPANDED_BYTES_MAX || read != compressed.len() as u64 {
            return Err(AnswerFault::Malformed);
        }
        let signed: Signed<Answer> = cbor::decode(&bytes).map_err(|_| AnswerFault::Malformed)?;
        let answer = signed.verify(key).map_err(|_| AnswerFault::Signature)?;
        if &answer.institution != institution || answer.query_id != to.id || answer.query_digest != to.digest
        {
            return Err(AnswerFault::OtherQuery);
        }
        let right = answer.consistent() && answer.promises_its_receipt(key);
        right.then_some(answer).ok_or(AnswerFault::Contradiction)
    }
}

impl Answer {
    /// Whether this is the kind of answer that was asked for: records, a history, choices, a registration or
    /// proofs, and a receipt where something was changed.
    pub fn answers(&self, act: Option<&Act>) -> bool {
        let changed = self.consent.as_ref().map(|state| state.changed.is_some());
        let registered = self.registration.as_ref().map(RegistrationState::tells_of_a_change);
        self.outcome != Outcome::Data
            || match act {
                None => !self.records.is_empty(),
                Some(Act::History(_)) => self.history.is_some(),
                Some(Act::ShowConsent(_)) => changed == Some(false),
                Some(Act::ChangeConsent(_)) => changed == Some(true),
                Some(Act::ShowRegistration(_)) => registered == Some(false),
                Some(Act::ChangeRegistration(_)) => registered == Some(true),
                Some(Act::ProveReceipts(_)) => self.proofs.is_some(),
            }
    }

    /// Whether it fits the common frame once it is signed: then a relay sees nothing of what it is.
    pub fn fits_the_common_frame(signed: &Signed<Self>) -> bool {
        packed(signed).is_ok_and(|packed| packed.len() + 4 <= limits::ANSWER_PLAINTEXT_BYTES[0])
    }

    /// A promise, where there is one, is the institution's, and of this very receipt.
    fn promises_its_receipt(&self, key: &VerifyingKey) -> bool {
        self.promise.as_ref().is_none_or(|promise| {
            promise.verify(key).is_ok_and(|promise| {
                promise.version == limits::VERSION_MAX && Some(&promise.receipt) == self.receipt.as_ref()
            })
        })
    }

    /// One of records, history, choices, registration and proofs comes with `data` and only with it; what the
    /// institution says about the child has a ledger entry; what it does not work on has a refusal that fits; what only the
    /// gateway or the terminal can observe is not for it to say.
    fn consistent(&self) -> bool {
        let data = self.outcome == Outcome::Data;
        let logged = matches!(self.outcome, Outcome::Data | Outcome::NothingToShow);
        let its_own = !matches!(self.outcome, Outcome::Unreachable | Outcome::TimedOut | Outcome::NotAsked);
        let refused = self.refusal.map(Outcome::from);
        let given = [
            !self.records.is_empty(),
            self.history.is_some(),
            self.consent.is_some(),
            self.registration.is_some(),
            self.proofs.is_some(),
        ];
        given.into_iter().filter(|given| *given).count() == usize::from(data)
            && self
                .history
                .as_ref()
                .is_none_or(|page| (1..=limits::HISTORY_ENTRIES_MAX).contains(&page.entries.len()))
            && self.consent.as_ref().is_none_or(|state| state.withdrawn.len() <= limits::WITHDRAWALS_MAX)
            && self.registration.as_ref().is_none_or(RegistrationState::within_limits)
            && self.proofs.as_ref().is_none_or(ProofPage::consistent)
            && self.kept_since.as_ref().is_none_or(|kept| kept.len() <= limits::KEPT_SINCE_MAX)
            && refused == (!logged).then_some(self.outcome)
            && (!logged || self.receipt.is_some())
            && its_own
            && self.version == limits::VERSION_MAX
            && self.records.len() <= limits::ANSWER_RECORDS_MAX
            && self.records.iter().all(|record| record.content.len() <= limits::RECORD_CONTENT_BYTES_MAX)
    }
}
