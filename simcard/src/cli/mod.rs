//! Commands of `hibiki-simcard`.

mod file;
mod output;
mod pins;
mod reader;
mod status;

use std::io;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use hibiki_simcard::{CardError, PinError};

use crate::reader::control::ControlError;

/// Simulated Individual Number cards (模擬個人番号カード), for rehearsals and tests.
///
/// A card is one file, readable by its owner only. It holds a key that works after the PIN, maybe a second
/// one for signatures, and certificates of an authority marked as simulated. There is no name and no My
/// Number in it. `run` puts it into a virtual reader, where every program finds it through PC/SC.
#[derive(Debug, Parser)]
#[command(
    name = "hibiki-simcard",
    version,
    after_help = "Example, from nothing to a card in a reader:
  hibiki-simcard new --out card.json --request card.csr
  hibiki-certs card-ca issue ca/ --request card.csr --out card.crt
  hibiki-simcard install card.json --certificate card.crt --ca ca/ca.crt
  hibiki-simcard status card.json
  hibiki-simcard run card.json"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    File(file::Command),
    #[command(flatten)]
    Reader(reader::Command),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Human,
    Json,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    Card(#[from] CardError),
    #[error(transparent)]
    Pin(#[from] PinError),
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("PIN file {} is open to other users: run `chmod 600 {}`", path.display(), path.display())]
    ExposedPin { path: PathBuf },
    #[error(
        "no PIN: there is no terminal to ask on; give --pin-file FILE, or --signature-password-file FILE for a new signature key (one line, mode 0600)"
    )]
    NoTerminal,
    #[error("the two PINs typed differ; nothing was changed")]
    Unequal,
    #[error("cannot use the terminal: {0}")]
    Terminal(io::Error),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error("the reader's port {0} + {1} is beyond 65535: give a lower --reader port or fewer cards")]
    Port(u16, usize),
    #[error("cannot start: {0}")]
    Start(io::Error),
}

pub(crate) fn run(cli: Cli) -> Result<(), CliError> {
    match cli.command {
        Command::File(command) => file::run(command),
        Command::Reader(command) => reader::run(command),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example: hibiki-simcard"), "{}", command.get_name());
        }
    }
}
