//! The council's office: the federation's root, the trust lists, the simulated card authority.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hibiki_certs::card_authority::{CardAuthority, Reason, Usage};
use hibiki_certs::council::{CouncilFolder, Decision, VALID_DAYS_DEFAULT, read_root_key};
use hibiki_protocol::cbor;
use hibiki_protocol::ids::{FederationId, MemberId};
use hibiki_protocol::signing::{Signed, SigningKey};
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{MemberRequest, SignedTrustList};
use hibiki_simcard::{CardFile, Pin};

use super::cards::{CARD_DAYS, Card, PIN, Touch};
use super::{TownError, make_folder};
use crate::clock;
use crate::house::House;

/// Tells the office's time.
pub type OfficeClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The office.
pub struct Council {
    folder: CouncilFolder,
    key: SigningKey,
    cards: CardAuthority,
    clock: OfficeClock,
}

impl Council {
    /// Opens an office in a folder where none is: root key, card authority.
    pub(super) fn found(path: &Path) -> Result<Self, TownError> {
        make_folder(path)?;
        let cards = CardAuthority::init(&path.join("card-ca"), "Simulated card authority", clock::now())?;
        Self::found_by(path, "maebashi", cards, Arc::new(clock::now))
    }

    /// The same of a federation of this name, with an authority that is there already, by another clock.
    pub(crate) fn found_by(
        path: &Path,
        name: &str,
        cards: CardAuthority,
        clock: OfficeClock,
    ) -> Result<Self, TownError> {
        make_folder(path)?;
        let name = FederationId::new(name).ok_or_else(|| TownError::NoProgram(path.to_owned()))?;
        let mut folder = CouncilFolder::create(path, name, 1, 1, 1)?;
        let key = read_root_key(&path.join("root-1.key"))?;
        folder.edit(|council| council.accept_card_certificate(cards.certificate_der(), None, None))?;
        Ok(Self { folder, key, cards, clock })
    }

    /// Puts a node's request into the draft.
    ///
    /// # Errors
    /// The request is not in order.
    pub fn enrol(&mut self, request: &Path) -> Result<(), TownError> {
        let bytes = fs::read(request).map_err(|source| TownError::file(request, source))?;
        let signed: Signed<MemberRequest> = cbor::decode(&bytes).map_err(|_| TownError::Answer {
            command: "hibiki-node request".into(),
            output: "no request".into(),
        })?;
        let now = (self.clock)();
        self.folder.edit(|council| council.enrol(&signed, &Decision::ANYTHING, now))?;
        Ok(())
    }

    /// Takes a member out of the draft.
    ///
    /// # Errors
    /// It is not a member.
    pub fn remove(&mut self, member: &MemberId) -> Result<(), TownError> {
        self.folder.edit(|council| council.remove(member))?;
        Ok(())
    }

    /// Changes a member's English name in the draft: the least a new list can change.
    ///
    /// # Errors
    /// It is not a member.
    pub fn rename(&mut self, member: &MemberId, english: &str) -> Result<(), TownError> {
        self.folder.edit(|council| council.rename(member, None, Some(english)))?;
        Ok(())
    }

    /// Signs the draft and publishes it into `out`.
    ///
    /// # Errors
    /// The draft contradicts itself.
    pub fn publish(&mut self, out: &Path) -> Result<(), TownError> {
        let now = (self.clock)();
        self.folder.sign(&self.key, VALID_DAYS_DEFAULT, now)?;
        let list = self.folder.publish(now)?;
        fs::write(out, cbor::encode(&list)).map_err(|source| TownError::file(out, source))
    }

    /// The epoch of the list in force; 0 before the first.
    pub fn epoch(&self) -> u64 {
        self.folder.council().in_force().map_or(0, |accepted| accepted.list().epoch)
    }

    /// A second list of the epoch to come, signed by the very root: what a thief of the key would make. It is
    /// not published here.
    ///
    /// # Errors
    /// The draft contradicts itself.
    pub fn forge_rival(&mut self, house: House, out: &Path) -> Result<(), TownError> {
        let mut rival = self.folder.council().clone();
        rival.rename(&house.member(), None, Some("Rival"))?;
        let mut list: SignedTrustList = rival.propose(VALID_DAYS_DEFAULT, (self.clock)())?;
        rival.sign(&mut list, &self.key)?;
        fs::write(out, cbor::encode(&list)).map_err(|source| TownError::file(out, source))
    }

    /// Makes a card with the town's PIN and a certificate for the usual time.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn issue_card(&mut self, folder: &Path, number: usize) -> Result<Card, TownError> {
        self.issue_card_for(folder, &number.to_string(), CARD_DAYS, (self.clock)())
    }

    /// Makes a card whose certificate is valid for `days` from `from`.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn issue_card_for(
        &mut self,
        folder: &Path,
        name: &str,
        days: u64,
        from: Timestamp,
    ) -> Result<Card, TownError> {
        issue_for(&mut self.cards, Usage::Authentication, folder, name, days, from)
    }

    /// Revokes a card; it counts with the next revocation list.
    ///
    /// # Errors
    /// It was not issued here.
    pub fn revoke(&mut self, card: &Card) -> Result<(), TownError> {
        self.cards.revoke(&card.serial, Reason::KeyCompromise, (self.clock)())?;
        Ok(())
    }

    /// Suspends a card (一時停止); it counts with the next revocation list.
    ///
    /// # Errors
    /// It was not issued here, or is revoked.
    pub fn suspend(&mut self, card: &Card) -> Result<(), TownError> {
        self.cards.suspend(&card.serial, (self.clock)())?;
        Ok(())
    }

    /// Ends a suspension; it counts with the next revocation list.
    ///
    /// # Errors
    /// It was not issued here, or is revoked.
    pub fn resume(&mut self, card: &Card) -> Result<(), TownError> {
        self.cards.resume(&card.serial)?;
        Ok(())
    }

    /// Writes a revocation list, to be renewed within `hours`.
    pub(crate) fn write_revocations(&mut self, out: &Path, hours: u64) -> Result<(), TownError> {
        let list = self.cards.crl(hours, (self.clock)())?;
        fs::write(out, list).map_err(|source| TownError::file(out, source))
    }

    /// A card on whose authentication key a signature certificate (署名用) was put: the right authority, the
    /// wrong use.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn card_with_signature_certificate(&mut self, folder: &Path) -> Result<Card, TownError> {
        issue_for(&mut self.cards, Usage::Signature, folder, "signature", CARD_DAYS, (self.clock)())
    }

    /// A card of an authority this federation has never heard of.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn foreign_card(&self, folder: &Path) -> Result<Card, TownError> {
        make_folder(folder)?;
        let mut stranger =
            CardAuthority::init(&folder.join("foreign-ca"), "Another authority", (self.clock)())?;
        issue_for(&mut stranger, Usage::Authentication, folder, "foreign", CARD_DAYS, (self.clock)())
    }
}

fn issue_for(
    authority: &mut CardAuthority,
    usage: Usage,
    folder: &Path,
    name: &str,
    days: u64,
    from: Timestamp,
) -> Result<Card, TownError> {
    make_folder(folder)?;
    let file: PathBuf = folder.join(format!("{name}.json"));
    let (mut card, request) = CardFile::create(&file, None, &Pin::parse(PIN)?)?;
    let issued = authority.issue_for(usage, request.as_bytes(), days, from)?;
    card.install(&issued.der, authority.certificate_der())?;
    let certificate = folder.join(format!("{name}.crt"));
    fs::write(&certificate, &issued.pem).map_err(|source| TownError::file(&certificate, source))?;
    let pin_file = folder.join("pin");
    fs::write(&pin_file, PIN).map_err(|source| TownError::file(&pin_file, source))?;
    Ok(Card { file, pin_file, certificate, serial: issued.serial, touch: Touch::File })
}
