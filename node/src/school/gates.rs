//! Arrival and leaving: touches at the school's gate, kept for sixty days.
//!
//! ```text
//! School  g ‖ day ‖ pupil ‖ minute (u16 BE) ‖ direction     sealed under her key
//! ```

pub mod commands;

use std::collections::BTreeSet;
use std::sync::Arc;

use hibiki_protocol::registration::MailKind;
use hibiki_records::category::{Category, SCHOOL_CBOR};
use hibiki_records::date::CalendarDate;
use hibiki_records::gate::{Direction, Touch};
use serde::{Deserialize, Serialize};

use super::announce::{Announcer, News};
use super::notices::SendError;
use super::roster::Roster;
use crate::institution::Means;
use crate::keyring::KeyId;
use crate::recordbook::StoredRecord;
use crate::store::Keyspace;
use crate::vault::form::{Form, Part, sealed};
use crate::vault::{Row, VaultError};

const TABLE: Keyspace = Keyspace::School;

/// The forms of its rows.
pub(super) const FORMS: &[Form] =
    &[sealed::<TouchRow>("gate", TABLE, b"g", &[Part::Day, Part::Subject, Part::Bytes(3)])];

/// Days for which touches are kept.
const KEPT_DAYS: i32 = 60;
/// Days for which guardians are shown them.
const SHOWN_DAYS: i32 = 14;
/// A touch older than this many days is not taken any more.
const LATE_DAYS: i32 = 7;
/// Rows swept in one go.
const SWEPT_AT_ONCE: usize = 1_024;

#[derive(Clone, Serialize, Deserialize)]
struct TouchRow {
    touch: Touch,
    at: u64,
}

/// The gate. Shared behind an [`Arc`].
pub struct Gates {
    pub(super) means: Means,
    pub(super) roster: Arc<Roster>,
    pub(super) announcer: Arc<Announcer>,
}

/// What became of a touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was noted.
    Noted,
    /// It was there.
    Known,
    /// It is older than a week, or of the future.
    OutOfTime,
}

impl Gates {
    /// Notes a touch. The same twice is noted once.
    ///
    /// # Errors
    /// Nobody has the number, or it could not be stored.
    pub async fn take(&self, number: &str, touch: Touch) -> Result<Taken, SendError> {
        let now = self.means.now().0;
        let today = CalendarDate::in_japan(now).ok_or(SendError::NoSuchEntry)?;
        let age = today.days_since(touch.day);
        // A clock at the gate may be a minute ahead, not a day.
        if age > LATE_DAYS || super::alert::hours::in_japan(touch.day, touch.minute) > now + 10 * 60_000 {
            return Ok(Taken::OutOfTime);
        }
        let key = self.roster.key(number)?;
        let place = place(&key, &touch);
        if self.means.vault.contains(TABLE, &place)? {
            return Ok(Taken::Known);
        }
        let mut change = self.means.vault.change();
        change.put_under(KeyId::from_bytes(key), TABLE, &place, &TouchRow { touch, at: now })?;
        if age == 0 {
            let label = touch.direction.label();
            let news = News {
                kind: MailKind::Gate,
                name: &place,
                title: format!("{}のお知らせ", label.ja),
                text: format!(
                    "お子さまが {} に{}しました。\n\nYour child {} school at {}.",
                    touch.clock(),
                    label.ja,
                    if touch.direction == Direction::In { "came to" } else { "left" },
                    touch.clock()
                ),
            };
            self.announcer.tell(&mut change, &BTreeSet::from([key]), &news)?;
        }
        change.commit().await?;
        self.announcer.outbox.wake();
        self.sweep(today).await?;
        Ok(Taken::Noted)
    }

    async fn sweep(&self, today: CalendarDate) -> Result<(), VaultError> {
        let Some(oldest) = today.plus_days(-KEPT_DAYS) else { return Ok(()) };
        let old = self.means.vault.marks_before(TABLE, b"g", oldest.to_string().as_bytes(), SWEPT_AT_ONCE)?;
        if old.is_empty() {
            return Ok(());
        }
        let mut change = self.means.vault.change();
        old.iter().for_each(|rest| change.delete(TABLE, &[b"g", rest.as_slice()].concat()));
        change.commit().await
    }

    /// A pupil's touches of the last days, as records.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn records_of(&self, key: &[u8; 16], today: CalendarDate) -> Result<Vec<StoredRecord>, VaultError> {
        let mut records = Vec::new();
        for day in (0..=SHOWN_DAYS).filter_map(|ago| today.plus_days(-ago)) {
            let prefix = [b"g", day.to_string().as_bytes(), key].concat();
            let rows: Vec<Row<TouchRow>> = self.means.vault.rows(TABLE, &prefix)?;
            for row in rows {
                let Ok(content) = row.value.touch.to_cbor() else { continue };
                records.push(StoredRecord {
                    category: Category::SchoolGate,
                    id: format!("{day} {}", row.value.touch.clock()),
                    date: day,
                    updated_at: Some(row.value.at),
                    media_type: SCHOOL_CBOR.to_owned(),
                    content,
                    from_group: false,
                });
            }
        }
        Ok(records)
    }
}

fn place(key: &[u8; 16], touch: &Touch) -> Vec<u8> {
    let direction = match touch.direction {
        Direction::In => b'i',
        Direction::Out => b'o',
    };
    [b"g", touch.day.to_string().as_bytes(), key, &touch.minute.to_be_bytes(), &[direction]].concat()
}

impl std::fmt::Debug for Gates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gates(***)")
    }
}
