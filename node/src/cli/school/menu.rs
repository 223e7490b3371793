//! `hibiki-node school menu`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::super::CliError;
use super::super::connect::Connection;
use super::super::output::{print, printable};
use super::{each, joined, lines, text};
use crate::school::menus::commands;

/// What is done with menus.
#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// 献立を取り込む / bring menus, as drafts.
    #[command(
        after_help = "CSV (one row per day, or one per ingredient), NDJSON or iCalendar; UTF-8 or CP932. See docs/school.md.\n\
        Nothing counts until it is accepted.\n\n\
        Example:\n  hibiki-node school menu import 12gatsu.csv --kitchen 第1地区 --staff tanaka"
    )]
    Import {
        /// The file; `-` for standard input.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Kitchen of lines that name none; left out: the school's.
        #[arg(long)]
        kitchen: Option<String>,
        /// No milk to drink, where the file says nothing.
        #[arg(long)]
        no_milk: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// 献立の一覧 / list menus: drafts, what is unknown, what needs a look at the label.
    #[command(after_help = "Example:\n  hibiki-node school menu list --from 2026-12-01 --to 2026-12-25")]
    List {
        /// Only this kitchen.
        #[arg(long)]
        kitchen: Option<String>,
        /// From this day; left out: today.
        #[arg(long, value_name = "DAY")]
        from: Option<String>,
        /// To this day; left out: 45 days later.
        #[arg(long, value_name = "DAY")]
        to: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
    /// 一日の献立と、分かっていること / one menu, with everything known of its allergens and why.
    #[command(after_help = "Example:\n  hibiki-node school menu show 2026-12-01 --kitchen 第1地区")]
    Show {
        /// The day.
        #[arg(value_name = "DAY")]
        date: String,
        /// The kitchen; left out: the school's.
        #[arg(long)]
        kitchen: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
    /// 献立を確定する / accept menus: from now on they count.
    #[command(
        after_help = "A menu with unknown ingredients is not accepted: give the word its meaning, or accept with --with-unknown;\n\
        then guardians are told that the day could not be cleared.\n\n\
        Example:\n  hibiki-node school menu accept --from 2026-12-01 --to 2026-12-25 --staff tanaka"
    )]
    Accept {
        /// First day.
        #[arg(long, value_name = "DAY")]
        from: String,
        /// Last day, if it is another.
        #[arg(long, value_name = "DAY")]
        to: Option<String>,
        /// Only this kitchen.
        #[arg(long)]
        kitchen: Option<String>,
        /// Also what holds unknown things.
        #[arg(long)]
        with_unknown: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// 食材のことば / what the labels of the kitchens' products say.
    #[command(subcommand)]
    Word(Word),
}

/// What is done with words.
#[derive(Debug, Subcommand)]
pub(super) enum Word {
    /// ことばを登録する / write down what an ingredient contains.
    #[command(after_help = "Without --contains and --may-contain: nothing of the standard list is in it.\n\
        Two kitchens may buy two products of one name: --kitchen makes it the word of one of them.\n\n\
        Examples:\n  hibiki-node school menu word set \"竹輪\" --contains egg --staff tanaka\n  \
        hibiki-node school menu word set \"米粉パン（A社）\" --staff tanaka\n  \
        hibiki-node school menu word set 竹輪 --kitchen 第2地区 --staff tanaka")]
    Set(SetWord),
    /// ことばの一覧 / list the words.
    #[command(after_help = "Example:\n  hibiki-node school menu word list")]
    List {
        #[command(flatten)]
        connection: Connection,
    },
    /// ことばを消す / strike a word out.
    #[command(after_help = "Example:\n  hibiki-node school menu word remove 竹輪 --staff tanaka")]
    Remove {
        /// The word.
        word: String,
        /// The kitchen whose word it is; left out: every kitchen's.
        #[arg(long)]
        kitchen: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
}

/// Arguments of `school menu word set`.
#[derive(Debug, Args)]
pub(super) struct SetWord {
    /// The ingredient as on the sheet.
    word: String,
    /// The kitchen whose word it is; left out: every kitchen's.
    #[arg(long)]
    kitchen: Option<String>,
    /// An allergen its label says it contains (short name, such as egg); repeat it for several.
    #[arg(long, value_name = "ALLERGEN")]
    contains: Vec<String>,
    /// An allergen it may contain.
    #[arg(long, value_name = "ALLERGEN")]
    may_contain: Vec<String>,
    /// It is a seasoning: removed only where a doctor asked for stricter removal.
    #[arg(long)]
    seasoning: bool,
    #[command(flatten)]
    connection: Connection,
}

pub(super) fn run(action: &Action) -> Result<(), CliError> {
    match action {
        Action::Import { file, kitchen, no_milk, connection } => {
            let arguments = json!({ "kitchen": kitchen, "milk": !no_milk });
            let reply = connection.upload(commands::IMPORT, arguments, file)?;
            Ok(print(connection.format, &reply.result, |value| {
                let mut said =
                    lines(each(value, "menus").map(line).collect(), "献立がありません / no menu in the file");
                let faults = each(value, "faults").count();
                if faults > 0 {
                    said.push_str(&format!("読めなかった行 {faults} / lines refused: {faults}\n"));
                }
                if each(value, "menus").any(|it| it["draft"] == json!(true)) {
                    said.push_str(
                        "下書きを確かめてから accept してください / look at the drafts, then accept\n",
                    );
                }
                said
            })?)
        }
        Action::List { kitchen, from, to, connection } => {
            let reply =
                connection.call(commands::LIST, json!({ "kitchen": kitchen, "from": from, "to": to }))?;
            Ok(print(connection.format, &reply.result, |value| {
                lines(each(value, "menus").map(line).collect(), "献立がありません / no menu")
            })?)
        }
        Action::Show { date, kitchen, connection } => {
            let reply = connection.call(commands::SHOW, json!({ "date": date, "kitchen": kitchen }))?;
            Ok(print(connection.format, &reply.result, shown)?)
        }
        Action::Accept { from, to, kitchen, with_unknown, connection } => {
            let arguments =
                json!({ "from": from, "to": to, "kitchen": kitchen, "with_unknown": with_unknown });
            let reply = connection.call(commands::ACCEPT, arguments)?;
            print(connection.format, &reply.result, accepted)?;
            if each(&reply.result, "refused").next().is_some() { Err(CliError::Said) } else { Ok(()) }
        }
        Action::Word(word) => words(word),
    }
}

fn words(word: &Word) -> Result<(), CliError> {
    match word {
        Word::Set(SetWord { word, kitchen, contains, may_contain, seasoning, connection }) => {
            let arguments = json!({ "word": word, "kitchen": kitchen, "contains": contains,
                "may_contain": may_contain, "seasoning": seasoning });
            let reply = connection.call(commands::WORD, arguments)?;
            Ok(print(connection.format, &reply.result, |value| {
                format!("登録しました / entered\n{}", again(value))
            })?)
        }
        Word::List { connection } => {
            let reply = connection.call(commands::WORDS, json!({}))?;
            Ok(print(connection.format, &reply.result, |value| {
                let line = |it: &Value| {
                    let word = &it["word"];
                    format!(
                        "{}（{}）  含む contains: {}  含むことがある may contain: {}{}",
                        text(&word["word"]),
                        it["kitchen"].as_str().map_or_else(|| "全地区 / all".to_owned(), printable),
                        joined(&word["contains"]),
                        joined(&word["may_contain"]),
                        if word["seasoning"] == json!(true) { "  調味料 seasoning" } else { "" }
                    )
                };
                lines(each(value, "words").map(line).collect(), "ことばはありません / no words")
            })?)
        }
        Word::Remove { word, kitchen, connection } => {
            let reply =
                connection.call(commands::WORD_REMOVE, json!({ "word": word, "kitchen": kitchen }))?;
            Ok(print(connection.format, &reply.result, |value| {
                format!("消しました / removed\n{}", again(value))
            })?)
        }
    }
}

/// Accepted menus that the words of now read differently.
fn again(value: &Value) -> String {
    let days: Vec<String> = each(value, "accept_again")
        .map(|it| format!("  {}  {}\n", text(&it["date"]), text(&it["kitchen"])))
        .collect();
    if days.is_empty() {
        return String::new();
    }
    let heading =
        "次の確定した献立は、もう一度 accept すると変わります / accept these again to make it count:\n";
    format!("{heading}{}", days.concat())
}

fn line(it: &Value) -> String {
    let state = match (it["draft"] == json!(true), &it["revision"]) {
        (true, Value::Number(number)) if number.as_u64() != Some(0) => {
            "変更あり・未確定 / changed draft".to_owned()
        }
        (true, _) => "下書き / draft".to_owned(),
        (false, revision) if it["outdated"] == json!(true) => {
            format!("確定（第{}版）・ことばが変わりました / accept again", text(revision))
        }
        (false, revision) => format!("確定（第{}版）/ accepted", text(revision)),
    };
    let mut said =
        format!("{}  {}  {}  {state}", text(&it["date"]), text(&it["kitchen"]), joined(&it["dishes"]));
    for (name, words) in
        [("unknown", "分からない / unknown"), ("check_label", "表示を確認 / check the label")]
    {
        let found = joined(&it[name]);
        if !found.is_empty() {
            said.push_str(&format!("\n      {words}: {found}"));
        }
    }
    said
}

fn shown(value: &Value) -> String {
    let mut said = line(value) + "\n";
    for it in each(value, "findings") {
        let mark = match (it["certainty"] == json!("evident"), it["seasoning"] == json!(true)) {
            (true, false) => "●",
            (true, true) => "○",
            (false, _) => "？",
        };
        said.push_str(&format!(
            "  {mark} {}  {}\n      {}\n",
            text(&it["name"]),
            text(&it["in"]),
            text(&it["why_ja"])
        ));
    }
    said.push_str("  ● 入っている / in it　○ 調味料（より厳しい除去のときだけ）/ seasoning　？ 表示を確認 / check the label\n");
    said
}

fn accepted(value: &Value) -> String {
    let mut said = String::new();
    for it in each(value, "accepted") {
        said.push_str(&format!(
            "{}  {}  確定（第{}版）/ accepted\n",
            text(&it["date"]),
            text(&it["kitchen"]),
            text(&it["revision"])
        ));
    }
    for it in each(value, "refused") {
        said.push_str(&format!(
            "{}  {}  確定できません。分からないもの / not accepted, unknown: {}\n",
            text(&it["date"]),
            text(&it["kitchen"]),
            joined(&it["unknown"])
        ));
    }
    if said.is_empty() {
        said.push_str("変わりはありません / nothing to accept\n");
    }
    said
}
