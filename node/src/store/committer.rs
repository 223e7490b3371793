//! The one writer: many small commits become few durable ones.
//!
//! Owns: the queue in front of a store and the thread that empties it. The flush is what a commit costs, not
//! the engine, so whatever is waiting goes down together and everybody is told afterwards. Must not know:
//! what is written.

use std::{io, sync::Arc, thread};

use tokio::sync::{mpsc, oneshot};

use super::{Batch, Result, Store, StoreError};

/// Most batches in one durable commit, so that the first of them does not wait for ever.
pub const GROUP_BATCHES_MAX: usize = 256;

/// Batches waiting in the queue; beyond it a caller waits for its turn to queue.
const QUEUE_BATCHES_MAX: usize = 1_024;

/// A handle to a store's one writer. Clones share it; the writer ends when all are gone or one closes it.
#[derive(Clone)]
pub struct Committer(Way);

#[derive(Clone)]
enum Way {
    Thread(mpsc::Sender<Job>),
    Inline(Arc<dyn Store>),
}

enum Job {
    Commit(Batch, oneshot::Sender<Result<()>>),
    Close(oneshot::Sender<()>),
}

impl Committer {
    /// Starts the writer's thread for `store`.
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub fn start(store: Arc<dyn Store>) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel(QUEUE_BATCHES_MAX);
        thread::Builder::new().name("store-writer".to_owned()).spawn(move || write(&*store, receiver))?;
        Ok(Self(Way::Thread(sender)))
    }

    /// A committer without a thread: each commit happens in its caller, in order. For simulations, which
    /// must be the same every time.
    #[must_use]
    pub fn inline(store: Arc<dyn Store>) -> Self {
        Self(Way::Inline(store))
    }

    /// Commits `batch` and returns when it is durable. If the caller gives up waiting after the batch was
    /// queued, it is committed all the same.
    ///
    /// # Errors
    /// As [`Store::commit`]; [`StoreError::Closed`] when the writer has ended.
    pub async fn commit(&self, batch: Batch) -> Result<()> {
        match &self.0 {
            Way::Inline(store) => store.commit(&batch),
            Way::Thread(sender) => {
                batch.check()?;
                let (done, wait) = oneshot::channel();
                sender.send(Job::Commit(batch, done)).await.map_err(|_| StoreError::Closed)?;
                wait.await.unwrap_or(Err(StoreError::Closed))
            }
        }
    }

    /// The same for a thread that may block. Must not be called from an asynchronous task.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub fn commit_blocking(&self, batch: Batch) -> Result<()> {
        match &self.0 {
            Way::Inline(store) => store.commit(&batch),
            Way::Thread(sender) => {
                batch.check()?;
                let (done, wait) = oneshot::channel();
                sender.blocking_send(Job::Commit(batch, done)).map_err(|_| StoreError::Closed)?;
                wait.blocking_recv().unwrap_or(Err(StoreError::Closed))
            }
        }
    }

    /// Takes no more batches and returns when all queued ones are committed and the writer has let go of
    /// the store.
    pub async fn close(&self) {
        if let Way::Thread(sender) = &self.0 {
            let (done, wait) = oneshot::channel();
            if sender.send(Job::Close(done)).await.is_ok() {
                // An error means that the writer has ended, which is what was asked for.
                _ = wait.await;
            }
        }
    }
}

type Waiting = (Batch, oneshot::Sender<Result<()>>);

fn write(store: &dyn Store, mut receiver: mpsc::Receiver<Job>) {
    let mut jobs = Vec::with_capacity(GROUP_BATCHES_MAX);
    let mut closers = Vec::new();
    while receiver.blocking_recv_many(&mut jobs, GROUP_BATCHES_MAX) > 0 {
        let mut waiting = Vec::with_capacity(jobs.len());
        for job in jobs.drain(..) {
            match job {
                Job::Commit(batch, done) => waiting.push((batch, done)),
                Job::Close(done) => {
                    receiver.close();
                    closers.push(done);
                }
            }
        }
        commit_all(store, waiting);
    }
    for done in closers {
        // The closer may have stopped waiting.
        _ = done.send(());
    }
}

/// Commits in order, as many at once as mean the same together as alone.
fn commit_all(store: &dyn Store, waiting: Vec<Waiting>) {
    let mut group: Vec<Waiting> = Vec::new();
    let mut merged = Batch::new();
    for (batch, done) in waiting {
        if group.is_empty() {
            merged = batch.clone();
        } else if merged.can_absorb(&batch) {
            merged.absorb(&batch);
        } else {
            let whole = std::mem::replace(&mut merged, batch.clone());
            commit_group(store, &whole, std::mem::take(&mut group));
        }
        group.push((batch, done));
    }
    commit_group(store, &merged, group);
}

/// Commits a group, given its batches merged. One batch's unmet requirement, or its size on a nearly full
/// disk, must not fail the others: such a group is halved until only those fail that must.
fn commit_group(store: &dyn Store, merged: &Batch, mut group: Vec<Waiting>) {
    if group.is_empty() {
        return;
    }
    let outcome = store.commit(merged);
    if matches!(outcome, Err(StoreError::Conflict | StoreError::NoSpace { .. })) && group.len() > 1 {
        let second = group.split_off(group.len() / 2);
        commit_group(store, &merge(&group), group);
        commit_group(store, &merge(&second), second);
        return;
    }
    for (_, done) in group {
        // Nobody waits any more: the batch is committed all the same.
        _ = done.send(outcome.clone());
    }
}

fn merge(group: &[Waiting]) -> Batch {
    let mut batches = group.iter().map(|(batch, _)| batch);
    let mut merged = batches.next().cloned().unwrap_or_default();
    batches.for_each(|batch| merged.absorb(batch));
    merged
}
