//! Keys for data at rest: one per subject, each wrapped under the node's key.
//!
//! Owns: the node key file, the file of wrapped keys, sealing and opening. Must not know: whose a key is,
//! what is sealed, where sealed bytes lie.
//!
//! **Erasing** a subject is destroying its key: the slot is overwritten in place with zeros and synced, and
//! whatever was sealed under it, in the store, in the ledger and in every backup of them, is noise from then
//! on. For that to hold, the file of wrapped keys is never backed up together with the data: back it up on
//! its own, keep no more than the latest copy, and renew that copy after each erasure. The keys are not kept
//! in the database, because sled keeps old copies of what it overwrites. A solid-state disk may keep an old
//! copy of an overwritten block where only its maker can read it; there the wrapped key is still protected
//! by the node key.
//!
//! Algorithms: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) with random nonces of 192 bits, HKDF-SHA256
//! (RFC 5869) and HMAC-SHA256 (RFC 2104).

mod error;
mod node_key;
mod seal;
mod slots;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::env::Entropy;

pub use self::{
    error::KeyError,
    node_key::{create as create_node_key, load as load_node_key},
    seal::SEAL_OVERHEAD_BYTES,
};
use self::{
    seal::Secret,
    slots::{Slot, SlotFile},
};

/// Result of a keyring operation.
pub type Result<T> = std::result::Result<T, KeyError>;

/// Most keys made in one call.
pub const CREATE_MAX: usize = 16_384;

/// Names a key. Random, so that it says nothing about whose key it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 16]);

impl KeyId {
    /// The node's own key, for things that belong to no subject. It cannot be destroyed.
    pub const NODE: Self = Self([0; 16]);

    /// The id with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NODE {
            f.write_str("KeyId(node)")
        } else {
            // Enough to tell keys apart in a test, too little to follow a subject through logs.
            write!(f, "KeyId({:02x}…)", self.0[0])
        }
    }
}

/// The keys of this institution.
pub struct KeyRing {
    /// Wraps the others; derived from the node key.
    wrapping: Secret,
    /// Random, made with the ring: what the node's own key and the index keys come from. It is wrapped like
    /// the others, so that the node key itself could be replaced without losing them.
    root: Secret,
    entropy: Arc<dyn Entropy>,
    inner: Mutex<Inner>,
}

struct Inner {
    slots: BTreeMap<KeyId, Held>,
    /// Slots that hold nothing and may be used again.
    free: BTreeSet<u32>,
    /// Number of slots in the file, used or not.
    count: u32,
    /// Slots that cannot be opened: never used again, so that they can be examined.
    unreadable: u32,
    /// `None`: everything is in memory only.
    file: Option<SlotFile>,
}

struct Held {
    index: u32,
    slot: Slot,
}

impl KeyRing {
    /// Opens the file of wrapped keys at `path`, making it if it does not exist.
    ///
    /// # Errors
    /// [`KeyError::WrongNodeKey`] when it was made under another node key, [`KeyError::NotAKeyFile`],
    /// [`KeyError::InUse`], [`KeyError::Io`].
    pub fn open(path: &Path, node_key: &[u8; 32], entropy: Arc<dyn Entropy>) -> Result<Self> {
        let wrapping = wrapping_key(node_key);
        let mut file = SlotFile::open(path)?;
        let root = match file.root()? {
            Some(sealed) => {
                let root = seal::open(&wrapping, ROOT_AAD, &sealed).map_err(|_| KeyError::WrongNodeKey)?;
                secret(&root).ok_or_else(|| KeyError::NotAKeyFile { path: path.to_owned() })?
            }
            None => {
                let root = random_secret(&*entropy);
                file.begin(&seal::seal(&wrapping, ROOT_AAD, &*root, &*entropy)?)?;
                root
            }
        };
        let mut inner =
            Inner { slots: BTreeMap::new(), free: BTreeSet::new(), count: 0, unreadable: 0, file: None };
        for (index, slot) in (0_u32..).zip(file.slots()?) {
            inner.count = index + 1;
            match slot {
                None => _ = inner.free.insert(index),
                Some(slot) if unwrap(&wrapping, &slot).is_ok() => {
                    inner.slots.insert(slot.id(), Held { index, slot });
                }
                Some(_) => inner.unreadable += 1,
            }
        }
        if inner.unreadable > 0 {
            tracing::error!(
                slots = inner.unreadable,
                "keys that cannot be opened: restore the key file's backup"
            );
        }
        inner.file = Some(file);
        Ok(Self { wrapping, root, entropy, inner: Mutex::new(inner) })
    }

    /// A ring in memory, for simulations.
    #[must_use]
    pub fn in_memory(entropy: Arc<dyn Entropy>) -> Self {
        let (slots, free) = (BTreeMap::new(), BTreeSet::new());
        let inner = Inner { slots, free, count: 0, unreadable: 0, file: None };
        let (wrapping, root) = (random_secret(&*entropy), random_secret(&*entropy));
        Self { wrapping, root, entropy, inner: Mutex::new(inner) }
    }

    /// Makes a key and returns when it is durable.
    ///
    /// # Errors
    /// As [`Self::create_many`].
    pub fn create(&self) -> Result<KeyId> {
        self.create_many(1)?.pop().ok_or(KeyError::NoSuchKey)
    }

    /// Makes `count` keys, at most [`CREATE_MAX`], and returns when all are durable. One sync serves all.
    ///
    /// # Errors
    /// [`KeyError::TooMany`], [`KeyError::Io`]. After an error none of them is used.
    pub fn create_many(&self, count: usize) -> Result<Vec<KeyId>> {
        if count > CREATE_MAX {
            return Err(KeyError::TooMany { count, limit: CREATE_MAX });
        }
        let mut inner = self.inner();
        let mut made = Vec::with_capacity(count);
        let mut free = inner.free.iter().copied().take(count).collect::<Vec<_>>().into_iter();
        for _ in 0..count {
            let index = match free.next() {
                Some(index) => index,
                None => {
                    let index = inner.count;
                    inner.count =
                        index.checked_add(1).ok_or(KeyError::TooMany { count, limit: CREATE_MAX })?;
                    // Free until its key is durable, so that an error on the way loses no slot.
                    inner.free.insert(index);
                    index
                }
            };
            made.push((index, self.wrap_new()?));
        }
        if let Some(file) = &mut inner.file {
            file.write(made.iter().map(|(index, slot)| (*index, Some(slot))))?;
        }
        let ids = made.iter().map(|(_, slot)| slot.id()).collect();
        for (index, slot) in made {
            inner.free.remove(&index);
            inner.slots.insert(slot.id(), Held { index, slot });
        }
        Ok(ids)
    }

    /// Whether the ring has this key.
    #[must_use]
    pub fn contains(&self, id: KeyId) -> bool {
        id == KeyId::NODE || self.inner().slots.contains_key(&id)
    }

    /// Destroys a key and returns when it is gone from the disk. What was sealed under it can never be
    /// opened again. Destroying a key that is not there is no error, so that an interrupted erasure can be
    /// repeated; `false` says so.
    ///
    /// # Errors
    /// [`KeyError::NodeKeyStays`], [`KeyError::Io`]: the key may then be gone or not; repeat.
    pub fn destroy(&self, id: KeyId) -> Result<bool> {
        Ok(self.destroy_many(&[id])? == 1)
    }

    /// Destroys several keys with one sync; returns how many there were.
    ///
    /// # Errors
    /// As [`Self::destroy`].
    pub fn destroy_many(&self, ids: &[KeyId]) -> Result<usize> {
        if ids.contains(&KeyId::NODE) {
            return Err(KeyError::NodeKeyStays);
        }
        let mut inner = self.inner();
        let present: BTreeMap<KeyId, u32> =
            ids.iter().filter_map(|id| Some((*id, inner.slots.get(id)?.index))).collect();
        if let (Some(file), false) = (&mut inner.file, present.is_empty()) {
            file.write(present.values().map(|index| (*index, None)))?;
        }
        for (id, index) in &present {
            inner.slots.remove(id);
            inner.free.insert(*index);
        }
        Ok(present.len())
    }

    /// Seals `plaintext` under a key. `aad` says where the result belongs (keyspace and key of its row), so
    /// that sealed values cannot be exchanged for one another. The result is [`SEAL_OVERHEAD_BYTES`] longer.
    ///
    /// # Errors
    /// [`KeyError::NoSuchKey`].
    pub fn seal(&self, id: KeyId, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>> {
        seal::seal(&self.secret_of(id)?, aad, plaintext, &*self.entropy)
    }

    /// Opens what [`Self::seal`] made with the same key and `aad`.
    ///
    /// # Errors
    /// [`KeyError::NoSuchKey`] (never made, or destroyed), [`KeyError::NotAuthentic`].
    pub fn open_sealed(&self, id: KeyId, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        seal::open(&self.secret_of(id)?, aad, sealed)
    }

    /// A keyed digest of `data` for use as an index, different for each `purpose`: HMAC-SHA256. Without the
    /// node key nobody can tell or guess what was digested, nor join it with another institution's.
    #[must_use]
    pub fn index(&self, purpose: &str, data: &[u8]) -> [u8; 32] {
        let key = derive(&self.root, &[b"hibiki index key v1 ", purpose.as_bytes()].concat());
        seal::mac(&key, data)
    }

    /// Number of keys, and of slots that cannot be opened.
    #[must_use]
    pub fn counts(&self) -> (usize, u32) {
        let inner = self.inner();
        (inner.slots.len(), inner.unreadable)
    }

    fn wrap_new(&self) -> Result<Slot> {
        let mut id = [0; 16];
        // A zero id would name the node's key and an empty slot.
        while id == [0; 16] {
            self.entropy.fill(&mut id);
        }
        let secret = random_secret(&*self.entropy);
        let sealed = seal::seal(&self.wrapping, &slot_aad(KeyId(id)), &*secret, &*self.entropy)?;
        Slot::new(KeyId(id), &sealed).ok_or(KeyError::NotAuthentic)
    }

    fn secret_of(&self, id: KeyId) -> Result<Secret> {
        if id == KeyId::NODE {
            return Ok(derive(&self.root, b"hibiki node data key v1"));
        }
        let inner = self.inner();
        let held = inner.slots.get(&id).ok_or(KeyError::NoSuchKey)?;
        unwrap(&self.wrapping, &held.slot)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (keys, unreadable) = self.counts();
        f.debug_struct("KeyRing")
            .field("keys", &keys)
            .field("unreadable", &unreadable)
            .finish_non_exhaustive()
    }
}

const ROOT_AAD: &[u8] = b"hibiki keyring root v1";

fn slot_aad(id: KeyId) -> Vec<u8> {
    [b"hibiki keyring slot v1 ".as_slice(), &id.0].concat()
}

fn unwrap(wrapping: &Secret, slot: &Slot) -> Result<Secret> {
    let opened = seal::open(wrapping, &slot_aad(slot.id()), slot.sealed())?;
    secret(&opened).ok_or(KeyError::NotAuthentic)
}

fn wrapping_key(node_key: &[u8; 32]) -> Secret {
    derive(&Zeroizing::new(*node_key), b"hibiki key wrapping v1")
}

#[expect(clippy::expect_used, reason = "32 bytes are below HKDF's limit of 255 digests, its only error")]
fn derive(from: &Secret, info: &[u8]) -> Secret {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, &**from).expand(info, &mut *key).expect("32 bytes");
    key
}

fn secret(bytes: &[u8]) -> Option<Secret> {
    bytes.try_into().ok().map(Zeroizing::new)
}

fn random_secret(entropy: &dyn Entropy) -> Secret {
    let mut key = Zeroizing::new([0; 32]);
    entropy.fill(&mut *key);
    key
}

#[cfg(test)]
mod tests;
