//! `hibiki-node school pupil`.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::super::CliError;
use super::super::connect::Connection;
use super::super::output::print;
use super::{each, table, text};
use crate::school::roster::commands;

/// What is done with the class list.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// 名簿を取り込む / take a class list in.
    #[command(
        after_help = "CSV in UTF-8 or CP932. Columns, in any order: 学籍番号, 氏名, フリガナ, 生年月日, 性別, 学級 (or 学年 and 組), 給食地区 (optional).\n\n\
        Example:\n  hibiki-node school pupil import meibo.csv --staff sato"
    )]
    Import {
        /// The file; `-` for standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        connection: Connection,
    },
    /// 学級の児童 / the pupils of a class.
    #[command(after_help = "Example:\n  hibiki-node school pupil list 3-2 --staff sato")]
    List {
        /// The class.
        class: String,
        #[command(flatten)]
        connection: Connection,
    },
}

pub(super) fn run(action: &Action) -> Result<(), CliError> {
    match action {
        Action::Import { file, connection } => {
            let reply = connection.upload(commands::IMPORT, json!({}), file)?;
            Ok(print(connection.format, &reply.result, imported)?)
        }
        Action::List { class, connection } => {
            let reply = connection.call(commands::PUPILS, json!({ "class": class }))?;
            Ok(print(connection.format, &reply.result, |value| {
                let line = |it: &Value| {
                    format!("{}  {}（{}）", text(&it["local"]), text(&it["name"]), text(&it["kana"]))
                };
                table(
                    "番号 number  氏名 name（フリガナ kana）",
                    each(value, "pupils").map(line).collect(),
                    "児童がいません / nobody is in this class",
                )
            })?)
        }
    }
}

fn imported(value: &Value) -> String {
    let mut said = format!(
        "新規 {}・変更 {}・同じ {}・学級を離れた {} / new, changed, unchanged, left\n",
        text(&value["added"]),
        text(&value["replaced"]),
        text(&value["unchanged"]),
        text(&value["left"])
    );
    for class in each(value, "classes") {
        said.push_str(&format!("  {}: {} 人\n", text(&class["class"]), text(&class["pupils"])));
    }
    let faults = each(value, "faults").count();
    if faults > 0 {
        said.push_str(&format!("読めなかった行 {faults} / lines refused: {faults}\n"));
    }
    if value["stayed"].as_u64().unwrap_or(0) > 0 {
        let stayed = text(&value["stayed"]);
        said.push_str(&format!(
            "名簿にないが学級に残した児童 {stayed}: 読めなかった行の児童かもしれません。直してもう一度取り込んでください\n\
             {stayed} stayed in their class: a refused line may be theirs; mend the lines and import again\n"
        ));
    }
    said
}
