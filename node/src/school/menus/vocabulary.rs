//! The kitchens' own words: what the label of a product says, written down once.

use hibiki_records::lunch::{Lexicon, Word};
use serde::{Deserialize, Serialize};

use super::{MenuError, Menus, TABLE, commands};
use crate::vault::{Row, VaultError};

/// A word, and who wrote it down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitchenWord {
    /// The word and what it means.
    pub word: Word,
    /// The member of staff.
    pub by: String,
    /// When, in milliseconds since the Unix epoch.
    pub at: u64,
}

impl Menus {
    /// The table of ingredients with the kitchens' own words over it.
    pub(super) fn lexicon(&self) -> Result<Lexicon, VaultError> {
        Ok(Lexicon::new(self.words()?.into_iter().map(|word| word.word)))
    }

    /// The kitchens' own words.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn words(&self) -> Result<Vec<KitchenWord>, VaultError> {
        let rows: Vec<Row<KitchenWord>> = self.means.vault.rows(TABLE, b"w")?;
        let mut words: Vec<KitchenWord> = rows.into_iter().map(|row| row.value).collect();
        words.sort_by(|a, b| a.word.word.cmp(&b.word.word));
        Ok(words)
    }

    /// Writes a word down, in place of another of the same spelling.
    ///
    /// # Errors
    /// It could not be logged or stored.
    pub async fn set_word(&self, word: Word, staff: &str) -> Result<(), MenuError> {
        let _turn = self.turn.lock().await;
        self.log(commands::WORD, staff).await?;
        let mut change = self.means.vault.change();
        for row in self.spelt(&word.word)? {
            change.delete(TABLE, row.key());
        }
        let place = self.word_place(&word.word);
        change.put(TABLE, &place, &KitchenWord { word, by: staff.to_owned(), at: self.means.now().0 })?;
        Ok(change.commit().await?)
    }

    /// Strikes a word out.
    ///
    /// # Errors
    /// There is none so spelt, or it could not be logged or stored.
    pub async fn remove_word(&self, word: &str, staff: &str) -> Result<(), MenuError> {
        let _turn = self.turn.lock().await;
        let rows = self.spelt(word)?;
        if rows.is_empty() {
            return Err(MenuError::NoSuchWord);
        }
        self.log(commands::WORD_REMOVE, staff).await?;
        let mut change = self.means.vault.change();
        rows.iter().for_each(|row| change.delete(TABLE, row.key()));
        Ok(change.commit().await?)
    }

    fn spelt(&self, word: &str) -> Result<Vec<Row<KitchenWord>>, VaultError> {
        let rows: Vec<Row<KitchenWord>> = self.means.vault.rows(TABLE, b"w")?;
        Ok(rows.into_iter().filter(|row| row.value.word.is_word(word)).collect())
    }

    fn word_place(&self, word: &str) -> Vec<u8> {
        [b"w".as_slice(), &self.means.vault.index("kitchen word", word.as_bytes())].concat()
    }
}
