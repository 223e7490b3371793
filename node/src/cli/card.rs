//! `hibiki-node card`: which card is whose, and which cards no longer count.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::CliError;
use super::connect::Connection;
use super::output::{print, printable};
use crate::observe::log::rfc3339;

/// Arguments of `card`.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// カードを住民に登録 / enrol a card for a resident; it takes the place of the one before.
    #[command(after_help = "Example:\n  hibiki-node card enrol --resident 1001 card.crt --staff sato")]
    Enrol {
        /// Whose card it is.
        #[arg(long, value_name = "NUMBER")]
        resident: String,
        /// The card's user-authentication certificate, DER or PEM; `-` for standard input.
        #[arg(value_name = "CERTIFICATE")]
        certificate: PathBuf,
        #[command(flatten)]
        connection: Connection,
    },
    /// カードの登録を消す / remove a resident's card: it opens nothing from now on.
    #[command(after_help = "Example:\n  hibiki-node card remove --resident 1001 --staff sato")]
    Remove {
        /// Whose card it is.
        #[arg(long, value_name = "NUMBER")]
        resident: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// 失効リストを取り込む / take a card authority's revocation list.
    #[command(after_help = "Example:\n  hibiki-node card crl authority.crl --staff sato")]
    Crl {
        /// The list, DER or PEM; `-` for standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        connection: Connection,
    },
}

/// Asks and prints.
///
/// # Errors
/// The node cannot be asked, or refuses.
pub fn run(arguments: &Arguments) -> Result<(), CliError> {
    match &arguments.action {
        Action::Enrol { resident, certificate, connection } => {
            let asked = json!({ "action": "enrol", "resident": resident });
            let reply = connection.upload("card", asked, certificate)?;
            Ok(print(connection.format, &reply.result, |result| {
                let replaced = result["replaced"] == json!(true);
                if replaced {
                    "カードを登録しました。前のカードは使えません / enrolled; the card before no longer opens anything\n"
                } else {
                    "カードを登録しました / enrolled\n"
                }
                .to_owned()
            })?)
        }
        Action::Remove { resident, connection } => {
            let reply = connection.call("card", json!({ "action": "remove", "resident": resident }))?;
            Ok(print(connection.format, &reply.result, |_| {
                "カードの登録を消しました / removed\n".to_owned()
            })?)
        }
        Action::Crl { file, connection } => {
            let reply = connection.upload("card", json!({ "action": "revocations" }), file)?;
            Ok(print(connection.format, &reply.result, |result| {
                let authority = printable(result["authority"].as_str().unwrap_or_default());
                let next = result["next"].as_u64().map(rfc3339).unwrap_or_default();
                let revoked = &result["revoked"];
                format!(
                    "{authority}: 失効 {revoked} 件、次回更新 {next}\n{authority}: {revoked} revoked, next list due {next}\n"
                )
            })?)
        }
    }
}
