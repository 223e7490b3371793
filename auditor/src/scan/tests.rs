//! The scanner on planted secrets: bare, encoded, compressed, in files, names, sparse images and on the
//! boundaries of its windows; and that it stays silent where there is nothing.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;

use super::*;

fn needle(owner: &str, text: &str) -> Needle {
    Needle { owner: owner.into(), text: text.into() }
}

fn scanner() -> Scanner {
    Scanner::new(vec![
        needle("maebashi/hospital", "前橋花子の診断書"),
        needle("maebashi/clinic", "canary-5f1d09a2c8"),
        needle("maebashi/school", "アレルギー「卵」\"重い\""),
    ])
    .unwrap()
}

/// Noise without structure, the same every time.
fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 24) as u8
        })
        .collect()
}

fn found(findings: &Findings) -> Vec<(usize, &str, Vec<u64>)> {
    findings.found.iter().map(|f| (f.needle, f.form.as_str(), f.offsets.clone())).collect()
}

#[test]
fn the_control_finds_everything_it_plants() {
    let (planted, found) = scanner().control();
    assert_eq!(planted, found);
    assert!(planted > 150, "{planted}");
}

#[test]
fn noise_holds_nothing() {
    let findings = scanner().scan_bytes("noise", &noise(1_000_000, 42));
    assert_eq!(found(&findings), []);
}

#[test]
fn streams_between_other_bytes() {
    let secret = "… 診断: 前橋花子の診断書 …".repeat(3);
    let mut bytes = noise(5_000, 1);
    let mut gzip = flate2::GzBuilder::new()
        .filename("name.json")
        .comment("c")
        .extra(*b"xx")
        .write(Vec::new(), Compression::fast());
    gzip.write_all(secret.as_bytes()).unwrap();
    bytes.extend(gzip.finish().unwrap());
    let zlib_at = bytes.len() as u64;
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(secret.as_bytes()).unwrap();
    bytes.extend(zlib.finish().unwrap());
    bytes.extend(noise(777, 2));
    let raw_at = bytes.len() as u64;
    // Large and varied enough for blocks with their own code.
    let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
    raw.write_all((0..2_000).map(|n| format!("record {n} of many; ")).collect::<String>().as_bytes())
        .unwrap();
    raw.write_all(secret.as_bytes()).unwrap();
    let raw = raw.finish().unwrap();
    // Cut short: what came out until then is searched.
    bytes.extend(&raw[..raw.len() - 3]);
    let findings = scanner().scan_bytes("f", &bytes);
    let at = |form: &str| found(&findings).into_iter().find(|(_, f, _)| *f == form).map(|(_, _, at)| at);
    assert_eq!(at("utf-8 in gzip"), Some(vec![5_000; 3]));
    assert_eq!(at("utf-8 in zlib"), Some(vec![zlib_at; 3]));
    assert_eq!(at("utf-8 in deflate").unwrap()[0], raw_at, "{findings:?}");
    assert_eq!(at("utf-8"), None);
}

#[test]
fn a_mark_that_points_beyond_the_end_hides_nothing_behind_it() {
    // The head of a gzip stream with an extra field that would be longer than all that follows.
    let mut bytes = b"\x1f\x8b\x08\x04\0\0\0\0\0\0\xff\xff".to_vec();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all("前橋花子の診断書".as_bytes()).unwrap();
    bytes.extend(zlib.finish().unwrap());
    assert_eq!(found(&scanner().scan_bytes("f", &bytes)), [(0, "utf-8 in zlib", vec![12])]);
}

#[test]
fn a_bomb_is_cut_and_said() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..80 {
        gzip.write_all(&vec![0; 1 << 20]).unwrap();
    }
    let findings = scanner().scan_bytes("bomb", &gzip.finish().unwrap());
    assert!(findings.bombs >= 1 && found(&findings).is_empty());
}

#[test]
fn filled_memory_is_passed_over() {
    // Each of these bytes opens a block with fixed codes that would go on for ever.
    let bytes: Vec<u8> =
        [0x63_u8, 0x4b, 0xb3, 0x33].into_iter().flat_map(|byte| vec![byte; 300_000]).collect();
    let findings = scanner().scan_bytes("filled", &bytes);
    assert_eq!((findings.bombs, found(&findings)), (0, vec![]));
}

#[test]
fn folders_names_links_and_what_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("deep")).unwrap();
    std::fs::write(at("deep/a.bin"), [&noise(100, 3)[..], "前橋花子の診断書".as_bytes()].concat()).unwrap();
    std::fs::write(at("canary-5f1d09a2c8.txt"), b"nothing").unwrap();
    std::os::unix::fs::symlink(at("deep"), at("link")).unwrap();
    std::os::unix::fs::symlink("/nowhere", at("dangling")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
    let findings = scanner().scan_path(folder.path());
    assert_eq!(found(&findings), [(0, "utf-8", vec![100]), (1, "utf-8 in the name", vec![0])]);
    assert_eq!((findings.files, findings.skipped.len(), findings.unread.len()), (2, 3, 0));
    let missing = scanner().scan_path(&at("missing"));
    assert_eq!((missing.unread.len(), missing.files), (1, 0));
}

#[test]
fn nothing_hides_on_the_boundary_of_a_window() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let window = 32 << 20;
    file.as_file().set_len(2 * window + 100).unwrap();
    let secret = "canary-5f1d09a2c8";
    let write = |at: u64, bytes: &[u8]| {
        std::os::unix::fs::FileExt::write_all_at(file.as_file(), bytes, at).unwrap();
    };
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(format!("xxxx {secret} yyyy").as_bytes()).unwrap();
    let zlib = zlib.finish().unwrap();
    write(window - 5, secret.as_bytes());
    write(2 * window - 10, &zlib);
    write(2 * window + 100 - secret.len() as u64, secret.as_bytes());
    let findings = scanner().scan_path(file.path());
    let end = 2 * window + 100 - secret.len() as u64;
    assert_eq!(
        found(&findings),
        [(1, "utf-8", vec![window - 5, end]), (1, "utf-8 in zlib", vec![2 * window - 10])]
    );
    assert_eq!(findings.bytes, 2 * window + 100);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any form, anywhere in noise, bare or compressed, is found where it is.
    #[test]
    fn planted_anywhere_found_there(pick in any::<usize>(), wrap in 0_usize..4, at in 0_usize..3_000, seed in any::<u64>()) {
        let scanner = scanner();
        let number = pick % 3;
        let forms = forms(&scanner.needles()[number].text);
        let (form, pattern) = &forms[pick / 3 % forms.len()];
        let (kind, planted) = inflate::wrappings(pattern).swap_remove(wrap);
        let mut bytes = noise(at, seed);
        bytes.extend_from_slice(&planted);
        bytes.extend(noise(500, seed ^ 7));
        let findings = scanner.scan_bytes("f", &bytes);
        let expected = if kind.is_empty() { (*form).to_owned() } else { format!("{form} in {kind}") };
        // The wrappings have six bytes before the stream.
        let offset = (at + if kind.is_empty() { 0 } else { 6 }) as u64;
        // Starts shortly before a raw stream may run into it: then the first few places are theirs.
        let there = |f: &Finding| f.offsets.contains(&offset) || f.count > PLACES as u64;
        prop_assert!(
            findings.found.iter().any(|f| f.needle == number && f.form == expected && there(f)),
            "{expected} at {offset}: {findings:?}"
        );
    }
}
