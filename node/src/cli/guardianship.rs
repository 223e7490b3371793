//! `hibiki-node guardianship`: who is whose guardian, by two clerks.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::CliError;
use super::connect::Connection;
use super::output::{print, printable};

/// Arguments of `guardianship`.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// 保護者を登録（承認待ち） / enter a guardianship; it counts once a different clerk confirms it.
    #[command(after_help = "Bases: parental-sole, parental-joint, legal-guardian, foster, facility-head;\n\
        all but parental-sole need --document.\n\n\
        Example:\n  hibiki-node guardianship propose --guardian 1001 --child 1003 --basis parental-sole --staff sato")]
    Propose {
        /// The guardian's resident number.
        #[arg(long, value_name = "NUMBER")]
        guardian: String,
        /// The child's resident number.
        #[arg(long, value_name = "NUMBER")]
        child: String,
        /// On what it rests.
        #[arg(long)]
        basis: String,
        /// First day [default: today].
        #[arg(long, value_name = "DAY")]
        from: Option<String>,
        /// Last day [default: the child's 18th birthday].
        #[arg(long, value_name = "DAY")]
        until: Option<String>,
        /// Reference of the document it rests on.
        #[arg(long, value_name = "REFERENCE")]
        document: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
    /// 別の職員が承認 / confirm what another clerk entered.
    #[command(
        visible_alias = "approve",
        after_help = "Example:\n  hibiki-node guardianship confirm 0123456789abcdef --staff tanaka"
    )]
    Confirm {
        /// Its id.
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// ただちに終了 / end a guardianship at once.
    #[command(after_help = "Example:\n  hibiki-node guardianship end 0123456789abcdef --staff sato")]
    End {
        /// Its id.
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// 一覧 / list guardianships, all or those of one resident.
    #[command(after_help = "Example:\n  hibiki-node guardianship list --resident 1003")]
    List {
        /// Only those of this guardian or child.
        #[arg(long, value_name = "NUMBER")]
        resident: Option<String>,
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
        Action::Propose { guardian, child, basis, from, until, document, connection } => {
            let asked = json!({ "action": "propose", "guardian": guardian, "child": child, "basis": basis,
                "from": from, "until": until, "document": document });
            let reply = connection.call("guardianship", asked)?;
            Ok(print(connection.format, &reply.result, |entry| {
                let id = entry["id"].as_str().unwrap_or_default();
                let until = entry["until"].as_str().unwrap_or_default();
                format!(
                    "登録しました（{until} まで）。別の職員の承認で有効になります: hibiki-node guardianship confirm {id}\n\
                     entered until {until}; it counts once a different clerk runs: hibiki-node guardianship confirm {id}\n"
                )
            })?)
        }
        Action::Confirm { id, connection } => {
            let reply = connection.call("guardianship", json!({ "action": "confirm", "id": id }))?;
            Ok(print(connection.format, &reply.result, |_| "承認しました / confirmed\n".to_owned())?)
        }
        Action::End { id, connection } => {
            let reply = connection.call("guardianship", json!({ "action": "end", "id": id }))?;
            Ok(print(connection.format, &reply.result, |_| "終了しました / ended\n".to_owned())?)
        }
        Action::List { resident, connection } => {
            let reply = connection.call("guardianship", json!({ "action": "list", "resident": resident }))?;
            Ok(print(connection.format, &json!({ "guardianships": reply.rows }), |_| table(&reply.rows))?)
        }
    }
}

fn table(rows: &[Value]) -> String {
    if rows.is_empty() {
        return "登録はありません / none\n".to_owned();
    }
    let mut text = String::new();
    for row in rows {
        let field = |name: &str| printable(row[name].as_str().unwrap_or_default());
        let _ = writeln!(
            text,
            "{}  保護者 {}  子 {}  {}  {} – {}  {}",
            field("id"),
            field("guardian"),
            field("child"),
            field("basis"),
            field("from"),
            field("until"),
            standing(row["standing"].as_str().unwrap_or_default()),
        );
    }
    text
}

fn standing(name: &str) -> &'static str {
    match name {
        "awaits_approval" => "承認待ち / awaits a second clerk",
        "future" => "開始前 / not yet begun",
        "in_force" => "有効 / in force",
        "expired" => "満了 / expired",
        "ended" => "終了 / ended",
        _ => "?",
    }
}
