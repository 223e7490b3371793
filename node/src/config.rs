//! Configuration.

mod nearest;

pub use nearest::nearest;
