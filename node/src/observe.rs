//! What an operator can see of a running node: logs, metrics and the status board.
//!
//! Must not know: any person. Nothing that passes through here names one, and the parts are built so that
//! a slip elsewhere does not leak either: log fields pass an allow-list, metric labels are a closed set.

pub mod board;
pub mod log;
pub mod metrics;
pub mod scrape;
