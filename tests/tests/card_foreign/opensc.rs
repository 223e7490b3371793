//! OpenSC, unconfigured: its `jpki` driver takes the card for a real one.

use std::fs;

use hibiki_tests::card_reader::SampleCard;

use crate::bench::{Bench, module, skipped};

#[test]
fn opensc_knows_the_card_by_contact_and_contactless() {
    let Some(bench) = Bench::new("opensc_knows_the_card_by_contact_and_contactless", &["opensc-tool"]) else {
        return;
    };
    for atr in ["contact", "contactless"] {
        let (_, inserted) = bench.with_card_in(usize::from(atr == "contactless"), &["--atr", atr]);
        let name = bench.reader.reader_name(usize::from(atr == "contactless"));
        let said = bench.must("", "opensc-tool", &["--reader", &name, "--name"]);
        assert!(said.lines().any(|line| line == "jpki"), "{atr}: {said}");
        let said = bench.must("", "opensc-tool", &["--reader", &name, "--atr"]);
        let start = if atr == "contact" { "3b:e0:00:ff:81:31:fe:45:14" } else { "3b:88:80:01:00:00:05" };
        assert!(said.contains(start), "{said}");
        drop(inserted);
    }
}

#[test]
fn pkcs15_tool_lists_two_pins_two_keys_and_four_certificates() {
    let test = "pkcs15_tool_lists_two_pins_two_keys_and_four_certificates";
    let Some(bench) = Bench::new(test, &["pkcs15-tool"]) else { return };
    let (_, _inserted) = bench.with_card(&[]);
    let said = bench.must("", "pkcs15-tool", &["--dump"]);
    let count = |what: &str| said.lines().filter(|line| line.starts_with(what)).count();
    assert!(said.contains("PKCS#15 Card [JPKI]"), "{said}");
    assert_eq!(
        (count("PIN ["), count("Private RSA Key ["), count("X.509 Certificate [")),
        (2, 2, 4),
        "{said}"
    );
    let tries: Vec<&str> = said.lines().filter(|line| line.contains("Tries left")).map(str::trim).collect();
    assert_eq!(tries, ["Tries left     : 3", "Tries left     : 5"]);
}

#[test]
fn pkcs15_tool_reads_the_signature_certificate_behind_its_password_only() {
    let test = "pkcs15_tool_reads_the_signature_certificate_behind_its_password_only";
    let Some(bench) = Bench::new(test, &["pkcs15-tool", "openssl"]) else { return };
    let (card, _inserted) = bench.with_card(&[]);
    let der = |pem: &str| {
        bench.must("", "openssl", &["x509", "-in", pem, "-outform", "DER", "-out", "read.der"]);
        fs::read(bench.path("read.der")).unwrap()
    };
    bench.must("", "pkcs15-tool", &["--read-certificate", "1", "--output", "1.pem"]);
    assert_eq!(der("1.pem"), card.authentication);
    let read = ["--read-certificate", "2", "--output", "2.pem"];
    let refused = bench.run("", "pkcs15-tool", &read);
    assert!(!refused.success && !bench.path("2.pem").exists(), "{}", refused.text);
    let verify = ["--verify-pin", "--auth-id", "2", "--pin", "env:PIN"];
    bench.must(SampleCard::PASSWORD, "pkcs15-tool", &[&verify[..], &read].concat());
    assert_eq!(der("2.pem"), card.signature);
}

#[test]
fn pkcs11_tool_finds_no_errors_when_logged_in() {
    let Some(bench) = Bench::new("pkcs11_tool_finds_no_errors_when_logged_in", &["pkcs11-tool"]) else {
        return;
    };
    let Some(module) = module() else {
        return skipped("pkcs11_tool_finds_no_errors_when_logged_in", "opensc-pkcs11 is not installed");
    };
    let (_, _inserted) = bench.with_card(&[]);
    let said = bench.must(
        SampleCard::PIN,
        "pkcs11-tool",
        &["--module", &module, "--slot", "0", "--login", "--pin", "env:PIN", "--test"],
    );
    assert!(said.lines().any(|line| line.trim() == "No errors"), "{said}");
}

#[test]
fn three_wrong_pins_lock_the_card_and_opensc_says_so() {
    let test = "three_wrong_pins_lock_the_card_and_opensc_says_so";
    let Some(bench) = Bench::new(test, &["pkcs15-tool", "pkcs11-tool"]) else { return };
    let Some(module) = module() else { return skipped(test, "opensc-pkcs11 is not installed") };
    let (_, inserted) = bench.with_card(&["--trace"]);
    let verify = ["--verify-pin", "--auth-id", "1", "--pin", "env:PIN"];
    for left in [2, 1, 0] {
        let refused = bench.run("9876", "pkcs15-tool", &verify);
        assert!(!refused.success, "{}", refused.text);
        let said = bench.must("", "pkcs15-tool", &["--dump"]);
        assert!(said.contains(&format!("Tries left     : {left}")), "{said}");
    }
    let refused = bench.run(SampleCard::PIN, "pkcs15-tool", &verify);
    assert!(!refused.success, "even the right PIN is too late");
    let said = bench.must("", "pkcs11-tool", &["--module", &module, "--list-slots"]);
    assert!(said.contains("user PIN locked"), "{said}");

    // Everything the card said meanwhile, on both streams, with every APDU: no PIN, in no coding.
    let log = inserted.log();
    assert!(log.contains("> 00200080 04 *** (4 bytes masked)"), "{log}");
    for secret in ["9876", "39383736", SampleCard::PIN, "34373131"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
