//! Every command, answer and rule that is known of the card.

use super::*;

#[test]
fn applications_are_selected_by_name() {
    let mut bench = Bench::new();
    assert_eq!(bench.select(0x000A), 0x6A82, "no application yet");
    assert_eq!(bench.status(&[0x00, 0xB0, 0x00, 0x00, 0x00]), 0x6986);
    assert_eq!(bench.status(&SELECT_JPKI), 0x9000);
    assert_eq!(bench.select(0x000A), 0x9000);
    let mut with_fci = SELECT_JPKI.to_vec();
    with_fci[3] = 0x00;
    with_fci.push(0x00);
    let fci = bench.data(&with_fci);
    assert_eq!(fci, [&[0x6F, 0x0C, 0x84, 0x0A], &JPKI_AID[..]].concat());
    assert_eq!(bench.status(&[0x00, 0xB0, 0x00, 0x00, 0x00]), 0x6986, "selecting it anew selects no file");
    // 券面事項入力補助, 券面事項確認 and 共通カード are not there, and with them no My Number.
    for aid in ["D3921000310001010408", "D3921000310001010402", "D3921000310001010100"] {
        let aid: Vec<u8> =
            (0..10).map(|at| u8::from_str_radix(&aid[2 * at..2 * at + 2], 16).unwrap()).collect();
        assert_eq!(bench.status(&command(0x00, 0xA4, 0x04, 0x0C, &aid)), 0x6A82);
    }
    assert_eq!(bench.select(0x000A), 0x9000, "a name it does not know changes nothing");
}

#[test]
fn files_are_selected_by_p1_02_only() {
    let mut bench = Bench::new();
    assert_eq!(bench.status(&[0x00, 0xA4, 0x00, 0x00]), 0x6A86, "after reset");
    bench.status(&SELECT_JPKI);
    assert_eq!(bench.status(&[0x00, 0xA4, 0x00, 0x00]), 0x9000, "to no effect");
    assert_eq!(bench.status(&[0x00, 0xA4, 0x00, 0x00, 0x02, 0x3F, 0x00]), 0x6A82);
    assert_eq!(bench.status(&[0x00, 0xA4, 0x01, 0x0C, 0x02, 0x00, 0x0A]), 0x6A86);
    assert_eq!(bench.status(&[0x00, 0xA4, 0x02, 0x0C, 0x01, 0x0A]), 0x6700);
    for id in [1, 2, 5, 6, 8, 9, 0x0A, 0x0B, 0x10, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1E] {
        assert_eq!(bench.select(id), 0x9000, "{id:04X}");
    }
    for id in [0, 3, 4, 7, 0x0C, 0x11, 0x1D, 0x1F, 0x2F00, 0x3F00] {
        assert_eq!(bench.select(id), 0x6A82, "{id:04X}");
    }
}

#[test]
fn certificates_are_read_in_pieces() {
    let mut bench = Bench::in_jpki();
    let certificate = bench.certificate(KeySlot::Authentication);
    assert!(certificate.len() > 512 && certificate.starts_with(&[0x30, 0x82]), "long DER length form");
    assert_eq!(bench.read_whole(0x000A), certificate);
    assert_eq!(bench.read_whole(0x000B), bench.applet.card().ca_certificate_der().unwrap());
    assert_eq!(bench.read_whole(0x0002), bench.read_whole(0x000B), "one authority for both here");
    bench.select(0x000A);
    assert_eq!(bench.data(&[0x00, 0xB0, 0x00, 0x00, 0x04]), certificate[..4]);
    assert_eq!(bench.data(&[0x00, 0xB0, 0x01, 0x00, 0x00]), certificate[256..512], "Le 00 is 256");
    let [high, low] = u16::try_from(certificate.len() - 3).unwrap().to_be_bytes();
    assert_eq!(bench.data(&[0x00, 0xB0, high, low, 0x00]).len(), 3, "short at the end");
    assert_eq!(bench.status(&[0x00, 0xB0, 0x7F, 0xFF, 0x00]), 0x6B00);
    assert_eq!(bench.data(&[0x00, 0xB0, 0x00, 0x00, 0x00, 0x03, 0xDE]).len(), 990, "extended Le");
    assert_eq!(bench.status(&[0x00, 0xB0, 0x00, 0x00]), 0x6700, "no Le");
    // By short identifier, which selects the file.
    assert_eq!(bench.data(&[0x00, 0xB0, 0x8B, 0x02, 0x02]), bench.read_whole(0x000B)[2..4]);
    bench.data(&[0x00, 0xB0, 0x8A, 0x00, 0x01]);
    assert_eq!(bench.data(&[0x00, 0xB0, 0x00, 0x00, 0x04]), certificate[..4]);
    assert_eq!(bench.status(&[0x00, 0xB0, 0x80, 0x00, 0x01]), 0x6A86);
    assert_eq!(bench.status(&[0x00, 0xB0, 0xC1, 0x00, 0x01]), 0x6A86);
    assert_eq!(bench.status(&[0x00, 0xB0, 0x83, 0x00, 0x01]), 0x6A82);
}

#[test]
fn what_is_not_free_is_not_read() {
    let mut bench = Bench::in_jpki();
    for (id, status) in
        [(0x0001, 0x6982), (0x0009, 0x6982), (0x0017, 0x6981), (0x0018, 0x6981), (0x0016, 0x6981)]
    {
        assert_eq!(bench.select(id), 0x9000);
        assert_eq!(bench.status(&[0x00, 0xB0, 0x00, 0x00, 0x04]), status, "{id:04X}");
    }
    assert_eq!(bench.verify(0x0018, PIN), 0x9000);
    bench.select(0x0001);
    assert_eq!(bench.status(&[0x00, 0xB0, 0x00, 0x00, 0x04]), 0x6982, "the other key's PIN");
    assert_eq!(bench.verify(0x001B, PASSWORD), 0x9000);
    assert_eq!(bench.read_whole(0x0001), bench.certificate(KeySlot::Signature));
}

#[test]
fn it_says_what_it_is() {
    let mut bench = Bench::in_jpki();
    let token = bench.read_whole(0x0006);
    assert_eq!(token.len(), 160);
    assert!(token.starts_with(b"JPKIAPICCTOKEN2                 SIMULATED-JPKI"));
    assert_eq!(bench.read_whole(0x0008), [0x8F, 0x8F, 0x00]);
    assert_eq!(bench.data(&[0x00, 0xCA, 0x5F, 0x51, 0x00]), CONTACT_ATR[1..]);
    let challenge = bench.data(&[0x00, 0x84, 0x00, 0x00, 0x00]);
    assert_eq!(challenge.len(), 256);
    assert_ne!(challenge, bench.data(&[0x00, 0x84, 0x00, 0x00, 0x00]));
    assert_eq!(bench.status(&[0x00, 0x84, 0x00, 0x00]), 0x6700);
    assert_eq!(bench.status(&[0x00, 0x84, 0x01, 0x00, 0x08]), 0x6A86);
    assert_eq!(bench.status(&[0x00, 0x84, 0x00, 0x00, 0x00, 0x02, 0x00]), 0x6985);
}

#[test]
fn asking_for_tries_costs_none_and_never_says_9000() {
    let mut bench = Bench::in_jpki();
    let ask = [0x00, 0x20, 0x00, 0x80];
    let ask_with_le = [0x00, 0x20, 0x00, 0x80, 0x00];
    assert_eq!(bench.status(&ask), 0x6986, "no file is selected");
    bench.select(0x0018);
    for _ in 0..5 {
        assert_eq!(bench.status(&ask), 0x63C3);
        assert_eq!(bench.status(&ask_with_le), 0x63C3);
    }
    assert_eq!(bench.verify(0x0018, PIN), 0x9000);
    assert_eq!(bench.status(&ask), 0x63C3, "also after the right PIN");
    assert_eq!(bench.status(&[0x00, 0x20, 0x00, 0x9B]), 0x63C5, "by short identifier");
    assert_eq!(bench.status(&[0x00, 0x20, 0x00, 0x8A]), 0x6981, "a certificate has no tries");
    assert_eq!(bench.status(&[0x00, 0x20, 0x00, 0x18]), 0x6A86);
    assert_eq!(bench.status(&[0x00, 0x20, 0x01, 0x98]), 0x6A86);
}

#[test]
fn wrong_pins_lock_with_6984_across_power_and_process() {
    let mut bench = Bench::in_jpki();
    for status in [0x63C2, 0x63C1] {
        assert_eq!(bench.verify(0x0018, "9999"), status);
    }
    assert_eq!(bench.verify(0x0018, "12345"), 0x63C0, "of the wrong length is wrong, too");
    bench.applet.power_off();
    bench.applet = Applet::new(CardFile::open(bench.folder.path().join("card.json")).unwrap());
    bench.status(&SELECT_JPKI);
    for pin in [PIN, "9999"] {
        assert_eq!(bench.verify(0x0018, pin), 0x6984);
    }
    assert_eq!(bench.status(&[0x00, 0x20, 0x00, 0x80]), 0x63C0);
    bench.select(0x0017);
    assert_eq!(bench.status(&sign_command(0, &digest_info(b"x"))), 0x6982);
    // The other key is not touched: 63C5, and lower case is not its password.
    assert_eq!(bench.verify(0x001B, "abc123"), 0x63C4);
    assert_eq!(bench.verify(0x001B, PASSWORD), 0x9000);
    assert_eq!(bench.tries(KeySlot::Signature), 5);
}

#[test]
fn a_wrong_pin_closes_an_open_key() {
    let mut bench = Bench::in_jpki();
    assert_eq!(bench.verify(0x0018, PIN), 0x9000);
    assert_eq!(bench.verify(0x0018, "0000"), 0x63C2);
    bench.select(0x0017);
    assert_eq!(bench.status(&sign_command(0, &digest_info(b"x"))), 0x6982);
}

#[test]
fn every_scheme_signs_and_another_library_agrees() {
    let mut bench = Bench::in_jpki();
    let message = b"a statement";
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, message);
    for (pin_file, secret, key_file, slot) in
        [(0x0018, PIN, 0x0017, KeySlot::Authentication), (0x001B, PASSWORD, 0x001A, KeySlot::Signature)]
    {
        assert_eq!(bench.verify(pin_file, secret), 0x9000);
        assert_eq!(bench.select(key_file), 0x9000);
        let certificate = bench.certificate(slot);
        let plain = bench.data(&sign_command(0x00, &digest_info(message)));
        assert!(verifies(&certificate, false, message, &plain));
        assert_eq!(bench.data(&sign_command(0x02, hash.as_ref())), plain);
        assert_eq!(bench.data(&sign_command(0x03, message)), plain);
        assert_eq!(bench.data(&sign_command(0x01, message)), bench.data(&sign_command(0x00, hash.as_ref())));
        let pss = bench.data(&sign_command(0x04, hash.as_ref()));
        assert!(verifies(&certificate, true, message, &pss));
        assert!(verifies(&certificate, true, message, &bench.data(&sign_command(0x05, message))));
        // Without Le, as T=0 has it; by short identifier, without a SELECT.
        assert_eq!(bench.data(&command(0x80, 0x2A, 0x03, 0x80, message)), plain);
        bench.select(0x0006);
        let short = 0x80 | u8::try_from(key_file).unwrap();
        assert_eq!(bench.data(&command(0x80, 0x2A, 0x03, short, message)), plain);
    }
}

#[test]
fn signing_has_its_bounds() {
    let mut bench = Bench::in_jpki();
    assert_eq!(bench.status(&sign_command(0, b"x")), 0x6986);
    bench.select(0x0018);
    assert_eq!(bench.status(&sign_command(0, b"x")), 0x6981);
    bench.verify(0x0018, PIN);
    bench.select(0x0017);
    assert_eq!(bench.data(&sign_command(0, &[7; 245])).len(), 256);
    assert_eq!(bench.status(&sign_command(0, &[7; 246])), 0x6700);
    assert_eq!(bench.status(&[0x80, 0x2A, 0x00, 0x80, 0x00]), 0x6700, "nothing to sign");
    for (p1, data) in [(0x02, &[7; 31][..]), (0x02, &[7; 33]), (0x04, &[7; 51])] {
        assert_eq!(bench.status(&sign_command(p1, data)), 0x6700);
    }
    for p1 in [0x06, 0x80, 0xFF] {
        assert_eq!(bench.status(&sign_command(p1, &[7; 32])), 0x6A86);
    }
    bench.select(0x001A);
    assert_eq!(bench.status(&sign_command(0, b"x")), 0x6982, "the other key stays closed");
    assert_eq!(bench.status(&command(0x00, 0x2A, 0x9E, 0x9A, b"x")), 0x6D00, "not ISO's own");
}

#[test]
fn a_presented_pin_outlives_everything_but_power_and_leaving() {
    let sign = sign_command(0x00, &digest_info(b"x"));
    let mut bench = Bench::in_jpki();
    let still_open = |bench: &mut Bench, what: &str| {
        bench.status(&SELECT_JPKI);
        bench.select(0x0017);
        assert_eq!(bench.send(&sign).1, 0x9000, "{what}");
    };
    assert_eq!(bench.verify(0x0018, PIN), 0x9000);
    still_open(&mut bench, "selecting the application anew");
    bench.applet.reset();
    assert_eq!(bench.select(0x0017), 0x6A82, "a reset leaves nothing selected");
    still_open(&mut bench, "a warm reset");

    type Closing = fn(&mut Bench);
    let closings: [(Closing, &str); 3] = [
        (|bench| bench.applet.power_off(), "power off"),
        (|bench| bench.applet.power_on(), "power on"),
        (
            |bench| assert_eq!(bench.status(&[0, 0xA4, 4, 0x0C, 7, 0xA0, 0, 0, 1, 0x51, 0, 0]), 0x9000),
            "selecting the issuer security domain",
        ),
    ];
    for (close, what) in closings {
        assert_eq!(bench.verify(0x0018, PIN), 0x9000);
        close(&mut bench);
        assert_eq!(bench.status(&SELECT_JPKI), 0x9000);
        bench.select(0x0017);
        assert_eq!(bench.status(&sign), 0x6982, "{what}");
    }
}

#[test]
fn the_pin_can_be_changed() {
    let mut bench = Bench::in_jpki();
    bench.select(0x0018);
    let change = |pin: &str| command(0x00, 0x24, 0x01, 0x80, pin.as_bytes());
    assert_eq!(bench.status(&change("5678")), 0x6982, "not without the old one");
    assert_eq!(bench.verify(0x0018, PIN), 0x9000);
    for (bad, status) in [("567", 0x6A80), ("56789", 0x6A80), ("567a", 0x6A80)] {
        assert_eq!(bench.status(&change(bad)), status, "{bad}");
    }
    assert_eq!(bench.status(&[0x00, 0x24, 0x01, 0x80]), 0x6700);
    assert_eq!(bench.status(&command(0x00, 0x24, 0x00, 0x80, b"12345678")), 0x6A86);
    assert_eq!(bench.status(&change("5678")), 0x9000);
    bench.applet.power_on();
    bench.status(&SELECT_JPKI);
    assert_eq!(bench.verify(0x0018, PIN), 0x63C2);
    assert_eq!(bench.verify(0x0018, "5678"), 0x9000);
    assert_eq!(bench.verify(0x001B, PASSWORD), 0x9000);
    assert_eq!(bench.status(&change("NEW4PASSWORD")), 0x9000);
    assert_eq!(bench.verify(0x001B, "NEW4PASSWORD"), 0x9000);
}

#[test]
fn a_childs_card_has_no_signature() {
    let mut bench = Bench::child();
    assert_eq!(bench.read_whole(0x0008), [0, 0, 0], "nor, yet, a certificate");
    assert_eq!(bench.read_whole(0x0002), Vec::<u8>::new());
    bench.select(0x0001);
    assert_eq!(bench.status(&[0x00, 0xB0, 0x00, 0x00, 0x04]), 0x6982);
    bench.select(0x001B);
    assert_eq!(bench.status(&[0x00, 0x20, 0x00, 0x80]), 0x63C0);
    assert_eq!(bench.verify(0x001B, PASSWORD), 0x6984);
    bench.select(0x001A);
    assert_eq!(bench.status(&sign_command(0, b"x")), 0x6982);
}

#[test]
fn a_lost_card_file_is_a_memory_failure() {
    let mut bench = Bench::in_jpki();
    std::fs::remove_file(bench.folder.path().join("card.json")).unwrap();
    bench.select(0x0018);
    assert_eq!(bench.status(&[0x00, 0x20, 0x00, 0x80]), 0x6581);
    assert_eq!(bench.verify(0x0018, PIN), 0x6581);
    bench.applet.power_on();
    bench.status(&SELECT_JPKI);
    assert!(!bench.read_whole(0x000A).is_empty(), "what was read before is still known");
}
