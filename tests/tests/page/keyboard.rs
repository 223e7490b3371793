//! Without a mouse: from the PIN to the growth curve and the next vaccination.

use hibiki_tests::browser::{By, Focused, Key};

use super::scene::scene;
use super::visit::Visit;

/// Tabs somebody may be asked to press for one link.
const PATIENCE: usize = 25;

/// Presses Tab until something of this role with this in its name has the focus; everything on the way shows that it has
/// the focus.
fn tab_to(visit: &Visit, role: &str, name: &str) -> Vec<Focused> {
    let mut passed = Vec::new();
    loop {
        visit.browser.press(Key::Tab).unwrap();
        let focused =
            visit.browser.focus().unwrap().unwrap_or_else(|| panic!("no way to {name}: {passed:?}"));
        assert!(focused.visible && focused.on_screen, "the focus is not seen: {focused:?}");
        let there = focused.role == role && focused.name.contains(name);
        passed.push(focused);
        if there {
            return passed;
        }
        assert!(passed.len() < PATIENCE, "{name} is too far: {passed:?}");
    }
}

fn enter(visit: &Visit, heading: &str) {
    visit.browser.press(Key::Enter).unwrap();
    let there = format!("return document.querySelector('h1')?.innerText.includes('{heading}') ?? false");
    visit.until(heading, &there);
    visit.settle();
}

#[test]
fn the_growth_curve_and_the_next_vaccination_are_reached_by_keyboard() {
    let scene = scene();
    let Some(visit) = scene.guest("by keyboard", &scene.mother, &[]) else { return };
    let mut strokes = 5; // The PIN, and Enter.
    visit.settle();

    // The first stop leads past the head of the page.
    let skip = tab_to(&visit, "link", "本文へ");
    assert_eq!(skip.len(), 1, "{skip:?}");
    visit.browser.press(Key::Enter).unwrap();
    let to_child = tab_to(&visit, "link", scene.child());
    let inside = "return document.activeElement.closest('main') !== null";
    assert_eq!(visit.browser.script(inside, &[]).unwrap(), true, "past the head: {to_child:?}");
    strokes += skip.len() + 1 + to_child.len() + 1;
    enter(&visit, "まとめ");

    strokes += tab_to(&visit, "link", "成長").len() + 1;
    enter(&visit, "成長");
    assert!(visit.browser.has(By::Css("main svg")).unwrap(), "a curve: {}", visit.main());
    strokes += tab_to(&visit, "link", "予防接種").len() + 1;
    enter(&visit, "予防接種");
    assert!(visit.main().contains("日本脳炎"), "the dose nobody has given yet: {}", visit.main());
    println!("from the PIN to the growth curve and the next vaccination: {strokes} strokes");

    // As it is read: the way past, whose records, finish, which page, the page itself.
    let walked = visit.browser.walk(Key::Tab, 60).unwrap();
    let unseen: Vec<&Focused> = walked.iter().filter(|it| !it.visible || !it.on_screen).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
    let place = |name: &str| walked.iter().position(|it| it.name.contains(name));
    let order = [
        "本文へ",
        "響き",
        scene.child(),
        "English",
        "終了する",
        "まとめ",
        "予防接種",
        "もう一度問い合わせる",
    ];
    let places: Vec<Option<usize>> = order.iter().map(|name| place(name)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}: {walked:?}");
    visit.assert_clean();
}
