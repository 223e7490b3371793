//! Commands of `hibiki-certs`.

mod card_ca;
mod output;

use clap::{Parser, Subcommand};
use hibiki_certs::card_authority::CardAuthorityError;
use hibiki_protocol::time::Timestamp;

use crate::clock;
pub(crate) use output::OutputError;

/// The council's tool: federation root, members, trust lists, and a simulated card authority.
///
/// It works on files and needs no network. Private keys are made where they are used and never
/// travel: what travels are requests, drafts, signatures and lists.
#[derive(Debug, Parser)]
#[command(name = "hibiki-certs", version, after_help = "Run a command with --help for an example.")]
pub(crate) struct Cli {
    /// Instead of this machine's clock, for rehearsals (such as 2026-04-01T09:00:00+09:00).
    #[arg(long, global = true, hide = true, value_parser = output::parse_time)]
    now: Option<Timestamp>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A card authority for simulated cards: issue, revoke, publish the revocation list.
    #[command(subcommand)]
    CardCa(card_ca::Command),
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    CardAuthority(#[from] CardAuthorityError),
    #[error(transparent)]
    Output(#[from] OutputError),
}

pub(crate) fn run(cli: Cli) -> Result<(), CliError> {
    let now = cli.now.unwrap_or_else(clock::now);
    match cli.command {
        Command::CardCa(command) => card_ca::run(command, now),
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
}
