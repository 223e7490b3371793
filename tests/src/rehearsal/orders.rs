//! What is ordered while a rehearsal goes on: holds, new trust lists, removals. Each order lives from the moment it is
//! given until it is taken back and everybody has acknowledged that; the model is told of every step.
//!
//! Must not know: what views show.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use hibiki_protocol::cbor;
use hibiki_protocol::frames::TrustLists;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::trust::SignedTrustList;
use serde_json::{Value, json};

use super::Stumble;
use super::federation::{CLERKS, Federation, read};
use super::guardian::Guardian;
use super::institution::Institution;
use super::judge::Judge;
use super::model::About;
use crate::house::House;
use crate::town::Council;

/// How often somebody tries again who met a node that does not run, or asks how far an order is.
const AGAIN: Duration = Duration::from_millis(500);
/// A removed member is cut off within this, once its gateway has the list.
const CUT_OFF: Duration = Duration::from_secs(1);

/// The council's office, and what lies in it.
pub(super) struct Office {
    council: Council,
    requests: BTreeMap<House, PathBuf>,
    folder: PathBuf,
    /// Every list it has published since the founding: whoever was away needs them all.
    published: Vec<SignedTrustList>,
    removed: BTreeSet<House>,
}

impl Office {
    pub(super) fn new(council: Council, requests: BTreeMap<House, PathBuf>, folder: &Path) -> Self {
        Self { council, requests, folder: folder.to_owned(), published: Vec::new(), removed: BTreeSet::new() }
    }

    pub(super) fn write_revocations(&mut self, out: &Path) -> Result<(), Stumble> {
        Ok(self.council.write_revocations(out, 24 * 30)?)
    }
}

/// What a list changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A name: the least there is.
    Name,
    /// It is without this house.
    Without(House),
    /// It has this house again.
    With(House),
}

impl Federation {
    pub(super) fn office(&self) -> MutexGuard<'_, Office> {
        self.office.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The council publishes its next list, with something changed.
    ///
    /// # Errors
    /// The change contradicts what it has.
    pub fn next_list(&self, change: Change) -> Result<(), Stumble> {
        let office = &mut *self.office();
        match change {
            Change::Name => {
                let name = format!("City Hall {}", office.published.len());
                office.council.rename(&self.city_hall()?.member, &name)?;
            }
            Change::Without(house) => office.council.remove(&self.at(house)?.member)?,
            Change::With(house) => {
                let request = office.requests.get(&house);
                let request = request.ok_or_else(|| Stumble(format!("{house} never asked to join")))?.clone();
                office.council.enrol(&request)?;
            }
        }
        let file = office.folder.join("next-list.cbor");
        office.council.publish(&file)?;
        let list = cbor::decode(&read(&file)?);
        office.published.push(list.map_err(|error| Stumble(format!("the next list: {error}")))?);
        Ok(())
    }

    /// The epoch of the council's last list.
    pub fn last_epoch(&self) -> u64 {
        self.office().council.epoch()
    }

    /// Gives an institution what the council has published.
    ///
    /// # Errors
    /// It refuses, or does not run.
    pub async fn install(&self, at: &Institution) -> Result<(), Stumble> {
        let lists = cbor::encode(&TrustLists { lists: self.office().published.clone() });
        at.command("trust-list", json!({ "action": "install" }), CLERKS[0], lists).await?;
        Ok(())
    }

    /// The registry holds a guardian from a child of hers, unless it has done so under this reference; the order's
    /// name.
    ///
    /// # Errors
    /// City hall refuses, or does not run.
    pub async fn hold(&self, guardian: &Guardian, kana: &str, reference: &str) -> Result<String, Stumble> {
        let known = self.holds().await?.into_iter().find(|row| row["reference"] == reference);
        if let Some(id) = known.as_ref().and_then(|row| row["id"].as_str()) {
            return Ok(id.to_owned());
        }
        let missing = || Stumble(format!("{} has no such child", guardian.name));
        let place = self.guardians.iter().position(|one| one.name == guardian.name).ok_or_else(missing)?;
        let holder = self.people.card_holders.get(place).ok_or_else(missing)?;
        let child = self.people.children_of(holder).find(|child| child.kana == kana).ok_or_else(missing)?;
        let order = json!({
            "action": "place", "child": child.number, "guardian": holder,
            "reason_reference": reference, "review_by": "2027-03-31",
        });
        let done = self.city_hall()?.command("hold", order, CLERKS[0], Vec::new()).await?;
        Ok(done.result["id"].as_str().unwrap_or_default().to_owned())
    }

    /// Two clerks lift a hold, or what is still to be done of that.
    ///
    /// # Errors
    /// City hall refuses, or does not run.
    pub async fn lift(&self, hold: &str) -> Result<(), Stumble> {
        let row = self.holds().await?.into_iter().find(|row| row["id"] == hold).unwrap_or_default();
        let left = match row["standing"].as_str() {
            Some("lifted") => &CLERKS[2..],
            Some("lift_awaits_second_clerk") => &CLERKS[1..],
            _ => &CLERKS[..],
        };
        for clerk in left {
            let order = json!({ "action": "lift", "id": hold });
            self.city_hall()?.command("hold", order, clerk, Vec::new()).await?;
        }
        Ok(())
    }

    /// Every hold there ever was, as clerks see them.
    async fn holds(&self) -> Result<Vec<Value>, Stumble> {
        let list = json!({ "action": "list", "all": true });
        Ok(self.city_hall()?.command("hold", list, CLERKS[0], Vec::new()).await?.rows)
    }

    /// How each institution that was told of a hold stands to what the registry last said of it: whether it has
    /// acknowledged that.
    ///
    /// # Errors
    /// City hall refuses, or does not run.
    pub async fn told_of(&self, hold: &str) -> Result<BTreeMap<House, bool>, Stumble> {
        let holds = self.holds().await?;
        let row = holds.iter().find(|row| row["id"] == hold);
        let members = row.and_then(|row| row["members"].as_array()).into_iter().flatten();
        let stands = |one: &Value| {
            let house = self.house_of(&MemberId::new(one["member"].as_str()?)?)?;
            Some((house, !one["acknowledged"].is_null()))
        };
        Ok(members.filter_map(stands).collect())
    }
}

/// A new list with something changed reaches one institution, and from there everybody.
pub(super) async fn renew(city: Arc<Federation>, at: Institution, change: Change, judge: Arc<Judge>) {
    if let Err(why) = city.next_list(change) {
        return judge.broken(why);
    }
    while city.install(&at).await.is_err() {
        city.world.sleep(AGAIN).await;
    }
    judge.note(format_args!("{} has a new list ({change:?})", at.name));
}

/// An institution is removed until `until`, then taken in again.
pub(super) async fn remove(city: Arc<Federation>, who: Institution, judge: Arc<Judge>, until: Duration) {
    let Ok(hall) = city.city_hall().cloned() else { return };
    if !city.office().removed.insert(who.house) {
        return judge.note(format_args!("{} is removed already", who.name));
    }
    let about = About::Membership { who: who.name.clone() };
    let id = judge.model().begin(about, city.world.elapsed());
    renew(Arc::clone(&city), hall.clone(), Change::Without(who.house), Arc::clone(&judge)).await;
    city.world.sleep(CUT_OFF).await;
    judge.model().acknowledged(id, city.world.elapsed());
    if hall.is_connected_to(&who.member) {
        judge.broken(format_args!("{} was removed, and its link to {} is still up", who.name, hall.name));
    }
    city.world.sleep(until.saturating_sub(city.world.elapsed())).await;
    judge.model().take_back(id, city.world.elapsed());
    renew(Arc::clone(&city), hall, Change::With(who.house), Arc::clone(&judge)).await;
    city.office().removed.remove(&who.house);
    judge.model().taken_back(id, city.world.elapsed());
}

/// A guardian is held from her first child until `until`.
pub(super) async fn hold(city: Arc<Federation>, guardian: Guardian, judge: Arc<Judge>, until: Duration) {
    let now = || city.world.elapsed();
    let Some(kana) = guardian.expected.keys().next().cloned() else { return };
    let about =
        |house: &House| About::Records { guardian: guardian.name.clone(), kana: kana.clone(), house: *house };
    let orders: BTreeMap<House, _> =
        city.institutions.keys().map(|house| (*house, judge.model().begin(about(house), now()))).collect();
    // A crash may come between what is done and the answer to it.
    let reference = format!("{}, {} to {} ms", guardian.name, now().as_millis(), until.as_millis());
    let hold = loop {
        match city.hold(&guardian, &kana, &reference).await {
            Ok(hold) => break hold,
            Err(_) => city.world.sleep(AGAIN).await,
        }
    };
    judge.note(format_args!("{} is held from {kana}", guardian.name));
    while now() < until {
        let told = city.told_of(&hold).await.unwrap_or_default();
        for (house, _) in told.into_iter().filter(|(_, acknowledged)| *acknowledged) {
            judge.model().acknowledged(orders[&house], now());
        }
        city.world.sleep(AGAIN).await;
    }
    for id in orders.values() {
        judge.model().take_back(*id, now());
    }
    while city.lift(&hold).await.is_err() {
        city.world.sleep(AGAIN).await;
    }
    judge.note(format_args!("{} is held no longer from {kana}", guardian.name));
    let mut missing: BTreeSet<House> = orders.keys().copied().collect();
    while !missing.is_empty() {
        if let Ok(told) = city.told_of(&hold).await {
            // Who was no member while it was in force has never heard of it.
            missing.retain(|house| {
                let over = told.get(house).is_none_or(|acknowledged| *acknowledged);
                if over {
                    judge.model().taken_back(orders[house], now());
                }
                !over
            });
        }
        city.world.sleep(AGAIN).await;
    }
}
