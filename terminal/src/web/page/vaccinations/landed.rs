//! The vaccinations that have landed: each record read, with its holder, and how many there are.

use hibiki_records::category::Category;
use hibiki_records::date::CalendarDate;
use hibiki_records::date::Precision;
use hibiki_records::immunization::{self, Day, Status, Vaccination};
use hibiki_records::words::summary;

use super::super::held::Held;
use crate::web::Lang;

/// The records, in the order in which their holders stand in the trust list.
pub(super) struct Landed<'a> {
    held: Vec<Held<'a>>,
    /// The same records, read.
    pub(super) read: Vec<Vaccination>,
    lang: Lang,
}

/// Who holds how many of them.
pub(super) struct Share {
    pub(super) holder: String,
    pub(super) records: usize,
}

/// One institution's record of a vaccination.
pub(super) struct Source {
    pub(super) holder: String,
    /// Lot number, place, who gave it, why not: each as stated, with its name.
    pub(super) details: Vec<(&'static str, String)>,
}

/// A vaccination outside the plan, with every record that tells of it.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) day: String,
    /// Why it stands where it stands; empty where there is nothing to say.
    pub(super) why: &'static str,
    pub(super) sources: Vec<Source>,
}

impl<'a> Landed<'a> {
    pub(super) fn new(held: impl Iterator<Item = Held<'a>>, lang: Lang) -> Self {
        let (held, read) = held.map(|held| (held, immunization::read(&held.record.content))).unzip();
        Self { held, read, lang }
    }

    pub(super) fn shares(&self) -> Vec<Share> {
        let mut shares: Vec<Share> = Vec::new();
        let mut last = None;
        for held in &self.held {
            match shares.last_mut().filter(|_| last == Some(&held.part.institution)) {
                Some(share) => share.records += 1,
                None => shares.push(Share { holder: held.holder(self.lang).to_owned(), records: 1 }),
            }
            last = Some(&held.part.institution);
        }
        shares
    }

    /// What was given, newest first; what has no day comes last. Records of the same vaccine on the same day are
    /// one vaccination.
    pub(super) fn given(&self) -> Vec<Entry> {
        let given = self.of(Status::Given);
        let mut together: Vec<(Key<'_>, Vec<usize>)> = Vec::new();
        for place in given {
            let key = self.read.get(place).and_then(key);
            // The newest come first, so that what is of the same day stands side by side.
            let same_day = together.iter_mut().rev().take_while(|(other, _)| other.day == day_of(key));
            match same_day.into_iter().find(|(other, _)| key.is_some_and(|key| key == *other)) {
                Some((_, places)) => places.push(place),
                None => together.push((key.unwrap_or(Key { day: None, name: "" }), vec![place])),
            }
        }
        together.iter().map(|(_, places)| self.entry(places, "")).collect()
    }

    /// What was not given on that occasion, newest first.
    pub(super) fn not_given(&self) -> Vec<Entry> {
        self.of(Status::NotGiven).into_iter().map(|place| self.entry(&[place], "")).collect()
    }

    /// What its holder has withdrawn, newest first.
    pub(super) fn withdrawn(&self) -> Vec<Entry> {
        self.of(Status::Withdrawn).into_iter().map(|place| self.entry(&[place], "")).collect()
    }

    /// A vaccination told of by the records at these places.
    pub(super) fn entry(&self, places: &[usize], why: &'static str) -> Entry {
        let lang = self.lang;
        let first = places.first().and_then(|place| Some((self.held.get(*place)?, self.read.get(*place)?)));
        let Some((held, read)) = first else {
            return Entry { name: String::new(), day: String::new(), why, sources: Vec::new() };
        };
        let label = Category::Immunization.label();
        let unreadable = read.vaccine.is_none() && read.day.is_none() && read.name.ja == label.ja;
        let stored =
            held.record.date.as_str().parse().map(exactly).map(|day| lang.summary(&day.words()).to_owned());
        Entry {
            name: lang.summary(&summary(Category::Immunization, &held.record.content)).to_owned(),
            day: match read.day {
                Some(day) => lang.summary(&day.words()).to_owned(),
                // The holder files it under a day all the same.
                None => format!(
                    "{}{}{}",
                    lang.t("接種日の記載なし（施設での日付：", "no day stated (filed under "),
                    stored.unwrap_or_else(|_| held.record.date.as_str().to_owned()),
                    lang.t("）", ")")
                ),
            },
            why: if unreadable {
                lang.t("内容を読み取れない記録", "A record that cannot be read")
            } else {
                why
            },
            sources: self.sources(places),
        }
    }

    /// The records at these places.
    pub(super) fn sources(&self, places: &[usize]) -> Vec<Source> {
        let lang = self.lang;
        let source = |place: &usize| {
            let (held, it) = (self.held.get(*place)?, self.read.get(*place)?);
            let holder = held.holder(lang).to_owned();
            // Where it was given is mostly who holds the record.
            let elsewhere = it.place.as_ref().filter(|place| **place != held.part.name.0);
            let by = it.performer.as_ref().filter(|by| Some(*by) != elsewhere && **by != held.part.name.0);
            let details = [
                (lang.t("製造番号", "Lot"), it.lot.as_ref()),
                (lang.t("場所", "Place"), elsewhere),
                (lang.t("接種者", "Given by"), by),
                (lang.t("理由", "Reason"), it.reason.as_ref()),
            ];
            let details = details.into_iter().filter_map(|(name, said)| Some((name, said?.clone())));
            Some(Source { holder, details: details.collect() })
        };
        places.iter().filter_map(source).collect()
    }

    /// Places of the records of that status, the newest first.
    fn of(&self, status: Status) -> Vec<usize> {
        let of_status = |(place, it): (usize, &Vaccination)| (it.status == status).then_some(place);
        let mut places: Vec<usize> = self.read.iter().enumerate().filter_map(of_status).collect();
        places.sort_by_key(|place| std::cmp::Reverse(self.read.get(*place).and_then(|it| it.day)));
        places
    }
}

/// What makes records tell of the same vaccination.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key<'a> {
    day: Option<Day>,
    name: &'a str,
}

/// `None` where no day is stated: nothing says then that two records tell of the same.
fn key(it: &Vaccination) -> Option<Key<'_>> {
    let name = it.vaccine.map_or(it.name.ja.as_str(), |vaccine| vaccine.id);
    Some(Key { day: Some(it.day?), name })
}

fn day_of(key: Option<Key<'_>>) -> Option<Day> {
    key.and_then(|key| key.day)
}

fn exactly(day: CalendarDate) -> Day {
    Day { day, precision: Precision::Day }
}
