//! Asking the institutions while a session is open: each question a task of its own, each answer on the stage the
//! moment it lands.

use std::sync::Arc;

use hibiki_protocol::ids::MemberId;
use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::session::AttestedSubject;
use tokio::task::JoinSet;

use super::open::Opened;
use super::{Landed, Live, MadeChoice, MadeRegistration, Order, Seat, Stage};
use crate::consent::Choice;
use crate::question::Wish;
use crate::registration::{self, Registering};
use crate::trouble::Trouble;
use crate::words;
use crate::{clock, consent, history, view};

/// Where a seat keeps what it knows of each person.
type Shelf<P> = fn(&mut Seat) -> &mut Vec<Option<Live<P>>>;

/// Begins what an order asks for; orders that ask for nothing are passed over.
pub(super) fn begin(opened: &Arc<Opened>, order: Order, stage: &Stage, asking: &mut JoinSet<()>) {
    let (opened, stage) = (Arc::clone(opened), stage.clone());
    match order {
        Order::View(person) => {
            let round = Round { stage, person, shelf: |seat| &mut seat.views };
            if round.begin() {
                asking.spawn(async move { round.end(view_of(&opened, &round).await) });
            }
        }
        Order::History(person) => {
            let round = Round { stage, person, shelf: |seat| &mut seat.histories };
            if round.begin() {
                asking.spawn(async move { round.end(history_of(&opened, &round).await) });
            }
        }
        Order::OlderHistory { person, institution, before } => {
            let round = Round { stage, person, shelf: |seat| &mut seat.histories };
            asking.spawn(async move { older_history(&opened, &round, &institution, before).await });
        }
        Order::Consents(person) => {
            let round = Round { stage, person, shelf: |seat| &mut seat.consents };
            if round.begin() {
                asking.spawn(async move { round.end(consents_of(&opened, &round).await) });
            }
        }
        Order::Choose { person, institution, choice } => {
            asking.spawn(async move { choose(&opened, &stage, person, institution, choice).await });
        }
        Order::Registrations(person) => {
            let round = Round { stage, person, shelf: |seat| &mut seat.registrations };
            if round.begin() {
                asking.spawn(async move { round.end(registrations_of(&opened, &round).await) });
            }
        }
        Order::Register { person, institution, change } => {
            asking.spawn(async move { register(&opened, &stage, person, institution, change).await });
        }
        Order::Pin { .. } | Order::Leave | Order::Again | Order::Stirred | Order::Close => {}
    }
}

/// One question to everybody about one person.
struct Round<P> {
    stage: Stage,
    person: usize,
    shelf: Shelf<P>,
}

impl<P: Landed + Clone> Round<P> {
    /// Takes its place on the shelf, unless the same is under way or there is no such person.
    fn begin(&self) -> bool {
        let mut begun = false;
        self.stage.update(|seat| {
            if let Some(place) = (self.shelf)(seat).get_mut(self.person)
                && place.as_ref().is_none_or(|live| live.ended.is_some())
            {
                *place = Some(Live::asked(clock::now()));
                begun = true;
            }
        });
        begun
    }

    fn landed(&self, part: &P) {
        let part = Arc::new(part.clone());
        self.change(|live| {
            live.parts.insert(part.institution().clone(), part);
        });
    }

    fn end(&self, ended: Result<(), Trouble>) {
        let ended = ended.map_err(|trouble| words::trouble(&trouble));
        self.change(|live| live.ended = Some(ended));
    }

    fn change(&self, change: impl FnOnce(&mut Live<P>)) {
        self.stage.update(|seat| {
            if let Some(Some(live)) = (self.shelf)(seat).get_mut(self.person) {
                change(live);
            }
        });
    }

    fn subject<'a>(&self, opened: &'a Opened) -> Result<&'a AttestedSubject, Trouble> {
        let known = opened.session.subjects();
        known.get(self.person).ok_or(Trouble::UnknownSubject { known: known.len() })
    }
}

async fn view_of(opened: &Opened, round: &Round<view::ViewPart>) -> Result<(), Trouble> {
    let (Opened { session, federation }, subject) = (opened, round.subject(opened)?);
    let wish = Wish::default();
    view::assemble(session, federation, subject, &wish, clock::now(), &mut |part| round.landed(part)).await?;
    Ok(())
}

async fn history_of(opened: &Opened, round: &Round<history::HistoryPart>) -> Result<(), Trouble> {
    let (Opened { session, federation }, subject) = (opened, round.subject(opened)?);
    let landed = &mut |part: &_| round.landed(part);
    history::assemble(session, federation, subject, None, clock::now(), landed).await?;
    Ok(())
}

/// Adds older entries to what one institution has told.
async fn older_history(
    opened: &Opened,
    round: &Round<history::HistoryPart>,
    institution: &MemberId,
    before: u64,
) {
    let (Opened { session, federation }, Ok(subject)) = (opened, round.subject(opened)) else { return };
    let older = history::older(session, federation, subject, institution, before, None, clock::now()).await;
    // Where it did not answer, the page still offers the same.
    let Some(older) = older.ok().filter(|part| part.standing.outcome == Outcome::Data) else { return };
    round.change(|live| {
        let Some(known) = live.parts.get_mut(institution) else { return };
        let known = Arc::make_mut(known);
        if known.older == Some(before) {
            known.entries.extend(older.entries);
            known.older = older.older;
        }
    });
}

async fn consents_of(opened: &Opened, round: &Round<consent::ConsentPart>) -> Result<(), Trouble> {
    let (Opened { session, federation }, subject) = (opened, round.subject(opened)?);
    let landed = &mut |part: &_| round.landed(part);
    consent::show(session, federation, subject, None, clock::now(), landed).await?;
    Ok(())
}

/// Makes a choice, and shows what is chosen now, and what is shown under it.
async fn choose(opened: &Opened, stage: &Stage, person: usize, institution: MemberId, choice: Choice) {
    let consents = Round { stage: stage.clone(), person, shelf: |seat: &mut Seat| &mut seat.consents };
    let Ok(subject) = consents.subject(opened) else { return };
    let mut number = 0;
    let made = MadeChoice { person, institution: institution.clone(), choice: choice.clone(), answer: None };
    stage.update(|seat| {
        number = seat.choices.len();
        seat.choices.push(made);
    });
    let answer = |answer| {
        stage.update(|seat| {
            if let Some(made) = seat.choices.get_mut(number) {
                made.answer = Some(answer);
            }
        });
    };
    let mut landed = |part: &consent::ConsentPart| {
        answer(Ok(Arc::new(part.clone())));
        if part.choices.is_some() {
            consents.landed(part);
        }
    };
    let (session, federation) = (&opened.session, &opened.federation);
    let asked =
        consent::choose(session, federation, subject, &institution, &choice, clock::now(), &mut landed).await;
    match asked {
        Err(trouble) => answer(Err(words::trouble(&trouble))),
        // What may be shown has changed: what is on the screen is asked for anew.
        Ok(part) if part.receipt.is_some() => {
            let views = Round { stage: stage.clone(), person, shelf: |seat: &mut Seat| &mut seat.views };
            if views.begin() {
                views.end(view_of(opened, &views).await);
            }
        }
        Ok(_) => {}
    }
}

async fn registrations_of(
    opened: &Opened,
    round: &Round<registration::RegistrationPart>,
) -> Result<(), Trouble> {
    let (Opened { session, federation }, subject) = (opened, round.subject(opened)?);
    let landed = &mut |part: &_| round.landed(part);
    registration::show(session, federation, subject, None, clock::now(), landed).await?;
    Ok(())
}

/// Changes what is registered, and shows what is registered now.
async fn register(opened: &Opened, stage: &Stage, person: usize, institution: MemberId, change: Registering) {
    let shown = Round { stage: stage.clone(), person, shelf: |seat: &mut Seat| &mut seat.registrations };
    let Ok(subject) = shown.subject(opened) else { return };
    let mut number = 0;
    let made =
        MadeRegistration { person, institution: institution.clone(), change: change.clone(), answer: None };
    stage.update(|seat| {
        number = seat.registered.len();
        seat.registered.push(made);
    });
    let answer = |answer| {
        stage.update(|seat| {
            if let Some(made) = seat.registered.get_mut(number) {
                made.answer = Some(answer);
            }
        });
    };
    let mut landed = |part: &registration::RegistrationPart| {
        answer(Ok(Arc::new(part.clone())));
        if part.state.is_some() {
            shown.landed(part);
        }
    };
    let (session, federation) = (&opened.session, &opened.federation);
    let asked = registration::register(
        session,
        federation,
        subject,
        &institution,
        &change,
        clock::now(),
        &mut landed,
    );
    if let Err(trouble) = asked.await {
        answer(Err(words::trouble(&trouble)));
    }
}
