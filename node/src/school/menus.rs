//! Menus: drafts as they came, and what the nutritionist has accepted, with what is known of its allergens.
//!
//! A menu counts from its acceptance on. It is surveyed then, with the kitchen's own words; whatever replaces it gets the
//! next revision. Nothing unknown is accepted unless somebody says so, and such a day cannot be cleared for anybody.
//!
//! ```text
//! School  m ‖ day ‖ kitchen's index     draft and accepted menu, sealed under the node's key
//!         w ‖ word's index              a word of one kitchen or of all, likewise
//! ```

pub mod commands;
#[cfg(test)]
mod tests;
mod vocabulary;

use hibiki_records::category::{Category, SCHOOL_CBOR};
use hibiki_records::date::CalendarDate;
use hibiki_records::lunch::{Lexicon, LunchDay, Menu, Survey, survey};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

pub use vocabulary::KitchenWord;

use crate::institution::Means;
use crate::ledger::{NotLogged, details};
use crate::recordbook::StoredRecord;
use crate::store::Keyspace;
use crate::vault::form::{Form, Part, sealed};
use crate::vault::{Row, VaultError};

const TABLE: Keyspace = Keyspace::School;

/// The forms of its rows.
pub(super) const FORMS: &[Form] = &[
    sealed::<MenuRow>("menu", TABLE, b"m", &[Part::Day, Part::Digest]),
    sealed::<KitchenWord>("kitchen's word", TABLE, b"w", &[Part::Digest]),
];

/// Days of menus a guardian is shown, before and after today.
const SHOWN_DAYS: std::ops::RangeInclusive<i32> = -14..=60;

/// Menus in one commit, and surveyed before others have a turn.
const MENUS_AT_ONCE: usize = 100;

/// Days looked at in one go, at most.
const DAYS_MAX: i32 = 800;

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct MenuRow {
    kitchen: String,
    draft: Option<Menu>,
    accepted: Option<LunchDay>,
    /// When it was accepted, in milliseconds since the Unix epoch.
    #[serde(default)]
    at: u64,
}

/// A menu as staff see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What is served as far as is known: the draft, if there is one.
    pub menu: Menu,
    /// What is known of its allergens, with the words of today.
    pub survey: Survey,
    /// Whether it awaits acceptance.
    pub draft: bool,
    /// Revision of the accepted one; 0: none is.
    pub revision: u32,
    /// Whether the accepted one would read differently with the words of today.
    pub outdated: bool,
}

/// What became of a menu that was brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Brought {
    /// There was none for this kitchen and day.
    New,
    /// There was another.
    Changed,
    /// Exactly this was there.
    Unchanged,
}

/// What became of an acceptance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Accepted now: kitchen, day, revision.
    pub accepted: Vec<(String, CalendarDate, u32)>,
    /// Accepted before, exactly so.
    pub unchanged: usize,
    /// Not accepted: what nobody knows.
    pub refused: Vec<(String, CalendarDate, Vec<String>)>,
}

/// Why a menu could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum MenuError {
    /// The tables.
    #[error("{0}")]
    Vault(#[from] VaultError),
    /// The ledger: nothing was done.
    #[error("{0}; nothing was changed")]
    NotLogged(#[from] NotLogged),
    /// No such menu.
    #[error(
        "there is no menu for this kitchen and day; see `hibiki-node school menu list` / その献立はありません"
    )]
    NoSuchMenu,
    /// No such word.
    #[error(
        "the kitchens have no such word; see `hibiki-node school menu words` / そのことばは登録されていません"
    )]
    NoSuchWord,
    /// No record can be made of it.
    #[error(
        "the menu of {0} has nothing to eat in it, or too much; mend the file and bring it again / 献立として読めません"
    )]
    NoRecord(CalendarDate),
}

/// The menus. Shared behind an [`Arc`](std::sync::Arc).
pub struct Menus {
    means: Means,
    /// The kitchen of a file that names none.
    kitchen: String,
    changes: watch::Sender<u64>,
    turn: tokio::sync::Mutex<()>,
}

impl Menus {
    /// The menus in these tables.
    pub fn new(means: Means, kitchen: String) -> Self {
        Self { means, kitchen, changes: watch::Sender::new(0), turn: tokio::sync::Mutex::default() }
    }

    /// Counts up whenever a menu is accepted.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The accepted menu of a kitchen for a day.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn accepted(&self, kitchen: &str, day: CalendarDate) -> Result<Option<LunchDay>, VaultError> {
        Ok(self.row(kitchen, day)?.and_then(|row| row.value.accepted))
    }

    /// Whether something waits that would change the accepted menu: another draft, or words that were written since.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn is_behind(&self, kitchen: &str, day: CalendarDate) -> Result<bool, VaultError> {
        let Some(row) = self.row(kitchen, day)? else { return Ok(false) };
        let standing = standing(&row.value, self.lexicons()?.of(kitchen));
        Ok(standing.is_some_and(|it| it.revision > 0 && (it.draft || it.outdated)))
    }

    /// The accepted menus a guardian of a child who eats from this kitchen is shown, as records.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn records_of(&self, kitchen: &str, today: CalendarDate) -> Result<Vec<StoredRecord>, VaultError> {
        let mut records = Vec::new();
        for day in SHOWN_DAYS.filter_map(|days| today.plus_days(days)) {
            let Some(row) = self.row(kitchen, day)? else { continue };
            let Some(content) = row.value.accepted.as_ref().and_then(|day| day.to_cbor().ok()) else {
                continue;
            };
            records.push(StoredRecord {
                category: Category::SchoolMenu,
                id: day.to_string(),
                date: day,
                updated_at: Some(row.value.at),
                media_type: SCHOOL_CBOR.to_owned(),
                content,
                from_group: true,
            });
        }
        Ok(records)
    }

    /// Takes menus in as drafts. `progress` hears how many are in.
    ///
    /// # Errors
    /// It could not be logged or stored. Repeating it completes it.
    pub async fn bring(
        &self,
        menus: Vec<Menu>,
        staff: &str,
        mut progress: impl FnMut(usize),
    ) -> Result<Vec<(Menu, Brought)>, MenuError> {
        let _turn = self.turn.lock().await;
        self.log(commands::IMPORT, staff).await?;
        let mut brought = Vec::new();
        for chunk in menus.chunks(MENUS_AT_ONCE) {
            let mut change = self.means.vault.change();
            for menu in chunk {
                let row = self.row(&menu.kitchen, menu.date)?.map(|row| row.value);
                let now = row.as_ref().and_then(|row| {
                    row.draft.as_ref().or_else(|| row.accepted.as_ref().map(|accepted| &accepted.menu))
                });
                let what = match now {
                    None => Brought::New,
                    Some(now) if now == menu => Brought::Unchanged,
                    Some(_) => Brought::Changed,
                };
                if what != Brought::Unchanged {
                    let back =
                        row.as_ref().and_then(|row| row.accepted.as_ref()).is_some_and(|it| it.menu == *menu);
                    let row = MenuRow {
                        kitchen: menu.kitchen.clone(),
                        draft: (!back).then(|| menu.clone()),
                        at: row.as_ref().map_or(0, |row| row.at),
                        accepted: row.and_then(|row| row.accepted),
                    };
                    change.put(TABLE, &self.place(&menu.kitchen, menu.date), &row)?;
                }
                brought.push((menu.clone(), what));
            }
            if !change.is_empty() {
                change.commit().await?;
            }
            progress(brought.len());
        }
        Ok(brought)
    }

    /// The menus from one day to another, of one kitchen or of all, in the order of days.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn list(
        &self,
        kitchen: Option<&str>,
        from: CalendarDate,
        to: CalendarDate,
    ) -> Result<Vec<Standing>, MenuError> {
        let mut lexicons = self.lexicons()?;
        let mut listed = Vec::new();
        for (done, row) in self.between(kitchen, from, to)?.into_iter().enumerate() {
            if done % MENUS_AT_ONCE == MENUS_AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
            listed.extend(standing(&row.value, lexicons.of(&row.value.kitchen)));
        }
        Ok(listed)
    }

    /// One menu.
    ///
    /// # Errors
    /// There is none, or the table cannot be read.
    pub fn show(&self, kitchen: &str, day: CalendarDate) -> Result<Standing, MenuError> {
        let row = self.row(kitchen, day)?.ok_or(MenuError::NoSuchMenu)?;
        standing(&row.value, self.lexicons()?.of(kitchen)).ok_or(MenuError::NoSuchMenu)
    }

    /// Accepts the drafts of these days, and what the words of today read differently.
    ///
    /// # Errors
    /// It could not be logged or stored. Repeating it completes it.
    pub async fn accept(
        &self,
        kitchen: Option<&str>,
        (from, to): (CalendarDate, CalendarDate),
        with_unknown: bool,
        staff: &str,
    ) -> Result<Accepted, MenuError> {
        let _turn = self.turn.lock().await;
        self.log(commands::ACCEPT, staff).await?;
        let mut lexicons = self.lexicons()?;
        let mut done = Accepted::default();
        let rows = self.between(kitchen, from, to)?;
        for chunk in rows.chunks(MENUS_AT_ONCE) {
            let mut change = self.means.vault.change();
            for row in chunk {
                let lexicon = lexicons.of(&row.value.kitchen);
                self.accept_one(row, lexicon, with_unknown, &mut change, &mut done)?;
            }
            match change.is_empty() {
                true => tokio::task::yield_now().await,
                false => change.commit().await?,
            }
        }
        if !done.accepted.is_empty() {
            self.changes.send_modify(|count| *count = count.wrapping_add(1));
        }
        Ok(done)
    }

    fn accept_one(
        &self,
        row: &Row<MenuRow>,
        lexicon: &Lexicon,
        with_unknown: bool,
        change: &mut crate::vault::Change<'_>,
        done: &mut Accepted,
    ) -> Result<(), MenuError> {
        let MenuRow { kitchen, draft, accepted, .. } = &row.value;
        let Some(menu) = draft.as_ref().or_else(|| accepted.as_ref().map(|accepted| &accepted.menu)) else {
            return Ok(());
        };
        let found = survey(menu, lexicon);
        if accepted.as_ref().is_some_and(|accepted| accepted.menu == *menu && accepted.survey == found) {
            done.unchanged += 1;
            return Ok(());
        }
        if !found.unknown.is_empty() && !with_unknown {
            let things = found.unknown.iter().map(|source| source.label().ja).collect();
            done.refused.push((kitchen.clone(), menu.date, things));
            return Ok(());
        }
        let revision = accepted.as_ref().map_or(1, |accepted| accepted.revision.saturating_add(1));
        let day = LunchDay { menu: menu.clone(), revision, survey: found };
        // What cannot be written as a record could be shown to nobody.
        day.to_cbor().map_err(|_| MenuError::NoRecord(menu.date))?;
        done.accepted.push((kitchen.clone(), menu.date, revision));
        let row =
            MenuRow { kitchen: kitchen.clone(), draft: None, accepted: Some(day), at: self.means.now().0 };
        change.put(TABLE, &self.place(&row.kitchen, menu.date), &row)?;
        Ok(())
    }

    fn between(
        &self,
        kitchen: Option<&str>,
        from: CalendarDate,
        to: CalendarDate,
    ) -> Result<Vec<Row<MenuRow>>, VaultError> {
        let mut rows = Vec::new();
        let days = to.days_since(from).clamp(-1, DAYS_MAX);
        for day in (0..=days).filter_map(|days| from.plus_days(days)) {
            let found: Vec<Row<MenuRow>> =
                self.means.vault.rows(TABLE, &[b"m".as_slice(), day.to_string().as_bytes()].concat())?;
            rows.extend(
                found.into_iter().filter(|row| kitchen.is_none_or(|kitchen| row.value.kitchen == kitchen)),
            );
        }
        rows.sort_by(|a, b| {
            let day = |row: &Row<MenuRow>| row.key().get(1..11).map(<[u8]>::to_vec);
            day(a).cmp(&day(b)).then_with(|| a.value.kitchen.cmp(&b.value.kitchen))
        });
        Ok(rows)
    }

    fn row(&self, kitchen: &str, day: CalendarDate) -> Result<Option<Row<MenuRow>>, VaultError> {
        self.means.vault.get(TABLE, &self.place(kitchen, day))
    }

    fn place(&self, kitchen: &str, day: CalendarDate) -> Vec<u8> {
        let index = self.means.vault.index("kitchen", kitchen.as_bytes());
        [b"m".as_slice(), day.to_string().as_bytes(), &index].concat()
    }

    async fn log(&self, action: &str, staff: &str) -> Result<(), NotLogged> {
        let entry = details::Staff { by: staff.to_owned(), action: action.to_owned() };
        self.means.log(None, &entry).await.map(drop)
    }
}

fn standing(row: &MenuRow, lexicon: &Lexicon) -> Option<Standing> {
    let menu = row.draft.as_ref().or_else(|| row.accepted.as_ref().map(|accepted| &accepted.menu))?.clone();
    let survey = survey(&menu, lexicon);
    let accepted = row.accepted.as_ref();
    let outdated = row.draft.is_none() && accepted.is_some_and(|accepted| accepted.survey != survey);
    let revision = accepted.map_or(0, |accepted| accepted.revision);
    Some(Standing { draft: row.draft.is_some(), revision, outdated, menu, survey })
}

impl std::fmt::Debug for Menus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Menus(***)")
    }
}
