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
use hibiki_transport::laboratory;

fn main() -> ExitStatus {
    let opened = match std::env::var_os("HIBIKI_LABORATORY_KEYS").map(PathBuf::from) {
        Some(keys) => laboratory::open(&keys),
        None => Err(std::io::Error::other("HIBIKI_LABORATORY_KEYS names no file")),
    };
    match opened {
        Ok(()) => cli::run(Cli::parse()),
        Err(error) => {
            eprintln!("laboratory: {error}");
            ExitStatus::Failed
        }
    }
}
