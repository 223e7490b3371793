//! Days with and without lunch.

use serde_json::Value;

use super::{Ask, Form, Kind, Screen, Table, done, field, may, nothing, plain, rows, text};
use crate::school::days;

pub(super) const SCREEN: Screen = Screen {
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
};
