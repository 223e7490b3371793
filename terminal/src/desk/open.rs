//! An open session at the desk: asking the institutions while the card lies there, and the end of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Attendant, Closed, Institution, Order, Phase, Seat, asking};
use crate::card::{Card, CardFault, Pin};
use crate::clock;
use crate::config::Config;
use crate::connection::Connection;
use crate::federation::Federation;
use crate::session::{Ended, Session};
use crate::trouble::Trouble;
use crate::words::{self, Words};

/// What a session needs while it is open. Every task holds a share; the last one gone, nothing is left.
pub(super) struct Opened {
    pub(super) session: Session,
    pub(super) federation: Federation,
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
    let receipts = desk.settings.receipts.clone();
    if receipts.is_some() {
        opened.session.keep_receipts();
    }
    let opened = Arc::new(opened);
    desk.stage.show(Phase::Open(Arc::new(seat(&opened))));
    let mut asking = JoinSet::new();
    let ended = run(desk, &opened, card, &mut asking).await;
    // What was on the screen goes first; then whatever is still being asked; then the institutions are told.
    let mut said = words::over(ended.unwrap_or(Ended::Asked));
    desk.stage.show(Phase::Over(said.clone()));
    asking.shutdown().await;
    if let Some(opened) = Arc::into_inner(opened) {
        let promised = opened.session.take_receipts();
        // A gateway that cannot be told ends the session by itself.
        let _ = opened.session.close().await;
        if let Some(folder) = receipts {
            said = said.and(match folder.keep(promised, &opened.federation, None) {
                Ok(count) => words::receipts::kept(count, folder.path()),
                Err(trouble) => words::trouble(&trouble),
            });
            desk.stage.show(Phase::Over(said.clone()));
        }
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
                    Ok(order) => asking::begin(opened, order, &desk.stage, asking),
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
        histories: vec![None; session.subjects().len()],
        consents: vec![None; session.subjects().len()],
        choices: Vec::new(),
        registrations: vec![None; session.subjects().len()],
        registered: Vec::new(),
    }
}
