//! The council's work as it is done: commands, files, machines that are not connected.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod node;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use hibiki_protocol::cbor;
use hibiki_protocol::trust::{Accepted, Role, RootAnchor, SignedTrustList};
use node::{NOW, Node};

/// A desk with files on it, and the council's tool.
struct Desk {
    folder: tempfile::TempDir,
    now: &'static str,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), now: "2026-04-01T00:00:00Z" }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, line: &str) -> (i32, String) {
        let out = Command::new(env!("CARGO_BIN_EXE_hibiki-certs"))
            .args(line.split_whitespace())
            .args(["--now", self.now])
            .current_dir(self.folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
        (out.status.code().unwrap(), said)
    }

    fn ok(&self, line: &str) -> String {
        let (code, said) = self.run(line);
        assert_eq!(code, 0, "{line}: {said}");
        said
    }

    fn refused(&self, line: &str, why: &str) {
        let (code, said) = self.run(line);
        assert_eq!(code, 1, "{line}: {said}");
        assert!(said.contains(why), "{line}: {said}");
    }

    fn request(&self, name: &str, node: &Node) {
        fs::write(self.path(name), cbor::encode(&node.request())).unwrap();
    }

    fn json(&self, line: &str) -> serde_json::Value {
        serde_json::from_str(&self.ok(line)).unwrap()
    }

    fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).unwrap().permissions().mode() & 0o777
    }

    fn decode<T: cbor::Wire>(&self, name: &str) -> T {
        cbor::decode(&fs::read(self.path(name)).unwrap()).unwrap()
    }
}

#[test]
fn a_pilot_from_nothing_to_a_list() {
    let desk = Desk::new();
    desk.ok("root init council --federation maebashi");
    desk.ok("card-ca init ca --name Rehearsal");
    desk.ok("accept-card-ca council --certificate ca/ca.crt");
    desk.request("city.cbor", &Node::new("city", 1, &[Role::Gateway, Role::Registry, Role::Responder]));
    desk.request("hospital.cbor", &Node::responder("hospital", 2));
    desk.refused("enrol council --request city.cbor", "--allow gateway");
    desk.ok("enrol council --request city.cbor --allow gateway --allow registry");
    let said = desk.ok("enrol council --request hospital.cbor");
    let digest = said.lines().find_map(|line| line.strip_prefix("digest of the request: ")).unwrap();
    desk.refused("enrol council --request hospital.cbor", "--replace");
    desk.ok(&format!("enrol council --request hospital.cbor --replace --expect-digest {digest}"));
    let other = "00".repeat(32);
    let line = format!("enrol council --request hospital.cbor --replace --expect-digest {other}");
    desk.refused(&line, "spoken to the institution");
    desk.refused("publish council --out trust-list.cbor", "sign the draft first");
    assert!(!desk.path("trust-list.cbor").exists());
    assert!(desk.ok("sign council --key council/root-1.key").contains("1 of 1"));
    desk.ok("publish council --out trust-list.cbor");
    assert!(desk.ok("verify trust-list.cbor --root council/root.cbor").contains("genuine: maebashi epoch 1"));

    let list = desk.json("show trust-list.cbor --format json");
    assert_eq!(list["epoch"], 1);
    assert_eq!(list["members"][0]["id"], "maebashi/city");
    assert_eq!(list["members"][0]["roles"], serde_json::json!(["gateway", "registry", "responder"]));
    assert_eq!(list["members"][1]["id"], "maebashi/hospital");
    assert_eq!(list["card_authorities"][0]["simulated"], true);
    let anchor: RootAnchor = desk.decode("council/root.cbor");
    let signed: SignedTrustList = desk.decode("trust-list.cbor");
    let accepted = Accepted::first(&anchor, &signed).unwrap();
    assert_eq!(accepted.list().issued, NOW);

    desk.ok("rename council maebashi/hospital --ja 中央病院");
    desk.ok("address council maebashi/hospital --none");
    let draft = desk.json("draft show council --format json");
    assert_eq!(draft["changes"], serde_json::json!(["~ member maebashi/hospital: name, addresses"]));
    assert_eq!((&draft["signatures"], &draft["signatures_needed"]), (&0.into(), &1.into()));
    desk.ok("sign council --key council/root-1.key --valid-days 7");
    desk.ok("publish council --out trust-list.cbor");
    let signed: SignedTrustList = desk.decode("trust-list.cbor");
    assert!(accepted.consider(&signed, NOW).is_ok(), "the next list follows");
    desk.refused("publish council --out trust-list.cbor", "sign the draft first");
}

#[test]
fn two_of_three_keys_on_machines_of_their_own() {
    let desk = Desk::new();
    desk.ok("root init council --federation maebashi --keys 3 --add-threshold 2 --remove-threshold 1");
    for number in 1..=3 {
        assert_eq!(desk.mode(&format!("council/root-{number}.key")), 0o600);
        fs::create_dir(desk.path(&format!("m{number}"))).unwrap();
        let key = format!("council/root-{number}.key");
        fs::rename(desk.path(&key), desk.path(&format!("m{number}/root.key"))).unwrap();
    }
    desk.request("hospital.cbor", &Node::responder("hospital", 2));
    desk.ok("enrol council --request hospital.cbor");
    assert!(desk.ok("sign council --key m1/root.key").contains("1 of 2"));
    desk.refused("publish council --out list.cbor", "1 of 2 signatures: 1 more must be gathered");

    fs::copy(desk.path("council/proposal.cbor"), desk.path("m3/proposal.cbor")).unwrap();
    let said = desk.ok("sign m3/proposal.cbor --key m3/root.key");
    assert!(said.contains("maebashi/hospital"), "who signs sees what: {said}");
    assert!(desk.ok("publish council --signed m3/proposal.cbor --out list.cbor").contains("1 new signature"));
    desk.ok("verify list.cbor --root council/root.cbor");

    // A removal with one key, as long as it is nothing else.
    desk.ok("remove council maebashi/hospital");
    assert!(desk.ok("sign council --key m2/root.key").contains("1 of 1"));
    desk.request("clinic.cbor", &Node::responder("clinic", 3));
    let said = desk.ok("enrol council --request clinic.cbor");
    assert!(said.contains("1 signature(s) under the earlier draft no longer count"), "{said}");
    desk.refused("publish council --out list.cbor", "sign the draft first");
    desk.ok("sign council --key m2/root.key");
    desk.refused("publish council --out list.cbor", "1 of 2 signatures");

    // The copy that was signed before the draft changed counts for nothing.
    desk.refused("publish council --signed m3/proposal.cbor --out list.cbor", "another draft");
    desk.ok("draft reset council");
    assert!(desk.ok("draft show council").contains("changes nothing"));
}

#[test]
fn keys_are_never_overwritten_exposed_or_mistaken() {
    let desk = Desk::new();
    desk.ok("root init council --federation maebashi");
    let key = fs::read(desk.path("council/root-1.key")).unwrap();
    desk.refused("root init council --federation maebashi", "not overwritten");
    fs::remove_file(desk.path("council/root.cbor")).unwrap();
    desk.refused("root init council --federation maebashi", "not overwritten");
    assert_eq!(fs::read(desk.path("council/root-1.key")).unwrap(), key);
    desk.refused("sign council --key council/root-1.key", "root init");

    desk.ok("root init other --federation maebashi");
    desk.refused("sign other --key council/root-1.key", "not one of the root keys");
    desk.refused("publish other --out list.cbor", "sign the draft first");
    fs::set_permissions(desk.path("other/root-1.key"), fs::Permissions::from_mode(0o644)).unwrap();
    desk.refused("sign other --key other/root-1.key", "chmod 600");
    fs::set_permissions(desk.path("other/root-1.key"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(desk.path("other/root-1.key"), "not a key").unwrap();
    desk.refused("sign other --key other/root-1.key", "is not a root key");
    desk.refused("root init third --federation maebashi --keys 2 --add-threshold 3", "threshold");
    assert!(!desk.path("third").exists());
    assert_eq!(desk.run("root init third --federation Maebashi").0, 2);
    assert_eq!(desk.run("root init third --federation maebashi --keys 17").0, 2);
}

#[test]
fn what_is_not_a_genuine_list_is_not_accepted() {
    let desk = Desk::new();
    desk.ok("root init council --federation maebashi");
    desk.ok("root init impostor --federation maebashi");
    desk.ok("sign council --key council/root-1.key --valid-days 1");
    desk.ok("publish council --out list.cbor");
    desk.ok("verify list.cbor --root council/root.cbor");
    desk.refused("verify list.cbor --root impostor/root.cbor", "NOT accepted");
    desk.refused("verify council/root.cbor --root council/root.cbor", "is not a trust list");
    let list = fs::read(desk.path("list.cbor")).unwrap();
    for at in (0..list.len()).step_by(7) {
        let mut bent = list.clone();
        *bent.get_mut(at).unwrap() ^= 1;
        fs::write(desk.path("bent.cbor"), bent).unwrap();
        assert_eq!(desk.run("verify bent.cbor --root council/root.cbor").0, 1, "byte {at}");
    }
    let later = Desk { folder: desk.folder, now: "2026-04-02T00:00:01Z" };
    later.refused("verify list.cbor --root council/root.cbor", "expired on 2026-04-02T00:00:00Z");
}

#[test]
fn a_power_cut_while_publishing_leaves_one_list_of_that_epoch() {
    let desk = Desk::new();
    desk.ok("root init council --federation maebashi");
    desk.request("hospital.cbor", &Node::responder("hospital", 2));
    desk.ok("enrol council --request hospital.cbor");
    desk.ok("sign council --key council/root-1.key");
    let left_behind = ["council/draft.cbor", "council/proposal.cbor"];
    let kept = left_behind.map(|name| fs::read(desk.path(name)).unwrap());
    desk.ok("publish council --out list.cbor");
    // As if the power went right after the list was stored: draft and proposal still lie there.
    for (name, bytes) in left_behind.iter().zip(kept) {
        fs::write(desk.path(name), bytes).unwrap();
    }
    fs::remove_file(desk.path("list.cbor")).unwrap();
    desk.refused("publish council --out list.cbor", "sign the draft first");
    let draft = desk.json("draft show council --format json");
    assert_eq!((&draft["epoch"], &draft["changes"]), (&2.into(), &serde_json::json!([])));
    assert!(desk.path("council/lists/000001.cbor").exists(), "the list can be handed out from here");
    desk.ok("verify council/lists/000001.cbor --root council/root.cbor");

    fs::write(desk.path("council/lists/000001.cbor"), b"garbage").unwrap();
    desk.refused("draft show council", "cannot be read");
}

#[test]
fn openssl_reads_a_root_key() {
    if !Command::new("openssl").arg("version").output().is_ok_and(|out| out.status.success()) {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!(
                "SKIPPED openssl_reads_a_root_key: openssl is not installed, nothing was compared with it\n"
            ),
        );
        return;
    }
    let desk = Desk::new();
    desk.ok("root init council --federation maebashi");
    let der = Command::new("openssl")
        .args(["pkey", "-in", "council/root-1.key", "-pubout", "-outform", "DER"])
        .current_dir(desk.folder.path())
        .output()
        .unwrap();
    assert!(der.status.success(), "{}", String::from_utf8_lossy(&der.stderr));
    let anchor: RootAnchor = desk.decode("council/root.cbor");
    let ours = anchor.root.keys.first().unwrap().0;
    assert_eq!(der.stdout.split_last_chunk::<32>().unwrap().1, &ours);
}
