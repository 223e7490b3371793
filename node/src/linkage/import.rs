//! Makes links: from a file of tokens exported for this institution, or from one token at the counter.
//!
//! What means nobody here is forgotten at once: a stored token of a stranger would be the beginning of a
//! register of residents.

use std::collections::BTreeMap;

use hibiki_protocol::history::Event;
use serde::Serialize;

use super::matching::{Found, Register, disagreeing};
use super::persons::LocalPerson;
use super::table::Candidate;
use super::token::{OpenedToken, TokenFault, read_line};
use super::{LinkError, Linkage};
use crate::ledger::{Entry, NotLogged, details, telling};

/// Tokens compared before others have a turn.
const TURN: usize = 32;
/// Links in one commit.
const CHUNK: usize = 500;

/// What became of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Links made.
    pub linked: u64,
    /// Persons who were linked so before.
    pub unchanged: u64,
    /// Tokens that need a look.
    pub quarantined: u64,
    /// Tokens of people who are not ours; nothing of them is kept.
    pub not_ours: u64,
    /// Lines that were no usable tokens.
    pub refused: u64,
}

/// What became of one token at the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Made {
    /// The link was made.
    Linked,
    /// It was there before.
    Unchanged,
}

/// What is to be done with a token.
enum Plan<'a> {
    Link(&'a LocalPerson),
    Wait(&'static str, Vec<Candidate>),
    Unchanged,
    NotOurs,
}

impl Linkage {
    /// Links everybody a file of tokens means. The same file twice changes nothing. `refused` hears of each
    /// unusable line with its number, `progress` how many lines are done.
    ///
    /// # Errors
    /// It could not be logged or stored; what was linked before that stays.
    pub async fn import(
        &self,
        text: &str,
        by: &str,
        mut refused: impl FnMut(usize, TokenFault),
        mut progress: impl FnMut(u64),
    ) -> Result<Summary, LinkError> {
        let _turn = self.turn.lock().await;
        let persons = self.persons.all()?;
        let register = Register::new(&persons);
        let (trust, now) = ((self.means.trust)(), self.means.now());
        let mut summary = Summary::default();
        let mut found: Vec<(OpenedToken, Found<'_>)> = Vec::new();
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        for (done, (number, line)) in lines.enumerate() {
            match read_line(line, &self.means.own, &self.means.keys, trust.list(), now) {
                Ok(opened) => {
                    let means = register.find(&opened.token);
                    found.push((opened, means));
                }
                Err(fault) => {
                    summary.refused += 1;
                    refused(number + 1, fault);
                }
            }
            if done % TURN == 0 {
                progress(done as u64);
                tokio::task::yield_now().await;
            }
        }
        let planned = self.plan(found, &persons)?;
        self.carry_out(planned, by, &mut summary).await?;
        Ok(summary)
    }

    /// Links one token to the person with this local number. If the facts do not agree it is refused, and
    /// the token waits in quarantine.
    ///
    /// # Errors
    /// The token is not usable, nobody has the number, the facts do not agree, the person is linked to
    /// somebody else, or it could not be logged or stored.
    pub async fn add(&self, line: &str, number: &str, staff: &str) -> Result<Made, LinkError> {
        let _turn = self.turn.lock().await;
        let trust = (self.means.trust)();
        let opened = read_line(line, &self.means.own, &self.means.keys, trust.list(), self.means.now())?;
        let person = self.persons.by_number(number.trim())?.ok_or(LinkError::NoSuchPerson)?;
        self.link_checked(&opened, &person, staff).await
    }

    pub(super) async fn link_checked(
        &self,
        opened: &OpenedToken,
        person: &LocalPerson,
        staff: &str,
    ) -> Result<Made, LinkError> {
        let agreement = opened.token.compare(&person.facts);
        if !agreement.complete() {
            let disagree: Vec<String> = disagreeing(agreement).into_iter().map(str::to_owned).collect();
            let names = disagree.join(", ");
            let candidate = Candidate { subject: hex::encode(person.key), disagree: disagree.clone() };
            self.means.log(Some(person.key), &entry("quarantined", staff, disagree)).await?;
            let mut change = self.means.vault.change();
            self.put_waiting(&mut change, opened, "refused", vec![candidate])?;
            change.commit().await?;
            return Err(LinkError::Mismatch(names));
        }
        match self.standing(opened, person)? {
            Plan::Unchanged => Ok(Made::Unchanged),
            Plan::Link(_) => {
                let made = entry("made", staff, Vec::new());
                self.means.log_told(person.key, &made, Event::Linked, false).await?;
                let mut change = self.means.vault.change();
                self.put_link(&mut change, opened, &person.key, staff)?;
                change.commit().await?;
                Ok(Made::Linked)
            }
            Plan::Wait(..) | Plan::NotOurs => Err(LinkError::LinkedOtherwise),
        }
    }

    /// What a complete match comes to, given the links there are.
    fn standing<'a>(&self, opened: &OpenedToken, person: &'a LocalPerson) -> Result<Plan<'a>, LinkError> {
        let linked = self.link(&self.index(&opened.token.pseudonym))?;
        if let Some(subject) = linked.and_then(|row| row.value.subject()) {
            let same = subject == person.key;
            return Ok(if same { Plan::Unchanged } else { Plan::Wait("claimed", vec![candidate(person)]) });
        }
        let other = self.links_of(&person.key)?;
        let claimed = other.iter().any(|row| row.value.registry == opened.registry.as_str());
        Ok(if claimed { Plan::Wait("claimed", vec![candidate(person)]) } else { Plan::Link(person) })
    }

    /// Decides about all tokens of a file together: a person two tokens mean is nobody's, and a person who is
    /// recognised by one token no longer explains another that fits only in part.
    fn plan<'a>(
        &self,
        found: Vec<(OpenedToken, Found<'a>)>,
        persons: &'a [LocalPerson],
    ) -> Result<Vec<(OpenedToken, Plan<'a>)>, LinkError> {
        let mut claims: BTreeMap<[u8; 16], Vec<[u8; 16]>> = BTreeMap::new();
        for (opened, means) in &found {
            if let Found::One(person) = means {
                let names = claims.entry(person.key).or_default();
                let name = opened.token.pseudonym.0;
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        let mut recognised: Vec<[u8; 16]> = claims.keys().copied().collect();
        for person in persons {
            if !self.links_of(&person.key)?.is_empty() {
                recognised.push(person.key);
            }
        }
        recognised.sort_unstable();
        let mut planned: Vec<(OpenedToken, Plan<'a>)> = Vec::with_capacity(found.len());
        for (opened, means) in found {
            let plan = match means {
                Found::Nobody => Plan::NotOurs,
                Found::One(person) if claims.get(&person.key).is_some_and(|names| names.len() > 1) => {
                    Plan::Wait("several", vec![candidate(person)])
                }
                Found::One(person) => self.standing(&opened, person)?,
                Found::Several(persons) => {
                    let linked =
                        self.link(&self.index(&opened.token.pseudonym))?.and_then(|row| row.value.subject());
                    match linked {
                        // Staff decided before which of the two it is.
                        Some(key) if persons.iter().any(|person| person.key == key) => Plan::Unchanged,
                        _ => Plan::Wait("several", persons.into_iter().map(candidate).collect()),
                    }
                }
                Found::Partly(partly) => {
                    let open: Vec<Candidate> = partly
                        .into_iter()
                        .filter(|(person, _)| recognised.binary_search(&person.key).is_err())
                        .map(|(person, agreement)| Candidate {
                            subject: hex::encode(person.key),
                            disagree: disagreeing(agreement).into_iter().map(str::to_owned).collect(),
                        })
                        .collect();
                    if open.is_empty() { Plan::NotOurs } else { Plan::Wait("partly", open) }
                }
            };
            planned.push((opened, plan));
        }
        Ok(planned)
    }

    async fn carry_out(
        &self,
        planned: Vec<(OpenedToken, Plan<'_>)>,
        by: &str,
        summary: &mut Summary,
    ) -> Result<(), LinkError> {
        for chunk in planned.chunks(CHUNK) {
            let mut entries = Vec::new();
            let mut change = self.means.vault.change();
            for (opened, plan) in chunk {
                match plan {
                    Plan::NotOurs => summary.not_ours += 1,
                    Plan::Unchanged => summary.unchanged += 1,
                    Plan::Link(person) => {
                        summary.linked += 1;
                        entries.push((Some(person.key), entry("made", by, Vec::new())));
                        self.put_link(&mut change, opened, &person.key, by)?;
                    }
                    Plan::Wait(reason, candidates) => {
                        summary.quarantined += 1;
                        if !self.is_quarantined(&self.index(&opened.token.pseudonym))? {
                            let disagree =
                                candidates.iter().flat_map(|candidate| candidate.disagree.clone()).collect();
                            entries.push((None, entry("quarantined", by, disagree)));
                        }
                        self.put_waiting(&mut change, opened, reason, candidates.clone())?;
                    }
                }
            }
            let now = self.means.env.now();
            let entries: Result<Vec<_>, _> =
                entries.iter().map(|(subject, details)| logged(now, *subject, details)).collect();
            self.means.log_all(entries?).await?;
            if !change.is_empty() {
                change.commit().await?;
            }
        }
        Ok(())
    }
}

/// The entry of a line. Of a link the person may be told; of what is in quarantine nobody is.
fn logged(now: u64, subject: Option<[u8; 16]>, details: &details::Link) -> Result<Entry, NotLogged> {
    Ok(Entry::new(now, subject, details)?.telling(&telling::staff(Event::Linked)))
}

/// A person who agrees in everything and yet cannot be linked without a look.
fn candidate(person: &LocalPerson) -> Candidate {
    Candidate { subject: hex::encode(person.key), disagree: Vec::new() }
}

pub(super) fn entry(event: &str, by: &str, mismatch: Vec<String>) -> details::Link {
    details::Link { event: event.to_owned(), by: by.to_owned(), mismatch }
}
