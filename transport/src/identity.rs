//! A party's own key, the certificate that carries it, and the file it lives in.
//!
//! Owns the private key; must not know who the party is: the certificate names nobody. Private keys
//! never travel: a party makes its own, here, and hands out [`Identity::key`].

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::hmac;
use rcgen::{CertificateParams, DistinguishedName, KeyPair, PKCS_ED25519, PublicKeyData, date_time_ymd};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use crate::PeerKey;
use crate::key::is_ed25519_spki;

/// The longest key file that is read, in bytes. An Ed25519 key in PEM takes 119 or 176.
const LONGEST_FILE: u64 = 16 << 10;

/// An Ed25519 key and the self-signed certificate that carries it through TLS.
///
/// The certificate is a pure function of the key and valid from 2020 to the end of 9999 (RFC 5280
/// section 4.1.2.5, "no well-defined expiration date"): nobody reads its dates, because what ends a
/// party's admission is the trust list. Cloning shares the key.
#[derive(Clone)]
pub struct Identity {
    certified: Arc<CertifiedKey>,
    pkcs8: Arc<Zeroizing<Vec<u8>>>,
    key: PeerKey,
}

impl Identity {
    /// Makes a fresh key.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn generate() -> Result<Self, IdentityError> {
        let pair = KeyPair::generate_for(&PKCS_ED25519).map_err(|e| IdentityError::Crypto(e.to_string()))?;
        Self::from_pair(&pair)
    }

    /// Takes a key from PKCS#8 in DER (RFC 5958, with or without the public half).
    ///
    /// # Errors
    /// When the bytes are not an Ed25519 key.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, IdentityError> {
        let der = PrivatePkcs8KeyDer::from(der);
        let pair = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ED25519)
            .map_err(|_| IdentityError::NotAKey { place: "the given bytes".to_owned() })?;
        Self::from_pair(&pair)
    }

    fn from_pair(pair: &KeyPair) -> Result<Self, IdentityError> {
        let crypto = |e: &dyn fmt::Display| IdentityError::Crypto(e.to_string());
        let spki = pair.subject_public_key_info();
        if !is_ed25519_spki(&spki) {
            return Err(IdentityError::Crypto("the public key is not plain Ed25519".to_owned()));
        }
        let pkcs8 = Zeroizing::new(pair.serialize_der());
        let certificate = carrier(pair).map_err(|e| crypto(&e))?;
        let signing = PrivatePkcs8KeyDer::from(pkcs8.to_vec()).into();
        let certified = CertifiedKey::from_der(vec![certificate], signing, &crate::tls::provider())
            .map_err(|e| crypto(&e))?;
        Ok(Self { certified: Arc::new(certified), pkcs8: Arc::new(pkcs8), key: PeerKey::of_spki(&spki) })
    }

    /// What others know this party by.
    pub fn key(&self) -> PeerKey {
        self.key
    }

    /// The certificate that carries the key, in DER. Public.
    pub fn certificate(&self) -> &[u8] {
        self.certified.cert.first().map_or(&[], |certificate| certificate.as_ref())
    }

    pub(crate) fn certified(&self) -> Arc<CertifiedKey> {
        self.certified.clone()
    }

    /// A secret that only this key's owner can compute, the same after every restart.
    pub(crate) fn derive(&self, label: &[u8]) -> [u8; 32] {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &self.pkcs8), label);
        let mut out = [0; 32];
        out.copy_from_slice(tag.as_ref());
        out
    }

    /// Writes the private key to `path` as PKCS#8 in PEM, readable by its owner alone (0600). The file
    /// appears whole or not at all, and is on the disk when this returns.
    ///
    /// # Errors
    /// [`IdentityError::Exists`] when there is a file already: a key is never overwritten.
    pub fn save(&self, path: &Path) -> Result<(), IdentityError> {
        let io = |source| IdentityError::Io { path: path.to_owned(), source };
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(format!(".{}.unfinished", std::process::id()));
        let unfinished = PathBuf::from(unfinished);
        let written = self.write_new(&unfinished).and_then(|()| {
            // A hard link, unlike a rename, fails when the target exists.
            std::fs::hard_link(&unfinished, path)
        });
        let removed = std::fs::remove_file(&unfinished);
        match written {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                return Err(IdentityError::Exists { path: path.to_owned() });
            }
            Err(e) => return Err(io(e)),
        }
        removed.map_err(io)?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)
    }

    fn write_new(&self, path: &Path) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(pem(&self.pkcs8).as_bytes())?;
        file.sync_all()
    }

    /// Reads a private key that [`Identity::save`] wrote, or `openssl genpkey -algorithm ed25519` did.
    ///
    /// # Errors
    /// [`IdentityError::TooOpen`] when anybody but its owner may read or write the file.
    pub fn load(path: &Path) -> Result<Self, IdentityError> {
        let io = |source| IdentityError::Io { path: path.to_owned(), source };
        let not_a_key = || IdentityError::NotAKey { place: path.display().to_string() };
        let file = File::open(path).map_err(io)?;
        let meta = file.metadata().map_err(io)?;
        if meta.mode() & 0o077 != 0 {
            return Err(IdentityError::TooOpen { path: path.to_owned(), mode: meta.mode() & 0o7777 });
        }
        let mut text = Zeroizing::new(Vec::new());
        file.take(LONGEST_FILE).read_to_end(&mut text).map_err(io)?;
        let der = PrivatePkcs8KeyDer::from_pem_slice(&text).map_err(|_| not_a_key())?;
        Self::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| not_a_key())
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("key", &self.key).field("private", &"***").finish()
    }
}

/// The certificate that carries `pair`: it names nobody and is the same every time.
fn carrier(pair: &KeyPair) -> Result<CertificateDer<'static>, rcgen::Error> {
    let mut params = CertificateParams::new(vec![crate::tls::SERVER_NAME.to_owned()])?;
    params.distinguished_name = DistinguishedName::new();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(9999, 12, 31);
    Ok(params.self_signed(pair)?.der().clone())
}

/// PKCS#8 in PEM (RFC 7468 section 10). Written here so that the text, too, is wiped.
fn pem(pkcs8: &[u8]) -> Zeroizing<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Zeroizing::new(String::with_capacity(256));
    out.push_str("-----BEGIN PRIVATE KEY-----\n");
    for line in pkcs8.chunks(48) {
        for group in line.chunks(3) {
            let bits =
                group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
            for place in 0..4 {
                let index = (bits >> (18 - 6 * place)) as usize & 63;
                let symbol = ALPHABET.get(index).copied().unwrap_or(b'=');
                out.push(if place <= group.len() { symbol as char } else { '=' });
            }
        }
        out.push('\n');
    }
    out.push_str("-----END PRIVATE KEY-----\n");
    out
}

/// A key could not be made, kept or read.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The cryptographic library refused.
    #[error("cannot make the TLS key: {0}")]
    Crypto(String),
    /// There is a file where the new key should go.
    #[error("{} exists already; a key is never overwritten: move the file away or choose another place", path.display())]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// Others than the owner can get at the key.
    #[error("{} is open to others (mode {mode:o}); make it private: chmod 600 {}", path.display(), path.display())]
    TooOpen {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The content is not what it should be.
    #[error("{place} holds no Ed25519 private key (PKCS#8); restore it from a backup or enrol a new key")]
    NotAKey {
        /// The file, or what else was read.
        place: String,
    },
    /// The file system refused.
    #[error("cannot use the key file {}: {source}", path.display())]
    Io {
        /// The key file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_saved_key_is_private_and_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tls.key");
        let identity = Identity::generate().unwrap();
        identity.save(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        let loaded = Identity::load(&path).unwrap();
        assert_eq!(loaded.key(), identity.key());
        assert_eq!(loaded.certificate(), identity.certificate(), "the carrier is a function of the key");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing unfinished is left");
    }

    #[test]
    fn a_key_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tls.key");
        let first = Identity::generate().unwrap();
        first.save(&path).unwrap();
        let refused = Identity::generate().unwrap().save(&path);
        assert!(matches!(refused, Err(IdentityError::Exists { .. })), "{refused:?}");
        assert_eq!(Identity::load(&path).unwrap().key(), first.key());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_that_others_can_read_or_write_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tls.key");
        Identity::generate().unwrap().save(&path).unwrap();
        for mode in [0o640, 0o604, 0o620, 0o602] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let refused = Identity::load(&path);
            assert!(matches!(refused, Err(IdentityError::TooOpen { .. })), "{mode:o}: {refused:?}");
        }
    }

    #[test]
    fn damaged_files_are_refused_without_their_content() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tls.key");
        Identity::generate().unwrap().save(&path).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for damaged in [&whole[..0], &whole[..whole.len() / 2], &b"garbage"[..]] {
            std::fs::write(&path, damaged).unwrap();
            let error = Identity::load(&path).unwrap_err();
            assert!(matches!(error, IdentityError::NotAKey { .. }), "{error}");
        }
    }

    /// RFC 8410 section 10.3: the example private key, whose public half is in section 10.1.
    #[test]
    fn rfc_8410_private_key() {
        let text = b"-----BEGIN PRIVATE KEY-----\n\
            MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
            -----END PRIVATE KEY-----\n";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rfc.key");
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut f| f.write_all(text))
            .unwrap();
        let identity = Identity::load(&path).unwrap();
        assert_eq!(
            identity.key().to_string(),
            "a1e9156054e04fac899ae9f275132cdc07a5dbc4ea2c2ad3a1ffc6e0d253681f"
        );
        assert_eq!(pem(&identity.pkcs8).as_bytes(), text, "written as it was read");
    }

    #[test]
    fn debug_shows_no_secret() {
        let identity = Identity::generate().unwrap();
        let text = format!("{identity:?}");
        assert!(text.contains("***") && text.contains(&identity.key().to_string()), "{text}");
        assert!(text.len() < 200, "{text}");
    }
}
