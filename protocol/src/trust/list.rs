//! What stands in a trust list.

use crate::cbor::{wire_code, wire_newtype, wire_struct};
use crate::ids::{Digest, FederationId, MemberId};
use crate::limits;
use crate::sealing::{SealingKeyId, SealingPublic, Suite};
use crate::signing::{Signable, VerifyingKey};
use crate::time::Timestamp;
use crate::tlog::{KeyAlgorithm, VerifierKey};

wire_code! {
    /// What a member is, for people and statistics; it grants nothing.
    pub enum MemberKind {
        /// 市役所・町村役場.
        1 => CityHall = "city_hall",
        /// 保健センター.
        2 => HealthCentre = "health_centre",
        /// 病院.
        3 => Hospital = "hospital",
        /// 診療所.
        4 => Clinic = "clinic",
        /// 調剤薬局.
        5 => Pharmacy = "pharmacy",
        /// 学校.
        6 => School = "school",
        /// 保育所・幼稚園・認定こども園.
        7 => Nursery = "nursery",
        /// An auditor or regulator: witnesses, holds no records.
        8 => Observer = "observer",
    }
}

wire_code! {
    /// What a member may do. A member without [`Role::Gateway`] never originates a query.
    pub enum Role {
        /// Answers queries about its own records.
        1 => Responder = "responder",
        /// Admits terminals and relays sealed parts.
        2 => Gateway = "gateway",
        /// Attests who is whose guardian, for its area.
        3 => Registry = "registry",
        /// Cosigns checkpoints of other members.
        4 => Witness = "witness",
        /// Reads ledgers, holds no records.
        5 => Observer = "observer",
    }
}

/// SHA-256 of a TLS public key's SubjectPublicKeyInfo (DER): by this exact key a node is known on
/// the wire, whatever certificate carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TlsKey(pub [u8; 32]);
wire_newtype!(TlsKey);

wire_struct! {
    /// A key parts are sealed to, and when.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct SealingKey {
        /// The suite the key belongs to.
        1 => pub suite: Suite,
        /// The public key.
        3 => pub public: SealingPublic,
        /// Not used before.
        5 => pub not_before: Timestamp,
        /// Not used after; kept a day longer for what is under way.
        7 => pub not_after: Timestamp,
    }
}

wire_struct! {
    /// One institution.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Member {
        /// Its name in the federation.
        1 => pub id: MemberId,
        /// What it is.
        3 => pub kind: MemberKind,
        /// Display name, Japanese.
        5 => pub name_ja: String,
        /// Display name, English.
        7 => pub name_en: String,
        /// What it may do.
        9 => pub roles: Vec<Role>,
        /// `host:port` where it can be reached; empty if it only dials out.
        11 => pub addresses: Vec<String>,
        /// The key it is known by on the wire.
        13 => pub tls_key: TlsKey,
        /// The key it will be known by next: accepted as well while keys are changed.
        14 => pub tls_key_next: Option<TlsKey>,
        /// Signs answers, and grants where it is a registry.
        15 => pub signing_key: VerifyingKey,
        /// Keys to seal to, newest last.
        17 => pub sealing_keys: Vec<SealingKey>,
        /// Signs the checkpoints of its ledger.
        19 => pub ledger_key: VerifyingKey,
        /// The area whose residents it attests, where it is a registry (JIS X 0402 code or name).
        21 => pub registry_area: Option<String>,
        /// Cosigns checkpoints of other members' ledgers, where it is a witness.
        22 => pub witness_key: Option<VerifyingKey>,
    }
}

impl Member {
    /// Whether the list gives this member the role.
    pub fn has_role(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Name of a member's ledger (its C2SP origin), which is also the name of the key that signs it.
    pub fn ledger_origin(id: &MemberId) -> String {
        format!("{id}/ledger")
    }

    /// The key that checkpoints of this member's ledger verify with; `None` if the list names no usable one.
    pub fn ledger_verifier(&self) -> Option<VerifierKey> {
        VerifierKey::from_bytes(&Self::ledger_origin(&self.id), KeyAlgorithm::Ed25519, &self.ledger_key.0)
            .ok()
    }

    /// Name of the key a member cosigns with.
    pub fn witness_name(id: &MemberId) -> String {
        format!("{id}/witness")
    }

    /// The key this member's cosignatures verify with; `None` if it is no witness, or the list names no usable key.
    pub fn witness_verifier(&self) -> Option<VerifierKey> {
        let key = self.witness_key.filter(|_| self.has_role(Role::Witness))?;
        VerifierKey::from_bytes(&Self::witness_name(&self.id), KeyAlgorithm::CosignatureV1, &key.0).ok()
    }

    /// The newest key one may seal to at `now`.
    pub fn sealing_key_at(&self, now: Timestamp) -> Option<&SealingKey> {
        self.sealing_keys.iter().rev().find(|key| key.not_before <= now && now <= key.not_after)
    }

    /// The sealing key with this id.
    pub fn sealing_key(&self, id: SealingKeyId) -> Option<&SealingKey> {
        self.sealing_keys.iter().find(|key| key.public.id() == id)
    }
}

wire_struct! {
    /// A certificate authority whose cards open sessions.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct CardAuthority {
        /// For people: `公的個人認証 利用者証明用認証局` or a simulated one's own name.
        1 => pub name: String,
        /// The authority's certificate, DER (X.509, RFC 5280).
        3 => pub certificate: Vec<u8>,
        /// The certificate policy a card certificate must assert, as a dotted object identifier.
        5 => pub policy: String,
        /// Cards of this authority are simulated; everything made with them says so.
        7 => pub simulated: bool,
    }
}

wire_struct! {
    /// Who may sign the next list.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Root {
        /// The council's keys.
        1 => pub keys: Vec<VerifyingKey>,
        /// Signatures needed for any list.
        3 => pub threshold: u64,
        /// Signatures needed for a list that only removes members: fewer, so that a stolen node is out quickly.
        5 => pub removal_threshold: u64,
    }
}

wire_struct! {
    /// A trust list: the members of a federation at one epoch.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct TrustList {
        /// Version of this structure.
        1 => pub version: u64,
        /// Whose members.
        3 => pub federation: FederationId,
        /// Number of the list: 1, 2, 3 …
        5 => pub epoch: u64,
        /// Digest of the list before; [`Digest::ZERO`] for the first.
        7 => pub previous: Digest,
        /// When it was signed.
        9 => pub issued: Timestamp,
        /// When a newer one should have come.
        11 => pub expires: Timestamp,
        /// Who signs the next list.
        13 => pub root: Root,
        /// The members.
        15 => pub members: Vec<Member>,
        /// Card authorities whose cards open sessions.
        17 => pub card_authorities: Vec<CardAuthority>,
    }
}

impl Signable for TrustList {
    const LABEL: &'static str = "hibiki/1/trust-list";
}

impl TrustList {
    /// The member with this name.
    pub fn member(&self, id: &MemberId) -> Option<&Member> {
        self.members.iter().find(|member| &member.id == id)
    }

    /// The member known by this TLS key, now or next.
    pub fn member_by_tls_key(&self, key: &TlsKey) -> Option<&Member> {
        self.members.iter().find(|member| &member.tls_key == key || member.tls_key_next.as_ref() == Some(key))
    }

    /// The first rule of sense this list breaks, if any, in words for the council.
    pub fn fault(&self) -> Option<&'static str> {
        let signers = self.root.keys.len() as u64;
        let unique = |mut keys: Vec<[u8; 32]>| {
            let count = keys.len();
            keys.sort_unstable();
            keys.dedup();
            keys.len() == count
        };
        let names = |member: &Member| {
            [&member.name_ja, &member.name_en]
                .iter()
                .all(|name| (1..=limits::NAME_BYTES_MAX).contains(&name.len()))
        };
        let mut ids: Vec<_> = self.members.iter().map(|member| &member.id).collect();
        ids.sort_unstable();
        ids.dedup();
        let tls_keys = self.members.iter().flat_map(|member| {
            std::iter::once(member.tls_key).chain(member.tls_key_next.filter(|next| next != &member.tls_key))
        });
        let rules = [
            (self.version == 1, "the list's version is not 1"),
            (self.epoch >= 1, "epochs count from 1"),
            (self.issued < self.expires, "the list expires before it is issued"),
            (
                self.expires.since(self.issued) <= limits::TRUST_LIST_MILLIS_MAX,
                "the list is valid for longer than 31 days",
            ),
            ((1..=limits::ROOT_KEYS_MAX as u64).contains(&signers), "the root needs 1 to 16 keys"),
            (
                (1..=signers).contains(&self.root.threshold),
                "the threshold must be between 1 and the number of root keys",
            ),
            (
                (1..=self.root.threshold).contains(&self.root.removal_threshold),
                "the removal threshold must be between 1 and the threshold",
            ),
            (unique(self.root.keys.iter().map(|key| key.0).collect()), "a root key stands twice"),
            (self.members.len() <= limits::MEMBERS_MAX, "too many members"),
            (ids.len() == self.members.len(), "a member stands twice"),
            (
                ids.iter().all(|id| id.federation() == self.federation.as_str()),
                "a member's name does not begin with the federation's",
            ),
            (unique(tls_keys.map(|key| key.0).collect()), "two members share a TLS key"),
            (
                unique(self.members.iter().map(|member| member.signing_key.0).collect()),
                "two members share a signing key",
            ),
            (
                unique(
                    self.members.iter().filter_map(|member| member.witness_key).map(|key| key.0).collect(),
                ),
                "two members share a witness key",
            ),
            (self.members.iter().all(names), "a display name is empty or longer than 256 bytes"),
            (
                self.members
                    .iter()
                    .all(|member| !member.has_role(Role::Registry) || member.registry_area.is_some()),
                "a registry has no area",
            ),
        ];
        rules.into_iter().find_map(|(holds, fault)| (!holds).then_some(fault))
    }
}
