//! 同意 and だれが見たか: withdrawn on the page, gone from the page, given again; each with its proof.

use std::time::Duration;

use hibiki_protocol::tlog::{Hash, LogProof, VerifierKey};
use hibiki_tests::browser::By;
use hibiki_tests::house::House;

use super::scene::scene;
use super::visit::Visit;

/// A checkpoint covers an entry after a few seconds.
const PROVEN: Duration = Duration::from_secs(45);

fn button(house: House, category: &str, reach: &str) -> String {
    let form = format!(
        "form:has([name=institution][value='{}']):has([name=category][value='{category}'])",
        house.id()
    );
    format!("{form} button[value='{reach}']")
}

/// Makes a choice and waits until the institution has answered.
fn choose(visit: &Visit, person: &str, house: House, reach: &str, said: &str) {
    visit.open(&format!("{person}/consent"));
    visit.browser.click(By::Css(&button(house, "allergy", reach))).unwrap();
    let wait = visit.browser.wait_until(said, PROVEN, |browser| {
        let latest = browser.find(By::Css(".made li"))?;
        let done = latest.attribute("class")?.as_deref() == Some("done");
        Ok(done && latest.text()?.contains(said))
    });
    wait.unwrap();
}

#[test]
fn what_is_withdrawn_vanishes_with_a_receipt_and_comes_back() {
    let scene = scene();
    let Some(visit) = scene.guest("choices", &scene.mother, &[]) else { return };
    let (person, house) = (visit.person(scene.child()), House::Clinic);
    let allergies = || {
        visit.open(&format!("{person}/medicines"));
        visit.ask_again();
        let section = visit.browser.find(By::Css("section[aria-labelledby='allergies']")).unwrap();
        section.text().unwrap()
    };
    let before = allergies();
    assert!(before.contains(house.names().0), "{before}");

    choose(&visit, &person, house, "own_view", "同意を取り下げ");
    visit.browser.click(By::Named("link", "受付票を保存")).unwrap();
    let file = visit.browser.downloaded().unwrap();
    assert!(visit.main().contains("受付票を保存"), "the page stays where it is: {}", visit.main());
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.starts_with("hibiki-receipt-") && name.ends_with(".tlog-proof"), "{name}");
    let receipt = std::fs::read_to_string(&file).unwrap();
    assert!(receipt.starts_with("c2sp.org/tlog-proof@v1\n"), "{receipt}");
    let proof = LogProof::parse(&receipt).unwrap();
    let key = scene.town.node(house).ledger_key().unwrap().parse::<VerifierKey>().unwrap();
    let another = Hash::from_slice(&[7; 32]).unwrap();
    assert!(proof.verify(&another, &key, &[]).is_err(), "it proves one entry and no other");

    // By itself: nobody has to ask again.
    visit.open(&format!("{person}/medicines"));
    let listed = By::Css("section[aria-labelledby='allergies']");
    let wait = visit.browser.wait_until("what is withdrawn is shown no more", PROVEN, |browser| {
        Ok(!browser.find(listed)?.text()?.contains(house.names().0))
    });
    wait.unwrap();
    assert!(!allergies().contains(house.names().0), "asked again, too");
    visit.open(&format!("{person}/consent"));
    assert!(
        visit.main().contains("表示しない") && visit.main().contains("あなたの画面だけ"),
        "{}",
        visit.main()
    );

    let withdrawn = "return [...document.querySelectorAll('.access tbody tr')]
        .some(row => row.className === 'proven' && row.innerText.includes('アレルギーを表示しない'))";
    visit.open(&format!("{person}/access"));
    let wait = visit.browser.wait_until("the withdrawal is in the history, proven", PROVEN, |browser| {
        if browser.script(withdrawn, &[])? == true {
            return Ok(true);
        }
        visit.ask_again();
        Ok(false)
    });
    wait.unwrap();
    assert!(!visit.browser.has(By::Css(".access .unproven")).unwrap(), "{}", visit.main());

    choose(&visit, &person, house, "own_view", "表示に同意");
    assert_eq!(allergies(), before, "as it was");
    visit.assert_clean();
}
