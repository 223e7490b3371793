//! How orders reach the writer: over a channel to its own thread, or directly, in the calling task.
//!
//! The thread drains what has gathered while the disk was busy, so that many entries share one `fdatasync`.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};

use super::entry::Receipt;
use super::error::{CheckpointFailure, NotLogged};
use super::writer::{Order, Writer};

/// The most entries in one group.
const GROUP: usize = 256;
/// How many orders may wait before callers wait too.
const QUEUE: usize = 1024;

/// What the writer is asked to do.
pub(super) enum Job {
    Append(Order, oneshot::Sender<Result<Receipt, NotLogged>>),
    Checkpoint(oneshot::Sender<Result<String, CheckpointFailure>>),
    Cosigned(String, oneshot::Sender<Result<(), CheckpointFailure>>),
    Close(oneshot::Sender<Result<String, CheckpointFailure>>),
}

/// The way to the writer.
pub(super) enum Engine {
    Thread(mpsc::Sender<Job>),
    Inline(Mutex<Option<Box<Writer>>>),
}

impl Engine {
    /// A writer on a thread of its own.
    pub(super) fn thread(writer: Writer) -> std::io::Result<Self> {
        let (sender, jobs) = mpsc::channel(QUEUE);
        std::thread::Builder::new().name("ledger".to_owned()).spawn(move || run(writer, jobs))?;
        Ok(Self::Thread(sender))
    }

    /// A writer in the calling task.
    pub(super) fn inline(writer: Writer) -> Self {
        Self::Inline(Mutex::new(Some(Box::new(writer))))
    }

    /// Has an entry written.
    pub(super) async fn append(&self, order: Order) -> Result<Receipt, NotLogged> {
        match self {
            Self::Thread(jobs) => {
                let (answer, answered) = oneshot::channel();
                jobs.send(Job::Append(order, answer)).await.map_err(|_| NotLogged::Closed)?;
                answered.await.unwrap_or(Err(NotLogged::Closed))
            }
            Self::Inline(writer) => {
                let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
                let writer = writer.as_mut().ok_or(NotLogged::Closed)?;
                writer.append(&[order]).pop().unwrap_or(Err(NotLogged::Closed))
            }
        }
    }

    /// Has a cosigned checkpoint kept.
    pub(super) async fn keep_cosigned(&self, note: String) -> Result<(), CheckpointFailure> {
        match self {
            Self::Thread(jobs) => {
                let (answer, answered) = oneshot::channel();
                jobs.send(Job::Cosigned(note, answer)).await.map_err(|_| CheckpointFailure::Closed)?;
                answered.await.unwrap_or(Err(CheckpointFailure::Closed))
            }
            Self::Inline(writer) => {
                let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
                writer.as_mut().ok_or(CheckpointFailure::Closed)?.keep_cosigned(&note)
            }
        }
    }

    /// Has a checkpoint signed; `last` closes the writer behind it.
    pub(super) async fn checkpoint(&self, last: bool) -> Result<String, CheckpointFailure> {
        match self {
            Self::Thread(jobs) => {
                let (answer, answered) = oneshot::channel();
                let job = if last { Job::Close(answer) } else { Job::Checkpoint(answer) };
                jobs.send(job).await.map_err(|_| CheckpointFailure::Closed)?;
                answered.await.unwrap_or(Err(CheckpointFailure::Closed))
            }
            Self::Inline(writer) => {
                let mut place = writer.lock().unwrap_or_else(PoisonError::into_inner);
                let mut writer = place.take().ok_or(CheckpointFailure::Closed)?;
                let signed = writer.checkpoint();
                if !last {
                    *place = Some(writer);
                }
                signed
            }
        }
    }
}

/// The life of the thread.
fn run(mut writer: Writer, mut jobs: mpsc::Receiver<Job>) {
    let mut next = None;
    while let Some(job) = next.take().or_else(|| jobs.blocking_recv()) {
        match job {
            Job::Append(order, answer) => {
                let mut orders = vec![order];
                let mut answers = vec![answer];
                while orders.len() < GROUP {
                    match jobs.try_recv() {
                        Ok(Job::Append(order, answer)) => {
                            orders.push(order);
                            answers.push(answer);
                        }
                        Ok(other) => {
                            next = Some(other);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                for (answer, result) in answers.into_iter().zip(writer.append(&orders)) {
                    // A caller that no longer waits changes nothing: the entry is in the ledger.
                    let _ = answer.send(result);
                }
            }
            Job::Checkpoint(answer) => drop(answer.send(writer.checkpoint())),
            Job::Cosigned(note, answer) => drop(answer.send(writer.keep_cosigned(&note))),
            Job::Close(answer) => {
                let signed = writer.checkpoint();
                drop((writer, jobs));
                drop(answer.send(signed));
                return;
            }
        }
    }
    if let Err(error) = writer.checkpoint() {
        tracing::warn!(%error, "the last checkpoint of the ledger failed");
    }
}
