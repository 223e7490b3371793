//! `hibiki-node school day`.

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::super::CliError;
use super::super::connect::Connection;
use super::super::output::print;
use super::{each, table, text};
use crate::school::days::commands;

/// What a day is made to be.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Kind {
    /// 休み / no school.
    Closed,
    /// 給食なし / school without lunch.
    NoLunch,
    /// 給食あり / school with lunch on a day that is otherwise off.
    Lunch,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::NoLunch => "no_lunch",
            Self::Lunch => "lunch",
        }
    }
}

/// What is done with the calendar.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// 登録された日 / list what the school says otherwise.
    #[command(after_help = "Example:\n  hibiki-node school day list --from 2026-12-01")]
    List {
        /// Only what reaches this day or a later one.
        #[arg(long, value_name = "DAY")]
        from: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
    /// 休み・給食なし・給食ありの日を登録する / enter days.
    #[command(after_help = "Saturdays, Sundays and public holidays have no lunch by themselves.\n\n\
        Examples:\n  hibiki-node school day add --from 2026-12-25 --to 2027-01-07 --kind closed --reason 冬休み --staff sato\n  \
        hibiki-node school day add --from 2026-11-30 --kind no-lunch --class 3-2 --reason 遠足 --staff sato\n  \
        hibiki-node school day add --from 2026-12-05 --kind lunch --reason 土曜授業 --staff sato")]
    Add {
        /// First day.
        #[arg(long, value_name = "DAY")]
        from: String,
        /// Last day, if it is another.
        #[arg(long, value_name = "DAY")]
        to: Option<String>,
        /// What they are.
        #[arg(long, value_enum)]
        kind: Kind,
        /// For this class only.
        #[arg(long, conflicts_with = "kitchen")]
        class: Option<String>,
        /// For the classes of this kitchen only.
        #[arg(long)]
        kitchen: Option<String>,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// 登録を取り消す / take an entry out.
    #[command(after_help = "Example:\n  hibiki-node school day remove 000001a2b3c4d5e6f7081920 --staff sato")]
    Remove {
        /// Its name, from `school day list`.
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
}

pub(super) fn run(action: &Action) -> Result<(), CliError> {
    match action {
        Action::List { from, connection } => {
            let reply = connection.call(commands::LIST, json!({ "from": from }))?;
            Ok(print(connection.format, &reply.result, |value| {
                let line = |it: &Value| {
                    let whom = format!("{}{}", text(&it["class"]), text(&it["kitchen"]));
                    format!(
                        "{}  {} 〜 {}  {}  {}  {}",
                        text(&it["id"]),
                        text(&it["from"]),
                        text(&it["to"]),
                        kind_of(it),
                        if whom.is_empty() { "全校 all".to_owned() } else { whom },
                        text(&it["reason"])
                    )
                };
                table(
                    "登録番号 id  日 days  どんな日 kind  だれに whom  わけ reason",
                    each(value, "days").map(line).collect(),
                    "登録はありません / nothing entered",
                )
            })?)
        }
        Action::Add { from, to, kind, class, kitchen, reason, connection } => {
            let arguments = json!({ "from": from, "to": to, "kind": kind.name(), "class": class, "kitchen": kitchen,
                "reason": reason });
            let reply = connection.call(commands::ADD, arguments)?;
            Ok(print(connection.format, &reply.result, |value| {
                format!("登録しました / entered: {}\n", text(&value["id"]))
            })?)
        }
        Action::Remove { id, connection } => {
            let reply = connection.call(commands::REMOVE, json!({ "id": id }))?;
            Ok(print(connection.format, &reply.result, |_| "取り消しました / removed\n".to_owned())?)
        }
    }
}

fn kind_of(day: &Value) -> String {
    match day["kind"].as_str() {
        Some("closed") => "休み closed".to_owned(),
        Some("no_lunch") => "給食なし no lunch".to_owned(),
        Some("lunch") => "給食あり lunch".to_owned(),
        _ => text(&day["kind"]),
    }
}
