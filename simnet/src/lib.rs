//! A world in one process and virtual time: hosts, UDP links, faults, and a seed that decides them all.
//!
//! The code under test is the code that ships: it is handed this world's [`quinn::Runtime`], datagram
//! socket and clock instead of the machine's, and cannot tell. Time stands still while anything can run
//! and leaps to the next event when nothing can, so an hour of keep-alives costs milliseconds.
//!
//! ```
//! use hibiki_simnet::{LinkOptions, World};
//! use std::time::Duration;
//!
//! let world = World::new(7, LinkOptions::default());
//! let waited = world.run(|world| async move {
//!     world.sleep(Duration::from_secs(3600)).await;
//!     world.elapsed()
//! })?;
//! assert_eq!(waited, Duration::from_secs(3600));
//! # Ok::<(), hibiki_simnet::RunError>(())
//! ```
//!
//! # What a seed decides
//!
//! The fate of every datagram (delay, loss, duplication, overtaking) is a pure function of the seed, its
//! link and its number on that link: one packet more on one link shifts nothing on another. Randomness
//! drawn by the code under test, TLS keys included, comes from the seed, too, where [`World::is_exact`]
//! says so; then one seed gives one [`Trace`], byte for byte. A seed is good for one state of the code
//! and one `Cargo.lock`.
//!
//! # What breaks it, each measured
//!
//! `tokio::select!` without `biased;` · iterating a `HashMap` · two worlds one after the other on one
//! thread (hence [`World::run`] starts a fresh one) · a real socket, file or `spawn_blocking` inside ·
//! reading the machine's clock · ECDSA certificates (their signatures vary in length) · a second world in one
//! process where the code under test uses `tokio::sync::watch` (as its source reads, receivers wake in an order
//! drawn from a counter of the process).
//!
//! # What it does not model
//!
//! Bandwidth and queues on the way, the cost of computing, timers below one millisecond, the kernel's
//! reassembly: a datagram over a link's MTU is lost.
//!
//! This crate knows quinn and tokio. It must not know node, protocol or any message.

mod clock;
mod entropy;
mod fabric;
mod fate;
mod faults;
mod host;
mod runtime;
mod socket;
mod trace;
mod world;

pub use clock::EPOCH;
pub use fate::LinkOptions;
pub use host::Host;
pub use trace::Trace;
pub use world::{RunError, World};
