//! One act at a card: connect, do it, cut the power. On a thread of its own, within a time.
//!
//! The card is asked for alone; where another program has it open, too, it is shared, but held in one
//! transaction. Either way it ends without power, so that no PIN stays given: a warm reset would not make a
//! JPKI card forget it.

use std::ffi::{CStr, CString};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use pcsc::{
    Card, Context, Disposition, Error, MAX_BUFFER_SIZE, Protocols, ReaderState, Scope, ShareMode, State,
};
use tokio::sync::oneshot;

use crate::card::CardFault;
use crate::card::apdu::{Channel, Command};

/// How long one act may take: reading a certificate or signing takes a contactless card about a second.
pub(super) const ACT: Duration = Duration::from_millis(4_500);

/// A service that polls its readers (pcscd does, every 400 ms) has noticed after so many looks with such a
/// pause that a card is gone.
const NOTICE_LOOKS: u32 = 12;
const NOTICE_PAUSE: Duration = Duration::from_millis(50);

/// A card during one act.
pub(super) struct Held<'a> {
    card: &'a Card,
    reader: &'a str,
    /// Whether another program has it open, too.
    pub(super) shared: bool,
    /// Whether somebody still waits for what the act brings.
    wanted: &'a dyn Fn() -> bool,
}

impl Channel for Held<'_> {
    fn transmit(&mut self, command: &Command) -> Result<Vec<u8>, CardFault> {
        // An act that was given up goes no further when the service lets it go on: no PIN is shown to a card
        // after its person was told that it failed.
        if !(self.wanted)() {
            return Err(CardFault::Silent);
        }
        let mut buffer = [0; MAX_BUFFER_SIZE];
        let failed = |error| fault(error, self.reader);
        match self.card.transmit(command.bytes(), &mut buffer).map_err(failed)? {
            // Not even a status word: nobody was there to answer.
            [] => Err(CardFault::Mute { reader: self.reader.to_owned() }),
            answer => Ok(answer.to_vec()),
        }
    }
}

/// Does `act` at the card in `reader`.
///
/// When its time is over, or nobody waits any more, the act is given up and its thread left to itself: when
/// the service lets it go on, it sends nothing more and cuts the power.
///
/// # Errors
/// What the act says; [`CardFault::InUse`] or [`CardFault::Silent`] when its time is over.
pub(super) async fn at_card<T: Send + 'static>(
    reader: &str,
    act: impl FnOnce(&mut Held<'_>) -> Result<T, CardFault> + Send + 'static,
) -> Result<T, CardFault> {
    let (done, outcome) = oneshot::channel();
    let (name, waiting) = (reader.to_owned(), Arc::new(AtomicBool::new(false)));
    let waiting_there = waiting.clone();
    let work = move || {
        let outcome = perform(&name, &waiting_there, &|| !done.is_closed(), act);
        let _ = done.send(outcome);
    };
    let spawned = thread::Builder::new().name("card".to_owned()).spawn(work);
    spawned.map_err(|error| CardFault::Unusable(error.to_string()))?;
    match tokio::time::timeout(ACT, outcome).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(CardFault::Unusable("the card's thread ended".to_owned())),
        // Another program's transaction keeps a card from us; a silent card keeps the whole service.
        Err(_) if waiting.load(Ordering::Acquire) => Err(CardFault::InUse),
        Err(_) => Err(CardFault::Silent),
    }
}

/// The act itself; `waiting` says that another program's transaction keeps the card.
fn perform<T>(
    reader: &str,
    waiting: &AtomicBool,
    wanted: &dyn Fn() -> bool,
    act: impl FnOnce(&mut Held<'_>) -> Result<T, CardFault>,
) -> Result<T, CardFault> {
    let failed = |error| fault(error, reader);
    let name = CString::new(reader).map_err(|_| CardFault::NoReader)?;
    let context = Context::establish(Scope::User).map_err(failed)?;
    let (card, shared) = match context.connect(&name, ShareMode::Exclusive, Protocols::ANY) {
        Err(Error::SharingViolation) => (context.connect(&name, ShareMode::Shared, Protocols::ANY), true),
        connected => (connected, false),
    };
    let mut card = Unpowered(Some(card.map_err(failed)?));
    let Some(connected) = card.0.as_mut() else { return Err(CardFault::Removed) };
    waiting.store(true, Ordering::Release);
    let transaction = connected.transaction().map_err(failed)?;
    waiting.store(false, Ordering::Release);
    let outcome = act(&mut Held { card: &transaction, reader, shared, wanted });
    // Without power before anybody whom the transaction kept waiting gets the card.
    let _ = transaction.end(Disposition::UnpowerCard);
    match outcome {
        Err(CardFault::Mute { .. }) if left(&context, &name) => Err(CardFault::Removed),
        outcome => outcome,
    }
}

/// Whether the card that did not answer turns out to have been taken away.
fn left(context: &Context, reader: &CStr) -> bool {
    for _ in 0..NOTICE_LOOKS {
        let mut state = [ReaderState::new(reader, State::UNAWARE)];
        let looked = context.get_status_change(Duration::ZERO, &mut state);
        if looked.is_err() || !state.iter().all(|state| state.event_state().contains(State::PRESENT)) {
            return true;
        }
        thread::park_timeout(NOTICE_PAUSE);
    }
    false
}

/// A connection that ends with a card without power, also when the act between panics.
struct Unpowered(Option<Card>);

impl Drop for Unpowered {
    fn drop(&mut self) {
        if let Some(card) = self.0.take() {
            let _ = card.disconnect(Disposition::UnpowerCard);
        }
    }
}

/// A PC/SC error as a fault.
pub(super) fn fault(error: Error, reader: &str) -> CardFault {
    match error {
        Error::NoService | Error::ServiceStopped => CardFault::NoService,
        Error::NoAccess | Error::SecurityViolation => CardFault::Denied,
        Error::NoReadersAvailable => CardFault::NoReader,
        Error::SharingViolation => CardFault::InUse,
        Error::NoSmartcard
        | Error::RemovedCard
        | Error::ResetCard
        | Error::UnpoweredCard
        | Error::NotTransacted
        | Error::ReaderUnavailable
        | Error::UnknownReader
        | Error::InvalidHandle => CardFault::Removed,
        Error::UnresponsiveCard | Error::UnsupportedCard | Error::ProtoMismatch | Error::CommError => {
            CardFault::Mute { reader: reader.to_owned() }
        }
        other => CardFault::Unusable(other.to_string()),
    }
}
