//! The words of an alert: plain text and HTML, Japanese first, English beside it.
//!
//! The subject, which is shown on locked screens and kept by every relay, names the day and no child, no class and no
//! allergen. The body names the child by her given name and class, so that brothers and sisters are told apart.

use askama::Template;
use hibiki_records::category::Label;
use hibiki_records::date::CalendarDate;
use hibiki_records::lunch::{Decision, Finding, Menu, Source, words};

use super::saying::{Outlook, Said, Saying};

/// Whom the letter is about, and from whom.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    /// Her name as the school has it; only the given name is written.
    pub(super) name: Option<&'a str>,
    /// Her class.
    pub(super) class: &'a str,
    /// The school.
    pub(super) school: &'a str,
}

/// A letter in its two forms.
pub(super) struct Texts {
    pub(super) title: String,
    pub(super) text: String,
    pub(super) html: String,
}

/// One allergen and everything it is in.
struct Line {
    allergen: String,
    things: String,
    why: String,
}

#[derive(Template)]
#[template(path = "mail/alert.html")]
struct Page<'a> {
    it: &'a Content,
}

/// What both forms say.
struct Content {
    heading: String,
    lead: &'static str,
    child: String,
    when: String,
    contains: Vec<Line>,
    doubts: Vec<String>,
    dishes: String,
    advice: &'static str,
    english: String,
    footer: String,
}

/// Writes the letter of a lunch on `lunch`, on the day `today`.
pub(super) fn write(
    saying: &Saying,
    about: About<'_>,
    lunch: CalendarDate,
    menu: Option<&Menu>,
    today: CalendarDate,
) -> Texts {
    let day = day_words(lunch, today);
    let decision = match &saying.outlook {
        Outlook::Judged(decision) => Some(decision),
        Outlook::NoMenu => None,
    };
    let content = content(saying, decision, about, &day, menu);
    let html = Page { it: &content }.render().unwrap_or_default();
    let title = match (saying.correction, saying.told.said) {
        (true, _) => format!("【訂正】{}の給食のお知らせ（アレルギー）", day.ja),
        (false, Said::Contains) => format!("{}の給食のお知らせ（アレルギー）", day.ja),
        (false, Said::Clear) => format!("{}の給食を確認しました（アレルギー）", day.ja),
        (false, _) => format!("{}の給食は確認できていません（アレルギー）", day.ja),
    };
    Texts { title, text: plain(&content), html }
}

fn content(
    saying: &Saying,
    decision: Option<&Decision>,
    about: About<'_>,
    day: &Day,
    menu: Option<&Menu>,
) -> Content {
    let (lead, advice, english) = said(saying.told.said, saying.correction);
    let heading = match (saying.correction, saying.told.said) {
        (true, Said::Clear) => format!("訂正: {}の給食に、登録された食物は入らなくなりました", day.ja),
        (false, Said::Clear) => format!("{}の給食に、登録された食物は入っていません", day.ja),
        (true, _) => format!("訂正: {}の給食", day.ja),
        (false, Said::NoMenu | Said::CannotBeCleared) => format!("{}の給食は確認できていません", day.ja),
        (false, _) => format!("{}の給食は、食べられないものが入っています", day.ja),
    };
    let correction = if saying.correction { "This replaces what we wrote before. " } else { "" };
    Content {
        heading,
        lead,
        child: child(about),
        when: format!("給食の日: {} / {}", day.full_ja, day.en),
        contains: decision.map(|decision| lines(&decision.contains)).unwrap_or_default(),
        doubts: decision
            .map(|decision| decision.doubts.iter().map(|doubt| words::explain_doubt(doubt).ja).collect())
            .unwrap_or_default(),
        dishes: menu.map(|menu| menu.dishes.join("、")).unwrap_or_default(),
        advice,
        english: format!("{correction}{english}"),
        footer: format!(
            "{} からの自動送信です。このメールへの返信は届かないことがあります。登録の変更は、カードで開く「響き」の画面からできます。",
            about.school
        ),
    }
}

const ASK: &str = "対応を決めていないときは、給食の前に学校へ連絡してください。";

/// What was said, what to do, and both in English.
const fn said(said: Said, correction: bool) -> (&'static str, &'static str, &'static str) {
    match said {
        Said::Contains => (
            "登録された食物が、献立に入っています。",
            ASK,
            "The school lunch contains food registered for your child. If nothing has been arranged, please call the school before lunch.",
        ),
        Said::CannotBeCleared => (
            "登録された食物が入っていないことを、確かめられませんでした。入っていないという意味ではありません。",
            ASK,
            "We could not make sure that the lunch is free of the food registered for your child. Please ask the school before lunch.",
        ),
        Said::NoMenu => (
            "献立がまだ確定していないため、登録された食物が入っているかどうかを確認できませんでした。",
            ASK,
            "There is no confirmed menu, so the lunch could not be checked. Please ask the school before lunch.",
        ),
        Said::Clear if !correction => (
            "献立が確定し、登録された食物が入っていないことを確認しました。",
            "ご不明な点は学校へおたずねください。",
            "The menu has been confirmed: nothing registered for your child is in it.",
        ),
        Said::Clear => (
            "献立が変わり、登録された食物は入らなくなりました。",
            "ご不明な点は学校へおたずねください。",
            "The menu has changed: food registered for your child is no longer in it.",
        ),
    }
}

fn plain(it: &Content) -> String {
    let mut text = format!("{}\n\n{}\n\n{}\n{}\n", it.heading, it.lead, it.child, it.when);
    if !it.contains.is_empty() {
        text.push_str("\n■ 入っているもの / Contains\n");
        for line in &it.contains {
            text.push_str(&format!("・{}: {}\n　{}\n", line.allergen, line.things, line.why));
        }
    }
    if !it.doubts.is_empty() {
        text.push_str("\n■ 確かめられなかったもの / Not certain\n");
        it.doubts.iter().for_each(|line| text.push_str(&format!("・{line}\n")));
    }
    if !it.dishes.is_empty() {
        text.push_str(&format!("\n献立: {}\n", it.dishes));
    }
    text.push_str(&format!("\n{}\n\n{}\n\n--\n{}\n", it.advice, it.english, it.footer));
    text
}

/// The given name and the class; without a space in the name nobody knows where the given name begins.
fn child(about: About<'_>) -> String {
    let pieces: Vec<&str> = about.name.unwrap_or_default().split_whitespace().collect();
    match pieces.as_slice() {
        [_, .., given] => format!("{given}さん（{}）", about.class),
        _ => format!("お子さま（{}）", about.class),
    }
}

/// Findings by allergen, in the order of the standard list.
fn lines(findings: &[Finding]) -> Vec<Line> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort();
    sorted
        .chunk_by(|a, b| a.allergen == b.allergen)
        .filter_map(|chunk| {
            let Label { ja, en } = chunk.first()?.allergen.label();
            let mut things: Vec<String> = chunk.iter().map(|it| thing(&it.source)).collect();
            things.dedup();
            let mut why: Vec<String> = chunk.iter().map(|it| words::explain(it).ja).collect();
            why.dedup();
            Some(Line { allergen: format!("{ja} / {en}"), things: things.join("、"), why: why.join("　") })
        })
        .collect()
}

fn thing(source: &Source) -> String {
    match source {
        Source::Ingredient(name) | Source::Dish(name) => name.clone(),
        Source::Milk => "牛乳".to_owned(),
    }
}

/// A lunch's day in words.
struct Day {
    /// `明日`, `今日`, or the day itself.
    ja: String,
    full_ja: String,
    en: String,
}

fn day_words(lunch: CalendarDate, today: CalendarDate) -> Day {
    const JA: [&str; 7] = ["木", "金", "土", "日", "月", "火", "水"];
    const EN: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
    // 1970-01-01 was a Thursday.
    let since = CalendarDate::new(1970, 1, 1).map_or(0, |epoch| lunch.days_since(epoch).rem_euclid(7));
    let weekday = usize::try_from(since).unwrap_or_default();
    let name = |names: [&'static str; 7]| names.get(weekday).copied().unwrap_or_default();
    let full_ja = format!("{}月{}日（{}）", lunch.month(), lunch.day(), name(JA));
    let ja = match lunch.days_since(today) {
        0 => format!("今日{full_ja}"),
        1 => format!("明日{full_ja}"),
        _ => full_ja.clone(),
    };
    Day { ja, full_ja, en: format!("{}, {lunch}", name(EN)) }
}

#[cfg(test)]
mod tests {
    use hibiki_records::allergen::Allergen;
    use hibiki_records::lunch::{Certainty, Milk, Rule};

    use super::super::saying::next;
    use super::*;

    const ABOUT: About<'static> =
        About { name: Some("前橋　花子"), class: "3-2", school: "もみじ小学校" };

    fn day(text: &str) -> CalendarDate {
        text.parse().unwrap()
    }

    fn alarm(thing: &str) -> Saying {
        let egg = Finding {
            allergen: Allergen::from_id("egg").unwrap(),
            source: Source::Ingredient(thing.to_owned()),
            certainty: Certainty::Evident,
            seasoning: false,
            rule: Rule::Ingredient(thing.to_owned()),
        };
        let decision = Decision { contains: vec![egg], ..Decision::default() };
        next(None, Outlook::Judged(decision)).unwrap()
    }

    fn menu(dish: &str) -> Menu {
        Menu {
            date: day("2026-11-27"),
            kitchen: "1".to_owned(),
            dishes: vec!["ごはん".to_owned(), dish.to_owned()],
            ingredients: Vec::new(),
            milk: Milk::Served,
            note: None,
        }
    }

    #[test]
    fn an_alert_says_tomorrow_what_and_where_and_never_the_name_in_the_subject() {
        let texts =
            write(&alarm("鶏卵"), ABOUT, day("2026-11-27"), Some(&menu("かきたま汁")), day("2026-11-26"));
        assert_eq!(texts.title, "明日11月27日（金）の給食のお知らせ（アレルギー）");
        for body in [&texts.text, &texts.html] {
            for part in
                ["明日11月27日（金）の給食は", "花子さん（3-2）", "卵", "鶏卵", "かきたま汁", "もみじ小学校"]
            {
                assert!(body.contains(part), "{part} is missing:\n{body}");
            }
            assert!(!body.contains("前橋"), "the family name is not needed:\n{body}");
        }
    }

    #[test]
    fn monday_is_named_and_not_called_tomorrow() {
        let texts = write(&alarm("鶏卵"), ABOUT, day("2026-11-30"), None, day("2026-11-27"));
        assert!(texts.title.starts_with("11月30日（月）の給食"), "{}", texts.title);
        let texts = write(&alarm("鶏卵"), ABOUT, day("2026-11-30"), None, day("2026-11-30"));
        assert!(texts.title.starts_with("今日11月30日（月）"), "{}", texts.title);
    }

    #[test]
    fn what_could_not_be_checked_is_not_called_safe() {
        let texts =
            write(&next(None, Outlook::NoMenu).unwrap(), ABOUT, day("2026-11-27"), None, day("2026-11-26"));
        assert!(texts.title.contains("確認できていません"));
        assert!(texts.text.contains("学校へ連絡してください"));
    }

    #[test]
    fn a_correction_says_so() {
        let told = alarm("鶏卵").told;
        let clear = next(Some(&told), Outlook::Judged(Decision::default())).unwrap();
        let texts = write(&clear, ABOUT, day("2026-11-27"), Some(&menu("みそ汁")), day("2026-11-26"));
        assert!(texts.title.starts_with("【訂正】"));
        assert!(texts.text.contains("入らなくなりました") && texts.text.contains("This replaces"));
    }

    #[test]
    fn hostile_names_stay_text() {
        let about = About { name: Some("a <b>x</b>"), class: "<script>", ..ABOUT };
        let texts =
            write(&alarm("<img src=x>"), about, day("2026-11-27"), Some(&menu("<i>")), day("2026-11-26"));
        for tag in ["<b>", "<script>", "<img", "<i>"] {
            assert!(!texts.html.contains(tag), "{tag}:\n{}", texts.html);
        }
    }

    #[test]
    fn a_name_without_a_space_is_not_guessed_at() {
        assert_eq!(child(About { name: Some("前橋花子"), ..ABOUT }), "お子さま（3-2）");
        assert_eq!(child(About { name: None, ..ABOUT }), "お子さま（3-2）");
    }
}
