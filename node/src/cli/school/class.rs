//! `hibiki-node school class`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::super::CliError;
use super::super::connect::Connection;
use super::super::output::print;
use super::{each, table, text};
use crate::school::roster::commands;

/// What is done with classes.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// 学級の一覧 / list the classes.
    #[command(after_help = "Example:\n  hibiki-node school class list")]
    List {
        #[command(flatten)]
        connection: Connection,
    },
    /// 学級の給食地区を決める / say which kitchen cooks for a class.
    #[command(after_help = "Examples:\n  hibiki-node school class kitchen 3-2 第2地区 --staff sato\n  \
        hibiki-node school class kitchen 3-2 --staff sato      # the school's own again")]
    Kitchen {
        /// The class.
        class: String,
        /// Its kitchen; left out: the school's.
        kitchen: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
}

pub(super) fn run(action: &Action) -> Result<(), CliError> {
    match action {
        Action::List { connection } => {
            let reply = connection.call(commands::CLASSES, json!({}))?;
            Ok(print(connection.format, &reply.result, |value| {
                let line = |it: &Value| {
                    format!("{}  {} 人  {}", text(&it["class"]), text(&it["pupils"]), text(&it["kitchen"]))
                };
                table(
                    "学級 class  人数 pupils  給食地区 kitchen",
                    each(value, "classes").map(line).collect(),
                    "学級がありません / no class: import a class list",
                )
            })?)
        }
        Action::Kitchen { class, kitchen, connection } => {
            let reply = connection.call(commands::KITCHEN, json!({ "class": class, "kitchen": kitchen }))?;
            Ok(print(connection.format, &reply.result, |value| {
                format!("{}: {}\n", text(&value["class"]), text(&value["kitchen"]))
            })?)
        }
    }
}
