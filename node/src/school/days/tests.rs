//! What the office enters becomes the calendar the alert goes by; nonsense does not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::Arc;

use hibiki_records::date::CalendarDate;
use hibiki_records::school_days::DayKind;
use serde_json::{Value, json};

use super::*;
use crate::admin::{AdminError, Request, Responder, Router};
use crate::institution::town::{DAY, Town};
use crate::school::office;

struct Office {
    town: Town,
    days: Arc<Days>,
    router: Router,
}

impl Office {
    /// A school of the classes 3-1 and 3-2; 3-2 eats from another kitchen.
    async fn new() -> Self {
        let town = Town::new(Vec::new());
        let roster = office::of_two_classes(&town).await;
        let days = Arc::new(Days::new(town.means("school")));
        let mut router = Router::new();
        commands::register(&mut router, &days, &roster);
        Self { town, days, router }
    }

    async fn ask(&self, command: &str, arguments: Value) -> Result<Value, AdminError> {
        let (responder, _events, _cancel) = Responder::channel();
        self.router.dispatch(Request::local(command, arguments, Some("sato")), responder).await
    }

    async fn add(&self, day: &str, kind: &str, more: Value) -> Result<Value, AdminError> {
        let mut arguments = json!({ "from": day, "kind": kind, "reason": " 遠　足 " });
        for (name, value) in more.as_object().unwrap() {
            arguments[name] = value.clone();
        }
        self.ask(commands::ADD, arguments).await
    }

    fn is_lunch(&self, day: &str, kitchen: &str, class: &str) -> bool {
        let day: CalendarDate = day.parse().unwrap();
        self.days.calendar().unwrap().on(day, Some(kitchen), Some(class)).is_lunch()
    }
}

#[tokio::test]
async fn exceptions_become_the_calendar_and_are_taken_out_again() {
    let office = Office::new().await;
    let changes = office.days.changes();
    let id =
        office.add("2026-11-30", "no_lunch", json!({ "class": "３年２組" })).await.unwrap()["id"].clone();
    assert!(changes.has_changed().unwrap());
    assert!(
        office.is_lunch("2026-11-30", "第1地区", "3-1") && !office.is_lunch("2026-11-30", "第2地区", "3-2")
    );
    office.add("2026-12-01", "closed", json!({ "kitchen": "第２地区", "to": "2026-12-03" })).await.unwrap();
    assert!(
        office.is_lunch("2026-12-02", "第1地区", "3-1") && !office.is_lunch("2026-12-02", "第2地区", "3-2")
    );
    office.add("2026-12-05", "lunch", json!({})).await.unwrap();
    assert!(office.is_lunch("2026-12-05", "第1地区", "3-1"), "a lesson on a Saturday");

    let listed = office.ask(commands::LIST, json!({ "from": "2026-12-01" })).await.unwrap();
    let brief: Vec<(&str, &str)> = listed["days"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["from"].as_str().unwrap(), it["kind"].as_str().unwrap()))
        .collect();
    assert_eq!(brief, [("2026-12-01", "closed"), ("2026-12-05", "lunch")]);
    let all = office.ask(commands::LIST, json!({})).await.unwrap();
    assert_eq!(
        all["days"][0],
        json!({ "id": id, "from": "2026-11-30", "to": "2026-11-30", "kind": "no_lunch", "class": "3-2",
            "kitchen": null, "reason": "遠 足" })
    );
    office.ask(commands::REMOVE, json!({ "id": id })).await.unwrap();
    assert!(office.is_lunch("2026-11-30", "第2地区", "3-2"));
    for gone in [id, json!(""), json!("zz"), json!("64")] {
        office.ask(commands::REMOVE, json!({ "id": gone })).await.unwrap_err();
    }
    let logged = office.town.house("school").logged();
    assert!(logged.len() >= 4, "every act is in the ledger: {}", logged.len());
}

#[tokio::test]
async fn nonsense_is_refused_with_its_place() {
    let office = Office::new().await;
    for (more, place) in [
        (json!({ "to": "2026-11-29" }), "argument to"),
        (json!({ "to": "2028-11-29" }), "argument to"),
        (json!({ "class": "9-9" }), "argument class"),
        (json!({ "kitchen": "第9地区" }), "argument kitchen"),
        (json!({ "class": "3-1", "kitchen": "第1地区" }), "argument class"),
        (json!({ "reason": " " }), "argument reason"),
        (json!({ "reason": "あ".repeat(101) }), "argument reason"),
        (json!({ "from": "2026-02-30" }), "command school day add"),
        (json!({ "kind": "holiday" }), "command school day add"),
        (json!({ "klass": "3-1" }), "command school day add"),
    ] {
        let error = office.add("2026-11-30", "closed", more.clone()).await.unwrap_err();
        assert_eq!(error.place.as_deref(), Some(place), "{more}: {error}");
        assert!(error.next.is_some(), "{more}");
    }
    assert_eq!(office.days.list().unwrap(), []);
    let (responder, _events, _cancel) = Responder::channel();
    let arguments = json!({ "from": "2026-11-30", "kind": "closed", "reason": "遠足" });
    let nameless = Request::local(commands::ADD, arguments, None);
    office.router.dispatch(nameless, responder).await.unwrap_err();
}

#[tokio::test]
async fn the_later_entry_counts_also_where_the_clock_was_set_back() {
    let office = Office::new().await;
    office.add("2026-12-07", "closed", json!({})).await.unwrap();
    office.town.clock.advance(DAY.wrapping_neg());
    office.add("2026-12-07", "lunch", json!({})).await.unwrap();
    assert!(office.is_lunch("2026-12-07", "第1地区", "3-1"));
    office.add("2026-12-07", "no_lunch", json!({})).await.unwrap();
    let day = "2026-12-07".parse().unwrap();
    assert_eq!(office.days.calendar().unwrap().on(day, None, None), DayKind::NoLunch("遠 足"));
}
