//! A view on a text terminal, for a person.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hibiki_protocol::answer::Record;
use hibiki_protocol::session::AttestedSubject;
use hibiki_protocol::time::Timestamp;
use hibiki_records::category::Category;
use hibiki_records::words::summary;

use crate::consent::ConsentPart;
use crate::history::{History, HistoryPart};
use crate::receipts::prove::Proving;
use crate::receipts::verdict::{Judged, Summary};
use crate::registration::RegistrationPart;
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

/// The time in Japan, to the minute.
fn in_japan(at: Timestamp) -> String {
    let zoned = i64::try_from(at.0).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    let zoned = zoned.and_then(|at| at.in_tz("Asia/Tokyo").ok());
    zoned.map_or_else(|| "----".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M").to_string())
}

/// One line the moment an institution's history lands.
pub fn history_landed(part: &HistoryPart) -> String {
    let Words { ja, en } = words::history::what_became(part);
    format!("  ・{}：{ja} / {}: {en}", part.standing.name.0, part.standing.name.1)
}

/// One institution's history, newest first.
pub fn history_part(part: &HistoryPart) -> String {
    let mut out = format!("\n■ {} / {}\n", part.standing.name.0, part.standing.name.1);
    for entry in &part.entries {
        let Words { ja, en } = words::history::entry(entry, &part.standing.name);
        let proof = words::history::proof(entry.proof);
        let at = entry.at.map_or_else(|| "----".to_owned(), in_japan);
        let _ = writeln!(out, "  {at}  {ja} / {en}\n      {} / {}", proof.ja, proof.en);
    }
    if let Some(older) = part.older {
        let (id, place) =
            (&part.standing.institution, format!("--older {}:{older}", part.standing.institution));
        let _ = writeln!(out, "  さらに古い履歴 / older entries of {id}: {place}");
    }
    if part.entries.is_empty() {
        let _ = writeln!(out, "{}", history_landed(part));
    }
    out
}

/// The whole history.
pub fn history(history: &History) -> String {
    let subject = &history.subject;
    let mut out = format!("\n{}（{}） {} 生\n", subject.name, subject.kana, subject.birth_date.as_str());
    if history.simulated {
        let _ = writeln!(out, "【模擬カード】 / made with a simulated card");
    }
    history.parts.iter().for_each(|part| out.push_str(&history_part(part)));
    out
}

/// What this guardian has withdrawn, institution by institution.
pub fn consents(subject: &AttestedSubject, parts: &[ConsentPart]) -> String {
    let mut out = format!("\n{}（{}） {} 生\n", subject.name, subject.kana, subject.birth_date.as_str());
    parts.iter().for_each(|part| out.push_str(&consent(part)));
    out
}

/// What this guardian has withdrawn at one institution, and the receipt of what she just chose.
pub fn consent(part: &ConsentPart) -> String {
    let Words { ja, en } = words::consent::what_became(part);
    let mut out = format!("\n■ {} / {}\n  {ja} / {en}\n", part.standing.name.0, part.standing.name.1);
    for withdrawal in part.choices.iter().flat_map(|choices| &choices.withdrawn) {
        let Words { ja, en } = words::consent::withdrawal(withdrawal);
        let _ = writeln!(out, "  ・{ja} / {en}  {}", in_japan(withdrawal.at));
    }
    if let Some(receipt) = &part.receipt {
        let (place, hash) = (&receipt.receipt, receipt.receipt.leaf_hash.hex());
        let _ = writeln!(out, "  控え / receipt: {} #{} {hash}", place.origin, place.index);
    }
    out
}

/// What is registered for one child, institution by institution.
pub fn registrations(subject: &AttestedSubject, parts: &[RegistrationPart]) -> String {
    let mut out = format!("\n{}（{}） {} 生\n", subject.name, subject.kana, subject.birth_date.as_str());
    parts.iter().for_each(|part| out.push_str(&registration(part)));
    out
}

/// What is registered at one institution, and the receipt of what was just changed.
pub fn registration(part: &RegistrationPart) -> String {
    let Words { ja, en } = words::registration::what_became(part);
    let mut out = format!("\n■ {} / {}\n  {ja} / {en}\n", part.standing.name.0, part.standing.name.1);
    if let Some(state) = &part.state {
        for (whose, list) in
            [("あなた / you", &state.allergens), ("ほかの保護者・学校 / others", &state.others)]
        {
            for one in list {
                let Words { ja, en } = words::registration::allergen(one);
                let _ = writeln!(out, "  ・{ja} / {en}  （{whose}）");
            }
        }
        if let Some(address) = &state.address {
            let _ = writeln!(out, "  メール / mail: {address}");
        }
        if let Some(waiting) = &state.waiting {
            let until = in_japan(waiting.until);
            let _ =
                writeln!(out, "  確認待ち / awaits its code: {}（{until} まで / until）", waiting.address);
        }
        for delivery in &state.deliveries {
            let (kind, state) =
                (words::registration::kind(delivery.kind), words::registration::delivery(delivery));
            let _ = writeln!(out, "  {}  {}: {} / {}", in_japan(delivery.at), kind.ja, state.ja, state.en);
        }
    }
    if let Some(receipt) = &part.receipt {
        let (place, hash) = (&receipt.receipt, receipt.receipt.leaf_hash.hex());
        let _ = writeln!(out, "  控え / receipt: {} #{} {hash}", place.origin, place.index);
    }
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
/// What the receipts of a folder are worth, file by file, and all in all.
pub fn receipts(judged: &[Judged], summary: &Summary, now: Timestamp) -> String {
    let mut out = String::new();
    for judged in judged {
        let Words { ja, en } = words::receipts::verdict(judged, now);
        let _ = writeln!(out, "■ {}\n  {ja} / {en}", judged.file);
        if let Some(other) = &judged.copy_of {
            let _ = writeln!(out, "  {other} と同じ控えです / the same receipt as {other}");
        }
    }
    let Words { ja, en } = words::receipts::summary(summary);
    let _ = write!(out, "\n{ja}\n{en}");
    out
}

/// What came of asking for proofs.
pub fn proving(proving: &Proving) -> String {
    let Proving { proved, not_yet, denied, unusable, unanswered, gateway_lost } = proving;
    let mut out = format!(
        "証明を受け取りました {proved} 件、まだ {not_yet} 件、否定 {denied} 件、使えない回答 {unusable} 件\n\
         {proved} proofs came, {not_yet} not yet, {denied} denied, {unusable} unusable"
    );
    for (id, (count, outcome)) in unanswered {
        let why = outcome.map_or("not asked any more", |outcome| outcome.as_str());
        let _ = write!(out, "\n  {id}：{count} 件の回答なし / no answer about {count} ({why})");
    }
    if *gateway_lost {
        out.push_str("\n市の窓口サーバーとの接続が切れました / the connection to the gateway was lost");
    }
    out
}
