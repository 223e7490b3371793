//! The desk: one reader, one person at a time, from the touch to the moment the card is taken away.
//!
//! A task of its own waits for cards, opens the session with the PIN it is given, asks the institutions, and
//! ends everything when the card goes, the time is over or nobody has stirred for a while. Whoever shows the
//! desk reads [`Snapshot`]s and sends [`Order`]s. All of a session lives in this task's memory and is dropped
//! with it. Must not know how it is shown.

mod asking;
mod open;
mod snapshot;
mod source;

pub use snapshot::{
    Institution, Landed, Live, LiveView, MadeChoice, MadeRegistration, Phase, Seat, Snapshot,
};
pub use source::CardSource;

use std::sync::Arc;
use std::time::Duration;

use hibiki_protocol::ids::MemberId;
use tokio::sync::{mpsc, watch};

use crate::card::{Card, CardFault, Inspection, Pin};
use crate::clock;
use crate::config::Config;
use crate::consent::Choice;
use crate::receipts::folder::Folder;
use crate::registration::Registering;
use crate::trouble::Trouble;
use crate::words::{self, Words};

/// Orders that may wait to be carried out.
const ORDERS: usize = 16;

/// How a desk is set up.
#[derive(Debug)]
pub struct Settings {
    /// Federation and gateway.
    pub config: Config,
    /// Where cards come from.
    pub source: CardSource,
    /// A session ends when nobody has stirred for this long.
    pub idle: Duration,
    /// Where the receipts of every answer are kept; nowhere at a kiosk.
    pub receipts: Option<Folder>,
}

/// What the person at the desk wants.
#[derive(Debug)]
pub enum Order {
    /// Open a session with this PIN; with `last_try` even if a wrong one would lock the card.
    Pin {
        /// What was typed.
        pin: Pin,
        /// The person knows that it is the last try.
        last_try: bool,
    },
    /// Ask every institution about this person, by her place in [`Seat::persons`]; asked again, ask again.
    View(usize),
    /// Ask every institution who looked at this person's records.
    History(usize),
    /// Ask one institution for entries before this one.
    OlderHistory {
        /// Whose records.
        person: usize,
        /// Where.
        institution: MemberId,
        /// Number in its ledger.
        before: u64,
    },
    /// Ask every institution what the holder has withdrawn about this person.
    Consents(usize),
    /// Make a choice at one institution.
    Choose {
        /// Whose records.
        person: usize,
        /// Where.
        institution: MemberId,
        /// What.
        choice: Choice,
    },
    /// Ask every institution what is registered there for this person.
    Registrations(usize),
    /// Change what is registered at one institution.
    Register {
        /// For whom.
        person: usize,
        /// Where.
        institution: MemberId,
        /// What.
        change: Registering,
    },
    /// End the session.
    Leave,
    /// Begin again with the card that still lies there.
    Again,
    /// Somebody is there.
    Stirred,
    /// Close the desk.
    Close,
}

/// A handle to the desk. The desk ends with the last one.
#[derive(Clone, Debug)]
pub struct Desk {
    orders: mpsc::Sender<Order>,
    sight: watch::Receiver<Snapshot>,
}

impl Desk {
    /// Opens the desk: from now on it waits for cards.
    pub fn open(settings: Settings) -> Self {
        let (orders, inbox) = mpsc::channel(ORDERS);
        let first = Phase::Waiting { missing: CardFault::NoCard, notice: None };
        let (sight, seen) = watch::channel(Snapshot { phase: first, scene: 0, change: 0 });
        tokio::spawn(Attendant { settings, inbox, stage: Stage(Arc::new(sight)) }.attend());
        Self { orders, sight: seen }
    }

    /// What is seen now.
    pub fn sight(&self) -> Snapshot {
        self.sight.borrow().clone()
    }

    /// What is seen now and from now on.
    pub fn watch(&self) -> watch::Receiver<Snapshot> {
        self.sight.clone()
    }

    /// Hands in an order. One that does not fit the moment is passed over.
    pub async fn order(&self, order: Order) {
        // A desk that has ended takes no orders; its last sight says so.
        let _ = self.orders.send(order).await;
    }

    /// Closes the desk: a session that is open ends first, also at the institutions.
    pub async fn close(self) {
        self.order(Order::Close).await;
        self.orders.closed().await;
    }
}

/// What everybody looks at.
#[derive(Clone, Debug)]
struct Stage(Arc<watch::Sender<Snapshot>>);

impl Stage {
    /// Shows something else.
    fn show(&self, phase: Phase) {
        self.0.send_modify(|snapshot| {
            snapshot.phase = phase;
            snapshot.scene = snapshot.scene.wrapping_add(1);
            snapshot.change = snapshot.change.wrapping_add(1);
        });
    }

    /// Changes the open session's sight, keeping the scene.
    fn update(&self, change: impl FnOnce(&mut Seat)) {
        self.0.send_if_modified(|snapshot| {
            let Phase::Open(seat) = &mut snapshot.phase else { return false };
            change(Arc::make_mut(seat));
            snapshot.change = snapshot.change.wrapping_add(1);
            true
        });
    }
}

/// Whoever attends to the desk.
struct Attendant {
    settings: Settings,
    inbox: mpsc::Receiver<Order>,
    stage: Stage,
}

/// The desk is closed: nobody holds a handle any more.
struct Closed;

impl Attendant {
    async fn attend(mut self) {
        let mut notice = None;
        while let Ok(next) = self.serve(notice.take()).await {
            notice = next;
        }
    }

    async fn next_order(&mut self) -> Result<Order, Closed> {
        match self.inbox.recv().await {
            None | Some(Order::Close) => Err(Closed),
            Some(order) => Ok(order),
        }
    }

    /// One card, from its touch until it is gone; returns what there is to say afterwards.
    async fn serve(&mut self, notice: Option<Words>) -> Result<Option<Words>, Closed> {
        let (mut card, mut seen) = self.await_card(notice).await?;
        let mut notice = None;
        loop {
            if let Err(fault) = usable(&seen) {
                self.stage.show(Phase::Unusable(words::card_fault(&fault)));
                return self.until_removed(card.as_ref()).await.map(|_| None);
            }
            let typed = self.await_pin(card.as_ref(), &seen, notice.take()).await?;
            let Some((pin, last_try)) = typed else { return Ok(None) };
            if seen.tries_left == 1 && !last_try {
                notice = Some(words::last_try());
                continue;
            }
            self.stage.show(Phase::Opening);
            let over = match open::open(&self.settings.config, card.as_mut(), &pin).await {
                Ok(opened) => open::attend(self, opened, card.as_ref()).await?,
                Err(Trouble::Card(CardFault::Removed)) => {
                    return Ok(Some(words::card_fault(&CardFault::Removed)));
                }
                Err(trouble @ Trouble::Card(_)) => {
                    notice = Some(words::trouble(&trouble));
                    match card.inspect().await {
                        Ok(now) => seen = now,
                        Err(_) => return Ok(notice),
                    }
                    continue;
                }
                Err(trouble) => {
                    self.stage.show(Phase::Over(words::trouble(&trouble)));
                    open::Over::CardStays
                }
            };
            match over {
                open::Over::CardGone(said) => return Ok(Some(said)),
                open::Over::CardStays => {
                    if !self.until_removed(card.as_ref()).await? {
                        return Ok(None);
                    }
                    match card.inspect().await {
                        Ok(now) => seen = now,
                        Err(_) => return Ok(None),
                    }
                }
            }
        }
    }

    async fn await_card(&mut self, mut notice: Option<Words>) -> Result<(Box<dyn Card>, Inspection), Closed> {
        let stage = self.stage.clone();
        stage.show(Phase::Waiting { missing: CardFault::NoCard, notice: notice.clone() });
        let mut told = CardFault::NoCard;
        let mut tell = move |missing: &CardFault| {
            if *missing != told {
                told = missing.clone();
                stage.show(Phase::Waiting { missing: missing.clone(), notice: notice.take() });
            }
        };
        let source = self.settings.source.clone();
        let mut searching = std::pin::pin!(source.next(&mut tell));
        loop {
            tokio::select! {
                biased;
                found = &mut searching => return Ok(found),
                order = self.next_order() => { order?; }
            }
        }
    }

    /// The PIN, or `None` when the card was taken away instead.
    async fn await_pin(
        &mut self,
        card: &dyn Card,
        seen: &Inspection,
        notice: Option<Words>,
    ) -> Result<Option<(Pin, bool)>, Closed> {
        self.stage.show(Phase::Seen { card: Box::new(seen.clone()), notice });
        let mut removed = card.removed();
        loop {
            tokio::select! {
                biased;
                () = &mut removed => return Ok(None),
                order = self.next_order() => {
                    if let Order::Pin { pin, last_try } = order? {
                        return Ok(Some((pin, last_try)));
                    }
                }
            }
        }
    }

    /// Waits until the card is gone (`false`), or somebody wants to begin again with it (`true`).
    async fn until_removed(&mut self, card: &dyn Card) -> Result<bool, Closed> {
        let mut removed = card.removed();
        loop {
            tokio::select! {
                biased;
                () = &mut removed => return Ok(false),
                order = self.next_order() => {
                    if let Order::Again = order? {
                        return Ok(true);
                    }
                }
            }
        }
    }
}

/// Whether a PIN may be asked for at all.
fn usable(seen: &Inspection) -> Result<(), CardFault> {
    seen.certificate.check_dates(clock::now())?;
    if seen.tries_left == 0 { Err(CardFault::Blocked) } else { Ok(()) }
}
