//! A letter: to whom, about what, until when it helps, and the name it keeps for ever.

use hibiki_protocol::ids::GuardianAlias;
use hibiki_protocol::registration::MailKind;
use hibiki_records::date::CalendarDate;
use serde::{Deserialize, Serialize};

use crate::vault::Vault;

/// Names a letter. The same letter has the same name whenever it is made again, so that it is neither queued twice nor
/// taken for another one by the reader's mail program. A keyed digest: it tells nobody what the letter is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LetterId([u8; 16]);

impl LetterId {
    /// The name of the letter that `data` stands for among those of one `purpose`.
    #[must_use]
    pub fn new(vault: &Vault, purpose: &str, data: &[u8]) -> Self {
        let named = [purpose.as_bytes(), b"\0", data].concat();
        Self(vault.index("letter", &named))
    }

    /// The letter with this name.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// As commands and headers write it.
    #[must_use]
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }

    /// Reads [`Self::hex`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        hex::decode(text.trim()).ok()?.try_into().ok().map(Self)
    }
}

impl std::fmt::Debug for LetterId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LetterId({})", self.hex())
    }
}

/// What a letter is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LetterKind {
    /// A lunch and what is registered for a child.
    Allergy,
    /// A notice.
    Notice,
    /// A thing to hand in.
    HandIn,
    /// Arrival and leaving.
    Gate,
    /// An event.
    Event,
    /// A code that confirms an address.
    Code,
    /// To staff.
    Staff,
}

impl LetterKind {
    /// The name in commands, metrics and the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allergy => "allergy",
            Self::Notice => "notice",
            Self::HandIn => "hand_in",
            Self::Gate => "gate",
            Self::Event => "event",
            Self::Code => "code",
            Self::Staff => "staff",
        }
    }

    /// Whether somebody waits for it or may come to harm without it: it goes before all others.
    #[must_use]
    pub const fn is_urgent(self) -> bool {
        matches!(self, Self::Allergy | Self::Code | Self::Staff)
    }

    /// As a guardian is told it; staff's own letters are not for her.
    #[must_use]
    pub const fn told(self) -> Option<MailKind> {
        match self {
            Self::Allergy => Some(MailKind::Allergy),
            Self::Notice => Some(MailKind::Notice),
            Self::HandIn => Some(MailKind::HandIn),
            Self::Gate => Some(MailKind::Gate),
            Self::Event => Some(MailKind::Event),
            Self::Code => Some(MailKind::Code),
            Self::Staff => None,
        }
    }
}

/// A letter, written.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Its name.
    #[serde(with = "as_hex")]
    pub id: LetterId,
    /// The child it is about: under her key it is sealed, and gone with it.
    pub subject_key: Option<[u8; 16]>,
    /// The guardian it is for.
    #[serde(with = "as_alias")]
    pub guardian: Option<GuardianAlias>,
    /// What it is about.
    pub kind: LetterKind,
    /// The lunch it is about.
    pub lunch: Option<CalendarDate>,
    /// The address.
    pub to: String,
    /// The subject line.
    pub title: String,
    /// As plain text.
    pub text: String,
    /// As HTML.
    pub html: String,
    /// From then on it is too late to send it; milliseconds since the Unix epoch.
    pub send_by: Option<u64>,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Letter({:?}, {}, ***)", self.id, self.kind.as_str())
    }
}

mod as_hex {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use super::LetterId;

    pub(super) fn serialize<S: Serializer>(id: &LetterId, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&id.hex())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LetterId, D::Error> {
        let text = String::deserialize(deserializer)?;
        LetterId::parse(&text).ok_or_else(|| de::Error::custom("not the name of a letter"))
    }
}

mod as_alias {
    use hibiki_protocol::ids::GuardianAlias;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        alias: &Option<GuardianAlias>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        alias.map(|alias| alias.0).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<GuardianAlias>, D::Error> {
        Ok(Option::<[u8; 16]>::deserialize(deserializer)?.map(GuardianAlias))
    }
}
