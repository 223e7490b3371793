//! `hibiki-node school event` and `hibiki-node school timetable`.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::super::CliError;
use super::super::connect::Connection;
use super::super::output::print;
use super::{each, lines, text};
use crate::school::events::commands;

/// What is done with events.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// 行事を登録する / enter an event.
    #[command(
        after_help = "Example:\n  hibiki-node school event add --title 遠足 --from 2026-12-08 --bring 弁当 --class 3-2 --staff suzuki"
    )]
    Add {
        /// What.
        #[arg(long)]
        title: String,
        /// First day.
        #[arg(long, value_name = "DAY")]
        from: String,
        /// Last day, if it is another.
        #[arg(long, value_name = "DAY")]
        to: Option<String>,
        /// Time of day it begins, of an event of one day.
        #[arg(long, value_name = "HH:MM")]
        time: Option<String>,
        /// Where.
        #[arg(long)]
        place: Option<String>,
        /// 持ち物 / what to bring.
        #[arg(long)]
        bring: Option<String>,
        /// For this class only.
        #[arg(long)]
        class: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
    /// 予定表（iCalendar）を取り込む / take a calendar.
    #[command(after_help = "Example:\n  hibiki-node school event import gyoji.ics --staff sato")]
    Import {
        /// The file; `-` for standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// For this class only.
        #[arg(long)]
        class: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
    /// 予定表（iCalendar）を書き出す / write a calendar of everything that is on.
    #[command(after_help = "Example:\n  hibiki-node school event export --class 3-2 > 3-2.ics")]
    Export {
        /// Of this class, with what is for everybody.
        #[arg(long)]
        class: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
    /// 行事の一覧 / list events.
    #[command(after_help = "Example:\n  hibiki-node school event list")]
    List {
        #[command(flatten)]
        connection: Connection,
    },
    /// 行事を中止にする / call an event off.
    #[command(after_help = "Example:\n  hibiki-node school event remove 0000019a… --staff sato")]
    Remove {
        /// Its name, from `school event list`.
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
}

/// What is done with timetables.
#[derive(Debug, Subcommand)]
pub(super) enum Timetable {
    /// 時間割を取り込む / take a class's timetable.
    #[command(
        after_help = "The heading names the days, each line is a period:\n  時限,月,火,水,木,金\n  1,国語,算数,…\n\n\
        Example:\n  hibiki-node school timetable import jikanwari.csv --class 3-2 --staff suzuki"
    )]
    Import {
        /// The file; `-` for standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The class.
        #[arg(long)]
        class: String,
        #[command(flatten)]
        connection: Connection,
    },
}

pub(super) fn run(action: &Action) -> Result<(), CliError> {
    match action {
        Action::Add { title, from, to, time, place, bring, class, connection } => {
            let arguments = json!({ "title": title, "from": from, "to": to, "time": time, "place": place,
                "bring": bring, "class": class });
            let reply = connection.call(commands::ADD, arguments)?;
            Ok(print(connection.format, &reply.result, entered)?)
        }
        Action::Import { file, class, connection } => {
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
            let reply = connection.upload(commands::IMPORT, json!({ "class": class, "name": name }), file)?;
            Ok(print(connection.format, &reply.result, entered)?)
        }
        Action::Export { class, connection } => {
            let reply = connection.call(commands::EXPORT, json!({ "class": class }))?;
            // A calendar is lines of its own: nothing of it is made fit for a terminal.
            let calendar = |value: &Value| value["calendar"].as_str().unwrap_or_default().to_owned();
            Ok(print(connection.format, &reply.result, calendar)?)
        }
        Action::List { connection } => {
            let reply = connection.call(commands::LIST, json!({}))?;
            Ok(print(connection.format, &reply.result, |value| {
                let line = |it: &Value| {
                    let class = text(&it["class"]);
                    format!(
                        "{}  {}  {}  {}{}",
                        text(&it["id"]),
                        text(&it["from"]),
                        if class.is_empty() { "全校" } else { &class },
                        text(&it["title"]),
                        if it["removed"] == json!(true) { "（中止）" } else { "" }
                    )
                };
                lines(each(value, "events").map(line).collect(), "行事はありません / no events")
            })?)
        }
        Action::Remove { id, connection } => {
            let reply = connection.call(commands::REMOVE, json!({ "id": id }))?;
            Ok(print(connection.format, &reply.result, |_| "中止にしました / called off\n".to_owned())?)
        }
    }
}

pub(super) fn run_timetable(action: &Timetable) -> Result<(), CliError> {
    let Timetable::Import { file, class, connection } = action;
    let reply = connection.upload(commands::TIMETABLE, json!({ "class": class }), file)?;
    Ok(print(connection.format, &reply.result, |value| {
        format!("{} の時間割 / timetable\n", text(&value["class"]))
    })?)
}

fn entered(value: &Value) -> String {
    format!("登録しました / entered: {}\n", text(&value["id"]))
}
