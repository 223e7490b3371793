//! What goes in, what is refused, what is said.

use std::path::{Path, PathBuf};

use hibiki_records::category::Category;
use serde_json::{Value, json};

use crate::world::{Node, SECRETS, dose, doses, patient};

fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")).join(path);
    if !path.exists() {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIPPED: ../shared not present beside the workspace ({})\n", path.display()),
        );
        return None;
    }
    Some(path)
}

fn number(value: &Value, field: &str) -> u64 {
    value["tally"][field].as_u64().unwrap_or_else(|| panic!("{field} in {value}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_101_children_go_in_exactly_once() {
    let Some(folder) = shared("data/synthea-r4-smart/children-ndjson") else { return };
    let node = Node::start().await;
    let files = [
        // Records before their person: the person is entered without facts, and gets them later.
        ("Immunization", Category::Immunization, 2_265),
        ("Patient", Category::Patient, 101),
        ("Observation-growth", Category::Growth, 2_362),
        ("AllergyIntolerance", Category::Allergy, 166),
    ];
    for round in 0..2 {
        for (file, category, count) in files {
            let (said, value) = node.import(&folder.join(format!("{file}.ndjson"))).await;
            assert_eq!(said.code, Some(0), "{said:?}");
            let expected = if round == 0 { (count, 0) } else { (0, count) };
            assert_eq!((number(&value, "added"), number(&value, "unchanged")), expected, "{file}: {value}");
            assert_eq!((number(&value, "replaced"), number(&value, "rejected")), (0, 0), "{value}");
            assert_eq!(value["tally"]["bytes"], value["tally"]["bytes_total"]);
            let people = if round == 0 && category == Category::Patient { 101 } else { 0 };
            assert_eq!(number(&value, "people"), people);
            assert_eq!(node.counts()[&category], count);
        }
    }
    let subjects = node.book.all_subjects(None, 1_000).unwrap();
    assert_eq!(subjects.len(), 101);
    assert!(subjects.iter().all(|(_, facts)| facts.is_some()), "every person has facts in the end");
    assert_eq!(node.logged().len(), 8);
    assert_eq!(node.logged()[0], (2_265, 0, 0));
    assert_eq!(node.logged()[4], (0, 2_265, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facts_are_kept_for_linking() {
    let node = Node::start().await;
    let (said, _) = node.import(&node.file("a.ndjson", doses(1))).await;
    assert_eq!(said.code, Some(0));
    let subject = node.book.find_by_local_number("K-2041").unwrap().unwrap();
    let facts = node.book.facts(subject).unwrap().unwrap();
    assert_eq!(facts.kana.as_deref(), Some("マエバシ ハナコ"));
    assert_eq!(facts.matching_name, hibiki_records::person::normalise_name("マエバシ ハナコ"));
    assert_eq!(facts.birth_date.to_string(), "2020-05-06");
    assert_eq!(node.counts(), [(Category::Patient, 1), (Category::Immunization, 1)].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_class_is_entered_with_its_pupils() {
    let node = Node::start().await;
    let class = |members: &[&str]| {
        let members: Vec<Value> = members
            .iter()
            .map(|number| json!({"entity": {"reference": format!("Patient/{number}")}}))
            .collect();
        json!({"resourceType": "Group", "id": "class-3-2", "type": "person", "actual": true, "member": members})
    };
    let notice = json!({"resourceType": "Communication", "id": "n1", "status": "completed",
        "subject": {"reference": "Group/class-3-2"}, "sent": "2025-04-10T08:00:00+09:00"});
    let file = node.file("class.ndjson", format!("{}\n{notice}\n", class(&["1", "2"])));
    let (said, value) = node.import(&file).await;
    assert_eq!((said.code, number(&value, "added"), number(&value, "groups")), (Some(0), 1, 1), "{said:?}");
    let pupil = node.book.find_by_local_number("2").unwrap().unwrap();
    let read = node.book.read(pupil, &[Category::SchoolNotice], None, Default::default()).unwrap();
    assert_eq!(read.records.len(), 1);
    assert!(read.records[0].from_group);
    let (_, value) = node.import(&file).await;
    assert_eq!((number(&value, "unchanged"), number(&value, "groups")), (1, 0));

    let crowd: Vec<String> = (0..2_000).map(|n| n.to_string()).collect();
    let crowd: Vec<&str> = crowd.iter().map(String::as_str).collect();
    let file = node.file("crowd.ndjson", format!("{}\n{notice}\n", class(&crowd)));
    let (said, value) = node.import(&file).await;
    assert_eq!((said.code, number(&value, "rejected")), (Some(1), 1), "{said:?}");
    assert!(said.err.contains("resource 1 (Group): more than 1999 members"), "{said:?}");
    let file =
        node.file("school.ndjson", format!("{}\n{}\n{notice}\n", patient("1"), class(&crowd[..1_999])));
    let (said, value) = node.import(&file).await;
    assert_eq!((said.code, number(&value, "groups")), (Some(0), 1), "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_is_refused_with_its_place_and_the_rest_goes_in() {
    let node = Node::start().await;
    let without_date = dose(2, "K-2041")
        .replace(",\"occurrenceDateTime\":\"2021-05-06\"", "")
        .replace("\"occurrenceDateTime\":\"2021-05-06\",", "");
    let huge = dose(3, "K-2041").replace("MR-vaccine", &"x".repeat(2 << 20));
    let lines = [
        patient("K-2041"),
        "{\"resourceType\":\"Patient\",\"name\":\"Hanako".to_owned(),
        dose(1, "K-2041"),
        without_date,
        "Hanako K-2041 \u{0}\u{1}".to_owned(),
        huge,
        dose(4, "K-2041"),
        json!({"resourceType": "Claim", "id": "c"}).to_string(),
    ];
    let file = node.file("mixed.ndjson", lines.join("\n"));
    let report = node.folder.path().join("refused.jsonl");
    let said = node
        .cli(&[
            "import",
            "--format-hint",
            "ndjson",
            "--report",
            report.to_str().unwrap(),
            file.to_str().unwrap(),
        ])
        .await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("一部を除いて取り込みました / imported except"), "{said:?}");
    for place in ["line 2", "line 4 (Immunization)", "line 5", "line 6"] {
        assert!(said.err.contains(place), "{place}: {said:?}");
    }
    assert_eq!(node.counts(), [(Category::Patient, 1), (Category::Immunization, 2)].into());
    assert_eq!(node.logged(), [(3, 0, 4)]);
    let report = std::fs::read_to_string(report).unwrap();
    let reasons: Vec<String> = report
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|line| format!("{} {}", line["place"]["line"], line["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(reasons, ["2 not_json", "4 no_date", "5 not_json", "6 resource_too_long"]);
    said.assert_without(SECRETS);
    assert!(SECRETS.iter().all(|secret| !report.contains(secret)));
    assert!(SECRETS.iter().all(|secret| !node.ledger_text().contains(secret)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_refusals_are_all_counted_and_few_shown() {
    let node = Node::start().await;
    let file = node.file("junk.ndjson", "{\"resourceType\":\"Patient\"}\n".repeat(3_000));
    let report = node.folder.path().join("refused.jsonl");
    let said = node.cli(&["import", "--report", report.to_str().unwrap(), file.to_str().unwrap()]).await;
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("and 2,980 more"), "{said:?}");
    assert_eq!(std::fs::read_to_string(report).unwrap().lines().count(), 3_000);
    assert_eq!(node.logged(), [(0, 0, 3_000)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_goes_in_and_a_truncated_one_is_refused_whole() {
    let node = Node::start().await;
    let entry = |resource: &str| format!("{{\"resource\":{resource}}}");
    let entries =
        [entry(&patient("K-2041")), entry(&dose(1, "K-2041")), entry("{\"resourceType\":\"Patient\"}")];
    let bundle =
        format!("{{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{}]}}", entries.join(","));
    let cut = &bundle[..bundle.len() - 40];
    let (said, value) = node.import(&node.file("cut.json", cut)).await;
    assert_eq!((said.code, number(&value, "added"), number(&value, "rejected")), (Some(1), 0, 1), "{said:?}");
    assert!(said.err.contains("document, byte"), "{said:?}");
    assert_eq!(node.counts(), [].into());
    let (said, value) = node.import(&node.file("whole.json", &bundle)).await;
    assert_eq!((said.code, number(&value, "added"), number(&value, "rejected")), (Some(1), 2, 1), "{said:?}");
    assert!(said.err.contains("entry 3 (Patient)"), "{said:?}");
    assert_eq!(value["tally"]["bytes"].as_u64(), Some(bundle.len() as u64));
    said.assert_without(SECRETS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn standard_input_and_several_files_work() {
    let node = Node::start().await;
    let said = node.cli_with_input(&["import", "--format", "json", "-"], doses(600).into_bytes()).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(node.counts()[&Category::Immunization], 600);
    let (a, b) = (node.file("a.ndjson", doses(1)), node.file("b.ndjson", ""));
    let said = node.cli(&["import", a.to_str().unwrap(), b.to_str().unwrap()]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("取り込みました / imported\n"), "{said:?}");
    let said = node.cli(&["import", "/does/not/exist"]).await;
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("/does/not/exist"), "{said:?}");
    let said = node.cli(&["import"]).await;
    assert_eq!(said.code, Some(2), "usage");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_node_reads_a_path_itself_but_only_a_file() {
    use hibiki_node::admin::client::{Call, call};
    let node = Node::start().await;
    let file = node.file("a.ndjson", doses(3));
    let ask = |path: PathBuf| {
        let socket = node.socket();
        tokio::task::spawn_blocking(move || {
            let arguments = json!({ "path": path });
            let asked = Call { socket: &socket, command: "import", arguments, staff: Some("Sato") };
            call(&asked, &mut |_| {})
        })
    };
    assert_eq!(ask(file).await.unwrap().unwrap()["added"], 4);
    assert!(node.ledger_text().contains("Sato"));
    let refused = ask(node.folder.path().to_owned()).await.unwrap().unwrap_err().to_string();
    assert!(refused.contains("no file"), "{refused}");
    let refused = ask(node.folder.path().join("missing")).await.unwrap().unwrap_err().to_string();
    assert!(refused.contains("cannot be opened"), "{refused}");
}
