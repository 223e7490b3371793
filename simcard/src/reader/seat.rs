//! One card and its place in a reader, on a thread of its own.
//!
//! What is wanted (in or out) and what is so are kept apart: the thread works towards the first, and
//! whoever asks for a change can wait until the second has followed.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use hibiki_simcard::vpcd::{self, End, Plastic};

/// Waits between two attempts to reach a reader: the first, and the longest after doubling.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// How long a reader may take to ask for the answer to reset before that is worth a word.
const SLOT_PATIENCE: Duration = Duration::from_secs(3);

/// What a card tells the person who watches it.
pub(crate) type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// Handle of a card's thread.
pub(crate) struct Seat {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Asks a card's thread for changes, from any other.
#[derive(Clone)]
pub(crate) struct Remote(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    wanted: Wanted,
    inserted: bool,
    /// To break off a stay in the reader.
    connection: Option<TcpStream>,
    /// Why the card is not where it is wanted.
    trouble: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    In,
    Out,
    /// The program ends.
    End,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits until `is` holds, at most `patience`; whether it does.
    fn wait_for(&self, patience: Duration, is: impl Fn(&State) -> bool) -> bool {
        let waited = self.changed.wait_timeout_while(self.lock(), patience, |state| !is(state));
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        is(&state)
    }

    fn want(&self, wanted: Wanted) {
        self.update(|state| {
            if state.wanted != Wanted::End {
                state.wanted = wanted;
            }
            if let Some(connection) = state.connection.as_ref().filter(|_| wanted != Wanted::In) {
                let _ = connection.shutdown(Shutdown::Both);
            }
        });
    }
}

impl Remote {
    /// Wants the card in the reader, without waiting.
    pub(crate) fn want_in(&self) {
        self.0.want(Wanted::In);
    }

    /// Puts the card into the reader and waits until the reader has seen it.
    ///
    /// # Errors
    /// It is not in after `patience`: why, in words.
    pub(crate) fn insert(&self, patience: Duration) -> Result<(), String> {
        self.0.want(Wanted::In);
        if self.0.wait_for(patience, |state| state.inserted) {
            return Ok(());
        }
        let trouble = self.0.lock().trouble.clone();
        Err(trouble.unwrap_or_else(|| "the reader does not answer".to_owned()))
    }

    /// Takes the card out of the reader and waits until it has left. The reader looks every 400 ms.
    ///
    /// # Errors
    /// It has not left after `patience`.
    pub(crate) fn remove(&self, patience: Duration) -> Result<(), String> {
        self.0.want(Wanted::Out);
        let out = self.0.wait_for(patience, |state| !state.inserted && state.connection.is_none());
        if out { Ok(()) } else { Err("the card is still busy with a command".to_owned()) }
    }
}

impl Seat {
    /// Starts a card's thread, the card beside the reader. `reader` is HOST:PORT, `name` what people call the card.
    pub(crate) fn start(
        name: String,
        reader: String,
        plastic: Box<dyn Plastic>,
        tell: Tell,
    ) -> io::Result<Self> {
        let state = State { wanted: Wanted::Out, inserted: false, connection: None, trouble: None };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let mut at_work = AtWork { name, reader, plastic, tell, shared: Arc::clone(&shared) };
        let thread = std::thread::Builder::new().spawn(move || at_work.run())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// A handle for whoever is asked to insert or remove the card.
    pub(crate) fn remote(&self) -> Remote {
        Remote(Arc::clone(&self.shared))
    }
}

impl Drop for Seat {
    /// Takes the card out and ends its thread.
    fn drop(&mut self) {
        self.shared.want(Wanted::End);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct AtWork {
    name: String,
    reader: String,
    plastic: Box<dyn Plastic>,
    tell: Tell,
    shared: Arc<Shared>,
}

impl AtWork {
    fn run(&mut self) {
        let mut wait = BACKOFF.0;
        loop {
            let wanted = self.shared.lock().wanted;
            match wanted {
                Wanted::End => return,
                Wanted::Out => {
                    // Until something else is wanted; the hour only bounds the wait.
                    self.shared.wait_for(Duration::from_secs(3_600), |state| state.wanted != Wanted::Out);
                }
                Wanted::In => {
                    if self.stay() {
                        wait = BACKOFF.0;
                    }
                    self.shared.wait_for(wait, |state| state.wanted != Wanted::In);
                    wait = (wait * 2).min(BACKOFF.1);
                }
            }
        }
    }

    /// One stay in the reader; whether it came to one.
    fn stay(&mut self) -> bool {
        let mut stream = match self.connect() {
            Ok(Some(stream)) => stream,
            Ok(None) => return false,
            Err(error) => {
                self.trouble(format!(
                    "no virtual reader at {} ({error}): start pcscd with vsmartcard's driver; trying again",
                    self.reader
                ));
                return false;
            }
        };
        let Self { name, reader, plastic, tell, shared } = self;
        let mut was_in = false;
        let ended = vpcd::serve(&mut stream, plastic.as_mut(), &mut || {
            was_in = true;
            // Told first, so that the words stand before whatever comes of them.
            tell(&format!("inserted {name} into {reader}"));
            shared.update(|state| (state.inserted, state.trouble) = (true, None));
        });
        self.shared.update(|state| (state.inserted, state.connection) = (false, None));
        let wanted_in = self.shared.lock().wanted == Wanted::In;
        match ended {
            _ if !wanted_in => (self.tell)(&format!("removed {} from {}", self.name, self.reader)),
            Ok(End::Pulled) => (self.tell)(&format!("{} was pulled out of {}", self.name, self.reader)),
            Ok(End::Closed) => self.trouble(format!("the reader at {} went away; trying again", self.reader)),
            Err(error) => {
                self.trouble(format!("the reader at {} failed ({error}); trying again", self.reader));
            }
        }
        was_in
    }

    /// Connects, and says so if the slot is taken. `None` if the card is no longer wanted in.
    fn connect(&mut self) -> io::Result<Option<TcpStream>> {
        let stream = TcpStream::connect(&self.reader)?;
        let handle = stream.try_clone()?;
        self.shared.update(|state| {
            state.connection = (state.wanted == Wanted::In).then_some(handle);
        });
        if self.shared.lock().connection.is_none() {
            return Ok(None);
        }
        // Only one card fits a slot; a second connection is accepted by the system and waits there.
        stream.set_read_timeout(Some(SLOT_PATIENCE))?;
        let silent = stream.peek(&mut [0]).is_err();
        stream.set_read_timeout(None)?;
        if silent {
            self.trouble(format!(
                "{} holds another card, or is no virtual reader; waiting for the slot",
                self.reader
            ));
        }
        Ok(Some(stream))
    }

    /// Says what is wrong, once.
    fn trouble(&self, words: String) {
        let fresh = self.shared.lock().trouble.as_ref() != Some(&words);
        if fresh {
            (self.tell)(&format!("{}: {words}", self.name));
        }
        self.shared.update(|state| state.trouble = Some(words));
    }
}
