//! 学校: what is to be handed in, what is on, and what the school has written.

use askama::Template;
use axum::extract::Path;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Redirect, Response};
use hibiki_records::category::Category;
use hibiki_records::date::{CalendarDate, Weekday};
use hibiki_records::fhir::Standing;
use hibiki_records::gate::Touch;
use hibiki_records::school::{
    self, Attachment, Event, EventState, HandIn, HandInState, Matter, Moment, Notice, Timetable,
};
use hibiki_records::words::summary;

use super::coverage::Coverage;
use super::{Frame, Seated, shown};
use crate::web::Lang;

#[derive(Template)]
#[template(path = "school.html")]
struct School {
    hand_ins: Vec<HandInLine>,
    coming: Vec<EventLine>,
    past: Vec<EventLine>,
    timetables: Vec<TimetableShown>,
    notices: Vec<NoticeLine>,
    gates: Vec<GateLine>,
    coverage: Coverage,
    f: Frame,
}

/// A class's week.
struct TimetableShown {
    title: String,
    days: Vec<&'static str>,
    rows: Vec<(usize, Vec<String>)>,
    holder: String,
}

/// A file of a notice that can be saved.
struct FileLine {
    number: usize,
    title: String,
}

/// A touch at the gate.
struct GateLine {
    order: Option<Touch>,
    when: String,
    holder: String,
}

struct HandInLine {
    what: String,
    note: Vec<String>,
    due: String,
    class: &'static str,
    tag: String,
    holder: String,
}

struct EventLine {
    when: String,
    title: String,
    place: String,
    body: Vec<String>,
    tag: &'static str,
    holder: String,
}

struct NoticeLine {
    title: String,
    urgent: bool,
    sent: String,
    body: Vec<String>,
    files: Vec<FileLine>,
    attachments: String,
    tag: &'static str,
    holder: String,
}

/// What has been read, each with its place in the order of the page.
#[derive(Default)]
struct Sorted {
    hand_ins: Vec<((bool, Option<CalendarDate>), HandInLine)>,
    coming: Vec<(Moment, EventLine)>,
    past: Vec<(Moment, EventLine)>,
    notices: Vec<(Option<Moment>, NoticeLine)>,
    timetables: Vec<TimetableShown>,
    /// Files seen until now: the number of the next.
    files: usize,
}

/// `GET /person/{person}/school`.
pub(super) async fn page(seated: Seated) -> Response {
    let (lang, today) = (seated.lang(), seated.today());
    let mut sorted = Sorted::default();
    for category in [Category::SchoolNotice, Category::SchoolEvent] {
        for held in seated.held(category) {
            let holder = held.holder(lang);
            match school::read(category, &held.record.content) {
                Ok(matters) => matters.iter().for_each(|matter| sorted.take(matter, holder, today, lang)),
                Err(_) => sorted.notices.push((
                    held.record.date.as_str().parse().ok().map(|day| Moment { day, minute: None }),
                    NoticeLine {
                        title: lang.summary(&summary(category, &held.record.content)).to_owned(),
                        urgent: false,
                        sent: held.record.date.as_str().to_owned(),
                        body: Vec::new(),
                        files: Vec::new(),
                        attachments: String::new(),
                        tag: "",
                        holder: holder.to_owned(),
                    },
                )),
            }
        }
    }
    let gates = gates(&seated, lang);
    let Sorted { mut hand_ins, mut coming, mut past, mut notices, timetables, .. } = sorted;
    hand_ins.sort_by_key(|(order, _)| *order);
    coming.sort_by_key(|(from, _)| *from);
    past.sort_by_key(|(from, _)| std::cmp::Reverse(*from));
    notices.sort_by_key(|(sent, _)| std::cmp::Reverse(*sent));
    let coverage = seated.coverage().not(
        "お知らせや提出物がないという意味ではありません。",
        "This does not mean that there is no notice and nothing to hand in.",
    );
    shown(&School {
        hand_ins: hand_ins.into_iter().map(|(_, line)| line).collect(),
        coming: coming.into_iter().map(|(_, line)| line).collect(),
        past: past.into_iter().map(|(_, line)| line).collect(),
        notices: notices.into_iter().map(|(_, line)| line).collect(),
        timetables,
        gates,
        coverage,
        f: seated.frame,
    })
}

/// Touches at the gate, the latest first.
fn gates(seated: &Seated, lang: Lang) -> Vec<GateLine> {
    let line = |held: super::held::Held<'_>| {
        let touch = Touch::read(&held.record.content).ok();
        let when = match &touch {
            Some(touch) => {
                let way = lang.label(touch.direction.label());
                format!("{} {} {way}", lang.day(touch.day), touch.clock())
            }
            None => {
                let said = summary(Category::SchoolGate, &held.record.content);
                format!("{} {}", held.record.date.as_str(), lang.summary(&said))
            }
        };
        GateLine { order: touch, when, holder: held.holder(lang).to_owned() }
    };
    let mut gates: Vec<GateLine> = seated.held(Category::SchoolGate).map(line).collect();
    gates.sort_by_key(|gate| std::cmp::Reverse(gate.order));
    gates
}

impl Sorted {
    fn take(&mut self, matter: &Matter, holder: &str, today: Option<CalendarDate>, lang: Lang) {
        match matter {
            Matter::HandIn(it) => {
                let settled = it.standing != Standing::Valid || it.state != HandInState::Open;
                self.hand_ins.push(((settled, it.due), hand_in(it, holder, today, lang)));
            }
            Matter::Event(it) => {
                let last = it.to.unwrap_or(it.from).day;
                let over = today.is_some_and(|today| last < today);
                let place = if over { &mut self.past } else { &mut self.coming };
                place.push((it.from, event(it, holder, lang)));
            }
            Matter::Notice(it) => {
                self.notices.push((it.sent, notice(it, self.files, holder, lang)));
                self.files += it.files.len();
            }
            Matter::Timetable(it) => self.timetables.push(timetable(it, holder, lang)),
        }
    }
}

fn lines(text: Option<&String>) -> Vec<String> {
    text.iter().flat_map(|text| text.lines()).map(str::to_owned).collect()
}

fn withdrawn(standing: Standing, lang: Lang) -> Option<&'static str> {
    match standing {
        Standing::Valid => None,
        Standing::Negated => Some(lang.t("取りやめ", "Called off")),
        Standing::EnteredInError => Some(lang.t("取り消されました", "Withdrawn")),
    }
}

fn hand_in(it: &HandIn, holder: &str, today: Option<CalendarDate>, lang: Lang) -> HandInLine {
    let left = today.and_then(|today| it.days_left(today));
    let (class, tag) = match (withdrawn(it.standing, lang), left) {
        (Some(said), _) => ("closed", said.to_owned()),
        (None, Some(left)) if left < 0 => {
            ("overdue", lang.t("期限を過ぎています", "The day has passed").to_owned())
        }
        (None, Some(0)) => ("overdue", lang.t("今日まで", "Due today").to_owned()),
        (None, Some(left)) => match lang {
            Lang::Ja => ("due", format!("あと{left}日")),
            Lang::En => ("due", format!("{left} days left")),
        },
        (None, None) => (
            if it.state == HandInState::Done { "done" } else { "later" },
            lang.label(it.state.label()).to_owned(),
        ),
    };
    HandInLine {
        what: lang.summary(&it.what).to_owned(),
        note: lines(it.note.as_ref()),
        due: it.due.map(|day| lang.day(day)).unwrap_or_default(),
        class,
        tag,
        holder: holder.to_owned(),
    }
}

fn moment(moment: Moment, all_day: bool, lang: Lang) -> String {
    let day = lang.day(moment.day);
    match moment.clock().filter(|_| !all_day) {
        Some(clock) => format!("{day} {clock}"),
        None => day,
    }
}

/// From when until when.
pub(super) fn when(it: &Event, lang: Lang) -> String {
    let mut when = moment(it.from, it.all_day, lang);
    if let Some(to) = it.to.filter(|to| *to != it.from) {
        let end = if to.day == it.from.day { to.clock() } else { Some(moment(to, it.all_day, lang)) };
        if let Some(end) = end {
            when = format!("{when} 〜 {end}");
        }
    }
    when
}

/// What to know before going: called off, not yet certain; empty for most.
pub(super) fn tag(it: &Event, lang: Lang) -> &'static str {
    let state = match it.state {
        EventState::Planned => "",
        EventState::Tentative => lang.t("未定", "Not yet certain"),
        EventState::Cancelled => lang.t("中止", "Cancelled"),
    };
    withdrawn(it.standing, lang).unwrap_or(state)
}

fn event(it: &Event, holder: &str, lang: Lang) -> EventLine {
    EventLine {
        when: when(it, lang),
        title: lang.summary(&it.title).to_owned(),
        place: it.place.clone().unwrap_or_default(),
        body: lines(it.body.as_ref()),
        tag: tag(it, lang),
        holder: holder.to_owned(),
    }
}

/// A notice whose first file has this number.
fn notice(it: &Notice, number: usize, holder: &str, lang: Lang) -> NoticeLine {
    let file =
        |(place, file): (usize, &Attachment)| FileLine { number: number + place, title: file.title.clone() };
    NoticeLine {
        title: lang.summary(&it.title).to_owned(),
        urgent: it.urgent,
        sent: it.sent.map(|sent| moment(sent, false, lang)).unwrap_or_default(),
        body: lines(it.body.as_ref()),
        files: it.files.iter().enumerate().map(file).collect(),
        attachments: it.attachments.join(lang.t("、", ", ")),
        tag: withdrawn(it.standing, lang).unwrap_or_default(),
        holder: holder.to_owned(),
    }
}

fn timetable(it: &Timetable, holder: &str, lang: Lang) -> TimetableShown {
    let days: Vec<Weekday> = it.days.keys().copied().collect();
    let row = |period: usize| {
        let lessons = days.iter().map(|day| it.lesson(*day, period).unwrap_or("―").to_owned());
        (period + 1, lessons.collect())
    };
    TimetableShown {
        title: format!("{} {}", lang.t("時間割", "Timetable"), it.class),
        days: days.iter().map(|day| lang.label(day.label())).collect(),
        rows: (0..it.periods()).map(row).collect(),
        holder: holder.to_owned(),
    }
}

/// `GET /person/{person}/school/attachment/{number}`: a file of a notice, to keep.
pub(super) async fn attachment(Path((person, number)): Path<(usize, usize)>, seated: Seated) -> Response {
    let back = || Redirect::to(&format!("/person/{person}/school")).into_response();
    if !seated.downloads {
        return back();
    }
    let mut files = seated.held(Category::SchoolNotice).flat_map(|held| {
        let matters = school::read(Category::SchoolNotice, &held.record.content).unwrap_or_default();
        matters.into_iter().flat_map(|matter| match matter {
            Matter::Notice(notice) => notice.files,
            _ => Vec::new(),
        })
    });
    let Some(file) = files.nth(number) else { return back() };
    // A name may have any letters: RFC 6266 wants them encoded.
    let name: String = file.file_name().bytes().map(|byte| format!("%{byte:02X}")).collect();
    let headers = [
        (CONTENT_TYPE, file.media_type.to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename*=UTF-8''{name}")),
    ];
    (headers, file.bytes).into_response()
}
