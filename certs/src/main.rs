//! `hibiki-certs`: the council's tool. Files in, files out, no network.
#![forbid(unsafe_code)]

mod cli;
mod clock;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hibiki-certs: {error}");
            ExitCode::FAILURE
        }
    }
}
