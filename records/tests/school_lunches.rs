//! The school lunches of Kobe, two areas, every day of two years, read with the table of foods.
//!
//! They lie beside the repository (`../shared`), not in it; without them these tests say loudly that they
//! were skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use hibiki_records::allergen::Allergen;
use hibiki_records::lunch::{Certainty, Finding, Ingredient, Lexicon, Menu, Milk, Source, Survey, survey};

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared");

fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(SHARED).join(path);
    if !path.exists() {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIPPED: ../shared not present beside the workspace ({})\n", path.display()),
        );
        return None;
    }
    Some(path)
}

fn menus() -> Option<Vec<Menu>> {
    let path = shared("data/kobe-school-lunch/menus.ndjson")?;
    let menus = fs::read_to_string(path).unwrap();
    Some(menus.lines().map(menu).collect())
}

fn menu(line: &str) -> Menu {
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    let texts = |value: &serde_json::Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let ingredients = value["ingredients"].as_array().unwrap().iter().map(|one| Ingredient {
        name: one["name"].as_str().unwrap().to_owned(),
        dish: None,
        amount: None,
        label: None,
    });
    Menu {
        date: value["date"].as_str().unwrap().parse().unwrap(),
        kitchen: value["area"].as_str().unwrap().to_owned(),
        dishes: texts(&value["dishes"]),
        ingredients: ingredients.collect(),
        milk: Milk::Served,
        note: None,
    }
}

fn evident(survey: &Survey) -> BTreeSet<&'static str> {
    let sure = survey.findings.iter().filter(|finding| finding.certainty == Certainty::Evident);
    sure.map(|finding| finding.allergen.id()).collect()
}

#[test]
fn dump() {
    let Some(menus) = menus() else { return };
    let lexicon = Lexicon::default();
    for menu in &menus {
        let s = survey(menu, &lexicon);
        for u in &s.unknown {
            println!("UNKNOWN {u:?} {} {}", menu.kitchen, menu.date);
        }
        for f in &s.findings {
            if let Source::Dish(d) = &f.source {
                println!("DISH {d} {} {:?} {:?}", f.allergen, f.certainty, f.rule);
            }
        }
        println!(
            "DAY {} {} {}",
            menu.kitchen,
            menu.date,
            evident(&s).into_iter().collect::<Vec<_>>().join(" ")
        );
    }
    let Some(path) = shared("domain/kobe_ingredient_allergens.csv") else { return };
    let text = fs::read_to_string(path).unwrap();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let name = cells[0].trim_matches('"');
        let m = Menu {
            date: "2018-01-01".parse().unwrap(),
            kitchen: String::new(),
            dishes: vec!["ごはん".into()],
            ingredients: vec![Ingredient { name: name.into(), dish: None, amount: None, label: None }],
            milk: Milk::NotServed,
            note: None,
        };
        let s = survey(&m, &lexicon);
        let list = |c: Certainty| {
            s.findings
                .iter()
                .filter(|f| f.certainty == c)
                .map(|f| f.allergen.id())
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect::<Vec<_>>()
                .join("|")
        };
        let (e, p) = (list(Certainty::Evident), list(Certainty::CheckLabel));
        let se = s
            .findings
            .iter()
            .filter(|f| f.seasoning)
            .map(|f| f.allergen.id())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
            .join("|");
        let theirs_s = if cells[4] == "1" {
            let mut v: Vec<&str> =
                cells[2].split('|').chain(cells[3].split('|')).filter(|x| !x.is_empty()).collect();
            v.sort();
            v.dedup();
            v.join("|")
        } else {
            String::new()
        };
        let unk = if s.unknown.is_empty() { "" } else { "UNKNOWN" };
        if e != cells[2] || p != cells[3] || se != theirs_s || !unk.is_empty() {
            println!(
                "ING {name}: {unk} ours [{e}] [{p}] s[{se}] theirs [{}] [{}] s[{theirs_s}]",
                cells[2], cells[3]
            );
        }
    }
}
