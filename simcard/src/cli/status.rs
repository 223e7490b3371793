//! `hibiki-simcard status`: both keys, without a PIN.

use hibiki_simcard::{CardError, CardFile, CertificateInfo, KeySlot};
use serde_json::{Value, json};

use super::output::{day, say};
use super::{CliError, Format};
use crate::clock;

/// What is told of one key.
struct KeyStatus {
    slot: KeySlot,
    tries_left: u8,
    certificate: Option<CertificateInfo>,
}

impl KeyStatus {
    fn read(card: &CardFile, slot: KeySlot) -> Result<Self, CardError> {
        let certificate = match card.certificate_info_of(slot) {
            Err(CardError::NoCertificate { .. }) => None,
            read => Some(read?),
        };
        Ok(Self { slot, tries_left: card.tries_left_of(slot)?, certificate })
    }

    fn json(&self, now: i64) -> Value {
        let valid_now = self.certificate.as_ref().map(|info| info.is_valid_at(now));
        json!({
            "tries_left": self.tries_left, "blocked": self.tries_left == 0,
            "certificate": self.certificate, "valid_now": valid_now,
        })
    }

    fn words(&self, now: i64) -> String {
        let tries = match (self.tries_left, self.slot) {
            (0, KeySlot::Authentication) => {
                "0 - BLOCKED (the office's command: hibiki-simcard unblock)".to_owned()
            }
            (0, KeySlot::Signature) => {
                "0 - BLOCKED (the office's command: hibiki-simcard unblock --signature)".to_owned()
            }
            (left, slot) => format!("{left} of {}", slot.tries()),
        };
        let certificate = self.certificate.as_ref().map_or_else(
            || "none yet (hibiki-simcard install)".to_owned(),
            |info| {
                format!(
                    "{} by {}\nvalid:       {} to {} ({})",
                    info.serial,
                    info.issuer,
                    day(info.not_before),
                    day(info.not_after),
                    if info.is_valid_at(now) { "valid now" } else { "NOT valid now" },
                )
            },
        );
        format!("tries left:  {tries}\ncertificate: {certificate}")
    }
}

/// Shows the card. In JSON, the fields of the authentication key stand at the top.
pub(super) fn show(card: &CardFile, format: Format) -> Result<(), CliError> {
    let authentication = KeyStatus::read(card, KeySlot::Authentication)?;
    let signature = match KeyStatus::read(card, KeySlot::Signature) {
        Err(CardError::NoSignatureKey { .. }) => None,
        read => Some(read?),
    };
    let now = clock::now();
    say(&match format {
        Format::Json => {
            let mut json = authentication.json(now);
            if let Some(fields) = json.as_object_mut() {
                fields.insert("simulated".into(), true.into());
                fields.insert("holder_id".into(), card.holder_id().into());
                fields.insert("signature".into(), signature.map_or(Value::Null, |key| key.json(now)));
            }
            format!("{json:#}")
        }
        Format::Human => format!(
            "card:        {}  (simulated)\nholder id:   {}\n\nauthentication key (利用者証明用)\n{}\n\nsignature key (署名用)\n{}",
            card.path().display(),
            card.holder_id(),
            authentication.words(now),
            signature.map_or_else(|| "none on this card".to_owned(), |key| key.words(now)),
        ),
    })
}
