//! `hibiki-node records`: what the institution holds, and the erasure of a person.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::{Args, Subcommand};
use hibiki_records::category::Category;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::CliError;
use super::connect::Connection;
use super::output::{count, print};
use crate::admin::records::{COUNT, ERASE, Erase};

/// Arguments of `records`.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// How many persons, groups and records of each category there are.
    #[command(after_help = "Example:\n  hibiki-node records count --format json")]
    Count {
        #[command(flatten)]
        connection: Connection,
    },
    /// Erase a person for good: the key first, which makes every record unreadable, in backups too.
    #[command(after_help = "Example:\n  hibiki-node records erase --local 20418 --staff Sato \
        --reason \"request of 2026-11-20, file 311\"\n\n\
        It cannot be undone. Afterwards make a new backup of the key file and throw the older ones away.")]
    Erase {
        /// The institution's own number of the person.
        #[arg(long, value_name = "NUMBER")]
        local: String,
        /// On what ground, for the ledger. Name a document, not the person.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        connection: Connection,
    },
}

/// How much there is.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Counted {
    subjects: u64,
    groups: u64,
    records: BTreeMap<String, u64>,
}

/// Asks and prints.
///
/// # Errors
/// The node cannot be asked, or refuses.
pub fn run(arguments: &Arguments) -> Result<(), CliError> {
    match &arguments.command {
        Command::Count { connection } => {
            let counted: Counted = serde_json::from_value(connection.call(COUNT, Value::Null)?.result)?;
            Ok(print(connection.format, &counted, describe)?)
        }
        Command::Erase { local, reason, connection } => {
            let erase = Erase { local: local.clone(), reason: reason.clone() };
            let reply = connection.call(ERASE, json!(erase))?;
            let words = "消去しました / erased. 鍵のバックアップを取り直し、古いものを破棄してください / \
                make a new backup of the key file and throw the older ones away";
            Ok(print(connection.format, &reply.result, |_| words.to_owned())?)
        }
    }
}

fn describe(counted: &Counted) -> String {
    let mut text = String::new();
    let mut line = |words: &str, number: u64| {
        let _ = writeln!(text, "{:>12}  {words}", count(number));
    };
    line("人 / persons", counted.subjects);
    line("グループ / groups", counted.groups);
    for category in Category::ALL {
        if let Some(number) = counted.records.get(category.wire_name()) {
            let label = category.label();
            line(&format!("{} / {}", label.ja, label.en), *number);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_in_both_languages_in_the_order_of_a_view() {
        let records = [("growth".to_owned(), 2_362), ("immunization".to_owned(), 2_265)].into();
        let text = describe(&Counted { subjects: 101, groups: 0, records });
        let expected = "         101  人 / persons\n           0  グループ / groups\n       2,265  予防接種 / \
            Vaccination\n       2,362  身体計測 / Growth\n";
        assert_eq!(text, expected);
    }
}
