//! The report: verified, altered, signed by another key; mutants that slip through.

use std::fs;

use hibiki_audit::report::{canonical, differences};
use hibiki_audit::{page, signing};
use serde_json::{Value, json};

use crate::federation::*;

#[test]
fn every_figure_is_computed_again() {
    let town = Town::honest();
    let report = town.audit();
    let claimed: Value = serde_json::from_str(&canonical(&report).unwrap()).unwrap();
    let found = serde_json::to_value(town.audit()).unwrap();
    assert_eq!(differences(&claimed, &found), Vec::<String>::new());
    let mut numbers = Vec::new();
    leaves(&claimed, String::new(), &mut numbers);
    assert!(numbers.len() > 60, "{numbers:?}");
    for path in &numbers {
        let mut altered = claimed.clone();
        let value = altered.pointer_mut(path).unwrap();
        *value = match &value {
            Value::Bool(said) => json!(!*said),
            Value::Number(number) => json!(number.as_u64().unwrap() + 1),
            _ => json!("something else"),
        };
        let differences = differences(&altered, &found);
        assert!(
            differences.len() == 1 && differences[0].starts_with(path.as_str()),
            "{path}: {differences:?}"
        );
    }
    // A strand that is left out, or added.
    let mut shorter = claimed.clone();
    shorter["strands"].as_array_mut().unwrap().remove(3);
    assert!(differences(&shorter, &found)[0].starts_with("/strands: "));
}

/// Paths of everything in it that is no object and no list.
fn leaves(value: &Value, path: String, all: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            leaves(value, format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")), all);
        }),
        Value::Array(items) => {
            items.iter().zip(0..).for_each(|(value, n)| leaves(value, format!("{path}/{n}"), all));
        }
        _ => all.push(path),
    }
}

#[test]
fn canonical_means_sorted_and_without_spaces() {
    let text = canonical(&Town::honest().audit()).unwrap();
    assert!(text.starts_with("{\"format\":\"hibiki-audit-report/1\",\"limits\":["), "{}", &text[..80]);
    let mut names = Vec::new();
    sorted(&serde_json::from_str(&text).unwrap(), &mut names);
    // RFC 8785: names in ascending order, numbers as they are shortest: whole ones here.
    assert!(names.iter().all(|pair: &(String, String)| pair.0 < pair.1));
    assert!(!text.contains(": ") || text.matches("\": ").count() == 0);
}

fn sorted(value: &Value, pairs: &mut Vec<(String, String)>) {
    if let Value::Object(fields) = value {
        pairs.extend(fields.keys().cloned().zip(fields.keys().skip(1).cloned()));
        fields.values().for_each(|value| sorted(value, pairs));
    } else if let Value::Array(items) = value {
        items.iter().for_each(|value| sorted(value, pairs));
    } else if let Value::Number(number) = value {
        assert!(number.is_u64(), "{number}");
    }
}

#[test]
fn a_signature_is_of_one_key_and_one_report() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let vkey = signing::generate("ppc.example/hibiki", &at("key")).unwrap().parse().unwrap();
    let other = signing::generate("ppc.example/hibiki", &at("other")).unwrap().parse().unwrap();
    assert!(signing::generate("ppc.example/hibiki", &at("key")).is_err(), "a key is not overwritten");
    let signed = signing::sign(&signing::read(&at("key")).unwrap(), b"report").unwrap();
    fs::write(at("note"), &signed).unwrap();
    assert_eq!(signing::verify(&vkey, &at("note"), b"report"), Ok(()));
    assert!(signing::verify(&other, &at("note"), b"report").unwrap_err().contains("not signed by"));
    assert!(signing::verify(&vkey, &at("note"), b"report.").unwrap_err().contains("another report"));
    for at_byte in [3, 30, signed.len() - 4] {
        let mut altered = signed.clone().into_bytes();
        altered[at_byte] ^= 1;
        fs::write(at("altered"), &altered).unwrap();
        assert!(signing::verify(&vkey, &at("altered"), b"report").is_err(), "altered at {at_byte}");
    }
    fs::write(at("key"), "no key").unwrap();
    assert!(signing::read(&at("key")).is_err());
    assert!(signing::verify(&vkey, &at("nothing"), b"report").is_err());
}

#[test]
fn a_mutant_that_slips_through() {
    let town = Town::honest();
    // What it keeps is encrypted, and the strand named for it cannot see that.
    town.put_file("mutants/cache/members/city-hall/disk/data/answers.cache", b"sealed");
    let report = town.audit();
    wrong(strand(&report, "mutants"), "`cache` (leaks by cache) was not caught by `canaries`");
    assert!(!report.passed && strand(&report, "canaries").passed);
    town.write();
    // Nothing but an artefact that cannot be read is no catch either.
    town.put_file("mutants/store/members/city-hall/store.ndjson", b"{");
    wrong(strand(&town.audit(), "mutants"), "`store`");
    town.write();
    town.put_file("mutants/xor/mutant.json", b"{\"strand\":\"nonsense\"}");
    wrong(strand(&town.audit(), "mutants"), "was not caught by `nonsense`");
}

#[test]
fn the_page_stands_by_itself_and_repeats_no_secret() {
    let town = Town::honest();
    town.put_file(
        "run.json",
        json!({ "run": "<script>x</script>", "views": 1, "limits": ["<b>"] }).to_string().as_bytes(),
    );
    let report = town.audit();
    let html = page::page(&report);
    assert!(html.starts_with("<!DOCTYPE html><html lang=\"ja\">"));
    assert!(html.contains("合格 <span class=en>/ PASSED</span>") && html.contains("示していないこと"));
    assert!(html.contains("&lt;script&gt;x&lt;/script&gt;") && html.contains("<li>&lt;b&gt;"));
    assert!(
        !html.contains("<script") && !html.contains("src=") && !html.contains("http"),
        "nothing is loaded"
    );
    for strand in &report.strands {
        assert!(html.contains(&strand.asked[0]) && html.contains(&strand.asked[1]), "{}", strand.name);
        let at = |text: &str| html.find(text).unwrap();
        assert!(at(&strand.asked[0]) < at(&strand.asked[1]), "Japanese first");
    }
    assert!(town.canaries.iter().all(|it| !html.contains(&it.text)));
    town.put_file("members/city-hall/disk/node.log", town.canary_of(HOSPITAL, "latin").as_bytes());
    let html = page::page(&town.audit());
    assert!(html.contains("不合格") && html.contains("lies in members/city-hall/disk/node.log"));
    assert!(town.canaries.iter().all(|it| !html.contains(&it.text)));
}
