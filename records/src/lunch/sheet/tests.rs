#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::lunch::Ingredient;
use crate::words::text::steers;

fn defaults() -> Defaults {
    Defaults { kitchen: Some("1_3".to_owned()), milk: Milk::Served, school_year: Some(2026) }
}

fn read(text: &str) -> Sheet {
    read_menus(text.as_bytes(), &defaults()).unwrap()
}

/// A menu on one line, ingredients as `name@dish:amount{label}`.
fn told(menu: &Menu) -> String {
    let ingredient = |it: &Ingredient| {
        let dish = it.dish.map(|dish| format!("@{dish}")).unwrap_or_default();
        let amount = it.amount.as_ref().map(|amount| format!(":{amount}")).unwrap_or_default();
        let label = it.label.as_ref().map(|label| format!("{{{label:?}}}")).unwrap_or_default();
        format!("{}{dish}{amount}{label}", it.name)
    };
    let ingredients: Vec<String> = menu.ingredients.iter().map(ingredient).collect();
    let milk = if menu.milk == Milk::Served { " milk" } else { "" };
    let note = menu.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
    format!(
        "{} {}: {} = {}{milk}{note}",
        menu.date,
        menu.kitchen,
        menu.dishes.join("+"),
        ingredients.join("+")
    )
}

fn all(sheet: &Sheet) -> Vec<String> {
    sheet.menus.iter().map(told).collect()
}

fn faults(sheet: &Sheet) -> Vec<(usize, LineProblem)> {
    sheet.faults.iter().map(|fault| (fault.line, fault.what.clone())).collect()
}

const SHORT: &str = "日付,地区,献立,食材,牛乳,備考\r\n\
    2026/4/14,4,\"パン\n・コーンスープ\",\"コーン(20g)、牛乳、\n小麦粉\",×,\r\n\
    ４月１３日（月）,,ごはん・カレー,豚肉（４０ｇ）、カレールウ、なたね油(揚げ用),○,入学お祝い\r\n\
    ,,,,,\r\n\
    令和8年4月15日,4,わかめごはん、みそしる,,,\r\n";

#[test]
fn a_row_for_each_day() {
    let expected = [
        "2026-04-13 1_3: ごはん+カレー = 豚肉:40g+カレールウ+なたね油(揚げ用) milk (入学お祝い)",
        "2026-04-14 4: パン+コーンスープ = コーン:20g+牛乳+小麦粉",
        "2026-04-15 4: わかめごはん+みそしる =  milk",
    ];
    let sheet = read(SHORT);
    assert_eq!((all(&sheet), faults(&sheet)), (expected.map(str::to_owned).to_vec(), vec![]));
    let (cp932, _, lossy) = encoding_rs::SHIFT_JIS.encode(SHORT);
    assert!(!lossy && std::str::from_utf8(&cp932).is_err());
    assert_eq!(read_menus(&cp932, &defaults()), Ok(sheet.clone()));
    assert_eq!(read(&format!("\u{FEFF}{SHORT}")), sheet);
    // Titles above, the columns' names once more in between.
    let titled = format!("もみじ小学校 4月の給食,,,,,\n\n{SHORT}{}", SHORT.lines().next().unwrap());
    assert_eq!(all(&read(&titled)), all(&sheet));
}

#[test]
fn ingredients_in_three_groups_are_all_taken() {
    let sheet = read(
        "日付,曜日,献立名,赤(体をつくる),黄,緑,ひとこと\n4/13,月,ごはん、カレー,豚肉,米、じゃがいも,にんじん,おいしいよ\n",
    );
    assert_eq!(all(&sheet), ["2026-04-13 1_3: ごはん+カレー = 豚肉+米+じゃがいも+にんじん milk"]);
    assert_eq!(faults(&sheet), [(1, LineProblem::UnreadColumn("ひとこと".to_owned()))]);
}

#[test]
fn a_row_for_each_ingredient() {
    let sheet = read(
        "date,area,dishes,seq,ingredient,qty,unit,grams,アレルゲン\n\
        2018-04-13,1_3,ごはん、ビーフカレー,2,じゃがいも,50.0,g,50.0,\n\
        2018-04-16,4,パン、スープ,1,ベーコン,1,枚,15,卵、乳成分\n\
        2018-04-13,1_3,ごはん、ビーフカレー,1,冷凍牛肉,35.0,g,35.0,なし\n\
        2018-04-16,4,パン、スープ,2,たまご,,,20,卵\n",
    );
    assert_eq!(
        all(&sheet),
        [
            "2018-04-13 1_3: ごはん+ビーフカレー = 冷凍牛肉:35g{[]}+じゃがいも:50g milk",
            "2018-04-16 4: パン+スープ = ベーコン:1枚{[egg, milk]}+たまご:20g{[egg]} milk",
        ]
    );
    assert!(sheet.faults.is_empty());
    // Merged cells; a row for each dish with its ingredients.
    let sheet = read(
        "月日,料理名,食材,分量,牛乳,備考\n\
        4月13日,ごはん,米,80g,×,\n\
        ,カレー,豚肉,20g,○,カレーの日\n\
        ,,たまねぎ,,,カレーの日\n\
        ,サラダ,キャベツ、きゅうり,,,\n",
    );
    assert_eq!(
        all(&sheet),
        [
            "2026-04-13 1_3: ごはん+カレー+サラダ = 米@0:80g+豚肉@1:20g+たまねぎ+キャベツ@2+きゅうり@2 milk (カレーの日)"
        ]
    );
}

#[test]
fn all_dishes_in_a_column_for_one_are_all_taken() {
    let sheet = read("日付,料理名,材料\n4/13,ごはん、カレー,米、豚肉\n4/14,パン,小麦粉\n");
    assert_eq!(
        all(&sheet),
        ["2026-04-13 1_3: ごはん+カレー = 米+豚肉 milk", "2026-04-14 1_3: パン = 小麦粉@0 milk"]
    );
}

#[test]
fn a_json_object_for_each_day() {
    let sheet = read(concat!(
        r#"{"area": "4", "date": "2017-05-02", "dishes": ["パン", " ", "スープ"], "ingredients": [{"name": "卵", "qty": 0.5, "unit": "コ", "g": 25.0, "dish": 2}, {"name": "塩", "g": 1.0, "label": []}], "milk": false, "note": "x"}"#,
        "\n\n",
        r#"{"date": "2017-05-01", "kitchen": 7, "dishes": ["ごはん"], "extra": [[]]}"#,
        "\r\n{\n",
        r#"{"date": "2017-05-08", "dishes": []}"#,
    ));
    assert_eq!(
        all(&sheet),
        ["2017-05-01 7: ごはん =  milk", "2017-05-02 4: パン+スープ = 卵@1:0.5コ+塩:1g{[]} (x)"]
    );
    assert_eq!(faults(&sheet), [(4, LineProblem::NotJson), (5, LineProblem::NoDishes)]);
}

#[test]
fn whole_days_of_a_calendar() {
    let event = |lines: &str| format!("BEGIN:VEVENT\r\nUID:1\r\n{lines}\r\nEND:VEVENT\r\n");
    let events = [
        "DTSTART;VALUE=DATE:20260414\r\nSUMMARY:パン\\,スープ\r\nDESCRIPTION:パン\\n☆スー\r\n プ",
        "DTSTART;VALUE=DATE:20260413\r\nDTEND;VALUE=DATE:20260414\r\nSUMMARY:ごはん\\, カレー",
        "DTSTART:20260415T120000\r\nSUMMARY:ごはん",
        "DTSTART;VALUE=DATE:20260416\r\nRRULE:FREQ=DAILY\r\nSUMMARY:ごはん",
        "DTSTART;VALUE=DATE:20260417\r\nSTATUS:CANCELLED\r\nSUMMARY:ごはん",
        "DTSTART;VALUE=DATE:20260420\r\nDTEND;VALUE=DATE:20260423\r\nSUMMARY:ごはん",
        "SUMMARY:ごはん",
        "DTSTART;VALUE=DATE:20260421",
    ];
    let text = format!("BEGIN:VCALENDAR\r\n{}END:VCALENDAR\r\n", events.map(event).concat());
    let sheet = read(&text);
    assert_eq!(
        all(&sheet),
        ["2026-04-13 1_3: ごはん+カレー =  milk", "2026-04-14 1_3: パン+☆スープ =  milk"]
    );
    let problems: Vec<LineProblem> = sheet.faults.iter().map(|fault| fault.what.clone()).collect();
    use LineProblem::{Cancelled, Date, NoDishes, NotOneWholeDay, Repeats};
    assert_eq!(problems, [NotOneWholeDay, Repeats, Cancelled, NotOneWholeDay, Date, NoDishes]);
    let nameless = Defaults { kitchen: None, ..defaults() };
    assert_eq!(read_menus(text.as_bytes(), &nameless), Err(SheetFault::NoKitchen));
    let cut = text.replace("END:VCALENDAR", "");
    assert!(matches!(read_menus(cut.as_bytes(), &defaults()), Err(SheetFault::Calendar(_))));
}

#[test]
fn a_bad_line_costs_its_own_day_and_no_other() {
    let sheet = read(
        "date,kitchen,dishes,ingredients,milk\n\
        2026-04-13,4,ごはん、カレー,豚肉,○\n\
        2026-04-31,4,ごはん,豚肉,○\n\
        2026-04-14,4,\"パン,卵,○\n\
        2026-04-15,4,ごはん、みそしる,みそ,コーヒー牛乳\n\
        2026-04-16,4,ごはん,カレー,豚肉,○\n\
        2026-04-17,4,,豚肉,○\n\
        2026-04-20,4,パン、スープ,卵,○\n\
        1926-04-21,4,パン,卵,○\n",
    );
    assert_eq!(
        all(&sheet),
        ["2026-04-13 4: ごはん+カレー = 豚肉 milk", "2026-04-20 4: パン+スープ = 卵 milk"]
    );
    use LineProblem::{Date, DayOutOfRange, Milk, MoreCells, NoDishes, OpenQuote};
    assert_eq!(
        faults(&sheet),
        [(3, Date), (4, OpenQuote), (5, Milk), (6, MoreCells), (7, NoDishes), (9, DayOutOfRange)]
    );
}

#[test]
fn a_day_twice_is_named_and_two_menus_for_it_are_none() {
    let sheet = read(
        "日付,献立,食材\n4/13,ごはん,米\n4/14,パン,卵\n4/13,ごはん,米\n4/14,パン,\n4/14,パン,卵\n4/15,パン,\n",
    );
    assert_eq!(all(&sheet), ["2026-04-13 1_3: ごはん = 米 milk", "2026-04-15 1_3: パン =  milk"]);
    use LineProblem::{Contradiction, Twice};
    assert_eq!(faults(&sheet), [(4, Twice(2)), (5, Contradiction(3)), (6, Contradiction(3))]);
}

#[test]
fn a_lost_ingredient_spoils_every_day_it_may_be_of() {
    let head = "日付,地区,献立,食材,量,単位,アレルゲン\n";
    let row = |day: u8, rest: &str| format!("2026-04-{day},4,ごはん{day},{rest}\n");
    let good = |day: u8| row(day, "米,80,g,");
    let days = |bad: &str| {
        let text = [head, &good(13), &good(14), bad, &good(15), &good(15), &good(16)].concat();
        let sheet = read(&text);
        let days: Vec<i8> = sheet.menus.iter().map(|menu| menu.date.day()).collect();
        (days, faults(&sheet))
    };
    let day = |day| CalendarDate::new(2026, 4, day).unwrap();
    use crate::date::CalendarDate;
    use LineProblem::{Date, Incomplete, NoIngredient, OtherDishes, SeveralIngredients, UnknownAllergen};
    assert_eq!(days("").0, [13, 14, 15, 16]);
    // Nobody knows of which day.
    let lost = vec![(3, Incomplete(day(14), 4)), (4, Date), (5, Incomplete(day(15), 4))];
    assert_eq!(days("2026-14-04,4,ごはん14,卵,1,個,\n"), (vec![13, 16], lost.clone()));
    assert_eq!(days("x,4,ごはん14,卵,1,個,\n,,,小麦,1,g,\n").0, [13, 16]);
    let (kept, problems) = days("\"2026-04-14,4,ごはん14,卵,1,個,\n");
    assert_eq!((kept, problems.len()), (vec![13, 16], 3));
    // The day is known.
    let of_14 = |problem| (vec![13, 15, 16], vec![(3, Incomplete(day(14), 4)), (4, problem)]);
    assert_eq!(days(&row(14, ",1,個,")), of_14(NoIngredient));
    assert_eq!(days(&row(14, "卵、乳,1,個,")), of_14(SeveralIngredients));
    assert_eq!(days(&row(14, "パン粉,1,g,小麦、キセノン")), of_14(UnknownAllergen("キセノン".to_owned())));
    assert_eq!(days("2026-04-14,4,パン,卵,1,個,\n"), of_14(OtherDishes(3)));
}

#[test]
fn what_is_no_sheet_is_refused_with_a_word() {
    let fault = |bytes: &[u8]| read_menus(bytes, &defaults()).unwrap_err();
    assert_eq!(fault(b""), SheetFault::Empty);
    assert_eq!(fault("\u{FEFF}\r\n ".as_bytes()), SheetFault::Empty);
    assert_eq!(fault(b"PK\x03\x04zip"), SheetFault::NotText);
    assert_eq!(fault(b"%PDF-1.4"), SheetFault::NotText);
    assert_eq!(fault(b"a\0b"), SheetFault::NotText);
    assert_eq!(fault(&[0xff, 0xfe, 0x80]), SheetFault::NotText);
    assert_eq!(fault(&vec![b' '; FILE_MAX_BYTES + 1]), SheetFault::TooLong);
    assert_eq!(fault("2026-04-13,ごはん\n".as_bytes()), SheetFault::NoColumns);
    assert_eq!(fault("日付,食材\n4/13,卵\n".as_bytes()), SheetFault::NoColumns);
    assert_eq!(fault("日付,献立\n4/13,パン\n".repeat(20_000).as_bytes()), SheetFault::TooManyRows);
    let nameless = Defaults { kitchen: None, ..defaults() };
    assert_eq!(read_menus("日付,献立\n4/13,パン\n".as_bytes(), &nameless), Err(SheetFault::NoKitchen));
    let text = "日付,地区,献立\n4/13,,パン\n4/14,4,パン\n";
    let sheet = read_menus(text.as_bytes(), &nameless).unwrap();
    assert_eq!((sheet.menus.len(), faults(&sheet)), (1, vec![(2, LineProblem::NoKitchen)]));
    assert!(SheetFault::NoColumns.to_string().contains("日付"));
    let many = format!("日付,献立,食材\n4/13,パン,{}\n", "卵、".repeat(INGREDIENTS_MAX + 1));
    assert_eq!(faults(&read(&many)), [(2, LineProblem::TooMany)]);
    let long = format!("日付,献立,食材\n4/13,パン,{}\n", "卵".repeat(121));
    assert_eq!(faults(&read(&long)), [(2, LineProblem::TextTooLong)]);
}

fn any_sheet() -> impl Strategy<Value = String> {
    let cell = prop::sample::select(vec![
        "日付",
        "献立",
        "食材",
        "アレルゲン",
        "量",
        "料理",
        "牛乳",
        "2026-04-13",
        "4/14",
        "ごはん・パン",
        "卵、乳",
        "卵(2g)",
        "なし",
        "○",
        "\"",
        "\"\"",
        "\"x\n",
        "\u{202E}",
        "{",
        "",
        "",
        "1",
    ]);
    let row = proptest::collection::vec(cell, 0..6).prop_map(|cells| cells.join(","));
    let head = prop::sample::select(vec![
        "日付,献立,食材,牛乳",
        "日付,献立,食材,量,アレルゲン",
        "日付,料理,食材",
        "x",
        "",
    ]);
    (head, proptest::collection::vec(row, 0..12))
        .prop_map(|(head, rows)| format!("{head}\n{}", rows.join("\n")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in any_sheet()) {
        let _ = read_menus(&bytes, &defaults());
        let _ = read_menus(&[text.as_bytes(), &bytes].concat(), &defaults());
        let json = format!("{{{text}");
        let _ = read_menus(json.as_bytes(), &defaults());
        let calendar = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{text}\nEND:VEVENT\nEND:VCALENDAR\n");
        let _ = read_menus(calendar.as_bytes(), &defaults());
    }

    #[test]
    fn what_is_read_can_be_handed_out(text in any_sheet()) {
        let Ok(sheet) = read_menus(text.as_bytes(), &defaults()) else { return Ok(()) };
        let mut keys = std::collections::BTreeSet::new();
        for menu in sheet.menus {
            prop_assert!(keys.insert((menu.date, menu.kitchen.clone())));
            let shown = format!("{menu:?}");
            prop_assert!(!shown.chars().any(steers));
            let day = crate::lunch::LunchDay { menu, revision: 1, survey: crate::lunch::Survey::default() };
            prop_assert_eq!(crate::lunch::LunchDay::read(&day.to_cbor().unwrap()), Ok(day));
        }
        for fault in sheet.faults {
            prop_assert!(fault.line >= 1 && !fault.what.to_string().chars().any(|c| c.is_control() || steers(c)));
        }
    }

    #[test]
    fn what_is_written_as_a_sheet_reads_back(
        days in proptest::collection::btree_map(1i8..31, (proptest::collection::vec("[ぁ-んァ-ン一-龠]{1,8}", 1..5), proptest::collection::vec("[ぁ-んァ-ン一-龠]{1,8}", 0..9)), 1..8),
        damaged in any::<prop::sample::Index>(),
    ) {
        let text = |skip: Option<i8>| {
            let rows = days.iter().map(|(day, (dishes, ingredients))| {
                let quote = if skip == Some(*day) { "\"" } else { "" };
                format!("2026-04-{day},{quote}{},{}\n", dishes.join("、"), ingredients.join("、"))
            });
            format!("日付,献立,食材\n{}", rows.collect::<String>())
        };
        let whole = read(&text(None));
        prop_assert!(whole.faults.is_empty());
        let found: Vec<_> = whole.menus.iter().map(|menu| {
            let names = menu.ingredients.iter().map(|it| it.name.clone()).collect::<Vec<_>>();
            (menu.date.day(), (menu.dishes.clone(), names))
        }).collect();
        prop_assert_eq!(found, days.clone().into_iter().collect::<Vec<_>>());
        let bad = *days.keys().nth(damaged.index(days.len())).unwrap();
        let damaged = read(&text(Some(bad)));
        prop_assert_eq!(damaged.faults.len(), 1);
        let kept: Vec<_> = whole.menus.into_iter().filter(|menu| menu.date.day() != bad).collect();
        prop_assert_eq!(damaged.menus, kept);
    }
}
