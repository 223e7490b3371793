//! The same through the admin commands, as the command line asks.

use serde_json::{Value, json};

use super::*;
use crate::admin::{AdminError, Event, Request as Asked, Responder, Router};
use crate::ledger::{Logged, details};

async fn ask(
    world: &World,
    command: &str,
    arguments: Value,
    staff: Option<&str>,
) -> Result<(Value, Vec<Value>), AdminError> {
    let mut router = Router::new();
    super::super::commands::register(&mut router, &world.registry);
    let (responder, mut events, _cancel) = Responder::channel();
    let result = router.dispatch(Asked::local(command, arguments, staff), responder).await?;
    let mut rows = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let Event::Row(row) = event {
            rows.push(row);
        }
    }
    Ok((result, rows))
}

#[tokio::test]
async fn a_guardianship_from_proposal_to_its_end() {
    let mut world = World::new().await;
    let propose = json!({ "action": "propose", "guardian": "M", "child": "D", "basis": "parental-sole" });
    let unsigned = ask(&world, "guardianship", propose.clone(), None).await.unwrap_err();
    assert_eq!(unsigned.next.as_deref(), Some("repeat it with --staff NAME"));
    let (proposed, _) = ask(&world, "guardianship", propose, Some("Sato")).await.unwrap();
    assert_eq!(
        (&proposed["until"], &proposed["standing"]),
        (&json!("2036-04-02"), &json!("awaits_approval"))
    );
    let confirm = json!({ "action": "confirm", "id": proposed["id"] });
    let same = ask(&world, "guardianship", confirm.clone(), Some("sato")).await.unwrap_err();
    assert!(same.what.contains("second clerk"), "{same}");
    ask(&world, "guardianship", confirm, Some("Tanaka")).await.unwrap();
    assert_eq!(world.may_act_for().await.len(), 2);
    let list = json!({ "action": "list", "resident": "D" });
    let (count, rows) = ask(&world, "guardianship", list, None).await.unwrap();
    assert_eq!((&count["guardianships"], &rows[0]["standing"]), (&json!(1), &json!("in_force")));
    ask(&world, "guardianship", json!({ "action": "end", "id": proposed["id"] }), Some("Sato"))
        .await
        .unwrap();
    assert_eq!(world.may_act_for().await.len(), 1);
    let looks: Vec<details::Staff> =
        world.town.house("city-hall").logged().iter().filter_map(Logged::details).collect();
    assert!(looks.iter().any(|look| look.action == "guardianships listed" && look.by.starts_with("uid ")));
}

#[tokio::test]
async fn what_is_wrong_is_said_with_its_place() {
    let world = World::new().await;
    for (command, arguments, expected) in [
        (
            "guardianship",
            json!({ "action": "propose", "guardian": "M", "child": "D", "basis": "love" }),
            "basis",
        ),
        (
            "guardianship",
            json!({ "action": "propose", "guardian": "M", "child": "D", "basis": "foster", "from": "13月" }),
            "argument \"from\"",
        ),
        (
            "guardianship",
            json!({ "action": "propose", "guardian": "M", "child": "D", "basis": "foster" }),
            "--document",
        ),
        ("guardianship", json!({ "action": "confirm", "id": "zz" }), "list"),
        ("guardianship", json!({ "action": "dance" }), "arguments"),
        ("resident", json!({ "action": "show", "number": "??" }), "argument \"number\""),
        ("resident", json!({ "action": "show", "number": "Z9" }), "enter the resident first"),
        ("resident", json!({ "action": "tokens", "member": "x" }), "federation/member"),
        (
            "resident",
            json!({ "action": "add", "number": "1", "name": "a", "kana": "ア", "birth_date": "?", "sex": "1" }),
            "argument \"birth_date\"",
        ),
        ("card", json!({ "action": "remove", "resident": "F" }), "no card"),
        (
            "hold",
            json!({ "action": "place", "child": "D", "reason_reference": " ", "review_by": "2027-01-01" }),
            "--reason-reference",
        ),
        ("hold", json!({ "action": "lift", "id": "00" }), "list"),
    ] {
        let error = ask(&world, command, arguments, Some("Sato")).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{command}: {error}");
    }
}

#[tokio::test]
async fn tokens_come_as_lines_and_holds_show_who_has_not_acknowledged() {
    let world = World::new().await;
    let tokens = json!({ "action": "tokens", "member": "maebashi/clinic", "residents": ["D"] });
    let (summary, rows) = ask(&world, "resident", tokens, Some("Sato")).await.unwrap();
    assert_eq!((&summary["tokens"], rows.len()), (&json!(1), 1));
    assert_eq!(rows[0]["audience"], "maebashi/clinic");
    let means = world.town.means("clinic");
    let opened = crate::linkage::token::read_line(
        &rows[0].to_string(),
        &means.own,
        &means.keys,
        world.town.trust().list(),
        Timestamp(NOW),
    );
    assert!(opened.is_ok());
    let place =
        json!({ "action": "place", "child": "D", "reason_reference": "R8-1", "review_by": "令和9年3月31日" });
    let (placed, _) = ask(&world, "hold", place, Some("Sato")).await.unwrap();
    let (_, rows) = ask(&world, "hold", json!({ "action": "list" }), None).await.unwrap();
    assert_eq!((&rows[0]["id"], &rows[0]["review_by"]), (&placed["id"], &json!("2027-03-31")));
    let members = rows[0]["members"].as_array().unwrap();
    assert_eq!(members.len(), 3);
    assert!(members.iter().all(|member| member["acknowledged"].is_null()));
    let lift = json!({ "action": "lift", "id": placed["id"] });
    let (first, _) = ask(&world, "hold", lift.clone(), Some("Sato")).await.unwrap();
    assert_eq!(first["standing"], "lift_awaits_second_clerk");
    let (second, _) = ask(&world, "hold", lift, Some("Tanaka")).await.unwrap();
    assert_eq!(second["standing"], "lifted");
}
