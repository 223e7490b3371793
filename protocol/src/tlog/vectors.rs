//! Vectors and properties. Third-party values: RFC 6962 reference roots (certificate-transparency), the
//! notes of golang.org/x/mod/sumdb/note, checkpoints published by sum.golang.org and by a public CT log with
//! a witness's cosignature, and the transparency-dev/merkle suite where it is laid beside the repository.

use std::path::Path;

use proptest::prelude::*;

use super::*;

/// The eight leaves of the CT reference tree.
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
/// The roots of its prefixes of size 0 to 8.
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const PETER_SECRET: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PETER_TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                          then you don't know what your problem is.\n";
const PETER_LINE: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

const SUMDB: &str = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
const SUMDB_NOTE: &str = "go.sum database tree\n\
    30055305\n\
    mXfgRcJ0bG0j3CPdKwgGWtUzBUbX67saZGRmFuJGGsM=\n\
    \n\
    — sum.golang.org Az3grpgEild5qw7+5dtV13Kf1C2Xurm8q4fhdxvcsDHnqNTaxL2AFjBY+2TyGKevucFcAAlWFJJYle3EJlDCrQ+y3A8=\n";

const CT_LOG: &str =
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f";
const CT_WITNESS: &str = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";
const CT_NOTE: &str = "arche2025h1.staging.ct.transparency.dev\n\
    1432088532\n\
    U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\
    \n\
    — arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=\n\
    — arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n\
    — witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==\n\
    — remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==\n";

/// All hashes of a log in memory, as tiles.
struct Log {
    edge: TileEdge,
    full: std::collections::BTreeMap<Tile, Vec<u8>>,
    leaves: Vec<Hash>,
}

impl Log {
    fn of(size: u64) -> Self {
        let mut log = Self { edge: TileEdge::new(), full: Default::default(), leaves: Vec::new() };
        for n in 0..size {
            let leaf = leaf_hash(&n.to_be_bytes());
            log.leaves.push(leaf);
            let full = &mut log.full;
            log.edge.append_leaf(leaf, |tile, bytes| assert!(full.insert(tile, bytes).is_none()));
        }
        log
    }

    fn reader(&self) -> impl HashReader<Error = Tile> + '_ {
        let partial: std::collections::BTreeMap<Tile, Vec<u8>> = self.edge.partial_tiles().collect();
        TileReader::new(self.edge.size(), move |tile| {
            self.full.get(&tile).or_else(|| partial.get(&tile)).cloned().ok_or(tile)
        })
    }

    fn root_at(&self, size: u64) -> Hash {
        let mut frontier = Frontier::new();
        self.leaves.iter().take(size as usize).for_each(|leaf| frontier.append_leaf(*leaf));
        frontier.root()
    }
}

fn hash(hex: &str) -> Hash {
    Hash::from_slice(&hex::decode(hex).unwrap()).unwrap()
}

#[test]
fn reference_roots() {
    let mut frontier = Frontier::new();
    let mut edge = TileEdge::new();
    for (size, root) in ROOTS.iter().enumerate() {
        assert_eq!(frontier.root(), hash(root), "frontier of {size}");
        assert_eq!(edge.root(), hash(root), "edge of {size}");
        if let Some(leaf) = LEAVES.get(size) {
            let leaf = frontier.append(&hex::decode(leaf).unwrap());
            edge.append_leaf(leaf, |_, _| {});
        }
    }
}

#[test]
fn tiles_of_the_specifications_example() {
    let tiles: Vec<Tile> = tiles_of(70_000).collect();
    let count =
        |level, partial| tiles.iter().filter(|t| t.level() == level && t.is_partial() == partial).count();
    assert_eq!((count(0, false), count(1, false), count(2, false)), (273, 1, 0));
    let partial: Vec<String> = tiles.iter().filter(|t| t.is_partial()).map(Tile::path).collect();
    assert_eq!(partial, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
    let of_256: Vec<String> = tiles_of(256).map(|t| t.path()).collect();
    assert_eq!(of_256, ["tile/0/000", "tile/1/000.p/1"]);
    assert_eq!(Tile::full(3, 1_234_067).path(), "tile/3/x001/x234/067");
    assert_eq!(Tile::partial(0, 5, 9).entries_path(), "tile/entries/005.p/9");
    assert_eq!(tiles_of(0).count(), 0);
}

#[test]
fn tile_paths_have_one_spelling() {
    for path in ["tile/0/000", "tile/63/999.p/255", "tile/5/x123/456", "tile/1/x001/x234/067.p/1"] {
        assert_eq!(path.parse::<Tile>().unwrap().path(), path);
    }
    for path in [
        "tile/64/000",
        "tile/00/000",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/-1/000",
        "tile/0/+01",
        "tile/0/x001",
        "0/000",
        "tile/0/000/",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert!(path.parse::<Tile>().is_err(), "{path}");
    }
}

#[test]
fn every_small_proof_verifies() {
    let log = Log::of(70);
    let mut reader = log.reader();
    for size in 0..=70 {
        let root = log.root_at(size);
        assert_eq!(root_of(&mut reader, size).unwrap(), root);
        for n in 0..size {
            let proof = inclusion_proof(&mut reader, n, size).unwrap();
            verify_inclusion(n, size, &log.leaves[n as usize], &proof, &root).unwrap();
        }
        for old in 1..=size {
            let proof = consistency_proof(&mut reader, old, size).unwrap();
            verify_consistency(old, size, &proof, &log.root_at(old), &root).unwrap();
        }
    }
    assert!(matches!(inclusion_proof(&mut reader, 70, 70), Err(ProofError::OutOfRange { .. })));
    assert!(matches!(
        inclusion_proof(&mut reader, 0, 71),
        Err(ProofError::Missing { .. } | ProofError::Read(_))
    ));
}

#[test]
fn notes_of_the_go_implementation() {
    let key: VerifierKey = PETER.parse().unwrap();
    assert_eq!(key.to_string(), PETER);
    let note = format!("{PETER_TEXT}\n{PETER_LINE}");
    let parsed = SignedNote::parse(note.as_bytes()).unwrap();
    assert_eq!((parsed.text(), parsed.to_string()), (PETER_TEXT, note.clone()));
    assert_eq!(parsed.verify(std::slice::from_ref(&key)).unwrap(), [Verified { key: 0, time: None }]);
    // Ed25519 is deterministic: our signature over the same text is theirs, byte for byte.
    use base64::Engine as _;
    let secret = base64::engine::general_purpose::STANDARD.decode(PETER_SECRET).unwrap();
    let secret = ed25519_dalek::SigningKey::from_bytes(secret[1..].try_into().unwrap());
    let signer = NoteSigner::new("PeterNeumann", KeyAlgorithm::Ed25519, secret).unwrap();
    assert_eq!(signer.sign(PETER_TEXT, 0).to_string(), PETER_LINE);
    // A changed text is refused, not ignored; another key's note is unsigned for us.
    let altered = SignedNote::parse(note.replace("answer", "anSwer").as_bytes()).unwrap();
    assert!(matches!(altered.verify(&[key]), Err(NoteError::BadSignature { .. })));
    assert_eq!(parsed.verify(&[SUMDB.parse().unwrap()]), Err(NoteError::Unsigned));
}

#[test]
fn mangled_keys_are_refused() {
    for bad in [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        &PETER[1..],
        &PETER[..PETER.len() - 4],
        // Wrong length and unknown algorithm, each with the id that belongs to it (from the Go tests).
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ] {
        assert!(bad.parse::<VerifierKey>().is_err(), "{bad}");
    }
}

#[test]
fn a_checkpoint_of_the_go_checksum_database() {
    let note = SignedNote::parse(SUMDB_NOTE.as_bytes()).unwrap();
    note.verify(&[SUMDB.parse().unwrap()]).unwrap();
    let checkpoint = Checkpoint::parse_text(note.text()).unwrap();
    assert_eq!((checkpoint.origin.as_str(), checkpoint.size), ("go.sum database tree", 30_055_305));
    assert_eq!(checkpoint.to_string(), note.text());
    // Its key is not named after its origin, which is the stricter rule of our own ledgers.
    assert!(matches!(
        Checkpoint::open(SUMDB_NOTE.as_bytes(), &SUMDB.parse().unwrap(), &[]),
        Err(CheckpointError::Origin { .. })
    ));
}

#[test]
fn a_witnessed_checkpoint_of_a_public_log() {
    let (log, witness) = (CT_LOG.parse().unwrap(), CT_WITNESS.parse().unwrap());
    let (checkpoint, seen) =
        Checkpoint::open(CT_NOTE.as_bytes(), &log, std::slice::from_ref(&witness)).unwrap();
    assert_eq!(checkpoint.size, 1_432_088_532);
    assert_eq!(seen, [Verified { key: 0, time: Some(0x6a12_2120) }]);
    // The time is part of what the witness signed.
    let moved = CT_NOTE.replace("2net5wAAAABqEiEg", "2net5wAAAABqEiEh");
    assert!(matches!(
        Checkpoint::open(moved.as_bytes(), &log, std::slice::from_ref(&witness)),
        Err(CheckpointError::Note(NoteError::BadSignature { .. }))
    ));
    // A witness alone does not make a checkpoint.
    let alone: String =
        CT_NOTE.lines().filter(|l| !l.starts_with("— arche")).map(|l| format!("{l}\n")).collect();
    assert_eq!(Checkpoint::open(alone.as_bytes(), &log, &[witness]), Err(CheckpointError::NotByLog));
}

#[test]
fn malformed_notes_and_checkpoints() {
    let line = PETER_LINE;
    for bad in [
        "",
        "text\n",
        "text\n\n",
        &format!("text\n{line}"),
        &format!("text\n\n{}", line.trim_end()),
        &format!("te\txt\n\n{line}"),
        &format!("text\n\n{line}junk\n"),
        "text\n\n— a b c\n",
        "text\n\n— a+b AAAAAAA=\n",
        "text\n\n— a AAAA\n",
        "text\n\n— a AAAAAA==\n",
        "text\n\n-- a AAAAAAA=\n",
    ] {
        assert!(SignedNote::parse(bad.as_bytes()).is_err(), "{bad:?}");
    }
    assert!(SignedNote::parse(b"te\xffxt\n\n").is_err());
    let many = format!("text\n\n{}", line.repeat(MAX_SIGNATURES + 1));
    assert!(SignedNote::parse(many.as_bytes()).is_err());
    assert!(SignedNote::parse(format!("text\n\n{}", line.repeat(16)).as_bytes()).is_ok());
    let root = empty_root();
    for bad in [
        format!("\n1\n{root}\n"),
        format!("log\n01\n{root}\n"),
        format!("log\n+1\n{root}\n"),
        format!("log\n-1\n{root}\n"),
        format!("log\n1\n{root}"),
        format!("log\n1\n{root}\n\n"),
        "log\n1\n\n".into(),
        "log\n1\nAAAA\n".into(),
        format!("log\n18446744073709551616\n{root}\n"),
        format!("log\n1\n{root}\na\n\nb\n"),
        "log\n".into(),
    ] {
        assert!(Checkpoint::parse_text(&bad).is_err(), "{bad:?}");
    }
    assert_eq!(Checkpoint::parse_text(&format!("log\n0\n{root}\nextension\n")).unwrap().size, 0);
}

#[test]
fn a_proof_in_one_file() {
    let log = Log::of(300);
    let signer = NoteSigner::from_seed("log", KeyAlgorithm::Ed25519, &[1; 32]).unwrap();
    let head = Checkpoint { origin: "log".into(), size: 300, root: log.edge.root() };
    let checkpoint = head.sign(&signer).unwrap().to_string();
    let path = inclusion_proof(&mut log.reader(), 7, 300).unwrap();
    let proof = LogProof { index: 7, path, checkpoint };
    let text = proof.to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nindex 7\n"));
    assert_eq!(LogProof::parse(&text), Ok(proof.clone()));
    assert_eq!(LogProof::parse(&text.replace("\nindex", "\nextra AAAA\nindex")), Ok(proof.clone()));
    let key = signer.verifier_key();
    assert_eq!(proof.verify(&log.leaves[7], key, &[]).unwrap(), (head, vec![]));
    assert!(matches!(proof.verify(&log.leaves[8], key, &[]), Err(LogProofError::NotIncluded(_))));
    assert!(matches!(
        proof.verify(&log.leaves[7], &PETER.parse().unwrap(), &[]),
        Err(LogProofError::Checkpoint(_))
    ));
    for bad in ["", "\n\n", &text[1..], &text.replace("index 7", "index 07"), &text.replace("\nindex 7", "")]
    {
        assert!(LogProof::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_torn_history_loses_only_its_end() {
    let notes = format!("{SUMDB_NOTE}\n{CT_NOTE}\n");
    let (both, len) = split_notes(notes.as_bytes());
    assert_eq!((both, len), (vec![SUMDB_NOTE.as_bytes(), CT_NOTE.as_bytes()], notes.len()));
    for cut in SUMDB_NOTE.len() + 1..notes.len() {
        let (one, len) = split_notes(&notes.as_bytes()[..cut]);
        assert_eq!((one, len), (vec![SUMDB_NOTE.as_bytes()], SUMDB_NOTE.len() + 1), "{cut}");
    }
    assert_eq!(split_notes(b""), (vec![], 0));
}

#[test]
fn bundles_are_strict() {
    let mut bundle = Vec::new();
    for entry in [&b"a"[..], b"", &[7; 65_535]] {
        encode_entry(&mut bundle, entry).unwrap();
    }
    assert_eq!(decode_bundle(&bundle, 3).unwrap(), [&b"a"[..], b"", &[7; 65_535]]);
    assert_eq!(decode_bundle(&bundle, 2), Err(BundleError::Count { expected: 2, found: 3 }));
    assert_eq!(decode_bundle(&bundle[..bundle.len() - 1], 3), Err(BundleError::Truncated(2)));
    assert_eq!(encode_entry(&mut bundle, &[0; 65_536]), Err(BundleError::TooLong(65_536)));
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inclusion {
    leaf_idx: u64,
    tree_size: u64,
    root: Option<String>,
    leaf_hash: Option<String>,
    proof: Option<Vec<String>>,
    desc: String,
    want_err: bool,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Consistency {
    size1: u64,
    size2: u64,
    root1: Option<String>,
    root2: Option<String>,
    proof: Option<Vec<String>>,
    desc: String,
    want_err: bool,
}

/// A hash of a vector. Some vectors use other bytes ("don't care 1") where only equality matters: those are
/// hashed, which keeps equality and never makes a true root.
fn hash_of(text: Option<&String>) -> Hash {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(text.map_or("", String::as_str)).unwrap();
    Hash::from_slice(&bytes).unwrap_or_else(|| leaf_hash(&bytes))
}

fn all(proof: Option<&Vec<String>>) -> Vec<Hash> {
    proof.into_iter().flatten().map(|hash| hash_of(Some(hash))).collect()
}

fn walk(folder: &Path, each: &mut impl FnMut(&Path, &[u8])) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { walk(&path, each) } else { each(&path, &std::fs::read(&path).unwrap()) }
    }
}

#[test]
fn transparency_dev_vectors() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/vectors/merkle/testdata"));
    if !root.is_dir() {
        let _ = std::io::Write::write_fmt(
            &mut std::io::stderr(),
            format_args!("SKIPPED: no transparency-dev/merkle vectors at {}\n", root.display()),
        );
        return;
    }
    let mut count = [0, 0];
    walk(&root.join("inclusion"), &mut |path, bytes| {
        let v: Inclusion = serde_json::from_slice(bytes).unwrap();
        let (leaf, proof, root) =
            (hash_of(v.leaf_hash.as_ref()), all(v.proof.as_ref()), hash_of(v.root.as_ref()));
        // An empty leaf hash or root is no hash: the type refuses it before there is anything to verify.
        let hashes = v.leaf_hash.is_some_and(|l| !l.is_empty()) && v.root.is_some_and(|r| !r.is_empty());
        let accepted = hashes && verify_inclusion(v.leaf_idx, v.tree_size, &leaf, &proof, &root).is_ok();
        assert_eq!(accepted, !v.want_err, "{}: {}", path.display(), v.desc);
        count[0] += 1;
    });
    walk(&root.join("consistency"), &mut |path, bytes| {
        let v: Consistency = serde_json::from_slice(bytes).unwrap();
        let (root1, proof, root2) =
            (hash_of(v.root1.as_ref()), all(v.proof.as_ref()), hash_of(v.root2.as_ref()));
        let accepted = verify_consistency(v.size1, v.size2, &proof, &root1, &root2).is_ok();
        assert_eq!(accepted, !v.want_err, "{}: {}", path.display(), v.desc);
        count[1] += 1;
    });
    eprintln!("{} inclusion and {} consistency vectors", count[0], count[1]);
    assert!(count[0] > 50 && count[1] > 50, "the vectors are there, but few: {count:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn proofs_verify_and_no_altered_one_does(size in 1_u64..1500, a in any::<u64>(), b in any::<u64>(), bit in 0_usize..256) {
        let log = Log::of(size);
        let mut reader = log.reader();
        let root = log.root_at(size);
        prop_assert_eq!(log.edge.root(), root);
        let tiles: Vec<Tile> = tiles_of(size).collect();
        let kept = log.full.len() + log.edge.partial_tiles().count();
        prop_assert_eq!(tiles.len(), kept);

        let flip = |hash: Hash| { let mut h = hash; h.0[bit / 8] ^= 1 << (bit % 8); h };
        let index = a % size;
        let leaf = log.leaves[index as usize];
        let proof = inclusion_proof(&mut reader, index, size).unwrap();
        prop_assert_eq!(verify_inclusion(index, size, &leaf, &proof, &root), Ok(()));
        prop_assert!(verify_inclusion(index, size, &flip(leaf), &proof, &root).is_err());
        prop_assert!(verify_inclusion(index, size, &leaf, &proof, &flip(root)).is_err());
        for n in 0..proof.len() {
            let mut altered = proof.clone();
            altered[n] = flip(altered[n]);
            prop_assert!(verify_inclusion(index, size, &leaf, &altered, &root).is_err());
        }
        prop_assert!(verify_inclusion(index, size, &leaf, &[proof.clone(), vec![root]].concat(), &root).is_err());

        // Consistency of two earlier states, out of the tiles of the larger log.
        let new = 1 + b % size;
        let old = 1 + a % new;
        let (old_root, new_root) = (log.root_at(old), log.root_at(new));
        let proof = consistency_proof(&mut reader, old, new).unwrap();
        prop_assert_eq!(verify_consistency(old, new, &proof, &old_root, &new_root), Ok(()));
        prop_assert!(verify_consistency(old, new, &proof, &flip(old_root), &new_root).is_err());
        prop_assert!(verify_consistency(old, new, &proof, &old_root, &flip(new_root)).is_err());
        for n in 0..proof.len() {
            let mut altered = proof.clone();
            altered[n] = flip(altered[n]);
            prop_assert!(verify_consistency(old, new, &altered, &old_root, &new_root).is_err());
        }
    }

    #[test]
    fn leaves_come_back_and_only_in_one_form(
        kind in 0_usize..EntryKind::ALL.len(), time_ms: u64, commitment: [u8; 32], query: Option<[u8; 32]>, answer: Option<[u8; 32]>, cut in 0_usize..200,
    ) {
        let digests = [query.map(|d| (DigestKind::Query, d)), answer.map(|d| (DigestKind::Answer, d))];
        let leaf = Leaf { kind: EntryKind::ALL[kind], time_ms, commitment, digests: digests.into_iter().flatten().collect() };
        let bytes = leaf.encode();
        prop_assert_eq!(Leaf::decode(&bytes), Ok(leaf));
        prop_assert!(Leaf::decode(&bytes[..cut.min(bytes.len() - 1)]).is_err());
        prop_assert!(Leaf::decode(&[bytes, vec![0]].concat()).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "\\PC{0,80}") {
        drop((SignedNote::parse(&bytes), SignedNote::parse(text.as_bytes()), Checkpoint::parse_text(&text)));
        drop((Leaf::decode(&bytes), decode_bundle(&bytes, 3), text.parse::<Tile>(), text.parse::<VerifierKey>(), LogProof::parse(&text)));
    }
}
