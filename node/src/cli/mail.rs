//! `hibiki-node mail`: what goes out to guardians and staff, and what became of it.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::CliError;
use super::connect::Connection;
use super::output::{print, printable};
use crate::mail::commands;
use crate::observe::log::rfc3339;

/// Arguments of `mail`.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// メールの一覧 / list mails, newest first; addresses are masked.
    #[command(after_help = "Example:\n  hibiki-node mail list --state failed --staff tanaka")]
    List {
        /// Only these: waiting, sent or failed.
        #[arg(long)]
        state: Option<String>,
        /// At most so many.
        #[arg(long)]
        limit: Option<usize>,
        #[command(flatten)]
        connection: Connection,
    },
    /// 一通を見る / show one mail.
    #[command(
        after_help = "Example:\n  hibiki-node mail show 0123456789abcdef0123456789abcdef --staff tanaka"
    )]
    Show {
        /// Its name, from `mail list`.
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// もう一度送る / try again now what failed or waits.
    #[command(after_help = "Example:\n  hibiki-node mail retry all --staff tanaka")]
    Retry {
        /// Its name, or `all`.
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// 試しに一通送る / send a test mail right now, and show what the relay says.
    #[command(after_help = "Example:\n  hibiki-node mail test office@school.example --staff sato")]
    Test {
        /// The address.
        to: String,
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
        Action::List { state, limit, connection } => {
            let reply = connection.call(commands::LIST, json!({ "state": state, "limit": limit }))?;
            Ok(print(connection.format, &reply.result, list)?)
        }
        Action::Show { id, connection } => {
            let reply = connection.call(commands::SHOW, json!({ "id": id }))?;
            Ok(print(connection.format, &reply.result, |value| {
                let text: String =
                    field(&value["text"]).lines().map(|line| format!("{}\n", printable(line))).collect();
                format!("{}\n宛先 / to: {}\n\n{text}", line(value), printable(field(&value["to"])))
            })?)
        }
        Action::Retry { id, connection } => {
            let reply = connection.call(commands::RETRY, json!({ "id": id }))?;
            Ok(print(connection.format, &reply.result, |value| {
                format!("{} 通をもう一度送ります / mails are tried again\n", value["again"])
            })?)
        }
        Action::Test { to, connection } => {
            let reply = connection.call(commands::TEST, json!({ "to": to }))?;
            Ok(print(connection.format, &reply.result, |value| {
                format!(
                    "リレーが受け取りました / the relay has taken it: {}\n",
                    printable(field(&value["relay"]))
                )
            })?)
        }
    }
}

fn list(value: &Value) -> String {
    let counts = &value["counts"];
    let mut said = format!(
        "送信待ち {}・送信ずみ {}・失敗 {} / waiting, sent, failed\n",
        counts["waiting"], counts["sent"], counts["failed"]
    );
    for it in value["mails"].as_array().into_iter().flatten() {
        said.push_str(&line(it));
        said.push('\n');
    }
    said
}

fn line(it: &Value) -> String {
    let status = &it["status"];
    let state = match field(&status["state"]) {
        "sent" => format!("送信ずみ / sent {}", time(&status["at"])),
        "failed" => format!("失敗 / failed ({})", field(&status["fault"])),
        _ if status["attempts"].as_u64() == Some(0) => "送信待ち / waiting".to_owned(),
        _ => format!("再送待ち / delayed ({}), next {}", field(&status["fault"]), time(&status["next"])),
    };
    format!(
        "{}  {}  {}  {}  {}  {state}",
        field(&it["id"]),
        field(&it["kind"]),
        field(&it["lunch"]),
        printable(field(&it["to"])),
        printable(field(&it["title"]))
    )
}

fn field(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn time(value: &Value) -> String {
    value.as_u64().map(rfc3339).unwrap_or_default()
}
