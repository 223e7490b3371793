//! `hibiki-certs root`: the federation's root.

use std::path::PathBuf;

use clap::Subcommand;
use hibiki_certs::council::{CouncilFolder, ROOT_FILE};
use hibiki_protocol::ids::FederationId;
use hibiki_protocol::trust::RootAnchor;

use super::CliError;
use super::output::{self, Format, say};
use super::present;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make the root: one file per key, to be carried to a machine of its own, and root.cbor for all.
    #[command(after_help = "Example (pilot):     hibiki-certs root init council/ --federation maebashi
Example (2 of 3, and any 1 may sign a removal):
  hibiki-certs root init council/ --federation maebashi --keys 3 --add-threshold 2 --remove-threshold 1")]
    Init {
        /// The council's folder to make.
        dir: PathBuf,
        /// The federation's name: lower-case letters, digits and '-'.
        #[arg(long)]
        federation: FederationId,
        /// How many root keys.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
        keys: u8,
        /// How many of them must sign a list.
        #[arg(long, default_value_t = 1)]
        add_threshold: u64,
        /// How many must sign a list that only removes members, so that a stolen node is out quickly.
        #[arg(long, default_value_t = 1)]
        remove_threshold: u64,
    },
    /// Show a root: federation, keys, thresholds.
    #[command(after_help = "Example: hibiki-certs root show council/root.cbor")]
    Show {
        /// The root file.
        file: PathBuf,
        /// How to print it.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
}

pub(crate) fn run(command: Command) -> Result<(), CliError> {
    match command {
        Command::Init { dir, federation, keys, add_threshold, remove_threshold } => {
            let made =
                CouncilFolder::create(&dir, federation, usize::from(keys), add_threshold, remove_threshold)?;
            let mut lines = vec![present::root_in_words(made.council().anchor())];
            for number in 1..=keys {
                lines.push(format!(
                    "private key {number}: {} (0600)",
                    dir.join(format!("root-{number}.key")).display()
                ));
            }
            if keys > 1 {
                lines.push("Carry each private key to a machine of its own and delete it here.".to_owned());
            }
            lines.push(format!(
                "Give {} to every node, and let it compare the digest above.",
                dir.join(ROOT_FILE).display()
            ));
            lines.push(format!("next: hibiki-certs enrol {} --request NODE.cbor", dir.display()));
            say(&lines.join("\n"))?;
        }
        Command::Show { file, format } => {
            let anchor: RootAnchor = output::decode(&file, "a federation's root")?;
            match format {
                Format::Human => say(&present::root_in_words(&anchor))?,
                Format::Json => say(&format!("{:#}", present::root_json(&anchor)))?,
            }
        }
    }
    Ok(())
}
