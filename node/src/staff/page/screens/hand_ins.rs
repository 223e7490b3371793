//! Things to hand in.

use serde_json::Value;

use super::{
    Ask, Form, Kind, Row, Screen, Table, about, done, encoded, field, may, nothing, plain, rows, text,
};
use crate::school::hand_ins;

pub(super) const SCREEN: Screen = Screen {
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
};
