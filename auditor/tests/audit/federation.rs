//! A federation of three members in a folder: city hall, a hospital, a school.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hibiki_audit::artefacts::Artefacts;
use hibiki_audit::canary;
use hibiki_audit::evidence::Evidence;
use hibiki_audit::report::{Report, audit};
use hibiki_audit::strand::Strand;
use hibiki_protocol::answer::SealedAnswer;
use hibiki_protocol::cbor;
use hibiki_protocol::frames::{Answered, Ask, PartAnswered, Reply, Request, View};
use hibiki_protocol::history::HistoryEntry;
use hibiki_protocol::ids::{Digest, FederationId, MemberId};
use hibiki_protocol::limits::VERSION_MAX;
use hibiki_protocol::query::Part;
use hibiki_protocol::receipt::{Promise, Receipt};
use hibiki_protocol::sealing::{Sealed, SealingKeyId, SealingSecret, Suite};
use hibiki_protocol::signing::{Signed, SigningKey};
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::tlog::{
    Checkpoint, DigestKind, EntryKind, KeyAlgorithm, Leaf, NoteSigner, SignedNote, TileEdge, encode_entry,
    leaf_hash,
};
use hibiki_protocol::trust::{
    Member, MemberKind, Role, Root, RootAnchor, SealingKey, SignedTrustList, TlsKey, TrustList,
};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const CITY: &str = "city-hall";
pub(crate) const HOSPITAL: &str = "chuo-hospital";
pub(crate) const SCHOOL: &str = "dai-ichi-school";
pub(crate) const ALL: [&str; 3] = [CITY, HOSPITAL, SCHOOL];

/// 2026-11-22, in the afternoon, in milliseconds.
pub(crate) const NOON: u64 = 1_795_330_000_000;
pub(crate) const MINUTE: u64 = 60_000;
/// Families that look at what the hospital and the school have.
const VIEWS: u64 = 90;

/// A ledger entry before it is committed to.
#[derive(Clone)]
pub(crate) struct Note {
    pub(crate) kind: EntryKind,
    pub(crate) at: u64,
    pub(crate) subject: Option<String>,
    pub(crate) details: Value,
    pub(crate) digests: Vec<(DigestKind, [u8; 32])>,
    /// What the person it concerns may be told of it.
    pub(crate) told: Option<Vec<u8>>,
    pub(crate) erased: bool,
}

pub(crate) fn note(kind: EntryKind, at: u64, details: Value) -> Note {
    Note { kind, at, subject: None, details, digests: Vec::new(), told: None, erased: false }
}

impl Note {
    pub(crate) fn of(self, subject: &str) -> Self {
        Self { subject: Some(subject.to_owned()), ..self }
    }

    pub(crate) fn with(mut self, kind: DigestKind, what: &str) -> Self {
        self.digests.push((kind, digest(what)));
        self
    }

    fn told(self) -> Self {
        Self { told: Some(b"what a person may be told".to_vec()), ..self }
    }

    fn erased(self) -> Self {
        Self { erased: true, ..self }
    }

    /// The bytes that were sealed beside the leaf, and the leaf.
    fn commit(&self, number: u64) -> (Vec<u8>, Leaf) {
        let mut full = json!({ "kind": self.kind.byte(), "at": self.at, "details": self.details });
        if let Some(subject) = &self.subject {
            full["subject"] = json!(subject);
        }
        let full = full.to_string().into_bytes();
        let (salt, house) = (digest(&format!("salt {number}")), digest(&format!("house salt {number}")));
        let (plain, committed) = match &self.told {
            None => ([&salt[..], &full].concat(), full),
            Some(told) => {
                let length = u16::try_from(told.len()).unwrap().to_be_bytes();
                let committed = HistoryEntry::committed(told, &HistoryEntry::house_digest(&house, &full));
                ([&salt[..], &[2], &length, told, &house, &full].concat(), committed)
            }
        };
        let commitment = Leaf::commit(&salt, &committed);
        (plain, Leaf { kind: self.kind, time_ms: self.at, commitment, digests: self.digests.clone() })
    }
}

pub(crate) fn digest(what: &str) -> [u8; 32] {
    Digest::of(&[what.as_bytes()]).0
}

pub(crate) fn id(slug: &str) -> MemberId {
    MemberId::new(&format!("maebashi/{slug}")).unwrap()
}

fn seed(slug: &str, what: &str) -> [u8; 32] {
    digest(&format!("{slug} {what}"))
}

/// The key a member signs its ledger with; `first` is the one in the first list.
pub(crate) fn ledger_signer(slug: &str, which: &str) -> NoteSigner {
    let origin = Member::ledger_origin(&id(slug));
    NoteSigner::from_seed(&origin, KeyAlgorithm::Ed25519, &seed(slug, which)).unwrap()
}

pub(crate) fn witness_signer(slug: &str) -> NoteSigner {
    let name = Member::witness_name(&id(slug));
    NoteSigner::from_seed(&name, KeyAlgorithm::CosignatureV1, &seed(slug, "witness")).unwrap()
}

/// A member's artefacts before they are written.
#[derive(Clone, Default)]
pub(crate) struct House {
    pub(crate) entries: Vec<Note>,
    /// Rows of the store.
    pub(crate) rows: Vec<Value>,
    /// Which of the keys the ledger is signed with.
    pub(crate) ledger_key: &'static str,
    /// Entries under the checkpoint that the others cosigned and keep.
    pub(crate) cosigned: usize,
    /// Who cosigned it.
    pub(crate) cosigners: Vec<&'static str>,
}

/// The federation.
pub(crate) struct Town {
    folder: TempDir,
    pub(crate) houses: BTreeMap<&'static str, House>,
    /// Which ledger key each list names, list by list.
    pub(crate) lists: Vec<&'static str>,
    pub(crate) canaries: Vec<canary::Canary>,
}

impl Town {
    /// Its artefacts as an honest federation leaves them.
    pub(crate) fn honest() -> Self {
        let town = Self::described();
        town.write();
        town
    }

    /// The same before they are written; the canaries are drawn.
    pub(crate) fn described() -> Self {
        let folder = tempfile::tempdir().unwrap();
        canary::plant(&ALL.map(id), 5, &folder.path().join("canaries")).unwrap();
        let artefacts = Artefacts::open(folder.path()).unwrap();
        let canaries = canary::revealed(&artefacts).unwrap();
        let houses = ALL.into_iter().map(|slug| (slug, House { ledger_key: "first", ..House::default() }));
        let houses = houses.collect();
        let mut town = Self { folder, houses, lists: vec!["first"], canaries };
        town.live();
        town.keep();
        town
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn artefacts(&self) -> Artefacts {
        Artefacts::open(self.folder.path()).unwrap()
    }

    pub(crate) fn house(&mut self, slug: &str) -> &mut House {
        self.houses.get_mut(slug).unwrap()
    }

    pub(crate) fn put(&mut self, slug: &str, note: Note) {
        let house = self.house(slug);
        house.entries.push(note);
        house.cosigned = house.entries.len();
    }

    pub(crate) fn canary_of(&self, slug: &str, kind: &str) -> &str {
        let found = self.canaries.iter().find(|it| it.member == id(slug).as_str() && it.kind == kind);
        &found.unwrap().text
    }

    /// What happened: records come in, families look, one guardian is held, one child is erased.
    fn live(&mut self) {
        let commitment = fs::read(self.path("canaries/commitment.json")).unwrap();
        let mut noted = note(EntryKind::Administration, NOON, json!({ "act": "note" }));
        noted.digests.push((DigestKind::Document, Digest::of(&[&commitment]).0));
        self.put(CITY, noted);
        for slug in ALL {
            self.put(slug, note(EntryKind::Start, NOON + 1, json!({ "software": "0.1.0" })));
            let import = note(EntryKind::Import, NOON + 2, json!({ "records": 5 }));
            self.put(slug, import.of(&format!("{slug}-child-0")).told());
        }
        for number in 0..VIEWS {
            self.view(number, NOON + (1 + number) * 1_000, number % 4);
        }
        let held = NOON + 2 * MINUTE;
        let whom = hex::encode(&digest("holder 3")[..16]);
        let set = json!({ "event": "set", "against": whom });
        self.put(CITY, note(EntryKind::Hold, held, set).of("city-child-3"));
        let whom = hex::encode(&digest("alias 3")[..16]);
        let received = json!({ "event": "received", "against": whom });
        self.put(HOSPITAL, note(EntryKind::Hold, held + 900, received).of("hospital-child-3"));
        for number in VIEWS..VIEWS + 9 {
            self.view(number, held + number * 1_000, number % 3);
        }
        self.put(SCHOOL, note(EntryKind::Erase, held + 5 * MINUTE, json!({ "by": "sato" })));
        let gone = note(EntryKind::Link, held + 6 * MINUTE, json!({ "event": "made" }));
        self.put(SCHOOL, gone.of("school-child-9").erased());
        for house in self.houses.values_mut() {
            let last = house.entries.last().map_or(0, |last| last.at);
            house.entries.push(note(EntryKind::Stop, last + 1, json!({ "reason": "signal" })));
        }
    }

    /// A family looks: the hospital shows something, the school has nothing to show.
    pub(crate) fn view(&mut self, number: u64, at: u64, family: u64) {
        for (slug, kind) in [(HOSPITAL, EntryKind::Release), (SCHOOL, EntryKind::Refusal)] {
            let [grant, query, answer] =
                ["grant", "query", "answer"].map(|what| format!("{what} {number} {slug}"));
            let holder = hex::encode(&digest(&format!("holder {family}"))[..16]);
            let granted = json!({ "audience": id(slug).as_str(), "holder": holder, "outcome": "granted" });
            let granted = note(EntryKind::Grant, at, granted).of(&format!("city-child-{family}"));
            self.put(CITY, granted.with(DigestKind::Grant, &grant));
            let relayed = json!({ "institution": id(slug).as_str(), "outcome": "data", "elapsed_ms": 40 });
            let relayed = note(EntryKind::Relay, at + 60, relayed).with(DigestKind::Query, &query);
            self.put(CITY, relayed.with(DigestKind::Answer, &answer));
            let alias = hex::encode(&digest(&format!("{} {family}", alias_of(slug)))[..16]);
            let told = note(kind, at + 30, json!({ "guardian": alias, "via": id(CITY).as_str() }));
            let told =
                told.of(&format!("{}-child-{family}", if slug == HOSPITAL { "hospital" } else { "school" }));
            let told = told.with(DigestKind::Query, &query).with(DigestKind::Grant, &grant);
            self.put(slug, told.told());
        }
    }

    /// What the stores hold.
    fn keep(&mut self) {
        for slug in ALL {
            let canaries = self.canaries.iter().filter(|it| it.member == id(slug).as_str());
            let records = canaries.map(|it| row("record", &[], &format!("{{\"text\":\"{}\"}}", it.text)));
            let mut rows: Vec<Value> = records.collect();
            rows.push(row("trust list", &[], ""));
            rows.push(row("subject", &[&format!("{slug}-local-number-0001")], "一郎"));
            // The proof of a delivered notice is at the registry and at the one institution it went to.
            let notice = hex::encode(digest("a notice to the hospital"));
            match slug {
                CITY => rows.push(row("hold notice owed", &[&notice], "{}")),
                HOSPITAL => rows.push(row("hold", &[&notice], "{}")),
                _ => rows.push(
                    json!({ "class": "erased", "key_bytes": 17, "value_bytes": 900, "identifiers": [] }),
                ),
            }
            self.house(slug).rows = rows;
        }
    }

    /// Writes everything but the canaries.
    pub(crate) fn write(&self) {
        self.trust();
        let run = json!({ "run": "small", "views": 2 * (VIEWS + 9), "faults": 3, "limits": ["A limit of this run."] });
        self.put_file("run.json", run.to_string().as_bytes());
        let mut kept = Vec::new();
        for (slug, house) in &self.houses {
            kept.extend(self.ledger("", slug, house));
            self.lines(&format!("members/{slug}/store.ndjson"), house.rows.clone());
            self.put_file(&format!("members/{slug}/member.json"), b"{}");
            self.disk(slug);
        }
        for slug in ALL {
            self.put_file(&format!("members/{slug}/witnessed/lock"), b"");
            for (owner, note) in kept.iter().filter(|(owner, _)| *owner != slug) {
                let name = format!("members/{slug}/witnessed/maebashi+{owner}.0.checkpoint");
                self.put_file(&name, note.as_bytes());
            }
        }
        self.put_file(&format!("members/{CITY}/memory.img"), &vec![7; 4096]);
        let figures = |payload: u64| json!({ "payload": payload, "written": 80_000, "memory": 30 << 20 });
        let volume = json!({ "small": figures(40 << 10), "large": figures(40 << 20) });
        self.put_file(&format!("members/{CITY}/volume.json"), volume.to_string().as_bytes());
        self.receipts();
        self.travel();
        self.mutants();
    }

    fn trust(&self) {
        let council = SigningKey::from_seed(&[0xc1; 32]);
        let root = Root { keys: vec![council.verifying_key()], threshold: 1, removal_threshold: 1 };
        let anchor = RootAnchor { federation: FederationId::new("maebashi").unwrap(), root: root.clone() };
        self.put_file("trust/root.pub", &cbor::encode(&anchor));
        let mut previous = Digest::ZERO;
        for (ledger_key, epoch) in self.lists.iter().zip(1..) {
            let list = TrustList {
                version: 1,
                federation: FederationId::new("maebashi").unwrap(),
                epoch,
                previous,
                issued: Timestamp(NOON + epoch),
                expires: Timestamp(NOON + 30 * 24 * 60 * MINUTE),
                root: root.clone(),
                members: ALL.map(|slug| member(slug, ledger_key)).to_vec(),
                card_authorities: Vec::new(),
            };
            let mut signed = SignedTrustList::unsigned(&list);
            signed.sign(&council);
            previous = signed.digest();
            self.put_file(&format!("trust/{epoch}.list"), &cbor::encode(&signed));
        }
    }

    /// Writes a ledger, as an independent implementation of tlog-tiles would, and its openings; what witnesses keep
    /// of it.
    fn ledger(&self, place: &str, slug: &'static str, house: &House) -> Option<(&'static str, String)> {
        let signer = ledger_signer(slug, house.ledger_key);
        let at = |name: &str| format!("{place}members/{slug}/ledger/{name}");
        let (mut edge, mut bundle, mut history) = (TileEdge::new(), Vec::new(), String::new());
        let (mut openings, mut kept) = (Vec::new(), None);
        for (entry, number) in house.entries.iter().zip(0_u64..) {
            let (plain, leaf) = entry.commit(number);
            openings.push(match entry.erased {
                true => json!({ "index": number, "erased": true }),
                false => json!({ "index": number, "plain": STANDARD.encode(&plain) }),
            });
            encode_entry(&mut bundle, &leaf.encode()).unwrap();
            edge.append_leaf(leaf_hash(&leaf.encode()), |tile, bytes| {
                self.put_file(&at(&tile.path()), &bytes);
                if tile.level() == 0 {
                    self.put_file(&at(&tile.entries_path()), &std::mem::take(&mut bundle));
                }
            });
            let size = usize::try_from(number).unwrap() + 1;
            if size % 100 == 0 || size == house.cosigned || size == house.entries.len() {
                let origin = signer.verifier_key().name().to_owned();
                let head = Checkpoint { origin, size: size as u64, root: edge.root() };
                let mut signed = head.sign(&signer).unwrap();
                history += &format!("{signed}\n");
                self.put_file(&at("checkpoint"), signed.to_string().as_bytes());
                if size == house.cosigned {
                    self.cosign(slug, house, &mut signed);
                    self.put_file(&at("cosigned"), signed.to_string().as_bytes());
                    kept = Some((slug, signed.to_string()));
                }
            }
        }
        for (tile, bytes) in edge.partial_tiles() {
            self.put_file(&at(&tile.path()), &bytes);
            if tile.level() == 0 {
                self.put_file(&at(&tile.entries_path()), &bundle);
            }
        }
        self.put_file(&at("checkpoints"), history.as_bytes());
        self.lines(&format!("{place}members/{slug}/openings.ndjson"), openings);
        kept
    }

    fn cosign(&self, slug: &str, house: &House, head: &mut SignedNote) {
        let seen = house.entries.get(house.cosigned - 1).unwrap().at / 1000 + 1;
        let others: Vec<&str> = ALL.into_iter().filter(|other| *other != slug).collect();
        let cosigners = if house.cosigners.is_empty() { others } else { house.cosigners.clone() };
        for witness in cosigners {
            let line = witness_signer(witness).sign(head.text(), seen);
            head.add(line);
        }
    }

    /// What travelled while it was looked at: three views, decrypted, and the gateway's ledger of that time.
    fn travel(&self) {
        let mut city = self.houses.get(CITY).unwrap().clone();
        for number in 0..3 {
            let (mut parts, mut shown) = (Vec::new(), Vec::new());
            for slug in ALL {
                let sealed = |what: &str| Sealed {
                    suite: Suite::X25519ChaCha20,
                    encapsulated: digest(&format!("{what} {number} {slug}")),
                    ciphertext: digest(&format!("sealed {what} {number} {slug}")).repeat(9),
                };
                let (audience, key_id) = (id(slug), SealingKeyId([7; 8]));
                let part = Part { audience: audience.clone(), key_id, sealed: sealed("part") };
                let answer = SealedAnswer(sealed("answer"));
                let at = NOON + 30 * MINUTE + number;
                let mut relay = note(EntryKind::Relay, at, json!({ "institution": audience.as_str() }));
                relay.digests.push((DigestKind::Query, part.digest().0));
                city.entries.push(relay.clone());
                relay.digests.push((DigestKind::Answer, Digest::of(&[&cbor::encode(&answer)]).0));
                city.entries.push(relay);
                if slug != CITY {
                    let ask = Ask { freshness: vec![1], remaining_millis: 9, hops: 1, part: part.clone() };
                    let answered = Answered { answer: answer.clone() };
                    let at = |way: &str| format!("traffic/decrypted/{slug}/{number}-{way}.bin");
                    self.put_file(&at("out"), &framed(&[cbor::encode(&Request::Ask(ask))]));
                    self.put_file(&at("in"), &framed(&[cbor::encode(&Reply::Answered(answered))]));
                }
                parts.push(part);
                shown.push(cbor::encode(&Reply::PartAnswered(PartAnswered { audience, answer })));
            }
            let view = cbor::encode(&Request::View(View { deadline_millis: 9, parts }));
            let at = |way: &str| format!("traffic/decrypted/caller/{number}-{way}.bin");
            self.put_file(&at("in"), &framed(&[view]));
            self.put_file(&at("out"), &framed(&shown));
        }
        self.ledger("traffic/", CITY, &city);
        self.put_file("traffic/traffic.json", br#"{"dropped":0,"found":{"lost":0,"not_decrypted":0}}"#);
    }

    fn disk(&self, slug: &str) {
        let words = b"level=info started";
        for name in [
            "node.toml",
            "node.log",
            "data/keys/node.key",
            "data/keys/sealing/1",
            "data/ledger/checkpoint",
            "data/ledger/checkpoints",
            "data/ledger/cosigned",
            "data/ledger/journal/0000",
            "data/ledger/tile/0/x001/234.p/5",
            "data/ledger/tile/entries/000",
            "data/revocation/authority.crl",
            "data/store/sled/conf",
            "data/store/sled/db",
            "data/store/sled/snap.00AF",
            "data/witnessed/lock",
        ] {
            self.put_file(&format!("members/{slug}/disk/{name}"), words);
        }
        self.put_file(&format!("members/{slug}/disk/data/store/reserve"), &[0; 5000]);
    }

    fn receipts(&self) {
        let entries = &self.houses.get(HOSPITAL).unwrap().entries;
        let index = entries.iter().position(|entry| entry.kind == EntryKind::Release).unwrap();
        let leaf = entries.get(index).unwrap().commit(index as u64).1;
        self.put_file(
            "receipts/first.json",
            &receipt(HOSPITAL, HOSPITAL, index as u64, &leaf_hash(&leaf.encode()).0),
        );
    }

    /// Ten gateways that leak what they relay for the hospital.
    fn mutants(&self) {
        let secret = self.canary_of(HOSPITAL, "kana");
        let utf16: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let xor: Vec<u8> = secret.bytes().map(|byte| byte ^ 0x5a).collect();
        let leaks: [(&str, &str, &str, Vec<u8>); 10] = [
            ("base64", "canaries", "disk/data/state.txt", STANDARD.encode(secret).into_bytes()),
            ("cache", "canaries", "disk/data/answers.cache", secret.as_bytes().to_vec()),
            ("files", "files", "disk/data/answers.cache", b"sealed".to_vec()),
            ("hoard", "volume", "volume.json", hoard().into_bytes()),
            ("log", "canaries", "disk/node.log", secret.as_bytes().to_vec()),
            ("memory", "canaries", "memory.img", [&[0; 999][..], secret.as_bytes()].concat()),
            ("reserve", "files", "disk/data/store/reserve", b"\0\0\0x".to_vec()),
            ("store", "rows", "store.ndjson", parked().into_bytes()),
            ("utf16", "canaries", "disk/data/export.csv", utf16),
            ("xor", "canaries", "disk/data/table.bin", xor),
        ];
        for (name, strand, file, bytes) in leaks {
            let story = json!({ "name": name, "what": format!("leaks by {name}"), "strand": strand });
            self.put_file(&format!("mutants/{name}/mutant.json"), story.to_string().as_bytes());
            self.put_file(&format!("mutants/{name}/members/{CITY}/{file}"), &bytes);
        }
    }

    pub(crate) fn put_file(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Writes lines as an inspection does: the last one says how many there are.
    pub(crate) fn lines(&self, name: &str, lines: Vec<Value>) {
        let end = json!({ "complete": lines.len() });
        let text: String = lines.into_iter().chain([end]).map(|line| format!("{line}\n")).collect();
        self.put_file(name, text.as_bytes());
    }

    /// Changes a file.
    pub(crate) fn alter(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(self.path(name)).unwrap();
        change(&mut bytes);
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Changes a file of text.
    pub(crate) fn reword(&self, name: &str, change: impl FnOnce(String) -> String) {
        self.alter(name, |bytes| *bytes = change(String::from_utf8(bytes.clone()).unwrap()).into_bytes());
    }

    pub(crate) fn remove(&self, name: &str) {
        let path = self.path(name);
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }

    pub(crate) fn list(&self) -> TrustList {
        self.artefacts().lists().unwrap().1
    }

    /// What was found about the ledgers, and everything that the other questions are asked of.
    pub(crate) fn evidence(&self) -> (Strand, Evidence) {
        let (log, evidence) = Evidence::gather(self.artefacts());
        (log, evidence.unwrap())
    }

    /// The whole audit.
    pub(crate) fn audit(&self) -> Report {
        audit(&self.artefacts(), &mut |_| {})
    }
}

/// Frames as they stand in a stream.
pub(crate) fn framed(frames: &[Vec<u8>]) -> Vec<u8> {
    let length = |frame: &Vec<u8>| u32::try_from(frame.len()).unwrap().to_be_bytes();
    frames.iter().flat_map(|frame| [&length(frame)[..], frame].concat()).collect()
}

/// A row of a store as `hibiki-node inspect` writes it.
pub(crate) fn row(class: &str, identifiers: &[&str], text: &str) -> Value {
    json!({ "keyspace": "k", "class": class, "key_bytes": 17, "value_bytes": text.len(), "identifiers": identifiers, "text": text })
}

fn alias_of(slug: &str) -> &'static str {
    if slug == HOSPITAL { "alias" } else { "school alias" }
}

/// A guardian's file with a promise of the ledger of one member, signed by another or the same.
pub(crate) fn receipt(origin: &str, signer: &str, index: u64, leaf_hash: &[u8; 32]) -> Vec<u8> {
    let (origin, leaf_hash) = (Member::ledger_origin(&id(origin)), Digest(*leaf_hash));
    let receipt = Receipt { origin, index, leaf_hash };
    let promise = Promise { version: VERSION_MAX, receipt, at: Timestamp(NOON) };
    let signed = Signed::sign(&promise, &SigningKey::from_seed(&seed(signer, "signing")));
    json!({ "promise": STANDARD.encode(cbor::encode(&signed)) }).to_string().into_bytes()
}

fn hoard() -> String {
    let figures = |payload: u64, written: u64| json!({ "payload": payload, "written": written, "memory": 1 });
    json!({ "small": figures(40 << 10, 80_000), "large": figures(40 << 20, 41 << 20) }).to_string()
}

fn parked() -> String {
    let rows = [row("trust list", &[], ""), row("unknown", &[], "parked"), json!({ "complete": 2 })];
    rows.map(|row| format!("{row}\n")).concat()
}

fn member(slug: &str, ledger_key: &str) -> Member {
    let key = |what: &str| SigningKey::from_seed(&seed(slug, what)).verifying_key();
    let roles = match slug {
        CITY => vec![Role::Gateway, Role::Registry, Role::Responder, Role::Witness],
        _ => vec![Role::Responder, Role::Witness],
    };
    Member {
        id: id(slug),
        kind: MemberKind::Clinic,
        name_ja: format!("施設 {slug}"),
        name_en: slug.to_owned(),
        roles,
        addresses: Vec::new(),
        tls_key: TlsKey(seed(slug, "tls")),
        tls_key_next: None,
        signing_key: key("signing"),
        sealing_keys: vec![SealingKey {
            suite: Suite::X25519ChaCha20,
            public: SealingSecret::from_bytes(&seed(slug, "sealing")).unwrap().public(),
            not_before: Timestamp(NOON),
            not_after: Timestamp(NOON + 60 * 24 * 60 * MINUTE),
        }],
        ledger_key: key(ledger_key),
        registry_area: (slug == CITY).then(|| "10201".to_owned()),
        witness_key: Some(key("witness")),
    }
}

/// The strand of that name.
pub(crate) fn strand<'r>(report: &'r Report, name: &str) -> &'r Strand {
    report.strands.iter().find(|strand| strand.name == name).unwrap_or_else(|| panic!("no strand {name}"))
}

/// Fails unless exactly this was said to be wrong, among other things of the same cause.
pub(crate) fn wrong(strand: &Strand, said: &str) {
    assert!(!strand.passed, "{} passed, but: {said}", strand.name);
    assert!(strand.problems.iter().any(|problem| problem.contains(said)), "no `{said}` in {strand:#?}");
}

/// Fails unless this was said to be missing.
pub(crate) fn missing(strand: &Strand, said: &str) {
    assert!(!strand.passed, "{} passed, but: {said}", strand.name);
    assert!(strand.missing.iter().any(|missing| missing.contains(said)), "no `{said}` in {strand:#?}");
}

/// Fails with what was said if it did not pass.
pub(crate) fn right(strand: &Strand) {
    assert!(strand.passed, "{strand:#?}");
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() { copy(&path, &to) } else { fs::copy(path, to).map(|_| ()).unwrap() }
    }
}
