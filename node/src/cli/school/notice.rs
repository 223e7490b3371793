//! `hibiki-node school notice`.

use std::fs;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};

use super::super::CliError;
use super::super::connect::Connection;
use super::super::output::print;
use super::{each, joined, lines, text};
use crate::observe::log::rfc3339;
use crate::school::notices::commands;

/// What is done with notices.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// お知らせを出す / send a notice to everybody, a class or a pupil.
    #[command(
        after_help = "Examples:\n  hibiki-node school notice send --class 3-2 --title 遠足のしおり --text-file shiori.txt --attach shiori.pdf --staff suzuki\n  \
        hibiki-node school notice send --all --urgent --title 臨時休校 --text \"あすは休校です\" --staff sato"
    )]
    Send(Send),
    /// お知らせの一覧 / list notices.
    #[command(after_help = "Example:\n  hibiki-node school notice list --staff sato")]
    List {
        #[command(flatten)]
        connection: Connection,
    },
    /// お知らせを取り消す / withdraw a notice.
    #[command(after_help = "Example:\n  hibiki-node school notice withdraw 0000019a… --staff sato")]
    Withdraw {
        /// Its name, from `school notice list`.
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
}

/// Arguments of `school notice send`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("whom").required(true).args(["all", "class", "pupil"])))]
pub(super) struct Send {
    /// To every class.
    #[arg(long)]
    all: bool,
    /// To a class.
    #[arg(long)]
    class: Option<String>,
    /// To one pupil, by her number.
    #[arg(long, value_name = "NUMBER")]
    pupil: Option<String>,
    /// The title.
    #[arg(long)]
    title: String,
    /// The text.
    #[arg(long, conflicts_with = "text_file")]
    text: Option<String>,
    /// A file with the text, UTF-8.
    #[arg(long, value_name = "FILE")]
    text_file: Option<PathBuf>,
    /// Urgent.
    #[arg(long)]
    urgent: bool,
    /// A file to attach: PDF, PNG, JPEG or plain text, up to 300 KiB; two at most.
    #[arg(long, value_name = "FILE")]
    attach: Vec<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

pub(super) fn run(action: &Action) -> Result<(), CliError> {
    match action {
        Action::Send(send) => self::send(send),
        Action::List { connection } => {
            let reply = connection.call(commands::LIST, json!({}))?;
            Ok(print(connection.format, &reply.result, |value| {
                let line = |it: &Value| {
                    let to = match it["audience"]["to_kind"].as_str() {
                        Some("all") => "全校".to_owned(),
                        _ => text(&it["audience"]["to"]),
                    };
                    let withdrawn = if it["withdrawn"] == json!(true) { "（取り消し）" } else { "" };
                    format!(
                        "{}  {}  {to}  {}{withdrawn}  {}",
                        text(&it["id"]),
                        it["sent"].as_u64().map(rfc3339).unwrap_or_default(),
                        text(&it["title"]),
                        joined(&it["files"])
                    )
                };
                lines(each(value, "notices").map(line).collect(), "お知らせはありません / no notices")
            })?)
        }
        Action::Withdraw { id, connection } => {
            let reply = connection.call(commands::WITHDRAW, json!({ "id": id }))?;
            Ok(print(connection.format, &reply.result, |_| "取り消しました / withdrawn\n".to_owned())?)
        }
    }
}

fn send(send: &Send) -> Result<(), CliError> {
    let body = match &send.text_file {
        Some(path) => {
            fs::read_to_string(path).map_err(|source| CliError::File { path: path.clone(), source })?
        }
        None => send.text.clone().unwrap_or_default(),
    };
    let (kind, to) = match (&send.class, &send.pupil) {
        (Some(class), _) => ("class", Some(class)),
        (None, Some(pupil)) => ("pupil", Some(pupil)),
        (None, None) => ("all", None),
    };
    let arguments =
        json!({ "to_kind": kind, "to": to, "title": send.title, "text": body, "urgent": send.urgent });
    let reply = send.connection.call(commands::SEND, arguments)?;
    let id = reply.result["id"].as_str().unwrap_or_default().to_owned();
    for file in &send.attach {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        send.connection.upload(commands::ATTACH, json!({ "id": id, "name": name }), file)?;
    }
    Ok(print(send.connection.format, &reply.result, |_| format!("出しました / sent: {id}\n"))?)
}
