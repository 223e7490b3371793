//! The council: federation root, members, trust lists, and a card authority marked as simulated.
#![forbid(unsafe_code)]
