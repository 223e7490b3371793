//! Notices.

use serde_json::{Value, json};

use super::{Ask, Form, Kind, Screen, Table, done, field, joined, may, nothing, plain, rows, text};
use crate::school::notices;

pub(super) const SCREEN: Screen = Screen {
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
};
