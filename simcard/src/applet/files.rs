//! The files of the JPKI application: which exist, what each is, who may read it (JPKI).
//!
//! Some files are known to exist on the real card and nothing more is known of them. They can be
//! selected here, too, and give nothing away.

use super::apdu::StatusWord;
use super::token;
use crate::card::CardFile;
use crate::slot::KeySlot;

/// The application identifier of 公的個人認証 (JPKI).
pub const JPKI_AID: [u8; 10] = [0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01];
/// The issuer security domain, which every card of GlobalPlatform has. Selecting it leaves JPKI.
pub(super) const ISSUER_SECURITY_DOMAIN_AID: [u8; 7] = [0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00];

/// An elementary file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    /// A key's certificate: 000A, free; 0001, behind the password.
    Certificate(KeySlot),
    /// The certificate of its authority: 000B and 0002, free.
    AuthorityCertificate(KeySlot),
    /// 0006: what the card is, in PKCS#11's words.
    TokenInfo,
    /// 0008: which of the two certificates the card has.
    Availability,
    /// The private keys: 0017 and 001A.
    Key(KeySlot),
    /// Their PINs: 0018 and 001B.
    Pin(KeySlot),
    /// 0009: a transparent file nobody is known to have read.
    Closed,
    /// Internal files of unknown meaning, among them the terminals' authority (0016).
    Internal,
}

/// What the certificate bytes of EF 0008 say.
const PRESENT: u8 = 0x8F;

impl File {
    /// The file with this identifier; `None` where there is none.
    pub(super) const fn with_id(id: u16) -> Option<Self> {
        Some(match id {
            0x0001 => Self::Certificate(KeySlot::Signature),
            0x0002 => Self::AuthorityCertificate(KeySlot::Signature),
            0x0006 => Self::TokenInfo,
            0x0008 => Self::Availability,
            0x0009 => Self::Closed,
            0x000A => Self::Certificate(KeySlot::Authentication),
            0x000B => Self::AuthorityCertificate(KeySlot::Authentication),
            0x0017 => Self::Key(KeySlot::Authentication),
            0x0018 => Self::Pin(KeySlot::Authentication),
            0x001A => Self::Key(KeySlot::Signature),
            0x001B => Self::Pin(KeySlot::Signature),
            0x0005 | 0x0010 | 0x0016 | 0x0019 | 0x001C | 0x001E => Self::Internal,
            _ => return None,
        })
    }

    /// The content of a transparent file. `verified` says whose PIN was presented.
    pub(super) fn content(
        self,
        card: &CardFile,
        verified: impl Fn(KeySlot) -> bool,
    ) -> Result<Vec<u8>, StatusWord> {
        let installed = |der: Result<&[u8], _>| der.map(<[u8]>::to_vec).unwrap_or_default();
        match self {
            Self::Certificate(KeySlot::Signature) if !verified(KeySlot::Signature) => {
                Err(StatusWord::NOT_VERIFIED)
            }
            Self::Certificate(slot) => Ok(installed(card.certificate_der_of(slot))),
            Self::AuthorityCertificate(slot) => Ok(installed(card.ca_certificate_der_of(slot))),
            Self::TokenInfo => Ok(token::info().to_vec()),
            Self::Availability => {
                let present = |slot| if card.certificate_der_of(slot).is_ok() { PRESENT } else { 0 };
                Ok(vec![present(KeySlot::Signature), present(KeySlot::Authentication), 0])
            }
            Self::Closed => Err(StatusWord::NOT_VERIFIED),
            Self::Key(_) | Self::Pin(_) | Self::Internal => Err(StatusWord::NOT_THIS_KIND_OF_FILE),
        }
    }
}
