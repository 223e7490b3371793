//! A small federation with fixed keys: `maebashi`, its city hall, a hospital and a school.

use hibiki_protocol::grant::{Basis, Grant};
use hibiki_protocol::ids::{Category, Digest, FederationId, GrantId, GuardianAlias, MemberId, QueryId};
use hibiki_protocol::query::{OpenedPart, Part, Query, Refusal, VerifiedQuery};
use hibiki_protocol::sealing::{Sealed, SealingSecret, Suite};
use hibiki_protocol::session::Purpose;
use hibiki_protocol::signing::{Signed, SigningKey};
use hibiki_protocol::time::{Day, Timestamp};
use hibiki_protocol::token::SealedToken;
use hibiki_protocol::trust::{
    Accepted, CardAuthority, Member, MemberKind, Role, Root, RootAnchor, SealingKey, SignedTrustList, TlsKey,
    TrustList,
};

/// 2026-11-22, in the afternoon.
pub(crate) const NOW: Timestamp = Timestamp(1_795_330_000_000);
pub(crate) const DAY_MILLIS: u64 = 24 * 3600 * 1000;

/// Seeds of the council's keys, and of everybody else's.
pub(crate) const ROOT: [u8; 3] = [0xc1, 0xc2, 0xc3];
pub(crate) const CITY: u8 = 0x10;
pub(crate) const HOSPITAL: u8 = 0x20;
pub(crate) const SCHOOL: u8 = 0x30;
/// The guardian's session key for the hospital, and the key its answer is sealed to.
pub(crate) const SESSION: u8 = 0x40;
pub(crate) const ANSWER: u8 = 0x41;

pub(crate) fn signing(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

pub(crate) fn sealing(seed: u8) -> SealingSecret {
    SealingSecret::from_bytes(&[seed; 32]).unwrap()
}

pub(crate) fn federation() -> FederationId {
    FederationId::new("maebashi").unwrap()
}

pub(crate) fn id(name: &str) -> MemberId {
    MemberId::new(&format!("maebashi/{name}")).unwrap()
}

pub(crate) fn category(name: &str) -> Category {
    Category::new(name).unwrap()
}

pub(crate) fn day(text: &str) -> Day {
    Day::new(text).unwrap()
}

/// Bytes in the shape of a sealed box; nothing opens them.
pub(crate) fn closed_box(byte: u8) -> Sealed {
    Sealed { suite: Suite::X25519ChaCha20, encapsulated: [byte; 32], ciphertext: vec![byte; 24] }
}

pub(crate) fn sealing_key(seed: u8) -> SealingKey {
    SealingKey {
        suite: Suite::X25519ChaCha20,
        public: sealing(seed).public(),
        not_before: Timestamp(NOW.0 - 30 * DAY_MILLIS),
        not_after: Timestamp(NOW.0 + 60 * DAY_MILLIS),
    }
}

pub(crate) fn city() -> Member {
    Member {
        id: id("city-hall"),
        kind: MemberKind::CityHall,
        name_ja: "前橋市役所".to_owned(),
        name_en: "Maebashi City Hall".to_owned(),
        roles: vec![Role::Gateway, Role::Registry],
        addresses: vec!["city.maebashi.example:4433".to_owned()],
        tls_key: TlsKey([0x11; 32]),
        tls_key_next: Some(TlsKey([0x12; 32])),
        signing_key: signing(CITY).verifying_key(),
        sealing_keys: vec![sealing_key(CITY)],
        ledger_key: signing(CITY + 1).verifying_key(),
        registry_area: Some("10201".to_owned()),
        witness_key: None,
    }
}

pub(crate) fn hospital() -> Member {
    Member {
        id: id("chuo-hospital"),
        kind: MemberKind::Hospital,
        name_ja: "中央病院".to_owned(),
        name_en: "Chuo Hospital".to_owned(),
        roles: vec![Role::Responder],
        addresses: Vec::new(),
        tls_key: TlsKey([0x21; 32]),
        tls_key_next: None,
        signing_key: signing(HOSPITAL).verifying_key(),
        sealing_keys: vec![sealing_key(HOSPITAL)],
        ledger_key: signing(HOSPITAL + 1).verifying_key(),
        registry_area: None,
        witness_key: None,
    }
}

pub(crate) fn school() -> Member {
    Member {
        id: id("dai-ichi-school"),
        kind: MemberKind::School,
        name_ja: "第一小学校".to_owned(),
        name_en: "First School".to_owned(),
        roles: vec![Role::Responder],
        addresses: vec!["192.0.2.7:4433".to_owned(), "[2001:db8::7]:4433".to_owned()],
        tls_key: TlsKey([0x31; 32]),
        tls_key_next: None,
        signing_key: signing(SCHOOL).verifying_key(),
        sealing_keys: vec![sealing_key(SCHOOL)],
        ledger_key: signing(SCHOOL + 1).verifying_key(),
        registry_area: None,
        witness_key: None,
    }
}

pub(crate) fn root() -> Root {
    Root {
        keys: ROOT.iter().map(|seed| signing(*seed).verifying_key()).collect(),
        threshold: 2,
        removal_threshold: 1,
    }
}

pub(crate) fn anchor() -> RootAnchor {
    RootAnchor { federation: federation(), root: root() }
}

pub(crate) fn list() -> TrustList {
    TrustList {
        version: 1,
        federation: federation(),
        epoch: 7,
        previous: Digest([6; 32]),
        issued: Timestamp(NOW.0 - DAY_MILLIS),
        expires: Timestamp(NOW.0 + 29 * DAY_MILLIS),
        root: root(),
        members: vec![city(), hospital(), school()],
        card_authorities: vec![CardAuthority {
            name: "模擬認証局".to_owned(),
            certificate: vec![0x30, 0x03, 0x02, 0x01, 0x05],
            policy: "1.2.392.200149.8.5.1.1.30".to_owned(),
            simulated: true,
        }],
    }
}

pub(crate) fn signed(list: &TrustList, seeds: &[u8]) -> SignedTrustList {
    let mut signed = SignedTrustList::unsigned(list);
    seeds.iter().for_each(|seed| signed.sign(&signing(*seed)));
    signed
}

pub(crate) fn accepted() -> Accepted {
    Accepted::first(&anchor(), &signed(&list(), &ROOT[..2])).unwrap()
}

pub(crate) fn grant() -> Grant {
    Grant {
        version: 1,
        id: GrantId([0x51; 16]),
        registry: id("city-hall"),
        audience: id("chuo-hospital"),
        session_key: signing(SESSION).verifying_key(),
        guardian: GuardianAlias([0x52; 16]),
        token_key: sealing(HOSPITAL).public().id(),
        token: SealedToken(closed_box(0x53)),
        basis: Basis::ParentalJoint,
        categories: vec![category("immunization"), category("checkup")],
        issued: NOW,
        expires: Timestamp(NOW.0 + 600_000),
        evidence: Digest([0x54; 32]),
        epoch: 7,
        simulated: true,
    }
}

pub(crate) fn query() -> Query {
    Query {
        version: 1,
        id: QueryId([0x61; 16]),
        audience: id("chuo-hospital"),
        grant: Signed::sign(&grant(), &signing(CITY)),
        purpose: Purpose::FamilyRequest,
        categories: vec![category("immunization")],
        since: Some(day("2020-04-01")),
        answer_key: sealing(ANSWER).public(),
        issued: NOW,
        expires: Timestamp(NOW.0 + 60_000),
        epoch: 7,
        list_digest: accepted().digest(),
        act: None,
    }
}

/// The query under another grant.
pub(crate) fn query_under(grant: &Grant) -> Query {
    Query { grant: Signed::sign(grant, &signing(CITY)), ..query() }
}

/// Sealed by the session key to the hospital, and opened there.
pub(crate) fn opened(query: &Query) -> OpenedPart {
    let (part, _) = Part::seal(query, &signing(SESSION), &sealing_key(HOSPITAL)).unwrap();
    part.open(&id("chuo-hospital"), &sealing(HOSPITAL)).unwrap()
}

/// What the hospital says about a query under the list in force, at [`NOW`].
pub(crate) fn verify(query: &Query) -> Result<VerifiedQuery, Refusal> {
    let accepted = accepted();
    opened(query).verify(&id("chuo-hospital"), None, accepted.list(), &accepted.digest(), NOW)
}
