//! A card with its certificates, from an authority of its own.

use std::path::{Path, PathBuf};

use hibiki_certs::card_authority::{CardAuthority, Usage};
use hibiki_simcard::{CardFile, KeySlot, Pin};

use super::CardError;
use crate::clock;

/// Days its certificates are valid.
const DAYS: u64 = 365;

/// A grown-up's card: two keys, two certificates.
#[derive(Clone, Debug)]
pub struct SampleCard {
    /// The card file.
    pub file: PathBuf,
    /// The user-authentication certificate, DER.
    pub authentication: Vec<u8>,
    /// The signature certificate, DER.
    pub signature: Vec<u8>,
    /// The authority's certificate, DER.
    pub authority: Vec<u8>,
}

impl SampleCard {
    /// PIN of every sample card's authentication key.
    pub const PIN: &'static str = "4711";
    /// Password of every sample card's signature key.
    pub const PASSWORD: &'static str = "HIBIKI2026";

    /// Makes one as `folder/name.json`.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn make(folder: &Path, name: &str) -> Result<Self, CardError> {
        let failed = |error: &dyn std::error::Error| CardError::Sample(error.to_string());
        let pin = Pin::parse(Self::PIN).map_err(|e| failed(&e))?;
        let password = Pin::parse_for(KeySlot::Signature, Self::PASSWORD).map_err(|e| failed(&e))?;
        let file = folder.join(format!("{name}.json"));
        let (mut card, requests) =
            CardFile::create_with_signature(&file, None, &pin, &password).map_err(|e| failed(&e))?;
        let office = folder.join(format!("{name}-ca"));
        let mut authority =
            CardAuthority::init(&office, "Sample cards", clock::now()).map_err(|e| failed(&e))?;
        let mut issue = |slot, usage, request: &str| {
            let issued =
                authority.issue_for(usage, request.as_bytes(), DAYS, clock::now()).map_err(|e| failed(&e))?;
            card.install_for(slot, &issued.der, authority.certificate_der()).map_err(|e| failed(&e))?;
            Ok::<_, CardError>(issued.der)
        };
        Ok(Self {
            authentication: issue(KeySlot::Authentication, Usage::Authentication, &requests.authentication)?,
            signature: issue(KeySlot::Signature, Usage::Signature, &requests.signature)?,
            authority: authority.certificate_der().to_vec(),
            file,
        })
    }
}
