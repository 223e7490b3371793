//! The regulator: verifies ledgers and data locality from artefacts alone.
#![forbid(unsafe_code)]
