//! Signatures made by OpenSC with our card, verified by openssl.

use std::fs;
use std::thread;

use hibiki_tests::card_reader::{SLOTS, SampleCard};

use crate::bench::{Bench, module, skipped};

const MESSAGE: &[u8] = b"what is signed";
/// DigestInfo of SHA-256 without the hash (RFC 8017 section 9.2, note 1).
const SHA256_PREFIX: &[u8] = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";

#[test]
fn openssl_verifies_what_pkcs11_tool_signs_with_either_key() {
    let test = "openssl_verifies_what_pkcs11_tool_signs_with_either_key";
    let Some(bench) = Bench::new(test, &["pkcs11-tool", "openssl"]) else { return };
    let Some(module) = module() else { return skipped(test, "opensc-pkcs11 is not installed") };
    let (card, _inserted) = bench.with_card(&[]);
    fs::write(bench.path("message"), MESSAGE).unwrap();
    bench.must("", "openssl", &["dgst", "-sha256", "-binary", "-out", "hash", "message"]);
    let digest_info = [SHA256_PREFIX, &fs::read(bench.path("hash")).unwrap()].concat();
    fs::write(bench.path("digestinfo"), digest_info).unwrap();

    for (slot, id, secret, certificate) in [
        ("0", "01", SampleCard::PIN, &card.authentication),
        ("1", "02", SampleCard::PASSWORD, &card.signature),
    ] {
        let key = bench.public_key(&format!("key-{id}"), certificate);
        let sign = |mechanism: &str, input: &str, output: &str| {
            let open =
                ["--module", &module, "--slot", slot, "--login", "--pin", "env:PIN", "--sign", "--id", id];
            let what = ["--mechanism", mechanism, "--input-file", input, "--output-file", output];
            bench.must(secret, "pkcs11-tool", &[&open[..], &what].concat());
        };
        for (mechanism, digest) in [("SHA256-RSA-PKCS", "-sha256"), ("SHA384-RSA-PKCS", "-sha384")] {
            let signature = format!("{mechanism}-{id}");
            sign(mechanism, "message", &signature);
            let said = bench.must(
                "",
                "openssl",
                &["dgst", digest, "-verify", &key, "-signature", &signature, "message"],
            );
            assert!(said.contains("Verified OK"), "{mechanism} with {id}: {said}");
        }
        sign("RSA-PKCS", "digestinfo", "raw");
        assert_eq!(
            fs::read(bench.path("raw")).unwrap(),
            fs::read(bench.path(&format!("SHA256-RSA-PKCS-{id}"))).unwrap(),
            "the padding is the same, whoever makes the DigestInfo"
        );
    }
}

#[test]
fn two_cards_sign_in_parallel_each_with_its_own_key() {
    let test = "two_cards_sign_in_parallel_each_with_its_own_key";
    let Some(bench) = Bench::new(test, &["pkcs11-tool", "openssl"]) else { return };
    let Some(module) = module() else { return skipped(test, "opensc-pkcs11 is not installed") };
    let cards: Vec<_> = (0..SLOTS).map(|slot| bench.with_card_in(slot, &[])).collect();
    fs::write(bench.path("message"), MESSAGE).unwrap();
    let listed = bench.must("", "pkcs11-tool", &["--module", &module, "--list-slots"]);
    thread::scope(|scope| {
        for slot in 0..SLOTS {
            let (bench, module) = (&bench, &module);
            let id = pkcs11_slot(&listed, &bench.reader.reader_name(slot));
            scope.spawn(move || {
                for round in 0..4 {
                    let signature = format!("signature-{slot}-{round}");
                    let open = ["--module", module, "--slot", &id, "--login", "--pin", "env:PIN", "--sign"];
                    let what = ["--id", "01", "--mechanism", "SHA256-RSA-PKCS", "--input-file", "message"];
                    let to = ["--output-file", &signature];
                    bench.must(SampleCard::PIN, "pkcs11-tool", &[&open[..], &what, &to].concat());
                }
            });
        }
    });
    for (slot, (card, _)) in cards.iter().enumerate() {
        let key = bench.public_key(&format!("key-{slot}"), &card.authentication);
        for (made_in, round) in (0..SLOTS).flat_map(|made_in| (0..4).map(move |round| (made_in, round))) {
            let signature = format!("signature-{made_in}-{round}");
            let said = bench.run(
                "",
                "openssl",
                &["dgst", "-sha256", "-verify", &key, "-signature", &signature, "message"],
            );
            assert_eq!(said.success, made_in == slot, "{signature} with the key of {slot}: {}", said.text);
        }
    }
}

/// PKCS#11's number of the authentication slot of a reader: the first that bears its name.
fn pkcs11_slot(listed: &str, reader: &str) -> String {
    let line = listed.lines().find(|line| line.starts_with("Slot ") && line.contains(reader));
    let number =
        line.and_then(|line| line.split_once("(0x")?.1.split_once(')')).expect("a slot of this reader").0;
    u64::from_str_radix(number, 16).unwrap().to_string()
}
