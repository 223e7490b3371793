//! Room on the disk: sled neither opens nor reads on a full one, so room is set aside beforehand.
//!
//! Owns: the reserve, a file of real blocks beside the database, and the decision which batches are taken
//! when. Ordinary batches need the reserve in place and head-room besides; urgent ones may spend the
//! reserve. When room returns the reserve is set aside again, and only then ordinary batches are taken.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

use super::{SEGMENT_BYTES, directory::sync_dir};
use crate::store::{Result, StoreError};

/// Bytes an opening may need at the worst: the rest of the last segment is overwritten, a segment may be
/// begun and the page table is saved.
pub(super) const HEADROOM_BYTES: u64 = 3 * SEGMENT_BYTES as u64;

/// Sled may write a page again for each changed row, so a batch costs a multiple of its size.
const WRITE_AMPLIFICATION: u64 = 4;

pub(super) struct Space {
    dir: PathBuf,
    reserve_bytes: u64,
    /// Free space below which ordinary batches are not taken.
    floor_bytes: u64,
    held: Mutex<bool>,
}

impl Space {
    /// Looks at the reserve in `dir`, which must exist. `reserve_bytes` 0 means: none is kept. Ordinary batches
    /// are taken while `low_bytes` are free, and never with less than the head-room.
    pub(super) fn new(dir: &Path, reserve_bytes: u64, low_bytes: u64) -> Self {
        let complete = fs::metadata(dir.join("reserve")).is_ok_and(|meta| meta.len() == reserve_bytes);
        Self {
            dir: dir.to_owned(),
            reserve_bytes,
            floor_bytes: low_bytes.max(HEADROOM_BYTES),
            held: Mutex::new(complete || reserve_bytes == 0),
        }
    }

    /// Bytes this process may still use on the file system; the largest number when it does not say.
    pub(super) fn free(&self) -> u64 {
        statvfs(&self.dir).map_or(u64::MAX, |fs| fs.f_bavail.saturating_mul(fs.f_frsize))
    }

    /// Makes room for an opening, from the reserve if needed.
    pub(super) fn before_open(&self) {
        let mut held = self.held();
        if self.free() < HEADROOM_BYTES {
            self.release(&mut held);
        }
    }

    /// Whether an opening has the room it may need.
    pub(super) fn can_open(&self) -> bool {
        self.free() >= HEADROOM_BYTES
    }

    /// Only urgent batches are taken. Tries to set the reserve aside again first.
    pub(super) fn is_low(&self) -> bool {
        let mut held = self.held();
        self.restore(&mut held);
        !*held || self.free() < self.floor_bytes
    }

    /// Decides whether a batch of `bytes` is taken.
    pub(super) fn admit(&self, bytes: usize, urgent: bool) -> Result<()> {
        let cost = (bytes as u64).saturating_mul(WRITE_AMPLIFICATION);
        let need = self.floor_bytes.saturating_add(cost);
        let mut held = self.held();
        self.restore(&mut held);
        let free = self.free();
        if *held && free >= need {
            return Ok(());
        }
        if !urgent {
            let need = if *held { need } else { need.saturating_add(self.reserve_bytes) };
            return Err(StoreError::NoSpace { free, need });
        }
        if free < HEADROOM_BYTES.saturating_add(cost) {
            self.release(&mut held);
        }
        let (free, need) = (self.free(), cost.saturating_add(SEGMENT_BYTES as u64));
        if free >= need { Ok(()) } else { Err(StoreError::NoSpace { free, need }) }
    }

    /// The error for a write that found no room in spite of everything.
    pub(super) fn exhausted(&self) -> StoreError {
        StoreError::NoSpace { free: self.free(), need: self.floor_bytes.saturating_add(self.reserve_bytes) }
    }

    fn restore(&self, held: &mut bool) {
        if *held || self.free() < HEADROOM_BYTES.saturating_add(self.reserve_bytes) {
            return;
        }
        match self.set_aside() {
            Ok(()) => *held = true,
            Err(error) => {
                tracing::debug!(%error, "the disk-space reserve could not be set aside");
                _ = fs::remove_file(self.file());
            }
        }
    }

    fn set_aside(&self) -> io::Result<()> {
        let file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(self.file())?;
        let allocated = fallocate(&file, FallocateFlags::empty(), 0, self.reserve_bytes);
        if allocated == Err(rustix::io::Errno::OPNOTSUPP) {
            write_blocks(&file, self.reserve_bytes)?;
        } else {
            allocated?;
        }
        file.sync_all()?;
        sync_dir(&self.dir)
    }

    fn release(&self, held: &mut bool) {
        if self.reserve_bytes == 0 {
            return;
        }
        if *held {
            tracing::warn!("the disk is nearly full: the reserve is spent, only urgent writes are taken");
        }
        *held = false;
        // The blocks are free for others only after the file system's own journal says so: syncing the
        // directory makes it say so.
        if let Err(error) = fs::remove_file(self.file()).and_then(|()| sync_dir(&self.dir)) {
            tracing::debug!(%error, "the disk-space reserve could not be released");
        }
    }

    fn file(&self) -> PathBuf {
        self.dir.join("reserve")
    }

    fn held(&self) -> MutexGuard<'_, bool> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_blocks(mut file: &File, bytes: u64) -> io::Result<()> {
    // Not zeros, so that a file system with compression or holes keeps real blocks too.
    let block: Vec<u8> = (0..1_u32 << 14).flat_map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    let mut left = bytes;
    while left > 0 {
        let part = left.min(block.len() as u64);
        file.write_all(block.get(..part as usize).unwrap_or(&block))?;
        left -= part;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_reserve_has_real_blocks_and_comes_back() {
        use std::os::unix::fs::MetadataExt as _;
        let dir = tempfile::tempdir().unwrap();
        let space = Space::new(dir.path(), 1 << 20, 0);
        assert!(!space.is_low(), "there is room, so the reserve is set aside at the first look");
        assert!(fs::metadata(space.file()).unwrap().blocks() * 512 >= 1 << 20);
        let mut held = space.held();
        space.release(&mut held);
        assert!(!space.file().exists());
        drop(held);
        space.admit(10, false).unwrap();
        assert!(space.file().exists());
        assert!(*Space::new(dir.path(), 1 << 20, 0).held(), "found again after a restart");
        assert!(!*Space::new(dir.path(), 2 << 20, 0).held(), "another size is set aside anew");
    }

    #[test]
    fn below_the_watermark_only_urgent_batches_are_taken() {
        let dir = tempfile::tempdir().unwrap();
        let space = Space::new(dir.path(), 1 << 20, u64::MAX);
        assert!(space.is_low());
        assert!(matches!(space.admit(10, false), Err(StoreError::NoSpace { .. })));
        space.admit(10, true).unwrap();
        assert!(space.file().exists(), "there is room for it without the reserve");
    }

    #[test]
    fn written_blocks_have_the_length_asked_for() {
        let file = tempfile::NamedTempFile::new().unwrap();
        write_blocks(file.as_file(), 100_001).unwrap();
        assert_eq!(file.as_file().metadata().unwrap().len(), 100_001);
    }
}
