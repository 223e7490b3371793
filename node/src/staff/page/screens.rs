//! The pages: which commands each asks for its tables, and which it gives by its forms.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::mail::commands as mail;
use crate::school::{alert, days, events, gates, hand_ins, menus, notices, registrations, roster};
use crate::staff::{Role, permits::permits};

/// A page.
pub(super) struct Screen {
    pub(super) slug: &'static str,
    pub(super) title: &'static str,
    pub(super) asks: &'static [Ask],
    pub(super) forms: &'static [Form],
    /// Fields that say what the page is about.
    pub(super) keeps: &'static [&'static str],
}

impl Screen {
    /// Whether there is anything on it for these roles.
    pub(super) fn is_for(&self, roles: &[Role]) -> bool {
        let asks = self.asks.iter().map(|ask| ask.command);
        asks.chain(self.forms.iter().map(|form| form.command)).any(|command| permits(roles, command))
    }
}

/// A command whose answer becomes tables.
pub(super) struct Ask {
    pub(super) command: &'static str,
    /// Its arguments, from the address; `None`: not asked.
    pub(super) arguments: fn(&BTreeMap<String, String>) -> Option<Value>,
    pub(super) table: fn(&Value) -> Vec<Table>,
}

/// A form.
pub(super) struct Form {
    pub(super) name: &'static str,
    pub(super) command: &'static str,
    pub(super) title: &'static str,
    pub(super) fields: &'static [Field],
    pub(super) button: &'static str,
    /// What is said when it is done.
    pub(super) said: fn(&Value) -> String,
}

/// A field.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
}

/// What is put into a field.
pub(super) enum Kind {
    Line,
    Text,
    Day,
    Tick,
    /// Several words.
    Words,
    /// Allergens by their short names, `:strict` after one.
    Allergens,
    Choice(&'static [(&'static str, &'static str)]),
    File,
    /// The name of the file, as an argument.
    FileName,
}

/// A table.
pub(super) struct Table {
    pub(super) title: &'static str,
    pub(super) columns: &'static [&'static str],
    pub(super) rows: Vec<Row>,
}

/// A line of a table.
pub(super) struct Row {
    /// Where its first cell leads.
    pub(super) link: Option<String>,
    pub(super) cells: Vec<String>,
}

const fn field(name: &'static str, label: &'static str, kind: Kind) -> Field {
    Field { name, label, kind, required: true }
}

const fn may(name: &'static str, label: &'static str, kind: Kind) -> Field {
    Field { name, label, kind, required: false }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "○".to_owned(),
        Value::Bool(false) => String::new(),
        other => other.to_string(),
    }
}

fn joined(value: &Value, between: &str) -> String {
    value.as_array().map(|list| list.iter().map(text).collect::<Vec<_>>().join(between)).unwrap_or_default()
}

fn rows(value: &Value, list: &str, row: fn(&Value) -> Row) -> Vec<Row> {
    value[list].as_array().into_iter().flatten().map(row).collect()
}

fn plain(cells: Vec<String>) -> Row {
    Row { link: None, cells }
}

fn nothing(_: &BTreeMap<String, String>) -> Option<Value> {
    Some(json!({}))
}

fn about(query: &BTreeMap<String, String>, names: &[&str]) -> Option<Value> {
    let found = names.iter().map(|name| Some(((*name).to_owned(), json!(query.get(*name)?))));
    found.collect::<Option<serde_json::Map<String, Value>>>().map(Value::Object)
}

/// Bytes of a query's value as an address has them.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

fn done(_: &Value) -> String {
    "しました / Done.".to_owned()
}

/// What was done with a word, and the accepted menus it changes once they are accepted again.
fn again(done: &str, value: &Value) -> String {
    let days: Vec<String> = value["accept_again"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| format!("{} {}", text(&it["date"]), text(&it["kitchen"])))
        .collect();
    match days.is_empty() {
        true => done.to_owned(),
        false => format!("{done} もう一度確定すると変わる献立: {}", days.join(" ／ ")),
    }
}

pub(super) const SCREENS: &[Screen] = &[
    Screen {
        slug: "menus",
        title: "献立",
        keeps: &["kitchen", "date"],
        asks: &[
            Ask {
                command: menus::commands::SHOW,
                arguments: |query| about(query, &["kitchen", "date"]),
                table: |value| {
                    let finding = |it: &Value| {
                        let mark = match (it["certainty"] == json!("evident"), it["seasoning"] == json!(true))
                        {
                            (true, false) => "● 入っている",
                            (true, true) => "○ 調味料",
                            (false, _) => "？ 表示を確認",
                        };
                        plain(vec![text(&it["name"]), text(&it["in"]), mark.to_owned(), text(&it["why_ja"])])
                    };
                    vec![
                        Table {
                            title: "この日の献立",
                            columns: &["日付", "給食地区", "献立", "分からないもの"],
                            rows: vec![plain(vec![
                                text(&value["date"]),
                                text(&value["kitchen"]),
                                joined(&value["dishes"], "、"),
                                joined(&value["unknown"], "、"),
                            ])],
                        },
                        Table {
                            title: "分かっていること",
                            columns: &["アレルゲン", "何に", "どのくらい確かか", "なぜ"],
                            rows: rows(value, "findings", finding),
                        },
                    ]
                },
            },
            Ask {
                command: menus::commands::LIST,
                arguments: nothing,
                table: |value| {
                    let row = |it: &Value| {
                        let state = match (it["draft"] == json!(true), it["outdated"] == json!(true)) {
                            (true, _) => "下書き（未確定）".to_owned(),
                            (false, true) => {
                                format!("第{}版・もう一度確定してください", text(&it["revision"]))
                            }
                            (false, false) => format!("確定 第{}版", text(&it["revision"])),
                        };
                        let link = format!(
                            "/menus?kitchen={}&date={}",
                            encoded(&text(&it["kitchen"])),
                            text(&it["date"])
                        );
                        let cells = vec![
                            text(&it["date"]),
                            text(&it["kitchen"]),
                            joined(&it["dishes"], "、"),
                            state,
                            joined(&it["unknown"], "、"),
                            joined(&it["check_label"], "、"),
                        ];
                        Row { link: Some(link), cells }
                    };
                    vec![Table {
                        title: "これからの献立",
                        columns: &[
                            "日付",
                            "給食地区",
                            "献立",
                            "状態",
                            "分からない食材",
                            "表示を確認する食材",
                        ],
                        rows: rows(value, "menus", row),
                    }]
                },
            },
            Ask {
                command: menus::commands::WORDS,
                arguments: nothing,
                table: |value| {
                    let row = |it: &Value| {
                        let word = &it["word"];
                        plain(vec![
                            text(&word["word"]),
                            it["kitchen"].as_str().unwrap_or("全地区").to_owned(),
                            joined(&word["contains"], " "),
                            joined(&word["may_contain"], " "),
                            text(&word["seasoning"]),
                            text(&it["by"]),
                        ])
                    };
                    vec![Table {
                        title: "食材のことば",
                        columns: &["ことば", "給食地区", "含む", "含むことがある", "調味料", "登録した人"],
                        rows: rows(value, "words", row),
                    }]
                },
            },
        ],
        forms: &[
            Form {
                name: "import",
                command: menus::commands::IMPORT,
                title: "献立を取り込む（下書き）",
                fields: &[
                    field("file", "ファイル（CSV・iCalendar）", Kind::File),
                    may("kitchen", "給食地区（ファイルにないとき）", Kind::Line),
                ],
                button: "取り込む",
                said: |value| {
                    format!(
                        "{} 日分を取り込みました。確かめてから確定してください。",
                        value["menus"].as_array().map_or(0, Vec::len)
                    )
                },
            },
            Form {
                name: "accept",
                command: menus::commands::ACCEPT,
                title: "献立を確定する",
                fields: &[
                    field("from", "最初の日", Kind::Day),
                    may("to", "最後の日", Kind::Day),
                    may("kitchen", "給食地区（空なら全部）", Kind::Line),
                    may(
                        "with_unknown",
                        "分からない食材があっても確定する（その日は「確認できない」と知らされます）",
                        Kind::Tick,
                    ),
                ],
                button: "確定する",
                said: |value| {
                    let count = |name: &str| value[name].as_array().map_or(0, Vec::len);
                    let refused: Vec<String> = value["refused"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .map(|it| format!("{} {}", text(&it["date"]), joined(&it["unknown"], "、")))
                        .collect();
                    let mut said = format!("{} 日分を確定しました。", count("accepted"));
                    if !refused.is_empty() {
                        said.push_str(&format!(
                            " 確定できなかった日（分からない食材）: {}",
                            refused.join(" ／ ")
                        ));
                    }
                    said
                },
            },
            Form {
                name: "word",
                command: menus::commands::WORD,
                title: "食材のことばを登録する",
                fields: &[
                    field("word", "食材（献立表のとおり）", Kind::Line),
                    may("contains", "含むアレルゲン（egg milk wheat … 空なら「なし」）", Kind::Words),
                    may("may_contain", "含むことがあるアレルゲン", Kind::Words),
                    may("seasoning", "調味料（より厳しい除去のときだけ知らせる）", Kind::Tick),
                    may("kitchen", "この給食地区だけのことば（空なら全地区）", Kind::Line),
                ],
                button: "登録する",
                said: |value| again("登録しました。", value),
            },
            Form {
                name: "word-remove",
                command: menus::commands::WORD_REMOVE,
                title: "食材のことばを消す",
                fields: &[
                    field("word", "ことば", Kind::Line),
                    may("kitchen", "給食地区（全地区のことばなら空）", Kind::Line),
                ],
                button: "消す",
                said: |value| again("消しました。", value),
            },
        ],
    },
    Screen {
        slug: "alerts",
        title: "アレルギーのお知らせ",
        keeps: &["date"],
        asks: &[
            Ask {
                command: alert::commands::PLAN,
                arguments: |query| Some(json!({ "date": query.get("date").filter(|date| !date.is_empty()) })),
                table: |value| {
                    let row = |it: &Value| {
                        let said = match it["said"].as_str() {
                            Some("contains") => "入っている",
                            Some("cannot_be_cleared") => "確認できない",
                            Some("no_menu") => "献立がない",
                            _ => "入っていない",
                        };
                        let why = [joined(&it["contains"], "\n"), joined(&it["doubts"], "\n")].join("\n");
                        let told = format!("{} / {}", text(&it["told"]), text(&it["addresses"]));
                        plain(vec![
                            text(&it["class"]),
                            text(&it["pupil"]),
                            said.to_owned(),
                            why.trim().to_owned(),
                            told,
                        ])
                    };
                    vec![Table {
                        title: "次の給食で知らせること",
                        columns: &["学級", "番号", "判定", "わけ", "知らせた / 知らせる先"],
                        rows: rows(value, "children", row),
                    }]
                },
            },
            Ask {
                command: registrations::commands::LIST,
                arguments: nothing,
                table: |value| {
                    let row = |it: &Value| {
                        let list = it["allergens"].as_array().into_iter().flatten().map(|one| {
                            let strict =
                                if one["strict"] == json!(true) { "（より厳しい除去）" } else { "" };
                            format!("{}{strict}", text(&one["name"]))
                        });
                        let list = list.collect::<Vec<_>>().join("、");
                        plain(vec![
                            text(&it["class"]),
                            text(&it["pupil"]),
                            text(&it["name"]),
                            list,
                            text(&it["addresses"]),
                        ])
                    };
                    vec![Table {
                        title: "登録されているアレルゲン（保護者と学校）",
                        columns: &["学級", "番号", "名前", "アレルゲン", "メール"],
                        rows: rows(value, "registrations", row),
                    }]
                },
            },
        ],
        forms: &[
            Form {
                name: "set",
                command: registrations::commands::SET,
                title: "学校としての登録（学校生活管理指導表）",
                fields: &[
                    field("pupil", "児童の番号", Kind::Line),
                    may("allergens", "アレルゲン（egg milk:strict … 空なら登録なし）", Kind::Allergens),
                ],
                button: "登録する",
                said: done,
            },
            Form {
                name: "run",
                command: alert::commands::RUN,
                title: "いま知らせる",
                fields: &[],
                button: "いま知らせる",
                said: |value| format!("新しいメール {} 通。", text(&value["letters"])),
            },
        ],
    },
    Screen {
        slug: "mails",
        title: "メール",
        keeps: &[],
        asks: &[Ask {
            command: mail::LIST,
            arguments: nothing,
            table: |value| {
                let row = |it: &Value| {
                    let status = &it["status"];
                    let state = match status["state"].as_str() {
                        Some("sent") => "送信ずみ".to_owned(),
                        Some("failed") => format!("失敗（{}）：電話してください", text(&status["fault"])),
                        _ if status["attempts"].as_u64() == Some(0) => "送信待ち".to_owned(),
                        _ => format!("再送待ち（{}）", text(&status["fault"])),
                    };
                    plain(vec![
                        text(&it["title"]),
                        text(&it["to"]),
                        text(&it["lunch"]),
                        state,
                        text(&it["id"]),
                    ])
                };
                vec![Table {
                    title: "最近のメール",
                    columns: &["件名", "宛先", "給食の日", "状態", "番号"],
                    rows: rows(value, "mails", row),
                }]
            },
        }],
        forms: &[
            Form {
                name: "retry",
                command: mail::RETRY,
                title: "もう一度送る",
                fields: &[field("id", "番号（all なら全部）", Kind::Line)],
                button: "もう一度送る",
                said: |value| format!("{} 通をもう一度送ります。", text(&value["again"])),
            },
            Form {
                name: "test",
                command: mail::TEST,
                title: "試しに一通送る",
                fields: &[field("to", "メールアドレス", Kind::Line)],
                button: "送る",
                said: |value| format!("リレーの返事: {}", text(&value["relay"])),
            },
        ],
    },
    Screen {
        slug: "notices",
        title: "お知らせ",
        keeps: &[],
        asks: &[Ask {
            command: notices::commands::LIST,
            arguments: nothing,
            table: |value| {
                let row = |it: &Value| {
                    let to = if it["audience"]["to_kind"] == json!("all") {
                        "全校".to_owned()
                    } else {
                        text(&it["audience"]["to"])
                    };
                    plain(vec![
                        text(&it["title"]),
                        to,
                        joined(&it["files"], "、"),
                        text(&it["by"]),
                        text(&it["withdrawn"]),
                        text(&it["id"]),
                    ])
                };
                vec![Table {
                    title: "出したお知らせ",
                    columns: &["題", "宛先", "添付", "出した人", "取り消し", "番号"],
                    rows: rows(value, "notices", row),
                }]
            },
        }],
        forms: &[
            Form {
                name: "send",
                command: notices::commands::SEND,
                title: "お知らせを出す",
                fields: &[
                    field(
                        "to_kind",
                        "だれに",
                        Kind::Choice(&[("class", "学級"), ("all", "全校"), ("pupil", "児童ひとり")]),
                    ),
                    may("to", "学級の名前、または児童の番号", Kind::Line),
                    field("title", "題", Kind::Line),
                    may("text", "本文", Kind::Text),
                    may("urgent", "至急", Kind::Tick),
                ],
                button: "出す",
                said: |value| format!("出しました。番号 {}", text(&value["id"])),
            },
            Form {
                name: "attach",
                command: notices::commands::ATTACH,
                title: "ファイルを添付する（PDF・画像・文書、300 KiB まで）",
                fields: &[
                    field("id", "お知らせの番号", Kind::Line),
                    field("file", "ファイル", Kind::File),
                    may("name", "", Kind::FileName),
                ],
                button: "添付する",
                said: done,
            },
            Form {
                name: "withdraw",
                command: notices::commands::WITHDRAW,
                title: "お知らせを取り消す",
                fields: &[field("id", "お知らせの番号", Kind::Line)],
                button: "取り消す",
                said: done,
            },
        ],
    },
    Screen {
        slug: "hand-ins",
        title: "提出物",
        keeps: &["id"],
        asks: &[
            Ask {
                command: hand_ins::commands::SHOW,
                arguments: |query| about(query, &["id"]),
                table: |value| {
                    let row = |it: &Value| {
                        let state = match it["state"].as_str() {
                            Some("done") => "○ 提出済み",
                            Some("dropped") => "不要",
                            _ => "まだ",
                        };
                        plain(vec![text(&it["local"]), text(&it["name"]), state.to_owned()])
                    };
                    vec![Table {
                        title: "出した人、まだの人",
                        columns: &["番号", "名前", "状態"],
                        rows: rows(value, "pupils", row),
                    }]
                },
            },
            Ask {
                command: hand_ins::commands::LIST,
                arguments: nothing,
                table: |value| {
                    let row = |it: &Value| {
                        let count = format!("{} / {}", text(&it["done"]), text(&it["wanted"]));
                        let cells = vec![
                            text(&it["title"]),
                            text(&it["class"]),
                            text(&it["due"]),
                            count,
                            text(&it["id"]),
                        ];
                        Row { link: Some(format!("/hand-ins?id={}", encoded(&text(&it["id"])))), cells }
                    };
                    vec![Table {
                        title: "お願いした提出物",
                        columns: &["提出物", "学級", "期限", "提出済み / 全員", "番号"],
                        rows: rows(value, "hand_ins", row),
                    }]
                },
            },
        ],
        forms: &[
            Form {
                name: "mark",
                command: hand_ins::commands::MARK,
                title: "受け取った印をつける",
                fields: &[
                    field("id", "提出物の番号", Kind::Line),
                    field("pupils", "児童の番号（空白で区切る）", Kind::Words),
                    field(
                        "state",
                        "印",
                        Kind::Choice(&[("done", "提出済み"), ("open", "まだ"), ("dropped", "不要")]),
                    ),
                ],
                button: "印をつける",
                said: |value| format!("{} 人に印をつけました。", text(&value["marked"])),
            },
            Form {
                name: "add",
                command: hand_ins::commands::ADD,
                title: "提出物をお願いする",
                fields: &[
                    field("class", "学級", Kind::Line),
                    field("title", "提出物", Kind::Line),
                    may("note", "ひとこと", Kind::Text),
                    field("due", "期限", Kind::Day),
                ],
                button: "お願いする",
                said: done,
            },
        ],
    },
    Screen {
        slug: "events",
        title: "行事",
        keeps: &[],
        asks: &[Ask {
            command: events::commands::LIST,
            arguments: nothing,
            table: |value| {
                let row = |it: &Value| {
                    let class = text(&it["class"]);
                    let whom = if class.is_empty() { "全校".to_owned() } else { class };
                    plain(vec![
                        text(&it["title"]),
                        text(&it["from"]),
                        whom,
                        text(&it["removed"]),
                        text(&it["id"]),
                    ])
                };
                vec![Table {
                    title: "行事（iCalendar は /calendar.ics）",
                    columns: &["行事", "日", "だれの", "中止", "番号"],
                    rows: rows(value, "events", row),
                }]
            },
        }],
        forms: &[
            Form {
                name: "add",
                command: events::commands::ADD,
                title: "行事を登録する",
                fields: &[
                    field("title", "行事", Kind::Line),
                    field("from", "最初の日", Kind::Day),
                    may("to", "最後の日", Kind::Day),
                    may("time", "時刻（09:00）", Kind::Line),
                    may("place", "場所", Kind::Line),
                    may("bring", "持ち物", Kind::Line),
                    may("class", "学級（空なら全校）", Kind::Line),
                ],
                button: "登録する",
                said: done,
            },
            Form {
                name: "import",
                command: events::commands::IMPORT,
                title: "予定表（iCalendar）を取り込む",
                fields: &[
                    field("file", "ファイル（.ics）", Kind::File),
                    may("class", "学級（空なら全校）", Kind::Line),
                    may("name", "", Kind::FileName),
                ],
                button: "取り込む",
                said: |value| format!("{} 件を取り込みました。", text(&value["events"])),
            },
            Form {
                name: "remove",
                command: events::commands::REMOVE,
                title: "行事を中止にする",
                fields: &[field("id", "行事の番号", Kind::Line)],
                button: "中止にする",
                said: done,
            },
            Form {
                name: "timetable",
                command: events::commands::TIMETABLE,
                title: "時間割を取り込む",
                fields: &[
                    field("file", "ファイル（CSV: 時限,月,火,…）", Kind::File),
                    field("class", "学級", Kind::Line),
                ],
                button: "取り込む",
                said: done,
            },
            Form {
                name: "touch",
                command: gates::commands::TOUCH,
                title: "登下校を記録する",
                fields: &[
                    field("pupil", "児童の番号", Kind::Line),
                    field("direction", "登校・下校", Kind::Choice(&[("in", "登校"), ("out", "下校")])),
                ],
                button: "記録する",
                said: done,
            },
        ],
    },
    Screen {
        slug: "classes",
        title: "名簿",
        keeps: &["class"],
        asks: &[
            Ask {
                command: roster::commands::PUPILS,
                arguments: |query| about(query, &["class"]),
                table: |value| {
                    let row =
                        |it: &Value| plain(vec![text(&it["local"]), text(&it["name"]), text(&it["kana"])]);
                    vec![Table {
                        title: "学級の児童",
                        columns: &["番号", "名前", "フリガナ"],
                        rows: rows(value, "pupils", row),
                    }]
                },
            },
            Ask {
                command: roster::commands::CLASSES,
                arguments: nothing,
                table: |value| {
                    let row = |it: &Value| {
                        let cells = vec![text(&it["class"]), text(&it["pupils"]), text(&it["kitchen"])];
                        Row { link: Some(format!("/classes?class={}", encoded(&text(&it["class"])))), cells }
                    };
                    vec![Table {
                        title: "学級",
                        columns: &["学級", "人数", "給食地区"],
                        rows: rows(value, "classes", row),
                    }]
                },
            },
        ],
        forms: &[
            Form {
                name: "import",
                command: roster::commands::IMPORT,
                title: "名簿を取り込む",
                fields: &[field(
                    "file",
                    "ファイル（CSV: 学籍番号,氏名,フリガナ,生年月日,性別,学級）",
                    Kind::File,
                )],
                button: "取り込む",
                said: |value| {
                    let mut said = format!(
                        "新規 {}・変更 {}・同じ {}・離れた {}。",
                        text(&value["added"]),
                        text(&value["replaced"]),
                        text(&value["unchanged"]),
                        text(&value["left"])
                    );
                    if value["stayed"].as_u64().unwrap_or(0) > 0 {
                        said.push_str(&format!(
                            " 名簿にないが学級に残した児童 {}（読めなかった行の児童かもしれません。直してもう一度取り込んでください）。",
                            text(&value["stayed"])
                        ));
                    }
                    said
                },
            },
            Form {
                name: "kitchen",
                command: roster::commands::KITCHEN,
                title: "学級の給食地区を決める",
                fields: &[
                    field("class", "学級", Kind::Line),
                    may("kitchen", "給食地区（空なら学校の地区）", Kind::Line),
                ],
                button: "決める",
                said: done,
            },
        ],
    },
    Screen {
        slug: "days",
        title: "給食のある日",
        keeps: &[],
        asks: &[Ask {
            command: days::commands::LIST,
            arguments: nothing,
            table: |value| {
                let row = |it: &Value| {
                    let kind = match it["kind"].as_str() {
                        Some("closed") => "休み",
                        Some("no_lunch") => "給食なし",
                        _ => "給食あり",
                    };
                    let whom = format!("{}{}", text(&it["class"]), text(&it["kitchen"]));
                    let whom = if whom.is_empty() { "全校".to_owned() } else { whom };
                    plain(vec![
                        text(&it["from"]),
                        text(&it["to"]),
                        kind.to_owned(),
                        whom,
                        text(&it["reason"]),
                        text(&it["id"]),
                    ])
                };
                vec![Table {
                    title: "土日・祝日のほかに登録した日",
                    columns: &["から", "まで", "種類", "だれの", "わけ", "番号"],
                    rows: rows(value, "days", row),
                }]
            },
        }],
        forms: &[
            Form {
                name: "add",
                command: days::commands::ADD,
                title: "日を登録する",
                fields: &[
                    field("from", "最初の日", Kind::Day),
                    may("to", "最後の日", Kind::Day),
                    field(
                        "kind",
                        "種類",
                        Kind::Choice(&[("closed", "休み"), ("no_lunch", "給食なし"), ("lunch", "給食あり")]),
                    ),
                    may("class", "学級（空なら全校）", Kind::Line),
                    field("reason", "わけ", Kind::Line),
                ],
                button: "登録する",
                said: done,
            },
            Form {
                name: "remove",
                command: days::commands::REMOVE,
                title: "登録を取り消す",
                fields: &[field("id", "番号", Kind::Line)],
                button: "取り消す",
                said: done,
            },
        ],
    },
];
