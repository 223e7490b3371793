//! Mails from the institution to guardians and staff: queued durably, sent at least once, never twice under two names.
//!
//! Owns the outbox, the form of a message, the relay and when to try again. Must not know what a mail is about or whom
//! to tell: whoever has something to say puts a [`Letter`] into the [`Outbox`].

pub mod commands;
pub mod compose;
mod letter;
mod line;
mod outbox;
mod relay;
pub mod retry;
mod sender;
#[cfg(test)]
mod tests;

pub use letter::{Letter, LetterId, LetterKind};
pub(crate) use outbox::FORMS;
pub use outbox::{Counts, Due, Outbox, Queued, State, Waiting};
pub use relay::{Relay, Smtp};
pub use sender::{Recipients, Sender};
