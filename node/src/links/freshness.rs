//! The freshness token a gateway holds of one member, for as long as one link lives.
//!
//! Owns when to fetch a new one. Must not know: what a token is.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A token and how long it may be used.
#[derive(Debug, Clone)]
struct Token {
    bytes: Vec<u8>,
    /// Until when it is surely still valid at the other side.
    usable: Instant,
}

/// The token that came over one link, if any.
#[derive(Debug, Default)]
pub(super) struct FreshnessCell {
    token: Mutex<Option<Token>>,
    /// One fetch at a time: all who wait for it use what it brings.
    pub(super) fetching: tokio::sync::Mutex<()>,
}

impl FreshnessCell {
    /// The token, if it may still be used at `now`.
    pub(super) fn usable(&self, now: Instant) -> Option<Vec<u8>> {
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        token.as_ref().filter(|token| now < token.usable).map(|token| token.bytes.clone())
    }

    /// Keeps a token that was asked for at `asked` and is valid for `valid` from its making on. It is used
    /// for three quarters of that, so that it does not become stale on its way back.
    pub(super) fn keep(&self, bytes: Vec<u8>, asked: Instant, valid: Duration) {
        let token = Token { bytes, usable: asked + valid * 3 / 4 };
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }

    /// Drops `stale`, unless a newer token has taken its place already.
    pub(super) fn drop_stale(&self, stale: &[u8]) {
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if token.as_ref().is_some_and(|token| token.bytes == stale) {
            *token = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_token_is_used_for_three_quarters_of_its_life() {
        let cell = FreshnessCell::default();
        let asked = Instant::now();
        assert_eq!(cell.usable(asked), None);
        cell.keep(vec![1], asked, Duration::from_secs(120));
        assert_eq!(cell.usable(asked + Duration::from_secs(89)), Some(vec![1]));
        assert_eq!(cell.usable(asked + Duration::from_secs(90)), None);
    }

    #[tokio::test]
    async fn only_the_stale_token_is_dropped() {
        let cell = FreshnessCell::default();
        let asked = Instant::now();
        cell.keep(vec![2], asked, Duration::from_secs(120));
        cell.drop_stale(&[1]);
        assert_eq!(cell.usable(asked), Some(vec![2]), "somebody else has fetched a newer one");
        cell.drop_stale(&[2]);
        assert_eq!(cell.usable(asked), None);
    }
}
