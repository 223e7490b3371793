//! The language all parties of a Hibiki federation share: it decides, and does nothing.
#![forbid(unsafe_code)]
