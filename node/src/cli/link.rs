//! `hibiki-node link`: which of this institution's persons the registry's pseudonyms mean.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::CliError;
use super::connect::Connection;
use super::output::{print, printable};
use super::resident::{TokenArguments, tokens};
use crate::observe::log::rfc3339;

/// Arguments of `link`.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// トークンファイルから連携 / link everybody a token file means.
    #[command(
        after_help = "Whoever agrees in birth date, sex and kana is linked; doubts go into quarantine;\n\
        nothing is kept of people who are not yours.\n\n\
        Example:\n  hibiki-node link import hospital.tokens --staff ito"
    )]
    Import {
        /// The file the registry exported for this institution; `-` for standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        connection: Connection,
    },
    /// 窓口で一人を連携 / link one token to one person.
    #[command(after_help = "Example:\n  hibiki-node link add --token hanako.token --local 4711 --staff ito")]
    Add {
        /// File with the one token.
        #[arg(long, value_name = "FILE")]
        token: PathBuf,
        /// This institution's own number of the person.
        #[arg(long, value_name = "NUMBER")]
        local: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// 連携の一覧 / list links.
    #[command(visible_alias = "show", after_help = "Example:\n  hibiki-node link list --local 4711")]
    List {
        /// Only this person.
        #[arg(long, value_name = "NUMBER")]
        local: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
    /// 連携を取り消す / undo a person's links: nothing of her is shown from now on.
    #[command(after_help = "Example:\n  hibiki-node link remove --local 4711 --staff ito")]
    Remove {
        /// This institution's own number of the person.
        #[arg(long, value_name = "NUMBER")]
        local: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// 保留（一致しない連携） / what needs a look before it is linked.
    #[command(subcommand)]
    Quarantine(Quarantine),
    /// 台帳側: 一機関向けに書き出す / at the registry: the same as `resident tokens`.
    #[command(
        after_help = "Example:\n  hibiki-node link export --for maebashi/chuo-hospital --out hospital.tokens --staff sato"
    )]
    Export(TokenArguments),
}

#[derive(Debug, Subcommand)]
enum Quarantine {
    /// 保留の一覧 / list what waits, and which facts disagree.
    #[command(after_help = "Example:\n  hibiki-node link quarantine list")]
    List {
        #[command(flatten)]
        connection: Connection,
    },
    /// 保留を解く / end a quarantine: link it to a person who agrees by now, or forget the token.
    #[command(
        after_help = "Examples:\n  hibiki-node link quarantine resolve ID --local 4711 --staff ito\n  \
        hibiki-node link quarantine resolve ID --discard --staff ito"
    )]
    Resolve {
        /// Its id.
        #[arg(value_name = "ID")]
        id: String,
        /// Link it to this person.
        #[arg(long, value_name = "NUMBER", required_unless_present = "discard", conflicts_with = "discard")]
        local: Option<String>,
        /// Forget the token.
        #[arg(long)]
        discard: bool,
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
        Action::Import { file, connection } => {
            let reply = connection.upload("link", json!({ "action": "import" }), file)?;
            Ok(print(connection.format, &reply.result, summary)?)
        }
        Action::Add { token, local, connection } => {
            let reply = connection.upload("link", json!({ "action": "add", "local": local }), token)?;
            Ok(print(connection.format, &reply.result, made)?)
        }
        Action::List { local, connection } => {
            let reply = connection.call("link", json!({ "action": "list", "local": local }))?;
            Ok(print(connection.format, &json!({ "links": reply.rows }), |_| links(&reply.rows))?)
        }
        Action::Remove { local, connection } => {
            let reply = connection.call("link", json!({ "action": "remove", "local": local }))?;
            Ok(print(connection.format, &reply.result, |_| "連携を取り消しました / undone\n".to_owned())?)
        }
        Action::Quarantine(action) => quarantine(action),
        Action::Export(arguments) => tokens(arguments),
    }
}

fn quarantine(action: &Quarantine) -> Result<(), CliError> {
    match action {
        Quarantine::List { connection } => {
            let reply = connection.call("link", json!({ "action": "quarantine" }))?;
            Ok(print(connection.format, &json!({ "quarantine": reply.rows }), |_| waiting(&reply.rows))?)
        }
        Quarantine::Resolve { id, local: Some(local), connection, .. } => {
            let reply = connection.call("link", json!({ "action": "resolve", "id": id, "local": local }))?;
            Ok(print(connection.format, &reply.result, made)?)
        }
        Quarantine::Resolve { id, local: None, connection, .. } => {
            let reply = connection.call("link", json!({ "action": "discard", "id": id }))?;
            Ok(print(connection.format, &reply.result, |_| {
                "トークンを破棄しました / discarded\n".to_owned()
            })?)
        }
    }
}

fn summary(result: &Value) -> String {
    let number = |field: &str| result[field].as_u64().unwrap_or(0);
    let (linked, unchanged) = (number("linked"), number("unchanged"));
    let (waiting, others, refused) = (number("quarantined"), number("not_ours"), number("refused"));
    let mut text = format!(
        "連携 {linked} 件、連携済み {unchanged} 件、保留 {waiting} 件、対象外 {others} 件、使用不可 {refused} 件\n\
         {linked} linked, {unchanged} linked before, {waiting} in quarantine, {others} not yours, {refused} refused\n"
    );
    if waiting > 0 {
        text.push_str("保留の確認 / see: hibiki-node link quarantine list\n");
    }
    text
}

fn made(result: &Value) -> String {
    match result["link"].as_str() {
        Some("linked") => "連携しました / linked\n".to_owned(),
        _ => "すでに連携済みです / linked before\n".to_owned(),
    }
}

fn links(rows: &[Value]) -> String {
    if rows.is_empty() {
        return "連携はありません / no links\n".to_owned();
    }
    let mut text = String::new();
    for row in rows {
        let field = |name: &str| printable(row[name].as_str().unwrap_or_default());
        let at = row["at"].as_u64().map(rfc3339).unwrap_or_default();
        let disagree = facts(&row["disagree"]);
        let state = if disagree.is_empty() {
            "一致 / agrees".to_owned()
        } else {
            format!("!! 不一致 / DISAGREES in {disagree}: nothing is shown")
        };
        let _ =
            writeln!(text, "{:<16} {}  {at}  {}  {state}", field("local"), field("registry"), field("by"));
    }
    text
}

fn waiting(rows: &[Value]) -> String {
    if rows.is_empty() {
        return "保留はありません / nothing in quarantine\n".to_owned();
    }
    let mut text = String::new();
    for row in rows {
        let id = row["id"].as_str().filter(|id| !id.is_empty()).unwrap_or("(連携済み / linked)");
        let _ = writeln!(text, "{}  {}", printable(id), reason(row["reason"].as_str().unwrap_or_default()));
        for candidate in row["candidates"].as_array().into_iter().flatten() {
            let local = printable(candidate["local"].as_str().unwrap_or_default());
            let disagree = facts(&candidate["disagree"]);
            let words = if disagree.is_empty() {
                "全て一致 / agrees in everything".to_owned()
            } else {
                format!("不一致 / disagrees in {disagree}")
            };
            let _ = writeln!(text, "    {local:<16} {words}");
        }
    }
    text
}

fn facts(value: &Value) -> String {
    let names: Vec<String> =
        value.as_array().into_iter().flatten().filter_map(Value::as_str).map(printable).collect();
    names.join(", ")
}

fn reason(name: &str) -> &'static str {
    match name {
        "several" => "複数が該当 / means several",
        "partly" => "一部だけ一致 / agrees only in part",
        "claimed" => "別の住民と連携済み / the person is linked to another resident",
        "refused" => "窓口で不一致 / did not agree at the counter",
        "changed" => "連携後に不一致 / no longer agrees",
        _ => "?",
    }
}
