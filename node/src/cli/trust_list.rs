//! `hibiki-node trust-list`: the list of members in force, and the council's next one.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::CliError;
use super::connect::Connection;
use super::output::{print, printable};
use crate::observe::log::rfc3339;

/// Arguments of `trust-list`.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// 有効な機関一覧 / show the list in force.
    #[command(after_help = "Example:\n  hibiki-node trust-list show --config /etc/hibiki/node.toml")]
    Show {
        #[command(flatten)]
        connection: Connection,
    },
    /// 新しい機関一覧を入れる / install the council's next list.
    #[command(after_help = "Example:\n  hibiki-node trust-list install trust-list-2.cbor --staff ito")]
    Install {
        /// The list, as the council published it.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        connection: Connection,
    },
}

/// Asks and prints.
///
/// # Errors
/// The node cannot be reached, or does not use the list.
pub fn run(arguments: &Arguments) -> Result<(), CliError> {
    match &arguments.action {
        Action::Show { connection } => {
            let reply = connection.call("trust-list", json!({ "action": "show" }))?;
            Ok(print(connection.format, &reply.result, describe)?)
        }
        Action::Install { file, connection } => {
            let reply = connection.upload("trust-list", json!({ "action": "install" }), file)?;
            Ok(print(connection.format, &reply.result, |result| describe(&result["in_force"]))?)
        }
    }
}

fn describe(list: &Value) -> String {
    let text = |value: &Value| printable(value.as_str().unwrap_or_default());
    let mut out = format!(
        "機関一覧 第 {} 版（{} まで） / trust list, epoch {} of {}, valid until {}\n",
        list["epoch"],
        rfc3339(list["expires"].as_u64().unwrap_or(0)),
        list["epoch"],
        text(&list["federation"]),
        rfc3339(list["expires"].as_u64().unwrap_or(0)),
    );
    for member in list["members"].as_array().into_iter().flatten() {
        let roles: Vec<String> = member["roles"].as_array().into_iter().flatten().map(text).collect();
        let _ = writeln!(
            out,
            "  {:<32} {}  {}  ({})",
            text(&member["id"]),
            text(&member["name"]["ja"]),
            text(&member["name"]["en"]),
            roles.join(", ")
        );
    }
    out
}
