#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::env::SystemEntropy;

fn entropy() -> Arc<dyn Entropy> {
    Arc::new(SystemEntropy)
}

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap() };
        create_node_key(&place.node_key(), &SystemEntropy).unwrap();
        place
    }

    fn node_key(&self) -> PathBuf {
        self.dir.path().join("node.key")
    }

    fn ring_file(&self) -> PathBuf {
        self.dir.path().join("keyring")
    }

    fn open(&self) -> KeyRing {
        KeyRing::open(&self.ring_file(), &load_node_key(&self.node_key()).unwrap(), entropy()).unwrap()
    }
}

#[test]
fn sealed_data_opens_after_a_restart_and_only_in_its_place() {
    let place = Place::new();
    let ring = place.open();
    let (a, b) = (ring.create().unwrap(), ring.create().unwrap());
    let sealed = ring.seal(a, b"records/1", b"content").unwrap();
    assert_eq!(sealed.len(), b"content".len() + SEAL_OVERHEAD_BYTES);
    assert_ne!(sealed, ring.seal(a, b"records/1", b"content").unwrap(), "nonces must differ");
    let index = ring.index("local number", b"0001");
    let own = ring.seal(KeyId::NODE, b"x", b"own").unwrap();
    drop(ring);

    let ring = place.open();
    assert_eq!(**ring.open_sealed(a, b"records/1", &sealed).unwrap(), *b"content");
    assert_eq!(**ring.open_sealed(KeyId::NODE, b"x", &own).unwrap(), *b"own");
    assert_eq!(ring.open_sealed(a, b"records/2", &sealed), Err(KeyError::NotAuthentic));
    assert_eq!(ring.open_sealed(b, b"records/1", &sealed), Err(KeyError::NotAuthentic));
    assert_eq!(ring.open_sealed(KeyId::NODE, b"records/1", &sealed), Err(KeyError::NotAuthentic));
    assert_eq!(ring.index("local number", b"0001"), index);
    assert_ne!(ring.index("source id", b"0001"), index);
    assert_ne!(Place::new().open().index("local number", b"0001"), index, "another node, another index");
}

#[test]
fn a_destroyed_key_is_gone_for_good_and_from_the_file() {
    let place = Place::new();
    let ring = place.open();
    let ids = ring.create_many(5).unwrap();
    let sealed: Vec<_> = ids.iter().map(|id| ring.seal(*id, b"a", b"secret").unwrap()).collect();
    let gone = ids[2];
    let before = fs::read(place.ring_file()).unwrap();
    let wrapped = before[4096 + 2 * 128..4096 + 3 * 128].to_vec();
    assert_eq!(&wrapped[..16], gone.as_bytes());
    assert!(ring.destroy(gone).unwrap());
    assert!(!ring.destroy(gone).unwrap(), "repeating an erasure is no error");
    let after = fs::read(place.ring_file()).unwrap();
    assert!(!after.windows(16).any(|window| window == gone.as_bytes()));
    assert!(!after.windows(32).any(|window| window == &wrapped[40..72]));
    drop(ring);

    let ring = place.open();
    assert_eq!(ring.open_sealed(gone, b"a", &sealed[2]), Err(KeyError::NoSuchKey));
    assert!(!ring.contains(gone));
    assert_eq!(ring.counts(), (4, 0));
    // The slot is used again, and the others are untouched.
    let new = ring.create().unwrap();
    assert_eq!(fs::read(place.ring_file()).unwrap().len(), after.len());
    assert_eq!(ring.open_sealed(new, b"a", &sealed[2]), Err(KeyError::NotAuthentic));
    for i in [0, 1, 3, 4] {
        assert_eq!(**ring.open_sealed(ids[i], b"a", &sealed[i]).unwrap(), *b"secret");
    }
    assert_eq!(ring.destroy(KeyId::NODE), Err(KeyError::NodeKeyStays));
}

#[test]
fn keys_never_stand_in_the_clear() {
    let place = Place::new();
    let ring = place.open();
    let id = ring.create().unwrap();
    let secret = ring.secret_of(id).unwrap();
    let file = fs::read(place.ring_file()).unwrap();
    assert!(!file.windows(32).any(|window| window == &secret[..]));
    assert!(!file.windows(32).any(|window| window == &ring.root[..]));
}

#[test]
fn the_wrong_node_key_and_foreign_files_are_refused() {
    let place = Place::new();
    drop(place.open());
    assert_eq!(KeyRing::open(&place.ring_file(), &[7; 32], entropy()).unwrap_err(), KeyError::WrongNodeKey);

    let original = fs::read(place.ring_file()).unwrap();
    for (what, bytes) in [
        ("text", b"#!/bin/sh\n".to_vec()),
        ("a cut header", original[..100].to_vec()),
        ("another version", [b"HIBIKI KEYRING 2".as_slice(), &original[16..]].concat()),
        ("a flipped bit", {
            let mut bytes = original.clone();
            bytes[20] ^= 1;
            bytes
        }),
        ("zeros with slots behind", [vec![0; 4096], vec![1; 128]].concat()),
    ] {
        fs::write(place.ring_file(), &bytes).unwrap();
        let error = KeyRing::open(&place.ring_file(), &[7; 32], entropy()).unwrap_err();
        assert!(matches!(error, KeyError::NotAKeyFile { .. }), "{what}: {error}");
        assert_eq!(fs::read(place.ring_file()).unwrap(), bytes, "{what} was changed");
    }
}

#[test]
fn a_file_whose_making_was_cut_short_is_made_again() {
    let place = Place::new();
    for bytes in [vec![], vec![0; 4096]] {
        fs::write(place.ring_file(), bytes).unwrap();
        let ring = place.open();
        ring.create().unwrap();
        drop(ring);
        assert_eq!(place.open().counts(), (1, 0));
    }
}

#[test]
fn an_unreadable_slot_is_counted_kept_and_not_used_again() {
    let place = Place::new();
    let ids = place.open().create_many(3).unwrap();
    let mut bytes = fs::read(place.ring_file()).unwrap();
    bytes[4096 + 128 + 50] ^= 1;
    fs::write(place.ring_file(), &bytes).unwrap();
    let ring = place.open();
    assert_eq!(ring.counts(), (2, 1));
    assert_eq!(ring.seal(ids[1], b"", b""), Err(KeyError::NoSuchKey));
    ring.create_many(2).unwrap();
    let after = fs::read(place.ring_file()).unwrap();
    assert_eq!(after[4096 + 128..4096 + 256], bytes[4096 + 128..4096 + 256]);
}

#[test]
fn one_process_at_a_time() {
    let place = Place::new();
    let _ring = place.open();
    let error =
        KeyRing::open(&place.ring_file(), &load_node_key(&place.node_key()).unwrap(), entropy()).unwrap_err();
    assert!(matches!(error, KeyError::InUse { .. }));
}

#[test]
fn the_node_key_is_private_whole_and_never_overwritten() {
    let place = Place::new();
    let path = place.node_key();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(place.open_and_drop()).unwrap().permissions().mode() & 0o777, 0o600);
    let before = fs::read(&path).unwrap();
    assert!(matches!(create_node_key(&path, &SystemEntropy), Err(KeyError::Exists { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
    for mode in [0o640, 0o604, 0o660] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(load_node_key(&path).unwrap_err(), KeyError::Exposed { path: path.clone(), mode });
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    load_node_key(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, [0; 31]).unwrap();
    assert!(matches!(load_node_key(&path), Err(KeyError::NotANodeKey { bytes: 31, .. })));
}

impl Place {
    fn open_and_drop(&self) -> PathBuf {
        drop(self.open());
        self.ring_file()
    }
}

#[test]
fn too_many_keys_at_once_are_refused() {
    let ring = KeyRing::in_memory(entropy());
    assert!(matches!(ring.create_many(CREATE_MAX + 1), Err(KeyError::TooMany { .. })));
    assert_eq!(ring.counts(), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_change_to_sealed_bytes_is_noticed(
        plaintext in vec(any::<u8>(), 0..200), aad in vec(any::<u8>(), 0..40), at in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
    ) {
        let ring = KeyRing::in_memory(entropy());
        let id = ring.create().unwrap();
        let mut sealed = ring.seal(id, &aad, &plaintext).unwrap();
        prop_assert_eq!(&**ring.open_sealed(id, &aad, &sealed).unwrap(), &plaintext);
        let at = at.index(sealed.len());
        prop_assert_eq!(ring.open_sealed(id, &aad, &sealed[..at]), Err(KeyError::NotAuthentic));
        sealed[at] ^= flip;
        prop_assert_eq!(ring.open_sealed(id, &aad, &sealed), Err(KeyError::NotAuthentic));
    }

    #[test]
    fn a_ring_agrees_with_its_file(steps in vec(0..8_usize, 1..30)) {
        let place = Place::new();
        let mut ring = place.open();
        let mut ids: Vec<KeyId> = Vec::new();
        for step in steps {
            match step {
                0 => {
                    drop(ring);
                    ring = place.open();
                }
                1 | 2 if !ids.is_empty() => assert!(ring.destroy(ids.swap_remove(step % ids.len())).unwrap()),
                n => ids.extend(ring.create_many(n).unwrap()),
            }
            prop_assert_eq!(ring.counts(), (ids.len(), 0));
            prop_assert!(ids.iter().all(|id| ring.contains(*id)));
        }
    }
}
