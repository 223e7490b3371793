//! Making a card: new key pairs behind new PINs, and the requests for their certificates.

use std::path::Path;

use crate::card::CardFile;
use crate::data::{CardData, KeyData};
use crate::error::CardError;
use crate::file;
use crate::holder::{check_holder_id, random_holder_id};
use crate::key::{CardKey, PinKeys, random};
use crate::pin::Pin;
use crate::slot::KeySlot;

/// The certificate requests of a new card (PKCS#10, PEM), for an authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requests {
    /// For the user-authentication key.
    pub authentication: String,
    /// For the signature key.
    pub signature: String,
}

impl CardFile {
    /// Makes a card with one new key pair, for user authentication, at `path`, where no file may be,
    /// and returns the request (PKCS#10, PEM) that an authority turns into its certificate.
    ///
    /// `holder_id` is opaque: 8 to 64 ASCII letters and digits; without one, a random one is made.
    ///
    /// # Errors
    /// The PIN is for another key, the identifier is not acceptable, there is a file already, or it
    /// cannot be written.
    pub fn create(
        path: impl AsRef<Path>,
        holder_id: Option<&str>,
        pin: &Pin,
    ) -> Result<(Self, String), CardError> {
        let (card, requests) = Self::make(path.as_ref(), holder_id, pin, None)?;
        Ok((card, requests.authentication))
    }

    /// Makes a card with both key pairs: see [`Self::create`].
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn create_with_signature(
        path: impl AsRef<Path>,
        holder_id: Option<&str>,
        pin: &Pin,
        password: &Pin,
    ) -> Result<(Self, Requests), CardError> {
        Self::make(path.as_ref(), holder_id, pin, Some(password))
    }

    fn make(
        path: &Path,
        holder_id: Option<&str>,
        pin: &Pin,
        password: Option<&Pin>,
    ) -> Result<(Self, Requests), CardError> {
        let holder_id = match holder_id {
            Some(given) => check_holder_id(given)?.to_owned(),
            None => random_holder_id()?,
        };
        if path.exists() {
            return Err(CardError::Exists { path: path.to_owned() });
        }
        let (authentication, first) = new_key(KeySlot::Authentication, pin, &holder_id)?;
        let (signature, second) = match password {
            Some(password) => {
                let (key, request) = new_key(KeySlot::Signature, password, &holder_id)?;
                (Some(key), request)
            }
            None => (None, String::new()),
        };
        let card = CardData::new(holder_id, authentication, signature);
        file::create(path, &card)?;
        let requests = Requests { authentication: first, signature: second };
        Ok((Self::new(path, card), requests))
    }
}

/// A new key pair behind a PIN, and the request for its certificate.
fn new_key(slot: KeySlot, pin: &Pin, holder_id: &str) -> Result<(KeyData, String), CardError> {
    if pin.slot() != slot {
        return Err(CardError::WrongKindOfPin);
    }
    let key = CardKey::generate()?;
    let mut data = KeyData {
        tries_left: slot.tries(),
        pin_salt: Vec::new(),
        pin_verifier: Vec::new(),
        private_key: Vec::new(),
        public_key: key.public_key_der()?,
        certificates: None,
    };
    set_pin(&mut data, &key, pin)?;
    Ok((data, key.request_pem(holder_id)?))
}

/// Puts a key behind a PIN: a fresh salt, its verifier, and the key wrapped anew.
pub(crate) fn set_pin(data: &mut KeyData, key: &CardKey, pin: &Pin) -> Result<(), CardError> {
    let salt = random("choosing a salt")?;
    let keys = PinKeys::derive(pin, &salt)?;
    data.private_key = keys.wrap(key)?;
    data.pin_verifier = keys.verifier().to_vec();
    data.pin_salt = salt.to_vec();
    Ok(())
}
