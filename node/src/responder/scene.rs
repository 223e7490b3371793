//! A small federation for the responder's tests: a registry that grants, a gateway that relays, an
//! institution with one child, and a guardian whose every step can be bent.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hibiki_protocol::answer::{Answer, KeptSince, Record};
use hibiki_protocol::frames::{Answered, Ask, Declined};
use hibiki_protocol::grant::{Basis, Grant};
use hibiki_protocol::hold::{HoldReceipt, SealedHoldNotice};
use hibiki_protocol::ids::{Category, Digest, FederationId, GrantId, MemberId, Pseudonym, QueryId};
use hibiki_protocol::limits;
use hibiki_protocol::policy::{AgeGate, Consent, Hold, ReadPermit, Withheld};
use hibiki_protocol::query::{Part, Query, Refusal, ReplyTo};
use hibiki_protocol::sealing::SealingSecret;
use hibiki_protocol::session::Purpose;
use hibiki_protocol::session_end::SealedSessionEnd;
use hibiki_protocol::signing::{Signed, SigningKey, VerifyingKey};
use hibiki_protocol::time::{Day, Timestamp};
use hibiki_protocol::tlog::{KeyAlgorithm, NoteSigner};
use hibiki_protocol::token::{AudienceKey, IdentityFacts, PairwiseToken};
use hibiki_protocol::trust::{
    Accepted, Member, MemberKind, Role, Root, RootAnchor, SealingKey, SignedTrustList, TlsKey, TrustList,
};

use super::{
    Foundation, HoldKeeper, InstitutionResponder, Local, LocalFault, LocalSubject, Policy, SessionEndKeeper,
};
use crate::consent::Consents;
use crate::env::{Clock, Entropy, Env};
use crate::institution::{Means, Trust};
use crate::keys::NodeKeys;
use crate::ledger::{EntrySealer, Ledger, SealError, Setup, Sizes, SubjectKey};
use crate::linkage::tests::People;
use crate::linkage::{Linkage, Persons};
use crate::observe::board::StatusBoard;
use crate::services::{Pending, Responder as _};
use crate::session_ends::EndedSessions;
use crate::store::MemoryStore;

/// 2026-11-22 12:00 in Japan.
pub(super) const NOON: u64 = 1_795_316_400_000;
pub(super) const RESIDENT: &str = "child-1";

pub(super) fn member(id: &str) -> MemberId {
    MemberId::new(id).unwrap()
}

pub(super) fn category(name: &str) -> Category {
    Category::new(name).unwrap()
}

pub(super) fn facts() -> IdentityFacts {
    IdentityFacts { birth_date: "2019-05-06".into(), sex: "female".into(), kana: "ヒビキハナ".into() }
}

#[derive(Debug)]
pub(super) struct SetClock(pub(super) Mutex<u64>);

impl Clock for SetClock {
    fn now(&self) -> u64 {
        *self.0.lock().unwrap()
    }
}

/// Ledger entries in the clear: what the tests read is what was logged.
struct OpenSealer;

impl EntrySealer for OpenSealer {
    fn seal(&self, _: Option<SubjectKey>, _: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok(plaintext.to_vec())
    }
    fn open(&self, _: Option<SubjectKey>, _: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok(sealed.to_vec())
    }
}

/// The institution's books: one child, whatever holds and consents a test sets.
pub(super) struct Books {
    pub(super) linked: BTreeMap<Pseudonym, Withheld>,
    pub(super) child: Option<Pseudonym>,
    pub(super) birth_date: Day,
    /// Her key in the keyring.
    pub(super) key: [u8; 16],
    pub(super) records: Vec<Record>,
    pub(super) holds: Vec<Hold>,
    pub(super) consents: Vec<Consent>,
    pub(super) broken: bool,
    /// Happens while the records are read.
    pub(super) on_read: Option<Box<dyn FnOnce() + Send>>,
    /// What guardians chose, in the institution's real table.
    pub(super) chosen: Arc<Consents>,
}

pub(super) struct LocalBooks(pub(super) Mutex<Books>);

impl Local for LocalBooks {
    fn resolve(
        &self,
        _: &MemberId,
        token: &PairwiseToken,
    ) -> Result<Result<LocalSubject, Withheld>, LocalFault> {
        let books = self.0.lock().unwrap();
        if books.broken {
            return Err(LocalFault("the store is gone".into()));
        }
        if let Some(why) = books.linked.get(&token.pseudonym) {
            return Ok(Err(*why));
        }
        let subject = LocalSubject { key: books.key, birth_date: books.birth_date.clone() };
        Ok(if books.child == Some(token.pseudonym) { Ok(subject) } else { Err(Withheld::NotLinked) })
    }
    fn holds(&self, _: &Pseudonym) -> Result<Vec<Hold>, LocalFault> {
        Ok(self.0.lock().unwrap().holds.clone())
    }
    fn consents(&self, pseudonym: &Pseudonym) -> Result<Vec<Consent>, LocalFault> {
        let books = self.0.lock().unwrap();
        let chosen = books.chosen.for_subject(pseudonym).unwrap();
        Ok(books.consents.iter().cloned().chain(chosen).collect())
    }
    fn has_any(&self, _: &LocalSubject, permit: &ReadPermit) -> Result<bool, LocalFault> {
        Ok(self.0.lock().unwrap().records.iter().any(|record| permit.allows(&record.category)))
    }
    fn read(&self, _: &LocalSubject, _: &ReadPermit) -> Result<Vec<Record>, LocalFault> {
        let on_read = self.0.lock().unwrap().on_read.take();
        if let Some(happens) = on_read {
            happens();
        }
        Ok(self.0.lock().unwrap().records.clone())
    }
}

struct NoHolds;

impl HoldKeeper for NoHolds {
    fn store<'a>(
        &'a self,
        _: &'a MemberId,
        _: SealedHoldNotice,
    ) -> Pending<'a, Result<Signed<HoldReceipt>, Declined>> {
        Box::pin(async { Err(Declined { refusal: Refusal::Fault, retry_after_millis: None }) })
    }
}

pub(super) struct Scene {
    pub(super) responder: InstitutionResponder,
    pub(super) books: Arc<LocalBooks>,
    pub(super) clock: Arc<SetClock>,
    pub(super) ledger: Ledger,
    pub(super) means: Means,
    pub(super) store: MemoryStore,
    pub(super) ended: Arc<EndedSessions>,
    pub(super) low_space: Arc<std::sync::atomic::AtomicBool>,
    pub(super) registry_key: SigningKey,
    pub(super) audience_key: AudienceKey,
    pub(super) accepted: Accepted,
    own: MemberId,
    sealing: SealingKey,
    _folder: tempfile::TempDir,
}

/// What a guardian asks; tests bend it before it is sealed.
pub(super) struct Asked {
    pub(super) grant: Grant,
    pub(super) grant_signer: SigningKey,
    pub(super) query: Query,
    pub(super) session_key: SigningKey,
    pub(super) secret: SealingSecret,
}

impl Scene {
    pub(super) fn new() -> Self {
        Self::with_floor(Duration::from_millis(20))
    }

    pub(super) fn with_floor(answer_floor: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(SetClock(Mutex::new(NOON)));
        let system = Env::system();
        let env = Env::new(
            Arc::<SetClock>::clone(&clock) as Arc<dyn Clock>,
            Arc::clone(system.entropy()) as Arc<dyn Entropy>,
            Arc::new(crate::env::SystemSockets),
            system.runtime(),
        );
        let keys = NodeKeys::create(folder.path(), &env).unwrap();
        let own = member("maebashi/chuo-hospital");
        let registry_key = SigningKey::from_seed(&[1; 32]);
        let request = keys.request(
            FederationId::new("maebashi").unwrap(),
            plain_member("maebashi/chuo-hospital", 3, &[Role::Responder]),
            Timestamp(NOON - 1000),
        );
        let me = request.claimed().unwrap().member;
        let mut city =
            plain_member("maebashi/city-hall", 4, &[Role::Gateway, Role::Registry, Role::Responder]);
        city.signing_key = registry_key.verifying_key();
        let sealing = me.sealing_keys[0].clone();
        let accepted = accepted(vec![city, me, plain_member("maebashi/clinic", 5, &[Role::Responder])]);
        let ledger = Ledger::memory(
            Setup {
                signer: Arc::new(
                    NoteSigner::from_seed(
                        &Member::ledger_origin(&own),
                        KeyAlgorithm::Ed25519,
                        &keys.ledger().seed(),
                    )
                    .unwrap(),
                ),
                sealer: Arc::new(OpenSealer),
                entropy: Arc::clone(env.entropy()),
                sizes: Sizes::default(),
            },
            NOON,
        )
        .unwrap();
        let audience_key = AudienceKey::derive(&[7; 32], &own);
        let list = Arc::new(accepted.clone());
        let trust: Trust = Arc::new(move || Arc::clone(&list));
        let (vault, store) = crate::vault::tests::vault();
        let means = Means {
            own: own.clone(),
            keys: keys.clone(),
            trust: Arc::clone(&trust),
            vault,
            ledger: ledger.clone(),
            env: env.clone(),
        };
        let persons: Arc<dyn Persons> = Arc::new(People::default());
        let linkage = Arc::new(Linkage::new(means.clone(), Arc::clone(&persons)));
        let chosen = Arc::new(Consents::new(means.clone(), persons, linkage));
        let books = Arc::new(LocalBooks(Mutex::new(Books {
            linked: BTreeMap::new(),
            child: Some(audience_key.pseudonym(RESIDENT)),
            birth_date: Day::new("2019-05-06").unwrap(),
            key: *means.vault.keys().create().unwrap().as_bytes(),
            records: vec![record("immunization", "2025-04-01"), record("growth", "2025-05-01")],
            holds: Vec::new(),
            consents: Vec::new(),
            broken: false,
            on_read: None,
            chosen: Arc::clone(&chosen),
        })));
        let ended = Arc::new(EndedSessions::open(means.clone(), StatusBoard::new()).unwrap());
        let low_space = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let disk = Arc::clone(&low_space);
        let responder = InstitutionResponder::new(Foundation {
            own: own.clone(),
            env,
            keys,
            trust,
            ledger: ledger.clone(),
            local: Arc::<LocalBooks>::clone(&books),
            choices: chosen,
            registrations: None,
            holds: Arc::new(NoHolds),
            ended: Arc::clone(&ended) as Arc<dyn SessionEndKeeper>,
            low_space: Arc::new(move || disk.load(std::sync::atomic::Ordering::Relaxed)),
            policy: Policy {
                answer_floor,
                ages: AgeGate { adult_years: 18, sensitive_years: 15, sensitive: vec![category("growth")] },
                version: 3,
                kept_since: vec![kept_since()],
                head_period: Duration::ZERO,
                queries_at_once: 2,
            },
        });
        Self {
            responder,
            books,
            clock,
            ledger,
            means,
            store,
            ended,
            low_space,
            registry_key,
            audience_key,
            accepted,
            own,
            sealing,
            _folder: folder,
        }
    }

    /// Has everything about choices read anew from the tables, as after a restart.
    pub(super) fn restart_choices(&mut self) {
        let persons: Arc<dyn Persons> = Arc::new(People::default());
        let linkage = Arc::new(Linkage::new(self.means.clone(), Arc::clone(&persons)));
        let chosen = Arc::new(Consents::new(self.means.clone(), persons, linkage));
        self.books.0.lock().unwrap().chosen = Arc::clone(&chosen);
        self.responder.base.choices = chosen;
    }

    pub(super) fn asked(&self) -> Asked {
        let now = Timestamp(*self.clock.0.lock().unwrap());
        let session_key = SigningKey::from_seed(&random());
        let registry = member("maebashi/city-hall");
        let token =
            self.audience_key.token(&registry, &self.own, &self.sealing.public, RESIDENT, &facts()).unwrap();
        let secret = SealingSecret::generate();
        let grant = Grant {
            version: limits::VERSION_MAX,
            id: GrantId(random()),
            registry,
            audience: self.own.clone(),
            session_key: session_key.verifying_key(),
            guardian: self.audience_key.alias("mother"),
            token_key: self.sealing.public.id(),
            token,
            basis: Basis::ParentalJoint,
            categories: Vec::new(),
            issued: now,
            expires: now.plus(limits::SESSION_MILLIS_MAX),
            evidence: Digest::of(&[b"evidence"]),
            epoch: self.accepted.list().epoch,
            simulated: true,
        };
        let grant_signer = SigningKey::from_seed(&self.registry_key.seed());
        let query = Query {
            version: limits::VERSION_MAX,
            id: QueryId(random()),
            audience: self.own.clone(),
            grant: Signed::sign(&grant, &grant_signer),
            purpose: Purpose::FamilyRequest,
            categories: Vec::new(),
            since: None,
            answer_key: secret.public(),
            issued: now,
            expires: now.plus(limits::QUERY_MILLIS_MAX),
            epoch: self.accepted.list().epoch,
            list_digest: self.accepted.digest(),
            act: None,
        };
        Asked { grant, grant_signer, query, session_key, secret }
    }

    /// Seals what was asked, with the grant as it stands now.
    pub(super) fn seal(&self, asked: &mut Asked) -> (Part, ReplyTo) {
        asked.query.grant = Signed::sign(&asked.grant, &asked.grant_signer);
        Part::seal(&asked.query, &asked.session_key, &self.sealing).unwrap()
    }

    /// The end of the session `key` was made for, sealed to the institution.
    pub(super) fn end_of(&self, key: &SigningKey) -> SealedSessionEnd {
        let not_after = Timestamp(*self.clock.0.lock().unwrap()).plus(limits::SESSION_MILLIS_MAX);
        SealedSessionEnd::seal(key, not_after, &self.own, &self.sealing).unwrap()
    }

    pub(super) fn ask(&self, part: Part) -> Ask {
        let freshness = self.responder.freshness(&member("maebashi/city-hall")).token;
        Ask { freshness, remaining_millis: 3000, hops: 1, part }
    }

    /// Asks and opens the answer.
    pub(super) async fn answer(&self, mut asked: Asked) -> Result<Answer, Refusal> {
        let (part, reply_to) = self.seal(&mut asked);
        self.answer_to(part, &reply_to, &asked.secret).await
    }

    pub(super) async fn answer_to(
        &self,
        part: Part,
        reply_to: &ReplyTo,
        secret: &SealingSecret,
    ) -> Result<Answer, Refusal> {
        let gateway = member("maebashi/city-hall");
        let answered = self.responder.ask(&gateway, self.ask(part)).await;
        let Answered { answer } = answered.map_err(|declined| declined.refusal)?;
        let key = self.accepted.list().member(&self.own).unwrap().signing_key;
        Ok(answer.open(&self.own, &key, reply_to, secret).unwrap())
    }

    /// The reason in the newest ledger entry, if it is a refusal.
    pub(super) fn logged_reason(&self) -> Option<String> {
        let size = self.ledger.size();
        let entries = self.ledger.read(size - 1..size).unwrap();
        entries[0].details::<crate::ledger::details::Refusal>().map(|refusal| refusal.reason)
    }
}

pub(super) fn random<const N: usize>() -> [u8; N] {
    Env::system().random()
}

pub(super) fn kept_since() -> KeptSince {
    KeptSince { category: category("immunization"), since: Day::new("2012-04-01").unwrap() }
}

pub(super) fn record(kind: &str, date: &str) -> Record {
    Record {
        category: category(kind),
        date: Day::new(date).unwrap(),
        updated_at: Timestamp(NOON),
        media_type: "application/fhir+json".into(),
        content: br#"{"resourceType":"Immunization"}"#.to_vec(),
    }
}

fn plain_member(id: &str, seed: u8, roles: &[Role]) -> Member {
    let secret = SealingSecret::from_bytes(&[seed; 32]).unwrap();
    Member {
        id: member(id),
        kind: MemberKind::Hospital,
        name_ja: "施設".into(),
        name_en: "Institution".into(),
        roles: roles.to_vec(),
        addresses: Vec::new(),
        tls_key: TlsKey([seed; 32]),
        tls_key_next: None,
        signing_key: VerifyingKey([seed; 32]),
        sealing_keys: vec![SealingKey {
            suite: hibiki_protocol::sealing::Suite::X25519ChaCha20,
            public: secret.public(),
            not_before: Timestamp(0),
            not_after: Timestamp(u64::MAX >> 1),
        }],
        ledger_key: VerifyingKey([seed; 32]),
        registry_area: roles.contains(&Role::Registry).then(|| "10201".to_owned()),
        witness_key: None,
    }
}

fn accepted(members: Vec<Member>) -> Accepted {
    let key = SigningKey::from_seed(&[42; 32]);
    let root = Root { keys: vec![key.verifying_key()], threshold: 1, removal_threshold: 1 };
    let federation = FederationId::new("maebashi").unwrap();
    let list = TrustList {
        version: 1,
        federation: federation.clone(),
        epoch: 1,
        previous: Digest::ZERO,
        issued: Timestamp(NOON - 1000),
        expires: Timestamp(NOON + 1_000_000),
        root: root.clone(),
        members,
        card_authorities: Vec::new(),
    };
    let mut signed = SignedTrustList::unsigned(&list);
    signed.sign(&key);
    Accepted::first(&RootAnchor { federation, root }, &signed).unwrap()
}
