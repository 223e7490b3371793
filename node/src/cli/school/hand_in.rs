//! `hibiki-node school hand-in`.

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::super::CliError;
use super::super::connect::Connection;
use super::super::output::print;
use super::{each, lines, text};
use crate::school::hand_ins::commands;

/// How it stands for a pupil.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum State {
    /// 受け取った / handed in.
    Done,
    /// まだ / wanted.
    Open,
    /// 不要 / not wanted of her any more.
    Dropped,
}

/// What is done with things to hand in.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// 提出物をお願いする / ask for something.
    #[command(
        after_help = "Example:\n  hibiki-node school hand-in add --class 3-2 --title 保険証のコピー --due 2026-12-04 --staff suzuki"
    )]
    Add {
        /// The class.
        #[arg(long, required_unless_present = "pupils")]
        class: Option<String>,
        /// Or pupils, by their numbers.
        #[arg(long = "pupil", value_name = "NUMBER", conflicts_with = "class")]
        pupils: Vec<String>,
        /// What.
        #[arg(long)]
        title: String,
        /// What else there is to say.
        #[arg(long)]
        note: Option<String>,
        /// The last day.
        #[arg(long, value_name = "DAY")]
        due: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// 提出物の一覧 / list what was asked for, and how many have handed in.
    #[command(after_help = "Example:\n  hibiki-node school hand-in list --staff suzuki")]
    List {
        #[command(flatten)]
        connection: Connection,
    },
    /// 出した人、まだの人 / who has handed in, and who has not.
    #[command(after_help = "Example:\n  hibiki-node school hand-in show 0000019a… --staff suzuki")]
    Show {
        /// Its name, from `school hand-in list`.
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// 受け取った印をつける / note who has handed in.
    #[command(after_help = "Example:\n  hibiki-node school hand-in mark 0000019a… 1203 1207 --staff suzuki")]
    Mark {
        /// Its name.
        id: String,
        /// The pupils' numbers.
        #[arg(required = true, value_name = "NUMBER")]
        pupils: Vec<String>,
        /// How it stands for them.
        #[arg(long, value_enum, default_value_t = State::Done)]
        state: State,
        #[command(flatten)]
        connection: Connection,
    },
}

pub(super) fn run(action: &Action) -> Result<(), CliError> {
    match action {
        Action::Add { class, pupils, title, note, due, connection } => {
            let arguments =
                json!({ "class": class, "pupils": pupils, "title": title, "note": note, "due": due });
            let reply = connection.call(commands::ADD, arguments)?;
            Ok(print(connection.format, &reply.result, |value| {
                format!("お願いしました / asked: {}\n", text(&value["id"]))
            })?)
        }
        Action::List { connection } => {
            let reply = connection.call(commands::LIST, json!({}))?;
            Ok(print(connection.format, &reply.result, |value| {
                let line = |it: &Value| {
                    format!(
                        "{}  {}  {}  {} まで  {} / {} 人",
                        text(&it["id"]),
                        text(&it["class"]),
                        text(&it["title"]),
                        text(&it["due"]),
                        text(&it["done"]),
                        text(&it["wanted"])
                    )
                };
                lines(each(value, "hand_ins").map(line).collect(), "提出物はありません / nothing asked for")
            })?)
        }
        Action::Show { id, connection } => {
            let reply = connection.call(commands::SHOW, json!({ "id": id }))?;
            Ok(print(connection.format, &reply.result, |value| {
                let line = |it: &Value| {
                    let state = match it["state"].as_str() {
                        Some("done") => "提出済み / in",
                        Some("dropped") => "不要 / not wanted",
                        _ => "まだ / open",
                    };
                    format!("{}  {}  {state}", text(&it["local"]), text(&it["name"]))
                };
                lines(each(value, "pupils").map(line).collect(), "児童がいません / nobody")
            })?)
        }
        Action::Mark { id, pupils, state, connection } => {
            let state = match state {
                State::Done => "done",
                State::Open => "open",
                State::Dropped => "dropped",
            };
            let reply =
                connection.call(commands::MARK, json!({ "id": id, "pupils": pupils, "state": state }))?;
            Ok(print(connection.format, &reply.result, |value| {
                format!("{} 人 / pupils\n", text(&value["marked"]))
            })?)
        }
    }
}
