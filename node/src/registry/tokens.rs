//! Link tokens: what one institution needs to recognise residents, handed over once (design, section 4).

use hibiki_protocol::cbor;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::signing::Signed;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::token::{AudienceKey, LinkToken};
use hibiki_protocol::trust::Role;

use super::Registry;
use super::error::RegistryError;
use super::resident::ResidentNumber;
use super::residents::Stored;

/// Days a link token is accepted, if the clerk says nothing.
pub const VALID_DAYS_DEFAULT: u64 = 14;
/// Days a link token is accepted, at most.
pub const VALID_DAYS_MAX: u64 = 90;

const DAY_MILLIS: u64 = 24 * 3600 * 1000;

/// Tokens for one institution, logged and ready to be written out.
#[derive(Debug)]
pub struct Export {
    /// Each the encoding of a `Signed<LinkToken>`.
    pub tokens: Vec<Vec<u8>>,
    /// When they are no longer accepted.
    pub expires: Timestamp,
}

impl Registry {
    /// Makes link tokens for `member`: of the residents named, or of everybody. Logged before it returns.
    ///
    /// # Errors
    /// Not a member that holds records, nobody with such a number, or it could not be logged.
    pub async fn export_tokens(
        &self,
        member: &MemberId,
        residents: Option<&[ResidentNumber]>,
        valid_days: u64,
        staff: &str,
    ) -> Result<Export, RegistryError> {
        if !(1..=VALID_DAYS_MAX).contains(&valid_days) {
            return Err(RegistryError::Argument(
                "a link token is valid for 1 to 90 days; give --days / 有効日数は1〜90日です",
            ));
        }
        let (trust, now) = ((self.means.trust)(), self.means.now());
        let entry = trust.list().member(member).filter(|entry| entry.has_role(Role::Responder));
        let entry = entry.ok_or_else(|| RegistryError::NoSuchMember(member.clone()))?;
        let sealing = entry.sealing_key_at(now).ok_or_else(|| RegistryError::NoSealingKey(member.clone()))?;
        let residents: Vec<Stored> = match residents {
            None => self.residents()?,
            Some(numbers) => {
                numbers.iter().map(|number| self.known(number, "resident")).collect::<Result<_, _>>()?
            }
        };
        let key = AudienceKey::derive(&self.setup.master, member);
        let expires = now.plus(valid_days * DAY_MILLIS);
        let registry = &self.means.own;
        let mut tokens = Vec::with_capacity(residents.len());
        for stored in residents {
            let resident = &stored.value;
            let token = key
                .token(registry, member, &sealing.public, resident.number.as_str(), &resident.facts())
                .map_err(|_| RegistryError::NoSealingKey(member.clone()))?;
            let token = LinkToken {
                registry: registry.clone(),
                audience: member.clone(),
                key_id: sealing.public.id(),
                token,
                issued: now,
                expires,
            };
            tokens.push(cbor::encode(&Signed::sign(&token, self.means.keys.signing())));
            tokio::task::yield_now().await;
        }
        let action = format!("{} link tokens exported for {member}", tokens.len());
        self.record(None, staff, &action).await?;
        Ok(Export { tokens, expires })
    }
}
