//! The newest checkpoint this node has cosigned of each ledger: judged, replaced and made durable under one
//! lock, before a cosignature leaves. One file for each ledger and key: the note with both signatures.
//!
//! Must not know: who offers, or what a refusal means to anybody.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::Arc;

use hibiki_protocol::ids::MemberId;
use hibiki_protocol::tlog::{Checkpoint, Growth, NoteSignature, NoteSigner, Verdict, VerifierKey, judge};
use tokio::sync::Mutex;

use super::shelf::Shelf;
use super::stem;

/// What files of kept checkpoints end in.
const ENDING: &str = ".checkpoint";

/// A kept checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) checkpoint: Checkpoint,
    /// With the signatures of the ledger and of this node.
    pub(super) note: String,
}

/// What came of an offer.
pub(super) struct Judged {
    /// What was kept before.
    pub(super) before: Option<Held>,
    pub(super) verdict: Verdict,
    /// The cosignature, if it is one to cosign: what it is under is durable.
    pub(super) cosignature: Option<NoteSignature>,
}

/// All of them.
pub(super) struct Kept {
    shelf: Arc<Shelf>,
    held: Mutex<BTreeMap<String, Held>>,
}

impl Kept {
    pub(super) fn new(shelf: Arc<Shelf>) -> Self {
        Self { shelf, held: Mutex::default() }
    }

    /// What is kept of a ledger.
    pub(super) async fn newest(&self, member: &MemberId, log: &VerifierKey) -> io::Result<Option<Held>> {
        let mut held = self.held.lock().await;
        self.load(&mut held, &path(member, log), log)
    }

    /// Judges an offer and, where it is to be cosigned, keeps it and cosigns at `time` (seconds).
    ///
    /// Cancelled or cut off in the middle, the disk may hold a newer checkpoint than was ever cosigned, never
    /// an older one.
    pub(super) async fn judge(
        &self,
        (member, log): (&MemberId, &VerifierKey),
        growth: &Growth<'_>,
        witness: &NoteSigner,
        time: u64,
    ) -> io::Result<Judged> {
        let path = path(member, log);
        let mut held = self.held.lock().await;
        let before = self.load(&mut held, &path, log)?;
        let verdict = judge(before.as_ref().map(|held| &held.checkpoint), growth, log);
        let Verdict::Cosign(cosignable) = &verdict else {
            return Ok(Judged { before, verdict, cosignature: None });
        };
        let (cosignature, note) = cosignable.cosign(witness, time);
        if cosignable.has_grown() {
            // Until it is known to be durable, only the disk knows what is kept.
            held.remove(&path);
            let note = note.to_string();
            self.shelf.put(path.clone(), note.clone().into_bytes()).await?;
            held.insert(path, Held { checkpoint: cosignable.checkpoint().clone(), note });
        }
        Ok(Judged { before, verdict, cosignature: Some(cosignature) })
    }

    fn load(
        &self,
        held: &mut BTreeMap<String, Held>,
        path: &str,
        log: &VerifierKey,
    ) -> io::Result<Option<Held>> {
        if let Some(found) = held.get(path) {
            return Ok(Some(found.clone()));
        }
        let Some(bytes) = self.shelf.read(path)? else { return Ok(None) };
        // A file that does not read is not the same as none: taken for none, any history would be cosigned.
        let damaged = |what: String| io::Error::new(ErrorKind::InvalidData, format!("{path}: {what}"));
        let (checkpoint, _) =
            Checkpoint::open(&bytes, log, &[]).map_err(|error| damaged(error.to_string()))?;
        let note = String::from_utf8(bytes).map_err(|error| damaged(error.to_string()))?;
        let found = Held { checkpoint, note };
        held.insert(path.to_owned(), found.clone());
        Ok(Some(found))
    }
}

fn path(member: &MemberId, log: &VerifierKey) -> String {
    format!("{}{ENDING}", stem(member, log))
}
