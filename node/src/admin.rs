//! Administration: the Unix socket that staff and operators command a running node through.
//!
//! One connection carries one command, as lines of JSON in both directions (see [`wire`]). Commands are
//! registered in a [`Router`] by the modules that own them; several run at once. Only the account that runs
//! the node may connect (mode 0600), and every request carries who connected (`SO_PEERCRED`) and which
//! member of staff says they did it.
//!
//! Must not know: what any command does.

pub mod body;
pub mod client;
pub mod ledger;
pub mod records;
pub mod responder;
pub mod router;
pub mod server;
pub mod socket;
pub mod status;
pub mod wire;

#[cfg(test)]
mod tests;

pub use body::{Body, BodyError, BodyReader};
pub use responder::Responder;
pub use router::{Peer, Request, Router};
pub use server::serve;
pub use socket::{AdminSocket, BindError};
pub use wire::{AdminError, Event, Progress, Warning};
