//! `hibiki-node resident`: who lives in the registry's area, and link tokens for one institution.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::CliError;
use super::connect::{Connection, Reply};
use super::output::{print, printable};

/// Arguments of `resident`.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// 住民をCSVから登録 / enter residents from a CSV file (UTF-8 or CP932, 和暦 accepted).
    #[command(after_help = "The first line names the columns: resident_number,name,kana,birth_date,sex\n\
        (or 住民番号,氏名,氏名カナ,生年月日,性別), in any order.\n\n\
        Example:\n  hibiki-node resident import residents.csv --staff sato")]
    Import {
        /// The file; `-` for standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        connection: Connection,
    },
    /// 住民を一人登録・訂正 / enter or correct one resident.
    #[command(after_help = "Example:\n  hibiki-node resident add --number 1001 --name '前橋 花子' \
        --kana 'マエバシ ハナコ' --birth-date 平成30年4月2日 --sex 女 --staff sato")]
    Add {
        /// The city's own number.
        #[arg(long)]
        number: String,
        /// Name as registered.
        #[arg(long)]
        name: String,
        /// Name in kana.
        #[arg(long)]
        kana: String,
        /// Birth date.
        #[arg(long)]
        birth_date: String,
        /// Sex: 男, 女, male, female, other, unknown.
        #[arg(long)]
        sex: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// 住民を表示（記録されます） / show one resident; looking is entered in the ledger.
    #[command(after_help = "Example:\n  hibiki-node resident show 1001 --staff sato")]
    Show {
        /// The city's own number.
        #[arg(value_name = "NUMBER")]
        number: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// 一機関向けの連携トークンを書き出す / export link tokens for one institution alone.
    #[command(
        after_help = "The file holds one token a line (JSON), sealed to that institution; it is of no use \
        to anybody else.\n\nExamples:\n  hibiki-node resident tokens --member maebashi/chuo-hospital --all \
        --out hospital.tokens --staff sato\n  hibiki-node resident tokens --member maebashi/daiichi-school \
        --resident 1001 --resident 1002 --out class.tokens --staff sato"
    )]
    Tokens(TokenArguments),
}

/// Arguments of `resident tokens` and of `link export`.
#[derive(Debug, Args)]
pub struct TokenArguments {
    /// The institution.
    #[arg(long, alias = "for", value_name = "MEMBER")]
    member: String,
    /// Only this resident; may be given several times.
    #[arg(long = "resident", value_name = "NUMBER", conflicts_with = "all")]
    residents: Vec<String>,
    /// Every resident (also if nobody is named).
    #[arg(long)]
    all: bool,
    /// Days the tokens are accepted: 1 to 90 [default: 14].
    #[arg(long)]
    days: Option<u64>,
    /// Where to write them.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    connection: Connection,
}

/// Asks and prints.
///
/// # Errors
/// The node cannot be asked, or refuses.
pub fn run(arguments: &Arguments) -> Result<(), CliError> {
    match &arguments.action {
        Action::Import { file, connection } => {
            let reply = connection.upload("resident", json!({ "action": "import" }), file)?;
            Ok(print(connection.format, &reply.result, |result| {
                format!(
                    "登録 {} 件、訂正 {} 件、変更なし {} 件、取込不可 {} 件\n\
                     {} new, {} corrected, {} unchanged, {} refused\n",
                    result["new"],
                    result["changed"],
                    result["unchanged"],
                    result["refused"],
                    result["new"],
                    result["changed"],
                    result["unchanged"],
                    result["refused"],
                )
            })?)
        }
        Action::Add { number, name, kana, birth_date, sex, connection } => {
            let arguments = json!({ "action": "add", "number": number, "name": name, "kana": kana,
                "birth_date": birth_date, "sex": sex });
            let reply = connection.call("resident", arguments)?;
            Ok(print(connection.format, &reply.result, |result| match result["entered"].as_str() {
                Some("new") => "登録しました / entered\n".to_owned(),
                Some("changed") => "訂正しました / corrected\n".to_owned(),
                _ => "変更はありません / unchanged\n".to_owned(),
            })?)
        }
        Action::Show { number, connection } => {
            let reply = connection.call("resident", json!({ "action": "show", "number": number }))?;
            Ok(print(connection.format, &reply.result, describe)?)
        }
        Action::Tokens(arguments) => tokens(arguments),
    }
}

/// Writes link tokens to a file only its owner can read.
///
/// # Errors
/// The node refuses, or the file cannot be written.
pub fn tokens(arguments: &TokenArguments) -> Result<(), CliError> {
    let residents = (!arguments.residents.is_empty()).then_some(&arguments.residents);
    let asked = json!({ "action": "tokens", "member": arguments.member, "residents": residents,
        "days": arguments.days });
    let Reply { result, rows } = arguments.connection.call("resident", asked)?;
    write(&arguments.out, &rows).map_err(|source| CliError::File { path: arguments.out.clone(), source })?;
    Ok(print(arguments.connection.format, &result, |result| {
        format!(
            "連携トークン {} 件を {} に書き出しました（{} 宛て）\n{} link tokens for {} are in {}\n",
            result["tokens"],
            arguments.out.display(),
            arguments.member,
            result["tokens"],
            arguments.member,
            arguments.out.display(),
        )
    })?)
}

fn write(path: &Path, rows: &[Value]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    for row in rows {
        writeln!(file, "{row}")?;
    }
    file.sync_all()
}

fn describe(resident: &Value) -> String {
    let text = |field: &str| printable(resident[field].as_str().unwrap_or_default());
    let card = if resident["card"] == json!(true) { "登録あり / enrolled" } else { "なし / none" };
    format!(
        "住民番号 number   {}\n氏名 name         {}\nカナ kana         {}\n生年月日 born     {}\n性別 sex          {}\nカード card       {card}\n",
        text("number"),
        text("name"),
        text("kana"),
        text("birth_date"),
        text("sex"),
    )
}
