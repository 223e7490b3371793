//! An institution: store, ingest, responder, gateway, registry, ledger, administration.
