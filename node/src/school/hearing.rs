//! Who may still hear of a child by mail. Asked when a letter is written, and again each time it is handed to the relay:
//! a letter may have waited for hours, and a hold that came meanwhile, a link that was undone, an address that was
//! withdrawn counts at once.

use std::sync::Arc;

use hibiki_protocol::ids::{GuardianAlias, Pseudonym};

use super::registrations::{self, Addressed};
use crate::holds::Holds;
use crate::institution::Means;
use crate::mail::{Letter, LetterKind, Recipients};
use crate::vault::VaultError;

/// Knows who may hear.
pub struct Hearing {
    means: Means,
    holds: Arc<Holds>,
}

impl Hearing {
    /// By the tables of `means` and these holds.
    pub fn new(means: Means, holds: Arc<Holds>) -> Self {
        Self { means, holds }
    }
}

/// Whether a hold keeps this guardian from hearing anything of the child she asked for under this name.
///
/// # Errors
/// The table cannot be read; then nothing may be said.
pub fn is_held(holds: &Holds, pseudonym: &Pseudonym, guardian: &GuardianAlias) -> Result<bool, VaultError> {
    let holds = holds.for_subject(pseudonym)?;
    Ok(holds.iter().any(|hold| hold.guardian.is_none_or(|held| held == *guardian)))
}

impl Recipients for Hearing {
    fn may_have(&self, letter: &Letter) -> Result<bool, VaultError> {
        // Letters to staff are about nobody.
        let (Some(subject), Some(guardian)) = (&letter.subject_key, &letter.guardian) else {
            return Ok(true);
        };
        let Some(Addressed { pseudonym, in_use, waiting }) =
            registrations::addressed(&self.means, subject, guardian)?
        else {
            return Ok(false);
        };
        // A letter on its way to an address that was replaced meanwhile still is for her; a code for it is of no use.
        let wanted = match letter.kind {
            LetterKind::Code => waiting.is_some_and(|address| address == letter.to),
            _ => in_use.is_some(),
        };
        Ok(wanted && !is_held(&self.holds, &pseudonym, guardian)?)
    }
}

impl std::fmt::Debug for Hearing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hearing(***)")
    }
}
