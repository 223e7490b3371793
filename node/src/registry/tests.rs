//! The counter and the gateway's question, with real cards.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod asking;
mod attesting;
mod counter;
mod holding;

use std::sync::Arc;

use hibiki_protocol::cbor;
use hibiki_protocol::frames::SessionOpened;
use hibiki_protocol::grant::Basis;
use hibiki_protocol::ids::{Digest, MemberId};
use hibiki_protocol::sealing::SealingSecret;
use hibiki_protocol::session::{
    Attestation, AudienceSessionKey, Binding, BoundStatement, OpenSession, Purpose, SessionRefusal,
    SessionStatement, card_message, session_keys_root,
};
use hibiki_protocol::signing::SigningKey;
use hibiki_protocol::time::{Day, Timestamp};
use zeroize::Zeroizing;

use super::card::revocation::{GRACE_MILLIS, RevocationFolder};
use super::card::samples::{Office, Plastic};
use super::guardianship::{Guardianship, Proposal};
use super::resident::{Resident, ResidentNumber};
use super::{Registry, Setup};
use crate::institution::town::{NOW, Town, id};
use crate::services;

/// A town with a registry, a card authority and one guardian with a card.
pub(super) struct World {
    pub(super) town: Town,
    pub(super) office: Office,
    pub(super) registry: Arc<Registry>,
    pub(super) mother: Plastic,
}

pub(super) fn number(text: &str) -> ResidentNumber {
    ResidentNumber::new(text).unwrap()
}

pub(super) fn day(text: &str) -> Day {
    Day::new(text).unwrap()
}

pub(super) fn resident(number: &str, name: &str, kana: &str, birth: &str, sex: &str) -> Resident {
    Resident::read(number, name, kana, birth, sex).unwrap()
}

pub(super) fn proposal(basis: Basis) -> Proposal {
    Proposal { basis, from: day("2020-01-01"), until: None, document: Some("戸籍 123".into()) }
}

impl World {
    /// Mother (M), father (F), daughter (D, 8 years), son (S, turns 18 on 2026-11-25); M has a card.
    pub(super) async fn new() -> Self {
        let mut office = Office::new("Simulated authority");
        let town = Town::new(vec![office.entry()]);
        let setup = Setup {
            master: Zeroizing::new([9; 32]),
            revocations: Arc::new(RevocationFolder::new(office.lists(), GRACE_MILLIS)),
            grace_millis: 0,
        };
        let registry = Arc::new(Registry::new(town.means("city-hall"), setup));
        for person in [
            resident("M", "前橋 花子", "マエバシ ハナコ", "1990-04-01", "2"),
            resident("F", "前橋 太郎", "マエバシ タロウ", "1989-04-01", "1"),
            resident("D", "前橋 さくら", "マエバシ サクラ", "2018-04-02", "2"),
            resident("S", "前橋 一郎", "マエバシ イチロウ", "2008-11-25", "1"),
        ] {
            registry.enter(&person, "Sato").await.unwrap();
        }
        let mother = office.card("mother", 365, Timestamp(NOW));
        registry.enrol_card(&number("M"), &mother.certificate, "Sato").await.unwrap();
        Self { town, office, registry, mother }
    }

    /// An approved guardianship.
    pub(super) async fn guardian(&self, guardian: &str, child: &str) -> Guardianship {
        let entered = self
            .registry
            .enter_guardianship(&number(guardian), &number(child), proposal(Basis::ParentalSole), "Sato")
            .await
            .unwrap();
        self.registry.approve_guardianship(&entered.id, "Tanaka").await.unwrap()
    }

    /// The attestation, opened and verified as the terminal does.
    pub(super) async fn attest(&mut self) -> Result<Attestation, SessionRefusal> {
        let request = Request::new(&self.town, &mut self.mother);
        let opened = request.ask(&self.registry).await?;
        Ok(request.open_answer(&self.town, &opened))
    }

    /// Basis and birth date of everybody the card may act for: names are nobody's business here.
    pub(super) async fn may_act_for(&mut self) -> Vec<(String, usize)> {
        let attestation = self.attest().await.unwrap();
        let subject = |subject: &hibiki_protocol::session::AttestedSubject| {
            (subject.birth_date.as_str().to_owned(), subject.grants.len())
        };
        attestation.subjects.iter().map(subject).collect()
    }
}

/// A terminal's request, with every secret it keeps.
pub(super) struct Request {
    pub(super) open: OpenSession,
    pub(super) statement: SessionStatement,
    pub(super) keys: Vec<(MemberId, SigningKey)>,
    reply: SealingSecret,
}

impl Request {
    pub(super) fn new(town: &Town, card: &mut Plastic) -> Self {
        let names = ["city-hall", "clinic", "school", "observer", "nobody"];
        let keys: Vec<(MemberId, SigningKey)> = names
            .iter()
            .zip(10_u8..)
            .map(|(name, seed)| (id(name), SigningKey::from_seed(&[seed; 32])))
            .collect();
        let session_keys: Vec<AudienceSessionKey> = keys
            .iter()
            .map(|(audience, key)| AudienceSessionKey {
                audience: audience.clone(),
                key: key.verifying_key(),
            })
            .collect();
        let reply = SealingSecret::generate();
        let trust = town.trust();
        let now = Timestamp(crate::env::Clock::now(&town.clock));
        let statement = SessionStatement {
            version: 1,
            federation: trust.list().federation.clone(),
            gateway: id("city-hall"),
            epoch: trust.list().epoch,
            list_digest: trust.digest(),
            challenge: [3; 32],
            exporter: [4; 32],
            session_keys_root: session_keys_root(&session_keys),
            purpose: Purpose::FamilyRequest,
            reply_key: reply.public(),
            issued: now,
            not_after: now.plus(600_000),
        };
        let bytes = cbor::encode(&statement);
        let open = OpenSession {
            card_signature: card.sign(&card_message(&bytes)),
            statement: bytes,
            certificate: card.certificate.clone(),
            keys: session_keys,
        };
        Self { open, statement, keys, reply }
    }

    /// As the gateway bound it.
    pub(super) fn bound(&self) -> BoundStatement {
        let statement = &self.statement;
        let binding = Binding {
            federation: &statement.federation,
            gateway: &statement.gateway,
            epoch: statement.epoch,
            list_digest: statement.list_digest,
            challenge: statement.challenge,
            exporter: statement.exporter,
        };
        self.open.bind(&binding, statement.issued).unwrap()
    }

    pub(super) async fn ask(&self, registry: &Registry) -> Result<SessionOpened, SessionRefusal> {
        services::Registry::attest(registry, &id("city-hall"), &self.open, &self.bound()).await
    }

    pub(super) fn open_answer(&self, town: &Town, opened: &SessionOpened) -> Attestation {
        let digest = Digest::of(&[&self.open.statement]);
        let signed = opened.attestation.open(&digest, &self.reply).unwrap();
        let trust = town.trust();
        let attestation = signed.verify(&trust.list().member(&id("city-hall")).unwrap().signing_key).unwrap();
        assert_eq!(attestation.statement, digest);
        attestation
    }
}
