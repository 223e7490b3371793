//! The institution's own mail server, by SMTP (RFC 5321) with TLS (RFC 3207, RFC 8314).
//!
//! Connections are used for several letters, one after the other. Must not know what is in them.

use std::sync::{Mutex, MutexGuard, PoisonError};

use lettre::Message;

use super::line::{Line, Refusal};
use super::retry::Fault;
use crate::config::Mail;
use crate::services::Pending;

/// Whoever takes messages.
pub trait Relay: Send + Sync {
    /// Hands over a message; returns once it has been taken, or not.
    fn send<'a>(&'a self, message: Message) -> Pending<'a, Result<(), Fault>>;

    /// What the relay says, word for word, for whoever tests the connection by hand.
    fn try_out<'a>(&'a self, message: Message) -> Pending<'a, Result<String, String>>;

    /// There is nothing to hand over for now: open connections are closed.
    fn rest(&self) -> Pending<'_, ()> {
        Box::pin(async {})
    }
}

/// A relay reached by SMTP.
pub struct Smtp {
    settings: Mail,
    /// Connections that nobody uses at this moment.
    idle: Mutex<Vec<Line>>,
}

impl Smtp {
    /// The configured relay. Files of certificate and password are read anew for each connection.
    #[must_use]
    pub const fn new(settings: Mail) -> Self {
        Self { settings, idle: Mutex::new(Vec::new()) }
    }

    async fn hand_over(&self, message: &Message) -> Result<String, Refusal> {
        let mut line = match self.ready().await {
            Some(line) => line,
            None => Line::open(&self.settings).await?,
        };
        let outcome = line.carry(message.envelope(), &message.formatted()).await;
        if outcome.as_ref().map_or_else(|refusal| refusal.usable, |_| true) {
            self.idle().push(line);
        }
        outcome
    }

    /// An open connection that still answers.
    async fn ready(&self) -> Option<Line> {
        loop {
            let mut line = self.take()?;
            if line.is_ready().await {
                return Some(line);
            }
        }
    }

    fn take(&self) -> Option<Line> {
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Line>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Smtp({}:{})", self.settings.host, self.settings.port)
    }
}

impl Relay for Smtp {
    fn send<'a>(&'a self, message: Message) -> Pending<'a, Result<(), Fault>> {
        Box::pin(async move { self.hand_over(&message).await.map(drop).map_err(|refusal| refusal.fault) })
    }

    /// With a connection of its own, so that it tries out the whole way.
    fn try_out<'a>(&'a self, message: Message) -> Pending<'a, Result<String, String>> {
        Box::pin(async move {
            let mut line = Line::open(&self.settings).await.map_err(|refusal| refusal.words)?;
            let said = line.carry(message.envelope(), &message.formatted()).await;
            if said.is_ok() {
                line.close().await;
            }
            said.map_err(|refusal| refusal.words)
        })
    }

    fn rest(&self) -> Pending<'_, ()> {
        Box::pin(async move {
            while let Some(line) = self.take() {
                line.close().await;
            }
        })
    }
}
