//! A council's folder.
//!
//! `root.cbor` (given to every party), `root-1.key` … (0600, to be carried to separate machines),
//! `draft.cbor`, `proposal.cbor` (the dated draft that is being signed), `lists/` (every list ever
//! published). A list is in `lists/` before it is handed out, so that no epoch is issued twice.

use std::fs::File;
use std::path::{Path, PathBuf};

use hibiki_protocol::cbor::{self, Wire};
use hibiki_protocol::ids::FederationId;
use hibiki_protocol::signing::SigningKey;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{RootAnchor, SignedTrustList, TrustList};

use super::error::CouncilError;
use super::{Council, decode_list, root_key};
use crate::files::{self, FileError, Secrecy};

/// The federation's name and root keys, for every party.
pub const ROOT_FILE: &str = "root.cbor";
/// The dated draft with the signatures gathered so far.
pub const PROPOSAL_FILE: &str = "proposal.cbor";
const DRAFT_FILE: &str = "draft.cbor";
const LISTS_FOLDER: &str = "lists";

/// A council on disk, held by this process alone.
#[derive(Debug)]
pub struct CouncilFolder {
    folder: PathBuf,
    council: Council,
    proposal: Option<SignedTrustList>,
    _turn: File,
}

impl CouncilFolder {
    /// Makes a council with `keys` fresh root keys in files of their own. Nothing is overwritten.
    ///
    /// # Errors
    /// There is one already, or thresholds and keys make no root.
    pub fn create(
        folder: &Path,
        federation: FederationId,
        keys: usize,
        threshold: u64,
        removal_threshold: u64,
    ) -> Result<Self, CouncilError> {
        let anchor_file = folder.join(ROOT_FILE);
        if anchor_file.exists() {
            return Err(FileError::Exists { path: anchor_file }.into());
        }
        let keys: Vec<SigningKey> =
            (0..keys.min(64)).map(|_| root_key::generate()).collect::<Result<_, _>>()?;
        let public: Vec<_> = keys.iter().map(SigningKey::verifying_key).collect();
        let council = Council::create(federation, &public, threshold, removal_threshold)?;
        let paths: Vec<_> =
            (1..=keys.len()).map(|number| folder.join(format!("root-{number}.key"))).collect();
        if let Some(path) = paths.iter().find(|path| path.exists()) {
            return Err(FileError::Exists { path: path.clone() }.into());
        }
        files::make_folder(&folder.join(LISTS_FOLDER))?;
        for (path, key) in paths.iter().zip(&keys) {
            root_key::save(path, key)?;
        }
        files::create(&anchor_file, &cbor::encode(council.anchor()), Secrecy::Public)?;
        Self::open(folder)
    }

    /// Opens a council, checks its whole history, and waits until no other process holds it.
    ///
    /// # Errors
    /// The folder holds none, or its files are damaged.
    pub fn open(folder: &Path) -> Result<Self, CouncilError> {
        let broken = |what: &str| CouncilError::NotACouncil {
            folder: folder.display().to_string(),
            what: what.to_owned(),
        };
        if !folder.join(ROOT_FILE).exists() {
            return Err(broken("there is no root.cbor in it"));
        }
        let turn = files::lock_folder(folder)?;
        let anchor: RootAnchor = decode(&files::read(&folder.join(ROOT_FILE))?, ROOT_FILE)?;
        let mut published: Vec<SignedTrustList> = Vec::new();
        while let Some(bytes) = files::read_if_present(&list_path(folder, published.len() as u64 + 1))? {
            published.push(decode(&bytes, "a published list")?);
        }
        let draft = files::read_if_present(&folder.join(DRAFT_FILE))?;
        let draft: Option<TrustList> = draft.map(|bytes| decode(&bytes, DRAFT_FILE)).transpose()?;
        let council = Council::resume(anchor, &published, draft).map_err(|e| broken(&e.to_string()))?;
        let proposal = files::read_if_present(&folder.join(PROPOSAL_FILE))?;
        let proposal: Option<SignedTrustList> =
            proposal.map(|bytes| decode(&bytes, PROPOSAL_FILE)).transpose()?;
        // Left behind when the machine stopped right after the list was published.
        let current = |signed: &SignedTrustList| {
            decode_list(&signed.payload).is_ok_and(|list| list.epoch == council.draft().epoch)
        };
        let proposal = proposal.filter(current);
        Ok(Self { folder: folder.to_owned(), council, proposal, _turn: turn })
    }

    /// The council.
    pub fn council(&self) -> &Council {
        &self.council
    }

    /// The dated draft that is being signed, if it was signed at all.
    pub fn proposal(&self) -> Option<&SignedTrustList> {
        self.proposal.as_ref()
    }

    /// Changes the draft and stores it. Returns how many signatures were dropped with the dated
    /// draft they belonged to: a signature counts for the very bytes that were signed.
    ///
    /// # Errors
    /// The change is refused (nothing is stored), or a file cannot be written.
    pub fn edit<T>(
        &mut self,
        change: impl FnOnce(&mut Council) -> Result<T, CouncilError>,
    ) -> Result<(T, usize), CouncilError> {
        let mut council = self.council.clone();
        let result = change(&mut council)?;
        let dropped = self.reopen()?;
        let draft = cbor::encode(council.draft());
        files::replace(&self.folder.join(DRAFT_FILE), &draft, Secrecy::Public)?;
        self.council = council;
        Ok((result, dropped))
    }

    /// Drops the dated draft and its signatures; the draft stays. Returns how many there were.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn reopen(&mut self) -> Result<usize, CouncilError> {
        files::remove(&self.folder.join(PROPOSAL_FILE))?;
        Ok(self.proposal.take().map_or(0, |proposal| proposal.signatures.len()))
    }

    /// Adds one root key's signature, dating the draft first if that was not done yet.
    ///
    /// # Errors
    /// The draft cannot become a list, or the key is no root key.
    pub fn sign(
        &mut self,
        key: &SigningKey,
        valid_days: u64,
        now: Timestamp,
    ) -> Result<&SignedTrustList, CouncilError> {
        let mut proposal = match &self.proposal {
            Some(dated) => dated.clone(),
            None => self.council.propose(valid_days, now)?,
        };
        self.council.sign(&mut proposal, key)?;
        files::replace(&self.folder.join(PROPOSAL_FILE), &cbor::encode(&proposal), Secrecy::Public)?;
        Ok(self.proposal.insert(proposal))
    }

    /// Takes over the signatures of a copy that was signed elsewhere. Returns how many were new.
    ///
    /// # Errors
    /// The copy is of another draft.
    pub fn gather(&mut self, copy: &SignedTrustList) -> Result<usize, CouncilError> {
        let mine = self.proposal.as_mut().ok_or(CouncilError::NothingSigned)?;
        if mine.payload != copy.payload {
            return Err(CouncilError::OtherDraft { file: PROPOSAL_FILE });
        }
        let before = mine.signatures.len();
        for signature in &copy.signatures {
            if !mine.signatures.iter().any(|known| known.key == signature.key) {
                mine.signatures.push(signature.clone());
            }
        }
        let added = mine.signatures.len() - before;
        files::replace(&self.folder.join(PROPOSAL_FILE), &cbor::encode(mine), Secrecy::Public)?;
        Ok(added)
    }

    /// Publishes the signed draft: stores it under its epoch, then returns it for handing out.
    ///
    /// # Errors
    /// Signatures are missing, or the list does not follow the one in force.
    pub fn publish(&mut self, now: Timestamp) -> Result<SignedTrustList, CouncilError> {
        let proposal = self.proposal.clone().ok_or(CouncilError::NothingSigned)?;
        let mut council = self.council.clone();
        let epoch = council.publish(&proposal, now)?.list().epoch;
        files::create(&list_path(&self.folder, epoch), &cbor::encode(&proposal), Secrecy::Public)?;
        self.council = council;
        self.reopen()?;
        files::remove(&self.folder.join(DRAFT_FILE))?;
        Ok(proposal)
    }
}

fn list_path(folder: &Path, epoch: u64) -> PathBuf {
    folder.join(LISTS_FOLDER).join(format!("{epoch:06}.cbor"))
}

fn decode<T: Wire>(bytes: &[u8], what: &'static str) -> Result<T, CouncilError> {
    cbor::decode(bytes).map_err(|source| CouncilError::Decode { what, source })
}
