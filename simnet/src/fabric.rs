//! The network: one queue of events ordered by (time, sequence), one inbox per bound socket.
//!
//! Owns datagrams between being sent and being read; must not know what is in them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::time::Duration;

use quinn::udp::EcnCodepoint;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::LinkOptions;
use crate::fate::{Fate, address_number, draw};
use crate::faults::Faults;
use crate::trace::{Trace, Verdict};

/// Datagrams an unread inbox holds; more are dropped, as a kernel does.
const INBOX: usize = 4096;

/// A datagram on its way or arrived.
#[derive(Debug, Clone)]
pub(crate) struct Datagram {
    pub(crate) from: SocketAddr,
    pub(crate) ecn: Option<EcnCodepoint>,
    pub(crate) payload: Arc<[u8]>,
}

/// What has arrived at one bound socket.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) waiting: VecDeque<Datagram>,
    pub(crate) waker: Option<Waker>,
}

pub(crate) type SharedInbox = Arc<Mutex<Inbox>>;

#[derive(Debug)]
struct Flight {
    at: Instant,
    sequence: u64,
    to: SocketAddr,
    datagram: Datagram,
}

impl PartialEq for Flight {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Flight {}

impl PartialOrd for Flight {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Flight {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

/// How many datagrams a link has carried, and when the last of its queue arrives.
#[derive(Debug, Default)]
struct Line {
    count: u64,
    tail: Option<Instant>,
    /// Until then its narrow end is busy.
    busy: Option<Instant>,
}

impl Line {
    /// How long a datagram waits for its turn and is being put on the link; `None` if the queue is full.
    fn turn(&mut self, now: Instant, bytes: usize, options: &LinkOptions) -> Option<Duration> {
        let takes = options.transmission(bytes);
        if takes.is_zero() {
            return Some(takes);
        }
        let begins = self.busy.map_or(now, |busy| busy.max(now));
        if begins - now > options.queue {
            return None;
        }
        self.busy = Some(begins + takes);
        Some(begins + takes - now)
    }
}

#[derive(Debug, Default)]
struct State {
    sequence: u64,
    lines: BTreeMap<(SocketAddr, SocketAddr), Line>,
    inboxes: BTreeMap<SocketAddr, SharedInbox>,
    flights: BinaryHeap<Reverse<Flight>>,
    faults: Faults,
    trace: Trace,
}

/// All links and sockets of a world.
#[derive(Debug)]
pub(crate) struct Fabric {
    seed: u64,
    options: LinkOptions,
    start: OnceLock<Instant>,
    state: Mutex<State>,
    rearm: Notify,
}

impl Fabric {
    pub(crate) fn new(seed: u64, options: LinkOptions) -> Self {
        Self { seed, options, start: OnceLock::new(), state: Mutex::default(), rearm: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time begins. Must be called on the world's own runtime.
    pub(crate) fn begin(&self) {
        self.start.get_or_init(Instant::now);
    }

    /// Virtual time since the beginning; zero before it and outside.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.get().map_or(Duration::ZERO, Instant::elapsed)
    }

    /// Takes an address, or `None` when it is taken.
    pub(crate) fn bind(&self, address: SocketAddr) -> Option<SharedInbox> {
        let mut state = self.state();
        if state.inboxes.contains_key(&address) {
            return None;
        }
        let inbox = SharedInbox::default();
        state.inboxes.insert(address, inbox.clone());
        Some(inbox)
    }

    /// Gives an address back, if it still belongs to this inbox.
    pub(crate) fn unbind(&self, address: SocketAddr, inbox: &SharedInbox) {
        let mut state = self.state();
        if state.inboxes.get(&address).is_some_and(|bound| Arc::ptr_eq(bound, inbox)) {
            state.inboxes.remove(&address);
        }
    }

    /// Takes every address of a host away: it crashed.
    pub(crate) fn unbind_host(&self, host: IpAddr) {
        self.state().inboxes.retain(|address, _| address.ip() != host);
    }

    pub(crate) fn with_faults<T>(&self, change: impl FnOnce(&mut Faults) -> T) -> T {
        change(&mut self.state().faults)
    }

    pub(crate) fn trace(&self) -> Trace {
        self.state().trace
    }

    /// Sends one datagram from a socket, if that is still bound.
    pub(crate) fn send(
        &self,
        from: SocketAddr,
        inbox: &SharedInbox,
        to: SocketAddr,
        ecn: Option<EcnCodepoint>,
        payload: &[u8],
    ) {
        let now = Instant::now();
        let micros = self.elapsed().as_micros() as u64;
        let state = &mut *self.state();
        if !state.inboxes.get(&from).is_some_and(|bound| Arc::ptr_eq(bound, inbox)) {
            return;
        }
        let options = *state.faults.link(from.ip(), to.ip()).unwrap_or(&self.options);
        let line = state.lines.entry((from, to)).or_default();
        line.count += 1;
        let fate = draw(self.seed, from, to, line.count, &options);
        let blocked = payload.len() > options.mtu || state.faults.blocks(from.ip(), to.ip());
        let turn = if blocked { None } else { line.turn(now, payload.len(), &options) };
        let verdict = match turn {
            None => Verdict::Blocked,
            Some(_) if fate == Fate::Lost => Verdict::Lost,
            Some(_) => Verdict::OnItsWay,
        };
        tracing::trace!(micros, %from, %to, length = payload.len(), ?verdict, "datagram");
        state.trace.sent += 1;
        state.trace.bytes += payload.len() as u64;
        state.trace.note(micros, address_number(from), address_number(to), verdict, payload);
        let (Verdict::OnItsWay, Fate::Arrives { after, held_back, again }) = (verdict, fate) else { return };
        let now = now + turn.unwrap_or_default();
        let mut at = now + after;
        if !held_back {
            at = line.tail.map_or(at, |tail| at.max(tail));
            line.tail = Some(at);
        }
        let datagram = Datagram { from, ecn, payload: payload.into() };
        state.trace.duplicated += u64::from(again.is_some());
        for at in [Some(at), again.map(|again| now + again)].into_iter().flatten() {
            state.sequence += 1;
            let flight = Flight { at, sequence: state.sequence, to, datagram: datagram.clone() };
            state.flights.push(Reverse(flight));
        }
        self.rearm.notify_one();
    }

    /// Delivers, for as long as the world lasts.
    pub(crate) async fn drive(self: Arc<Self>) {
        loop {
            match self.deliver_due() {
                Some(at) => tokio::select! {
                    biased;
                    () = sleep_until(at) => {}
                    () = self.rearm.notified() => {}
                },
                None => self.rearm.notified().await,
            }
        }
    }

    /// Puts everything that is due into its inbox; tells when the next is.
    fn deliver_due(&self) -> Option<Instant> {
        let now = Instant::now();
        let micros = self.elapsed().as_micros() as u64;
        let state = &mut *self.state();
        while let Some(next) = state.flights.peek() {
            if next.0.at > now {
                return Some(next.0.at);
            }
            let Some(Reverse(Flight { to, datagram, .. })) = state.flights.pop() else { break };
            let (from, payload) = (datagram.from, datagram.payload.clone());
            let taken = !state.faults.blocks(from.ip(), to.ip())
                && state.inboxes.get(&to).is_some_and(|inbox| put(inbox, datagram));
            let verdict = if taken { Verdict::Delivered } else { Verdict::Blocked };
            state.trace.note(micros, address_number(from), address_number(to), verdict, &payload);
        }
        None
    }
}

/// Puts a datagram into an inbox that is not full, and wakes its reader.
fn put(inbox: &SharedInbox, datagram: Datagram) -> bool {
    let mut inbox = inbox.lock().unwrap_or_else(PoisonError::into_inner);
    if inbox.waiting.len() >= INBOX {
        return false;
    }
    inbox.waiting.push_back(datagram);
    if let Some(waker) = inbox.waker.take() {
        waker.wake();
    }
    true
}
