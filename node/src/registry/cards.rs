//! Which card is whose: enrolled at the counter, one per resident; a new one replaces the old.
//!
//! Kept is the digest of the card's public key, keyed once more, never a serial number.
//!
//! ```text
//! c ‖ card's index        whose card it is, sealed
//! r ‖ resident's index    the resident's present card, sealed
//! ```

use hibiki_protocol::ids::Digest;
use serde::{Deserialize, Serialize};

use super::Registry;
use super::card::CardCertificate;
use super::card::revocation::Installed;
use super::error::RegistryError;
use super::guardianship::Act;
use super::resident::ResidentNumber;
use super::residents::Stored;
use crate::store::Keyspace;
use crate::vault::Index;
use crate::vault::form::{Form, Part, sealed};

const TABLE: Keyspace = Keyspace::Cards;

/// The forms of its rows.
pub(super) const FORMS: &[Form] = &[
    sealed::<Enrolment>("card", TABLE, b"c", &[Part::Digest]),
    sealed::<Present>("present card", TABLE, b"r", &[Part::Of(Keyspace::Residents, b"", 16)]),
];

#[derive(Serialize, Deserialize)]
struct Enrolment {
    resident: ResidentNumber,
    enrolled: Act,
}

#[derive(Serialize, Deserialize)]
struct Present {
    card: Index,
}

impl Registry {
    /// Enrols the card with this certificate (DER) as the resident's; whatever card he had before no longer
    /// opens anything. The certificate must be acceptable now. Returns whether a card was replaced.
    ///
    /// # Errors
    /// The certificate is not acceptable, the card is somebody else's, or it could not be logged or stored.
    pub async fn enrol_card(
        &self,
        number: &ResidentNumber,
        certificate: &[u8],
        staff: &str,
    ) -> Result<bool, RegistryError> {
        let _turn = self.turn.lock().await;
        let resident = self.known(number, "resident")?;
        let trust = (self.means.trust)();
        let card =
            CardCertificate::verify(certificate, &trust.list().card_authorities, self.means.now())?.key();
        let index = self.card_index(&card);
        let vault = &self.means.vault;
        let present_key = [b"r", resident.key()].concat();
        let present = vault.get::<Present>(TABLE, &present_key)?;
        let owner = vault.get::<Enrolment>(TABLE, &[b"c", index.as_slice()].concat())?;
        if owner.is_some_and(|owner| owner.value.resident != *number) {
            return Err(RegistryError::State(
                "this card is enrolled for another resident; remove it there first / 別の住民のカードです",
            ));
        }
        let replaces = present.as_ref().is_some_and(|present| present.value.card != index);
        let action = if replaces { "card enrolled in place of another" } else { "card enrolled" };
        self.record(Some(resident.sealed_by), staff, action).await?;
        let mut change = vault.change();
        if let Some(old) = present {
            change.delete(TABLE, &[b"c", old.value.card.as_slice()].concat());
        }
        let enrolment = Enrolment { resident: number.clone(), enrolled: Act::new(staff, self.means.now()) };
        change.put(TABLE, &[b"c", index.as_slice()].concat(), &enrolment)?;
        change.put(TABLE, &present_key, &Present { card: index })?;
        change.commit().await?;
        Ok(replaces)
    }

    /// Removes the resident's card: it opens nothing from now on.
    ///
    /// # Errors
    /// He has none, or it could not be logged or stored.
    pub async fn remove_card(&self, number: &ResidentNumber, staff: &str) -> Result<(), RegistryError> {
        let _turn = self.turn.lock().await;
        let resident = self.known(number, "resident")?;
        let present_key = [b"r", resident.key()].concat();
        let present = self.means.vault.get::<Present>(TABLE, &present_key)?;
        let present = present.ok_or(RegistryError::State(
            "no card is enrolled for this resident / カードは登録されていません",
        ))?;
        self.record_protection(Some(resident.sealed_by), staff, "card removed").await?;
        let mut change = self.means.vault.change();
        change.delete(TABLE, &[b"c", present.value.card.as_slice()].concat());
        change.delete(TABLE, &present_key);
        change.urgent();
        change.commit().await?;
        Ok(())
    }

    /// Takes a card authority's revocation list that an operator hands over.
    ///
    /// # Errors
    /// It is not acceptable, or it could not be logged or kept.
    pub async fn install_revocations(&self, list: Vec<u8>, staff: &str) -> Result<Installed, RegistryError> {
        self.record_protection(None, staff, "revocation list installed").await?;
        let trust = (self.means.trust)();
        let authorities = &trust.list().card_authorities;
        Ok(self.setup.revocations.install(list, authorities, self.means.now())?)
    }

    /// Whether a card is enrolled for the resident.
    ///
    /// # Errors
    /// The table cannot be read.
    pub(super) fn has_card(&self, resident: &Stored) -> Result<bool, RegistryError> {
        Ok(self.means.vault.contains(TABLE, &[b"r", resident.key()].concat())?)
    }

    /// Whose card it is.
    pub(super) fn card_holder(&self, card: &Digest) -> Result<Option<Stored>, RegistryError> {
        let key = [b"c", self.card_index(card).as_slice()].concat();
        match self.means.vault.get::<Enrolment>(TABLE, &key)? {
            Some(enrolment) => self.resident(&enrolment.value.resident),
            None => Ok(None),
        }
    }

    fn card_index(&self, card: &Digest) -> Index {
        self.means.vault.index("card", &card.0)
    }
}
