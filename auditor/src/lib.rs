//! The regulator: verifies ledgers and data locality from artefacts alone.
