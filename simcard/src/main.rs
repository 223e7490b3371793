//! `hibiki-simcard`: makes and looks after simulated Individual Number cards.
//!
//! Owns the command line; everything a card does is in the library. A PIN comes from a terminal or
//! from a file, never from an argument.
#![forbid(unsafe_code)]

mod cli;
mod clock;
mod reader;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hibiki-simcard: {error}");
            ExitCode::FAILURE
        }
    }
}
