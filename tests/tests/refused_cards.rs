//! Cards that must not open anything, and what their holders are told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use hibiki_tests::clock;
use hibiki_tests::evidence;
use hibiki_tests::family;
use hibiki_tests::town::{Card, Settings, Town, staff};

/// Tries to log in and expects these words, in both languages, and nobody's data among them.
fn assert_refused(town: &Town, card: &Card, data: &std::collections::BTreeSet<String>, ja: &str, en: &str) {
    let refused = town.login(card).unwrap_err().to_string();
    assert!(refused.contains(ja) && refused.contains(en), "{refused}");
    assert_eq!(evidence::found_in(&refused, data), Vec::<&str>::new(), "{refused}");
}

#[test]
fn every_card_that_must_not_open_is_refused_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let mut town = Town::found(&folder.path().join("t"), &Settings::default(), &mut |_| {}).unwrap();
    let (people, family) = family::found(12, clock::today());
    staff::register(&town, &people).unwrap();
    let data = evidence::personal_data(&people);
    let cards = folder.path().join("more-cards");

    let good = town.issue_card(&family.mother).unwrap();
    assert_eq!(town.login(&good).unwrap().len(), 3, "two children and herself");

    let foreign = town.council().foreign_card(&cards).unwrap();
    assert_refused(&town, &foreign, &data, "発行者が登録されていません", "its issuer is not accepted");

    let stranger = town.council().issue_card_for(&cards, "stranger", 30, clock::now()).unwrap();
    assert_refused(&town, &stranger, &data, "登録されていません", "not enrolled");

    // Enrolled while it was valid, used a day after it had ended.
    let long_ago = hibiki_protocol::time::Timestamp(clock::now().0 - 40 * 24 * 3_600_000);
    let expired = town.council().issue_card_for(&cards, "expired", 39, long_ago).unwrap();
    assert_refused(&town, &expired, &data, "有効期限が切れています", "expired");

    let revoked = town.issue_card(&family.father).unwrap();
    assert_eq!(town.login(&revoked).unwrap().len(), 3);
    town.council().revoke(&revoked).unwrap();
    town.renew_revocations(24).unwrap();
    assert_refused(&town, &revoked, &data, "失効", "revoked");

    wrong_pins(&town, &good, &data);
    assert_eq!(evidence::in_logs(&town, &people).unwrap(), Vec::<String>::new());
}

/// Three wrong PINs lock the card; the right one does not help then. The last try is not taken unasked.
fn wrong_pins(town: &Town, card: &Card, data: &std::collections::BTreeSet<String>) {
    assert_refused(town, &card.with_pin("12345").unwrap(), data, "4 桁", "four digits");
    let wrong = card.with_pin("9999").unwrap();
    for left in [2, 1] {
        let (ja, en) = (format!("あと {left} 回"), format!("{left} tr"));
        assert_refused(town, &wrong, data, &ja, &en);
    }
    assert_refused(town, &wrong, data, "残りはあと 1 回", "Only one try is left");
    let last = town.login_with(&wrong, &["--last-try"]).unwrap_err().to_string();
    assert!(last.contains("あと 0 回") && last.contains("0 tries left"), "{last}");
    assert_refused(town, card, data, "ロックされています", "locked");
}
