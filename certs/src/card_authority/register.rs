//! The register of issued certificates: serials and their state, nothing about holders.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::CardAuthorityError;

/// Bytes of a serial number: 120 random bits and a first byte that keeps it positive and never short.
const SERIAL_LEN: usize = 16;

/// A certificate's serial number, lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Serial(String);

impl Serial {
    /// A random one (RFC 5280 §4.1.2.2: positive, at most 20 bytes).
    pub(crate) fn random() -> Result<Self, CardAuthorityError> {
        let mut bytes = [0; SERIAL_LEN];
        getrandom::fill(&mut bytes).map_err(|_| CardAuthorityError::Random)?;
        if let Some(first) = bytes.first_mut() {
            *first = 0x5A;
        }
        Ok(Self(hex::encode(bytes)))
    }

    /// Its bytes, big-endian.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        hex::decode(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Accepts hexadecimal in any case, with or without colons, as `openssl x509 -serial` prints it.
impl FromStr for Serial {
    type Err = CardAuthorityError;

    fn from_str(text: &str) -> Result<Self, CardAuthorityError> {
        let digits = text.replace(':', "").to_ascii_lowercase();
        let fits = (1..=20).contains(&hex::decode(&digits).map_or(0, |bytes| bytes.len()));
        if fits { Ok(Self(digits)) } else { Err(CardAuthorityError::Serial(text.to_owned())) }
    }
}

/// Why a certificate is on the revocation list (RFC 5280 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No reason is told.
    Unspecified,
    /// The card was lost or stolen.
    KeyCompromise,
    /// A new certificate took its place.
    Superseded,
    /// The holder gave it up or died.
    CessationOfOperation,
}

/// What became of an issued certificate. Times are seconds since 1970 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
pub enum State {
    /// Valid until its dates end.
    Good,
    /// On the list until it is resumed (certificateHold).
    Suspended {
        /// Since when.
        at: u64,
    },
    /// On the list for good.
    Revoked {
        /// Since when.
        at: u64,
        /// Why.
        reason: Reason,
    },
}

/// One issued certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Last second of its validity, seconds since 1970 UTC.
    pub not_after: u64,
    /// What became of it.
    pub state: State,
}

/// Everything an authority must remember.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Register {
    pub(crate) format: String,
    pub(crate) name: String,
    /// Number of the last revocation list.
    pub(crate) crl_number: u64,
    pub(crate) issued: BTreeMap<Serial, Entry>,
}

pub(crate) const FORMAT: &str = "hibiki-card-authority-1";

impl Register {
    pub(crate) fn new(name: &str) -> Self {
        Self { format: FORMAT.to_owned(), name: name.to_owned(), crl_number: 0, issued: BTreeMap::new() }
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, CardAuthorityError> {
        let mut bytes = serde_json::to_vec_pretty(self).map_err(CardAuthorityError::Register)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Changes the state of a certificate that is not revoked.
    pub(crate) fn change(&mut self, serial: &Serial, state: State) -> Result<(), CardAuthorityError> {
        let entry = self
            .issued
            .get_mut(serial)
            .ok_or_else(|| CardAuthorityError::UnknownSerial(serial.to_string()))?;
        if let State::Revoked { .. } = entry.state {
            return Err(CardAuthorityError::Revoked(serial.to_string()));
        }
        entry.state = state;
        Ok(())
    }
}
