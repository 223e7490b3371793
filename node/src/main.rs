//! `hibiki-node`: an institution's daemon and its command line. Everything is in the library.
#![forbid(unsafe_code)]

use clap::Parser as _;
use hibiki_node::cli::{self, Cli};
use hibiki_node::exit::ExitStatus;

fn main() -> ExitStatus {
    cli::run(Cli::parse())
}
