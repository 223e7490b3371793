//! Taking records in: a stream of bytes becomes sealed, durable records, batch by batch.
//!
//! Owns: cutting a file into batches, counting what became of every resource, reporting each refusal with
//! its place, the ledger's word about every import, the admin command `import` and the watched inbox.
//!
//! What it promises: nothing is acknowledged before it is durable; an import that is cut off anywhere keeps
//! what it acknowledged, and the same file again completes it; one bad record never blocks another; an
//! import that the ledger cannot log does not begin.
//!
//! Must not know: file formats (`hibiki_records::ingest` reads them), how records lie in the store
//! ([`crate::recordbook`] does), who is a guardian. No name, number or content ever enters a log line, an
//! error, a report or a ledger entry from here: only counts, places and reasons.

mod command;
mod importer;
mod inbox;
mod lot;
mod notice;
mod run;
mod tally;

pub use command::{COMMAND, Hint, register};
pub use importer::{Failed, Importer, Job, Origin, Stop};
pub use inbox::Inbox;
pub use lot::{LOT_BYTES_MAX, LOT_RECORDS_MAX};
pub use notice::Notice;
pub use run::Watcher;
pub use tally::Tally;
