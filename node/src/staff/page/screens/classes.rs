//! Classes and their pupils.

use serde_json::Value;

use super::{
    Ask, Form, Kind, Row, Screen, Table, about, done, encoded, field, may, nothing, plain, rows, text,
};
use crate::school::roster;

pub(super) const SCREEN: Screen = Screen {
    slug: "classes",
    title: "名簿",
    keeps: &["class"],
    asks: &[
        Ask {
            command: roster::commands::PUPILS,
            arguments: |query| about(query, &["class"]),
            table: |value| {
                let row = |it: &Value| plain(vec![text(&it["local"]), text(&it["name"]), text(&it["kana"])]);
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
};
