//! The stream: decides the layout, then yields item after item.
//!
//! Must not know FHIR beyond telling a Bundle from another resource.

use std::io::{self, BufRead, Read};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::bundle::{self, Document};
use super::interpret::{self, Refusal};
use super::lines::{self, Line};
use super::{Format, Item, Place, Rejected, limits};
use crate::fhir::reference::Index;
use crate::fhir::resource::Resource;
use crate::fhir::{Reason, lexical};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads resources from `input`; see [`super`] for the rules.
pub fn read<R: BufRead>(input: R, format: Format) -> Reader<R> {
    Reader { input, bytes_read: 0, line: 0, state: State::Fresh(format) }
}

/// Iterator over what a file contains. After a reading error it ends.
pub struct Reader<R> {
    input: R,
    bytes_read: u64,
    /// Lines read so far.
    line: u64,
    state: State,
}

/// Just enough of a line to tell a Bundle.
#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow, rename = "resourceType")]
    resource_type: Option<&'a RawValue>,
}

enum State {
    /// Nothing is read yet.
    Fresh(Format),
    /// NDJSON; `first` is a line that was read to decide the layout.
    Lines { first: Option<(Line, Vec<u8>)>, index: Index, buffer: Vec<u8> },
    /// A bundle.
    Document(Box<Document>),
    /// At the end.
    Done,
}

impl<R> Reader<R> {
    /// Bytes taken from the input so far, for showing progress.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Item, Rejected>;

    fn next(&mut self) -> Option<Self::Item> {
        if let State::Fresh(format) = self.state {
            match self.open(format) {
                Ok(state) => self.state = state,
                Err(rejected) => {
                    self.state = State::Done;
                    return Some(Err(rejected));
                }
            }
        }
        match &mut self.state {
            State::Lines { .. } => self.next_line(),
            State::Document(document) => document.next(),
            State::Fresh(_) | State::Done => None,
        }
    }
}

impl<R: BufRead> Reader<R> {
    fn open(&mut self, format: Format) -> Result<State, Rejected> {
        let mut start = Vec::new();
        if format == Format::FhirBundle {
            return self.document(start);
        }
        // The first line that says something, and all before it.
        let max = if format == Format::Auto { limits::BUNDLE_MAX_BYTES } else { limits::RESOURCE_MAX_BYTES };
        let (kind, first) = self.first_line(&mut start, max)?;
        match kind {
            Line::End => return Ok(State::Done),
            Line::TooLong if format == Format::Auto => {
                return Err(bundle::damaged(b"", 0, Reason::BundleTooLong));
            }
            Line::TooLong | Line::Whole => {}
        }
        if format == Format::FhirNdjson || self.looks_like_lines(&first)? {
            let first = Some((kind, first));
            return Ok(State::Lines { first, index: Index::default(), buffer: Vec::new() });
        }
        start.extend_from_slice(&first);
        start.push(b'\n');
        self.document(start)
    }

    /// The first line that is not blank, without byte order mark. `skipped` receives the blank ones, so that
    /// places in a document stay true.
    fn first_line(&mut self, skipped: &mut Vec<u8>, max: usize) -> Result<(Line, Vec<u8>), Rejected> {
        loop {
            let mut buffer = Vec::new();
            let read = lines::next_line(&mut self.input, &mut buffer, max, &mut self.bytes_read);
            let line = read.map_err(|error| self.unread(&error))?;
            self.line += 1;
            if self.line == 1 && buffer.starts_with(BYTE_ORDER_MARK) {
                buffer.drain(..BYTE_ORDER_MARK.len());
            }
            if line != Line::Whole || !lexical::trim(&buffer).is_empty() {
                return Ok((line, buffer));
            }
            if skipped.len() < max {
                skipped.extend_from_slice(&buffer);
                skipped.push(b'\n');
            }
        }
    }

    /// A complete value that is no Bundle: lines. Incomplete: a document over several lines, unless the next
    /// line begins an object of its own, as it does when only this line of NDJSON is damaged.
    fn looks_like_lines(&mut self, first: &[u8]) -> Result<bool, Rejected> {
        let text = lexical::trim(first);
        if let Ok(kind) = serde_json::from_slice::<Kind<'_>>(text) {
            return Ok(kind.resource_type.is_none_or(|raw| raw.get() != "\"Bundle\""));
        }
        if serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok() {
            return Ok(true);
        }
        match self.input.fill_buf() {
            // A line of a document in many lines begins with a key or is deeper; one of NDJSON with `{`.
            Ok(next) => Ok(text != b"{" && lexical::trim(next).starts_with(b"{")),
            Err(error) => Err(self.unread(&error)),
        }
    }

    /// Reads the rest as one document.
    fn document(&mut self, mut bytes: Vec<u8>) -> Result<State, Rejected> {
        let room = (limits::BUNDLE_MAX_BYTES + 1).saturating_sub(bytes.len());
        let mut rest = self.input.by_ref().take(u64::try_from(room).unwrap_or(u64::MAX));
        match rest.read_to_end(&mut bytes) {
            Ok(count) => self.bytes_read += u64::try_from(count).unwrap_or_default(),
            Err(error) => return Err(self.unread(&error)),
        }
        if bytes.len() > limits::BUNDLE_MAX_BYTES {
            return Err(bundle::damaged(b"", 0, Reason::BundleTooLong));
        }
        if bytes.starts_with(BYTE_ORDER_MARK) {
            bytes.drain(..BYTE_ORDER_MARK.len());
        }
        Ok(State::Document(Box::new(Document::open(bytes)?)))
    }

    fn next_line(&mut self) -> Option<Result<Item, Rejected>> {
        loop {
            let State::Lines { first, index, buffer } = &mut self.state else { return None };
            let line = match first.take() {
                Some((line, first)) => {
                    *buffer = first;
                    Ok(line)
                }
                None => {
                    let max = limits::RESOURCE_MAX_BYTES;
                    let line = lines::next_line(&mut self.input, buffer, max, &mut self.bytes_read);
                    self.line += 1;
                    line
                }
            };
            let place = Place::Line(self.line);
            let refused = |(resource_type, reason): Refusal| Rejected { place, resource_type, reason };
            match line {
                Ok(Line::Whole) if lexical::trim(buffer).is_empty() => {}
                Ok(Line::Whole) => return Some(one_line(buffer, index).map_err(refused)),
                Ok(Line::TooLong) => return Some(Err(refused((None, Reason::ResourceTooLong)))),
                Ok(Line::End) => {
                    self.state = State::Done;
                    return None;
                }
                Err(error) => {
                    self.state = State::Done;
                    return Some(Err(refused((None, Reason::Read(error.kind())))));
                }
            }
        }
    }

    fn unread(&self, error: &io::Error) -> Rejected {
        Rejected {
            place: Place::Line(self.line + 1),
            resource_type: None,
            reason: Reason::Read(error.kind()),
        }
    }
}

/// Reads one line and remembers a Patient's identifiers for the lines below.
fn one_line(line: &[u8], index: &mut Index) -> Result<Item, Refusal> {
    if line.len() > limits::RESOURCE_MAX_BYTES {
        return Err((None, Reason::ResourceTooLong));
    }
    let text = std::str::from_utf8(lexical::trim(line)).map_err(|_| (None, Reason::NotUtf8))?;
    let item = interpret::interpret(text, None, index, "NDJSON")?;
    if let Item::Patient { record, .. } = &item
        && index.identifiers() < limits::IDENTIFIERS_MAX
        && let Ok(resource) = Resource::read(text)
    {
        index.add(None, &record.subject, &interpret::identifiers(&resource));
    }
    Ok(item)
}
