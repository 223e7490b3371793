//! Acts: the history of accesses, what a guardian chooses, and the proofs of her receipts.
//!
//! An act is withheld wherever a look at everything would show nothing (her own withdrawals aside): so neither
//! history nor choices tell of a child that a look would not tell of. Every act of a kind takes the same steps
//! on the disk, whether there is something to tell or not. Proofs of receipts concern nobody but their holder:
//! they are given without looking for a person at all.

use hibiki_protocol::act::{Act, ChangeConsent, Changed, ConsentState, Reach};
use hibiki_protocol::grant::Basis;
use hibiki_protocol::history::{Actor, Disclosed, Event, HistoryEntry, HistoryPage};
use hibiki_protocol::ids::{Category, Digest, GuardianAlias, Pseudonym};
use hibiki_protocol::limits;
use hibiki_protocol::policy::{self, ReadPermit, Withheld};
use hibiki_protocol::query::{Refusal, VerifiedQuery};
use hibiki_protocol::receipt::{LeafProof, LeafStanding, ProofPage, ProveReceipts, Receipt};
use hibiki_protocol::registration::{ChangeRegistration, MailKind, RegistrationChange, RegistrationState};
use hibiki_protocol::tlog::{DigestKind, Hash};
use hibiki_records::category::Category as Kind;

use super::InstitutionResponder;
use super::local::{
    Chosen, GuardiansChoice, GuardiansRegistration, LocalFault, LocalSubject, NotChosen, RegistrationKeeper,
};
use super::pipeline::{LookFault, Looked};
use super::reply::{Found, Reply};
use crate::ledger::{Ledger, Promised, ReadError, Standing, Telling};

impl InstitutionResponder {
    /// Decides about an act and carries it out.
    pub(super) async fn act(
        &self,
        reply: &Reply<'_>,
        query: &VerifiedQuery,
        act: &Act,
    ) -> Result<Looked, LookFault> {
        match act {
            Act::ChangeConsent(change) => possible(query, change)?,
            Act::ChangeRegistration(command) => sized(command)?,
            _ => {}
        }
        if let Act::ProveReceipts(asked) = act {
            return Ok(Looked { subject: None, found: Ok(self.proofs(reply, query, asked).await?) });
        }
        if let Act::History(_) = act {
            self.head.renew(&self.base.ledger).await;
        }
        let (subject, pseudonym, permit) = match self.admitted(query)? {
            Ok(admitted) => admitted,
            Err((subject, why)) => {
                if let Act::ChangeConsent(_) | Act::ChangeRegistration(_) = act {
                    self.head.renew(&self.base.ledger).await;
                }
                return Ok(Looked::withheld(subject, why));
            }
        };
        let found = match act {
            Act::History(asked) => {
                let page = self.page(query, &subject, asked.before).await?;
                page.map(|page| Found::History(reply.fitting(query, page))).ok_or(Withheld::Empty)
            }
            Act::ShowConsent(_) => {
                let withdrawn = self.base.choices.withdrawn(&pseudonym, &query.grant().grant().guardian)?;
                let state = Box::new(ConsentState { withdrawn, changed: None });
                Ok(Found::Consent { state, logged: None })
            }
            Act::ChangeConsent(change) => Ok(self.change(reply, query, &subject, pseudonym, change).await?),
            Act::ShowRegistration(_) => match &self.base.registrations {
                None => Err(Withheld::Empty),
                Some(keeper) => {
                    let state = keeper.state(&subject.key, &query.grant().grant().guardian)?;
                    Ok(Found::Registration { state: Box::new(permitted(state, &permit)), logged: None })
                }
            },
            Act::ChangeRegistration(command) => match &self.base.registrations {
                None => Err(Withheld::Empty),
                Some(keeper) => {
                    let by = (query, &permit);
                    Ok(self.register(reply, by, &subject, pseudonym, (keeper.as_ref(), command)).await?)
                }
            },
            // Answered above, for whomever it is asked.
            Act::ProveReceipts(_) => Err(Withheld::Empty),
        };
        Ok(Looked { subject: Some(subject), found })
    }

    /// The proofs of leaves somebody was promised.
    async fn proofs(
        &self,
        reply: &Reply<'_>,
        query: &VerifiedQuery,
        asked: &ProveReceipts,
    ) -> Result<Found, LookFault> {
        if !(1..=limits::PROOFS_MAX).contains(&asked.leaves.len()) {
            return Err(LookFault::Refused(Refusal::Malformed));
        }
        self.head.renew(&self.base.ledger).await;
        let ledger = self.base.ledger.clone();
        let leaves: Vec<(u64, Hash)> =
            asked.leaves.iter().map(|leaf| (leaf.index, Hash(leaf.leaf_hash.0))).collect();
        let read = self.base.env.blocking(move || {
            let promised = ledger.prove_promised(&leaves)?;
            Ok::<_, ReadError>(proof_page(&leaves, promised))
        });
        let page = read.await.ok_or_else(|| LocalFault("reading the ledger ended early".into()))?;
        let page = page.map_err(|error| LocalFault(error.to_string()))?;
        Ok(Found::Proofs(reply.fitting_proofs(query, page)))
    }

    /// Whether anything at all may be told; to whom nothing may, the reason stays here.
    #[expect(clippy::type_complexity, reason = "two ways to be withheld: of somebody known here, or not")]
    fn admitted(
        &self,
        query: &VerifiedQuery,
    ) -> Result<Result<(LocalSubject, Pseudonym, ReadPermit), (Option<LocalSubject>, Withheld)>, LocalFault>
    {
        let (subject, pseudonym) = match self.subject(query)? {
            Ok(found) => found,
            Err(why) => return Ok(Err((None, why))),
        };
        let decided =
            self.decide(&subject, pseudonym, |circumstances| policy::admit(query, pseudonym, circumstances));
        let permit = match decided? {
            Ok(permit) => permit,
            Err(why) => return Ok(Err((Some(subject), why))),
        };
        let shows = self.base.local.has_any(&subject, &permit)?;
        Ok(if shows { Ok((subject, pseudonym, permit)) } else { Err((Some(subject), Withheld::Empty)) })
    }

    /// A page of the history, with its proofs; `None` if there is nothing to tell.
    async fn page(
        &self,
        query: &VerifiedQuery,
        subject: &LocalSubject,
        before: Option<u64>,
    ) -> Result<Option<HistoryPage>, LocalFault> {
        let (ledger, key) = (self.base.ledger.clone(), subject.key);
        let grant = query.grant().grant();
        let (oneself, guardian) = (grant.basis == Basis::Oneself, grant.guardian);
        let read = self.base.env.blocking(move || {
            let told = |disclosed: &Disclosed| concerns(disclosed, oneself, &guardian);
            let telling = ledger.tell(&key, before, limits::HISTORY_ENTRIES_MAX, told)?;
            with_proofs(&ledger, telling)
        });
        let page = read.await.ok_or_else(|| LocalFault("reading the ledger ended early".into()))?;
        page.map_err(|error| LocalFault(error.to_string()))
    }

    /// Carries out a choice and makes its receipt.
    async fn change(
        &self,
        reply: &Reply<'_>,
        query: &VerifiedQuery,
        subject: &LocalSubject,
        pseudonym: Pseudonym,
        change: &ChangeConsent,
    ) -> Result<Found, LookFault> {
        // On a nearly full disk giving again can wait; withdrawing cannot.
        if change.permit && (self.base.low_space)() {
            return Err(LookFault::Refused(Refusal::NotLogged));
        }
        let grant = super::digest_of(&query.query().grant);
        let choice = GuardiansChoice {
            subject: subject.key,
            pseudonym,
            query,
            change,
            via: reply.gateway,
            digests: vec![(DigestKind::Grant, grant), (DigestKind::Query, reply.part.0)],
        };
        let Chosen { receipt, again } = self.base.choices.choose(&choice).await?;
        self.head.renew(&self.base.ledger).await;
        let withdrawn = self.base.choices.withdrawn(&pseudonym, &query.grant().grant().guardian)?;
        let logged = (!again).then(|| receipt.clone());
        let changed = Some(self.changed(receipt).await?);
        Ok(Found::Consent { state: Box::new(ConsentState { withdrawn, changed }), logged })
    }

    /// Carries out a registration and makes its receipt.
    async fn register(
        &self,
        reply: &Reply<'_>,
        (query, permit): (&VerifiedQuery, &ReadPermit),
        subject: &LocalSubject,
        pseudonym: Pseudonym,
        (keeper, command): (&dyn RegistrationKeeper, &ChangeRegistration),
    ) -> Result<Found, LookFault> {
        // On a nearly full disk what protects nobody can wait.
        if !command.change.protects() && (self.base.low_space)() {
            return Err(LookFault::Refused(Refusal::NotLogged));
        }
        let grant = super::digest_of(&query.query().grant);
        let change = GuardiansRegistration {
            subject: subject.key,
            pseudonym,
            query,
            command,
            via: reply.gateway,
            digests: vec![(DigestKind::Grant, grant), (DigestKind::Query, reply.part.0)],
        };
        let carried_out = keeper.register(&change).await?;
        self.head.renew(&self.base.ledger).await;
        let state = keeper.state(&subject.key, &query.grant().grant().guardian)?;
        let mut state = Box::new(permitted(state, permit));
        let mut logged = None;
        match carried_out {
            Ok(Chosen { receipt, again }) => {
                logged = (!again).then(|| receipt.clone());
                state.changed = Some(self.changed(receipt).await?);
            }
            Err(refusal) => state.refused = Some(refusal),
        }
        Ok(Found::Registration { state, logged })
    }

    /// The entry of a change, with what proves it.
    async fn changed(&self, receipt: Receipt) -> Result<Changed, LocalFault> {
        let (ledger, index) = (self.base.ledger.clone(), receipt.index);
        let read = self.base.env.blocking(move || {
            let entries = ledger.read(index..index + 1)?;
            with_proofs(&ledger, Telling { entries, older: None })
        });
        let page = read.await.ok_or_else(|| LocalFault("reading the ledger ended early".into()))?;
        let page = page.map_err(|error| LocalFault(error.to_string()))?;
        let (entry, checkpoint) = page
            .and_then(|page| Some((page.entries.into_iter().next()?, page.checkpoint)))
            .ok_or_else(|| LocalFault("the entry of a change cannot be told".into()))?;
        Ok(Changed { receipt, entry, checkpoint })
    }
}

impl From<NotChosen> for LookFault {
    fn from(fault: NotChosen) -> Self {
        match fault {
            NotChosen::NotLogged => Self::Refused(Refusal::NotLogged),
            NotChosen::OtherCommand => Self::Refused(Refusal::Malformed),
            NotChosen::TooMany => Self::Refused(Refusal::Busy),
            NotChosen::Fault(fault) => Self::Local(fault),
        }
    }
}

/// What no guardian of any child can ask of this institution: refused before anybody is looked for.
fn possible(query: &VerifiedQuery, change: &ChangeConsent) -> Result<(), LookFault> {
    let known = |name: &str| Kind::from_wire(name).is_some();
    let oneself = query.grant().grant().basis == Basis::Oneself;
    if change.category.as_ref().is_some_and(|category| !known(category.as_str()))
        || (oneself && change.reach == Reach::OwnView)
    {
        return Err(LookFault::Refused(Refusal::Malformed));
    }
    Ok(())
}

/// A registration that no list of ours could have: refused before anybody is looked for.
fn sized(command: &ChangeRegistration) -> Result<(), LookFault> {
    let fits = match &command.change {
        RegistrationChange::Allergens(list) => list.allergens.len() <= limits::REGISTERED_ALLERGENS_MAX,
        RegistrationChange::Address(new) => new.address.len() <= limits::ADDRESS_BYTES_MAX,
        RegistrationChange::Confirm(confirm) => confirm.code.len() <= 16,
        RegistrationChange::Mails(wanted) => wanted.kinds.len() <= MailKind::ALL.len(),
        RegistrationChange::Withdraw(_) => true,
    };
    if fits { Ok(()) } else { Err(LookFault::Refused(Refusal::Malformed)) }
}

/// What others have registered is a fact about the child's health: told where her allergies are.
fn permitted(state: RegistrationState, permit: &ReadPermit) -> RegistrationState {
    let allergy = Category::new(Kind::Allergy.wire_name());
    if allergy.is_some_and(|allergy| permit.allows(&allergy)) {
        return state;
    }
    RegistrationState { others: Vec::new(), ..state }
}

/// Whether the holder of a grant is told of this: her own acts, those of staff (of mails, those to her), and to the
/// person herself everything. Never what another guardian did, nor that staff looked at choices: who looks at them may be about to
/// protect the child from the one who asks.
fn concerns(disclosed: &Disclosed, oneself: bool, guardian: &GuardianAlias) -> bool {
    let staffs =
        disclosed.actor == Actor::Staff && disclosed.alias.is_none() && disclosed.event != Event::StaffLook;
    oneself || staffs || disclosed.alias.as_ref() == Some(guardian)
}

/// The proofs as they are sent.
fn proof_page(leaves: &[(u64, Hash)], Promised { checkpoints, standings }: Promised) -> ProofPage {
    let proof = |((index, _), standing): (&(u64, Hash), Standing)| {
        let none = |standing| LeafProof { index: *index, standing, checkpoint: None, path: None };
        match standing {
            Standing::Proved(number, path) => LeafProof {
                checkpoint: Some(number as u64),
                path: Some(path.into_iter().map(|hash| Digest(hash.0)).collect()),
                ..none(LeafStanding::Proved)
            },
            Standing::NotYet => none(LeafStanding::NotYet),
            Standing::Unknown => none(LeafStanding::Unknown),
        }
    };
    ProofPage { checkpoints, proofs: leaves.iter().zip(standings).map(proof).collect() }
}

/// The entries as they are sent.
fn with_proofs(ledger: &Ledger, telling: Telling) -> Result<Option<HistoryPage>, ReadError> {
    let Telling { entries, older } = telling;
    let indices: Vec<u64> = entries.iter().map(|entry| entry.index).collect();
    let proofs = ledger.prove_all(&indices)?;
    let told = entries.into_iter().zip(proofs.paths).filter_map(|(entry, path)| {
        let told = entry.told?;
        Some(HistoryEntry {
            index: entry.index,
            leaf: entry.leaf_bytes,
            salt: told.salt,
            disclosed: told.disclosed,
            house: told.house,
            path: path.map(|path| path.into_iter().map(|hash| Digest(hash.0)).collect()),
        })
    });
    let entries: Vec<HistoryEntry> = told.collect();
    Ok((!entries.is_empty()).then_some(HistoryPage { entries, older, checkpoint: proofs.checkpoint }))
}
