//! `hibiki-node school gate`.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use serde_json::json;

use super::super::CliError;
use super::super::connect::Connection;
use super::super::output::print;
use super::{each, text};
use crate::school::gates::commands;

/// Which way a pupil went.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Direction {
    /// 登校 / came.
    In,
    /// 下校 / left.
    Out,
}

/// What is done at the gate.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// 登下校を記録する / note that a pupil came or left. A reader at the gate gives this command.
    #[command(after_help = "Examples:\n  hibiki-node school gate touch 1203 in --staff gate-1\n  \
        hibiki-node school gate touch 1203 out --at 2026-11-26T15:40:00+09:00 --staff suzuki")]
    Touch {
        /// The pupil's number.
        #[arg(value_name = "NUMBER")]
        pupil: String,
        /// Which way.
        #[arg(value_enum)]
        direction: Direction,
        /// When; left out: now.
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
    /// 回線が切れていた間の分 / take a gate's touches of a while without connection: number, in or out, time.
    #[command(after_help = "Example:\n  hibiki-node school gate import gate-1.csv --staff sato")]
    Import {
        /// The file; `-` for standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        connection: Connection,
    },
}

pub(super) fn run(action: &Action) -> Result<(), CliError> {
    match action {
        Action::Touch { pupil, direction, at, connection } => {
            let direction = match direction {
                Direction::In => "in",
                Direction::Out => "out",
            };
            let arguments = json!({ "pupil": pupil, "direction": direction, "at": at });
            let reply = connection.call(commands::TOUCH, arguments)?;
            Ok(print(connection.format, &reply.result, |value| {
                let new = value["noted"] == json!(true);
                if new { "記録しました / noted\n" } else { "記録ずみです / known already\n" }.to_owned()
            })?)
        }
        Action::Import { file, connection } => {
            let reply = connection.upload(commands::IMPORT, json!({}), file)?;
            Ok(print(connection.format, &reply.result, |value| {
                let mut said = format!(
                    "{} 件・記録ずみ {} 件 / noted, known\n",
                    text(&value["noted"]),
                    text(&value["known"])
                );
                for fault in each(value, "faults") {
                    said.push_str(&format!(
                        "{} 行目 / line: {}\n",
                        text(&fault["line"]),
                        text(&fault["what"])
                    ));
                }
                said
            })?)
        }
    }
}
