//! One receipt, and the file it is kept in.
//!
//! The file says everything twice: in words that anybody can read, and in the promise that the institution
//! signed. Where the two differ, the file is not read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hibiki_protocol::answer::Answer;
use hibiki_protocol::cbor;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::receipt::Promise;
use hibiki_protocol::signing::Signed;
use hibiki_protocol::tlog::VerifierKey;
use hibiki_protocol::trust::Member;
use serde::{Deserialize, Serialize};

use crate::json::rfc3339;

/// Bytes of a receipt's file, at most: a proof through a tree of 2^64 leaves with the cosignatures of many
/// witnesses takes some ten thousand.
pub const FILE_BYTES_MAX: usize = 64 * 1024;
/// The first word of every file: which form it has.
const FORM: &str = "hibiki-receipt/1";

/// A receipt as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptReceipt {
    /// The institution.
    pub member: MemberId,
    /// The key its ledger had when it promised.
    pub ledger: VerifierKey,
    /// Epoch of the trust list by which it was believed then.
    pub epoch: u64,
    /// What it promised, read from the signed bytes. Whether the signature is the institution's is for
    /// [`super::verdict`] to say.
    pub promise: Promise,
    /// The signed bytes.
    pub signed: Signed<Promise>,
    /// The proof (c2sp.org/tlog-proof), once there is one.
    pub proof: Option<String>,
    /// That the institution has denied the leaf.
    pub denied: Option<Denial>,
}

/// That an institution denied a leaf it had promised, or could not prove it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Denial {
    /// The newest checkpoint it had then, a signed note; none if it had none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub checkpoint: Option<String>,
}

/// Why a file is no receipt. Never repeats what stands in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not an ordinary file, or the system does not let it be read.
    #[error("the file cannot be read: {0}")]
    File(String),
    /// Larger than any receipt.
    #[error("the file is larger than any receipt ({FILE_BYTES_MAX} bytes)")]
    TooLarge,
    /// Not the JSON of a receipt.
    #[error("the file is not the JSON of a receipt (line {line}, column {column}): cut short, or changed")]
    Json {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// Another form, of a newer version perhaps.
    #[error("the file has another form than {FORM}: a newer version of this program may know it")]
    Form,
    /// A field does not have the form it must have.
    #[error("the field {0} cannot be read")]
    Field(&'static str),
    /// A field says something else than the promise that was signed.
    #[error("the field {0} says something else than the promise that was signed")]
    Differs(&'static str),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    form: String,
    member: String,
    origin: String,
    vkey: String,
    epoch: u64,
    index: u64,
    leaf_hash: String,
    at: String,
    promise: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    proof: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    denied: Option<Denial>,
}

impl KeptReceipt {
    /// The receipt of an answer that was believed by the trust list of this epoch. `None` where there is no
    /// promise: the institution's software is of the time before, or nothing was logged.
    pub fn of(member: &Member, epoch: u64, answer: &Answer) -> Option<Self> {
        let signed = answer.promise.clone()?;
        let promise = signed.verify(&member.signing_key).ok()?;
        let ledger = member.ledger_verifier().filter(|key| key.name() == promise.receipt.origin)?;
        let member = member.id.clone();
        Some(Self { member, ledger, epoch, promise, signed, proof: None, denied: None })
    }

    /// Name of its file: the institution and the leaf, and nobody's name.
    pub fn file_name(&self) -> String {
        let hash = self.promise.receipt.leaf_hash.hex();
        let short = hash.get(..16).unwrap_or(&hash);
        format!("{}.{}.{short}.json", self.member.as_str().replace('/', "."), self.promise.receipt.index)
    }

    /// The text of its file.
    ///
    /// # Errors
    /// Never in practice: everything in it can be written as JSON.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        let receipt = &self.promise.receipt;
        let file = File {
            form: FORM.to_owned(),
            member: self.member.to_string(),
            origin: receipt.origin.clone(),
            vkey: self.ledger.to_string(),
            epoch: self.epoch,
            index: receipt.index,
            leaf_hash: receipt.leaf_hash.hex(),
            at: rfc3339(self.promise.at),
            promise: STANDARD.encode(cbor::encode(&self.signed)),
            proof: self.proof.clone(),
            denied: self.denied.clone(),
        };
        Ok(serde_json::to_string_pretty(&file)? + "\n")
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It is no receipt, or contradicts its promise.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.len() > FILE_BYTES_MAX {
            return Err(Unreadable::TooLarge);
        }
        let file: File = serde_json::from_slice(bytes)
            .map_err(|error| Unreadable::Json { line: error.line(), column: error.column() })?;
        if file.form != FORM {
            return Err(Unreadable::Form);
        }
        let member = MemberId::new(&file.member).ok_or(Unreadable::Field("member"))?;
        let ledger: VerifierKey = file.vkey.parse().map_err(|_| Unreadable::Field("vkey"))?;
        let signed = STANDARD.decode(&file.promise).map_err(|_| Unreadable::Field("promise"))?;
        let signed: Signed<Promise> = cbor::decode(&signed).map_err(|_| Unreadable::Field("promise"))?;
        let promise = signed.claimed().map_err(|_| Unreadable::Field("promise"))?;
        let receipt = &promise.receipt;
        let same = [
            ("member", Member::ledger_origin(&member) == receipt.origin),
            ("origin", file.origin == receipt.origin),
            ("vkey", ledger.name() == receipt.origin && ledger.to_string() == file.vkey),
            ("index", file.index == receipt.index),
            ("leaf_hash", file.leaf_hash == receipt.leaf_hash.hex()),
            ("at", file.at == rfc3339(promise.at)),
            ("promise", promise.version == hibiki_protocol::limits::VERSION_MAX),
        ];
        if let Some((field, _)) = same.into_iter().find(|(_, same)| !same) {
            return Err(Unreadable::Differs(field));
        }
        let File { epoch, proof, denied, .. } = file;
        Ok(Self { member, ledger, epoch, promise, signed, proof, denied })
    }
}
