//! 書き出し: what a guardian takes home, as a patient summary, a calendar or on paper.
//!
//! A saved file stays on the machine's disk, which nothing else of a session does: the page says so, and where the
//! page is served at a kiosk nothing is offered and nothing is given.

mod dates;
mod summary;

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Redirect, Response};
use hibiki_records::date::CalendarDate;
use hibiki_records::ips;

use self::dates::Dates;
use super::coverage::Coverage;
use super::{Frame, Seated, shown};
use crate::clock;

#[derive(Template)]
#[template(path = "export.html")]
struct Export {
    /// Whether files may be saved here.
    downloads: bool,
    /// Whether there is anything to write down: something has landed, or nothing more will.
    ready: bool,
    /// Whether a summary can say whose it is.
    summary: bool,
    /// Records in it.
    records: usize,
    dates: dates::Counts,
    coverage: Coverage,
    f: Frame,
}

/// `GET /person/{person}/export`.
pub(super) async fn page(seated: Seated) -> Response {
    let coverage = seated.coverage().not(
        "書き出したファイルにも、その機関の記録は入りません。記録がないという意味ではありません。",
        "Its records are not in the files either. This does not mean that there are none.",
    );
    let counts = Dates::of(&seated).counts;
    shown(&Export {
        downloads: seated.downloads,
        ready: ready(&seated),
        summary: seated.birth().is_some(),
        records: summary::records(&seated),
        dates: counts,
        coverage,
        f: seated.frame,
    })
}

/// `GET /person/{person}/export/ips.json`: the International Patient Summary.
pub(super) async fn ips(seated: Seated) -> Response {
    if !seated.downloads || !ready(&seated) {
        return back(&seated);
    }
    let mut id = [0; 16];
    if getrandom::fill(&mut id).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    match summary::write(&seated, id) {
        Some(document) => file(seated.today(), "ips", "json", ips::MEDIA_TYPE, document.json),
        None => back(&seated),
    }
}

/// `GET /person/{person}/export/calendar.ics`: events, things to hand in, vaccinations and check-ups to come.
pub(super) async fn calendar(seated: Seated) -> Response {
    if !seated.downloads || !ready(&seated) {
        return back(&seated);
    }
    let text = Dates::of(&seated).calendar.write(clock::now().0);
    file(seated.today(), "calendar", "ics", "text/calendar; charset=utf-8", text)
}

fn ready(seated: &Seated) -> bool {
    !seated.view.parts.is_empty() || seated.view.ended.is_some()
}

fn back(seated: &Seated) -> Response {
    Redirect::to(&format!("/person/{}/export", seated.frame.person())).into_response()
}

/// What is saved. Its name says what it is and of which day, and nothing of anybody.
fn file(
    today: Option<CalendarDate>,
    what: &str,
    ending: &str,
    media_type: &str,
    content: String,
) -> Response {
    let disposition = format!("attachment; filename=\"{}\"", file_name(today, what, ending));
    ([(CONTENT_TYPE, media_type.to_owned()), (CONTENT_DISPOSITION, disposition)], content).into_response()
}

fn file_name(today: Option<CalendarDate>, what: &str, ending: &str) -> String {
    match today {
        Some(day) => format!("hibiki-{what}-{}.{ending}", day.to_string().replace('-', "")),
        None => format!("hibiki-{what}.{ending}"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use hibiki_protocol::session::Relation;

    use super::super::tests::{EVIL, body, record, seated};
    use super::*;
    use crate::web::Lang;

    fn anybody() -> Seated {
        let content = serde_json::json!({"resourceType": "Appointment", "status": "booked", "description": EVIL,
            "start": "2026-12-04T08:30:00+09:00"});
        let records = vec![record(hibiki_records::category::Category::SchoolEvent, "2026-12-04", &content)];
        seated(records, Relation::Child, "2026-01-18", Lang::Ja)
    }

    #[tokio::test]
    async fn files_are_given_and_at_a_kiosk_they_are_not() {
        for (given, media_type) in [
            (ips(anybody()).await, "application/fhir+json"),
            (calendar(anybody()).await, "text/calendar; charset=utf-8"),
        ] {
            assert_eq!(given.status(), StatusCode::OK);
            assert_eq!(given.headers()[CONTENT_TYPE], media_type);
            let name = given.headers()[CONTENT_DISPOSITION].to_str().unwrap();
            assert!(name.is_ascii() && name.starts_with("attachment; filename=\"hibiki-"), "{name}");
        }
        assert!(body(page(anybody()).await).await.contains("/export/ips.json"));

        let kiosk = || {
            let mut seated = anybody();
            seated.downloads = false;
            seated
        };
        for refused in [ips(kiosk()).await, calendar(kiosk()).await] {
            assert_eq!(refused.status(), StatusCode::SEE_OTHER);
            assert_eq!(refused.headers()["location"], "/person/1/export");
            assert!(refused.headers().get(CONTENT_DISPOSITION).is_none());
        }
        let said = body(page(kiosk()).await).await;
        assert!(
            !said.contains("/export/ips.json") && said.contains("この端末では、ファイルを保存できません")
        );

        // Before anything has landed there is nothing to give.
        let mut early = anybody();
        early.view.parts.clear();
        early.view.ended = None;
        assert_eq!(calendar(early).await.status(), StatusCode::SEE_OTHER);
    }

    #[test]
    fn a_file_is_attached_under_a_name_that_tells_of_nobody() {
        let today = Some("2026-11-26".parse().unwrap());
        let response = file(today, "ips", "json", ips::MEDIA_TYPE, "{}".to_owned());
        let header = |name| response.headers().get(name).unwrap().to_str().unwrap();
        assert_eq!(header(CONTENT_DISPOSITION), "attachment; filename=\"hibiki-ips-20261126.json\"");
        assert_eq!(header(CONTENT_TYPE), "application/fhir+json");
        assert_eq!(file_name(today, "calendar", "ics"), "hibiki-calendar-20261126.ics");
        assert_eq!(file_name(None, "calendar", "ics"), "hibiki-calendar.ics");
    }
}
