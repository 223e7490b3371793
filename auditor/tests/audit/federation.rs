//! A small federation's artefacts, made with nothing but the protocol's own arithmetic: city hall (gateway and
//! registry), a hospital, a school. One view of one child, one hold, four canaries each.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hibiki_audit::canary;
use hibiki_protocol::cbor;
use hibiki_protocol::ids::{Digest, FederationId, MemberId};
use hibiki_protocol::signing::SigningKey;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::tlog::{
    Checkpoint, DigestKind, EntryKind, KeyAlgorithm, Leaf, NoteSigner, TileEdge, encode_entry, leaf_hash,
};
use hibiki_protocol::trust::{
    Member, MemberKind, Role, Root, RootAnchor, SignedTrustList, TlsKey, TrustList,
};
use serde_json::{Value, json};

pub(crate) const CITY: &str = "city-hall";
pub(crate) const HOSPITAL: &str = "chuo-hospital";
pub(crate) const SCHOOL: &str = "momiji-elementary";
pub(crate) const ALL: [&str; 3] = [CITY, HOSPITAL, SCHOOL];
/// When it all begins, in milliseconds since the Unix epoch.
pub(crate) const START: u64 = 1_790_000_000_000;

pub(crate) fn id(name: &str) -> MemberId {
    MemberId::new(&format!("maebashi/{name}")).unwrap()
}

fn seed(name: &str) -> [u8; 32] {
    Digest::of(&[b"seed", name.as_bytes()]).0
}

/// An entry as its institution would make it.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) kind: EntryKind,
    pub(crate) at: u64,
    pub(crate) subject: Option<u8>,
    pub(crate) details: Value,
    pub(crate) digests: Vec<(DigestKind, [u8; 32])>,
}

impl Made {
    pub(crate) fn new(kind: EntryKind, at: u64, details: Value) -> Self {
        Self { kind, at: START + at, subject: None, details, digests: Vec::new() }
    }

    pub(crate) fn about(mut self, subject: u8) -> Self {
        self.subject = Some(subject);
        self
    }

    pub(crate) fn with(mut self, kind: DigestKind, name: &str) -> Self {
        self.digests.push((kind, Digest::of(&[name.as_bytes()]).0));
        self
    }

    /// The full entry, and its salt.
    fn full(&self) -> ([u8; 32], Vec<u8>) {
        let mut full = json!({ "kind": self.kind.byte(), "at": self.at, "details": self.details });
        if let Some(subject) = self.subject {
            full["subject"] = json!(vec![subject; 16]);
        }
        let bytes = full.to_string().into_bytes();
        (Digest::of(&[b"salt", &bytes]).0, bytes)
    }

    fn leaf(&self) -> Vec<u8> {
        let (salt, full) = self.full();
        let commitment = Leaf::commit(&salt, &full);
        Leaf { kind: self.kind, time_ms: self.at, commitment, digests: self.digests.clone() }.encode()
    }
}

/// Everything, to be changed before it is written.
pub(crate) struct Federation {
    pub(crate) ledgers: BTreeMap<&'static str, Vec<Made>>,
    pub(crate) rows: BTreeMap<&'static str, Vec<Value>>,
    pub(crate) roles: BTreeMap<&'static str, Vec<Role>>,
    /// Which key signs whose ledger; the list names the first.
    pub(crate) log_seeds: BTreeMap<&'static str, [u8; 32]>,
    pub(crate) receipts: Vec<Value>,
    pub(crate) volume: Value,
    pub(crate) folder: PathBuf,
}

impl Federation {
    /// The honest one.
    pub(crate) fn honest(folder: &Path) -> Self {
        let mut made = Self {
            ledgers: BTreeMap::new(),
            rows: BTreeMap::new(),
            roles: BTreeMap::from([
                (CITY, vec![Role::Responder, Role::Gateway, Role::Registry]),
                (HOSPITAL, vec![Role::Responder]),
                (SCHOOL, vec![Role::Responder]),
            ]),
            log_seeds: ALL.into_iter().map(|name| (name, seed(name))).collect(),
            receipts: Vec::new(),
            volume: json!({
                "small": { "payload": 40_000, "written": 900_000, "memory": 30_000_000 },
                "large": { "payload": 40_000_000, "written": 910_000, "memory": 34_000_000 },
            }),
            folder: folder.to_owned(),
        };
        made.plant();
        made.story();
        made
    }

    fn plant(&self) {
        let members: Vec<MemberId> = ALL.into_iter().map(id).collect();
        canary::plant(&members, 5, &self.folder.join("canaries")).unwrap();
    }

    /// The canaries of a member.
    pub(crate) fn canaries(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.folder.join("canaries/canaries.ndjson")).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let own = lines.filter(|line| line["member"] == id(name).as_str());
        own.map(|line| line["text"].as_str().unwrap().to_owned()).collect()
    }

    fn story(&mut self) {
        use DigestKind::{Answer, Document, Grant, Query};
        let commitment = fs::read(self.folder.join("canaries/commitment.json")).unwrap();
        for name in ALL {
            let mut ledger = vec![Made::new(EntryKind::Start, 0, json!({ "software": "test" }))];
            if name == CITY {
                let mut noted = Made::new(EntryKind::Administration, 10, json!({ "action": "ledger note" }));
                noted.digests.push((Document, Digest::of(&[&commitment]).0));
                ledger.push(noted);
            }
            ledger.push(Made::new(EntryKind::Import, 20, json!({ "accepted": 5 })));
            self.ledgers.insert(name, ledger);
            let mut rows: Vec<Value> = self
                .canaries(name)
                .into_iter()
                .map(|text| row("records", "record", &[&format!("record of {name} {}", text.len())], &text))
                .collect();
            rows.push(row("trust_lists", "trust list", &[], ""));
            rows.push(row(
                "links",
                "link",
                &[&hex::encode(Digest::of(&[b"pseudonym", name.as_bytes()]).0)],
                "",
            ));
            self.rows.insert(name, rows);
        }
        // One session: a grant for every institution, a part for each, an answer from each.
        let alias = |name: &str| hex::encode(&Digest::of(&[b"alias", name.as_bytes()]).0[..16]);
        for name in ALL {
            let grant =
                json!({ "audience": id(name).as_str(), "holder": "aa11bb22cc33dd44", "outcome": "granted" });
            self.add(
                CITY,
                Made::new(EntryKind::Grant, 100, grant).about(1).with(Grant, &format!("grant {name}")),
            );
        }
        for name in ALL {
            let (query, asked) =
                (format!("query {name}"), json!({ "institution": id(name).as_str(), "outcome": "asked" }));
            self.add(CITY, Made::new(EntryKind::Relay, 110, asked).with(Query, &query));
        }
        for name in ALL {
            let released = json!({ "guardian": alias(name), "records": 5 });
            let kind = if name == SCHOOL { EntryKind::Refusal } else { EntryKind::Release };
            let entry = Made::new(kind, 120, released).about(2).with(Query, &format!("query {name}"));
            self.add(name, entry.with(Grant, &format!("grant {name}")));
            let answered = json!({ "institution": id(name).as_str(), "outcome": "answered" });
            let relay = Made::new(EntryKind::Relay, 130, answered).with(Query, &format!("query {name}"));
            self.add(CITY, relay.with(Answer, &format!("answer {name}")));
        }
        // Then a hold against that guardian.
        let order = json!({ "event": "set", "against": "aa11bb22cc33dd44", "by": "sato" });
        self.add(CITY, Made::new(EntryKind::Hold, 1_000, order).about(1));
        for name in ALL {
            let received = json!({ "event": "received", "against": alias(name), "by": "maebashi/city-hall" });
            self.add(name, Made::new(EntryKind::Hold, 1_100, received).about(2));
        }
        let place = self.ledgers[HOSPITAL].iter().position(|entry| entry.kind == EntryKind::Release).unwrap();
        self.promise(HOSPITAL, place);
    }

    pub(crate) fn add(&mut self, name: &'static str, entry: Made) {
        self.ledgers.get_mut(name).unwrap().push(entry);
    }

    /// A receipt for an entry.
    pub(crate) fn promise(&mut self, name: &'static str, index: usize) {
        let hash = leaf_hash(&self.ledgers[name][index].leaf());
        let origin = Member::ledger_origin(&id(name));
        self.receipts.push(json!({ "origin": origin, "index": index, "leaf_hash": hex::encode(hash.0) }));
    }

    /// The first entry of a kind in a ledger.
    pub(crate) fn entry(&mut self, name: &'static str, kind: EntryKind) -> &mut Made {
        self.ledgers.get_mut(name).unwrap().iter_mut().find(|entry| entry.kind == kind).unwrap()
    }

    /// Writes everything.
    pub(crate) fn write(&self) {
        let run = json!({ "run": "test", "views": 1, "faults": 1, "limits": ["a synthetic federation"] });
        self.put("run.json", run.to_string().as_bytes());
        self.trust();
        for name in ALL {
            self.member(name);
        }
        self.put(
            &format!("members/{CITY}/memory.img"),
            &[b"memory ".repeat(1000), self.canaries(CITY).concat().into_bytes()].concat(),
        );
        self.put(&format!("members/{CITY}/volume.json"), self.volume.to_string().as_bytes());
        for (number, receipt) in self.receipts.iter().enumerate() {
            self.put(&format!("receipts/{number}.json"), receipt.to_string().as_bytes());
        }
        for number in 0..10 {
            let place = format!("mutants/m{number}");
            let story =
                json!({ "name": format!("m{number}"), "what": "keeps answers", "strand": "canaries" });
            self.put(&format!("{place}/mutant.json"), story.to_string().as_bytes());
            self.put(
                &format!("{place}/members/{CITY}/disk/cache"),
                self.canaries(HOSPITAL)[number % 5].as_bytes(),
            );
        }
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn trust(&self) {
        let council = SigningKey::from_seed(&seed("council"));
        let root = Root { keys: vec![council.verifying_key()], threshold: 1, removal_threshold: 1 };
        let federation = FederationId::new("maebashi").unwrap();
        let anchor = RootAnchor { federation: federation.clone(), root: root.clone() };
        self.put("trust/root.pub", &cbor::encode(&anchor));
        let list = TrustList {
            version: 1,
            federation,
            epoch: 1,
            previous: Digest([0; 32]),
            issued: Timestamp(START),
            expires: Timestamp(START + 20 * 24 * 3600 * 1000),
            root,
            members: ALL.into_iter().map(|name| self.listed(name)).collect(),
            card_authorities: Vec::new(),
        };
        let mut signed = SignedTrustList::unsigned(&list);
        signed.sign(&council);
        self.put("trust/1.list", &cbor::encode(&signed));
    }

    fn listed(&self, name: &str) -> Member {
        let kind = if name == CITY { MemberKind::CityHall } else { MemberKind::Hospital };
        Member {
            id: id(name),
            kind,
            name_ja: name.to_owned(),
            name_en: name.to_owned(),
            roles: self.roles[name].clone(),
            addresses: vec!["192.0.2.1:4433".to_owned()],
            tls_key: TlsKey(Digest::of(&[b"tls", name.as_bytes()]).0),
            tls_key_next: None,
            signing_key: SigningKey::from_seed(&Digest::of(&[b"sign", name.as_bytes()]).0).verifying_key(),
            sealing_keys: Vec::new(),
            ledger_key: SigningKey::from_seed(&seed(name)).verifying_key(),
            registry_area: (name == CITY).then(|| "10201".to_owned()),
        }
    }

    fn member(&self, name: &'static str) {
        let own = format!("members/{name}");
        self.put(&format!("{own}/disk/node.log"), b"started\n");
        self.put(&format!("{own}/disk/data/store/sled/db"), &[0x5e; 5000]);
        self.put(&format!("{own}/disk/data/store/reserve"), &[0; 5000]);
        write_lines(&self.folder.join(format!("{own}/store.ndjson")), &self.rows[name]);
        let entries = &self.ledgers[name];
        let openings: Vec<Value> = entries
            .iter()
            .enumerate()
            .map(|(index, entry)| {
                let (salt, full) = entry.full();
                json!({ "index": index, "plain": STANDARD.encode([&salt[..], &full].concat()) })
            })
            .collect();
        write_lines(&self.folder.join(format!("{own}/openings.ndjson")), &openings);
        let leaves: Vec<Vec<u8>> = entries.iter().map(Made::leaf).collect();
        self.ledger(&format!("{own}/ledger"), name, &leaves);
    }

    /// Writes a ledger as an independent implementation of tlog-tiles would.
    fn ledger(&self, place: &str, name: &'static str, leaves: &[Vec<u8>]) {
        let origin = Member::ledger_origin(&id(name));
        let signer = NoteSigner::from_seed(&origin, KeyAlgorithm::Ed25519, &self.log_seeds[name]).unwrap();
        let (mut edge, mut bundle, mut history) = (TileEdge::new(), Vec::new(), String::new());
        for (number, leaf) in leaves.iter().enumerate() {
            encode_entry(&mut bundle, leaf).unwrap();
            edge.append_leaf(leaf_hash(leaf), |_, _| panic!("fewer than 256 entries here"));
            if number == 2 || number + 1 == leaves.len() {
                let head = Checkpoint { origin: origin.clone(), size: edge.size(), root: edge.root() };
                let note = head.sign(&signer).unwrap().to_string();
                history += &format!("{note}\n");
                self.put(&format!("{place}/checkpoint"), note.as_bytes());
            }
        }
        for (tile, bytes) in edge.partial_tiles() {
            self.put(&format!("{place}/{}", tile.path()), &bytes);
            if tile.level() == 0 {
                self.put(&format!("{place}/{}", tile.entries_path()), &bundle);
            }
        }
        self.put(&format!("{place}/checkpoints"), history.as_bytes());
    }
}

/// A row as an inspection writes it.
pub(crate) fn row(keyspace: &str, class: &str, identifiers: &[&str], text: &str) -> Value {
    json!({
        "keyspace": keyspace, "class": class, "key_bytes": 40, "value_bytes": text.len(), "identifiers": identifiers,
        "text": text,
    })
}

/// Lines with the one that says how many there are.
pub(crate) fn write_lines(path: &Path, lines: &[Value]) {
    let mut text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    text += &format!("{}\n", json!({ "complete": lines.len() }));
    fs::write(path, text).unwrap();
}
