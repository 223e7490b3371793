//! The card as its holder meets it: a certificate for anybody, signatures behind the PIN.

use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use crate::certificate::{self, CertificateInfo};
use crate::error::{CardError, PinError};
use crate::file::{self, CardData, Certificates, Locked, damaged};
use crate::key::{CardKey, PinKeys, random};
use crate::pin::Pin;
use crate::{PIN_TRIES, SIGNATURE_LEN};

/// A simulated card in a file. It may be used from several processes at once.
pub struct CardFile {
    path: PathBuf,
    card: CardData,
}

impl CardFile {
    /// Makes a card with a new key pair at `path`, where no file may be, and returns the request
    /// (PKCS#10, PEM) that an authority turns into its certificate.
    ///
    /// `holder_id` is opaque: 8 to 64 ASCII letters and digits; without one, a random one is made.
    pub fn create(
        path: impl AsRef<Path>,
        holder_id: Option<&str>,
        pin: &Pin,
    ) -> Result<(Self, String), CardError> {
        let path = path.as_ref();
        let holder_id = match holder_id {
            Some(given) => check_holder_id(given)?.to_owned(),
            None => random_holder_id()?,
        };
        if path.exists() {
            return Err(CardError::Exists { path: path.to_owned() });
        }
        let key = CardKey::generate()?;
        let mut card = CardData::new(holder_id, key.public_key_der()?);
        set_pin(&mut card, &key, pin)?;
        let request = key.request_pem(&card.holder_id)?;
        file::create(path, &card)?;
        Ok((Self { path: path.to_owned(), card }, request))
    }

    /// Opens a card file that only its owner can read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CardError> {
        let path = path.as_ref();
        Ok(Self { path: path.to_owned(), card: file::read(path)? })
    }

    /// Where the card lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The opaque identifier in the certificate's subject.
    pub fn holder_id(&self) -> &str {
        &self.card.holder_id
    }

    /// The user-authentication certificate. Like the real one, readable without a PIN.
    pub fn certificate_der(&self) -> Result<&[u8], CardError> {
        self.certificates().map(|held| held.holder.as_slice())
    }

    /// The certificate of the authority that issued it.
    pub fn ca_certificate_der(&self) -> Result<&[u8], CardError> {
        self.certificates().map(|held| held.ca.as_slice())
    }

    /// What the certificate says about itself.
    pub fn certificate_info(&self) -> Result<CertificateInfo, CardError> {
        Ok(CertificateInfo::read(self.certificate_der()?)?)
    }

    fn certificates(&self) -> Result<&Certificates, CardError> {
        self.card.certificates.as_ref().ok_or_else(|| CardError::NoCertificate { path: self.path.clone() })
    }

    /// Wrong PINs the card still forgives, as the disk says now. Costs no try.
    pub fn tries_left(&self) -> Result<u8, CardError> {
        Ok(file::read(&self.path)?.tries_left)
    }

    /// Presents a PIN. The try is taken, on the disk, before the PIN is looked at, and given back
    /// only when it was right.
    pub fn verify_pin(&mut self, pin: &Pin) -> Result<Unlocked<'_>, PinError> {
        let (_turn, key) = self.present(pin)?;
        Ok(Unlocked { key, card: PhantomData })
    }

    /// Replaces the PIN by another.
    pub fn change_pin(&mut self, old: &Pin, new: &Pin) -> Result<(), PinError> {
        let (turn, key) = self.present(old)?;
        set_pin(&mut self.card, &key, new)?;
        Ok(turn.replace(&self.card)?)
    }

    /// A fresh request (PKCS#10, PEM) for the key and the holder that are on the card.
    pub fn request(&mut self, pin: &Pin) -> Result<String, PinError> {
        let (_turn, key) = self.present(pin)?;
        Ok(key.request_pem(&self.card.holder_id)?)
    }

    /// Puts certificates, each in DER or PEM, on the card: they must be for its key, and from an
    /// authority that says it is simulated. Dates and trust are not judged here.
    pub fn install(&mut self, certificate: &[u8], ca: &[u8]) -> Result<(), CardError> {
        let holder = certificate::to_der(certificate, "the certificate")?;
        let ca = certificate::to_der(ca, "the CA certificate")?;
        certificate::check(&holder, &ca, &self.card.public_key)?;
        let mut turn = Locked::acquire(&self.path)?;
        let mut card = turn.read()?;
        card.certificates = Some(Certificates { holder, ca });
        turn.replace(&card)?;
        self.card = card;
        Ok(())
    }

    /// Gives back all tries: what the municipal office does with a blocked card. The PIN stays.
    pub fn unblock(&mut self) -> Result<(), CardError> {
        let mut turn = Locked::acquire(&self.path)?;
        let mut card = turn.read()?;
        card.tries_left = PIN_TRIES;
        turn.replace(&card)?;
        self.card = card;
        Ok(())
    }

    /// Takes a try, durably; looks at the PIN; gives the tries back, durably, if it was right.
    fn present(&mut self, pin: &Pin) -> Result<(Locked, CardKey), PinError> {
        let mut turn = Locked::acquire(&self.path)?;
        let mut card = turn.read()?;
        let Some(one_less) = card.tries_left.checked_sub(1) else { return Err(PinError::Blocked) };
        card.tries_left = one_less;
        turn = turn.replace_and_keep(&card)?;

        let keys = PinKeys::derive(pin, &card.salt(&self.path)?)?;
        if !keys.matches(&card.pin_verifier) {
            return Err(PinError::Wrong { tries_left: one_less });
        }
        card.tries_left = PIN_TRIES;
        turn = turn.replace_and_keep(&card)?;
        let key = keys.unwrap(&card.private_key)?.ok_or_else(|| damaged(&self.path, "private key"))?;
        if key.public_key_der()? != card.public_key {
            return Err(damaged(&self.path, "public key").into());
        }
        self.card = card;
        Ok((turn, key))
    }
}

impl fmt::Debug for CardFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardFile").field("path", &self.path).field("holder", &"***").finish_non_exhaustive()
    }
}

/// A card whose PIN was given: the only thing that can sign. Drop it to close the card again.
pub struct Unlocked<'card> {
    key: CardKey,
    card: PhantomData<&'card mut CardFile>,
}

impl Unlocked<'_> {
    /// RSASSA-PKCS1-v1_5 with SHA-256 over `message` (RFC 8017 §8.2), as the card's SIGN does with
    /// its DigestInfo.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_LEN], CardError> {
        self.key.sign(message)
    }
}

impl fmt::Debug for Unlocked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unlocked(***)")
    }
}

fn set_pin(card: &mut CardData, key: &CardKey, pin: &Pin) -> Result<(), CardError> {
    let salt = random("choosing a salt")?;
    let keys = PinKeys::derive(pin, &salt)?;
    card.private_key = keys.wrap(key)?;
    card.pin_verifier = keys.verifier().to_vec();
    card.pin_salt = salt.to_vec();
    Ok(())
}

fn check_holder_id(given: &str) -> Result<&str, CardError> {
    let fits = (8..=64).contains(&given.len()) && given.bytes().all(|b| b.is_ascii_alphanumeric());
    // Twelve digits would be a My Number: refused, whatever was meant.
    let my_number = given.len() == 12 && given.bytes().all(|b| b.is_ascii_digit());
    if fits && !my_number { Ok(given) } else { Err(CardError::HolderId) }
}

/// 24 characters, the length of the real one's: SIM and 21 hexadecimal digits.
fn random_holder_id() -> Result<String, CardError> {
    let bytes: [u8; 11] = random("choosing a holder id")?;
    let mut id = "SIM".to_owned();
    id.extend(bytes.iter().map(|byte| format!("{byte:02X}")));
    id.truncate(24);
    Ok(id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::*;

    fn pin(text: &str) -> Pin {
        Pin::parse(text).unwrap()
    }

    #[test]
    fn the_try_is_on_the_disk_before_the_pin_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("card.json");
        let (mut card, _) = CardFile::create(&path, None, &pin("1234")).unwrap();
        // With this salt the PIN cannot even be derived, so whatever the disk says was said before.
        let turn = Locked::acquire(&path).unwrap();
        let mut broken = card.card.clone();
        broken.pin_salt.pop();
        turn.replace(&broken).unwrap();

        let failed = card.verify_pin(&pin("1234")).unwrap_err();
        assert!(matches!(failed, PinError::Card(CardError::Damaged { what: "salt", .. })), "{failed}");
        assert_eq!(card.tries_left().unwrap(), PIN_TRIES - 1);
    }

    #[test]
    fn a_changed_private_key_is_damage_and_not_a_wrong_pin() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("card.json");
        let (mut card, _) = CardFile::create(&path, None, &pin("1234")).unwrap();
        for at in [0, 12, 600] {
            let mut broken = card.card.clone();
            *broken.private_key.get_mut(at).unwrap() ^= 1;
            Locked::acquire(&path).unwrap().replace(&broken).unwrap();
            let failed = card.verify_pin(&pin("1234")).unwrap_err();
            assert!(
                matches!(failed, PinError::Card(CardError::Damaged { what: "private key", .. })),
                "{failed}"
            );
            assert_eq!(card.tries_left().unwrap(), PIN_TRIES, "the PIN was right");
        }
    }

    #[test]
    fn holder_ids_are_opaque() {
        for good in ["00000001SIMCARD13000001A", "abcdefgh"] {
            assert!(check_holder_id(good).is_ok(), "{good}");
        }
        for bad in ["", "short", "山田花子山田花子", "Yamada Hanako", "123456789012", &"a".repeat(65)]
        {
            assert!(matches!(check_holder_id(bad), Err(CardError::HolderId)), "{bad}");
        }
        let made = random_holder_id().unwrap();
        assert!(made.len() == 24 && check_holder_id(&made).is_ok(), "{made}");
    }

    #[test]
    fn nothing_of_the_card_shows_in_debug() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("card.json");
        let (mut card, _) = CardFile::create(&path, Some("OPAQUE77HOLDER"), &pin("1234")).unwrap();
        let closed = format!("{card:?}");
        let open = format!("{:?}", card.verify_pin(&pin("1234")).unwrap());
        for shown in [closed, open] {
            assert!(shown.contains("***") && !shown.contains("OPAQUE77HOLDER"), "{shown}");
        }
    }
}
