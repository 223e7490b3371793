//! Mails on their way.

use serde_json::Value;

use super::{Ask, Form, Kind, Screen, Table, field, nothing, plain, rows, text};
use crate::mail::commands as mail;

pub(super) const SCREEN: Screen = Screen {
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
                plain(vec![text(&it["title"]), text(&it["to"]), text(&it["lunch"]), state, text(&it["id"])])
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
};
