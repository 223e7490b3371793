//! An institution of the federation: it keeps its own records and nobody else's, decides for itself,
//! logs before it answers, and seals every answer to the guardian's session.
#![forbid(unsafe_code)]

pub mod admin;
pub mod cli;
pub mod config;
pub mod consent;
mod csv_table;
pub mod daemon;
pub mod env;
mod exclusive;
pub mod exit;
pub mod gateway;
pub mod hardening;
pub mod holds;
pub mod ingest;
pub mod inspection;
pub mod institution;
pub mod keyring;
pub mod keys;
pub mod ledger;
pub mod linkage;
pub mod links;
pub mod mail;
pub mod membership;
pub mod observe;
pub mod publication;
pub mod recordbook;
pub mod registry;
mod remembered;
pub mod responder;
pub mod school;
pub mod secret_file;
pub mod services;
pub mod session_ends;
pub mod shutdown;
pub mod staff;
pub mod store;
pub mod vault;
pub mod witness;
