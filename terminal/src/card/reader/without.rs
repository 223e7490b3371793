//! What stands in for readers in a program that was built without them: it says how to get them.

use std::time::Duration;

use super::Looked;
use super::sight::Sight;
use crate::card::{Awaiting, Card, CardFault, Inspection, Pin, Proof};

/// There is none in this build.
pub enum ReaderCard {}

/// There is none in this build.
#[derive(Clone, Debug)]
pub enum ReaderWatch {}

/// Says that this build has no readers.
///
/// # Errors
/// Always [`CardFault::WithoutReaders`].
pub async fn find(
    _: Option<&str>,
    _: Duration,
    _: &mut (dyn FnMut(&CardFault) + Send),
) -> Result<(ReaderCard, Inspection), CardFault> {
    Err(CardFault::WithoutReaders)
}

/// Cannot be called: there is no watch to call it with.
///
/// # Errors
/// None.
pub async fn look(watch: &ReaderWatch) -> Result<Vec<Looked>, CardFault> {
    match *watch {}
}

impl ReaderWatch {
    /// Says that this build has no readers.
    ///
    /// # Errors
    /// Always [`CardFault::WithoutReaders`].
    pub fn start() -> Result<Self, CardFault> {
        Err(CardFault::WithoutReaders)
    }

    /// Cannot be called.
    pub fn sight(&self) -> Sight {
        match *self {}
    }

    /// Cannot be called.
    pub async fn changed(&mut self) {
        match *self {}
    }
}

impl ReaderCard {
    /// Cannot be called.
    pub fn reader(&self) -> &str {
        match *self {}
    }
}

impl Card for ReaderCard {
    fn inspect(&mut self) -> Awaiting<'_, Result<Inspection, CardFault>> {
        match *self {}
    }

    fn prove<'a>(&'a mut self, _: &'a Pin, _: &'a [u8]) -> Awaiting<'a, Result<Proof, CardFault>> {
        match *self {}
    }

    fn removed(&self) -> Awaiting<'static, ()> {
        match *self {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{self, Words};

    #[tokio::test]
    async fn it_says_how_to_get_readers() {
        assert!(ReaderWatch::start().is_err());
        let found = find(None, Duration::ZERO, &mut |_| {}).await;
        let fault = found.err().unwrap_or(CardFault::NoCard);
        let Words { ja, en } = words::trouble(&fault.into());
        for said in [ja, en] {
            assert!(said.contains("--features pcsc") && said.contains("--card-file"), "{said}");
        }
    }
}
