//! Commands of `hibiki-certs`.

mod card_ca;
mod lists;
mod members;
mod output;
mod present;
mod root;

use clap::{Parser, Subcommand};
use hibiki_certs::card_authority::CardAuthorityError;
use hibiki_certs::council::{CouncilError, RequestFault};
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::Refused;

use crate::clock;
pub(crate) use output::OutputError;

/// The council's tool: federation root, members, trust lists, and a simulated card authority.
///
/// It works on files and needs no network. Private keys are made where they are used and never
/// travel: what travels are requests, drafts, signatures and lists.
#[derive(Debug, Parser)]
#[command(
    name = "hibiki-certs",
    version,
    after_help = "Example, a federation from nothing (one root key, as in a pilot):
  hibiki-certs root init council/ --federation maebashi
  hibiki-certs card-ca init ca/
  hibiki-certs accept-card-ca council/ --certificate ca/ca.crt
  hibiki-certs enrol council/ --request city-hall.cbor --allow gateway --allow registry
  hibiki-certs enrol council/ --request hospital.cbor
  hibiki-certs sign council/ --key council/root-1.key
  hibiki-certs publish council/ --out trust-list.cbor
Every node is given council/root.cbor once, and each new trust-list.cbor."
)]
pub(crate) struct Cli {
    /// Instead of this machine's clock, for rehearsals (such as 2026-04-01T09:00:00+09:00).
    #[arg(long, global = true, hide = true, value_parser = output::parse_time)]
    now: Option<Timestamp>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The federation's root: its keys and thresholds.
    #[command(subcommand)]
    Root(root::Command),
    /// Check a member's own request and put it into the draft.
    Enrol(members::Enrol),
    /// Take a member out of the draft.
    Remove(members::Remove),
    /// Change a member's display names in the draft.
    Rename(members::Rename),
    /// Change where a member is reached, in the draft.
    Address(members::Address),
    /// Accept the cards of an authority.
    AcceptCardCa(members::AcceptCardCa),
    /// Stop accepting the cards of an authority.
    DropCardCa(members::DropCardCa),
    /// Look at the draft of the next list, or undo it.
    #[command(subcommand)]
    Draft(lists::DraftCommand),
    /// Sign the draft with one root key, here or on a machine of its own.
    Sign(lists::Sign),
    /// Make the signed draft the list in force, if enough root keys have signed it.
    Publish(lists::Publish),
    /// Show a trust list (or a proposal being signed).
    Show(lists::Show),
    /// Verify a trust list against a federation's root, as every node does.
    Verify(lists::Verify),
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
    Council(#[from] CouncilError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error("{path} is not {what}: {source}")]
    NotThis { path: String, what: &'static str, source: hibiki_protocol::cbor::DecodeError },
    #[error("the list was NOT accepted: {0}")]
    NotAccepted(Refused),
    #[error("the list is genuine but expired on {0}: ask the council for a newer one")]
    Expired(String),
}

impl From<RequestFault> for CliError {
    fn from(fault: RequestFault) -> Self {
        Self::Council(fault.into())
    }
}

pub(crate) fn run(cli: Cli) -> Result<(), CliError> {
    let now = cli.now.unwrap_or_else(clock::now);
    match cli.command {
        Command::Root(command) => root::run(command),
        Command::Enrol(arguments) => members::enrol(&arguments, now),
        Command::Remove(arguments) => members::remove(&arguments),
        Command::Rename(arguments) => members::rename(&arguments),
        Command::Address(arguments) => members::address(arguments),
        Command::AcceptCardCa(arguments) => members::accept_card_ca(&arguments),
        Command::DropCardCa(arguments) => members::drop_card_ca(&arguments),
        Command::Draft(command) => lists::draft(command, now),
        Command::Sign(arguments) => lists::sign(&arguments, now),
        Command::Publish(arguments) => lists::publish(&arguments, now),
        Command::Show(arguments) => lists::show(&arguments),
        Command::Verify(arguments) => lists::verify(&arguments, now),
        Command::CardCa(command) => card_ca::run(command, now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn leaves<'a>(command: &'a clap::Command, found: &mut Vec<&'a clap::Command>) {
        let mut inner = command.get_subcommands().filter(|c| c.get_name() != "help").peekable();
        if inner.peek().is_none() {
            found.push(command);
        }
        inner.for_each(|c| leaves(c, found));
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        let command = Cli::command();
        let mut found = Vec::new();
        leaves(&command, &mut found);
        assert!(found.len() >= 20, "{}", found.len());
        for leaf in found {
            let help = leaf.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example"), "{}", leaf.get_name());
        }
    }
}
