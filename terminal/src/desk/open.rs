//! An open session at the desk: asking the institutions while the card lies there, and the end of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Attendant, Closed, Institution, LiveView, Order, Phase, Seat, Stage};
use crate::card::{Card, CardFault, Pin};
use crate::config::Config;
use crate::connection::Connection;
use crate::federation::Federation;
use crate::question::Wish;
use crate::session::{Ended, Session};
use crate::trouble::Trouble;
use crate::words::{self, Words};
use crate::{clock, view};

/// What a session needs while it is open. Every task holds a share; the last one gone, nothing is left.
pub(super) struct Opened {
    session: Session,
    federation: Federation,
}

/// How a session ended.
pub(super) enum Over {
    /// With the card.
    CardGone(Words),
    /// While the card is still there.
    CardStays,
}

/// Connects and opens the session.
pub(super) async fn open(config: &Config, card: &mut dyn Card, pin: &Pin) -> Result<Opened, Trouble> {
    let mut federation = Federation::load(&config.root, &config.trust_list)?;
    let (removed, now) = (card.removed(), clock::now());
    let opening = async {
        let address = config.gateway_address.as_deref();
        let connection = Connection::open(&mut federation, &config.gateway, address, now).await?;
        Session::open(connection, &federation, card, pin, clock::now()).await
    };
    let session = tokio::select! {
        biased;
        opened = opening => opened?,
        () = removed => return Err(CardFault::Removed.into()),
    };
    if session.subjects().is_empty() {
        return Err(Trouble::Nobody);
    }
    Ok(Opened { session, federation })
}

/// Attends to the open session until it ends, whatever ends it.
pub(super) async fn attend(desk: &mut Attendant, opened: Opened, card: &dyn Card) -> Result<Over, Closed> {
    let opened = Arc::new(opened);
    desk.stage.show(Phase::Open(Arc::new(seat(&opened))));
    let mut asking = JoinSet::new();
    let ended = run(desk, &opened, card, &mut asking).await;
    // What was on the screen goes first; then whatever is still being asked; then the institutions are told.
    let said = words::over(ended.unwrap_or(Ended::Asked));
    desk.stage.show(Phase::Over(said.clone()));
    asking.shutdown().await;
    if let Some(opened) = Arc::into_inner(opened) {
        // A gateway that cannot be told ends the session by itself.
        let _ = opened.session.close().await;
    }
    match ended {
        Some(Ended::CardRemoved) => Ok(Over::CardGone(said)),
        Some(_) => Ok(Over::CardStays),
        None => Err(Closed),
    }
}

/// Until the session ends; `None` when the desk itself does.
async fn run(
    desk: &mut Attendant,
    opened: &Arc<Opened>,
    card: &dyn Card,
    asking: &mut JoinSet<()>,
) -> Option<Ended> {
    let session = &opened.session;
    let mut removed = card.removed();
    let time_left = Duration::from_millis(session.not_after().since(clock::now()));
    let expiry = Instant::now() + time_left;
    let mut idle_at = Instant::now() + desk.settings.idle;
    loop {
        tokio::select! {
            biased;
            () = &mut removed => return Some(Ended::CardRemoved),
            _ = session.connection().link().closed() => return Some(Ended::GatewayLost),
            () = tokio::time::sleep_until(expiry) => return Some(Ended::Expired),
            () = tokio::time::sleep_until(idle_at) => return Some(Ended::Idle),
            order = desk.next_order() => {
                idle_at = Instant::now() + desk.settings.idle;
                match order {
                    Err(Closed) => return None,
                    Ok(Order::Leave) => return Some(Ended::Asked),
                    Ok(Order::View(person)) => ask(opened, person, &desk.stage, asking),
                    Ok(_) => {}
                }
            }
            Some(_) = asking.join_next(), if !asking.is_empty() => {}
        }
    }
}

fn seat(opened: &Opened) -> Seat {
    let session = &opened.session;
    let institution = |member: &hibiki_protocol::trust::Member| Institution {
        id: member.id.clone(),
        kind: member.kind,
        name: (member.name_ja.clone(), member.name_en.clone()),
    };
    Seat {
        persons: session.subjects().into(),
        institutions: opened.federation.responders().map(institution).collect(),
        simulated: session.simulated(),
        not_after: session.not_after(),
        views: vec![None; session.subjects().len()],
    }
}

/// Asks every institution about one person, unless that is under way.
fn ask(opened: &Arc<Opened>, person: usize, stage: &Stage, asking: &mut JoinSet<()>) {
    let mut begin = false;
    stage.update(|seat| {
        if let Some(view) = seat.views.get_mut(person)
            && view.as_ref().is_none_or(|view| view.ended.is_some())
        {
            *view = Some(LiveView::asked(clock::now()));
            begin = true;
        }
    });
    if begin {
        let (opened, stage) = (Arc::clone(opened), stage.clone());
        asking.spawn(async move { assemble(&opened, person, &stage).await });
    }
}

async fn assemble(opened: &Opened, person: usize, stage: &Stage) {
    let Some(subject) = opened.session.subjects().get(person) else { return };
    let change = |change: &mut dyn FnMut(&mut LiveView)| {
        stage.update(|seat| {
            if let Some(Some(view)) = seat.views.get_mut(person) {
                change(view);
            }
        });
    };
    let mut landed = |part: &view::ViewPart| {
        let part = Arc::new(part.clone());
        change(&mut |view| {
            view.parts.insert(part.institution.clone(), Arc::clone(&part));
        });
    };
    let (session, federation) = (&opened.session, &opened.federation);
    let ended =
        view::assemble(session, federation, subject, &Wish::default(), clock::now(), &mut landed).await;
    let ended = ended.map(|_| ()).map_err(|trouble| words::trouble(&trouble));
    change(&mut |view| view.ended = Some(ended.clone()));
}
