//! A disk that fails on command: power cuts in the middle of any write, writes that arrive in pieces and out of
//! order, a full disk, and a disk that lies. For tests.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Mutex, MutexGuard};

use super::storage::Storage;

/// One file: what is on the platter, and what the system still holds back.
#[derive(Clone, Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<(usize, Vec<u8>)>,
}

impl File {
    /// What a reader sees.
    fn seen(&self) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for (at, written) in &self.pending {
            put(&mut bytes, *at, written);
        }
        bytes
    }
}

fn put(bytes: &mut Vec<u8>, at: usize, written: &[u8]) {
    if bytes.len() < at + written.len() {
        bytes.resize(at + written.len(), 0);
    }
    bytes[at..at + written.len()].copy_from_slice(written);
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, File>,
    /// What may still happen before the power goes, in bytes written and calls made.
    fuse: u64,
    /// Space in bytes.
    capacity: usize,
    /// Writes into reserved blocks fail after so many bytes, as on a file system that copies on write.
    treacherous: Option<usize>,
    /// `sync` says yes and does nothing.
    lying: bool,
}

impl State {
    /// Burns the fuse; returns how much of `amount` still happened.
    fn burn(&mut self, amount: usize) -> Result<(), usize> {
        let amount_u64 = amount as u64 + 1;
        if self.fuse >= amount_u64 {
            self.fuse -= amount_u64;
            return Ok(());
        }
        let happened = std::mem::take(&mut self.fuse) as usize;
        Err(happened.min(amount))
    }

    fn used(&self) -> usize {
        self.files.values().map(|file| file.seen().len()).sum()
    }

    fn has_room(&self, more: usize) -> io::Result<()> {
        if self.used() + more > self.capacity { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

/// The disk.
pub(super) struct FaultyStorage(Mutex<State>);

fn power_cut() -> io::Error {
    io::Error::other("power cut")
}

impl FaultyStorage {
    /// A disk without faults, yet.
    pub(super) fn new() -> Self {
        Self(Mutex::new(State { fuse: u64::MAX, capacity: usize::MAX, ..State::default() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The power goes after so many bytes and calls.
    pub(super) fn set_fuse(&self, fuse: u64) {
        self.state().fuse = fuse;
    }

    /// How much of the fuse is left.
    pub(super) fn fuse(&self) -> u64 {
        self.state().fuse
    }

    /// `Some(free)`: so many bytes are free. `None`: all the space in the world.
    pub(super) fn set_free(&self, free: Option<usize>) {
        let mut state = self.state();
        state.capacity = free.map_or(usize::MAX, |free| state.used() + free);
    }

    /// Writes fail after so many bytes, even into reserved blocks.
    pub(super) fn set_treacherous(&self, after: Option<usize>) {
        self.state().treacherous = after;
    }

    /// From now on `sync` does nothing.
    pub(super) fn lie(&self) {
        self.state().lying = true;
    }

    /// What is left after the power went: of everything that was not synced, each byte run of `grain` bytes made
    /// it or did not, by the dice of `seed`.
    pub(super) fn after_power_cut(&self, seed: u64, grain: usize) -> Self {
        let state = self.state();
        let mut dice = seed | 1;
        let mut files = BTreeMap::new();
        for (path, file) in &state.files {
            let mut durable = file.durable.clone();
            for (at, written) in &file.pending {
                for (chunk, start) in written.chunks(grain).zip((*at..).step_by(grain)) {
                    dice ^= dice << 13;
                    dice ^= dice >> 7;
                    dice ^= dice << 17;
                    if dice >> 20 & 1 == 1 {
                        put(&mut durable, start, chunk);
                    }
                }
            }
            files.insert(path.clone(), File { durable, pending: Vec::new() });
        }
        Self(Mutex::new(State { files, fuse: u64::MAX, capacity: usize::MAX, ..State::default() }))
    }
}

impl Storage for FaultyStorage {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.state().files.get(path).map(File::seen))
    }

    fn read_at(&self, path: &str, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let bytes = self.read(path)?.ok_or(ErrorKind::NotFound)?;
        let start = (offset as usize).min(bytes.len());
        Ok(bytes[start..bytes.len().min(start + len)].to_vec())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let prefix = format!("{folder}/");
        let state = self.state();
        Ok(state.files.keys().filter_map(|path| path.strip_prefix(&prefix)).map(str::to_owned).collect())
    }

    fn allocate(&self, path: &str, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.has_room(len as usize)?;
        let outcome = state.burn(0);
        // Interrupted, the file is there, empty or whole: both happen.
        let len = if outcome.is_ok() || len.is_multiple_of(3) { len as usize } else { 0 };
        state.files.insert(path.to_owned(), File { durable: vec![0; len], pending: Vec::new() });
        outcome.map_err(|_| power_cut())
    }

    fn write_at(&self, path: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let len = state.files.get(path).map_or(0, |file| file.seen().len());
        let more = (offset as usize + bytes.len()).saturating_sub(len);
        if more > 0 {
            state.has_room(more)?;
        }
        let (happened, error) = match (state.burn(bytes.len()), state.treacherous) {
            (Err(happened), _) => (happened, Some(power_cut())),
            (Ok(()), Some(after)) if after < bytes.len() => (after, Some(ErrorKind::StorageFull.into())),
            (Ok(()), _) => (bytes.len(), None),
        };
        let file = state.files.entry(path.to_owned()).or_default();
        file.pending.push((offset as usize, bytes[..happened].to_vec()));
        error.map_or(Ok(()), Err)
    }

    fn sync(&self, path: &str) -> io::Result<()> {
        let mut state = self.state();
        state.burn(0).map_err(|_| power_cut())?;
        if state.lying {
            return Ok(());
        }
        let file = state.files.get_mut(path).ok_or(ErrorKind::NotFound)?;
        file.durable = file.seen();
        file.pending.clear();
        Ok(())
    }

    fn truncate(&self, path: &str, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.burn(0).map_err(|_| power_cut())?;
        let file = state.files.get_mut(path).ok_or(ErrorKind::NotFound)?;
        file.durable = file.seen();
        file.pending.clear();
        file.durable.truncate(len as usize);
        Ok(())
    }

    fn publish(&self, files: &[(String, Vec<u8>)]) -> io::Result<()> {
        let mut state = self.state();
        for (path, bytes) in files {
            state.has_room(bytes.len())?;
            state.burn(bytes.len()).map_err(|_| power_cut())?;
            state.files.insert(path.clone(), File { durable: bytes.clone(), pending: Vec::new() });
        }
        Ok(())
    }

    fn remove_folder(&self, folder: &str) -> io::Result<()> {
        let mut state = self.state();
        let prefix = format!("{folder}/");
        let paths: Vec<String> =
            state.files.keys().filter(|path| path.starts_with(&prefix)).cloned().collect();
        for path in paths {
            state.burn(0).map_err(|_| power_cut())?;
            state.files.remove(&path);
        }
        Ok(())
    }
}
