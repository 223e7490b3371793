//! The signatures a card may make, taken from its certificate: RSA-2048 with SHA-256 today, ECDSA on P-384
//! with SHA-384 for the next generation of cards. Nothing else, however strong, is accepted.

use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_ASN1, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
};
use x509_parser::oid_registry::{
    OID_KEY_TYPE_EC_PUBLIC_KEY, OID_NIST_EC_P384, OID_PKCS1_RSAENCRYPTION, OID_PKCS1_SHA256WITHRSA,
    OID_SIG_ECDSA_WITH_SHA384,
};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

/// Bits of a card's RSA modulus: neither fewer (weak) nor more (not a card).
const RSA_BITS: usize = 2048;

/// How a card signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 8.2), modulus of 2048 bits.
    Rsa2048Sha256,
    /// ECDSA on P-384 with SHA-384 (FIPS 186-5), DER-encoded signature.
    P384Sha384,
}

impl CardAlgorithm {
    /// The algorithm of a public key; `None` if no card has such a key.
    pub fn of(key: &SubjectPublicKeyInfo<'_>) -> Option<Self> {
        if key.algorithm.algorithm == OID_PKCS1_RSAENCRYPTION {
            let Ok(PublicKey::RSA(rsa)) = key.parsed() else { return None };
            return (modulus_bits(rsa.modulus) == RSA_BITS).then_some(Self::Rsa2048Sha256);
        }
        let curve = key.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
        let p384 = key.algorithm.algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY && curve == Some(OID_NIST_EC_P384);
        p384.then_some(Self::P384Sha384)
    }

    /// Whether `signature` is the key's over `message`. `public_key` is the content of the key's bit string.
    pub fn verifies(self, public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &'static dyn VerificationAlgorithm = match self {
            Self::Rsa2048Sha256 => &RSA_PKCS1_2048_8192_SHA256,
            Self::P384Sha384 => &ECDSA_P384_SHA384_ASN1,
        };
        UnparsedPublicKey::new(algorithm, public_key).verify(message, signature).is_ok()
    }
}

/// Whether an authority may sign certificates and revocation lists with this algorithm. SHA-1 and everything
/// nobody asked for is refused before a signature is even looked at.
pub fn authority_may_use(algorithm: &AlgorithmIdentifier<'_>) -> bool {
    [OID_PKCS1_SHA256WITHRSA, OID_SIG_ECDSA_WITH_SHA384].contains(&algorithm.algorithm)
}

fn modulus_bits(modulus: &[u8]) -> usize {
    let significant = modulus.iter().skip_while(|byte| **byte == 0);
    let leading = significant.clone().next().map_or(0, |byte| byte.leading_zeros() as usize);
    (significant.count() * 8).saturating_sub(leading)
}

#[cfg(test)]
mod tests {
    use super::modulus_bits;

    #[test]
    fn bits_are_counted_from_the_first_set_one() {
        assert_eq!(modulus_bits(&[]), 0);
        assert_eq!(modulus_bits(&[0, 0]), 0);
        assert_eq!(modulus_bits(&[0, 0x80, 1]), 16);
        assert_eq!(modulus_bits(&[1, 0]), 9);
    }
}
