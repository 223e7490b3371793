//! A family and its neighbours, from a seed.
//!
//! A mother and a father (guardians), a third-grader and a baby; neighbours with children in the same
//! class and in the same waiting room, so that no look-up is trivial. Everything is dated relative to
//! `today` by Japanese rules: vaccinations by the routine schedule in force for the birth date, check-ups
//! of pregnancy and childhood, growth along the national percentiles of 2023, the school's health
//! examinations, notices and events, and what is left of the mother's own vaccinations as a child. The baby
//! has one dose overdue and one due, the third-grader one due. Names are invented; nobody is meant.
//!
//! Each institution knows its people by its own numbers and holds its own part only. Must not know
//! processes.

mod checkups;
mod exams;
pub(crate) mod fhir;
mod growth;
mod names;
mod pregnancy;
mod rubella;
mod school;
mod school_days;
mod treatment;
mod vaccines;

use hibiki_records::category::Category;
use hibiki_records::date::{CalendarDate, age};
use hibiki_records::person::Sex;
use serde_json::Value;

use crate::chance::Chance;
use crate::house::House;
use crate::population::{Guardianship, Population, Resident};

/// Who the story is about: resident numbers.
#[derive(Clone)]
pub struct Family {
    /// First guardian; carried the baby.
    pub mother: String,
    /// Second guardian.
    pub father: String,
    /// In third grade, class 3-2.
    pub third_grader: String,
    /// Ten months old.
    pub baby: String,
}

/// The town being written.
struct Story {
    today: CalendarDate,
    chance: Chance,
    population: Population,
}

/// Makes family and neighbours as they are on `today`.
///
/// # Panics
/// `today` is so near the ends of the calendar that nobody could have been born before.
pub fn found(seed: u64, today: CalendarDate) -> (Population, Family) {
    let mut story = Story { today, chance: Chance::new(seed), population: Population::default() };
    let family = story.family();
    let classmates = story.neighbours();
    story.school_life(&family.third_grader, &classmates);
    (story.population, family)
}

impl Story {
    fn family(&mut self) -> Family {
        let surname = names::SURNAMES[0];
        let mother = self.resident(surname, names::MOTHERS[0], Sex::Female, self.years_ago(36, 41));
        let father = self.resident(surname, names::FATHERS[0], Sex::Male, self.years_ago(38, 112));
        let third_grader =
            self.resident(surname, names::GIRLS[0], Sex::Female, self.third_grade_birthday(60));
        let baby = self.resident(surname, names::BOYS[0], Sex::Male, self.days_ago(312));
        for guardian in [&mother, &father] {
            for child in [&third_grader, &baby] {
                self.guardian(guardian, child);
            }
            self.population.card_holders.push(guardian.number.clone());
        }
        self.own_rubella_doses(&mother);
        self.pregnancy(&mother, &baby);
        self.childhood(&third_grader, 3, &[vaccines::SECOND_JE]);
        self.childhood(&baby, 1, &[vaccines::THIRD_HBV]);
        self.allergies(&third_grader);
        self.medicines(&third_grader, 6, 0);
        self.medicines(&baby, 3, 1);
        Family {
            mother: mother.number,
            father: father.number,
            third_grader: third_grader.number,
            baby: baby.number,
        }
    }

    /// Other families; returns the classmates of the third-grader.
    fn neighbours(&mut self) -> Vec<Resident> {
        let mut classmates = Vec::new();
        for (place, surname) in names::SURNAMES.iter().enumerate().skip(1) {
            let place = place as i32;
            let guardian = *self.chance.of(&names::MOTHERS);
            let guardian = self.resident(*surname, guardian, Sex::Female, self.years_ago(35, place * 17));
            let (given, sex) = if place % 2 == 0 {
                (*self.chance.of(&names::GIRLS), Sex::Female)
            } else {
                (*self.chance.of(&names::BOYS), Sex::Male)
            };
            let in_class = place % 3 != 0;
            let birth = if in_class {
                self.third_grade_birthday(place * 29)
            } else {
                self.days_ago(250 + place * 37)
            };
            let child = self.resident(*surname, given, sex, birth);
            self.guardian(&guardian, &child);
            let late = self.chance.below(10) as i32;
            self.childhood(&child, late, &[]);
            if place % 4 == 1 {
                self.medicines(&child, 1, place as usize);
            }
            if in_class {
                classmates.push(child);
            }
        }
        classmates
    }

    /// Everything every child of the town goes through up to its age; its vaccinations so many days late.
    fn childhood(&mut self, child: &Resident, late: i32, forgotten: &[vaccines::Forgotten]) {
        self.birth(child);
        self.vaccinations(child, late, forgotten);
        self.childhood_checkups(child);
        self.growth_at_the_clinic(child);
    }

    fn resident(&mut self, surname: Written, given: Written, sex: Sex, birth: CalendarDate) -> Resident {
        let number = format!("{:010}", 1_000_000_000 + self.chance.below(8_999_999_999));
        let name = format!("{} {}", surname.0, given.0);
        let resident = Resident { number, name, kana: format!("{} {}", surname.1, given.1), birth, sex };
        self.population.residents.push(resident.clone());
        resident
    }

    fn guardian(&mut self, guardian: &Resident, child: &Resident) {
        let (guardian, child) = (guardian.number.clone(), child.number.clone());
        self.population.guardianships.push(Guardianship { guardian, child });
    }

    /// A house's number for a person; the house learns who it is the first time.
    fn patient(&mut self, house: House, person: &Resident) -> String {
        let (number, new) = self.population.number_at(house, &person.number, &mut self.chance);
        if new {
            let (key, line) = fhir::patient(&number, person);
            self.population.add(house, &line, &key, &[&person.number]);
        }
        number
    }

    /// One record about one person.
    fn record(&mut self, house: House, person: &Resident, resource: Value) {
        let number = self.patient(house, person);
        let (key, line) = fhir::about(&resource, &number, &self.chance.id());
        self.population.add(house, &line, &key, &[&person.number]);
    }

    /// One record about one person whose category no rule would guess.
    fn record_as(&mut self, category: Category, house: House, person: &Resident, resource: Value) {
        self.record(house, person, fhir::tagged(category, resource));
    }

    #[expect(clippy::expect_used, reason = "a story near the end of the calendar is a mistake of the caller")]
    fn days_ago(&self, days: i32) -> CalendarDate {
        self.today.plus_days(-days).expect("a day of the calendar")
    }

    fn years_ago(&self, years: i32, days: i32) -> CalendarDate {
        self.days_ago(years * 365 + years / 4 + days)
    }

    /// A birth date that puts a child into third grade today, `days` after the cut-off.
    #[expect(clippy::expect_used, reason = "a story near the end of the calendar is a mistake of the caller")]
    fn third_grade_birthday(&self, days: i32) -> CalendarDate {
        let school_year = hibiki_records::date::school::school_year(self.today);
        let first = CalendarDate::new(school_year - 9, 4, 2).expect("a day of the calendar");
        first.plus_days(days.rem_euclid(365)).expect("a day of the calendar")
    }

    /// The day a person reaches an age in months, if that is past; a few days later, as life goes.
    fn at_months(&mut self, birth: CalendarDate, months: u32, late: u64) -> Option<CalendarDate> {
        let day = age::months_attained_on(birth, months)?.plus_days(self.chance.below(late + 1) as i32)?;
        (day < self.today).then_some(day)
    }
}

/// A name in kanji and kana.
type Written = (&'static str, &'static str);

#[cfg(test)]
mod shown;
#[cfg(test)]
mod tests;
