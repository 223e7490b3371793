//! The school for real: staff at their commands, a guardian at her card, a relay with moods, and a mailbox.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod stage;

use std::collections::BTreeSet;
use std::time::Duration;

use hibiki_tests::house::House;
use hibiki_tests::post_office::Mood;
use serde_json::json;
use stage::Stage;

const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_registered_allergen_becomes_a_mail_and_a_changed_menu_a_correction() {
    let Some(mut stage) = Stage::open("alert") else { return };
    // She registers, and confirms her address with the code from the mail.
    let (taken, done) = stage.register(&["--allergen", "egg"]);
    assert!(done, "{taken}");
    assert_eq!(taken["allergens"], json!([{"code": "J9FB13000000", "id": "egg", "strict": false}]));
    assert_eq!(taken["receipt"]["entry"]["event"], "registration_changed");
    let (asked, done) = stage.register(&["--address", "hanako@example.jp"]);
    assert!(
        done && asked["address"].is_null() && asked["waiting"]["address"] == "hanako@example.jp",
        "{asked}"
    );
    let (wrong, done) = stage.register(&["--code", "000000"]);
    let code = stage.code("hanako@example.jp");
    if code != "000000" {
        assert!(!done && wrong["refused"] == "wrong_code", "{wrong}");
    }
    let (confirmed, done) = stage.register(&["--code", &code]);
    assert!(done && confirmed["address"] == "hanako@example.jp", "{confirmed}");

    // There is no menu for tomorrow yet: that is said, and nothing is called safe.
    let mails = stage.post.await_letters("hanako@example.jp", 2, PATIENCE);
    assert!(mails.len() == 2 && mails[1].subject.contains("確認できていません"), "{mails:#?}");

    // The kitchen's menu for tomorrow; nothing counts before it is accepted.
    stage.bring(&["ごはん、かきたま汁,鶏卵、にんじん、しょうゆ"]);
    assert_eq!(stage.lunches(), Vec::<String>::new(), "a draft is shown to nobody");
    stage.accept();
    let mails = stage.post.await_letters("hanako@example.jp", 3, PATIENCE);
    assert_eq!(mails.len(), 3, "the code, the warning and the alert: {mails:#?}");
    let alert = &mails[2];
    assert!(alert.subject.contains("給食のお知らせ（アレルギー）"), "{}", alert.subject);
    assert!(!alert.subject.contains(stage.given()) && !alert.subject.contains('卵'));
    for body in [&alert.text, &alert.html] {
        assert!(
            body.contains("鶏卵") && body.contains(stage.given()) && !body.contains(stage.family()),
            "{body}"
        );
    }
    assert_eq!(alert.auto_submitted.as_deref(), Some("auto-generated"));
    assert_eq!(stage.lunches(), [stage.lunch.to_string()], "what is accepted is in her view");

    // What became of the mail, for her and for staff.
    let state = stage.registration();
    assert_eq!(state["deliveries"][0]["kind"], "allergy");
    assert_eq!(state["deliveries"][0]["state"], "sent");
    assert_eq!(stage.staff(&["mail", "list"])["counts"]["sent"], 3);

    // The menu changes: a correction, under a name of its own. A node that was killed tells nothing twice.
    stage.bring(&["ごはん、みそ汁,にんじん、だいこん"]);
    stage.accept();
    let mails = stage.post.await_letters("hanako@example.jp", 4, PATIENCE);
    assert!(mails.len() == 4 && mails[3].subject.starts_with("【訂正】"), "{mails:#?}");
    stage.await_state("sent", |mails| mails["counts"]["sent"] == 4);
    stage.town.node_mut(House::School).kill();
    stage.town.start(House::School).unwrap();
    stage.staff(&["school", "alert", "run"]);
    std::thread::park_timeout(Duration::from_secs(1));
    let ids: BTreeSet<String> = stage.post.letters().into_iter().map(|letter| letter.id).collect();
    assert_eq!((ids.len(), stage.post.letters().len()), (4, 4));
    let plan = stage.staff(&["school", "alert", "plan"]);
    assert_eq!(plan["children"][0]["said"], "clear", "{plan}");
    stage.staff(&["school", "menu", "word", "set", "ひびき焼き", "--contains", "egg"]);
    stage.assert_rows_explained(&[
        "registration",
        "letter",
        "index of letters",
        "class",
        "day without lunch",
        "menu",
        "kitchen's word",
        "alert told",
        "command carried out",
    ]);
}

#[test]
fn whatever_the_relay_does_every_mail_arrives_under_one_name() {
    let Some(mut stage) = Stage::open("relay") else { return };
    stage.register(&["--allergen", "egg"]);
    stage.confirm("hanako@example.jp");
    let menus = ["鶏卵", "うずら卵", "鶏卵、うずら卵", "卵白", "全卵"];
    let moods = [Mood::Greylist, Mood::Deferred, Mood::Drop, Mood::Stall, Mood::Forget];
    for (number, (menu, mood)) in menus.into_iter().zip(&moods).enumerate() {
        stage.post.be(mood).unwrap();
        stage.bring(&[&format!("ごはん、スープ,{menu}")]);
        stage.accept();
        stage.await_state("failed or delayed", |mails| {
            let newest = &mails["mails"][0]["status"];
            newest["state"] == "sent" || newest["attempts"].as_u64().is_some_and(|attempts| attempts > 0)
        });
        assert_eq!(stage.staff(&["mail", "list"])["counts"]["failed"], 0, "{mood:?}: for now only");
        stage.post.be(&Mood::Ok).unwrap();
        stage.staff(&["mail", "retry", "all"]);
        // One more: that there was no menu yet.
        let wanted = number + 2;
        let to_her = || -> BTreeSet<String> {
            let letters = stage.post.letters().into_iter().filter(|it| it.subject.contains("アレルギー"));
            letters.map(|it| it.id).collect()
        };
        assert!(
            hibiki_tests::clock::wait_until(PATIENCE, || to_her().len() == wanted),
            "{mood:?}: {:?}",
            to_her()
        );
        stage.await_state("sent", |mails| mails["mails"][0]["status"]["state"] == "sent");
    }
    // The relay is away: mails wait, the board says so, and they go out once it is back.
    stage.post.stop();
    stage.bring(&["ごはん、スープ,鶏卵、豚肉、卵黄"]);
    stage.accept();
    stage.await_state("delayed", |mails| mails["mails"][0]["status"]["fault"] == "connection");
    assert!(stage.problems().contains("mail-relay"), "{}", stage.problems());
    stage.town.node_mut(House::School).kill();
    stage.post.start().unwrap();
    stage.town.start(House::School).unwrap();
    stage.staff(&["mail", "retry", "all"]);
    stage.await_state("sent", |mails| mails["mails"][0]["status"]["state"] == "sent");
    assert!(!stage.problems().contains("mail-relay"));
    // An address that does not exist any more: given up at once, and staff see it.
    stage.post.be(&Mood::Reject("hanako@example.jp".to_owned())).unwrap();
    stage.bring(&["ごはん、スープ,鶏卵、卵殻カルシウム、にんじん"]);
    stage.accept();
    stage.bring(&["ごはん、スープ,にんじん"]);
    stage.accept();
    stage.await_state("failed", |mails| mails["mails"][0]["status"]["fault"] == "rejected");
    stage.staff(&["school", "alert", "run"]);
    assert!(stage.problems().contains("school-lunch"), "{}", stage.problems());
    assert_eq!(stage.registration()["deliveries"][0]["state"], "failed");
}

#[test]
fn what_is_wrong_is_refused_with_a_word_of_what_to_do() {
    let Some(stage) = Stage::open("refused") else { return };
    let refused = |words: &[&str], file: Option<&str>, part: &str| {
        let said = stage.refused(words, file);
        assert!(said.contains(part), "{words:?}: {said}");
    };
    refused(&["school", "menu", "import"], Some("日付と献立\nのない表"), "献立");
    refused(&["school", "menu", "accept", "--from", "2026-12-02", "--to", "2026-12-01"], None, "終わりの日");
    refused(
        &[
            "school",
            "day",
            "add",
            "--from",
            "2026-12-01",
            "--kind",
            "closed",
            "--class",
            "9-9",
            "--reason",
            "x",
        ],
        None,
        "学級",
    );
    refused(&["school", "registration", "set", "99999", "--allergen", "egg"], None, "児童");
    refused(&["school", "pupil", "import"], Some("氏名,学級\n前橋 花子,3-2\n"), "学籍番号");
    refused(&["school", "menu", "word", "set", "卵", "--contains", "eggs"], None, "egg");
    refused(&["mail", "show", "nothing"], None, "mail list");
    refused(&["mail", "test", "nobody"], None, "example.jp");
    let (unknown, done) = stage.register_as(&["--address", "not an address"]);
    assert!(!done && unknown["refused"] == "not_an_address", "{unknown}");
    stage.bring(&["ごはん、スープ,にんじん、なぞのもと"]);
    let accept = stage.accepted(&[]);
    assert!(accept.contains("なぞのもと"), "{accept}");
    assert_eq!(stage.lunches(), Vec::<String>::new());
}

#[test]
fn what_the_school_tells_reaches_the_right_child_and_those_who_want_a_mail() {
    let Some(mut stage) = Stage::open("tells") else { return };
    stage.confirm("hanako@example.jp");
    assert!(stage.register(&["--mail", "notice", "--mail", "hand_in", "--mail", "gate"]).1);
    let number = stage.number.clone();
    let sent = stage.staff(&[
        "school",
        "notice",
        "send",
        "--class",
        "3-2",
        "--title",
        "遠足のしおり",
        "--text",
        "雨天中止です",
    ]);
    stage.staff(&[
        "school",
        "notice",
        "send",
        "--pupil",
        &number,
        "--title",
        "朝の検温のお願い",
        "--text",
        "金曜の三時です",
    ]);
    let asked = stage.staff(&[
        "school",
        "hand-in",
        "add",
        "--class",
        "3-2",
        "--title",
        "保険証のコピー",
        "--due",
        &stage.lunch.to_string(),
    ]);
    let hand_in = asked["id"].as_str().unwrap().to_owned();
    let event = stage.staff(&[
        "school",
        "event",
        "add",
        "--title",
        "運動会",
        "--from",
        &stage.lunch.to_string(),
        "--bring",
        "水筒",
    ]);
    stage.staff(&["school", "gate", "touch", &number, "in"]);
    stage.staff(&["school", "gate", "touch", &number, "in"]);

    let seen = stage.records(&["school_notice", "school_event", "school_gate"]);
    for title in ["遠足のしおり", "朝の検温のお願い", "保険証のコピー", "運動会"] {
        assert!(seen.contains(title), "{title}: {seen}");
    }
    assert!(seen.contains("\"requested\"") && seen.matches("school_gate").count() == 1, "{seen}");
    let mails = stage.post.await_letters("hanako@example.jp", 5, PATIENCE);
    let subjects: Vec<&str> = mails.iter().map(|it| it.subject.as_str()).collect();
    assert_eq!(mails.len(), 5, "code, two notices, one thing to hand in, one touch: {subjects:?}");
    for mail in &mails {
        assert!(!mail.subject.contains(stage.given()) && !mail.text.contains(stage.family()), "{mail:?}");
    }

    stage.staff(&["school", "hand-in", "mark", &hand_in, &number]);
    stage.staff(&["school", "event", "remove", event["id"].as_str().unwrap()]);
    stage.staff(&["school", "notice", "withdraw", sent["id"].as_str().unwrap()]);
    let seen = stage.records(&["school_notice", "school_event"]);
    for status in ["\"completed\"", "\"cancelled\"", "\"entered-in-error\""] {
        assert!(seen.contains(status), "{status}: {seen}");
    }
    let shown = stage.staff(&["school", "hand-in", "show", &hand_in]);
    let done = shown["pupils"].as_array().unwrap().iter().filter(|pupil| pupil["state"] == "done").count();
    assert_eq!(done, 1);
    // A classmate's mother sees the class's notice and neither the talk nor the gate.
    let hers = stage.classmate_records(&["school_notice", "school_gate"]);
    assert!(
        hers.contains("遠足のしおり") && !hers.contains("朝の検温のお願い") && !hers.contains("school_gate"),
        "{hers}"
    );
    let calendar = stage.staff(&["school", "event", "export"])["calendar"].as_str().unwrap().to_owned();
    assert!(calendar.starts_with("BEGIN:VCALENDAR") && !calendar.contains("運動会"), "{calendar}");
    stage.account("tanaka", "nutritionist", "けんこうだいいちのきゅうしょく");
    stage.assert_rows_explained(&[
        "notice",
        "thing to hand in",
        "hand-in of a pupil",
        "event",
        "gate",
        "account",
    ]);
}

#[test]
fn staff_work_at_their_page_in_their_own_name() {
    let Some(stage) = Stage::open("staff") else { return };
    stage.account("tanaka", "nutritionist", "けんこうだいいちのきゅうしょく");
    let page = stage.log_in("tanaka", "けんこうだいいちのきゅうしょく").expect("she may come in");
    assert!(
        page.contains("献立") && page.contains("アレルギーのお知らせ") && !page.contains("名簿を取り込む"),
        "{page}"
    );
    assert!(stage.log_in("tanaka", "something else").is_none());
}
