//! The allergy alert of one day.

use serde_json::{Value, json};

use super::{Ask, Form, Kind, Screen, Table, done, field, joined, may, nothing, plain, rows, text};
use crate::school::{alert, registrations};

pub(super) const SCREEN: Screen = Screen {
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
};
