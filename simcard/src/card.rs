//! The card as its holder meets it: a certificate for anybody, signatures behind the PIN.

use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use crate::SIGNATURE_LEN;
use crate::certificate::{self, CertificateInfo};
use crate::create::set_pin;
use crate::data::{CardData, Certificates, KeyData};
use crate::error::{CardError, PinError};
use crate::file::{self, Locked, damaged};
use crate::key::{CardKey, PinKeys};
use crate::pin::Pin;
use crate::slot::KeySlot;

/// A simulated card in a file. It may be used from several processes at once.
pub struct CardFile {
    path: PathBuf,
    card: CardData,
}

impl CardFile {
    pub(crate) fn new(path: &Path, card: CardData) -> Self {
        Self { path: path.to_owned(), card }
    }

    /// Opens a card file that only its owner can read.
    ///
    /// # Errors
    /// It is no card, damaged, of an earlier version, or open to other users.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CardError> {
        let path = path.as_ref();
        Ok(Self { path: path.to_owned(), card: file::read(path)? })
    }

    /// Where the card lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The opaque identifier in the certificates' subject.
    pub fn holder_id(&self) -> &str {
        &self.card.holder_id
    }

    /// Whether the card has this key. The authentication key is always there.
    pub fn has(&self, slot: KeySlot) -> bool {
        self.card.key(slot).is_some()
    }

    /// The user-authentication certificate, DER. Like the real one, readable without a PIN.
    ///
    /// # Errors
    /// None was installed.
    pub fn certificate_der(&self) -> Result<&[u8], CardError> {
        self.certificate_der_of(KeySlot::Authentication)
    }

    /// The certificate of the authority that issued it, DER.
    ///
    /// # Errors
    /// None was installed.
    pub fn ca_certificate_der(&self) -> Result<&[u8], CardError> {
        self.ca_certificate_der_of(KeySlot::Authentication)
    }

    /// What the user-authentication certificate says about itself.
    ///
    /// # Errors
    /// None was installed.
    pub fn certificate_info(&self) -> Result<CertificateInfo, CardError> {
        self.certificate_info_of(KeySlot::Authentication)
    }

    /// A key's certificate, DER. The real card shows the signature certificate after its password
    /// only; so does the applet, but whoever has the file has it.
    ///
    /// # Errors
    /// The card lacks the key, or no certificate was installed.
    pub fn certificate_der_of(&self, slot: KeySlot) -> Result<&[u8], CardError> {
        self.certificates(slot).map(|held| held.holder.as_slice())
    }

    /// The certificate of the authority that issued it, DER.
    ///
    /// # Errors
    /// The card lacks the key, or no certificate was installed.
    pub fn ca_certificate_der_of(&self, slot: KeySlot) -> Result<&[u8], CardError> {
        self.certificates(slot).map(|held| held.ca.as_slice())
    }

    /// What a key's certificate says about itself.
    ///
    /// # Errors
    /// The card lacks the key, or no certificate was installed.
    pub fn certificate_info_of(&self, slot: KeySlot) -> Result<CertificateInfo, CardError> {
        Ok(CertificateInfo::read(self.certificate_der_of(slot)?)?)
    }

    fn certificates(&self, slot: KeySlot) -> Result<&Certificates, CardError> {
        let key = key_of(&self.card, slot, &self.path)?;
        key.certificates.as_ref().ok_or_else(|| CardError::NoCertificate { path: self.path.clone() })
    }

    /// Wrong PINs the authentication key still forgives, as the disk says now. Costs no try.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn tries_left(&self) -> Result<u8, CardError> {
        self.tries_left_of(KeySlot::Authentication)
    }

    /// Wrong PINs a key still forgives, as the disk says now. Costs no try.
    ///
    /// # Errors
    /// The file cannot be read, or the card lacks the key.
    pub fn tries_left_of(&self, slot: KeySlot) -> Result<u8, CardError> {
        Ok(key_of(&file::read(&self.path)?, slot, &self.path)?.tries_left)
    }

    /// Presents a PIN to the key it is for. The try is taken, on the disk, before the PIN is looked
    /// at, and given back only when it was right.
    ///
    /// # Errors
    /// The PIN is wrong or blocked, or the card fails.
    pub fn verify_pin(&mut self, pin: &Pin) -> Result<Unlocked<'_>, PinError> {
        let (_turn, key) = self.present(pin)?;
        Ok(Unlocked { key, card: PhantomData })
    }

    /// Replaces a key's PIN by another. Both must be for the same key.
    ///
    /// # Errors
    /// The old PIN is wrong or blocked, or the card fails.
    pub fn change_pin(&mut self, old: &Pin, new: &Pin) -> Result<(), PinError> {
        if old.slot() != new.slot() {
            return Err(PinError::Malformed);
        }
        let (turn, key) = self.present(old)?;
        set_pin(self.card.key_mut(new.slot(), &self.path)?, &key, new)?;
        Ok(turn.replace(&self.card)?)
    }

    /// A fresh request (PKCS#10, PEM) for the key that the PIN is for.
    ///
    /// # Errors
    /// The PIN is wrong or blocked, or the card fails.
    pub fn request(&mut self, pin: &Pin) -> Result<String, PinError> {
        let (_turn, key) = self.present(pin)?;
        Ok(key.request_pem(&self.card.holder_id)?)
    }

    /// Puts certificates for the authentication key, each in DER or PEM, on the card: they must be
    /// for its key, and from an authority that says it is simulated. Dates and trust are not judged
    /// here.
    ///
    /// # Errors
    /// They do not belong on this card, or the file cannot be written.
    pub fn install(&mut self, certificate: &[u8], ca: &[u8]) -> Result<(), CardError> {
        self.install_for(KeySlot::Authentication, certificate, ca)
    }

    /// Puts certificates for a key on the card: see [`Self::install`].
    ///
    /// # Errors
    /// They do not belong to this key, the card lacks it, or the file cannot be written.
    pub fn install_for(&mut self, slot: KeySlot, certificate: &[u8], ca: &[u8]) -> Result<(), CardError> {
        let holder = certificate::to_der(certificate, "the certificate")?;
        let ca = certificate::to_der(ca, "the CA certificate")?;
        self.edit(slot, |key| {
            certificate::check(&holder, &ca, &key.public_key)?;
            key.certificates = Some(Certificates { holder, ca });
            Ok(())
        })
    }

    /// Gives the authentication key all its tries back: what the municipal office does with a
    /// blocked card. The PIN stays.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn unblock(&mut self) -> Result<(), CardError> {
        self.unblock_key(KeySlot::Authentication)
    }

    /// Gives a key all its tries back. The PIN stays.
    ///
    /// # Errors
    /// The card lacks the key, or the file cannot be written.
    pub fn unblock_key(&mut self, slot: KeySlot) -> Result<(), CardError> {
        self.edit(slot, |key| {
            key.tries_left = slot.tries();
            Ok(())
        })
    }

    /// Reads the card in its turn, changes one key's data, and writes it.
    fn edit(
        &mut self,
        slot: KeySlot,
        change: impl FnOnce(&mut KeyData) -> Result<(), CardError>,
    ) -> Result<(), CardError> {
        let mut turn = Locked::acquire(&self.path)?;
        let mut card = turn.read()?;
        change(card.key_mut(slot, &self.path)?)?;
        turn.replace(&card)?;
        self.card = card;
        Ok(())
    }

    /// Takes a try, durably; looks at the PIN; gives the tries back, durably, if it was right.
    fn present(&mut self, pin: &Pin) -> Result<(Locked, CardKey), PinError> {
        let slot = pin.slot();
        let mut turn = Locked::acquire(&self.path)?;
        let mut card = turn.read()?;
        let held = card.key_mut(slot, &self.path)?;
        let Some(one_less) = held.tries_left.checked_sub(1) else { return Err(PinError::Blocked) };
        held.tries_left = one_less;
        turn = turn.replace_and_keep(&card)?;

        let held = card.key_mut(slot, &self.path)?;
        let keys = PinKeys::derive(pin, &held.salt(&self.path)?)?;
        if !keys.matches(&held.pin_verifier) {
            return Err(PinError::Wrong { tries_left: one_less });
        }
        held.tries_left = slot.tries();
        let key = keys.unwrap(&held.private_key)?;
        let public_key = held.public_key.clone();
        turn = turn.replace_and_keep(&card)?;
        let key = key.ok_or_else(|| damaged(&self.path, "private key"))?;
        if key.public_key_der()? != public_key {
            return Err(damaged(&self.path, "public key").into());
        }
        self.card = card;
        Ok((turn, key))
    }
}

/// What the applet needs beyond what a holder needs.
#[cfg(feature = "reader")]
impl CardFile {
    /// Presents a PIN and hands out the key itself, which then outlives this call.
    pub(crate) fn unlock(&mut self, pin: &Pin) -> Result<CardKey, PinError> {
        self.present(pin).map(|(_turn, key)| key)
    }

    /// Replaces the PIN of a key that an earlier [`Self::unlock`] gave, as CHANGE REFERENCE DATA does.
    pub(crate) fn replace_pin(&mut self, key: &CardKey, new: &Pin) -> Result<(), CardError> {
        let path = self.path.clone();
        self.edit(new.slot(), |held| {
            if key.public_key_der()? != held.public_key {
                return Err(damaged(&path, "public key"));
            }
            set_pin(held, key, new)
        })
    }

    /// Reads the file again: another process may have installed certificates.
    pub(crate) fn refresh(&mut self) -> Result<(), CardError> {
        self.card = file::read(&self.path)?;
        Ok(())
    }
}

fn key_of<'card>(card: &'card CardData, slot: KeySlot, path: &Path) -> Result<&'card KeyData, CardError> {
    card.key(slot).ok_or_else(|| CardError::NoSignatureKey { path: path.to_owned() })
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::*;
    use crate::PIN_TRIES;

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
        broken.key_mut(KeySlot::Authentication, &path).unwrap().pin_salt.pop();
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
            let held = broken.key_mut(KeySlot::Authentication, &path).unwrap();
            *held.private_key.get_mut(at).unwrap() ^= 1;
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
