//! A simulated card kept in a file (`hibiki-simcard new`), for where there is no reader: same certificate
//! profile and signature as the real one, and everything made with it says "simulated".

use std::path::{Path, PathBuf};
use std::time::Duration;

use hibiki_simcard::{CardError, CardFile, PinError};

use super::{Awaiting, Card, CardFault, Certificate, Inspection, Pin, Proof};

/// How often the file is looked for: a file card is taken away by moving it.
const LOOK: Duration = Duration::from_millis(100);

/// A card file.
pub struct FileCard {
    path: PathBuf,
    card: CardFile,
}

impl FileCard {
    /// Opens a card file.
    ///
    /// # Errors
    /// The file is not a card file, is damaged, or can be read by others.
    pub fn open(path: &Path) -> Result<Self, CardFault> {
        Ok(Self { path: path.to_owned(), card: CardFile::open(path).map_err(unusable)? })
    }

    fn look(&mut self) -> Result<Inspection, CardFault> {
        let der = self.card.certificate_der().map_err(|_| CardFault::NoCertificate)?.to_vec();
        let tries_left = self.card.tries_left().map_err(unusable)?;
        Ok(Inspection { certificate: Certificate::read(der)?, tries_left, shared: false })
    }

    fn sign(&mut self, pin: &Pin, message: &[u8]) -> Result<Proof, CardFault> {
        let certificate = self.card.certificate_der().map_err(|_| CardFault::NoCertificate)?.to_vec();
        let pin = hibiki_simcard::Pin::parse(pin.text()).map_err(refused)?;
        let signature = self.card.verify_pin(&pin).map_err(refused)?.sign(message).map_err(unusable)?;
        let tries_left = self.card.tries_left().map_err(unusable)?;
        Ok(Proof { certificate, signature: signature.to_vec(), tries_left })
    }
}

fn unusable(error: CardError) -> CardFault {
    CardFault::Unusable(error.to_string())
}

fn refused(error: PinError) -> CardFault {
    match error {
        PinError::Wrong { tries_left } => CardFault::WrongPin { tries_left },
        PinError::Blocked => CardFault::Blocked,
        PinError::Malformed => CardFault::MalformedPin,
        PinError::Card(error) => unusable(error),
    }
}

impl Card for FileCard {
    fn inspect(&mut self) -> Awaiting<'_, Result<Inspection, CardFault>> {
        Box::pin(async { self.look() })
    }

    fn prove<'a>(&'a mut self, pin: &'a Pin, message: &'a [u8]) -> Awaiting<'a, Result<Proof, CardFault>> {
        Box::pin(async { self.sign(pin, message) })
    }

    fn removed(&self) -> Awaiting<'static, ()> {
        let path = self.path.clone();
        Box::pin(async move {
            while tokio::fs::try_exists(&path).await.unwrap_or(false) {
                tokio::time::sleep(LOOK).await;
            }
        })
    }
}
