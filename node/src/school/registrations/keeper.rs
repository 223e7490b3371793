//! Carrying out a guardian's command, and the school's own entries.

use hibiki_protocol::cbor;
use hibiki_protocol::ids::{Digest, GuardianAlias};
use hibiki_protocol::receipt::Receipt;
use hibiki_protocol::registration::{
    MailKind, RegisterAllergens, RegistrationChange, RegistrationRefusal, RegistrationState,
};
use hibiki_records::allergen::Allergen;
use hibiki_records::lunch::{Registration, Removal};
use lettre::Address;

use super::{GuardianRow, Registrations, SchoolRow, TABLE, code, place};
use crate::keyring::KeyId;
use crate::ledger::{Entry, NotLogged, details, telling};
use crate::mail::Letter;
use crate::remembered::{self, Command, Known};
use crate::responder::{Chosen, GuardiansRegistration, LocalFault, NotChosen, RegistrationKeeper};
use crate::services::Pending;
use crate::store::Keyspace;
use crate::vault::VaultError;

/// What a change makes of a row.
struct Changed {
    row: GuardianRow,
    letter: Option<Letter>,
}

/// Why the school's own list was not entered.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// The ledger: nothing was done.
    #[error("{0}")]
    NotLogged(#[from] NotLogged),
    /// The table.
    #[error("{0}")]
    Vault(#[from] VaultError),
}

impl Registrations {
    async fn carry_out(
        &self,
        it: &GuardiansRegistration<'_>,
    ) -> Result<Result<Chosen, RegistrationRefusal>, NotChosen> {
        let _turn = self.turn.lock().await;
        let guardian = it.query.grant().grant().guardian;
        let command = Command {
            pseudonym: &it.pseudonym,
            guardian: &guardian,
            key: it.command.key,
            digest: Digest::of(&[b"registration\0", &cbor::encode(it.command)]),
        };
        let room = match remembered::look_up(&self.means, &command)? {
            Known::Done(receipt) => return Ok(Ok(Chosen { receipt, again: true })),
            Known::Refused(why) => {
                let refusal = RegistrationRefusal::from_name(&why);
                return Ok(Err(refusal.ok_or(VaultError::Row { table: Keyspace::Replay })?));
            }
            Known::New(room) => room,
        };
        let mut before = self.row(&it.subject, &guardian)?.map(|row| row.value).unwrap_or_default();
        before.pseudonym = it.pseudonym.0;
        before.at = self.means.now().0;
        let changed = match self.change(&it.subject, &guardian, before, &it.command.change) {
            Ok(changed) => changed,
            Err((kept, refusal)) => {
                let mut change = self.means.vault.change();
                // A wrong code was counted.
                if let Some(kept) = kept {
                    let place = place(&it.subject, &guardian);
                    change.put_under(KeyId::from_bytes(it.subject), TABLE, &place, &kept)?;
                }
                room.remember_refused(&self.means, &mut change, &it.subject, &command, refusal.as_str())?;
                change.commit().await?;
                return Ok(Err(refusal));
            }
        };
        let receipt = self.log(it, &changed.row).await?;
        let mut change = self.means.vault.change();
        if it.command.change.protects() {
            change.urgent();
        }
        change.put_under(
            KeyId::from_bytes(it.subject),
            TABLE,
            &place(&it.subject, &guardian),
            &changed.row,
        )?;
        if let Some(letter) = &changed.letter {
            self.outbox.put(&mut change, letter)?;
        }
        room.remember(&self.means, &mut change, &it.subject, &command, &receipt)?;
        change.commit().await?;
        self.outbox.wake();
        self.changed();
        Ok(Ok(Chosen { receipt, again: false }))
    }

    /// What a command makes of a row; or why not, and the row to keep then.
    #[expect(clippy::result_large_err, reason = "a row, once per command")]
    fn change(
        &self,
        subject: &[u8; 16],
        guardian: &GuardianAlias,
        mut row: GuardianRow,
        change: &RegistrationChange,
    ) -> Result<Changed, (Option<GuardianRow>, RegistrationRefusal)> {
        let mut letter = None;
        match change {
            RegistrationChange::Allergens(list) => {
                row.allergens = read(list).ok_or((None, RegistrationRefusal::UnknownAllergen))?;
            }
            RegistrationChange::Address(new) => {
                if !self.mails {
                    return Err((None, RegistrationRefusal::NoMail));
                }
                let address: Address =
                    new.address.trim().parse().map_err(|_| (None, RegistrationRefusal::NotAnAddress))?;
                if !code::may_mail(&mut row.codes, self.means.now().0) {
                    return Err((None, RegistrationRefusal::TooManyCodes));
                }
                row.codes.push(self.means.now().0);
                let whom = (subject, guardian);
                let (waiting, brings) = code::issue(&self.means, &self.school, whom, address.as_ref());
                row.waiting = Some(waiting);
                letter = Some(brings);
            }
            RegistrationChange::Confirm(confirm) => {
                match code::check(&self.means, (subject, guardian), row.waiting.take(), &confirm.code) {
                    code::Checked::Right(address) => row.address = Some(address),
                    code::Checked::Wrong(waiting, refusal) => {
                        row.waiting = waiting;
                        return Err((Some(row), refusal));
                    }
                }
            }
            RegistrationChange::Withdraw(_) => {
                row.address = None;
                row.waiting = None;
            }
            RegistrationChange::Mails(wanted) => {
                let chosen = |kind: &&MailKind| wanted.kinds.contains(kind) && **kind != MailKind::Code;
                row.mails =
                    MailKind::ALL.iter().filter(chosen).map(|kind| kind.as_str().to_owned()).collect();
            }
        }
        Ok(Changed { row, letter })
    }

    async fn log(&self, it: &GuardiansRegistration<'_>, row: &GuardianRow) -> Result<Receipt, NotChosen> {
        let grant = it.query.grant().grant();
        let what = match &it.command.change {
            RegistrationChange::Allergens(_) => "allergens",
            RegistrationChange::Address(_) => "address",
            RegistrationChange::Confirm(_) => "confirm",
            RegistrationChange::Withdraw(_) => "withdraw",
            RegistrationChange::Mails(_) => "mails",
        };
        let allergens = matches!(it.command.change, RegistrationChange::Allergens(_));
        let details = details::Registration {
            what: what.to_owned(),
            allergens: if allergens { named(&row.allergens) } else { Vec::new() },
            guardian: hex::encode(grant.guardian.0),
            by: String::new(),
            via: it.via.to_string(),
            simulated_card: grant.simulated,
        };
        let told = telling::registered(grant, it.query.query().purpose, it.via);
        let entry = Entry::new(self.means.env.now(), Some(it.subject), &details);
        let entry = entry.map_err(|_| NotChosen::NotLogged)?.telling(&told);
        let entry = it.digests.iter().fold(entry, |entry, (kind, digest)| entry.with_digest(*kind, *digest));
        let ledger = &self.means.ledger;
        let logged = if it.command.change.protects() {
            ledger.append_reserved(entry).await
        } else {
            ledger.append(entry).await
        };
        let logged = logged.map_err(|_| NotChosen::NotLogged)?;
        Ok(Receipt { origin: logged.origin, index: logged.index, leaf_hash: Digest(logged.leaf_hash.0) })
    }

    /// Replaces the school's own list for a child.
    ///
    /// # Errors
    /// It could not be logged or stored; then nothing has changed.
    pub async fn set_by_school(
        &self,
        subject: &[u8; 16],
        allergens: Registration,
        staff: &str,
    ) -> Result<(), RegistrationError> {
        let _turn = self.turn.lock().await;
        let details = details::Registration {
            what: "allergens".to_owned(),
            allergens: named(&allergens),
            by: staff.to_owned(),
            ..details::Registration::default()
        };
        let event = hibiki_protocol::history::Event::RegistrationChanged;
        self.means.log_told(*subject, &details, event, true).await?;
        let mut change = self.means.vault.change();
        change.urgent();
        let place = [b"s".as_slice(), subject].concat();
        if allergens.is_empty() {
            change.delete(TABLE, &place);
        } else {
            let row = SchoolRow { allergens, by: staff.to_owned(), at: self.means.now().0 };
            change.put_under(KeyId::from_bytes(*subject), TABLE, &place, &row)?;
        }
        change.commit().await?;
        self.changed();
        Ok(())
    }
}

/// A list as it came; `None` if it names what is no allergen of the standard list.
fn read(list: &RegisterAllergens) -> Option<Registration> {
    let mut read = Registration::new();
    for one in &list.allergens {
        let allergen = Allergen::from_jfagy(&one.code)?;
        let removal = if one.strict { Removal::Strict } else { Removal::Usual };
        super::join(&mut read, &Registration::from([(allergen, removal)]));
    }
    Some(read)
}

fn named(list: &Registration) -> Vec<String> {
    let mark = |removal: &Removal| if *removal == Removal::Strict { "!" } else { "" };
    list.iter().map(|(allergen, removal)| format!("{}{}", allergen.jfagy(), mark(removal))).collect()
}

impl RegistrationKeeper for Registrations {
    fn state(&self, subject: &[u8; 16], guardian: &GuardianAlias) -> Result<RegistrationState, LocalFault> {
        self.told(subject, guardian).map_err(|error| LocalFault(error.to_string()))
    }

    fn register<'a>(
        &'a self,
        change: &'a GuardiansRegistration<'a>,
    ) -> Pending<'a, Result<Result<Chosen, RegistrationRefusal>, NotChosen>> {
        Box::pin(self.carry_out(change))
    }
}
