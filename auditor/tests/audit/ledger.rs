//! Ledgers that were altered, shortened, rewritten, signed by the wrong key, or vouched for by a liar.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hibiki_audit::strand::Strand;
use hibiki_protocol::ids::Digest;
use hibiki_protocol::tlog::{Checkpoint, EntryKind, SignedNote, consistency_proof, leaf_hash};
use hibiki_protocol::tlog::{Hash, HashReader, Leaf, decode_bundle, node_hash, root_of};
use serde_json::{Value, json};

use crate::federation::*;

const LEDGER: &str = "members/chuo-hospital/ledger";
const OPENINGS: &str = "members/chuo-hospital/openings.ndjson";

fn log(town: &Town) -> Strand {
    town.evidence().0
}

/// Changes one line of the openings.
fn reopen(town: &Town, number: usize, change: impl FnOnce(&mut Value)) {
    town.reword(OPENINGS, |text| {
        let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        change(&mut lines[number]);
        lines.iter().map(|line| format!("{line}\n")).collect()
    });
}

#[test]
fn one_flipped_bit_anywhere() {
    let town = Town::honest();
    let size = town.houses[HOSPITAL].entries.len();
    let tiles = [format!("tile/0/000.p/{size}"), format!("tile/entries/000.p/{size}")];
    for name in ["checkpoint", "checkpoints", "cosigned"].into_iter().chain(tiles.iter().map(String::as_str))
    {
        let name = format!("{LEDGER}/{name}");
        let whole = fs::read(town.path(&name)).unwrap();
        for at in [0, whole.len() / 3, whole.len() / 2, whole.len() - 3] {
            town.alter(&name, |bytes| bytes[at] ^= 1);
            let strand = log(&town);
            assert!(!strand.passed && !strand.problems.is_empty(), "{name} altered at {at}: {strand:#?}");
            fs::write(town.path(&name), &whole).unwrap();
        }
    }
    right(&log(&town));
    for (at, said) in [(0, "not what the leaf commits to"), (40, "not what the leaf commits to")] {
        reopen(&town, 7, |line| {
            let mut plain = STANDARD.decode(line["plain"].as_str().unwrap()).unwrap();
            plain[at] ^= 1;
            line["plain"] = json!(STANDARD.encode(plain));
        });
        wrong(&log(&town), said);
        town.write();
    }
    for name in ["trust/root.pub", "trust/1.list"] {
        town.alter(name, |bytes| bytes[30] ^= 1);
        assert!(town.artefacts().lists().is_err(), "{name}");
        town.write();
    }
}

#[test]
fn entries_missing_or_exchanged() {
    let town = Town::honest();
    let size = town.houses[HOSPITAL].entries.len();
    let bundle = format!("{LEDGER}/tile/entries/000.p/{size}");
    let entries = |bytes: &[u8]| -> Vec<Vec<u8>> {
        decode_bundle(bytes, size).unwrap().into_iter().map(<[u8]>::to_vec).collect()
    };
    let pack = |entries: &[Vec<u8>]| {
        let mut bytes = Vec::new();
        entries.iter().for_each(|entry| hibiki_protocol::tlog::encode_entry(&mut bytes, entry).unwrap());
        bytes
    };
    town.alter(&bundle, |bytes| {
        let mut all = entries(bytes);
        all.swap(10, 11);
        *bytes = pack(&all);
    });
    wrong(&log(&town), "the entries do not lead to the root");
    wrong(&log(&town), "not what the leaf commits to");
    town.write();
    town.alter(&bundle, |bytes| {
        let mut all = entries(bytes);
        all.remove(10);
        *bytes = pack(&all);
    });
    wrong(&log(&town), "tile/entries/000");
    town.write();
    town.alter(&format!("{LEDGER}/tile/0/000.p/{size}"), |bytes| bytes.truncate(64));
    wrong(&log(&town), "its hashes are not those of the entries");
    town.write();
    town.remove(&format!("{LEDGER}/tile/0/000.p/{size}"));
    wrong(&log(&town), "No such file");
}

#[test]
fn openings_missing_or_made_up() {
    let town = Town::honest();
    town.reword(OPENINGS, |text| text.lines().take(20).map(|line| format!("{line}\n")).collect());
    missing(&log(&town), "openings.ndjson is not complete");
    town.write();
    town.reword(OPENINGS, |text| {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.remove(5);
        let end = json!({ "complete": lines.len() - 1 }).to_string();
        *lines.last_mut().unwrap() = &end;
        lines.iter().map(|line| format!("{line}\n")).collect()
    });
    wrong(&log(&town), "1 entries were not laid open");
    town.write();
    reopen(&town, 7, |line| *line = json!({ "index": 7, "damaged": "does not open" }));
    wrong(&log(&town), "entry 7: does not open");
    town.write();
    // Whoever wants to say nothing of an entry might say that its person was erased.
    reopen(&town, 7, |line| *line = json!({ "index": 7, "erased": true }));
    wrong(&log(&town), "1 entries are said to be erased, and no erasure was logged");
    town.write();
    reopen(&town, 7, |line| *line = json!({ "index": 7, "plain": "AAAA" }));
    wrong(&log(&town), "entry 7: the opening is too short");
}

#[test]
fn a_ledger_rewritten_and_signed_again() {
    let mut town = Town::honest();
    // The institution itself drops a release and signs what is left, all files in agreement.
    let honest = town.path("honest");
    for kept in [CITY, SCHOOL] {
        copy(&town.path(&format!("members/{kept}/witnessed")), &honest.join(kept));
    }
    town.house(HOSPITAL).entries.remove(20);
    town.house(HOSPITAL).cosigned -= 1;
    town.remove(LEDGER);
    town.write();
    for kept in [CITY, SCHOOL] {
        copy(&honest.join(kept), &town.path(&format!("members/{kept}/witnessed")));
    }
    let strand = log(&town);
    wrong(&strand, "maebashi/chuo-hospital: two signed checkpoints of size 102 differ: the log was forked");
}

#[test]
fn a_ledger_that_ends_before_what_its_witnesses_keep() {
    let mut town = Town::honest();
    let kept = "members/city-hall/witnessed/maebashi+chuo-hospital.0.checkpoint";
    let note = fs::read(town.path(kept)).unwrap();
    let house = town.house(HOSPITAL);
    house.entries.truncate(60);
    house.cosigned = 60;
    town.remove(LEDGER);
    town.write();
    town.put_file(kept, &note);
    wrong(&log(&town), "rollback");
}

#[test]
fn witnesses_too_few_unknown_or_lying() {
    let mut town = Town::described();
    town.house(HOSPITAL).cosigners = vec![HOSPITAL];
    town.write();
    missing(&log(&town), "members/chuo-hospital/ledger/cosigned: cosignatures of witnesses");

    // Two witnesses cosigned what never was in the ledger.
    let town = Town::honest();
    let head = Checkpoint { origin: "maebashi/chuo-hospital/ledger".into(), size: 50, root: Hash([7; 32]) };
    let mut forged = head.sign(&ledger_signer(HOSPITAL, "first")).unwrap();
    for witness in [CITY, SCHOOL] {
        let line = witness_signer(witness).sign(forged.text(), NOON / 1000 + 900);
        forged.add(line);
    }
    town.put_file(&format!("{LEDGER}/cosigned"), forged.to_string().as_bytes());
    wrong(&log(&town), "the checkpoint of size 50 is not a prefix of this ledger");
    town.write();

    // A cosignature that is none.
    town.reword(&format!("{LEDGER}/cosigned"), |text| {
        let mut note = SignedNote::parse(text.as_bytes()).unwrap();
        let line = witness_signer(CITY).sign("something else\n", NOON / 1000);
        note = SignedNote::new(note.text().to_owned(), note.signatures()[..1].to_vec()).unwrap();
        note.add(line);
        note.to_string()
    });
    wrong(&log(&town), "cosigned: ");
    town.write();

    // A witness keeps what no key of the ledger signed.
    let kept = "members/city-hall/witnessed/maebashi+chuo-hospital.0.checkpoint";
    let note = head.sign(&ledger_signer(HOSPITAL, "stranger")).unwrap();
    town.put_file(kept, note.to_string().as_bytes());
    wrong(&log(&town), "no key that `maebashi/chuo-hospital/ledger` ever had has signed it");
    town.put_file(kept, b"nothing");
    wrong(&log(&town), "no key that `` ever had has signed it");
}

#[test]
fn a_clock_an_hour_off() {
    // Ahead: the witnesses saw those entries an hour before they say they were made.
    let mut town = Town::described();
    town.house(HOSPITAL).entries.iter_mut().for_each(|entry| entry.at += 60 * MINUTE);
    town.write();
    let cosigned = fs::read_to_string(town.path(&format!("{LEDGER}/cosigned"))).unwrap();
    let mut note = SignedNote::parse(cosigned.as_bytes()).unwrap();
    note = SignedNote::new(note.text().to_owned(), note.signatures()[..1].to_vec()).unwrap();
    for witness in [CITY, SCHOOL] {
        let line = witness_signer(witness).sign(note.text(), (NOON + 10 * MINUTE) / 1000);
        note.add(line);
    }
    town.put_file(&format!("{LEDGER}/cosigned"), note.to_string().as_bytes());
    wrong(&log(&town), "its time is later than its witnesses saw it");

    // Set back in the middle.
    let mut town = Town::described();
    town.house(HOSPITAL).entries.iter_mut().skip(50).for_each(|entry| entry.at -= 60 * MINUTE);
    town.write();
    wrong(&log(&town), "maebashi/chuo-hospital, entry 50: the clock was set back by more than five minutes");
}

#[test]
fn a_ledger_key_that_was_changed_counts_for_nothing() {
    // The key was changed before anything was written: the ledger under the new one is in order.
    let mut town = Town::described();
    town.lists = vec!["first", "second"];
    ALL.into_iter().for_each(|slug| town.house(slug).ledger_key = "second");
    town.write();
    let old = Checkpoint { origin: "maebashi/chuo-hospital/ledger".into(), size: 9, root: Hash([7; 32]) };
    let old = old.sign(&ledger_signer(HOSPITAL, "first")).unwrap();
    let kept = "members/city-hall/witnessed/maebashi+chuo-hospital.1.checkpoint";
    town.put_file(kept, old.to_string().as_bytes());
    let strand = log(&town);
    right(&strand);
    assert_eq!(strand.figures["checkpoints kept under earlier keys"], 1);

    // Whoever stole the old one can sign nothing that is taken for the ledger.
    town.house(HOSPITAL).ledger_key = "first";
    town.write();
    let strand = log(&town);
    wrong(&strand, "maebashi/chuo-hospital: checkpoint: ");
    assert_eq!(strand.figures["ledgers"], 3);
}

#[test]
fn trust_lists_that_do_not_follow() {
    let mut town = Town::described();
    town.lists = vec!["first", "first", "first"];
    town.write();
    assert_eq!(town.list().epoch, 3);
    let refused = |town: &Town| town.artefacts().lists().unwrap_err();
    fs::rename(town.path("trust/2.list"), town.path("trust/aside")).unwrap();
    assert!(refused(&town).contains("trust/3.list"), "{}", refused(&town));
    fs::rename(town.path("trust/aside"), town.path("trust/2.list")).unwrap();
    fs::copy(town.path("trust/3.list"), town.path("trust/2.list")).unwrap();
    assert!(refused(&town).contains("trust/2.list"), "{}", refused(&town));
    // Signed by somebody who is not the council.
    town.write();
    town.alter("trust/2.list", |bytes| {
        let mut list: hibiki_protocol::trust::SignedTrustList = hibiki_protocol::cbor::decode(bytes).unwrap();
        list.signatures.clear();
        list.sign(&hibiki_protocol::signing::SigningKey::from_seed(&[9; 32]));
        *bytes = hibiki_protocol::cbor::encode(&list);
    });
    assert!(refused(&town).contains("0 valid signatures of the 1 it needs"), "{}", refused(&town));
}

/// A tree in memory.
struct Tree(Vec<Hash>);

impl HashReader for Tree {
    type Error = std::convert::Infallible;
    fn node(&mut self, level: u8, index: u64) -> Result<Option<Hash>, Self::Error> {
        let Some(below) = level.checked_sub(1) else {
            return Ok(self.0.get(usize::try_from(index).unwrap()).copied());
        };
        let (left, right) = (self.node(below, 2 * index)?, self.node(below, 2 * index + 1)?);
        Ok(left.zip(right).map(|(left, right)| node_hash(&left, &right)))
    }
}

#[test]
fn evidence_of_a_fork_is_looked_at() {
    let town = Town::honest();
    let leaf = |number: u64| {
        let leaf = Leaf { kind: EntryKind::Start, time_ms: number, commitment: [1; 32], digests: Vec::new() };
        leaf_hash(&leaf.encode())
    };
    let mut tree = Tree((0..40).map(leaf).collect());
    let origin = "maebashi/chuo-hospital/ledger";
    let signed = |size: u64, root: Hash| {
        let head = Checkpoint { origin: origin.into(), size, root };
        head.sign(&ledger_signer(HOSPITAL, "first")).unwrap().to_string()
    };
    let prefix_root = root_of(&mut tree, 30).unwrap();
    let proof = consistency_proof(&mut tree, 30, 40).unwrap();
    let evidence = json!({
        "kind": "fork",
        "origin": origin,
        "first": signed(30, Hash([3; 32])),
        "second": signed(40, root_of(&mut tree, 40).unwrap()),
        "prefix_root": Digest(prefix_root.0).hex(),
        "proof": proof.iter().map(|hash| hex::encode(hash.0)).collect::<Vec<_>>(),
    });
    let name = "members/dai-ichi-school/witnessed/forks/a.json";
    town.put_file(name, evidence.to_string().as_bytes());
    wrong(
        &log(&town),
        "evidence against `maebashi/chuo-hospital/ledger`; it proves that the ledger was forked",
    );
    let mut empty = evidence.clone();
    empty["first"] = json!(signed(30, prefix_root));
    town.put_file(name, empty.to_string().as_bytes());
    wrong(&log(&town), "it does not prove itself");
    town.put_file(name, b"{");
    missing(&log(&town), "forks/a.json");
}
