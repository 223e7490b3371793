//! The menu files of Kobe as they are published: tables, JSON, calendars, and what was cut out of PDF sheets.
//!
//! They lie beside the repository (`../shared`), not in it; without them these tests say loudly that they
//! were skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use hibiki_records::lunch::{Defaults, Lexicon, LunchDay, Menu, Milk, Sheet, SheetFault, read_menus, survey};

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/kobe-school-lunch");

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

fn sheet(path: &Path, kitchen: Option<&str>) -> Result<Sheet, SheetFault> {
    let defaults =
        Defaults { kitchen: kitchen.map(str::to_owned), milk: Milk::Served, school_year: Some(2018) };
    read_menus(&fs::read(path).unwrap(), &defaults)
}

fn by_day(menus: Vec<Menu>) -> BTreeMap<String, Menu> {
    menus.into_iter().map(|menu| (format!("{} {}", menu.date, menu.kitchen), menu)).collect()
}

#[test]
fn table_and_json_tell_the_same() {
    let (Some(table), Some(json)) = (shared("menus_2018_area1_3.csv"), shared("menus.ndjson")) else {
        return;
    };
    let (table, json) = (sheet(&table, None).unwrap(), sheet(&json, None).unwrap());
    assert!(table.faults.is_empty() && json.faults.is_empty(), "{:?} {:?}", table.faults, json.faults);
    assert_eq!((table.menus.len(), json.menus.len()), (181, 671));
    assert_eq!(json.menus.iter().map(|menu| menu.ingredients.len()).sum::<usize>(), 12_531);
    let json = by_day(json.menus);
    for (day, menu) in by_day(table.menus) {
        assert_eq!(json.get(&day), Some(&menu), "{day}");
    }
}

#[test]
fn every_menu_fits_into_a_record() {
    let Some(json) = shared("menus.ndjson") else { return };
    let lexicon = Lexicon::default();
    let mut longest = 0;
    for menu in sheet(&json, None).unwrap().menus {
        let day = LunchDay { survey: survey(&menu, &lexicon), menu, revision: 1 };
        let content = day.to_cbor().unwrap();
        longest = longest.max(content.len());
        assert_eq!(LunchDay::read(&content), Ok(day));
    }
    assert!((1_000..16_000).contains(&longest), "{longest} of 65,536 bytes");
}

#[test]
fn calendars_tell_the_dishes_of_every_day() {
    let (Some(json), Some(one), Some(four)) =
        (shared("menus.ndjson"), shared("ics/1_3.ics"), shared("ics/4.ics"))
    else {
        return;
    };
    assert_eq!(sheet(&one, None), Err(SheetFault::NoKitchen));
    let (one, four) = (sheet(&one, Some("1_3")).unwrap(), sheet(&four, Some("4")).unwrap());
    assert!(one.faults.is_empty() && four.faults.is_empty(), "{:?} {:?}", one.faults, four.faults);
    assert_eq!((one.menus.len(), four.menus.len()), (694, 695));
    let calendars = by_day([one.menus, four.menus].concat());
    assert!(calendars.values().all(|menu| !menu.dishes.is_empty() && menu.ingredients.is_empty()));
    let json = by_day(sheet(&json, None).unwrap().menus);
    // The calendars keep marks, headings and readings above a word that the JSON has dropped.
    let bare = |dish: &str| {
        let even = dish.replace('（', "(").replace('）', ")").replace('･', "・");
        even.trim_start_matches(['☆', '○', '〇', '◯', '◎']).trim().to_owned()
    };
    let mut beside: BTreeMap<String, usize> = BTreeMap::new();
    let (mut days, mut other) = (0, Vec::new());
    for (day, menu) in &json {
        let Some(calendar) = calendars.get(day) else { continue };
        days += 1;
        let told: Vec<String> = calendar.dishes.iter().map(|dish| bare(dish)).collect();
        let dishes: Vec<String> = menu.dishes.iter().map(|dish| bare(dish)).collect();
        if !dishes.iter().all(|dish| told.contains(dish)) {
            other.push(format!("{day}: {dishes:?} {told:?}"));
        }
        for dish in told.into_iter().filter(|dish| !dishes.contains(dish)) {
            *beside.entry(dish).or_default() += 1;
        }
    }
    assert_eq!(days, json.len(), "every day of the JSON is in a calendar");
    assert!(other.is_empty(), "{other:#?}");
    let names: Vec<&str> = beside.keys().map(String::as_str).collect();
    assert_eq!(names, ["む", "季節料理", "新料理", "新献立"]);
}

#[test]
fn what_was_cut_out_of_a_pdf_is_refused() {
    let Some(folder) = shared("raw-csv-2018") else { return };
    let mut refused = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let expected = match path.extension().and_then(|it| it.to_str()) {
            Some("csv") => SheetFault::NoColumns,
            _ => SheetFault::NotText,
        };
        let fault = sheet(&path, Some("1_3")).unwrap_err();
        assert_eq!(fault, expected, "{}", path.display());
        refused += 1;
        if fault == SheetFault::NoColumns {
            let words = fault.words();
            assert!(["日付", "献立", "食材"].iter().all(|name| words.ja.contains(name)), "{}", words.ja);
        }
    }
    assert_eq!(refused, 11, "ten tables and a PDF");
}
