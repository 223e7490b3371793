//! A view on a text terminal, for a person.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hibiki_protocol::answer::Record;
use hibiki_protocol::session::AttestedSubject;
use hibiki_records::category::Category;
use hibiki_records::words::summary;

use crate::view::{View, ViewPart};
use crate::words::{self, Words};

/// Whom the card may act for, numbered as `--subject` counts.
pub fn subjects(subjects: &[AttestedSubject]) -> String {
    let mut out = String::new();
    for (index, subject) in subjects.iter().enumerate() {
        let Words { ja, en } = words::relation(subject.relation);
        let _ = writeln!(
            out,
            "{:>3}  {}（{}） {} 生  {ja} / {en}",
            index + 1,
            subject.name,
            subject.kana,
            subject.birth_date.as_str()
        );
    }
    out
}

/// One line the moment an institution's part lands.
pub fn landed(part: &ViewPart) -> String {
    let Words { ja, en } = words::outcome(part);
    format!("  ・{ja} / {en}")
}

/// The whole view: records by category and day, then coverage.
pub fn view(view: &View) -> String {
    let mut out = String::new();
    let subject = &view.subject;
    let _ = writeln!(out, "\n{}（{}） {} 生", subject.name, subject.kana, subject.birth_date.as_str());
    if view.simulated {
        let _ = writeln!(out, "【模擬カード】 / made with a simulated card");
    }
    for (label, mut lines) in by_category(view) {
        let _ = writeln!(out, "\n■ {label}");
        lines.sort_unstable();
        lines.iter().for_each(|line| {
            let _ = writeln!(out, "  {line}");
        });
    }
    let _ = writeln!(out, "\n■ 問い合わせ先 / Institutions asked");
    view.parts.iter().for_each(|part| {
        let _ = writeln!(out, "{}", landed(part));
    });
    let Words { ja, en } = words::coverage(&view.coverage());
    let _ = writeln!(out, "\n{ja}\n{en}");
    out
}

fn by_category(view: &View) -> BTreeMap<String, Vec<String>> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for part in &view.parts {
        for record in &part.records {
            let known = Category::from_wire(record.category.as_str());
            let label = known.map_or_else(
                || record.category.as_str().to_owned(),
                |category| format!("{} / {}", category.label().ja, category.label().en),
            );
            groups.entry(label).or_default().push(line(known, record, part));
        }
    }
    groups
}

fn line(category: Option<Category>, record: &Record, part: &ViewPart) -> String {
    let text = category.map_or_else(
        || record.media_type.clone(),
        |category| {
            let words = summary(category, &record.content);
            if words.ja == words.en { words.ja } else { format!("{} / {}", words.ja, words.en) }
        },
    );
    format!("{}  {text}（{}）", record.date.as_str(), part.name.0)
}
