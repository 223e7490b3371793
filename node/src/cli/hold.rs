//! `hibiki-node hold`: protective measures (支援措置, court orders).

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::CliError;
use super::connect::Connection;
use super::output::{print, printable};
use crate::observe::log::rfc3339;

/// Arguments of `hold`.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// 支援措置を開始（ただちに有効） / place a hold: it counts at once, and every institution is told.
    #[command(after_help = "Without --guardian nobody but the child is shown anything.\n\n\
        Example:\n  hibiki-node hold place --child 1003 --guardian 1002 --reason-reference '支援措置 R8-12' \
        --review-by 2027-03-31 --staff sato")]
    Place {
        /// The child's resident number.
        #[arg(long, value_name = "NUMBER")]
        child: String,
        /// From whom; leave out to mean every guardian.
        #[arg(long, value_name = "NUMBER")]
        guardian: Option<String>,
        /// Reference of the file it rests on (not the reason itself).
        #[arg(long, value_name = "REFERENCE")]
        reason_reference: String,
        /// Day by which it must be looked at again; passing it changes nothing.
        #[arg(long, value_name = "DAY")]
        review_by: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// 解除（二人の職員） / lift a hold: the first clerk asks, a different one lifts.
    #[command(after_help = "Example:\n  hibiki-node hold lift 0123456789abcdef --staff sato\n  \
        hibiki-node hold lift 0123456789abcdef --staff tanaka")]
    Lift {
        /// Its id.
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// 一覧と各機関の受領 / list holds, and which institutions have acknowledged them.
    #[command(after_help = "Example:\n  hibiki-node hold list")]
    List {
        /// Lifted ones, too.
        #[arg(long)]
        all: bool,
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
        Action::Place { child, guardian, reason_reference, review_by, connection } => {
            let asked = json!({ "action": "place", "child": child, "guardian": guardian,
                "reason_reference": reason_reference, "review_by": review_by });
            let reply = connection.call("hold", asked)?;
            Ok(print(connection.format, &reply.result, |hold| {
                let id = hold["id"].as_str().unwrap_or_default();
                format!(
                    "支援措置 {id} を開始しました。各機関の受領は `hibiki-node hold list` で確認してください\n\
                     hold {id} is in force; see `hibiki-node hold list` for who has acknowledged it\n"
                )
            })?)
        }
        Action::Lift { id, connection } => {
            let reply = connection.call("hold", json!({ "action": "lift", "id": id }))?;
            Ok(print(connection.format, &reply.result, |hold| {
                match hold["standing"].as_str() {
                Some("lifted") => "解除しました / lifted\n".to_owned(),
                _ => "解除を受け付けました。別の職員の確認まで有効です / noted; it counts until a different clerk confirms\n"
                    .to_owned(),
            }
            })?)
        }
        Action::List { all, connection } => {
            let reply = connection.call("hold", json!({ "action": "list", "all": all }))?;
            Ok(print(connection.format, &json!({ "holds": reply.rows }), |_| table(&reply.rows))?)
        }
    }
}

fn table(rows: &[Value]) -> String {
    if rows.is_empty() {
        return "支援措置はありません / no holds\n".to_owned();
    }
    let mut text = String::new();
    for row in rows {
        let field = |name: &str| printable(row[name].as_str().unwrap_or_default());
        let against = row["guardian"].as_str().map_or_else(|| "全員 / everybody".to_owned(), printable);
        let _ = writeln!(
            text,
            "{}  子 {}  対象 {against}  {}  見直し {}  {}",
            field("id"),
            field("child"),
            field("reference"),
            field("review_by"),
            standing(row["standing"].as_str().unwrap_or_default()),
        );
        for member in row["members"].as_array().into_iter().flatten() {
            let name = printable(member["member"].as_str().unwrap_or_default());
            let state = match member["acknowledged"].as_u64() {
                Some(at) => format!("受領 / acknowledged {}", rfc3339(at)),
                None => {
                    format!("!! 未受領 / NOT acknowledged, {} attempts: telephone them", member["attempts"])
                }
            };
            let _ = writeln!(text, "    {name:<32} {state}");
        }
    }
    text
}

fn standing(name: &str) -> &'static str {
    match name {
        "in_force" => "有効 / in force",
        "review_due" => "有効・見直し期限超過 / in force, REVIEW DUE",
        "lift_awaits_second_clerk" => "有効・解除確認待ち / in force until a second clerk lifts it",
        "lifted" => "解除 / lifted",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_acknowledged_stands_out() {
        let row = json!({ "id": "1", "child": "2", "guardian": null, "reference": "R8", "review_by": "2027-01-01",
            "standing": "review_due",
            "members": [
                { "member": "t/a", "acknowledged": 0, "attempts": 1 },
                { "member": "t/b", "acknowledged": null, "attempts": 3 },
            ] });
        let text = table(&[row]);
        assert!(text.contains("REVIEW DUE") && text.contains("everybody"), "{text}");
        assert!(text.lines().nth(1).is_some_and(|line| line.contains("1970-01-01")), "{text}");
        assert!(
            text.lines().nth(2).is_some_and(|line| line.contains("NOT acknowledged, 3 attempts")),
            "{text}"
        );
    }
}
