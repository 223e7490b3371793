//! The body of a request: a file that the command line streams because the node may not be able to read it.
//!
//! Chunks pass through a short channel, so that a fast client waits for a slow command. Must not know: what
//! the bytes mean.

use std::io::{self, Read};

use tokio::sync::mpsc;

use super::wire::AdminError;

/// Chunks waiting between the socket and the command.
const CHUNKS_WAITING_MAX: usize = 4;

/// Why a body cannot be read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The client went away before the end.
    #[error("the upload was cut off before its end; send the whole file again")]
    Cut,
    /// A line was neither data in base64 nor the end.
    #[error("the upload is garbled; send the file with the command line of the same version")]
    Garbled,
    /// More bytes than the command takes.
    #[error("the upload is longer than the {0} bytes this command takes; split the file")]
    TooLong(usize),
}

impl From<BodyError> for AdminError {
    fn from(error: BodyError) -> Self {
        let text = error.to_string();
        match text.split_once("; ") {
            Some((what, next)) => Self::new(what).next(next),
            None => Self::new(text),
        }
    }
}

/// The server's side: what arrives from the socket goes in here.
pub(super) type BodySender = mpsc::Sender<Result<Option<Vec<u8>>, BodyError>>;

/// The command's side of a body. Without a body it is at its end from the start.
#[derive(Debug)]
pub struct Body {
    chunks: mpsc::Receiver<Result<Option<Vec<u8>>, BodyError>>,
    ended: bool,
}

impl Body {
    /// A body that arrives through the returned sender: chunks, then `None` for its end.
    pub(super) fn channel() -> (BodySender, Self) {
        let (sender, chunks) = mpsc::channel(CHUNKS_WAITING_MAX);
        (sender, Self { chunks, ended: false })
    }

    /// A body of these bytes, for commands that call others and for tests.
    pub fn of(bytes: Vec<u8>) -> Self {
        let (sender, body) = Self::channel();
        // Both words fit: a fresh channel has room for more than two.
        let _ = (sender.try_send(Ok(Some(bytes))), sender.try_send(Ok(None)));
        body
    }

    /// No body.
    pub fn empty() -> Self {
        let (_, chunks) = mpsc::channel(1);
        Self { chunks, ended: true }
    }

    /// The next piece; `None` once the body is complete.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, BodyError> {
        if self.ended {
            return Ok(None);
        }
        let received = self.chunks.recv().await;
        self.note(received)
    }

    /// The whole body, if it has at most `max_bytes`.
    pub async fn collect(&mut self, max_bytes: usize) -> Result<Vec<u8>, BodyError> {
        let mut all = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if all.len() + chunk.len() > max_bytes {
                return Err(BodyError::TooLong(max_bytes));
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all)
    }

    /// A blocking reader for a thread that may block (`spawn_blocking`); never use it on a runtime thread.
    pub fn into_reader(self) -> BodyReader {
        BodyReader { body: self, chunk: Vec::new(), read: 0 }
    }

    fn note(
        &mut self,
        received: Option<Result<Option<Vec<u8>>, BodyError>>,
    ) -> Result<Option<Vec<u8>>, BodyError> {
        let chunk = received.unwrap_or(Err(BodyError::Cut));
        self.ended = matches!(chunk, Ok(None));
        chunk
    }
}

/// Reads a [`Body`] from a blocking thread.
#[derive(Debug)]
pub struct BodyReader {
    body: Body,
    chunk: Vec<u8>,
    read: usize,
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.read >= self.chunk.len() {
            if self.body.ended {
                return Ok(0);
            }
            // What is there already keeps nobody waiting.
            let received = match self.body.chunks.try_recv() {
                Ok(chunk) => Some(chunk),
                Err(_) => self.body.chunks.blocking_recv(),
            };
            let Some(chunk) = self.body.note(received).map_err(io::Error::other)? else { return Ok(0) };
            (self.chunk, self.read) = (chunk, 0);
        }
        let mut rest = self.chunk.get(self.read..).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.read += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[tokio::test]
    async fn a_body_ends_once() {
        let (sender, mut body) = Body::channel();
        sender.send(Ok(Some(vec![1, 2]))).await.unwrap();
        sender.send(Ok(None)).await.unwrap();
        drop(sender);
        assert_eq!(body.chunk().await, Ok(Some(vec![1, 2])));
        assert_eq!(body.chunk().await, Ok(None));
        assert_eq!(body.chunk().await, Ok(None));
    }

    #[tokio::test]
    async fn a_body_without_end_is_cut() {
        let (sender, mut body) = Body::channel();
        sender.send(Ok(Some(vec![1]))).await.unwrap();
        drop(sender);
        assert_eq!(body.collect(10).await, Err(BodyError::Cut));
    }

    #[tokio::test]
    async fn a_body_longer_than_allowed_is_refused() {
        for (max, expected) in [(3, Err(BodyError::TooLong(3))), (4, Ok(vec![7; 4]))] {
            let (sender, mut body) = Body::channel();
            sender.send(Ok(Some(vec![7; 2]))).await.unwrap();
            sender.send(Ok(Some(vec![7; 2]))).await.unwrap();
            sender.send(Ok(None)).await.unwrap();
            assert_eq!(body.collect(max).await, expected);
        }
    }

    #[tokio::test]
    async fn the_reader_gives_every_byte_and_reports_a_cut() {
        let (sender, body) = Body::channel();
        let reader = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            let end = body.into_reader().read_to_string(&mut text);
            (text, end.map_err(|error| error.to_string()))
        });
        for piece in ["a\nb", "", "c\n"] {
            sender.send(Ok(Some(piece.as_bytes().to_vec()))).await.unwrap();
        }
        drop(sender);
        let (text, end) = reader.await.unwrap();
        assert_eq!(text, "a\nbc\n");
        assert_eq!(end, Err(BodyError::Cut.to_string()));
    }

    #[tokio::test]
    async fn no_body_is_empty() {
        assert_eq!(Body::empty().collect(0).await, Ok(Vec::new()));
        let mut text = String::new();
        assert_eq!(Body::empty().into_reader().read_to_string(&mut text).unwrap(), 0);
    }
}
