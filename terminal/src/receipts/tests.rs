#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::os::unix::fs::{PermissionsExt as _, symlink};

use hibiki_protocol::receipt::{LeafStanding, ProofPage, Receipt};
use hibiki_protocol::time::Timestamp;
use proptest::prelude::*;

use super::folder::Folder;
use super::kept::{FILE_BYTES_MAX, KeptReceipt, Unreadable};
use super::lists::Lists;
use super::prove::{Plan, Settlement, settle};
use super::scene::*;
use super::verdict::{Breach, Fault, Judged, Summary, Verdict, Waiting, judge, judge_all};
use crate::words;

fn town() -> (Institution, Institution, Council) {
    let (hospital, school) = (Institution::new(HOSPITAL, 10), Institution::new(SCHOOL, 20));
    let mut council = Council::new();
    council.publish(&[&hospital, &school]);
    (hospital, school, council)
}

fn judged_as(receipts: &[KeptReceipt], lists: &Lists) -> Vec<Judged> {
    let found =
        receipts.iter().enumerate().map(|(number, receipt)| (format!("{number}.json"), Ok(receipt.clone())));
    judge_all(found.collect(), lists)
}

fn verdicts(receipts: &[KeptReceipt], lists: &Lists) -> Vec<Verdict> {
    judged_as(receipts, lists).into_iter().map(|judged| judged.verdict).collect()
}

#[test]
fn a_receipt_is_promised_until_it_is_proved() {
    let (hospital, _, council) = town();
    let lists = council.lists(&[1]);
    assert_eq!(judge(&hospital.receipt(4, 1), &lists), Verdict::Promised(Waiting::Proof));
    for size in 5..40 {
        assert_eq!(judge(&hospital.proved(4, size, 1), &lists), Verdict::Proved { size });
    }
}

#[test]
fn a_file_says_the_same_as_before_and_tells_of_nobody() {
    let (hospital, _, _) = town();
    let proved = hospital.proved(4, 9, 1);
    for receipt in [
        hospital.receipt(4, 1),
        proved.clone(),
        denied(&hospital.receipt(4, 1), Some(hospital.checkpoint(9))),
        denied(&hospital.receipt(4, 1), None),
        hospital.receipt_at(u64::MAX >> 1, u64::MAX, Timestamp(u64::MAX)),
    ] {
        let text = receipt.to_json().unwrap();
        assert_eq!(KeptReceipt::from_json(text.as_bytes()).unwrap(), receipt, "{text}");
        assert!(text.len() < FILE_BYTES_MAX);
    }
    let value: serde_json::Value = serde_json::from_str(&proved.to_json().unwrap()).unwrap();
    let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
    let all = ["at", "epoch", "form", "index", "leaf_hash", "member", "origin", "promise", "proof", "vkey"];
    assert_eq!(keys, all, "whatever is added here must say nothing about anybody");
    let name = proved.file_name();
    assert!(name.starts_with("maebashi.chuo-hospital.4.") && name.ends_with(".json"), "{name}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// One bit of the file, anywhere: it is never taken for something else that is proved or promised, and never
    /// read as the institution's fault.
    #[test]
    fn a_flipped_bit_never_passes(at in any::<prop::sample::Index>(), bit in 0_u8..8, kind in 0..3) {
        let (hospital, _, council) = town();
        let lists = council.lists(&[1]);
        let right = match kind {
            0 => hospital.receipt(4, 1),
            1 => hospital.proved(4, 9, 1),
            _ => denied(&hospital.receipt(4, 1), Some(hospital.checkpoint(9))),
        };
        let mut bytes = right.to_json().unwrap().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(read) = KeptReceipt::from_json(&bytes) {
            let same = read.promise == right.promise && read.member == right.member;
            let verdict = judge(&read, &lists);
            let before = judge(&right, &lists);
            // Blanks between the words, and the epoch, which only says which list to look for.
            let harmless = same && read.signed == right.signed && verdict == before;
            let noticed = matches!(verdict, Verdict::Wrong(_) | Verdict::KeysUnknown { .. });
            prop_assert!(harmless || noticed, "byte {at} bit {bit}: {verdict:?}");
        }
    }

    /// Any bytes whatsoever are judged without a panic.
    #[test]
    fn any_file_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(KeptReceipt::from_json(&bytes).is_err());
    }

    /// Cut short anywhere.
    #[test]
    fn a_truncated_file_is_unreadable(at in any::<prop::sample::Index>()) {
        let (hospital, _, _) = town();
        let text = hospital.proved(4, 9, 1).to_json().unwrap();
        let cut = &text.as_bytes()[..at.index(text.len() - 2)];
        let refused = KeptReceipt::from_json(cut).unwrap_err();
        prop_assert!(matches!(refused, Unreadable::Json { .. }), "{refused:?}");
    }
}

#[test]
fn what_is_written_by_hand_does_not_pass() {
    let (hospital, school, council) = town();
    let lists = council.lists(&[1]);
    let text = hospital.proved(4, 9, 1).to_json().unwrap();
    let bent = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        KeptReceipt::from_json(text.replacen(from, to, 1).as_bytes())
    };
    assert_eq!(bent("\"index\": 4", "\"index\": 5"), Err(Unreadable::Differs("index")));
    assert_eq!(bent("\"at\": \"2026", "\"at\": \"2025"), Err(Unreadable::Differs("at")));
    assert_eq!(bent("hibiki-receipt/1", "hibiki-receipt/2"), Err(Unreadable::Form));
    assert_eq!(
        bent("\"member\": \"maebashi/chuo-", "\"member\": \"maebashi/"),
        Err(Unreadable::Differs("member"))
    );
    assert_eq!(bent("\"origin\": \"m", "\"origin\": \"n"), Err(Unreadable::Differs("origin")));
    let vkey = hospital.signer().verifier_key().to_string();
    let schools = school.signer().verifier_key().to_string();
    assert_eq!(bent(&vkey, &schools), Err(Unreadable::Differs("vkey")));
    assert_eq!(bent(&vkey, "vkey"), Err(Unreadable::Field("vkey")));
    let doubled = text.replacen("\"index\": 4,", "\"index\": 4, \"index\": 4,", 1);
    assert!(matches!(KeptReceipt::from_json(doubled.as_bytes()), Err(Unreadable::Json { .. })));
    let more = text.replacen("\"index\": 4,", "\"index\": 4, \"name\": \"Hana\",", 1);
    assert!(matches!(KeptReceipt::from_json(more.as_bytes()), Err(Unreadable::Json { .. })));
    // A key of the hospital's name that it never had.
    let stranger = hospital.with_ledger(77).signer().verifier_key().to_string();
    let read = bent(&vkey, &stranger).unwrap();
    assert_eq!(judge(&read, &lists), Verdict::Wrong(Fault::LedgerKey));
}

#[test]
fn huge_deep_and_odd_files_are_refused_and_the_others_judged_all_the_same() {
    let (hospital, _, council) = town();
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("kept/receipts");
    let folder = Folder::create(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(folder.receipts().unwrap().is_empty());
    let receipt = hospital.proved(4, 9, 1);
    folder.save(&hospital.receipt(4, 1)).unwrap();
    folder.save(&receipt).unwrap();
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 1, "one leaf, one file, and nothing half written");
    let text = receipt.to_json().unwrap();
    std::fs::write(path.join("copy.json"), &text).unwrap();
    std::fs::write(path.join("deep.json"), "[".repeat(50_000)).unwrap();
    std::fs::write(path.join("empty.json"), "").unwrap();
    std::fs::write(path.join("huge.json"), format!("{text}{}", " ".repeat(FILE_BYTES_MAX))).unwrap();
    std::fs::write(path.join("notes.txt"), "not of ours").unwrap();
    std::fs::create_dir(path.join("folder.json")).unwrap();
    symlink(path.join("nowhere"), path.join("gone.json")).unwrap();
    symlink("/dev/zero", path.join("zero.json")).unwrap();
    std::fs::write(path.join("odd.list"), "no list").unwrap();
    let judged = judge_all(folder.receipts().unwrap(), &council.lists(&[1]));
    let summary = Summary::of(&judged);
    assert_eq!(summary, Summary { proved: 1, unreadable: 6, copies: 1, ..Summary::default() });
    assert!(summary.alarming() && !summary.all_proved());
    let copy = judged.iter().find(|judged| judged.copy_of.is_some()).unwrap();
    assert_eq!(
        (copy.file.clone(), copy.copy_of.clone()),
        (
            "maebashi.chuo-hospital.4.".to_owned() + &receipt.promise.receipt.leaf_hash.hex()[..16] + ".json",
            Some("copy.json".to_owned())
        )
    );
    assert!(folder.lists().unwrap()[0].1.is_err());
    for judged in &judged {
        let words = words::receipts::verdict(judged, NOON);
        assert!(!words.ja.is_empty() && !words.en.is_empty());
    }
    assert!(Folder::open(&path.join("notes.txt")).is_err());
    assert!(Folder::open(&path.join("missing")).is_err());
}

#[test]
fn the_promise_and_the_proof_of_another_institution_count_for_nothing() {
    let (hospital, school, council) = town();
    let lists = council.lists(&[1]);
    // The school signs what the hospital should have promised.
    let right = hospital.receipt(4, 1);
    let signed = school.promise_of(right.promise.receipt.clone(), NOON);
    assert_eq!(judge(&KeptReceipt { signed, ..right.clone() }, &lists), Verdict::Wrong(Fault::Signature));
    // Proofs of another leaf, another place, another ledger.
    for proof in [
        hospital.proof(5, 9),
        school.proof(4, 9),
        hospital_like(&hospital).proof(4, 9),
        hibiki_protocol::tlog::LogProof { checkpoint: hospital.checkpoint(8), ..hospital.proof(4, 9) },
        hibiki_protocol::tlog::LogProof { path: hospital.path(5, 9), ..hospital.proof(4, 9) },
    ] {
        let replayed = KeptReceipt { proof: Some(proof.to_string()), ..right.clone() };
        assert_eq!(judge(&replayed, &lists), Verdict::Wrong(Fault::Proof));
    }
    for text in ["", "c2sp.org/tlog-proof@v1\n", "index 4"] {
        let replayed = KeptReceipt { proof: Some(text.to_owned()), ..right.clone() };
        assert_eq!(judge(&replayed, &lists), Verdict::Wrong(Fault::Proof));
    }
}

/// With the hospital's key, and other entries.
fn hospital_like(hospital: &Institution) -> Institution {
    Institution { flavour: 99, ..hospital.clone() }
}

#[test]
fn a_denied_leaf_is_a_broken_promise_and_the_checkpoint_says_how() {
    let (hospital, school, council) = town();
    let lists = council.lists(&[1]);
    let receipt = hospital.receipt(4, 1);
    let verdict = |checkpoint| judge(&denied(&receipt, checkpoint), &lists);
    assert_eq!(verdict(Some(hospital.checkpoint(5))), Verdict::Broken(Breach::NotIncluded));
    assert_eq!(verdict(Some(hospital.checkpoint(4))), Verdict::Broken(Breach::Denied));
    assert_eq!(verdict(None), Verdict::Broken(Breach::Denied));
    assert_eq!(verdict(Some(school.checkpoint(9))), Verdict::Wrong(Fault::Checkpoint));
    assert_eq!(verdict(Some("a note".to_owned())), Verdict::Wrong(Fault::Checkpoint));
}

#[test]
fn two_leaves_promised_at_one_place_break_a_promise_and_what_is_proved_stays_proved() {
    let (hospital, _, council) = town();
    let lists = council.lists(&[1]);
    let other = hospital_like(&hospital);
    let broken = Verdict::Broken(Breach::TwoLeaves);
    let both = [hospital.receipt(4, 1), other.receipt(4, 1), hospital.receipt(5, 1)];
    let expected = [broken.clone(), broken.clone(), Verdict::Promised(Waiting::Proof)];
    assert_eq!(verdicts(&both, &lists), expected);
    let both = [hospital.proved(4, 9, 1), other.receipt(4, 1)];
    assert_eq!(verdicts(&both, &lists), [Verdict::Proved { size: 9 }, broken]);
    // What the hospital did not sign breaks nothing.
    let forged = hospital_like(&hospital).with_signing(55).receipt(4, 1);
    let both = [hospital.receipt(4, 1), forged];
    assert_eq!(
        verdicts(&both, &lists),
        [Verdict::Promised(Waiting::Proof), Verdict::Wrong(Fault::Signature)]
    );
}

#[test]
fn of_copies_the_best_counts() {
    let (hospital, _, council) = town();
    let lists = council.lists(&[1]);
    let judged = judged_as(&[hospital.receipt(4, 1), hospital.proved(4, 9, 1)], &lists);
    assert_eq!(judged[0].copy_of.as_deref(), Some("1.json"));
    assert!(Summary::of(&judged).all_proved());
}

/// The hospital changes its signing key with list 2, and begins a new ledger with list 3.
#[test]
fn a_receipt_is_judged_by_the_keys_of_its_time() {
    let (hospital, school, mut council) = town();
    let resigned = hospital.with_signing(60);
    let renewed = resigned.with_ledger(70);
    council.publish(&[&resigned, &school]);
    council.publish(&[&renewed, &school]);
    let old = hospital.proved(4, 9, 1);
    for epochs in [&[1][..], &[1, 2], &[1, 3], &[1, 2, 3], &[3, 2, 1]] {
        let lists = council.lists(epochs);
        assert_eq!(judge(&old, &lists), Verdict::Proved { size: 9 }, "{epochs:?}");
        assert_eq!(judge(&hospital.receipt(4, 1), &lists), Verdict::Promised(Waiting::Proof));
    }
    // Without the list of its time nothing is said, least of all that it is wrong.
    for epochs in [&[2][..], &[3], &[2, 3], &[]] {
        let unknown = Verdict::KeysUnknown { epoch: 1 };
        assert_eq!(judge(&old, &council.lists(epochs)), unknown, "{epochs:?}");
    }
    // Made under the first list and proved later, under the second: one ledger, both keys at hand.
    let late = resigned.proved(6, 30, 2);
    assert_eq!(judge(&late, &council.lists(&[2])), Verdict::Proved { size: 30 });
    // The terminal was one list behind the institution: still the institution's own key.
    assert_eq!(judge(&resigned.receipt(6, 1), &council.lists(&[1, 2])), Verdict::Promised(Waiting::Proof));
    // Denied under the new ledger: not the ledger that promised.
    let denied = denied(&hospital.receipt(4, 1), Some(renewed.checkpoint(50)));
    assert_eq!(judge(&denied, &council.lists(&[1, 2, 3])), Verdict::Promised(Waiting::OtherLedger));
    // And two ledgers may well have promised two leaves at one place.
    let both = [hospital.receipt(4, 1), renewed.receipt(4, 3)];
    let waiting = Verdict::Promised(Waiting::Proof);
    assert_eq!(verdicts(&both, &council.lists(&[1, 2, 3])), [waiting.clone(), waiting]);
}

#[test]
fn lists_count_if_they_verify_from_the_root() {
    let (hospital, _, council) = town();
    let mut rival = Council::new();
    rival.publish(&[&hospital.with_signing(66)]);
    let mut forged = rival.published[0].clone();
    forged.payload[40] ^= 1;
    let offered = vec![("own".to_owned(), council.published[0].clone()), ("forged".to_owned(), forged)];
    let (lists, refused) = Lists::gather(&council.anchor(), offered, NOON);
    assert_eq!(refused.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["forged"]);
    assert_eq!(judge(&hospital.receipt(4, 1), &lists), Verdict::Promised(Waiting::Proof));
}

#[test]
fn a_clock_that_is_off_makes_nothing_wrong() {
    let (hospital, _, council) = town();
    let lists = council.lists(&[1]);
    for at in [Timestamp(0), Timestamp(NOON.0 - 400 * 86_400_000), NOON.plus(86_400_000), Timestamp(u64::MAX)]
    {
        let receipt = hospital.receipt_at(4, 1, at);
        let judged = &judged_as(std::slice::from_ref(&receipt), &lists)[0];
        assert_eq!(judged.verdict, Verdict::Promised(Waiting::Proof));
        assert_eq!(judged.waiting_millis(NOON), Some(NOON.since(at)));
        assert!(!words::receipts::verdict(judged, NOON).ja.is_empty());
        let proved = KeptReceipt { proof: Some(hospital.proof(4, 9).to_string()), ..receipt };
        assert_eq!(judge(&proved, &lists), Verdict::Proved { size: 9 });
    }
}

#[test]
fn an_institutions_word_about_a_receipt_is_judged_before_it_is_kept() {
    let (hospital, school, council) = town();
    let lists = council.lists(&[1]);
    let receipt = hospital.receipt(4, 1);
    let say = |page: &ProofPage| settle(&receipt, page, &page.proofs[0], &lists);
    let right = hospital.page(4, 9);
    assert_eq!(say(&right), Settlement::Proved(hospital.proof(4, 9).to_string()));
    let mut not_yet = right.clone();
    not_yet.proofs[0].standing = LeafStanding::NotYet;
    assert_eq!(say(&not_yet), Settlement::NotYet);
    let mut unknown = right.clone();
    unknown.proofs[0].standing = LeafStanding::Unknown;
    assert!(
        matches!(say(&unknown), Settlement::Denied(denial) if denial.checkpoint == Some(hospital.checkpoint(9)))
    );
    // A proof of something else, under its own checkpoint: it cannot prove what it promised.
    let mut elsewhere = hospital.page(5, 9);
    elsewhere.proofs[0].index = 4;
    assert!(matches!(say(&elsewhere), Settlement::Denied(_)));
    // By a key that is nobody's, or another's: nothing is learnt from it.
    let mut foreign = school.page(4, 9);
    assert_eq!(say(&foreign), Settlement::Unusable);
    foreign.proofs[0].standing = LeafStanding::Unknown;
    assert_eq!(say(&foreign), Settlement::Unusable);
}

#[test]
fn what_cannot_be_proved_keeps_nothing_from_its_turn() {
    let (hospital, school, council) = town();
    let lists = council.lists(&[1]);
    let mut receipts: Vec<KeptReceipt> = (0..40).map(|index| hospital.receipt(index, 1)).collect();
    let head = hospital.checkpoint(60);
    receipts.extend((40..60).map(|index| denied(&hospital.receipt(index, 1), Some(head.clone()))));
    receipts.push(school.receipt(2, 1));
    receipts.push(hospital.proved(70, 90, 1));
    for turn in [0, 7, u64::MAX] {
        let mut plan = Plan::new(judged_as(&receipts, &lists), turn);
        assert_eq!(plan.waiting(), 61);
        let (mut seen, mut rounds) = (Vec::new(), 0);
        loop {
            let round = plan.next_round();
            if round.is_empty() {
                break;
            }
            rounds += 1;
            assert!(round.values().all(|few| (1..=16).contains(&few.len())));
            let hospitals = round.get(&hospital.id).cloned().unwrap_or_default();
            seen.extend(hospitals.iter().map(|receipt: &KeptReceipt| receipt.promise.receipt.index));
            assert_eq!(round.contains_key(&school.id), rounds == 1);
        }
        assert_eq!(rounds, 4);
        assert!(seen[..40].iter().all(|index| *index < 40), "what was denied comes last");
        assert_eq!(seen[0], turn % 40, "another one begins each time");
        seen.sort_unstable();
        assert_eq!(seen, (0..60).collect::<Vec<u64>>(), "each has its turn, once");
    }
}

#[test]
fn what_is_not_the_institutions_is_not_asked_for() {
    let (hospital, school, council) = town();
    let receipt = hospital.receipt(4, 1);
    let promised = Receipt { index: 5, ..receipt.promise.receipt.clone() };
    let forged = KeptReceipt { signed: school.promise_of(promised, NOON), ..receipt.clone() };
    let judged = judged_as(&[receipt.clone(), receipt, forged], &council.lists(&[1]));
    assert_eq!(Plan::new(judged, 0).waiting(), 1, "copies once, forgeries never");
}
