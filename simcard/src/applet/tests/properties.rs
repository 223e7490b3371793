//! Whatever is sent, certain things never happen.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// What clients of other cards ask before they know whose card it is (OpenSC 0.23's drivers, and ISO's).
const FOREIGN: [&[u8]; 14] = [
    &[0x00, 0xA4, 0x04, 0x00, 0x06, 0xA0, 0x00, 0x00, 0x00, 0x01, 0x01],
    &[0x00, 0xA4, 0x04, 0x00, 0x09, 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00, 0x00],
    &[0x00, 0xA4, 0x04, 0x00, 0x0B, 0xE8, 0x2B, 0x06, 0x01, 0x04, 0x01, 0x81, 0xC3, 0x1F, 0x02, 0x01],
    &[0x00, 0xA4, 0x04, 0x0C, 0x0C, 0xA0, 0, 0, 0, 0x63, 0x50, 0x4B, 0x43, 0x53, 0x2D, 0x31, 0x35],
    &[0x00, 0xA4, 0x04, 0x00, 0x06, 0xD2, 0x76, 0x00, 0x01, 0x24, 0x01, 0x00],
    &[0x00, 0xA4, 0x08, 0x0C, 0x02, 0x50, 0x15],
    &[0x00, 0xCA, 0xDF, 0x30, 0x05],
    &[0x00, 0xCB, 0x3F, 0xFF, 0x05, 0x5C, 0x03, 0x5F, 0xC1, 0x07, 0x00],
    &[0x80, 0xCA, 0x9F, 0x7F, 0x00],
    &[0xB0, 0x3C, 0x00, 0x00, 0x00],
    &[0x90, 0x32, 0x03, 0x00, 0x00],
    &[0x00, 0xF8, 0x00, 0x00],
    &[0xFF, 0xCA, 0x00, 0x00, 0x00],
    &[0x00, 0xC0, 0x00, 0x00, 0x10],
];

#[test]
fn clients_of_other_cards_are_told_so_and_change_nothing() {
    let mut bench = Bench::in_jpki();
    bench.verify(0x0018, PIN);
    bench.select(0x0017);
    let sign = sign_command(0x00, &digest_info(b"x"));
    let signature = bench.data(&sign);
    for apdu in FOREIGN {
        let status = bench.status(apdu);
        assert!(
            matches!(status, 0x6700 | 0x6A82 | 0x6A86 | 0x6A88 | 0x6D00 | 0x6E00),
            "{apdu:02X?}: {status:04X}"
        );
        assert_eq!(bench.data(&sign), signature, "after {apdu:02X?}");
    }
}

thread_local! {
    static PREPARED: (Bench, Vec<u8>) = {
        let bench = Bench::in_jpki();
        let file = std::fs::read(bench.folder.path().join("card.json")).unwrap();
        (bench, file)
    };
}

/// A fresh copy of one card: making keys for every case would take too long.
fn copy() -> Bench {
    use std::os::unix::fs::PermissionsExt as _;
    PREPARED.with(|(_, file)| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("card.json");
        std::fs::write(&path, file).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        Bench { folder, applet: Applet::new(CardFile::open(path).unwrap()) }
    })
}

/// Commands that come near something: right classes, instructions and files, and sometimes right PINs for the
/// wrong key, but never the right PIN for the right key.
fn near_miss() -> impl Strategy<Value = Vec<u8>> {
    let file = prop::sample::select(vec![0x01u8, 0x02, 0x06, 0x0A, 0x17, 0x18, 0x1A, 0x1B]);
    let reference = prop_oneof![Just(0x80u8), Just(0x97), Just(0x98), Just(0x9A), Just(0x9B), any::<u8>()];
    let secret = vec(prop::sample::select(b"1234567890ABCDEF".to_vec()), 0..18);
    prop_oneof![
        2 => Just(SELECT_JPKI.to_vec()),
        4 => file.prop_map(|id| vec![0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, id]),
        4 => (0..7u8, reference.clone(), vec(any::<u8>(), 0..64)).prop_map(|(p1, p2, data)| {
            [command(0x80, 0x2A, p1, p2, &data), vec![0]].concat()
        }),
        1 => (reference.clone(), secret.clone()).prop_map(|(p2, data)| command(0x00, 0x20, 0x00, p2, &data)),
        1 => (reference, secret).prop_map(|(p2, data)| command(0x00, 0x24, 0x01, p2, &data)),
        2 => (any::<u8>(), any::<u8>()).prop_map(|(p1, p2)| vec![0x00, 0xB0, p1, p2, 0x00]),
        1 => vec(any::<u8>(), 0..40),
    ]
    .prop_filter("the right PIN", |apdu| {
        let contains = |secret: &str| apdu.windows(secret.len()).any(|window| window == secret.as_bytes());
        !contains(PIN) && !contains(PASSWORD)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whatever_is_sent_is_answered(apdu in vec(any::<u8>(), 0..300)) {
        PREPARED.with(|(bench, _)| {
            let mut applet = Applet::new(CardFile::open(bench.applet.card().path()).unwrap());
            applet.transmit(&SELECT_JPKI);
            prop_assert!(applet.transmit(&apdu).len() >= 2);
            Ok(())
        })?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn without_the_right_pin_there_is_no_signature_and_no_new_try(apdus in vec(near_miss(), 1..60)) {
        let mut bench = copy();
        let secret_certificate = bench.certificate(KeySlot::Signature);
        let mut tries = KeySlot::ALL.map(|slot| bench.tries(slot));
        for (at, apdu) in apdus.iter().enumerate() {
            if at % 7 == 6 { bench.applet.reset(); }
            let (data, status) = bench.send(apdu);
            if apdu.starts_with(&[0x80, 0x2A]) {
                prop_assert!(data.is_empty() && status != 0x9000, "{apdu:02X?}");
            }
            if data.len() > 32 {
                prop_assert!(!secret_certificate.windows(data.len()).any(|window| window == data)
                    || bench.applet.card().ca_certificate_der().unwrap().windows(data.len()).any(|w| w == data)
                    || bench.certificate(KeySlot::Authentication).windows(data.len()).any(|w| w == data));
            }
            prop_assert!(!(apdu.get(1) == Some(&0x20) && status == 0x9000), "{apdu:02X?}");
            let now = KeySlot::ALL.map(|slot| bench.tries(slot));
            prop_assert!(now.iter().zip(&tries).all(|(now, before)| now <= before));
            tries = now;
        }
    }
}
