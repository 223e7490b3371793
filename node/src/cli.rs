//! The command line of `hibiki-node`.
//!
//! `run` is the daemon; `check` and `init` work on files; every other command asks a running node through
//! its admin socket. A family of commands has a file of its own here: its arguments (clap derive, each with
//! an example in `--help`) and a `run` that calls [`connect::Connection::call`] and prints the reply.
//!
//! Must not know: the store, the ledger, the network. A running node is never bypassed.

pub mod card;
pub mod check;
pub mod connect;
pub mod consent;
pub mod guardianship;
pub mod hold;
pub mod import;
pub mod init;
pub mod inspect;
pub mod ledger;
pub mod link;
pub mod mail;
pub mod output;
pub mod progress;
pub mod records;
pub mod resident;
pub mod run;
pub mod school;
pub mod staff;
pub mod status;
pub mod trust_list;

use std::io;

use clap::{Parser, Subcommand};

use crate::admin::client::CallError;
use crate::config::Problems;
use crate::exit::ExitStatus;

/// A federation member's node: keeps this institution's records, answers for them, logs every answer.
#[derive(Debug, Parser)]
#[command(name = "hibiki-node", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the node until it is told to stop.
    Run(run::Arguments),
    /// Make the node's folder and keys, once.
    Init(init::InitArguments),
    /// Write the request to join that the council signs.
    Request(init::RequestArguments),
    /// Check a configuration and show what it would run.
    Check(check::Arguments),
    /// 機関一覧 / the list of members in force.
    TrustList(trust_list::Arguments),
    /// Show how a running node fares.
    Status(status::Arguments),
    /// 住民 / residents of the registry's area.
    Resident(resident::Arguments),
    /// カード / cards and revocation lists at the registry.
    Card(card::Arguments),
    /// 保護者 / guardianships at the registry.
    Guardianship(guardianship::Arguments),
    /// 支援措置 / protective holds at the registry.
    Hold(hold::Arguments),
    /// 連携 / links of this institution's persons.
    Link(link::Arguments),
    /// 同意 / what guardians are not shown, by choice.
    Consent(consent::Arguments),
    /// 学校 / a school's roster, days, menus, registrations and allergy alert.
    School(school::Arguments),
    /// 職員 / accounts for the staff's page.
    Staff(staff::Arguments),
    /// メール / mails to guardians and staff.
    Mail(mail::Arguments),
    /// Take records in from FHIR files.
    Import(import::Arguments),
    /// Count records, or erase a person.
    Records(records::Arguments),
    /// Verify, show and sign the ledger.
    Ledger(ledger::Arguments),
    /// 検査 / lay a stopped node open for an inspector.
    Inspect(inspect::Arguments),
}

/// Why a command came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The configuration cannot be used.
    #[error("{0}")]
    Config(#[from] Problems),
    /// The node could not be asked, or refused.
    #[error("{0}")]
    Call(#[from] CallError),
    /// Keys or request.
    #[error("{0}")]
    Init(#[from] init::InitError),
    /// A file named on the command line.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The output could not be written.
    #[error("writing the output: {0}")]
    Output(#[from] io::Error),
    /// The node answered something this version does not know.
    #[error("the node's answer is not understood ({0}); use the command line of the same version")]
    Answer(#[from] serde_json::Error),
    /// Everything was said already; only the status is left.
    #[error("")]
    Said,
}

/// Does what the command line asks for.
pub fn run(cli: Cli) -> ExitStatus {
    let outcome = match &cli.command {
        Command::Run(arguments) => return run::run::<crate::daemon::Node>(arguments),
        Command::Init(arguments) => init::init(arguments),
        Command::Request(arguments) => init::request(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::TrustList(arguments) => trust_list::run(arguments),
        Command::Status(arguments) => status::run(arguments),
        Command::Resident(arguments) => resident::run(arguments),
        Command::Card(arguments) => card::run(arguments),
        Command::Guardianship(arguments) => guardianship::run(arguments),
        Command::Hold(arguments) => hold::run(arguments),
        Command::Link(arguments) => link::run(arguments),
        Command::Consent(arguments) => consent::run(arguments),
        Command::School(arguments) => school::run(arguments),
        Command::Staff(arguments) => staff::run(arguments),
        Command::Mail(arguments) => mail::run(arguments),
        Command::Import(arguments) => import::run(arguments),
        Command::Records(arguments) => records::run(arguments),
        Command::Ledger(arguments) => ledger::run(arguments),
        Command::Inspect(arguments) => inspect::run(arguments),
    };
    match outcome {
        Ok(()) => ExitStatus::Done,
        // `hibiki-node … | head` is not a failure.
        Err(CliError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitStatus::Done,
        Err(CliError::Said) => ExitStatus::Failed,
        Err(error) => {
            output::complain(&error.to_string());
            ExitStatus::Failed
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        fn look(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            let families: Vec<_> = command.get_subcommands().filter(|sub| sub.get_name() != "help").collect();
            if families.is_empty() {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(
                    help.contains("Example") && help.contains("hibiki-node "),
                    "{path} --help has no example"
                );
            }
            families.into_iter().for_each(|sub| look(sub, &path));
        }
        look(&Cli::command(), "");
    }
}
