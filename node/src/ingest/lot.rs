//! Cutting a file into lots: what goes down in one durable batch.
//!
//! Must not know: what becomes of a lot.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use hibiki_records::fhir::Reason;
use hibiki_records::ingest::{self, Format, Item, Reader, Rejected, Skip};

use super::notice::Notice;
use crate::recordbook::{Entry, PUT_ENTRIES_MAX};

/// Entries after which a lot is full: one flush serves them all, and no more than these are read again
/// after a crash.
pub const LOT_RECORDS_MAX: usize = 256;
/// Content bytes after which a lot is full.
pub const LOT_BYTES_MAX: usize = 1 << 20;
/// Resources after which a lot ends even if none of them is kept, so that progress and refusals are told
/// as they come.
const LOT_RESOURCES_MAX: u64 = 1_024;

/// What an entry is counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Person,
    Group,
    Record,
}

/// Some resources of a file, in order.
#[derive(Debug, Default)]
pub(super) struct Lot {
    /// What to put.
    pub(super) entries: Vec<Entry>,
    /// For each entry, what it is and which resource of the file, from 1, it came from.
    pub(super) parts: Vec<(Part, u64)>,
    /// What was not taken.
    pub(super) notices: Vec<Notice>,
    /// What is no record here.
    pub(super) skipped: BTreeMap<Skip, u64>,
    /// Bytes of the file that are dealt with once this lot is.
    pub(super) bytes: u64,
    /// The file could not be read any further.
    pub(super) cut: Option<io::ErrorKind>,
}

/// The lots of a file. The last one may be empty.
pub(super) struct Lots<R> {
    reader: Reader<R>,
    /// Resources read so far.
    resources: u64,
    /// Bytes read when the resource before was.
    bytes: u64,
    /// Several resources came from the same bytes: one document, in which no byte is done before all are.
    document: bool,
    /// A resource that had no room in the lot before.
    held: Option<(Item, u64)>,
    ended: bool,
}

impl<R: BufRead> Lots<R> {
    pub(super) fn new(input: R, format: Format) -> Self {
        let reader = ingest::read(input, format);
        Self { reader, resources: 0, bytes: 0, document: false, held: None, ended: false }
    }

    /// The next resource or refusal; `None` at the end.
    fn resource(&mut self) -> Option<Result<(Item, u64), Rejected>> {
        if let Some(held) = self.held.take() {
            return Some(Ok(held));
        }
        let next = self.reader.next()?;
        self.resources += 1;
        let bytes = self.reader.bytes_read();
        self.document |= self.resources > 1 && bytes == self.bytes;
        self.bytes = bytes;
        Some(next.map(|item| (item, self.resources)))
    }
}

impl<R: BufRead> Iterator for Lots<R> {
    type Item = Lot;

    fn next(&mut self) -> Option<Lot> {
        if self.ended {
            return None;
        }
        let mut lot = Lot::default();
        let (mut cost, mut content, first) = (0, 0, self.resources);
        let mut done = self.bytes;
        while cost < LOT_RECORDS_MAX && content < LOT_BYTES_MAX && self.resources - first < LOT_RESOURCES_MAX
        {
            match self.resource() {
                None => {
                    self.ended = true;
                    done = self.reader.bytes_read();
                    break;
                }
                Some(Err(Rejected { reason: Reason::Read(kind), .. })) => {
                    (self.ended, lot.cut) = (true, Some(kind));
                    break;
                }
                Some(Err(rejected)) => lot.notices.push(Notice::Unreadable(rejected)),
                Some(Ok((item, resource))) => {
                    let size = size(&item);
                    if size > PUT_ENTRIES_MAX {
                        lot.notices.push(Notice::GroupTooLarge { resource });
                    } else if cost + size > PUT_ENTRIES_MAX {
                        self.held = Some((item, resource));
                        break;
                    } else {
                        cost += size;
                        content += item.record().map_or(0, |record| record.content.len());
                        lot.take(item, resource);
                    }
                }
            }
            done = self.bytes;
        }
        lot.bytes = if self.document && !self.ended { 0 } else { done };
        Some(lot)
    }
}

impl Lot {
    fn take(&mut self, item: Item, resource: u64) {
        if let Item::Skipped { kind } = &item {
            *self.skipped.entry(*kind).or_default() += 1;
        }
        for entry in Entry::from_item(item) {
            let part = match &entry {
                Entry::Person(_) => Part::Person,
                Entry::Group { .. } => Part::Group,
                Entry::Record(_) => Part::Record,
            };
            self.parts.push((part, resource));
            self.entries.push(entry);
        }
    }
}

/// How much of a batch an item takes, in the book's own counting.
fn size(item: &Item) -> usize {
    match item {
        Item::Record(_) => 1,
        Item::Patient { .. } => 2,
        Item::Group { members, .. } => 1 + members.len(),
        Item::Skipped { .. } => 0,
    }
}
