//! Menus: drafts, what is known of them, the kitchens' words, acceptance.

use serde_json::{Value, json};

use super::{
    Ask, Form, Kind, Row, Screen, Table, about, encoded, field, joined, may, nothing, plain, rows, text,
};
use crate::school::menus;

pub(super) const SCREEN: Screen = Screen {
    slug: "menus",
    title: "献立",
    keeps: &["kitchen", "date"],
    asks: &[
        Ask {
            command: menus::commands::SHOW,
            arguments: |query| about(query, &["kitchen", "date"]),
            table: |value| {
                let finding = |it: &Value| {
                    let mark = match (it["certainty"] == json!("evident"), it["seasoning"] == json!(true)) {
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
                    columns: &["日付", "給食地区", "献立", "状態", "分からない食材", "表示を確認する食材"],
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
};

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
