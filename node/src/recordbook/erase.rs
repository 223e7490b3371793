//! Erasing: first the key, for good; then the rows, so that nothing is left lying about.

use super::{
    RecordBook, Result, SubjectId,
    layout::{self, Counter, ERASING, Kind, erasing},
    plan::add_to_count,
};
use crate::{
    keyring::KeyId,
    store::{Batch, Keyspace, SCAN_ROWS_MAX, StoreError},
};

/// Rows removed in one commit.
const PAGE_ROWS: usize = 512;

impl RecordBook {
    /// Erases a subject: what was sealed under its key can never be opened again, here or in any backup of
    /// the store, and its rows in this book are removed. Returns when that is durable. `false`: there was no
    /// such subject.
    ///
    /// An erasure interrupted by anything is finished by the next [`RecordBook::put_batch`] or
    /// [`RecordBook::open`]; until then the subject reads as one without records.
    ///
    /// # Errors
    /// [`super::BookError::Store`], [`super::BookError::Keys`]. The erasure may have begun then; repeat it.
    pub async fn erase(&self, subject: SubjectId) -> Result<bool> {
        let _writing = self.writing.lock().await;
        if self.store.snapshot()?.get(Keyspace::Subjects, &Kind::Person.row(subject.key()))?.is_none() {
            return Ok(false);
        }
        let mut intent = Batch::new();
        intent.put(Keyspace::Meta, erasing(subject.key()), []).urgent();
        self.committer.commit(intent).await?;
        self.complete_erasure(subject.key()).await?;
        Ok(true)
    }

    /// Finishes what an earlier process or a full disk left half done. Called with `writing` held.
    pub(super) async fn finish_erasures(&self) -> Result<()> {
        loop {
            let begun = self.store.snapshot()?.scan(Keyspace::Meta, ERASING, None, SCAN_ROWS_MAX)?;
            if begun.is_empty() {
                return Ok(());
            }
            for (key, _) in begun {
                self.complete_erasure(layout::last_id(&key, "an erasure")?).await?;
            }
        }
    }

    async fn complete_erasure(&self, subject: KeyId) -> Result<()> {
        self.keys.destroy(subject)?;
        loop {
            let Some((batch, finished)) = self.plan_removal(subject)? else { return Ok(()) };
            match self.committer.commit(batch).await {
                Ok(()) if finished => return Ok(()),
                // Another process counted meanwhile: look again.
                Ok(()) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The next rows to remove, and whether these are the last; `None` when nothing is left.
    fn plan_removal(&self, subject: KeyId) -> Result<Option<(Batch, bool)>> {
        let view = self.store.snapshot()?;
        if view.get(Keyspace::Meta, &erasing(subject))?.is_none() {
            return Ok(None);
        }
        let mut batch = Batch::new();
        batch.urgent();
        let mut removed = std::collections::BTreeMap::<Counter, u64>::new();
        let records = view.scan(Keyspace::Records, subject.as_bytes(), None, PAGE_ROWS)?;
        let is_last = records.len() < PAGE_ROWS;
        for (key, _) in records {
            if let Some(category) = layout::category_of(&key) {
                *removed.entry(Counter::Records(category)).or_default() += 1;
            }
            batch.delete(Keyspace::Records, key);
        }
        let memberships =
            view.scan(Keyspace::Groups, &layout::membership_prefix(subject), None, PAGE_ROWS)?;
        let is_last = is_last && memberships.len() < PAGE_ROWS;
        for (key, _) in memberships {
            let group = layout::last_id(&key, "a subject's groups")?;
            batch.delete(Keyspace::Groups, layout::member(group, subject));
            batch.delete(Keyspace::Groups, key);
        }
        if is_last {
            let row = Kind::Person.row(subject);
            if let Some(value) = view.get(Keyspace::Subjects, &row)? {
                let (digest, _) = layout::parse_row(&value, "a subject")?;
                batch.delete(Keyspace::Subjects, Kind::lookup(&digest)).delete(Keyspace::Subjects, row);
                *removed.entry(Counter::Subjects).or_default() += 1;
            }
            batch.delete(Keyspace::Meta, erasing(subject));
        }
        for (counter, removed) in removed {
            add_to_count(&mut batch, &*view, counter, |present| present.saturating_sub(removed))?;
        }
        Ok(Some((batch, is_last)))
    }
}
