//! The plastic: a simulated Individual Number card.
#![forbid(unsafe_code)]
