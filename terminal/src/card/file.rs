//! A simulated card kept in a file (`hibiki-simcard new`): same certificate profile and signature
//! as the real one, and everything made with it says "simulated".

use std::path::Path;

use hibiki_simcard::{CardError, CardFile, PinError};

use super::{Card, CardFault, Pin, UnlockedCard};

/// A card file.
pub struct FileCard(CardFile);

impl FileCard {
    /// Opens a card file.
    ///
    /// # Errors
    /// The file is not a card file, is damaged, or can be read by others.
    pub fn open(path: &Path) -> Result<Self, CardFault> {
        CardFile::open(path).map(Self).map_err(unusable)
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
    fn certificate(&mut self) -> Result<Vec<u8>, CardFault> {
        self.0.certificate_der().map(<[u8]>::to_vec).map_err(|_| CardFault::NoCertificate)
    }

    fn tries_left(&mut self) -> Result<u8, CardFault> {
        self.0.tries_left().map_err(unusable)
    }

    fn unlock<'card>(&'card mut self, pin: &Pin) -> Result<Box<dyn UnlockedCard + 'card>, CardFault> {
        let pin = hibiki_simcard::Pin::parse(pin.text()).map_err(refused)?;
        let unlocked = self.0.verify_pin(&pin).map_err(refused)?;
        Ok(Box::new(UnlockedFile(unlocked)))
    }
}

struct UnlockedFile<'card>(hibiki_simcard::Unlocked<'card>);

impl UnlockedCard for UnlockedFile<'_> {
    fn sign(&mut self, message: &[u8]) -> Result<Vec<u8>, CardFault> {
        self.0.sign(message).map(|signature| signature.to_vec()).map_err(unusable)
    }
}
