//! `hibiki-node school registration`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::super::CliError;
use super::super::connect::Connection;
use super::super::output::print;
use super::{each, lines, text};
use crate::school::registrations::commands;

/// What is done with registrations.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// 登録の一覧 / list what is registered, by guardians and by the school.
    #[command(after_help = "Example:\n  hibiki-node school registration list --class 3-2 --staff tanaka")]
    List {
        /// Only this class.
        #[arg(long)]
        class: Option<String>,
        /// Only this pupil.
        #[arg(long, value_name = "NUMBER")]
        pupil: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
    /// 学校としての登録（学校生活管理指導表）/ the school's own list for a pupil; it replaces what the school entered before.
    #[command(after_help = "What guardians have registered stays as it is.\n\n\
        Examples:\n  hibiki-node school registration set 1203 --allergen egg --allergen milk:strict --staff tanaka\n  \
        hibiki-node school registration set 1203 --staff tanaka      # nothing any more")]
    Set {
        /// The pupil's number.
        #[arg(value_name = "NUMBER")]
        pupil: String,
        /// An allergen by its short name; `:strict` where a doctor asked for stricter removal (より厳しい除去).
        #[arg(long = "allergen", value_name = "ALLERGEN")]
        allergens: Vec<String>,
        #[command(flatten)]
        connection: Connection,
    },
}

pub(super) fn run(action: &Action) -> Result<(), CliError> {
    match action {
        Action::List { class, pupil, connection } => {
            let reply = connection.call(commands::LIST, json!({ "class": class, "pupil": pupil }))?;
            Ok(print(connection.format, &reply.result, |value| {
                lines(
                    each(value, "registrations").map(line).collect(),
                    "登録はありません / nothing is registered",
                )
            })?)
        }
        Action::Set { pupil, allergens, connection } => {
            let list: Vec<Value> = allergens
                .iter()
                .map(|text| match text.split_once(':') {
                    Some((id, "strict")) => json!({ "id": id, "strict": true }),
                    _ => json!({ "id": text, "strict": false }),
                })
                .collect();
            let reply = connection.call(commands::SET, json!({ "pupil": pupil, "allergens": list }))?;
            Ok(print(connection.format, &reply.result, |_| "登録しました / entered\n".to_owned())?)
        }
    }
}

fn line(it: &Value) -> String {
    let allergens: Vec<String> = each(it, "allergens")
        .map(|one| {
            let strict = if one["strict"] == json!(true) { "（より厳しい除去）" } else { "" };
            format!("{}{strict}", text(&one["name"]))
        })
        .collect();
    format!(
        "{}  {}  {}  {}  保護者 {}・メール {}",
        text(&it["class"]),
        text(&it["pupil"]),
        text(&it["name"]),
        allergens.join("、"),
        text(&it["guardians"]),
        text(&it["addresses"])
    )
}
