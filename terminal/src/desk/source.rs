//! Where a desk's cards come from.

use std::path::PathBuf;
use std::time::Duration;

use crate::card::{Card, CardFault, FileCard, Inspection, reader};

/// How long one search for a card lasts before what is missing is said again.
const SEARCH: Duration = Duration::from_secs(3600);
/// Pause before a card file, or a service that cannot be asked, is looked for again.
const PAUSE: Duration = Duration::from_millis(300);

/// Where cards come from.
#[derive(Clone, Debug)]
pub enum CardSource {
    /// A reader: the one whose name contains this, or whichever has the only card.
    Reader(Option<String>),
    /// A simulated card in a file: it lies there for as long as the file does.
    File(PathBuf),
}

impl CardSource {
    /// Waits for a card for as long as it takes; `tell` hears what is missing, whenever that changes.
    pub(super) async fn next(
        &self,
        tell: &mut (dyn FnMut(&CardFault) + Send),
    ) -> (Box<dyn Card>, Inspection) {
        loop {
            let missing = match self.look(tell).await {
                Ok(found) => return found,
                Err(missing) => missing,
            };
            tell(&missing);
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn look(
        &self,
        tell: &mut (dyn FnMut(&CardFault) + Send),
    ) -> Result<(Box<dyn Card>, Inspection), CardFault> {
        match self {
            Self::Reader(wanted) => {
                let (card, seen) = reader::find(wanted.as_deref(), SEARCH, tell).await?;
                Ok((Box::new(card), seen))
            }
            Self::File(path) => {
                if !tokio::fs::try_exists(path).await.unwrap_or(false) {
                    return Err(CardFault::NoCard);
                }
                let mut card = FileCard::open(path)?;
                let seen = card.inspect().await?;
                Ok((Box::new(card), seen))
            }
        }
    }
}
