//! The kitchens' own words: what the label of a product says, written down once.
//!
//! Two kitchens may buy two products of one name. A word is of the kitchen that wrote it down, or of all of them; where a
//! kitchen has a word of its own, that of all of them says nothing there.

use std::collections::BTreeMap;

use hibiki_records::date::CalendarDate;
use hibiki_records::lunch::{Lexicon, Word, survey};
use serde::{Deserialize, Serialize};

use super::{MENUS_AT_ONCE, MenuError, Menus, TABLE, commands};
use crate::vault::{Row, VaultError};

/// A word, and who wrote it down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitchenWord {
    /// The word and what it means.
    pub word: Word,
    /// The kitchen whose word it is; absent: every kitchen's.
    #[serde(default)]
    pub kitchen: Option<String>,
    /// The member of staff.
    pub by: String,
    /// When, in milliseconds since the Unix epoch.
    pub at: u64,
}

/// The lexicons of the kitchens, made as they are asked for.
pub(super) struct Lexicons {
    words: Vec<KitchenWord>,
    made: BTreeMap<String, Lexicon>,
}

impl Lexicons {
    /// The table of ingredients with this kitchen's words over it.
    pub(super) fn of(&mut self, kitchen: &str) -> &Lexicon {
        let Self { words, made } = self;
        made.entry(kitchen.to_owned()).or_insert_with(|| {
            let own = words.iter().filter(|word| word.kitchen.as_deref() == Some(kitchen));
            let common = words.iter().filter(|word| word.kitchen.is_none());
            // Of two spellings of one word the later holds.
            Lexicon::new(common.chain(own).map(|word| word.word.clone()))
        })
    }
}

impl Menus {
    pub(super) fn lexicons(&self) -> Result<Lexicons, VaultError> {
        Ok(Lexicons { words: self.words()?, made: BTreeMap::new() })
    }

    /// The kitchens' own words.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn words(&self) -> Result<Vec<KitchenWord>, VaultError> {
        let rows: Vec<Row<KitchenWord>> = self.means.vault.rows(TABLE, b"w")?;
        let mut words: Vec<KitchenWord> = rows.into_iter().map(|row| row.value).collect();
        words.sort_by(|a, b| (&a.word.word, &a.kitchen).cmp(&(&b.word.word, &b.kitchen)));
        Ok(words)
    }

    /// Writes a word of a kitchen, or of all of them, down, in place of another of the same spelling.
    ///
    /// # Errors
    /// It could not be logged or stored.
    pub async fn set_word(&self, word: Word, kitchen: Option<String>, staff: &str) -> Result<(), MenuError> {
        let _turn = self.turn.lock().await;
        self.log(commands::WORD, staff).await?;
        let mut change = self.means.vault.change();
        for row in self.spelt(&word.word, kitchen.as_deref())? {
            change.delete(TABLE, row.key());
        }
        let place = self.word_place(&word.word, kitchen.as_deref());
        let row = KitchenWord { word, kitchen, by: staff.to_owned(), at: self.means.now().0 };
        change.put(TABLE, &place, &row)?;
        Ok(change.commit().await?)
    }

    /// Strikes out a word of a kitchen, or of all of them.
    ///
    /// # Errors
    /// There is none so spelt, or it could not be logged or stored.
    pub async fn remove_word(&self, word: &str, kitchen: Option<&str>, staff: &str) -> Result<(), MenuError> {
        let _turn = self.turn.lock().await;
        let rows = self.spelt(word, kitchen)?;
        if rows.is_empty() {
            return Err(MenuError::NoSuchWord);
        }
        self.log(commands::WORD_REMOVE, staff).await?;
        let mut change = self.means.vault.change();
        rows.iter().for_each(|row| change.delete(TABLE, row.key()));
        Ok(change.commit().await?)
    }

    /// The accepted menus from a day on that read differently with the words of today: they count as they were
    /// accepted until they are accepted again.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn outdated(&self, from: CalendarDate) -> Result<Vec<(String, CalendarDate)>, VaultError> {
        let mut lexicons = self.lexicons()?;
        let mut outdated = Vec::new();
        let rows = self.between(None, from, from.plus_days(super::DAYS_MAX).unwrap_or(from))?;
        for (done, row) in rows.into_iter().enumerate() {
            if done % MENUS_AT_ONCE == MENUS_AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
            let Some(accepted) = row.value.accepted else { continue };
            if survey(&accepted.menu, lexicons.of(&row.value.kitchen)) != accepted.survey {
                outdated.push((row.value.kitchen, accepted.menu.date));
            }
        }
        Ok(outdated)
    }

    fn spelt(&self, word: &str, kitchen: Option<&str>) -> Result<Vec<Row<KitchenWord>>, VaultError> {
        let rows: Vec<Row<KitchenWord>> = self.means.vault.rows(TABLE, b"w")?;
        let same =
            |row: &Row<KitchenWord>| row.value.word.is_word(word) && row.value.kitchen.as_deref() == kitchen;
        Ok(rows.into_iter().filter(same).collect())
    }

    fn word_place(&self, word: &str, kitchen: Option<&str>) -> Vec<u8> {
        let name = match kitchen {
            None => word.to_owned(),
            Some(kitchen) => format!("{word}\0{kitchen}"),
        };
        [b"w".as_slice(), &self.means.vault.index("kitchen word", name.as_bytes())].concat()
    }
}
