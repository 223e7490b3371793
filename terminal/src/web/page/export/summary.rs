//! The International Patient Summary of a view, as far as it has come.

use hibiki_protocol::outcome::Outcome;
use hibiki_records::category::Category;
use hibiki_records::ips::{self, Answer, Document, Record, Source, Subject};

use super::super::Seated;
use crate::desk::Landed;
use crate::view::ViewPart;
use crate::words::Words;

/// The document; `None` where the registry's birth date is no day. `id` are random bytes for this document only.
pub(super) fn write(seated: &Seated, id: [u8; 16]) -> Option<Document> {
    let person = seated.person();
    let kana = person.kana.trim();
    let subject = Subject {
        name: person.name.clone(),
        kana: (!kana.is_empty()).then(|| kana.to_owned()),
        birth: seated.birth()?,
        sex: seated.sex(),
    };
    let parts: Vec<Option<&ViewPart>> =
        seated.seat.institutions.iter().map(|it| seated.view.parts.get(&it.id).map(AsRef::as_ref)).collect();
    let said: Vec<Words> = parts.iter().map(|part| part.map_or_else(not_yet, Landed::words)).collect();
    let sources: Vec<Source<'_>> = seated
        .seat
        .institutions
        .iter()
        .zip(parts.iter().zip(&said))
        .map(|(institution, (part, said))| Source {
            id: institution.id.as_str(),
            name: (&institution.name.0, &institution.name.1),
            answer: match part {
                Some(part) if matches!(part.outcome(), Outcome::Data | Outcome::NothingToShow) => {
                    Answer::Records(answered(part).collect())
                }
                _ => Answer::Silent(&said.ja, &said.en),
            },
            as_of: part.and_then(|part| part.as_of).map(|at| at.0),
        })
        .collect();
    Some(ips::write(&subject, &sources, id, seated.view.asked_at.0))
}

/// How many records belong into it.
pub(super) fn records(seated: &Seated) -> usize {
    let parts = seated.seat.institutions.iter().filter_map(|it| seated.view.parts.get(&it.id));
    parts.flat_map(|part| answered(part)).filter(|record| !record.category.is_of_school()).count()
}

fn answered(part: &ViewPart) -> impl Iterator<Item = Record<'_>> {
    part.records.iter().filter_map(|record| {
        Some(Record {
            category: Category::from_wire(record.category.as_str())?,
            media_type: &record.media_type,
            content: &record.content,
        })
    })
}

fn not_yet() -> Words {
    Words { ja: "まだ応答がありません".to_owned(), en: "has not answered yet".to_owned() }
}

#[cfg(test)]
mod tests;
