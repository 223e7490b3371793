//! The keys of this node: made here, kept here; only public halves ever leave.
//!
//! Six keys, six purposes, never shared: TLS (who am I on the wire), signing (answers, grants,
//! observations), sealing (what is sealed to me), ledger (checkpoints), witness (cosignatures under other
//! members' checkpoints), and — where the node is a registry — the master key from which it names residents
//! to each institution.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hibiki_protocol::ids::FederationId;
use hibiki_protocol::sealing::{SealingKeyId, SealingSecret, Suite};
use hibiki_protocol::signing::{Signed, SigningKey};
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{Member, MemberRequest, Role, SealingKey, TlsKey};
use hibiki_transport::{Identity, IdentityError};
use zeroize::Zeroizing;

use crate::env::Env;
use crate::secret_file::{self, SecretFileError};

/// How long a sealing key is offered in a request: a year, then the node asks with a new one.
const SEALING_KEY_MILLIS: u64 = 366 * 24 * 3600 * 1000;

/// File of the key that signs the ledger's checkpoints, in the keys' folder.
pub const LEDGER_KEY: &str = "ledger.key";

/// File of the key that cosigns, in the keys' folder.
pub const WITNESS_KEY: &str = "witness.key";

/// Why the keys could not be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The TLS key.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// One of the others.
    #[error(transparent)]
    Secret(#[from] SecretFileError),
    /// The keys' folder cannot be used.
    #[error("{path}: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is no sealing key at all.
    #[error("{path} holds no sealing key; run `hibiki-node init`, or restore the folder from your backup")]
    NoSealingKey {
        /// The folder of sealing keys.
        path: PathBuf,
    },
}

/// The keys of this node. Cheap to clone.
#[derive(Clone)]
pub struct NodeKeys {
    identity: Identity,
    signing: Arc<SigningKey>,
    ledger: Arc<SigningKey>,
    witness: Option<Arc<SigningKey>>,
    sealing: Arc<BTreeMap<SealingKeyId, SealingSecret>>,
}

impl NodeKeys {
    /// Makes all keys in `folder`, which must not hold any yet.
    ///
    /// # Errors
    /// A key exists, or the folder cannot be written.
    pub fn create(folder: &Path, env: &Env) -> Result<Self, KeysError> {
        let sealing = folder.join("sealing");
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&sealing)
            .map_err(|source| KeysError::Folder { path: sealing.clone(), source })?;
        Identity::generate()?.save(&folder.join("tls.pem"))?;
        for name in ["signing.key", LEDGER_KEY, WITNESS_KEY] {
            secret_file::create(&folder.join(name), &fresh(env))?;
        }
        let secret = SealingSecret::generate();
        let name = format!("{}.key", hex::encode(secret.public().id().0));
        secret_file::create(&sealing.join(name), &secret.to_bytes())?;
        Self::open(folder)
    }

    /// Opens the keys in `folder`.
    ///
    /// # Errors
    /// A key is missing, damaged, or readable by others.
    pub fn open(folder: &Path) -> Result<Self, KeysError> {
        let signing_key = |name: &str| -> Result<_, KeysError> {
            Ok(Arc::new(SigningKey::from_seed(&*secret_file::read(&folder.join(name))?)))
        };
        Ok(Self {
            identity: Identity::load(&folder.join("tls.pem"))?,
            signing: signing_key("signing.key")?,
            ledger: signing_key(LEDGER_KEY)?,
            // A node that was made before there were witnesses has none.
            witness: folder.join(WITNESS_KEY).exists().then(|| signing_key(WITNESS_KEY)).transpose()?,
            sealing: Arc::new(open_sealing(&folder.join("sealing"))?),
        })
    }

    /// Who this node is on the wire.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Signs answers, grants and observations.
    pub fn signing(&self) -> &Arc<SigningKey> {
        &self.signing
    }

    /// Signs the ledger's checkpoints.
    pub fn ledger(&self) -> &Arc<SigningKey> {
        &self.ledger
    }

    /// Cosigns other members' checkpoints; none where the node was made before there were witnesses.
    pub fn witness(&self) -> Option<&Arc<SigningKey>> {
        self.witness.as_ref()
    }

    /// The private key that boxes sealed to `id` open with.
    pub fn sealing(&self, id: SealingKeyId) -> Option<&SealingSecret> {
        self.sealing.get(&id)
    }

    /// The node's request to stand in the trust list: `member` with these keys' public halves.
    pub fn request(
        &self,
        federation: FederationId,
        mut member: Member,
        now: Timestamp,
    ) -> Signed<MemberRequest> {
        member.tls_key = TlsKey(*self.identity.key().as_bytes());
        member.tls_key_next = None;
        member.signing_key = self.signing.verifying_key();
        member.ledger_key = self.ledger.verifying_key();
        let cosigns = self.witness.as_ref().filter(|_| member.has_role(Role::Witness));
        member.witness_key = cosigns.map(|key| key.verifying_key());
        member.sealing_keys = self
            .sealing
            .values()
            .map(|secret| SealingKey {
                suite: Suite::X25519ChaCha20,
                public: secret.public(),
                not_before: now,
                not_after: now.plus(SEALING_KEY_MILLIS),
            })
            .collect();
        Signed::sign(&MemberRequest { federation, member, issued: now }, &self.signing)
    }
}

impl std::fmt::Debug for NodeKeys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("NodeKeys").field("tls", &self.identity.key()).finish_non_exhaustive()
    }
}

/// 32 random bytes from the world.
pub fn fresh(env: &Env) -> Zeroizing<[u8; 32]> {
    let mut secret = Zeroizing::new([0; 32]);
    env.fill(secret.as_mut());
    secret
}

fn open_sealing(folder: &Path) -> Result<BTreeMap<SealingKeyId, SealingSecret>, KeysError> {
    let fail = |source| KeysError::Folder { path: folder.to_owned(), source };
    let mut keys = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.extension().is_some_and(|extension| extension == "key") {
            let secret = SealingSecret::from_bytes(&*secret_file::read(&path)?)
                .map_err(|_| SecretFileError::NotASecret { path: path.clone() })?;
            keys.insert(secret.public().id(), secret);
        }
    }
    if keys.is_empty() { Err(KeysError::NoSealingKey { path: folder.to_owned() }) } else { Ok(keys) }
}
