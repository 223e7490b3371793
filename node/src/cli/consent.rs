//! `hibiki-node consent`: what a person's guardians are not shown, by choice.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::CliError;
use super::connect::Connection;
use super::output::{print, printable};
use crate::observe::log::rfc3339;

/// Arguments of `consent`.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

/// Whose, and what it is about.
#[derive(Debug, Args)]
struct Choice {
    /// This institution's own number of the person.
    #[arg(long, value_name = "NUMBER")]
    local: String,
    /// Only this category, such as `growth`; leave out to mean all.
    #[arg(long)]
    category: Option<String>,
    /// Only this guardian, by the alias in the access history; leave out to mean all.
    #[arg(long, value_name = "ALIAS")]
    guardian: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// 不同意を登録 / show this no longer.
    #[command(after_help = "Example:\n  hibiki-node consent deny --local 4711 --category growth --staff ito")]
    Deny(Choice),
    /// 不同意を取り消す / show this again.
    #[command(
        after_help = "Examples:\n  hibiki-node consent permit --local 4711 --category growth --staff ito\n  hibiki-node consent permit --local 4711 --category growth --made-by 0123456789abcdef0123456789abcdef --staff ito"
    )]
    Permit {
        #[command(flatten)]
        choice: Choice,
        /// Undo what this guardian chose herself (see `consent list`); left out, what staff entered.
        #[arg(long, value_name = "ALIAS")]
        made_by: Option<String>,
    },
    /// 不同意の一覧 / list what is not shown.
    #[command(after_help = "Example:\n  hibiki-node consent list --local 4711")]
    List {
        /// This institution's own number of the person.
        #[arg(long, value_name = "NUMBER")]
        local: String,
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
        Action::Deny(choice) => enter(asked("deny", choice), choice, "不同意を登録しました / denied\n"),
        Action::Permit { choice, made_by } => {
            let mut asked = asked("permit", choice);
            asked["made_by"] = json!(made_by);
            enter(asked, choice, "不同意を取り消しました / permitted again\n")
        }
        Action::List { local, connection } => {
            let reply = connection.call("consent", json!({ "action": "list", "local": local }))?;
            Ok(print(connection.format, &json!({ "denials": reply.rows }), |_| table(&reply.rows))?)
        }
    }
}

fn asked(action: &str, choice: &Choice) -> Value {
    json!({ "action": action, "local": choice.local, "category": choice.category, "guardian": choice.guardian })
}

fn enter(asked: Value, choice: &Choice, done: &str) -> Result<(), CliError> {
    let reply = choice.connection.call("consent", asked)?;
    Ok(print(choice.connection.format, &reply.result, |_| done.to_owned())?)
}

fn table(rows: &[Value]) -> String {
    if rows.is_empty() {
        return "不同意はありません / nothing is denied\n".to_owned();
    }
    let mut text = String::new();
    for row in rows {
        let field =
            |name: &str, absent: &str| row[name].as_str().map_or_else(|| absent.to_owned(), printable);
        let at = row["at"].as_u64().map(rfc3339).unwrap_or_default();
        let _ = writeln!(
            text,
            "{:<24} {}  {at}  {}",
            field("category", "全区分 / everything"),
            field("guardian", "全員 / everybody"),
            row["made_by"].as_str().map_or_else(
                || field("by", ""),
                |alias| format!("保護者が自分で / by guardian {}", printable(alias)),
            ),
        );
    }
    text
}
