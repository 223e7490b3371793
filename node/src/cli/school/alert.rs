//! `hibiki-node school alert`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::super::CliError;
use super::super::connect::Connection;
use super::super::output::print;
use super::{each, text};
use crate::school::alert::commands;

/// What is done with alerts.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// だれに何が知らされるか / what is told of a lunch, to whom, and whether it was.
    #[command(
        after_help = "Examples:\n  hibiki-node school alert plan\n  hibiki-node school alert plan 2026-12-01"
    )]
    Plan {
        /// The day of the lunch; left out: the next one.
        #[arg(value_name = "DAY")]
        date: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
    /// いま知らせる / tell now whatever is to be told by now. The node does so by itself.
    #[command(after_help = "Example:\n  hibiki-node school alert run --staff tanaka")]
    Run {
        #[command(flatten)]
        connection: Connection,
    },
}

pub(super) fn run(action: &Action) -> Result<(), CliError> {
    match action {
        Action::Plan { date, connection } => {
            let reply = connection.call(commands::PLAN, json!({ "date": date }))?;
            Ok(print(connection.format, &reply.result, plan)?)
        }
        Action::Run { connection } => {
            let reply = connection.call(commands::RUN, json!({}))?;
            Ok(print(connection.format, &reply.result, |value| {
                format!(
                    "登録のある児童 {}・判定 {}・新しいメール {}・知らせる先がない児童 {} / children, judged, new mails, unreachable\n",
                    text(&value["children"]),
                    text(&value["judged"]),
                    text(&value["letters"]),
                    text(&value["unreachable"])
                )
            })?)
        }
    }
}

fn plan(value: &Value) -> String {
    let mut said = format!("{} の給食 / lunch\n", text(&value["date"]));
    let mut empty = true;
    for it in each(value, "children") {
        empty = false;
        let verdict = match it["said"].as_str() {
            Some("contains") => "食べられないものが入っています / contains",
            Some("cannot_be_cleared") => "確認できません / cannot be cleared",
            Some("no_menu") => "献立が確定していません / no menu",
            _ => "入っていません / clear",
        };
        let whom = match (it["addresses"].as_u64(), it["told"].as_u64()) {
            (Some(0) | None, _) => "メールの登録がありません / no address".to_owned(),
            (Some(addresses), told) => {
                format!("知らせる先 {addresses}・知らせずみ {} / addresses, told", told.unwrap_or(0))
            }
        };
        said.push_str(&format!("{}  {}  {verdict}  {whom}\n", text(&it["class"]), text(&it["pupil"])));
        for name in ["contains", "doubts"] {
            for line in each(it, name) {
                said.push_str(&format!("      {}\n", text(line)));
            }
        }
    }
    if empty {
        said.push_str("登録のある児童はいません / nothing is registered for anybody\n");
    }
    said
}
