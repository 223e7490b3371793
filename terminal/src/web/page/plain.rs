//! A record in one line: what is listed though it could not be read as a fact.

use hibiki_records::category::Category;
use hibiki_records::date::CalendarDate;
use hibiki_records::words::summary;

use super::held::Held;
use crate::web::Lang;

/// A record in one line.
pub(super) struct Plain {
    pub(super) line: String,
    /// The day under which the institution holds it.
    pub(super) date: String,
    pub(super) holder: String,
}

impl Plain {
    fn new(category: Category, held: Held<'_>, lang: Lang) -> Self {
        let date = held.record.date.as_str();
        let day: Option<CalendarDate> = date.parse().ok();
        Self {
            line: lang.summary(&summary(category, &held.record.content)).to_owned(),
            date: day.map_or_else(|| date.to_owned(), |day| lang.day(day)),
            holder: held.holder(lang).to_owned(),
        }
    }

    /// The lines of records with their categories, newest first.
    pub(super) fn newest_first(mut records: Vec<(Category, Held<'_>)>, lang: Lang) -> Vec<Self> {
        records.sort_by(|(_, one), (_, other)| other.record.date.as_str().cmp(one.record.date.as_str()));
        records.into_iter().map(|(category, held)| Self::new(category, held, lang)).collect()
    }
}
