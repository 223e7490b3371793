//! iCalendar (RFC 5545): what a guardian takes home into her own calendar.
//!
//! [`Calendar::write`] writes school events, due vaccinations and check-ups as whole days, together with the
//! well-formed events of other people's calendars that [`Foreign::read`] has taken. What a calendar says to whoever
//! looks at it is read here, too (`entry.rs`): both take the same lines, components and times.
//!
//! Written here and not by a library: the crates at hand (`icalendar` 0.17, `calcard` 0.3) bring chrono and uuid, take
//! the time from the system's clock and UIDs from chance unless stopped, and re-type what they read, whereas this
//! crate has neither clock nor chance and must pass on a foreign event's values as they were written. What remains
//! is the line (`line.rs`) and two lists of properties. In exchange everything written is read again by parsers that
//! are not ours: `icalendar` in the tests beside the code, Python's `icalendar` and `vobject` in the scenarios.
//!
//! Must not know FHIR, nor whom a calendar is for.

mod component;
mod entry;
mod line;
mod read;
mod value;
mod write;

pub use component::{COMPONENTS_MAX, CalendarError};
pub(crate) use entry::{ENTRIES_MAX, Entry, entries, is_calendar};
pub use read::{EventProblem, Foreign, ForeignEvent, KEPT, Refused};
pub(crate) use value::At;
pub use write::{Calendar, Event, Reminder, Uid};
