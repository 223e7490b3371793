//! What a guardian chooses while a rehearsal goes on: a house is to show her nothing of a child, and later everything
//! again. A choice whose outcome is unknown is sent again until it is known; some are sent once more on purpose.
//!
//! Must not know: what goes wrong.

use std::sync::{Mutex, MutexGuard, PoisonError};

use hibiki_protocol::act::Reach;
use hibiki_protocol::receipt::Receipt;
use hibiki_terminal::consent::{self, Choice};
use hibiki_terminal::trouble::Trouble;

use super::federation::Federation;
use super::guardian::{Guardian, Visit, child_named};
use super::judge::Judge;
use super::model::{About, OrderId};
use crate::chance::Chance;
use crate::house::House;

/// How often a choice is sent in one session.
const TRIES: usize = 3;

/// What a guardian has withdrawn and not yet given back, if anything.
#[derive(Default)]
pub struct Choices(Mutex<Option<Chosen>>);

/// A withdrawal, and whether it is being given back.
#[derive(Clone)]
struct Chosen {
    kana: String,
    house: House,
    order: OrderId,
    /// What was sent last.
    choice: Choice,
    /// That it was carried out.
    receipt: Option<Receipt>,
}

impl Choices {
    fn chosen(&self) -> MutexGuard<'_, Option<Chosen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn last(&self) -> Option<Chosen> {
        self.chosen().clone()
    }
}

/// Makes a choice, or takes one back, or learns what became of the last.
pub(super) async fn choose(
    city: &Federation,
    guardian: &Guardian,
    judge: &Judge,
    visit: &Visit,
    chance: &mut Chance,
) {
    let Some(last) = guardian.choices.last() else {
        let children: Vec<String> = guardian.expected.keys().cloned().collect();
        let houses: Vec<House> = city.institutions.keys().copied().collect();
        return withdraw(city, guardian, judge, visit, chance.of::<String>(&children), *chance.of(&houses))
            .await;
    };
    if settle(city, guardian, judge, visit).await && chance.below(2) == 0 {
        once_more(city, guardian, judge, visit).await;
    }
    if !last.choice.permit && chance.below(2) == 0 {
        give_back(city, guardian, judge, visit).await;
    }
}

/// Gives everything back; whether that is done.
pub(super) async fn settle_all(city: &Federation, guardian: &Guardian, judge: &Judge, visit: &Visit) -> bool {
    while guardian.choices.last().is_some() {
        if !settle(city, guardian, judge, visit).await {
            return false;
        }
        if guardian.choices.last().is_some() {
            give_back(city, guardian, judge, visit).await;
        }
    }
    true
}

async fn withdraw(
    city: &Federation,
    guardian: &Guardian,
    judge: &Judge,
    visit: &Visit,
    kana: &str,
    house: House,
) {
    let Ok(choice) = Choice::new(None, false, Reach::OwnView) else { return };
    let about = About::Records { guardian: guardian.name.clone(), kana: kana.to_owned(), house };
    let order = judge.model().begin(about, city.world.elapsed());
    let chosen = Chosen { kana: kana.to_owned(), house, order, choice, receipt: None };
    *guardian.choices.chosen() = Some(chosen);
    settle(city, guardian, judge, visit).await;
}

async fn give_back(city: &Federation, guardian: &Guardian, judge: &Judge, visit: &Visit) {
    let Ok(choice) = Choice::new(None, true, Reach::OwnView) else { return };
    if let Some(last) = guardian.choices.chosen().as_mut().filter(|last| last.receipt.is_some()) {
        (last.choice, last.receipt) = (choice, None);
        judge.model().take_back(last.order, city.world.elapsed());
    }
    settle(city, guardian, judge, visit).await;
}

/// Sends the last choice until its outcome is known; whether it is. One that is given back and settled is forgotten.
async fn settle(city: &Federation, guardian: &Guardian, judge: &Judge, visit: &Visit) -> bool {
    for _ in 0..TRIES {
        let Some(last) = guardian.choices.last() else { return true };
        if last.receipt.is_some() {
            return true;
        }
        let Ok(Some(receipt)) = send(city, guardian, visit, &last).await else { continue };
        let now = city.world.elapsed();
        judge.count(|tally| tally.choices += 1);
        judge.note(format_args!(
            "{}: {} {} of {}: entry {}",
            guardian.name,
            if last.choice.permit { "gives back" } else { "withdraws" },
            last.house,
            last.kana,
            receipt.index
        ));
        if last.choice.permit {
            judge.model().taken_back(last.order, now);
            *guardian.choices.chosen() = None;
        } else {
            judge.model().acknowledged(last.order, now);
            if let Some(chosen) = guardian.choices.chosen().as_mut() {
                chosen.receipt = Some(receipt);
            }
        }
        return true;
    }
    false
}

/// I3, for what changes something: sent again it is not carried out again.
async fn once_more(city: &Federation, guardian: &Guardian, judge: &Judge, visit: &Visit) {
    let Some(last) = guardian.choices.last() else { return };
    let Some(first) = &last.receipt else { return };
    if let Ok(Some(second)) = send(city, guardian, visit, &last).await
        && second != *first
    {
        let (name, house) = (&guardian.name, last.house);
        judge.broken(format_args!(
            "{name}: {house} carried out one choice twice (entries {} and {})",
            first.index, second.index
        ));
    }
}

async fn send(
    city: &Federation,
    guardian: &Guardian,
    Visit { session, federation }: &Visit,
    chosen: &Chosen,
) -> Result<Option<Receipt>, Trouble> {
    let subject = child_named(session, &chosen.kana)?;
    let Ok(institution) = city.at(chosen.house) else { return Ok(None) };
    let (member, choice, now) = (&institution.member, &chosen.choice, guardian.now());
    let part = consent::choose(session, federation, subject, member, choice, now, &mut |_| {}).await?;
    Ok(part.receipt.map(|change| change.receipt))
}
