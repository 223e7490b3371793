//! The one writer of a ledger: takes groups of entries, makes them durable, and signs checkpoints. It runs on
//! a thread of its own or, in a simulation, inside the call.

use std::sync::{Arc, RwLock};

use hibiki_protocol::tlog::{Checkpoint, NoteSigner};

use super::entry::{Prepared, Receipt};
use super::error::{CheckpointFailure, NotLogged};
use super::head::{COSIGNED, CURRENT, HISTORY, Signed, open};
use super::index::Index;
use super::journal::{Journal, Urgency};
use super::record::record_len;
use super::stand::Stand;
use super::storage::Storage;
use super::tiles::Tiles;
use super::{read_lock, write_lock};

/// The most bytes of records in one group.
const GROUP_BYTES: u64 = 1 << 20;
/// A checkpoint is due, minute or not, once so many full tiles and bundles wait in memory (a bundle and a tile
/// per 256 entries).
const WAITING: usize = 128;

/// Everything that only one may do at a time.
pub(super) struct Writer {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) signer: Arc<NoteSigner>,
    pub(super) journal: Journal,
    pub(super) tiles: Tiles,
    pub(super) index: Arc<RwLock<Index>>,
    pub(super) history_len: u64,
    /// Whether anything may be signed.
    pub(super) stand: Arc<Stand>,
    /// The entry that says that the node started, while there was no space for it.
    pub(super) start: Option<Prepared>,
}

/// An entry and how urgent it is.
pub(super) type Order = (Prepared, Urgency);

impl Writer {
    /// Writes entries in groups. The answers stand in the order of the orders.
    pub(super) fn append(&mut self, orders: &[Order]) -> Vec<Result<Receipt, NotLogged>> {
        if let Err(error) = self.write_start() {
            return orders.iter().map(|_| Err(error.clone())).collect();
        }
        let most = self.journal.capacity().min(GROUP_BYTES);
        let mut answers = Vec::with_capacity(orders.len());
        let mut rest = orders;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fitting = rest.iter().take_while(|(entry, _)| {
                bytes += record_len(entry).map_or(u64::MAX / 2, |len| len as u64);
                bytes <= most
            });
            let count = fitting.count();
            if let (0, Some(((entry, _), others))) = (count, rest.split_first()) {
                answers.push(Err(NotLogged::TooLarge(entry.sealed.len())));
                rest = others;
                continue;
            }
            let (group, others) = rest.split_at(count.min(rest.len()));
            answers.extend(self.group(group));
            rest = others;
        }
        if self.tiles.waiting() >= WAITING
            && let Err(error) = self.checkpoint()
        {
            tracing::warn!(%error, "a checkpoint of the ledger failed");
        }
        answers
    }

    /// The entry about the start, if it still waits for space.
    fn write_start(&mut self) -> Result<(), NotLogged> {
        let Some(start) = self.start.take() else { return Ok(()) };
        let written = self.write(std::slice::from_ref(&start), Urgency::Reserved);
        if written.is_err() {
            self.start = Some(start);
        }
        written.map(|_| ())
    }

    /// One group. On a full disk the urgent entries of it are written alone, into the reserve.
    fn group(&mut self, group: &[Order]) -> Vec<Result<Receipt, NotLogged>> {
        let all: Vec<Prepared> = group.iter().map(|(entry, _)| entry.clone()).collect();
        let error = match self.write(&all, Urgency::Ordinary) {
            Ok(receipts) => return receipts.into_iter().map(Ok).collect(),
            Err(error) => error,
        };
        let urgent = |order: &&Order| order.1 == Urgency::Reserved;
        let reserved: Vec<Prepared> = group.iter().filter(urgent).map(|(entry, _)| entry.clone()).collect();
        if error != NotLogged::NoSpace || reserved.is_empty() {
            return group.iter().map(|_| Err(error.clone())).collect();
        }
        let written = self.write(&reserved, Urgency::Reserved);
        let mut receipts = written.as_ref().map_or_else(|_| Vec::new(), Clone::clone).into_iter();
        let reserved_error = written.err().unwrap_or(NotLogged::Closed);
        let answer = |order: &Order| match order.1 {
            Urgency::Ordinary => Err(error.clone()),
            Urgency::Reserved => receipts.next().ok_or_else(|| reserved_error.clone()),
        };
        group.iter().map(answer).collect()
    }

    /// Makes a group durable, then visible.
    fn write(&mut self, group: &[Prepared], urgency: Urgency) -> Result<Vec<Receipt>, NotLogged> {
        let first = self.journal.size();
        let places = self.journal.write(group, urgency)?;
        let tree_size = self.journal.size();
        let mut index = write_lock(&self.index);
        let mut receipts = Vec::with_capacity(group.len());
        for ((entry, place), number) in group.iter().zip(places).zip(first..) {
            index.push(place, entry.subject);
            receipts.push(Receipt {
                origin: self.signer.verifier_key().name().to_owned(),
                index: number,
                leaf_hash: self.tiles.append(&entry.leaf),
                tree_size,
            });
        }
        Ok(receipts)
    }

    /// Signs the present state, with all tiles on disk before. The same state is not signed twice.
    pub(super) fn checkpoint(&mut self) -> Result<String, CheckpointFailure> {
        if let Some(head) = &read_lock(&self.index).head
            && head.checkpoint.size == self.tiles.size()
        {
            return Ok(head.note.clone());
        }
        self.stand.may_sign()?;
        self.storage.publish(&self.tiles.files())?;
        for folder in self.tiles.published() {
            if let Err(error) = self.storage.remove_folder(&folder) {
                tracing::debug!(%error, "superfluous partial tiles stay");
            }
        }
        let origin = self.signer.verifier_key().name().to_owned();
        let checkpoint = Checkpoint { origin, size: self.tiles.size(), root: self.tiles.root() };
        let note = checkpoint.sign(&self.signer).map_err(std::io::Error::other)?.to_string();
        let line = format!("{note}\n");
        self.storage.write_at(HISTORY, self.history_len, line.as_bytes())?;
        self.storage.sync(HISTORY)?;
        self.history_len += line.len() as u64;
        self.storage.publish(&[(CURRENT.to_owned(), note.clone().into_bytes())])?;
        write_lock(&self.index).head = Some(Signed { checkpoint, note: note.clone() });
        Ok(note)
    }

    /// Keeps a checkpoint of this ledger with its witnesses' cosignatures, durably.
    pub(super) fn keep_cosigned(&mut self, note: &str) -> Result<(), CheckpointFailure> {
        let signed = open(note.as_bytes(), self.signer.verifier_key()).map_err(std::io::Error::other)?;
        self.storage.publish(&[(COSIGNED.to_owned(), note.as_bytes().to_vec())])?;
        write_lock(&self.index).cosigned = Some(signed);
        Ok(())
    }
}
