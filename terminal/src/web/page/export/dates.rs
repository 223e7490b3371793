//! What goes into a guardian's own calendar: the school's events and the days by which something is to be handed in,
//! and when vaccinations and check-ups begin and end to be possible.
//!
//! Nothing is lost: an event of a school's own calendar that cannot be passed on as it is becomes one of ours. No
//! name of a child stands in it, for calendars are shared and shown on screens.

use hibiki_protocol::ids::Digest;
use hibiki_records::calendar::{Calendar, Event, Foreign, ForeignEvent, Reminder, Uid};
use hibiki_records::category::{Category, Label};
use hibiki_records::checkup::childhood::{self, Progress};
use hibiki_records::checkup::{Reading, occasions};
use hibiki_records::date::CalendarDate;
use hibiki_records::fhir::Standing;
use hibiki_records::immunization;
use hibiki_records::person::Sex;
use hibiki_records::schedule;
use hibiki_records::school::{self, HandIn, HandInState, Matter};
use hibiki_records::words;
use serde::Deserialize;

use super::super::{Seated, school as page};
use crate::web::Lang;

/// The evening before: there is time to pack.
const EVENING_BEFORE: Reminder = Reminder { days_before: 1, hour: 18 };
const THAT_MORNING: Reminder = Reminder { days_before: 0, hour: 9 };
/// Time to find a day at the doctor's.
const WEEKS_BEFORE: Reminder = Reminder { days_before: 28, hour: 9 };

/// What is in the calendar, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) school_events: usize,
    pub(super) hand_ins: usize,
    pub(super) vaccinations: usize,
    pub(super) checkups: usize,
}

impl Counts {
    pub(super) const fn total(self) -> usize {
        self.school_events + self.hand_ins + self.vaccinations + self.checkups
    }
}

/// The calendar of one person.
#[derive(Default)]
pub(super) struct Dates {
    pub(super) calendar: Calendar,
    pub(super) counts: Counts,
}

impl Dates {
    pub(super) fn of(seated: &Seated) -> Self {
        let lang = seated.lang();
        let mut dates = Self::default();
        for category in [Category::SchoolNotice, Category::SchoolEvent] {
            for held in seated.held(category) {
                let institution = held.part.institution.as_str();
                let school = School { institution, holder: held.holder(lang), lang };
                dates.school(&school, category, &held.record.content);
            }
        }
        if let (Some(birth), Some(today)) = (seated.birth(), seated.today()) {
            let who = Who { place: seated.index(), birth, sex: seated.sex(), today, lang };
            let contents = |category| seated.held(category).map(|held| held.record.content.as_slice());
            dates.vaccinations(&who, contents(Category::Immunization));
            dates.checkups(&who, contents(Category::InfantCheckup).map(|it| (Category::InfantCheckup, it)));
        }
        dates
    }

    /// One record of a school.
    fn school(&mut self, school: &School<'_>, category: Category, content: &[u8]) {
        let own = school::read(category, content).unwrap_or_default();
        let id = Named::read(content);
        // FHIR is no calendar; of one that is broken, or has events that cannot be passed on, those become ours.
        let foreign = Foreign::read(content).ok();
        let whole = foreign.as_ref().is_some_and(|foreign| foreign.refused.is_empty());
        let passed_on = foreign.unwrap_or_default();
        for (place, matter) in own.iter().enumerate() {
            // Two matters of one record differ by their place, one matter stays itself when its record changes.
            let key = [school.institution, &id, &place.to_string()];
            match matter {
                Matter::HandIn(it) => {
                    if let Some(event) = school.hand_in(it, &key) {
                        self.calendar.events.push(event);
                        self.counts.hand_ins += 1;
                    }
                }
                Matter::Event(it) => {
                    let same = |event: &ForeignEvent| {
                        event.first == it.from.day && words::tidy(&event.summary) == it.title.ja
                    };
                    if !whole && !passed_on.events.iter().any(same) {
                        self.calendar.events.push(school.event(it, &key));
                        self.counts.school_events += 1;
                    }
                }
                // Neither has a day of its own.
                Matter::Notice(_) | Matter::Timetable(_) => {}
            }
        }
        if !passed_on.events.is_empty() {
            self.counts.school_events += passed_on.events.len();
            self.calendar.foreign.push((school.institution.to_owned(), passed_on));
        }
    }

    /// The next dose of every series.
    fn vaccinations<'a>(&mut self, who: &Who, records: impl Iterator<Item = &'a [u8]>) {
        let given: Vec<_> = records.map(immunization::read).collect();
        let plan = schedule::plan(who.birth, who.sex, &given, who.today);
        for step in schedule::next(&plan, who.today) {
            let lang = who.lang;
            let (series, dose) = (lang.label(step.series_label), lang.label(step.dose_label));
            let usual = step.recommended;
            let span = Span {
                key: ["vaccination", step.series, step.dose],
                name: lang
                    .t(&format!("予防接種：{series} {dose}"), &format!("Vaccination: {series}, {dose}"))
                    .to_owned(),
                begins: usual.map_or(step.from, |usual| usual.first.max(step.from)),
                usual_end: usual.map(|usual| usual.last).filter(|last| *last < step.until),
                ends: step.until,
                last_day: Label { ja: "公費で受けられる最後の日", en: "last day free of charge" },
                description: lang.summary(&step.sentence()).to_owned(),
                category: lang.t("予防接種", "Vaccination"),
            };
            self.counts.vaccinations += self.span(who, &span);
        }
    }

    /// The check-ups of childhood whose time is now or to come.
    fn checkups<'a>(&mut self, who: &Who, records: impl Iterator<Item = (Category, &'a [u8])>) {
        let readings = records.filter_map(|(category, content)| Reading::read(category, content).ok());
        let known = occasions(&readings.collect::<Vec<_>>(), Some(who.birth));
        for due in childhood::due(who.birth, who.today, &known) {
            if !matches!(due.progress, Progress::Now | Progress::Coming) {
                continue;
            }
            let lang = who.lang;
            let basis = lang.label(due.checkup.basis());
            let when = lang.t(
                "日時と会場は、市区町村や学校からのお知らせをご確認ください。",
                "Day and place come with the notice of your municipality or school.",
            );
            let span = Span {
                key: ["checkup", due.checkup.code(), ""],
                name: lang.label(due.checkup.label()).to_owned(),
                begins: due.from,
                usual_end: None,
                ends: due.to,
                last_day: Label { ja: "時期の終わり", en: "end of the usual time" },
                description: format!("{basis}\n{when}"),
                category: lang.t("健診", "Check-up"),
            };
            self.counts.checkups += self.span(who, &span);
        }
    }

    /// Its first day and its last ones, as far as they are not over; how many those are. Months from end to end
    /// would only hide the rest of a calendar.
    fn span(&mut self, who: &Who, span: &Span<'_>) -> usize {
        let lang = who.lang;
        let days = [
            ("begins", Some(span.begins), Label { ja: "時期の始まり", en: "the time begins" }, THAT_MORNING),
            (
                "usual_end",
                span.usual_end,
                Label { ja: "標準の時期の終わり", en: "end of the usual time" },
                WEEKS_BEFORE,
            ),
            ("ends", Some(span.ends), span.last_day, WEEKS_BEFORE),
        ];
        let mut count = 0;
        for (edge, day, label, reminder) in days {
            // What has begun needs no reminder that it begins.
            let over = |day: CalendarDate| day < who.today || (edge == "begins" && day == who.today);
            let Some(day) = day.filter(|day| !over(*day)) else { continue };
            let name = &span.name;
            let label = lang.label(label);
            let [kind, one, other] = span.key;
            self.calendar.events.push(Event {
                uid: uid(&["person", &who.place.to_string(), &who.birth.to_string(), kind, one, other, edge]),
                first: day,
                last: day,
                summary: lang.t(&format!("{name}（{label}）"), &format!("{name} ({label})")).to_owned(),
                description: Some(span.description.clone()),
                location: None,
                category: Some(span.category.to_owned()),
                reminder: Some(reminder),
            });
            count += 1;
        }
        count
    }
}

/// Whose calendar it is. Of the person only her birth date enters a name, which the days of her vaccinations tell
/// anyway, and her place among the holder's, which tells twins apart.
struct Who {
    place: usize,
    birth: CalendarDate,
    sex: Sex,
    today: CalendarDate,
    lang: Lang,
}

/// A time in which something is possible.
struct Span<'a> {
    key: [&'a str; 3],
    name: String,
    begins: CalendarDate,
    usual_end: Option<CalendarDate>,
    ends: CalendarDate,
    /// What the last day is called.
    last_day: Label,
    description: String,
    category: &'static str,
}

/// Who tells of it.
struct School<'a> {
    institution: &'a str,
    holder: &'a str,
    lang: Lang,
}

impl School<'_> {
    /// The last day for a thing that is still wanted.
    fn hand_in(&self, it: &HandIn, key: &[&str]) -> Option<Event> {
        let wanted = it.standing == Standing::Valid && it.state == HandInState::Open;
        let due = it.due.filter(|_| wanted)?;
        let what = self.lang.summary(&it.what);
        let summary = self.lang.t(&format!("提出期限：{what}"), &format!("To hand in: {what}")).to_owned();
        Some(Event {
            uid: uid(&[&["school", "hand_in"], key].concat()),
            first: due,
            last: due,
            summary,
            description: Some(self.description(None, it.note.as_deref())),
            location: None,
            category: Some(self.lang.t("学校", "School").to_owned()),
            reminder: Some(EVENING_BEFORE),
        })
    }

    /// An event; of one with a time, the time is told, for ours are whole days.
    fn event(&self, it: &school::Event, key: &[&str]) -> Event {
        let lang = self.lang;
        let title = lang.summary(&it.title);
        let clock =
            it.from.clock().filter(|_| !it.all_day).map(|clock| format!("{clock} ")).unwrap_or_default();
        let tag = page::tag(it, lang);
        let tag = if tag.is_empty() {
            String::new()
        } else {
            lang.t(&format!("【{tag}】"), &format!("[{tag}] ")).to_owned()
        };
        Event {
            uid: uid(&[&["school", "event"], key].concat()),
            first: it.from.day,
            last: it.to.map_or(it.from.day, |to| to.day),
            summary: format!("{tag}{clock}{title}"),
            description: Some(self.description(Some(page::when(it, lang)), it.body.as_deref())),
            location: it.place.clone(),
            category: Some(lang.t("学校", "School").to_owned()),
            reminder: tag.is_empty().then_some(EVENING_BEFORE),
        }
    }

    fn description(&self, when: Option<String>, body: Option<&str>) -> String {
        let lines = [when.as_deref(), body, Some(self.holder)];
        lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }
}

/// A name of an event, the same at every download. Its parts are put apart, so that no two lists are one.
fn uid(parts: &[&str]) -> Uid {
    let mut apart = Vec::with_capacity(parts.len() * 2);
    let lengths: Vec<[u8; 8]> = parts.iter().map(|part| (part.len() as u64).to_be_bytes()).collect();
    for (part, length) in parts.iter().zip(&lengths) {
        apart.extend([length.as_slice(), part.as_bytes()]);
    }
    let Digest(bytes) = Digest::of(&apart);
    let mut name = [0; 16];
    name.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    Uid::from_hash(name)
}

/// The institution's own name of a record.
#[derive(Deserialize)]
struct Named {
    id: Option<String>,
}

impl Named {
    /// The resource's id, which stays when it is changed; without one its content names it.
    fn read(content: &[u8]) -> String {
        let id = serde_json::from_slice(content).ok().and_then(|Self { id }| id);
        id.unwrap_or_else(|| Digest::of(&[content]).hex())
    }
}

#[cfg(test)]
mod tests;
