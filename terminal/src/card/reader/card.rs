//! A card in a reader, as the terminal's [`Card`].

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::act::at_card;
use super::choice::{self, Next};
use super::sight::{Sight, Slot};
use super::{Looked, ReaderWatch};
use crate::card::jpki::Jpki;
use crate::card::{Awaiting, Card, CardFault, Certificate, Inspection, Pin, Proof};

/// The first sight of the readers must be there within this.
const FIRST_SIGHT: Duration = Duration::from_secs(4);

/// While a card is waited for, what is seen is looked at again after this, even if nothing has changed: a
/// contactless card that was held badly a moment ago may lie well now.
const AGAIN: Duration = Duration::from_secs(1);

/// An Individual Number card in a reader.
pub struct ReaderCard {
    watch: ReaderWatch,
    reader: String,
    /// Number of its touch: the next card in this reader is another one.
    touches: u32,
    certificate: Certificate,
}

/// Finds the card that is meant: the only Individual Number card in any reader, or in the reader whose name
/// contains `wanted`. `tell` hears of what is waited for, whenever that changes.
///
/// # Errors
/// There is none after `wait`, or several; the reason is for the person.
pub async fn find(
    wanted: Option<&str>,
    wait: Duration,
    tell: &mut (dyn FnMut(&CardFault) + Send),
) -> Result<(ReaderCard, Inspection), CardFault> {
    let mut watch = ReaderWatch::start()?;
    let until = Instant::now() + wait;
    let mut told = None;
    // The first sight is waited for even by those who do not want to wait for a card.
    if timeout_at(Instant::now() + FIRST_SIGHT, watch.changed()).await.is_err() {
        return Err(CardFault::Silent);
    }
    loop {
        let sight = watch.sight();
        let missing = match choice::next(&sight, wanted) {
            Next::GiveUp(fault) => return Err(fault),
            Next::Wait(missing) => missing,
            Next::Look(readers) => match meant(&watch, &sight, readers).await {
                // Somebody is still placing it.
                Err(CardFault::Removed) => CardFault::NoCard,
                Err(mute @ CardFault::Mute { .. }) => mute,
                found => return found,
            },
        };
        if told.as_ref() != Some(&missing) {
            tell(&missing);
            told = Some(missing.clone());
        }
        if Instant::now() >= until {
            return Err(missing);
        }
        let _ = timeout_at(until.min(Instant::now() + AGAIN), watch.changed()).await;
    }
}

/// Looks at the card in every reader that has one, and tells of the other readers why there is none.
///
/// # Errors
/// The readers cannot be seen.
pub async fn look(watch: &ReaderWatch) -> Result<Vec<Looked>, CardFault> {
    let readers = match watch.sight() {
        Sight::Readers(readers) => readers,
        Sight::Blind(fault) => return Err(fault),
        Sight::Looking => return Err(CardFault::Silent),
    };
    let mut looked = Vec::new();
    for (reader, slot) in readers {
        let found = match slot {
            Slot::Card { .. } => inspect(&reader, None).await,
            Slot::Empty => Err(CardFault::NoCard),
            Slot::Mute => Err(CardFault::Mute { reader: reader.clone() }),
            Slot::Unavailable => Err(CardFault::NoReader),
        };
        looked.push(Looked { reader, found });
    }
    Ok(looked)
}

async fn meant(
    watch: &ReaderWatch,
    sight: &Sight,
    readers: Vec<String>,
) -> Result<(ReaderCard, Inspection), CardFault> {
    let mut looked = Vec::new();
    for reader in readers {
        let found = inspect(&reader, None).await;
        looked.push(Looked { reader, found });
    }
    let (at, inspection) = choice::only(&looked)?;
    let reader = looked.get(at).map(|looked| looked.reader.clone()).ok_or(CardFault::NoCard)?;
    let touches = match sight {
        Sight::Readers(readers) => match readers.get(&reader) {
            Some(Slot::Card { touches, .. }) => *touches,
            _ => return Err(CardFault::Removed),
        },
        _ => return Err(CardFault::Removed),
    };
    let certificate = inspection.certificate.clone();
    Ok((ReaderCard { watch: watch.clone(), reader, touches, certificate }, inspection.clone()))
}

async fn inspect(reader: &str, known: Option<Vec<u8>>) -> Result<Inspection, CardFault> {
    let foreign = CardFault::ForeignCard { reader: reader.to_owned() };
    at_card(reader, move |card| {
        let shared = card.shared;
        let mut jpki = Jpki::select(card)?.ok_or(foreign)?;
        let tries_left = jpki.tries_left()?;
        let certificate = Certificate::read(jpki.certificate(known.as_deref())?)?;
        Ok(Inspection { certificate, tries_left, shared })
    })
    .await
}

impl ReaderCard {
    /// The reader it lies in.
    pub fn reader(&self) -> &str {
        &self.reader
    }
}

impl Card for ReaderCard {
    fn inspect(&mut self) -> Awaiting<'_, Result<Inspection, CardFault>> {
        Box::pin(async {
            let seen = inspect(&self.reader, Some(self.certificate.der().to_vec())).await?;
            if seen.certificate == self.certificate { Ok(seen) } else { Err(CardFault::Removed) }
        })
    }

    fn prove<'a>(&'a mut self, pin: &'a Pin, message: &'a [u8]) -> Awaiting<'a, Result<Proof, CardFault>> {
        let (pin, message) = (pin.clone(), message.to_vec());
        let (known, algorithm) = (self.certificate.der().to_vec(), self.certificate.algorithm());
        Box::pin(async move {
            at_card(&self.reader, move |card| {
                let mut jpki = Jpki::select(card)?.ok_or(CardFault::Removed)?;
                // Another card in the same reader must not be shown this PIN.
                if jpki.certificate(Some(&known))? != known {
                    return Err(CardFault::Removed);
                }
                let mut verified = jpki.verify(&pin)?;
                let signature = verified.sign(algorithm, &message)?;
                let tries_left = verified.tries_left()?;
                Ok(Proof { certificate: known, signature, tries_left })
            })
            .await
        })
    }

    fn removed(&self) -> Awaiting<'static, ()> {
        let (watch, reader, touches) = (self.watch.clone(), self.reader.clone(), self.touches);
        Box::pin(async move { watch.gone(&reader, touches).await })
    }
}
