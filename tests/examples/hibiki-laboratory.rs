//! A laboratory node: the real node's own code, whose traffic can be decrypted afterwards.
//!
//! `HIBIKI_LABORATORY_KEYS` is the file its TLS secrets are appended to. It is built for `hibiki-locality` alone, which
//! runs all institutions with it for a while, captures what they send, and has it decrypted by somebody else's program.
//! The program of an institution has nothing in it that could do this: see `hibiki_transport::laboratory`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "a program of the proof says why it does not run")]

use std::path::PathBuf;

use clap::Parser as _;
use hibiki_node::cli::{self, Cli};
use hibiki_node::exit::ExitStatus;
use hibiki_tests::locality::key_log;

fn main() -> ExitStatus {
    let opened = match std::env::var_os("HIBIKI_LABORATORY_KEYS").map(PathBuf::from) {
        Some(keys) => key_log::open(&keys).map_err(|error| error.to_string()),
        None => Err("HIBIKI_LABORATORY_KEYS names no file".to_owned()),
    };
    match opened {
        Ok(()) => cli::run(Cli::parse()),
        Err(error) => {
            eprintln!("laboratory: {error}");
            ExitStatus::Failed
        }
    }
}
