//! What a guardian chooses for herself, with her card: withdrawing a category, giving it again.
//!
//! Logged before it is in force, durable before the receipt; a withdrawal also on a full disk. A command sent again is
//! not carried out again (`crate::remembered`). Must not know whether the guardian may choose: that was decided before ([`policy::admit`]).
//!
//! [`policy::admit`]: hibiki_protocol::policy::admit

use hibiki_protocol::act::{ChangeConsent, Reach, Withdrawal};
use hibiki_protocol::cbor;
use hibiki_protocol::ids::{Category, Digest, GuardianAlias, Pseudonym};
use hibiki_protocol::receipt::Receipt;
use hibiki_protocol::time::Timestamp;

use super::{ConsentError, ConsentRow, Consents, Scope};
use crate::ledger::{Entry, details, telling};
use crate::remembered::{self, Command, Known};
use crate::responder::{ChoiceKeeper, Chosen, GuardiansChoice, LocalFault, NotChosen};
use crate::services::Pending;
use crate::vault::VaultError;

impl From<ConsentError> for NotChosen {
    fn from(error: ConsentError) -> Self {
        match error {
            ConsentError::NotLogged(_) => Self::NotLogged,
            other => Self::Fault(LocalFault(other.to_string())),
        }
    }
}

impl From<VaultError> for NotChosen {
    fn from(error: VaultError) -> Self {
        ConsentError::from(error).into()
    }
}

impl Consents {
    async fn carry_out(&self, choice: &GuardiansChoice<'_>) -> Result<Chosen, NotChosen> {
        let _turn = self.turn.lock().await;
        let GuardiansChoice { subject, pseudonym, query, .. } = choice;
        let grant = query.grant().grant();
        let command = Command {
            pseudonym,
            guardian: &grant.guardian,
            key: choice.change.key,
            digest: Digest::of(&[&cbor::encode(choice.change)]),
        };
        let room = match remembered::look_up(&self.means, &command)? {
            Known::Done(receipt) => return Ok(Chosen { receipt, again: true }),
            // Choices are not refused for what they say: it was another command.
            Known::Refused(_) => return Err(NotChosen::OtherCommand),
            Known::New(room) => room,
        };
        let mut change = self.means.vault.change();
        let scope = scope(choice.change, &grant.guardian);
        let row = self.row(&scope, "", Some(grant.guardian));
        let names = self.names_of(subject, pseudonym)?;
        if choice.change.permit {
            self.delete(&mut change, &names, &row)?;
        } else {
            self.put(&mut change, *subject, &names, &row)?;
            change.urgent();
        }
        let receipt = self.log(choice, &scope).await?;
        room.remember(&self.means, &mut change, subject, &command, &receipt)?;
        change.commit().await?;
        Ok(Chosen { receipt, again: false })
    }

    async fn log(&self, choice: &GuardiansChoice<'_>, scope: &Scope) -> Result<Receipt, NotChosen> {
        let (query, change) = (choice.query, choice.change);
        let grant = query.grant().grant();
        let details = details::Consent {
            event: if change.permit { "given" } else { "withdrawn" }.to_owned(),
            guardian: scope.guardian.map_or_else(String::new, |guardian| hex::encode(guardian.0)),
            categories: scope.category.iter().map(ToString::to_string).collect(),
            by: String::new(),
            made_by: hex::encode(grant.guardian.0),
            via: choice.via.to_string(),
            simulated_card: grant.simulated,
        };
        let told = telling::chosen(change, grant, query.query().purpose, choice.via);
        let entry = Entry::new(self.means.env.now(), Some(choice.subject), &details);
        let entry = entry.map_err(|_| NotChosen::NotLogged)?.telling(&told);
        let entry =
            choice.digests.iter().fold(entry, |entry, (kind, digest)| entry.with_digest(*kind, *digest));
        let ledger = &self.means.ledger;
        let logged =
            if change.permit { ledger.append(entry).await } else { ledger.append_reserved(entry).await };
        let logged = logged.map_err(|_| NotChosen::NotLogged)?;
        Ok(Receipt { origin: logged.origin, index: logged.index, leaf_hash: Digest(logged.leaf_hash.0) })
    }

    /// Every name the person has here: what is withdrawn from every guardian is withdrawn from those of every
    /// registry.
    fn names_of(&self, subject: &[u8; 16], asked: &Pseudonym) -> Result<Vec<Pseudonym>, NotChosen> {
        let mut names = self.linkage.pseudonyms(subject).map_err(ConsentError::from)?;
        if !names.contains(asked) {
            names.push(*asked);
        }
        Ok(names)
    }
}

fn scope(change: &ChangeConsent, guardian: &GuardianAlias) -> Scope {
    let guardian = match change.reach {
        Reach::EveryGuardian => None,
        Reach::OwnView => Some(*guardian),
    };
    Scope { category: change.category.clone(), guardian }
}

fn withdrawal(row: &ConsentRow) -> Withdrawal {
    Withdrawal {
        category: row.category.as_deref().and_then(Category::new),
        reach: if row.guardian.is_none() { Reach::EveryGuardian } else { Reach::OwnView },
        at: Timestamp(row.at),
    }
}

impl ChoiceKeeper for Consents {
    fn withdrawn(
        &self,
        pseudonym: &Pseudonym,
        guardian: &GuardianAlias,
    ) -> Result<Vec<Withdrawal>, LocalFault> {
        let rows = self.rows(pseudonym).map_err(|error| LocalFault(error.to_string()))?;
        let hers = rows.iter().filter(|row| row.value.made_by == Some(guardian.0));
        let mut withdrawn: Vec<Withdrawal> = hers.map(|row| withdrawal(&row.value)).collect();
        withdrawn.sort_by(|a, b| (&a.category, a.reach).cmp(&(&b.category, b.reach)));
        Ok(withdrawn)
    }

    fn choose<'a>(&'a self, choice: &'a GuardiansChoice<'a>) -> Pending<'a, Result<Chosen, NotChosen>> {
        Box::pin(self.carry_out(choice))
    }
}
