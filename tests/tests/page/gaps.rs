//! Institutions that are down, and such that are late.

use hibiki_tests::browser::By;
use hibiki_tests::house::House;

use super::scene::scene;

#[test]
fn a_stopped_institution_is_named_and_what_it_does_not_mean() {
    let mut scene = scene();
    let Some(visit) = scene.guest("a stopped institution", &scene.mother, &[]) else { return };
    let person = visit.person(scene.child());
    visit.open(&format!("{person}/medicines"));
    let whole = visit.main();
    assert!(whole.contains("みどり薬局") && whole.contains("こどもクリニック"), "{whole}");
    assert!(whole.contains("すべての施設から応答がありました"), "{whole}");

    scene.town.node_mut(House::Clinic).stop().unwrap();
    scene.town.await_links_down(&[House::Clinic]).unwrap();
    visit.ask_again();
    let (ja, _) = House::Clinic.names();
    let partial = visit.main();
    assert!(partial.contains("応答のない施設があります") && partial.contains("5 / 6"), "{partial}");
    assert!(
        partial.contains(&format!("{ja}：接続できません")) && partial.contains("という意味ではありません"),
        "{partial}"
    );
    assert!(partial.contains("みどり薬局"), "the others' records are there: {partial}");
    let records = "return [...document.getElementById('main').children]
        .filter(it => it.id !== 'coverage').map(it => it.innerText).join('\\n')";
    let records = visit.browser.script(records, &[]).unwrap();
    assert!(!records.as_str().unwrap().contains(ja), "nothing of the clinic's: {records}");
    visit.open(&format!("{person}/vaccinations"));
    assert!(
        visit.main().contains("接種していないという意味ではありません"),
        "what is missing is not said to be not done: {}",
        visit.main()
    );

    scene.town.start(House::Clinic).unwrap();
    visit.open(&format!("{person}/medicines"));
    visit.ask_again();
    assert_eq!(visit.main(), whole, "complete again");
    visit.assert_clean();
}

#[test]
fn what_is_late_appears_by_itself_and_the_rest_is_there_before() {
    let scene = scene();
    let Some(visit) = scene.guest("a late institution", &scene.mother, &[]) else { return };
    let person = visit.person(scene.child());
    let path = format!("{person}/medicines");
    visit.open(&path);
    scene.town.node(House::Clinic).freeze();
    visit.press_again();
    visit.browser.wait_for(By::Text("みどり薬局")).unwrap();
    visit.browser.script("window.__sameDocument = true", &[]).unwrap();
    visit.until("five of six", "return document.querySelector('#coverage progress')?.value === 5");
    let early = visit.main();
    assert!(early.contains("問い合わせ中：5 / 6"), "{early}");
    assert!(
        !early.contains("卵") && !early.contains("応答のない施設"),
        "nothing is said to be missing yet: {early}"
    );
    // Whoever has unfolded something keeps it, and the focus with it.
    let unfold = "document.getElementById('coverage-lines').open = true;
        document.querySelector('#coverage-lines summary').focus();";
    visit.browser.script(unfold, &[]).unwrap();
    assert!(visit.main().contains("問い合わせ中です"), "{}", visit.main());

    scene.town.node(House::Clinic).thaw();
    visit.until("all of six", "return document.querySelector('#coverage .whole') !== null");
    let late = visit.main();
    let kept = "return window.__sameDocument === true && document.getElementById('coverage-lines').open
        && document.activeElement === document.querySelector('#coverage-lines summary')";
    assert_eq!(visit.browser.script(kept, &[]).unwrap(), true, "without loading the page anew");
    let (ja, _) = House::Clinic.names();
    assert!(late.matches(ja).count() > early.matches(ja).count(), "{late}");
    visit.assert_clean();
}
