//! Opening a ledger: heads first, then the journal against them, then a clean end to write on.

use std::sync::{Arc, RwLock};

use super::Setup;
use super::details::Start;
use super::entry::{Entry, Prepared};
use super::error::{NotLogged, OpenError};
use super::head::read_heads;
use super::index::Index;
use super::journal::{Journal, Urgency, segment_path};
use super::record::OriginTag;
use super::replay::{Extent, Found, replay};
use super::storage::Storage;
use super::tiles::Tiles;
use super::writer::Writer;

/// Opens or begins the ledger on a storage.
pub(super) fn open(
    storage: &Arc<dyn Storage>,
    setup: &Setup,
    now: u64,
) -> Result<(Writer, Arc<RwLock<Index>>), OpenError> {
    let key = setup.signer.verifier_key();
    let origin = key.name();
    let heads = read_heads(storage.as_ref(), key)?;
    let head = heads.newest.as_ref().map(|head| head.checkpoint.clone());
    let signed = head.as_ref().map_or(0, |head| head.size);

    let mut tiles = Tiles::default();
    let mut index = Index::default();
    let mut root_then = None;
    let cosigned = heads.cosigned.as_ref().map(|head| head.checkpoint.clone());
    let mut root_cosigned = None;
    let extent = Extent { signed, until: u64::MAX };
    let found = replay(storage.as_ref(), origin, extent, |place, record| {
        index.push(place, record.subject);
        index.note_answered(record.leaf, now);
        tiles.append(record.leaf);
        if cosigned.as_ref().is_some_and(|cosigned| cosigned.size == tiles.size()) {
            root_cosigned = Some(tiles.root());
        }
        if tiles.size() == signed {
            root_then = Some(tiles.root());
        }
        if tiles.size() <= signed {
            // On disk since the checkpoint was signed.
            tiles.take_full();
        }
    })?;
    if let Some(head) = head
        && signed > 0
        && root_then != Some(head.root)
    {
        return Err(OpenError::Differs { size: signed });
    }
    if let Some(cosigned) = cosigned
        && cosigned.size > 0
        && root_cosigned != Some(cosigned.root)
    {
        return Err(OpenError::Differs { size: cosigned.size });
    }
    index.head = heads.newest;
    index.cosigned = heads.cosigned;
    let torn_bytes = clear_torn_end(storage.as_ref(), &found)?;

    let mut end = found.end;
    // A segment that a crash kept from being allocated whole is allocated anew.
    end.spare = end.spare.filter(|len| *len >= setup.sizes.segment_bytes);
    let journal = Journal::new(Arc::clone(storage), OriginTag::of(origin), setup.sizes, end);
    let index = Arc::new(RwLock::new(index));
    let mut writer = Writer {
        storage: Arc::clone(storage),
        signer: Arc::clone(&setup.signer),
        journal,
        tiles,
        index: Arc::clone(&index),
        history_len: heads.history_len,
        stand: Arc::default(),
        start: None,
    };
    log_start(&mut writer, setup, now, torn_bytes)?;
    Ok((writer, index))
}

/// Overwrites what a crash left behind the last entry. The blocks are ours: this needs no space.
fn clear_torn_end(storage: &dyn Storage, found: &Found) -> Result<u64, OpenError> {
    let Some(torn) = found.torn else { return Ok(0) };
    let path = segment_path(torn.segment);
    let zeroes = vec![0; usize::try_from(torn.len).unwrap_or(0)];
    storage.write_at(&path, torn.offset, &zeroes).map_err(OpenError::io(&path))?;
    storage.sync(&path).map_err(OpenError::io(&path))?;
    Ok(torn.len)
}

/// Writes the entry about the start, or keeps it for when there is space.
fn log_start(writer: &mut Writer, setup: &Setup, now: u64, torn_bytes: u64) -> Result<(), OpenError> {
    let start = Start { software: env!("CARGO_PKG_VERSION").to_owned(), torn_bytes };
    let entry = Entry::new(now, None, &start)?;
    let origin = setup.signer.verifier_key().name();
    let entry = Prepared::new(&entry, origin, setup.entropy.as_ref(), setup.sealer.as_ref())?;
    match writer.append(&[(entry.clone(), Urgency::Reserved)]).pop() {
        Some(Ok(_)) => Ok(()),
        Some(Err(NotLogged::NoSpace)) => {
            tracing::warn!("no space left for the ledger: nothing is released until there is");
            writer.start = Some(entry);
            Ok(())
        }
        Some(Err(error)) => Err(error.into()),
        None => Err(NotLogged::Closed.into()),
    }
}
