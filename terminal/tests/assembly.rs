//! The terminal against a gateway that answers, lies, stays silent and vanishes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hibiki_protocol::act::Reach;
use hibiki_protocol::answer::{Answer, Receipt, Record, SealedAnswer};
use hibiki_protocol::cbor;
use hibiki_protocol::frames::{
    Challenge, PartAnswered, PartObserved, Reply, Request, SessionClosed, SessionEndsKept, SessionOpened,
    TrustLists, ViewEnd, Welcome,
};
use hibiki_protocol::grant::{Basis, Grant};
use hibiki_protocol::ids::{Category, Digest, FederationId, GrantId, MemberId};
use hibiki_protocol::limits;
use hibiki_protocol::outcome::{Observation, Outcome};
use hibiki_protocol::query::Part;
use hibiki_protocol::sealing::{SealingSecret, Suite};
use hibiki_protocol::session::{
    Attestation, AttestedSubject, OpenSession, Relation, SealedAttestation, SessionStatement,
};
use hibiki_protocol::signing::{Signed, SigningKey};
use hibiki_protocol::time::{Day, Timestamp};
use hibiki_protocol::token::{AudienceKey, IdentityFacts};
use hibiki_protocol::trust::{
    Member, MemberKind, Role, Root, RootAnchor, SealingKey, SignedTrustList, TlsKey, TrustList,
};
use hibiki_terminal::card::{Awaiting, Card, CardFault, Inspection, Pin, Proof};
use hibiki_terminal::connection::Connection;
use hibiki_terminal::consent::{self, Choice};
use hibiki_terminal::federation::Federation;
use hibiki_terminal::history;
use hibiki_terminal::question::Wish;
use hibiki_terminal::round::Standing;
use hibiki_terminal::session::{Closed, Session};
use hibiki_terminal::trouble::Trouble;
use hibiki_terminal::view::{View, assemble};
use hibiki_terminal::{clock, json, words};
use hibiki_transport::{Admission, Endpoint, Exchange, Identity, Limits, Link, PeerKey, StdSystemTime};

const INSTITUTIONS: [&str; 3] = ["maebashi/clinic", "maebashi/hospital", "maebashi/school"];

fn id(name: &str) -> MemberId {
    MemberId::new(name).unwrap()
}

/// What the gateway does about one institution's part.
#[derive(Clone, Copy, PartialEq)]
enum Play {
    Data,
    Nothing,
    /// An answer signed by somebody else.
    Forged,
    /// Another institution's answer.
    Swapped,
    /// A damaged answer.
    Damaged,
    /// The gateway's signed observation.
    Observed(Outcome),
    /// An observation signed by somebody else.
    FalselyObserved,
    /// No word at all, though the view ends.
    Silence,
    /// The connection is closed in the middle of the view.
    Vanish,
}

/// Keys of one institution.
struct Institution {
    signing: SigningKey,
    sealing: SealingSecret,
}

struct Town {
    list: TrustList,
    root_key: SigningKey,
    city: SigningKey,
    institutions: Vec<Institution>,
    plays: [Play; 3],
}

impl Town {
    fn institution(&self, name: &MemberId) -> &Institution {
        let index = INSTITUTIONS.iter().position(|known| *known == name.as_str()).unwrap();
        &self.institutions[index]
    }

    fn signed(&self) -> SignedTrustList {
        let mut signed = SignedTrustList::unsigned(&self.list);
        signed.sign(&self.root_key);
        signed
    }
}

struct FakeCard;

impl Card for FakeCard {
    fn inspect(&mut self) -> Awaiting<'_, Result<Inspection, CardFault>> {
        Box::pin(async { Err(CardFault::NoCertificate) })
    }
    fn prove<'a>(&'a mut self, _: &'a Pin, _: &'a [u8]) -> Awaiting<'a, Result<Proof, CardFault>> {
        let proof = Proof { certificate: vec![0x30, 0x00], signature: vec![7; 256], tries_left: 3 };
        Box::pin(async { Ok(proof) })
    }
    fn removed(&self) -> Awaiting<'static, ()> {
        Box::pin(std::future::pending())
    }
}

fn member(
    name: &str,
    roles: &[Role],
    tls: [u8; 32],
    signing: &SigningKey,
    sealing: &SealingSecret,
) -> Member {
    Member {
        id: id(name),
        kind: MemberKind::Clinic,
        name_ja: "施設".into(),
        name_en: "Institution".into(),
        roles: roles.to_vec(),
        addresses: Vec::new(),
        tls_key: TlsKey(tls),
        tls_key_next: None,
        signing_key: signing.verifying_key(),
        sealing_keys: vec![SealingKey {
            suite: Suite::X25519ChaCha20,
            public: sealing.public(),
            not_before: Timestamp(0),
            not_after: Timestamp(u64::MAX >> 1),
        }],
        ledger_key: signing.verifying_key(),
        registry_area: roles.contains(&Role::Registry).then(|| "10201".into()),
        witness_key: None,
    }
}

fn town(gateway: &Identity, plays: [Play; 3]) -> Town {
    let key = |seed: u8| SigningKey::from_seed(&[seed; 32]);
    let sealing = |seed: u8| SealingSecret::from_bytes(&[seed; 32]).unwrap();
    let now = clock::now();
    let root_key = key(1);
    let institutions: Vec<Institution> = [11_u8, 12, 13]
        .into_iter()
        .map(|seed| Institution { signing: key(seed), sealing: sealing(seed) })
        .collect();
    let city = key(2);
    let roles = [Role::Gateway, Role::Registry];
    let mut members =
        vec![member("maebashi/city-hall", &roles, *gateway.key().as_bytes(), &city, &sealing(2))];
    for (index, name) in INSTITUTIONS.iter().enumerate() {
        let own = &institutions[index];
        members.push(member(name, &[Role::Responder], [20 + index as u8; 32], &own.signing, &own.sealing));
    }
    let list = TrustList {
        version: 1,
        federation: FederationId::new("maebashi").unwrap(),
        epoch: 1,
        previous: Digest::ZERO,
        issued: Timestamp(now.0 - 1000),
        expires: Timestamp(now.0 + 3_600_000),
        root: Root { keys: vec![root_key.verifying_key()], threshold: 1, removal_threshold: 1 },
        members,
        card_authorities: Vec::new(),
    };
    Town { list, root_key, city, institutions, plays }
}

async fn reply(exchange: &mut Exchange, reply: impl Into<Reply>) {
    exchange.send(&cbor::encode(&reply.into())).await.unwrap();
}

async fn serve(town: Arc<Town>, link: Link) {
    while let Some(mut exchange) = link.accept().await {
        let frame = exchange.recv(limits::FRAME_BYTES_MAX).await.unwrap().unwrap();
        match cbor::decode(&frame).unwrap() {
            Request::Hello(_) => {
                let welcome = Welcome {
                    version: 1,
                    member: id("maebashi/city-hall"),
                    epoch: town.list.epoch,
                    list_digest: town.signed().digest(),
                    now: clock::now(),
                };
                reply(&mut exchange, welcome).await;
            }
            Request::FetchTrustLists(_) => {
                reply(&mut exchange, TrustLists { lists: vec![town.signed()] }).await;
            }
            Request::FetchChallenge(_) => {
                reply(&mut exchange, Challenge { challenge: [5; 32], valid_millis: 1000 }).await;
            }
            Request::OpenSession(open) => reply(&mut exchange, attest(&town, &open)).await,
            Request::LeaveSessionEnds(left) => {
                assert_eq!(left.ends.len(), INSTITUTIONS.len(), "one for each, and each opens there");
                let open = |audience: &MemberId| &town.institution(audience).sealing;
                for end in &left.ends {
                    end.open(&end.audience, open(&end.audience), clock::now()).unwrap();
                }
                reply(&mut exchange, SessionEndsKept { version: 1, kept: left.ends.len() as u64 }).await;
            }
            Request::CloseSession(_) => {
                let (confirmed, outstanding) = (Some(2), Some(1));
                reply(&mut exchange, SessionClosed { version: 1, confirmed, outstanding }).await;
            }
            Request::View(view) => play(&town, &link, &mut exchange, &view.parts).await,
            _ => {}
        }
        let _ = exchange.finish();
    }
}

fn attest(town: &Town, open: &OpenSession) -> SessionOpened {
    let statement: SessionStatement = cbor::decode(&open.statement).unwrap();
    let registry = id("maebashi/city-hall");
    let facts =
        IdentityFacts {
            birth_date: "2019-05-06".into(), sex: "female".into(), kana: "ヒビキハナ".into()
        };
    let now = clock::now();
    let grants = open.keys.iter().map(|key| {
        let public = town.institution(&key.audience).sealing.public();
        let audience_key = AudienceKey::derive(&[3; 32], &key.audience);
        let grant = Grant {
            version: 1,
            id: GrantId([1; 16]),
            registry: registry.clone(),
            audience: key.audience.clone(),
            session_key: key.key,
            guardian: audience_key.alias("mother"),
            token_key: public.id(),
            token: audience_key.token(&registry, &key.audience, &public, "child", &facts).unwrap(),
            basis: Basis::ParentalJoint,
            categories: Vec::new(),
            issued: now,
            expires: now.plus(limits::SESSION_MILLIS_MAX),
            evidence: Digest::ZERO,
            epoch: 1,
            simulated: true,
        };
        Signed::sign(&grant, &town.city)
    });
    let digest = Digest::of(&[&open.statement]);
    let attestation = Attestation {
        registry: registry.clone(),
        statement: digest,
        subjects: vec![AttestedSubject {
            relation: Relation::Child,
            name: "響 花".into(),
            kana: "ヒビキ ハナ".into(),
            birth_date: Day::new("2019-05-06").unwrap(),
            sex: "female".into(),
            grants: grants.collect(),
        }],
        issued: now,
        expires: statement.not_after,
        simulated: true,
    };
    let signed = Signed::sign(&attestation, &town.city);
    let attestation = SealedAttestation::seal(&signed, &digest, &statement.reply_key).unwrap();
    SessionOpened { attestation, not_after: statement.not_after }
}

async fn play(town: &Town, link: &Link, exchange: &mut Exchange, parts: &[Part]) {
    let mut vanish = false;
    for part in parts {
        let index = INSTITUTIONS.iter().position(|name| *name == part.audience.as_str()).unwrap();
        match town.plays[index] {
            Play::Silence => {}
            Play::Vanish => vanish = true,
            Play::Observed(outcome) => reply(exchange, observed(town, part, outcome, &town.city)).await,
            Play::FalselyObserved => {
                let stranger = SigningKey::from_seed(&[99; 32]);
                reply(exchange, observed(town, part, Outcome::Unreachable, &stranger)).await;
            }
            play => reply(exchange, answered(town, part, play)).await,
        }
    }
    if vanish {
        tokio::time::sleep(Duration::from_millis(100)).await;
        link.close(hibiki_transport::Code::SHUTTING_DOWN, "");
        return;
    }
    reply(exchange, ViewEnd { parts: parts.len() as u64 }).await;
}

fn observed(town: &Town, part: &Part, outcome: Outcome, key: &SigningKey) -> PartObserved {
    let observation = Observation {
        gateway: town.list.members[0].id.clone(),
        audience: part.audience.clone(),
        part: part.digest(),
        outcome,
        refusal: None,
        retry_after_millis: None,
        at: clock::now(),
    };
    PartObserved { observation: Signed::sign(&observation, key) }
}

fn answered(town: &Town, part: &Part, play: Play) -> PartAnswered {
    let own = town.institution(&part.audience);
    let opened = part.open(&part.audience, &own.sealing).unwrap();
    let to = opened.reply_to();
    let record = Record {
        category: Category::new("immunization").unwrap(),
        date: Day::new("2025-04-01").unwrap(),
        updated_at: Timestamp(1),
        media_type: "application/fhir+json".into(),
        content: br#"{"resourceType":"Immunization","doseQuantity":{"value":0.50}}"#.to_vec(),
    };
    let with_data = play != Play::Nothing;
    let answer = Answer {
        version: 1,
        query_id: to.id,
        query_digest: to.digest,
        institution: part.audience.clone(),
        outcome: if with_data { Outcome::Data } else { Outcome::NothingToShow },
        retry_after_millis: None,
        records: if with_data { vec![record] } else { Vec::new() },
        as_of: clock::now(),
        policy_version: 1,
        receipt: Some(Receipt { origin: "log".into(), index: 4, leaf_hash: Digest::ZERO }),
        simulated: true,
        refusal: None,
        kept_since: None,
        history: None,
        consent: None,
        registration: None,
        promise: None,
        proofs: None,
    };
    let stranger = SigningKey::from_seed(&[98; 32]);
    let signer = if play == Play::Forged { &stranger } else { &own.signing };
    let mut sealed = SealedAnswer::seal(&Signed::sign(&answer, signer), &part.audience, &to).unwrap();
    if play == Play::Damaged {
        sealed.0.ciphertext[100] ^= 1;
    }
    let audience = if play == Play::Swapped { id(INSTITUTIONS[0]) } else { part.audience.clone() };
    PartAnswered { audience, answer: sealed }
}

/// Starts the gateway and touches the card.
async fn seated(plays: [Play; 3]) -> Result<(Session, Federation, AttestedSubject), Trouble> {
    let identity = Identity::generate().unwrap();
    let town = Arc::new(town(&identity, plays));
    let everybody = |_: &PeerKey| Admission::Guest;
    let address: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let gateway =
        Endpoint::bind(address, &identity, Arc::new(everybody), Limits::default(), Arc::new(StdSystemTime))
            .unwrap();
    let at = gateway.local_addr().unwrap().to_string();
    let serving = Arc::clone(&town);
    tokio::spawn(async move {
        while let Some(link) = gateway.accept().await {
            tokio::spawn(serve(Arc::clone(&serving), link));
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let (root, list) = (folder.path().join("root.cbor"), folder.path().join("list.cbor"));
    let anchor = RootAnchor { federation: town.list.federation.clone(), root: town.list.root.clone() };
    std::fs::write(&root, cbor::encode(&anchor)).unwrap();
    std::fs::write(&list, cbor::encode(&town.signed())).unwrap();
    let mut federation = Federation::load(&root, &list)?;
    let now = clock::now();
    let connection = Connection::open(&mut federation, &id("maebashi/city-hall"), Some(&at), now).await?;
    let session =
        Session::open(connection, &federation, &mut FakeCard, &Pin::new("1234".into()), now).await?;
    let subject = session.subjects()[0].clone();
    Ok((session, federation, subject))
}

/// Touches the card and asks.
async fn view_of(plays: [Play; 3]) -> Result<View, Trouble> {
    let (session, federation, subject) = seated(plays).await?;
    let wish = Wish { deadline_millis: Some(500), ..Wish::default() };
    let mut landed = 0;
    let view = assemble(&session, &federation, &subject, &wish, clock::now(), &mut |_| landed += 1).await?;
    assert_eq!((landed, view.parts.len()), (3, 3), "every institution lands once");
    if !view.gateway_lost {
        assert_eq!(session.close().await?, Closed { confirmed: 2, outstanding: 1 });
    }
    Ok(view)
}

/// Records are no answer to who asks for something else, whoever signs them.
#[tokio::test]
async fn an_act_is_answered_by_nothing_but_its_own_kind_of_answer() {
    let plays = [Play::Data, Play::Nothing, Play::Observed(Outcome::Unreachable)];
    let (session, federation, subject) = seated(plays).await.unwrap();
    let expected = [
        (Outcome::InvalidAnswer, Some("does_not_verify")),
        (Outcome::NothingToShow, None),
        (Outcome::Unreachable, None),
    ];
    let (deadline, now, mut landed) = (Some(500), clock::now(), 0);
    let history = history::assemble(&session, &federation, &subject, deadline, now, &mut |_| landed += 1)
        .await
        .unwrap();
    let stood = |standing: &Standing| (standing.outcome, standing.detail);
    assert_eq!(history.parts.iter().map(|part| stood(&part.standing)).collect::<Vec<_>>(), expected);
    assert!(landed == 3 && history.parts.iter().all(|part| part.entries.is_empty()));
    let shown = consent::show(&session, &federation, &subject, deadline, now, &mut |_| {}).await.unwrap();
    assert_eq!(shown.iter().map(|part| stood(&part.standing)).collect::<Vec<_>>(), expected);
    let choice = Choice::new(None, false, Reach::OwnView).unwrap();
    for (name, expected) in INSTITUTIONS.into_iter().zip(expected) {
        let at = id(name);
        let older = history::older(&session, &federation, &subject, &at, 9, deadline, now).await.unwrap();
        assert_eq!(stood(&older.standing), expected);
        let mut ignore = |_: &consent::ConsentPart| {};
        let chosen = consent::choose(&session, &federation, &subject, &at, &choice, now, &mut ignore);
        let chosen = chosen.await.unwrap();
        assert_eq!((stood(&chosen.standing), chosen.receipt), (expected, None));
    }
    let nowhere = id("maebashi/nowhere");
    let nobody = history::older(&session, &federation, &subject, &nowhere, 9, deadline, now).await;
    assert!(matches!(nobody, Err(Trouble::NoSuchInstitution(id)) if id == nowhere));
}

fn outcomes(view: &View) -> Vec<(Outcome, Option<&'static str>)> {
    view.parts.iter().map(|part| (part.outcome, part.detail)).collect()
}

#[tokio::test]
async fn answers_are_assembled_and_absence_carries_its_reason() {
    let view = view_of([Play::Data, Play::Nothing, Play::Observed(Outcome::Unreachable)]).await.unwrap();
    assert_eq!(
        outcomes(&view),
        [(Outcome::Data, None), (Outcome::NothingToShow, None), (Outcome::Unreachable, None)]
    );
    assert!(!view.gateway_lost && view.simulated && !view.coverage().complete());
    let text = serde_json::to_string(&json::ViewJson::from(&view)).unwrap();
    assert!(text.contains(r#""value":0.50"#), "a decimal stands as the institution wrote it");
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["coverage"]["asked"], 3);
    assert_eq!(value["coverage"]["data"], 1);
    assert_eq!(value["coverage"]["nothing_to_show"], 1);
    assert_eq!(value["coverage"]["unreachable"], 1);
    assert_eq!(value["parts"][0]["receipt"]["index"], 4);
    assert!(value["parts"][1]["records"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn what_does_not_verify_is_not_shown() {
    let view = view_of([Play::Forged, Play::Damaged, Play::FalselyObserved]).await.unwrap();
    assert_eq!(
        outcomes(&view),
        [
            (Outcome::InvalidAnswer, Some("does_not_verify")),
            (Outcome::InvalidAnswer, Some("does_not_verify")),
            (Outcome::InvalidAnswer, Some("observation_does_not_verify")),
        ]
    );
    assert!(view.parts.iter().all(|part| part.records.is_empty()));
}

#[tokio::test]
async fn an_answer_counts_for_the_institution_that_gave_it_alone() {
    let view = view_of([Play::Silence, Play::Swapped, Play::Data]).await.unwrap();
    assert_eq!(
        outcomes(&view),
        [
            (Outcome::InvalidAnswer, Some("does_not_verify")),
            (Outcome::Unreachable, Some("gateway_silent")),
            (Outcome::Data, None),
        ]
    );
}

#[tokio::test]
async fn a_gateway_cannot_say_nothing_to_show_or_data_for_another() {
    for claimed in [Outcome::Data, Outcome::NothingToShow] {
        let view = view_of([Play::Observed(claimed), Play::Data, Play::Data]).await.unwrap();
        assert_eq!(view.parts[0].outcome, Outcome::InvalidAnswer, "{claimed}");
    }
}

#[tokio::test]
async fn a_gateway_lost_on_the_way_is_said() {
    let view = view_of([Play::Data, Play::Vanish, Play::Nothing]).await.unwrap();
    assert_eq!(view.parts[0].outcome, Outcome::Data, "what has landed is kept");
    assert_eq!((view.parts[1].outcome, view.parts[1].detail), (Outcome::Unreachable, Some("gateway_lost")));
    assert!(view.gateway_lost);
    let said = words::outcome(&view.parts[1]);
    assert!(said.ja.contains("窓口サーバーとの接続が切れた") && said.en.contains("gateway was lost"));
    assert!(said.ja.contains("記録がないという意味ではありません"));
}

#[tokio::test]
async fn a_gateway_that_is_not_there_is_said_at_once() {
    let identity = Identity::generate().unwrap();
    let town = town(&identity, [Play::Data; 3]);
    let folder = tempfile::tempdir().unwrap();
    let (root, list) = (folder.path().join("root.cbor"), folder.path().join("list.cbor"));
    let anchor = RootAnchor { federation: town.list.federation.clone(), root: town.list.root.clone() };
    std::fs::write(&root, cbor::encode(&anchor)).unwrap();
    std::fs::write(&list, cbor::encode(&town.signed())).unwrap();
    let mut federation = Federation::load(&root, &list).unwrap();
    let refused =
        Connection::open(&mut federation, &id("maebashi/city-hall"), Some("127.0.0.1:9"), clock::now()).await;
    let trouble = refused.err().unwrap();
    assert!(matches!(trouble, Trouble::GatewayUnreachable { .. }), "{trouble}");
    assert!(words::trouble(&trouble).ja.contains("接続できません"));
    // Another key at the right address is not the gateway.
    let stranger = Identity::generate().unwrap();
    let everybody = |_: &PeerKey| Admission::Guest;
    let endpoint = Endpoint::bind(
        "127.0.0.1:0".parse().unwrap(),
        &stranger,
        Arc::new(everybody),
        Limits::default(),
        Arc::new(StdSystemTime),
    );
    let endpoint = endpoint.unwrap();
    let at = endpoint.local_addr().unwrap().to_string();
    let refused = Connection::open(&mut federation, &id("maebashi/city-hall"), Some(&at), clock::now()).await;
    assert!(matches!(refused.err().unwrap(), Trouble::GatewayUnreachable { .. }));
}
