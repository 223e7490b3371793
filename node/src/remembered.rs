//! Commands of guardians that were carried out, or refused for what they say: sent again, they are not carried out again,
//! and their receipt, or refusal, is the same.
//!
//! Remembered for [`limits::COMMAND_MILLIS`], over restarts. Between ledger and tables a crash can fall: then nothing is in
//! force, no receipt was given, and the command sent again is logged again. Must not know what a command does.
//!
//! ```text
//! Replay  c ‖ pseudonym's index ‖ command's index     the command and its ledger entry, sealed under the person's key
//! ```

use hibiki_protocol::ids::{CommandKey, Digest, GuardianAlias, Pseudonym};
use hibiki_protocol::limits;
use hibiki_protocol::receipt::Receipt;
use hibiki_protocol::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::institution::Means;
use crate::keyring::KeyId;
use crate::linkage::index;
use crate::responder::NotChosen;
use crate::store::Keyspace;
use crate::vault::form::{Form, Part, sealed};
use crate::vault::{Change, Row, VaultError};

const COMMANDS: Keyspace = Keyspace::Replay;

/// The forms of its rows.
pub(crate) const FORMS: &[Form] =
    &[sealed::<CommandRow>("command carried out", COMMANDS, b"c", &[Part::Digest, Part::Digest])];

/// A command that was carried out or refused.
#[derive(Clone, Serialize, Deserialize)]
struct CommandRow {
    /// Digest of the command, hexadecimal: the same key for another one is refused.
    command: String,
    /// Its ledger entry; 0 where it was refused.
    index: u64,
    /// Hash of that leaf, hexadecimal; empty where it was refused.
    leaf_hash: String,
    /// When.
    at: u64,
    /// Why it was refused, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

/// A command, as it is recognised.
pub(crate) struct Command<'a> {
    /// About whom, by the name that was asked for.
    pub(crate) pseudonym: &'a Pseudonym,
    /// Whose.
    pub(crate) guardian: &'a GuardianAlias,
    /// Its name.
    pub(crate) key: CommandKey,
    /// What it says.
    pub(crate) digest: Digest,
}

/// What is known of a command.
pub(crate) enum Known {
    /// It was carried out; its receipt.
    Done(Receipt),
    /// It was refused; why, by the stable name.
    Refused(String),
    /// It is new; there is room to remember it.
    New(Room),
}

/// Room for one more command.
pub(crate) struct Room {
    place: Vec<u8>,
    old: Vec<Vec<u8>>,
}

/// Looks a command up.
pub(crate) fn look_up(means: &Means, command: &Command<'_>) -> Result<Known, NotChosen> {
    let now = means.now();
    let prefix = [b"c", index(means, command.pseudonym).as_slice()].concat();
    let name = [command.guardian.0, command.key.0].concat();
    let place = [prefix.as_slice(), &means.vault.index("command", &name)].concat();
    let known: Vec<Row<CommandRow>> = means.vault.rows(COMMANDS, &prefix)?;
    let (old, remembered): (Vec<_>, Vec<_>) =
        known.into_iter().partition(|row| now.since(Timestamp(row.value.at)) > limits::COMMAND_MILLIS);
    if let Some(row) = remembered.iter().find(|row| row.key() == place) {
        let same = row.value.command == command.digest.hex();
        return match &row.value.refused {
            _ if !same => Err(NotChosen::OtherCommand),
            Some(why) => Ok(Known::Refused(why.clone())),
            None => receipt_of(means, &row.value).map(Known::Done),
        };
    }
    if remembered.len() >= limits::COMMANDS_REMEMBERED_MAX {
        return Err(NotChosen::TooMany);
    }
    Ok(Known::New(Room { place, old: old.iter().map(|row| row.key().to_vec()).collect() }))
}

impl Room {
    /// Remembers the command in the change that carries it out.
    pub(crate) fn remember(
        self,
        means: &Means,
        change: &mut Change<'_>,
        subject: &[u8; 16],
        command: &Command<'_>,
        receipt: &Receipt,
    ) -> Result<(), VaultError> {
        let row = CommandRow {
            command: command.digest.hex(),
            index: receipt.index,
            leaf_hash: receipt.leaf_hash.hex(),
            at: means.now().0,
            refused: None,
        };
        self.put(change, subject, &row)
    }

    /// Remembers that the command was refused, so that sent again it does not count again.
    pub(crate) fn remember_refused(
        self,
        means: &Means,
        change: &mut Change<'_>,
        subject: &[u8; 16],
        command: &Command<'_>,
        why: &str,
    ) -> Result<(), VaultError> {
        let row = CommandRow {
            command: command.digest.hex(),
            index: 0,
            leaf_hash: String::new(),
            at: means.now().0,
            refused: Some(why.to_owned()),
        };
        self.put(change, subject, &row)
    }

    fn put(self, change: &mut Change<'_>, subject: &[u8; 16], row: &CommandRow) -> Result<(), VaultError> {
        self.old.iter().for_each(|place| change.delete(COMMANDS, place));
        change.put_under(KeyId::from_bytes(*subject), COMMANDS, &self.place, row)
    }
}

fn receipt_of(means: &Means, row: &CommandRow) -> Result<Receipt, NotChosen> {
    let bytes = hex::decode(&row.leaf_hash).ok().and_then(|bytes| bytes.try_into().ok());
    let leaf_hash = bytes.map(Digest).ok_or(VaultError::Row { table: COMMANDS })?;
    Ok(Receipt { origin: means.ledger.origin().to_owned(), index: row.index, leaf_hash })
}
