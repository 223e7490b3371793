//! What can go wrong at a card authority.

use std::path::PathBuf;

use crate::files::FileError;

/// Why a card authority refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum CardAuthorityError {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The folder does not hold a card authority, or its files do not fit together.
    #[error(
        "{} is not a usable card authority ({what}): make one with `hibiki-certs card-ca init`, or restore the folder from a copy",
        folder.display()
    )]
    NotAnAuthority {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// The authority's name is not acceptable.
    #[error("the authority's name must be 1 to 64 characters")]
    Name,
    /// A certificate request that gets no certificate.
    #[error("no certificate was issued: {0}")]
    Request(#[from] RequestError),
    /// A lifetime outside what the profile allows.
    #[error("a card certificate is valid for 1 day to 5 years and not beyond its authority (give --days)")]
    Lifetime,
    /// A revocation list must be replaced in time.
    #[error("a revocation list is valid for 1 hour to 31 days (give --hours)")]
    CrlLifetime,
    /// A serial number nobody can have meant.
    #[error("{0:?} is not a serial number: give the hexadecimal digits `hibiki-simcard status` shows")]
    Serial(String),
    /// This authority never issued that serial.
    #[error("this authority issued no certificate with the serial {0}; see `hibiki-certs card-ca list`")]
    UnknownSerial(String),
    /// Revocation is final (RFC 5280 §5.3.1: only certificateHold can be undone).
    #[error("certificate {0} is revoked, which is final: issue a new one")]
    Revoked(String),
    /// The certificate library failed.
    #[error("the certificate library failed: {0}")]
    Rcgen(#[from] rcgen::Error),
    /// The register could not be written as JSON.
    #[error("the register cannot be written: {0}")]
    Register(serde_json::Error),
    /// No randomness.
    #[error("the operating system gave no random bytes")]
    Random,
}

/// Why a certificate request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not PKCS#10.
    #[error("the file is not a certificate request (PKCS#10, PEM or DER)")]
    Unreadable,
    /// Not signed by its own key: no proof of possession.
    #[error("the request is not signed by the key it names")]
    Signature,
    /// Another key than the cards have.
    #[error("the key is not RSA-2048 with the exponent 65537")]
    Key,
    /// Another subject than the profile's.
    #[error(
        "the subject must be C=JP, CN=an opaque id of 8 to 64 ASCII letters and digits, and nothing else"
    )]
    Subject,
}
