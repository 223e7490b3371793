//! Follows the readers: plugged, unplugged, a card laid down, a card taken away.

use std::thread;
use std::time::Duration;

use pcsc::{Context, Error, PNP_NOTIFICATION, ReaderState, Scope, State};
use tokio::sync::watch;

use super::act::fault;
use super::sight::{Readers, Sight, Slot};
use crate::card::CardFault;

/// How long one wait for a change lasts before the watcher looks whether anybody still listens.
const WAIT: Duration = Duration::from_millis(500);
/// Pause before a service that cannot be asked is asked again.
const PAUSE: Duration = Duration::from_millis(250);

/// The sight of the readers, kept up to date by a thread of its own until the last clone is dropped.
#[derive(Clone, Debug)]
pub struct ReaderWatch(watch::Receiver<Sight>);

impl ReaderWatch {
    /// Begins to watch.
    ///
    /// # Errors
    /// The machine has no thread left.
    pub fn start() -> Result<Self, CardFault> {
        let (sender, receiver) = watch::channel(Sight::Looking);
        let spawned = thread::Builder::new().name("card-readers".to_owned()).spawn(move || run(&sender));
        spawned.map_err(|error| CardFault::Unusable(error.to_string()))?;
        Ok(Self(receiver))
    }

    /// What is seen now.
    pub fn sight(&self) -> Sight {
        self.0.borrow().clone()
    }

    /// Completes when something else is seen than before this call; at once if that has happened since
    /// the last call.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            // The watcher is gone: nothing will ever change. What is seen then says so.
            std::future::pending::<()>().await;
        }
    }

    /// Completes when the card touched as number `touches` is no longer in `reader`.
    pub async fn gone(mut self, reader: &str, touches: u32) {
        // An end of the watcher is as good as a card that is gone: nobody can tell any more.
        let _ = self.0.wait_for(|sight| !sight.still_there(reader, touches)).await;
    }
}

fn run(sender: &watch::Sender<Sight>) {
    while !sender.is_closed() {
        let ended = Context::establish(Scope::User).and_then(|context| follow(&context, sender));
        if let Err(error) = ended {
            publish(sender, Sight::Blind(blind(error)));
            thread::park_timeout(PAUSE);
        }
    }
}

/// Why the service cannot be asked: what it says of a card is no reason here.
fn blind(error: Error) -> CardFault {
    match fault(error, "") {
        CardFault::Denied => CardFault::Denied,
        _ => CardFault::NoService,
    }
}

/// Publishes every change until nobody listens or the service fails.
fn follow(context: &Context, sender: &watch::Sender<Sight>) -> Result<(), Error> {
    let mut states = vec![ReaderState::new(PNP_NOTIFICATION(), State::UNAWARE)];
    loop {
        if !same_readers(&mut states, &names(context)?) {
            // New readers are looked at without waiting.
            settle(context.get_status_change(Duration::ZERO, &mut states))?;
            states.iter_mut().for_each(ReaderState::sync_current_state);
        }
        publish(sender, Sight::Readers(states.iter().filter_map(seen).collect::<Readers>()));
        if sender.is_closed() {
            return Ok(());
        }
        settle(context.get_status_change(WAIT, &mut states))?;
        states.iter_mut().for_each(ReaderState::sync_current_state);
    }
}

fn settle(waited: Result<(), Error>) -> Result<(), Error> {
    match waited {
        // A reader that was unplugged meanwhile is noticed by its name.
        Ok(()) | Err(Error::Timeout | Error::UnknownReader | Error::NoReadersAvailable) => Ok(()),
        Err(error) => Err(error),
    }
}

fn names(context: &Context) -> Result<Vec<std::ffi::CString>, Error> {
    match context.list_readers_owned() {
        Err(Error::NoReadersAvailable) => Ok(Vec::new()),
        listed => listed,
    }
}

/// Makes `states` those of `names`, beside the one for plugging; whether they were already.
fn same_readers(states: &mut Vec<ReaderState>, names: &[std::ffi::CString]) -> bool {
    let known = |state: &ReaderState| {
        state.name() == PNP_NOTIFICATION() || names.iter().any(|name| name.as_c_str() == state.name())
    };
    let before = states.len();
    states.retain(known);
    let mut same = states.len() == before;
    for name in names {
        if !states.iter().any(|state| state.name() == name.as_c_str()) {
            states.push(ReaderState::new(name.clone(), State::UNAWARE));
            same = false;
        }
    }
    same
}

fn seen(state: &ReaderState) -> Option<(String, Slot)> {
    if state.name() == PNP_NOTIFICATION() {
        return None;
    }
    let event = state.event_state();
    let slot = if event.intersects(State::UNKNOWN | State::UNAVAILABLE | State::IGNORE) {
        Slot::Unavailable
    } else if event.contains(State::MUTE) {
        Slot::Mute
    } else if event.contains(State::PRESENT) {
        let in_use = event.intersects(State::INUSE | State::EXCLUSIVE);
        Slot::Card { touches: state.event_count(), in_use }
    } else {
        Slot::Empty
    };
    Some((state.name().to_string_lossy().into_owned(), slot))
}

fn publish(sender: &watch::Sender<Sight>, sight: Sight) {
    sender.send_if_modified(|present| {
        let changed = *present != sight;
        *present = sight;
        changed
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeMap;
    use std::ffi::CString;

    use super::*;

    #[test]
    fn states_follow_the_names() {
        let names = |names: &[&str]| names.iter().map(|n| CString::new(*n).unwrap()).collect::<Vec<_>>();
        let mut states = vec![ReaderState::new(PNP_NOTIFICATION(), State::UNAWARE)];
        assert!(same_readers(&mut states, &[]));
        assert!(!same_readers(&mut states, &names(&["A", "B"])));
        assert!(same_readers(&mut states, &names(&["B", "A"])), "in whatever order they are listed");
        assert!(!same_readers(&mut states, &names(&["B"])));
        assert_eq!(states.len(), 2);
        let readers: BTreeMap<String, Slot> = states.iter().filter_map(seen).collect();
        assert_eq!(readers, BTreeMap::from([("B".to_owned(), Slot::Empty)]));
    }
}
