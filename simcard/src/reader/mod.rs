//! A running card: in the reader or beside it, and the socket over which it is told which.

pub(crate) mod control;
pub(crate) mod seat;
