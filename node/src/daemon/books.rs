//! The institution's books as the responder asks them: links, holds, consents, records.

use std::sync::Arc;

use hibiki_protocol::answer::Record;
use hibiki_protocol::ids::{Category, MemberId, Pseudonym};
use hibiki_protocol::policy::{Consent, Hold, ReadPermit, Withheld};
use hibiki_protocol::time::{Day, Timestamp};
use hibiki_protocol::token::PairwiseToken;
use hibiki_records::category::Category as Kind;
use hibiki_records::date::CalendarDate;

use crate::consent::Consents;
use crate::env::Env;
use crate::holds::Holds;
use crate::linkage::Linkage;
use crate::recordbook::{ReadLimit, RecordBook, StoredRecord, SubjectId};
use crate::responder::{Local, LocalFault, LocalSubject};
use crate::school::School;

/// All books of the institution.
pub(super) struct Books {
    pub(super) linkage: Arc<Linkage>,
    pub(super) holds: Arc<Holds>,
    pub(super) consents: Arc<Consents>,
    pub(super) records: Arc<RecordBook>,
    /// A school's own books, and the clock that says which of it is of now.
    pub(super) school: Option<(School, Env)>,
}

impl Books {
    /// What a school holds besides the record book.
    fn of_school(&self, subject: &LocalSubject, kind: Kind) -> Result<Vec<StoredRecord>, LocalFault> {
        let Some((school, env)) = &self.school else { return Ok(Vec::new()) };
        let Some(today) = CalendarDate::in_japan(env.now()) else { return Ok(Vec::new()) };
        school.records_of(&subject.key, kind, today).map_err(fault)
    }

    /// Everything held of these kinds, in the record book and in a school's own books.
    fn held(
        &self,
        subject: &LocalSubject,
        kinds: &[Kind],
        since: Option<CalendarDate>,
    ) -> Result<Vec<StoredRecord>, LocalFault> {
        let id = SubjectId::from_bytes(subject.key);
        let reading = self.records.read(id, kinds, since, ReadLimit::default()).map_err(fault)?;
        if reading.truncated {
            return Err(LocalFault(
                "there are more records than one answer can carry; ask for fewer categories".into(),
            ));
        }
        let mut records = reading.records;
        for kind in kinds {
            let live = self.of_school(subject, *kind)?;
            records.extend(live.into_iter().filter(|record| since.is_none_or(|since| record.date >= since)));
        }
        Ok(records)
    }
}

fn fault(error: impl std::fmt::Display) -> LocalFault {
    LocalFault(error.to_string())
}

impl Local for Books {
    fn resolve(
        &self,
        registry: &MemberId,
        token: &PairwiseToken,
    ) -> Result<Result<LocalSubject, Withheld>, LocalFault> {
        self.linkage.resolve(registry, token).map_err(fault)
    }

    fn holds(&self, pseudonym: &Pseudonym) -> Result<Vec<Hold>, LocalFault> {
        self.holds.for_subject(pseudonym).map_err(fault)
    }

    fn consents(&self, pseudonym: &Pseudonym) -> Result<Vec<Consent>, LocalFault> {
        self.consents.for_subject(pseudonym).map_err(fault)
    }

    fn has_any(&self, subject: &LocalSubject, permit: &ReadPermit) -> Result<bool, LocalFault> {
        let id = SubjectId::from_bytes(subject.key);
        let one = ReadLimit { records: 1, ..ReadLimit::default() };
        for kind in permitted(permit) {
            if !self.records.read(id, &[kind], None, one).map_err(fault)?.records.is_empty()
                || !self.of_school(subject, kind)?.is_empty()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn read(&self, subject: &LocalSubject, permit: &ReadPermit) -> Result<Vec<Record>, LocalFault> {
        let kinds: Vec<Kind> = permitted(permit).collect();
        let since = permit.since().and_then(|day| day.as_str().parse::<CalendarDate>().ok());
        self.held(subject, &kinds, since)?.into_iter().map(released).collect()
    }
}

/// The categories a permit covers.
fn permitted(permit: &ReadPermit) -> impl Iterator<Item = Kind> {
    let allows = |kind: &Kind| Category::new(kind.wire_name()).is_some_and(|name| permit.allows(&name));
    Kind::ALL.into_iter().filter(allows)
}

/// A stored record as it goes into an answer.
fn released(record: StoredRecord) -> Result<Record, LocalFault> {
    let category = Category::new(record.category.wire_name());
    let date = Day::new(&record.date.to_string());
    let (Some(category), Some(date)) = (category, date) else {
        return Err(LocalFault("a stored record has no valid category or day".into()));
    };
    Ok(Record {
        category,
        date,
        updated_at: Timestamp(record.updated_at.unwrap_or(0)),
        media_type: record.media_type,
        content: record.content,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

    use hibiki_records::lunch::{LunchDay, Menu, Milk};

    use super::*;
    use crate::config;
    use crate::institution::town::Town;
    use crate::linkage::Persons;
    use crate::mail::Outbox;
    use crate::observe::board::StatusBoard;
    use crate::school::{Setup, roster};
    use crate::store::{Committer, Store};

    /// A school on 2026-11-22: 1 is in 3-1, 2 in 3-2, which eats from another kitchen, and 3 has left.
    async fn books() -> (Books, Town) {
        let town = Town::new(Vec::new());
        let (means, house) = (town.means("school"), town.house("school"));
        let shared: Arc<dyn Store> = Arc::new(house.store.clone());
        let book = RecordBook::open(Arc::clone(&shared), Committer::inline(shared), Arc::clone(&house.ring));
        let book = Arc::new(book.await.unwrap());
        let persons = Arc::clone(&book) as Arc<dyn Persons>;
        let linkage = Arc::new(Linkage::new(means.clone(), Arc::clone(&persons)));
        let holds = Arc::new(Holds::new(means.clone()));
        let school = School::new(Setup {
            settings: config::School {
                kitchen: "第1地区".to_owned(),
                alert: 18 * 60,
                warn: 14 * 60,
                lunch: 12 * 60,
                staff_mail: Vec::new(),
            },
            name: "もみじ小学校".to_owned(),
            means: means.clone(),
            book: Arc::clone(&book),
            holds: Arc::clone(&holds),
            outbox: Arc::new(Outbox::new(means.clone())),
            mails: false,
            board: StatusBoard::new(),
        });
        for numbers in [&["1", "3"][..], &["1"]] {
            let mut list = "学籍番号,氏名,フリガナ,生年月日,性別,学級,給食地区\n\
                2,前橋 二郎,マエバシ ジロウ,2018-06-07,男,3-2,第2地区\n"
                .to_owned();
            for number in numbers {
                list.push_str(&format!("{number},前橋 一子,マエバシ イチコ,2018-05-06,女,3-1,\n"));
            }
            school.roster.import(&roster::read(list.as_bytes()).unwrap(), "sato", |_| {}).await.unwrap();
        }
        let consents = Arc::new(Consents::new(means.clone(), persons, Arc::clone(&linkage)));
        let env = means.env.clone();
        (Books { linkage, holds, consents, records: book, school: Some((school, env)) }, town)
    }

    async fn accept(books: &Books, day: &str, kitchen: &str) {
        let (school, _) = books.school.as_ref().unwrap();
        let menu = Menu {
            date: day.parse().unwrap(),
            kitchen: kitchen.to_owned(),
            dishes: vec!["ごはん".to_owned()],
            ingredients: Vec::new(),
            milk: Milk::NotServed,
            note: None,
        };
        let day = menu.date;
        school.menus.bring(vec![menu], "tanaka", |_| {}).await.unwrap();
        school.menus.accept(Some(kitchen), (day, day), false, "tanaka").await.unwrap();
    }

    /// The menus in an answer about this pupil, as day and kitchen.
    fn menus(books: &Books, number: &str, kinds: &[Kind], since: Option<&str>) -> Vec<(String, String)> {
        let subject = books.records.find_by_local_number(number).unwrap().unwrap();
        let birth_date = Day::new("2018-05-06").unwrap();
        let subject = LocalSubject { key: *subject.as_bytes(), birth_date };
        let held = books.held(&subject, kinds, since.map(|day| day.parse().unwrap())).unwrap();
        let menu = |record: StoredRecord| {
            assert_eq!(record.category, Kind::SchoolMenu);
            let lunch = LunchDay::read(&released(record).unwrap().content).unwrap();
            (lunch.menu.date.to_string(), lunch.menu.kitchen)
        };
        held.into_iter().map(menu).collect()
    }

    #[tokio::test]
    async fn a_child_is_shown_the_menus_of_her_own_kitchen_where_menus_are_asked_for() {
        let (books, _town) = books().await;
        accept(&books, "2026-11-24", "第1地区").await;
        accept(&books, "2026-11-25", "第1地区").await;
        accept(&books, "2026-11-24", "第2地区").await;
        let (school, _) = books.school.as_ref().unwrap();
        let first = ("2026-11-24".to_owned(), "第1地区".to_owned());
        let second = ("2026-11-25".to_owned(), "第1地区".to_owned());
        let menu = [Kind::SchoolMenu];
        assert_eq!(menus(&books, "1", &menu, None), [first, second.clone()]);
        assert_eq!(menus(&books, "1", &menu, Some("2026-11-25")), [second]);
        assert_eq!(menus(&books, "2", &menu, None), [("2026-11-24".to_owned(), "第2地区".to_owned())]);
        assert_eq!(menus(&books, "3", &menu, None), [], "who is in no class eats from no kitchen");
        let others: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| *kind != Kind::SchoolMenu).collect();
        assert_eq!(menus(&books, "1", &others, None), [], "asked for everything else");
        // When her class changes its kitchen, so does what she is shown.
        school.roster.set_kitchen("3-1", Some("第2地区".to_owned()), "sato").await.unwrap();
        assert_eq!(menus(&books, "1", &menu, None), menus(&books, "2", &menu, None));
        // An institution that is no school has no menus.
        let books = Books { school: None, ..books };
        assert_eq!(menus(&books, "1", &menu, None), []);
    }
}
