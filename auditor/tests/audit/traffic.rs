//! What travels: records in the clear of TLS, and searches that prove nothing, because nothing was decrypted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hibiki_audit::report::ask;
use hibiki_audit::strand::Strand;
use hibiki_protocol::tlog::DigestKind;
use serde_json::json;

use crate::federation::*;

const DECRYPTED: &str = "traffic/decrypted";
const STORY: &str = "traffic/traffic.json";

fn look(town: &Town) -> Strand {
    ask(&town.evidence().1, "traffic")
}

#[test]
fn all_that_was_relayed_is_seen_and_none_of_it_can_be_read() {
    let strand = look(&Town::honest());
    right(&strand);
    for what in ["parts relayed", "parts relayed and seen", "answers relayed", "answers relayed and seen"] {
        assert_eq!(strand.figures[what], 9, "{what}");
    }
    assert_eq!((strand.figures["streams"], strand.figures["canaries abroad"]), (18, 0));
    let town = Town::honest();
    right(super::federation::strand(&town.audit(), "traffic"));
}

#[test]
fn a_record_in_the_clear_of_tls_in_either_direction() {
    let town = Town::honest();
    let (kana, latin) = (town.canary_of(HOSPITAL, "kana"), town.canary_of(CITY, "latin"));
    for (stream, secret) in [
        ("chuo-hospital/9-in.bin", kana.as_bytes().to_vec()),
        ("chuo-hospital/0-in.bin", framed(&[format!("{{\"text\":\"{kana}\"}}").into_bytes()])),
        ("caller/9-out.bin", STANDARD.encode(latin).into_bytes()),
        ("caller/9-in.bin", latin.bytes().rev().collect()),
    ] {
        let name = format!("{DECRYPTED}/{stream}");
        let whole = std::fs::read(town.path(&name)).unwrap_or_default();
        town.put_file(&name, &[&whole[..], &secret].concat());
        wrong(&look(&town), &format!("lies in {name}"));
        town.remove(&name);
        if !whole.is_empty() {
            town.put_file(&name, &whole);
        }
    }
    right(&look(&town));
    // An accomplice who tells the gateway is a leaking node.
    let story = json!({ "name": "clear", "what": "is told", "strand": "traffic" }).to_string();
    town.put_file("mutants/clear/mutant.json", story.as_bytes());
    wrong(strand(&town.audit(), "mutants"), "`clear` (is told) was not caught by `traffic`");
    town.put_file("mutants/clear/traffic/decrypted/0000/0.bin", b"sealed");
    wrong(strand(&town.audit(), "mutants"), "`clear`");
    town.put_file("mutants/clear/traffic/decrypted/0000/0.bin", kana.as_bytes());
    let report = town.audit();
    right(strand(&report, "mutants"));
    right(strand(&report, "traffic"));
}

#[test]
fn a_search_in_what_was_not_decrypted_is_void() {
    let void = |change: &dyn Fn(&Town), said: &str| {
        let town = Town::honest();
        change(&town);
        wrong(&look(&town), said);
    };
    let all =
        "9 of 9 parts that maebashi/city-hall relayed are not in the decrypted traffic: the search is void";
    let noise = |town: &Town| {
        town.remove(DECRYPTED);
        town.put_file(&format!("{DECRYPTED}/0/0.bin"), &[0xa5; 70_000]);
    };
    void(&noise, all);
    // One side of the gateway is not enough, whichever it is; what its own house answers travels on one alone.
    void(&|town| town.remove(&format!("{DECRYPTED}/caller")), all);
    void(&|town| town.remove(&format!("{DECRYPTED}/{HOSPITAL}")), "3 of 9 answers");
    void(&|town| town.remove(&format!("{DECRYPTED}/{SCHOOL}/1-in.bin")), "1 of 9 answers");
    void(&|town| town.remove(&format!("{DECRYPTED}/{SCHOOL}/1-out.bin")), "1 of 9 parts");
    // A byte of a sealed answer is another.
    let altered = |bytes: &mut Vec<u8>| *bytes.last_mut().unwrap() ^= 1;
    void(&|town| town.alter(&format!("{DECRYPTED}/{HOSPITAL}/2-in.bin"), altered), "1 of 9 answers");
    let cut = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() - 1);
    void(&|town| town.alter(&format!("{DECRYPTED}/caller/0-out.bin"), cut), "1 of 9 answers");
    let told = |dropped: u64, closed: u64, lost: u64| {
        let story =
            json!({ "dropped": dropped, "found": { "not_decrypted": closed, "lost": lost } }).to_string();
        move |town: &Town| town.put_file(STORY, story.as_bytes())
    };
    void(&told(0, 3, 0), "3 packets not decrypted");
    void(&told(2, 0, 0), "2 packets not captured");
    void(&told(0, 0, 1), "1 bytes of streams not seen");
}

#[test]
fn what_is_not_there_is_said() {
    let town = Town::honest();
    town.remove("traffic");
    missing(&look(&town), "traffic/decrypted: what tshark decrypted");
    let report = town.audit();
    assert!(!report.passed && !strand(&report, "traffic").passed);
    town.write();
    for garbage in [&b"{"[..], b"[]", br#"{"dropped":"0","found":{"not_decrypted":-1}}"#] {
        town.put_file(STORY, garbage);
        missing(&look(&town), STORY);
    }
    town.write();
    // Whatever else stands among the streams is searched, and no frame.
    for garbage in [&b""[..], &[0xff; 9], &[0; 4], &[0, 0, 0, 2, 0x82, 5, 9]] {
        town.put_file(&format!("{DECRYPTED}/caller/x"), garbage);
        right(&look(&town));
    }
    std::os::unix::fs::symlink("/etc/hostname", town.path(&format!("{DECRYPTED}/caller/y"))).unwrap();
    missing(&look(&town), "no ordinary file");
}

#[test]
fn the_ledger_of_that_time() {
    let ledger = "traffic/members/city-hall/ledger";
    let town = Town::honest();
    town.remove(ledger);
    missing(&look(&town), "parts that were relayed meanwhile");
    // The ledger of before says of no relay meanwhile.
    copy(&town.path("members/city-hall/ledger"), &town.path(ledger));
    missing(&look(&town), "answers that were relayed meanwhile");
    // One that does not go on from there.
    let mut other = Town::described();
    other.house(CITY).entries[1].digests.push((DigestKind::Document, digest("another start")));
    other.write();
    town.remove(ledger);
    copy(&other.path(ledger), &town.path(ledger));
    assert!(!look(&town).problems.is_empty());
    // Parts that travelled, and that nobody relayed, are no matter of this question.
    town.write();
    let part = std::fs::read(town.path(&format!("{DECRYPTED}/caller/0-in.bin"))).unwrap();
    town.put_file(&format!("{DECRYPTED}/caller/8-in.bin"), &part);
    right(&look(&town));
}
