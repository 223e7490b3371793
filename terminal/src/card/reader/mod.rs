//! Cards in readers, over PC/SC (pcscd on Linux, the system's own service elsewhere).
//!
//! Every call of PC/SC may block for as long as card and reader please, so none is made on a thread of the
//! runtime: `watch` follows the readers on a thread of its own, `act` does one act at a card on another,
//! within a time. [`choice`] decides, from what is seen, which card is meant.
//!
//! Built without the feature `pcsc` there is only [`find`], which says how to get the rest.

pub mod choice;
pub mod sight;

#[cfg(feature = "pcsc")]
mod act;
#[cfg(feature = "pcsc")]
mod card;
#[cfg(feature = "pcsc")]
mod watch;
// Tested in every build; used in those without readers.
#[cfg(any(test, not(feature = "pcsc")))]
#[cfg_attr(feature = "pcsc", allow(dead_code, unreachable_pub))]
mod without;

#[cfg(feature = "pcsc")]
pub use card::{ReaderCard, find, look};
#[cfg(feature = "pcsc")]
pub use watch::ReaderWatch;
#[cfg(not(feature = "pcsc"))]
pub use without::{ReaderCard, ReaderWatch, find, look};

use super::{CardFault, Inspection};

/// A reader and what an act at its card brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// The reader's name.
    pub reader: String,
    /// What the card in it shows, or why it shows nothing.
    pub found: Result<Inspection, CardFault>,
}
