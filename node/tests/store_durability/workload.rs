//! What the writer writes: several lanes, each a fixed sequence of batches, so that from "lane 3 was
//! acknowledged up to 812" follows every byte that must be found.

use std::{collections::BTreeMap, path::Path};

use hibiki_node::{
    keyring::KeyRing,
    store::{Batch, Keyspace, SledOptions, Store},
};

use crate::Numbers;

pub(crate) const LANES: u32 = 16;
const SLOTS: u64 = 40;

pub(crate) fn options(dir: &Path) -> SledOptions {
    SledOptions { cache_bytes: 64 << 20, reserve_bytes: 0, ..SledOptions::new(dir.join("store")) }
}

/// Sizes as records have them: mostly about a kilobyte, now and then a large one, which lies in pieces.
fn value(lane: u32, number: u64, slot: u64) -> Vec<u8> {
    let mut numbers = Numbers(u64::from(lane) << 48 | number << 8 | slot);
    let len = match numbers.below(24) {
        0 => 40_000 + numbers.below(60_000),
        1 | 2 => 12_000,
        _ => 200 + numbers.below(1_400),
    };
    let mut value = Vec::with_capacity(len as usize + 8);
    while value.len() < len as usize {
        value.extend(numbers.next().to_le_bytes());
    }
    value
}

/// What batch `number` of a lane changes: slot to the batch whose value it has, `None` removes.
fn changes(number: u64) -> BTreeMap<u64, Option<u64>> {
    let mut changes = BTreeMap::new();
    if number.is_multiple_of(3) {
        changes.insert((number * 11 + 3) % SLOTS, None);
    }
    changes.insert(number * 7 % SLOTS, Some(number));
    changes.insert((number * 13 + 5) % SLOTS, Some(number));
    changes
}

fn slot_key(lane: u32, slot: u64) -> Vec<u8> {
    [lane.to_be_bytes().as_slice(), &slot.to_be_bytes()].concat()
}

fn lane_key(lane: u32) -> Vec<u8> {
    [b"lane".as_slice(), &lane.to_be_bytes()].concat()
}

pub(crate) fn batch(lane: u32, number: u64) -> Batch {
    let mut batch = Batch::new();
    for (slot, of) in changes(number) {
        match of {
            Some(of) => batch.put(Keyspace::Records, slot_key(lane, slot), value(lane, of, slot)),
            None => batch.delete(Keyspace::Records, slot_key(lane, slot)),
        };
    }
    // In another keyspace, so that atomicity over keyspaces is tested with it.
    batch.put(Keyspace::Meta, lane_key(lane), number.to_be_bytes());
    batch
}

/// The last batch of a lane that the store holds.
pub(crate) fn last(store: &dyn Store, lane: u32) -> u64 {
    let last = store.snapshot().unwrap().get(Keyspace::Meta, &lane_key(lane)).unwrap();
    last.map_or(0, |last| u64::from_be_bytes(last.try_into().unwrap()))
}

/// Compares the store with what was acknowledged.
///
/// # Errors
/// What was lost or is wrong.
pub(crate) fn check(store: &dyn Store, acknowledged: &BTreeMap<u32, u64>) -> Result<(), String> {
    let report = store.verify().map_err(|error| error.to_string())?;
    if !report.is_sound() {
        return Err(format!("verify: {:?}", report.problems));
    }
    let view = store.snapshot().map_err(|error| error.to_string())?;
    for lane in 0..LANES {
        let last = last(store, lane);
        let acknowledged = acknowledged.get(&lane).copied().unwrap_or(0);
        // One batch of a lane is on its way at a time: it may be there without having been acknowledged.
        if last < acknowledged || last > acknowledged + 1 {
            return Err(format!("lane {lane}: acknowledged {acknowledged}, found {last}"));
        }
        let mut slots = BTreeMap::new();
        (1..=last).for_each(|number| slots.extend(changes(number)));
        for (slot, of) in slots {
            let found =
                view.get(Keyspace::Records, &slot_key(lane, slot)).map_err(|error| error.to_string())?;
            if found != of.map(|of| value(lane, of, slot)) {
                return Err(format!("lane {lane}: slot {slot} is not as batch {of:?} left it"));
            }
        }
    }
    Ok(())
}

/// Keys acknowledged as made, as being destroyed, and as destroyed.
#[derive(Default, Debug)]
pub(crate) struct Keys {
    pub(crate) made: Vec<[u8; 16]>,
    pub(crate) doubtful: Vec<[u8; 16]>,
    pub(crate) destroyed: Vec<[u8; 16]>,
}

impl Keys {
    /// Compares a keyring with what was acknowledged.
    ///
    /// # Errors
    /// What was lost, or is still there.
    pub(crate) fn check(&self, ring: &KeyRing) -> Result<(), String> {
        if ring.counts().1 > 0 {
            return Err(format!("{} unreadable keys", ring.counts().1));
        }
        let is_there = |id: &[u8; 16]| ring.contains(hibiki_node::keyring::KeyId::from_bytes(*id));
        for id in self.made.iter().filter(|id| !self.doubtful.contains(id)) {
            if !is_there(id) {
                return Err("an acknowledged key is lost".to_owned());
            }
        }
        if self.destroyed.iter().any(is_there) {
            return Err("a destroyed key is back".to_owned());
        }
        Ok(())
    }
}
