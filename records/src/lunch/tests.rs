//! Traps of matching, and what must hold of every menu.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::foods::foods;
use super::*;
use crate::allergen::Allergen;

fn allergen(id: &str) -> Allergen {
    Allergen::from_id(id).unwrap()
}

fn ingredient(name: &str) -> Ingredient {
    Ingredient { name: name.to_owned(), dish: None, amount: None, label: None }
}

fn menu(dishes: &[&str], ingredients: &[&str]) -> Menu {
    Menu {
        date: "2026-05-12".parse().unwrap(),
        kitchen: "1".to_owned(),
        dishes: dishes.iter().map(|dish| (*dish).to_owned()).collect(),
        ingredients: ingredients.iter().map(|name| ingredient(name)).collect(),
        milk: Milk::NotServed,
        note: None,
    }
}

fn said(survey: &Survey) -> (Vec<&'static str>, Vec<&'static str>) {
    let list = |certainty| {
        let found = survey.findings.iter().filter(move |finding| finding.certainty == certainty);
        let mut ids: Vec<_> = found.map(|finding| finding.allergen.id()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    (list(Certainty::Evident), list(Certainty::CheckLabel))
}

/// What an ingredient of this name contains and may contain; `None`: unknown.
fn of_ingredient(name: &str) -> Option<(Vec<&'static str>, Vec<&'static str>)> {
    let survey = survey(&menu(&["ごはん"], &[name]), &Lexicon::default());
    survey.unknown.is_empty().then(|| said(&survey))
}

/// What a dish of this name says beside ingredients that explain nothing.
fn of_dish(name: &str) -> (Vec<&'static str>, Vec<&'static str>) {
    said(&survey(&menu(&[name], &["にんじん"]), &Lexicon::default()))
}

#[test]
fn no_trap_springs() {
    // Source: the project's list of matching traps; what each is instead.
    for (name, contains, may_contain) in [
        ("パンプキン", "", ""),
        ("豆乳", "soy", ""),
        ("すいか", "", ""),
        ("いかなご", "", ""),
        ("えごま", "", ""),
        ("ごまさば", "mackerel", ""),
        ("ごぼう", "", ""),
        ("おいかわ", "", ""),
        ("あさばがれい", "", ""),
        ("すもも", "", ""),
        ("鶏もも肉", "chicken", ""),
        ("若どりもも肉", "chicken", ""),
        ("酒かす", "", ""),
        ("料理酒", "", ""),
        ("バターナッツかぼちゃ", "", ""),
        ("ピーナッツバター", "peanut", ""),
        ("カカオバター", "", ""),
        ("えびいも", "", ""),
        ("海老芋", "", ""),
        ("そぼろ", "", ""),
        ("そばろ", "", ""),
        ("中華そば", "wheat", ""),
        ("焼きそば", "wheat", ""),
        ("焼そばめん", "wheat", ""),
        ("杏仁豆腐", "", "almond gelatin milk"),
        ("もち麦", "", ""),
        ("押麦", "", ""),
        ("米粉パン", "", "milk wheat"),
        ("クルミの木", "", ""),
        ("みかん", "", ""),
        ("かいわれ", "", ""),
        ("ココナッツミルク", "", ""),
        ("卵豆腐", "egg", ""),
        ("ごま豆腐", "sesame", ""),
        ("かに風味かまぼこ", "", "crab egg shrimp soy wheat"),
        ("やまもも", "", ""),
        ("牛乳", "milk", ""),
        ("桃太郎トマト", "", ""),
        ("ナツメグ", "", ""),
    ] {
        let list = |ids: &'static str| ids.split(' ').filter(|id| !id.is_empty()).collect::<Vec<_>>();
        assert_eq!(of_ingredient(name), Some((list(contains), list(may_contain))), "{name}");
        let (evident, _) = of_dish(name);
        assert_eq!(evident, list(contains), "{name} as a dish");
        let (evident, _) = of_dish(&format!("{name}の天ぷら"));
        let fried: Vec<_> = evident.into_iter().filter(|id| *id != "wheat").collect();
        let without_batter: Vec<_> = list(contains).into_iter().filter(|id| *id != "wheat").collect();
        assert_eq!(fried, without_batter, "{name}の天ぷら");
    }
    assert!(!of_dish("パンプキンスープ").0.contains(&"wheat"));
    let drink = survey(&menu(&["ごはん"], &["乳酸菌飲料(植物性)"]), &Lexicon::default());
    assert_eq!(said(&drink), (vec![], vec!["milk"]), "somebody reads the label");
}

#[test]
fn seasonings_are_removed_only_strictly() {
    for (name, id) in [
        ("卵殻カルシウム", "egg"),
        ("乳糖", "milk"),
        ("こいくちしょうゆ", "soy"),
        ("酢", "wheat"),
        ("合わせみそ", "wheat"),
        ("大豆油", "soy"),
        ("ごま油", "sesame"),
        ("削節", "mackerel"),
        ("ポークブイヨン", "pork"),
        ("鶏がらスープ", "chicken"),
    ] {
        let survey = survey(&menu(&["ごはん"], &[name]), &Lexicon::default());
        let usual = judge(&survey, &Registration::from([(allergen(id), Removal::Usual)]));
        let strict = judge(&survey, &Registration::from([(allergen(id), Removal::Strict)]));
        assert_eq!((usual.verdict(), usual.allowed.len()), (Verdict::Clear, 1), "{name}");
        assert_ne!(strict.verdict(), Verdict::Clear, "{name}");
    }
}

#[test]
fn names_are_read_by_their_words() {
    for (name, contains, may_contain) in [
        ("冷凍豚肉", "pork", ""),
        ("国産豚ひき肉", "pork", ""),
        ("豚ひき肉", "pork", ""),
        ("ｶｯﾄえび(むき身)", "shrimp", ""),
        ("ゆでうどん 200g", "wheat", ""),
        ("北海道産大豆", "soy", ""),
        ("豆腐(国産大豆)", "soy", ""),
        ("鳥取県産なし", "", ""),
        ("淡路島産たまねぎ", "", ""),
        ("鹿児島県産 豚もも肉", "pork", ""),
        ("ひき肉", "", "beef chicken pork"),
        ("エビフライ", "shrimp wheat", "egg milk soy"),
        ("チーズ入りハンバーグ", "milk", "beef chicken egg pork soy wheat"),
        ("マヨネーズ(卵不使用)", "", "egg soy"),
        ("バターなしロールパン", "wheat", "milk"),
        ("カシューナッツ", "cashew", "pistachio"),
        ("ペカンナッツ", "", "walnut"),
        ("ノンエッグドレッシング", "", "soy"),
        ("マヨネーズ(卵・乳不使用)", "", "egg soy"),
        ("若どりもも", "chicken", ""),
        ("豚カットもも", "pork", ""),
        ("コーンフレーク", "", "milk soy wheat"),
    ] {
        let list = |ids: &'static str| ids.split(' ').filter(|id| !id.is_empty()).collect::<Vec<_>>();
        assert_eq!(of_ingredient(name), Some((list(contains), list(may_contain))), "{name}");
    }
    for name in [
        "",
        "◯",
        "(揚げ用)",
        "冷凍",
        "ぬぺ",
        "冷凍ぬぺ",
        "豚肉ぬぺ",
        "いかぬぺ",
        "新メニュー",
        "卵不使用",
        "コーンスープ",
        "れんこんサラダ",
        "豚肉他",
        "200g",
    ] {
        assert_eq!(of_ingredient(name), None, "{name}");
    }
}

#[test]
fn a_dish_is_not_lost_behind_the_ingredients() {
    assert_eq!(of_dish("えびフライ").0, ["shrimp", "wheat"]);
    assert_eq!(of_dish("チーズ入りオムレツ").0, ["egg", "milk"]);
    assert_eq!(of_dish("シュガートースト").0, ["milk", "wheat"], "a name's head is at its end");
    assert_eq!(of_dish("お楽しみゼリー").1, [""; 0]);
    assert_eq!(of_dish("ミニゼリー").1, ["gelatin"], "packed, and on no list of ingredients");
    assert_eq!(of_dish("いかの黒松風煮").0, ["squid"], "an unknown word after の changes nothing");
    assert_eq!(of_dish("新メニュー☆いかなごのくぎ煮").0, [""; 0]);
    let lexicon = Lexicon::default();
    let explained = survey(&menu(&["ごはん", "いかの天ぷら"], &["冷凍いか", "小麦粉"]), &lexicon);
    assert!(explained.findings.iter().all(|finding| matches!(finding.source, Source::Ingredient(_))));
    // A seasoning explains no food.
    let tofu = survey(&menu(&["ごはん", "とうふサラダ"], &["しょうゆ"]), &lexicon);
    assert!(tofu.findings.contains(&Finding {
        allergen: allergen("soy"),
        source: Source::Dish("とうふサラダ".to_owned()),
        certainty: Certainty::Evident,
        seasoning: false,
        rule: Rule::Dish("豆腐".to_owned()),
    }));
    let bread = survey(&menu(&["小型パン"], &["牛乳", "小麦粉"]), &lexicon);
    assert_eq!(bread.findings.len(), 4, "a staple always counts");
}

#[test]
fn a_dish_without_ingredients_is_unknown_unless_it_is_a_single_known_food() {
    let lexicon = Lexicon::default();
    let unknown = |menu: &Menu| survey(menu, &lexicon).unknown;
    let dish = |name: &str| Source::Dish(name.to_owned());
    let named = menu(&["ごはん", "納豆", "みかん", "みそしる", "ぬぺ", "だいずごはん"], &[]);
    assert_eq!(unknown(&named), [dish("みそしる"), dish("ぬぺ"), dish("だいずごはん")]);
    let mut by_dish = menu(&["ごはん", "肉じゃが", "ミックスサンド風"], &["牛肉"]);
    assert_eq!(unknown(&by_dish), []);
    by_dish.ingredients.iter_mut().for_each(|one| one.dish = Some(1));
    assert_eq!(unknown(&by_dish), [dish("ミックスサンド風")]);
    assert_eq!(unknown(&menu(&[], &["にんじん"])), [dish("")]);
    assert_eq!(unknown(&menu(&[], &[])), [dish("")]);
    assert_eq!(unknown(&menu(&[], &["精白米", "にんじん"])), []);
}

#[test]
fn a_label_settles_it() {
    let lexicon = Lexicon::default();
    let mut menu = menu(&["ごはん"], &["ぬぺ", "竹輪", "こいくちしょうゆ"]);
    let label = |ids: &[&str]| Some(ids.iter().map(|id| allergen(id)).collect());
    for (one, ids) in menu.ingredients.iter_mut().zip([&["egg"][..], &[], &["soy", "wheat", "sesame"]]) {
        one.label = label(ids);
    }
    let survey = survey(&menu, &lexicon);
    assert!(survey.unknown.is_empty());
    let found: Vec<_> = survey
        .findings
        .iter()
        .map(|finding| (finding.allergen.id(), finding.seasoning, &finding.rule))
        .collect();
    let by_label = |id, seasoning| (id, seasoning, &Rule::Label);
    let expected =
        [by_label("egg", false), by_label("soy", true), by_label("wheat", true), by_label("sesame", false)];
    assert_eq!(found, expected);
}

#[test]
fn milk_is_served_and_cashew_brings_pistachio() {
    let mut menu = menu(&["ごはん"], &["カシューナッツ"]);
    menu.milk = Milk::Served;
    let survey = survey(&menu, &Lexicon::default());
    let rules: Vec<_> = survey.findings.iter().map(|finding| finding.rule.clone()).collect();
    let cashew = Rule::Ingredient("カシューナッツ".to_owned());
    assert_eq!(rules, [cashew, Rule::DailyMilk, Rule::CrossReactive(allergen("cashew"))]);
    let pistachio = judge(&survey, &Registration::from([(allergen("pistachio"), Removal::Usual)]));
    assert_eq!(pistachio.verdict(), Verdict::CannotBeCleared);
}

#[test]
fn a_kitchens_word_holds_wherever_it_stands() {
    let word = Word { word: "竹輪".to_owned(), contains: vec![], may_contain: vec![], seasoning: false };
    let rice = Word { contains: vec![allergen("soy")], word: "うどん".to_owned(), ..word.clone() };
    let new = Word { may_contain: vec![allergen("egg")], word: "ぬぺ".to_owned(), ..word.clone() };
    let lexicon = Lexicon::new([word, rice, new]);
    let of = |dishes: &[&str], name: &str| survey(&menu(dishes, &[name]), &lexicon);
    assert_eq!(of(&["ごはん"], "冷凍竹輪(小)"), Survey::default());
    let noodles = of(&["カレーうどん"], "冷凍うどん");
    assert_eq!(said(&noodles), (vec!["soy"], vec![]));
    assert!(noodles.findings.iter().all(|finding| finding.rule == Rule::Kitchen("うどん".to_owned())));
    let crepe = of(&["ヌぺ"], "にんじん");
    assert_eq!((said(&crepe), crepe.unknown.len()), ((vec![], vec!["egg"]), 0));
    assert!(survey(&menu(&["ぬぺ"], &[]), &lexicon).unknown.is_empty());
    assert_eq!(serde_json::from_str::<Word>(r#"{"word":"ぬぺ"}"#).unwrap().contains, []);
}

#[test]
fn explanations_name_the_thing_and_the_rule() {
    let mut menu = menu(&["ナン"], &["冷凍うどん", "竹輪", "ぬぺ", "カシューナッツ"]);
    menu.milk = Milk::Served;
    let survey = survey(&menu, &Lexicon::default());
    for finding in &survey.findings {
        let words = words::explain(finding);
        let subject = if finding.source == Source::Milk {
            "飲用の牛乳".to_owned()
        } else {
            finding.source.label().ja
        };
        assert!(words.ja.contains(&subject) && words.ja.contains("根拠"), "{}", words.ja);
        assert!(
            finding.rule == Rule::DailyMilk || words.ja.contains(finding.allergen.label().ja),
            "{}",
            words.ja
        );
        assert!(words.en.contains("Why: "), "{}", words.en);
        let check = words.ja.contains("確かめてください");
        assert_eq!(check, finding.certainty == Certainty::CheckLabel, "{}", words.ja);
    }
    let udon = words::explain(survey.findings.first().unwrap());
    assert_eq!(udon.ja, "「冷凍うどん」に小麦が含まれます。(根拠: 食品の表の「うどん」)");
    for unknown in survey.unknown {
        assert!(words::explain_doubt(&Doubt::Unknown(unknown)).ja.contains("「ぬぺ」"));
    }
}

/// Words of the table, names made of them, and names nobody knows.
fn name() -> impl Strategy<Value = String> {
    let words: Vec<&'static str> = foods().foods.iter().map(|food| food.word).collect();
    let word = proptest::sample::select(words);
    prop_oneof![
        4 => word.clone().prop_map(str::to_owned),
        3 => (word.clone(), word.clone()).prop_map(|(one, other)| format!("{one}{other}")),
        1 => (word.clone(), word).prop_map(|(one, other)| format!("{one}の{other}")),
        1 => "[ぬぺゔ]{1,4}",
        1 => ".{0,12}",
    ]
}

fn any_menu() -> impl Strategy<Value = Menu> {
    (proptest::collection::vec(name(), 1..4), proptest::collection::vec(name(), 1..8), any::<bool>())
        .prop_map(|(dishes, names, milk)| Menu {
            ingredients: names.iter().map(|name| ingredient(name)).collect(),
            milk: if milk { Milk::Served } else { Milk::NotServed },
            dishes,
            ..menu(&[], &[])
        })
}

fn any_registration() -> impl Strategy<Value = Registration> {
    let all: Vec<Allergen> = Allergen::all().collect();
    let removal = prop_oneof![Just(Removal::Usual), Just(Removal::Strict)];
    proptest::collection::btree_map(proptest::sample::select(all), removal, 1..6)
}

/// Whether whoever is told of `less` is told at least as loudly by `more`.
fn at_least(more: &Survey, less: &Survey) -> bool {
    less.unknown.iter().all(|source| more.unknown.contains(source))
        && less.findings.iter().all(|old| {
            more.findings.iter().any(|new| {
                new.allergen == old.allergen
                    && new.certainty <= old.certainty
                    && (!new.seasoning || old.seasoning)
            })
        })
}

proptest! {
    #[test]
    fn syllables_of_no_word_are_unknown(name in "[ぬぺゔゑ]{1,8}", front in any::<bool>()) {
        prop_assert_eq!(of_ingredient(&name), None);
        for word in ["いか", "そば", "えび", "ごま"] {
            let name = if front { format!("{name}{word}") } else { format!("{word}{name}") };
            prop_assert_eq!(of_ingredient(&name), None);
            prop_assert!(of_dish(&name).0.is_empty(), "{} is no word with boundaries", name);
        }
    }

    #[test]
    fn more_on_the_menu_is_never_less_told(menu in any_menu(), name in name(), as_dish in any::<bool>()) {
        let lexicon = Lexicon::default();
        let before = survey(&menu, &lexicon);
        let mut more = menu.clone();
        if as_dish {
            more.dishes.push(name);
        } else {
            more.ingredients.push(ingredient(&name));
        }
        let after = survey(&more, &lexicon);
        prop_assert!(at_least(&after, &before), "{:?} {:?}", before, after);
    }

    #[test]
    fn surveys_say_nothing_twice_and_the_same_again(menu in any_menu()) {
        let lexicon = Lexicon::default();
        let once = survey(&menu, &lexicon);
        for (index, finding) in once.findings.iter().enumerate() {
            prop_assert!(!once.findings.iter().skip(index + 1).any(|other| other == finding));
        }
        prop_assert_eq!(survey(&menu, &lexicon), once);
    }

    #[test]
    fn an_ingredient_that_is_known_nowhere_is_unknown_on_the_menu(menu in any_menu()) {
        let lexicon = Lexicon::default();
        let survey = survey(&menu, &lexicon);
        for ingredient in &menu.ingredients {
            let told = survey.unknown.contains(&Source::Ingredient(ingredient.name.clone()));
            prop_assert_eq!(told, !lexicon.knows(&ingredient.name));
        }
    }

    #[test]
    fn a_kitchens_word_overrides_the_table(
        place in any::<proptest::sample::Index>(),
        contains in proptest::sample::subsequence(Allergen::all().collect::<Vec<_>>(), 0..4),
        seasoning in any::<bool>(),
    ) {
        let foods: Vec<_> = foods().foods.iter().filter(|food| food.kind.is_content()).collect();
        let word = place.get(&foods).word.to_owned();
        let own = Word { word: word.clone(), contains: contains.clone(), may_contain: vec![], seasoning };
        let survey = survey(&menu(&["ごはん"], &[&word]), &Lexicon::new([own]));
        let found: BTreeMap<Allergen, &Finding> = survey
            .findings
            .iter()
            .filter(|finding| matches!(finding.source, Source::Ingredient(_)))
            .filter(|finding| !matches!(finding.rule, Rule::CrossReactive(_)))
            .map(|finding| (finding.allergen, finding))
            .collect();
        prop_assert_eq!(found.keys().copied().collect::<Vec<_>>(), contains);
        let is_own = |finding: &&Finding| {
            finding.rule == Rule::Kitchen(word.clone())
                && finding.seasoning == seasoning
                && finding.certainty == Certainty::Evident
        };
        prop_assert!(found.values().all(is_own));
        prop_assert!(survey.unknown.is_empty());
    }

    #[test]
    fn strict_removal_tells_all_that_usual_tells(menu in any_menu(), registered in any_registration()) {
        let survey = survey(&menu, &Lexicon::default());
        let strict: Registration = registered.keys().map(|allergen| (*allergen, Removal::Strict)).collect();
        let (usual, strict) = (judge(&survey, &registered), judge(&survey, &strict));
        prop_assert!(usual.contains.iter().all(|finding| strict.contains.contains(finding)));
        prop_assert!(usual.doubts.iter().all(|doubt| strict.doubts.contains(doubt)));
        prop_assert!(strict.allowed.is_empty());
        prop_assert!(usual.verdict() <= strict.verdict());
    }

    #[test]
    fn what_is_unknown_clears_nobody(menu in any_menu(), registered in any_registration()) {
        let survey = survey(&menu, &Lexicon::default());
        let verdict = judge(&survey, &registered).verdict();
        prop_assert!(survey.unknown.is_empty() || verdict != Verdict::Clear);
        prop_assert_eq!(judge(&survey, &Registration::new()).verdict(), Verdict::Clear);
    }
}
