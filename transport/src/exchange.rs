//! One question and its answers: a bidirectional stream carrying frames.
//!
//! Owns both halves of a stream and its end; must not know what a frame says. Dropping an exchange
//! before its end tells the peer ([`Code::CANCELLED`]), so that giving up travels all the way.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use quinn::{ReadError, WriteError};
use tokio::time::timeout;

use crate::assembler::{Assembler, Step, framed};
use crate::roll::UnderWay;
use crate::{Closed, Code, Link};

/// What both halves keep alive: the link, and the count of exchanges under way.
struct Hold {
    link: Link,
    _under_way: UnderWay,
}

/// One bidirectional stream of frames.
pub struct Exchange {
    sender: Sender,
    receiver: Receiver,
}

impl Exchange {
    pub(crate) fn new(
        send: quinn::SendStream,
        recv: quinn::RecvStream,
        link: Link,
        under_way: UnderWay,
    ) -> Self {
        let hold = Arc::new(Hold { link, _under_way: under_way });
        Self {
            sender: Sender { stream: send, state: Sending::Open, hold: hold.clone() },
            receiver: Receiver {
                stream: recv,
                assembler: Assembler::default(),
                state: Receiving::Open,
                hold,
            },
        }
    }

    /// The link this exchange runs on.
    pub fn link(&self) -> &Link {
        &self.sender.hold.link
    }

    /// See [`Sender::send`].
    ///
    /// # Errors
    /// As [`Sender::send`].
    pub async fn send(&mut self, frame: &[u8]) -> Result<(), ExchangeError> {
        self.sender.send(frame).await
    }

    /// See [`Sender::send_within`].
    ///
    /// # Errors
    /// As [`Sender::send_within`].
    pub async fn send_within(&mut self, frame: &[u8], within: Duration) -> Result<(), ExchangeError> {
        self.sender.send_within(frame, within).await
    }

    /// See [`Receiver::recv`].
    ///
    /// # Errors
    /// As [`Receiver::recv`].
    pub async fn recv(&mut self, max: usize) -> Result<Option<Vec<u8>>, ExchangeError> {
        self.receiver.recv(max).await
    }

    /// See [`Receiver::recv_within`].
    ///
    /// # Errors
    /// As [`Receiver::recv_within`].
    pub async fn recv_within(
        &mut self,
        max: usize,
        within: Duration,
    ) -> Result<Option<Vec<u8>>, ExchangeError> {
        self.receiver.recv_within(max, within).await
    }

    /// See [`Sender::finish`].
    ///
    /// # Errors
    /// As [`Sender::finish`].
    pub fn finish(&mut self) -> Result<(), ExchangeError> {
        self.sender.finish()
    }

    /// Gives the exchange up in both directions: the peer's reads and writes fail with `code`.
    pub fn reset(mut self, code: Code) {
        self.sender.give_up(code);
        self.receiver.give_up(code);
    }

    /// See [`Sender::abandoned`].
    pub fn abandoned(&self) -> impl Future<Output = ()> + Send + Sync + 'static + use<> {
        self.sender.abandoned()
    }

    /// The two halves, for a task that reads while another writes. Each gives up its own direction when
    /// it is dropped early.
    pub fn into_halves(self) -> (Sender, Receiver) {
        (self.sender, self.receiver)
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("link", self.link()).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sending {
    Open,
    /// A frame is partly written: if it stays so, the rest would be read as something else.
    MidFrame,
    Ended,
}

/// The writing half of an exchange.
pub struct Sender {
    stream: quinn::SendStream,
    state: Sending,
    hold: Arc<Hold>,
}

impl Sender {
    /// Sends one frame; waits while the peer's windows are full. When this future is dropped before its
    /// end, the exchange can send no more.
    ///
    /// # Errors
    /// [`ExchangeError::Reset`] when the peer has stopped reading.
    pub async fn send(&mut self, frame: &[u8]) -> Result<(), ExchangeError> {
        if self.state != Sending::Open {
            return Err(ExchangeError::Ended);
        }
        let bytes = framed(frame).ok_or_else(|| ExchangeError::TooLong {
            length: u64::try_from(frame.len()).unwrap_or(u64::MAX),
            limit: u32::MAX as usize,
        })?;
        self.state = Sending::MidFrame;
        self.stream.write_all(&bytes).await?;
        self.state = Sending::Open;
        Ok(())
    }

    /// [`Sender::send`], given up after `within`: for a peer that does not read.
    ///
    /// # Errors
    /// [`ExchangeError::TimedOut`]; the exchange can send no more then.
    pub async fn send_within(&mut self, frame: &[u8], within: Duration) -> Result<(), ExchangeError> {
        timeout(within, self.send(frame)).await.unwrap_or(Err(ExchangeError::TimedOut { after: within }))
    }

    /// Says that no frame will follow. What was sent still arrives.
    ///
    /// # Errors
    /// [`ExchangeError::Ended`] after an earlier end or a frame that was cut short.
    pub fn finish(&mut self) -> Result<(), ExchangeError> {
        if self.state != Sending::Open {
            return Err(ExchangeError::Ended);
        }
        self.state = Sending::Ended;
        self.stream.finish().map_err(|_| ExchangeError::Ended)
    }

    /// Waits until the peer has acknowledged every byte; call after [`Sender::finish`]. The peer's
    /// machine has them then; what it made of them only an answer can tell.
    ///
    /// # Errors
    /// [`ExchangeError::Reset`] when the peer stopped reading before the end.
    pub async fn delivered(&mut self) -> Result<(), ExchangeError> {
        match self.stream.stopped().await {
            Ok(None) => Ok(()),
            Ok(Some(code)) => Err(ExchangeError::Reset { code: code.into() }),
            Err(quinn::StoppedError::ConnectionLost(error)) => Err(Closed::from(error).into()),
            Err(quinn::StoppedError::ZeroRttRejected) => Err(ExchangeError::Ended),
        }
    }

    /// Completes when nobody waits for our frames any more: the peer stopped reading or the link is
    /// gone. (After [`Sender::finish`] also when all has been delivered.) For racing against work.
    pub fn abandoned(&self) -> impl Future<Output = ()> + Send + Sync + 'static + use<> {
        let stopped = self.stream.stopped();
        async move {
            let _ = stopped.await;
        }
    }

    fn give_up(&mut self, code: Code) {
        if self.state != Sending::Ended {
            self.state = Sending::Ended;
            // Fails only where the peer has stopped the stream already.
            let _ = self.stream.reset(code.varint());
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // quinn would finish the stream instead, and half an answer would look whole.
        self.give_up(Code::CANCELLED);
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("link", &self.hold.link).finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Receiving {
    Open,
    /// The peer finished between two frames.
    AtEnd,
    /// Nothing sensible can follow.
    Failed,
}

/// The reading half of an exchange.
pub struct Receiver {
    stream: quinn::RecvStream,
    assembler: Assembler,
    state: Receiving,
    hold: Arc<Hold>,
}

impl Receiver {
    /// The next frame of at most `max` bytes, or `None` when the peer has finished. Memory grows only
    /// with bytes that arrived, whatever length was announced. When this future is dropped before its
    /// end, nothing is lost: the next call goes on where it stopped.
    ///
    /// # Errors
    /// [`ExchangeError::TooLong`] (the peer is then told to stop), [`ExchangeError::Truncated`],
    /// [`ExchangeError::Reset`] when the peer gave up, [`ExchangeError::Link`].
    pub async fn recv(&mut self, max: usize) -> Result<Option<Vec<u8>>, ExchangeError> {
        match self.state {
            Receiving::Open => {}
            Receiving::AtEnd => return Ok(None),
            Receiving::Failed => return Err(ExchangeError::Ended),
        }
        loop {
            let most = match self.assembler.step(max) {
                Step::Frame(frame) => return Ok(Some(frame)),
                Step::Need(most) => most,
                Step::TooLong { length } => {
                    self.give_up(Code::TOO_LONG);
                    return Err(ExchangeError::TooLong { length, limit: max });
                }
            };
            match self.stream.read_chunk(most, true).await {
                Ok(Some(chunk)) => self.assembler.push(&chunk.bytes),
                Ok(None) if self.assembler.between_frames() => {
                    self.state = Receiving::AtEnd;
                    return Ok(None);
                }
                Ok(None) => {
                    self.state = Receiving::Failed;
                    return Err(ExchangeError::Truncated);
                }
                Err(error) => {
                    self.state = Receiving::Failed;
                    return Err(error.into());
                }
            }
        }
    }

    /// [`Receiver::recv`], given up when the *whole* frame is not there after `within`: a peer that
    /// drips a byte now and then gains nothing.
    ///
    /// # Errors
    /// [`ExchangeError::TimedOut`], and those of [`Receiver::recv`].
    pub async fn recv_within(
        &mut self,
        max: usize,
        within: Duration,
    ) -> Result<Option<Vec<u8>>, ExchangeError> {
        timeout(within, self.recv(max)).await.unwrap_or(Err(ExchangeError::TimedOut { after: within }))
    }

    fn give_up(&mut self, code: Code) {
        if self.state == Receiving::Open {
            self.state = Receiving::Failed;
            // Fails only where the peer has finished or reset the stream already.
            let _ = self.stream.stop(code.varint());
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.give_up(Code::CANCELLED);
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("link", &self.hold.link).finish_non_exhaustive()
    }
}

/// Why an exchange failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// The peer gave up this exchange; the link lives.
    #[error("the peer gave up the exchange: {code}")]
    Reset {
        /// The peer's reason.
        code: Code,
    },
    /// Time is over. Reading may go on later; writing may not.
    #[error("the peer was not done after {} ms", after.as_millis())]
    TimedOut {
        /// The time that was allowed.
        after: Duration,
    },
    /// A frame announced more than the reader allows, or more than a frame can hold.
    #[error("a frame of {length} bytes is over the limit of {limit}")]
    TooLong {
        /// The announced length, in bytes.
        length: u64,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The peer finished in the middle of a frame.
    #[error("the peer stopped in the middle of a frame")]
    Truncated,
    /// This side has already finished, reset or failed.
    #[error("this exchange is over on this side")]
    Ended,
    /// The whole link is gone.
    #[error(transparent)]
    Link(#[from] Closed),
}

impl From<ReadError> for ExchangeError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Reset(code) => Self::Reset { code: code.into() },
            ReadError::ConnectionLost(error) => Self::Link(error.into()),
            ReadError::ClosedStream | ReadError::IllegalOrderedRead | ReadError::ZeroRttRejected => {
                Self::Ended
            }
        }
    }
}

impl From<WriteError> for ExchangeError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Stopped(code) => Self::Reset { code: code.into() },
            WriteError::ConnectionLost(error) => Self::Link(error.into()),
            WriteError::ClosedStream | WriteError::ZeroRttRejected => Self::Ended,
        }
    }
}
