//! Two validly signed lists of one epoch: proof that the council's keys were misused. Both are kept.
//!
//! Must not know: what is done about it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use hibiki_protocol::cbor;
use hibiki_protocol::trust::{SignedTrustList, TrustList};

use crate::services::Pending;

/// Keeps evidence for the regulator.
pub trait EvidenceKeeper: Send + Sync {
    /// Keeps both lists of `epoch`; tells where, in words for the operator. Keeping the same again
    /// changes nothing.
    fn keep<'a>(
        &'a self,
        epoch: u64,
        ours: &'a SignedTrustList,
        other: &'a SignedTrustList,
    ) -> Pending<'a, io::Result<String>>;

    /// Where evidence lies that was kept earlier, in words for the operator; none if there is none.
    fn kept(&self) -> Option<String>;
}

/// Keeps evidence as files `trust-list-EPOCH-DIGEST.cbor`, exactly as the lists were published.
#[derive(Debug, Clone)]
pub struct EvidenceFolder(PathBuf);

impl EvidenceFolder {
    /// Evidence goes into `folder`, which is made when it is first needed.
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }
}

impl EvidenceKeeper for EvidenceFolder {
    fn keep<'a>(
        &'a self,
        epoch: u64,
        ours: &'a SignedTrustList,
        other: &'a SignedTrustList,
    ) -> Pending<'a, io::Result<String>> {
        // Two small files, at most once per forged list: not worth a thread.
        let kept = [ours, other].iter().try_for_each(|list| write(&self.0, epoch, list));
        let place = self.0.display().to_string();
        Box::pin(async move { kept.map(|()| place) })
    }

    fn kept(&self) -> Option<String> {
        let mut files = fs::read_dir(&self.0).ok()?.flatten();
        let any = files.any(|file| file.path().extension().is_some_and(|extension| extension == "cbor"));
        any.then(|| self.0.display().to_string())
    }
}

fn write(folder: &Path, epoch: u64, list: &SignedTrustList) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let digest = list.digest().hex();
    let name = digest.get(..16).unwrap_or(&digest);
    let path = folder.join(format!("trust-list-{epoch}-{name}.cbor"));
    let unfinished = path.with_extension("unfinished");
    if path.exists() {
        return Ok(());
    }
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(&cbor::encode(list))?;
    file.sync_all()?;
    fs::rename(&unfinished, &path)?;
    fs::File::open(folder)?.sync_all()
}

/// Whether `other` is another list of `epoch` than `ours` and carries signatures of the root that was
/// in force then.
pub(super) fn is_second_list(ours: &SignedTrustList, other: &SignedTrustList, epoch: u64) -> bool {
    let (Ok(kept), Ok(offered)) =
        (cbor::decode::<TrustList>(&ours.payload), cbor::decode::<TrustList>(&other.payload))
    else {
        return false;
    };
    kept.epoch == epoch
        && offered.epoch == epoch
        && offered.federation == kept.federation
        && ours.digest() != other.digest()
        && other.valid_signatures(&kept.root) >= kept.root.removal_threshold
}
