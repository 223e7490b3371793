//! Events, timetables, the gate.

use serde_json::Value;

use super::{Ask, Form, Kind, Screen, Table, done, field, may, nothing, plain, rows, text};
use crate::school::{events, gates};

pub(super) const SCREEN: Screen = Screen {
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
};
