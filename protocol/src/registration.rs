//! What a guardian registers at a school: allergens, an address for mails, which mails.
//!
//! Shown and changed by an act ([`crate::act::Act`]). Each guardian has a registration of her own for each child, and
//! nobody changes another's: the school acts on what all of them and its own staff have registered together.

use crate::act::Changed;
use crate::cbor::{wire_code, wire_struct, wire_union};
use crate::ids::CommandKey;
use crate::limits;
use crate::time::{Day, Timestamp};

wire_struct! {
    /// What is registered for the subject.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ShowRegistration {
        /// Version of this structure.
        1 => pub version: u64,
    }
}

wire_struct! {
    /// Changes one thing in this guardian's registration.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ChangeRegistration {
        /// Names the command: sent twice, it is carried out once.
        1 => pub key: CommandKey,
        /// What.
        3 => pub change: RegistrationChange,
    }
}

wire_union! {
    /// One change.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum RegistrationChange {
        /// Her whole list of allergens.
        1 => Allergens(RegisterAllergens),
        /// Another address, which a mailed code will confirm.
        2 => Address(RegisterAddress),
        /// The code that was mailed.
        3 => Confirm(ConfirmAddress),
        /// No mails any more.
        4 => Withdraw(WithdrawAddress),
        /// Which mails.
        5 => Mails(WantedMails),
    }
}

wire_struct! {
    /// Replaces this guardian's list.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RegisterAllergens {
        /// The allergens.
        1 => pub allergens: Vec<RegisteredAllergen>,
    }
}

wire_struct! {
    /// One allergen.
    #[derive(Clone, PartialEq, Eq)]
    pub struct RegisteredAllergen {
        /// Its code in J-FAGY.
        1 => pub code: String,
        /// Whether seasonings are removed as well (より厳しい除去).
        3 => pub strict: bool,
    }
}

wire_struct! {
    /// An address to be confirmed. The one confirmed before stays in use until then.
    #[derive(Clone, PartialEq, Eq)]
    pub struct RegisterAddress {
        /// The address.
        1 => pub address: String,
    }
}

wire_struct! {
    /// Confirms the address that was registered last.
    #[derive(Clone, PartialEq, Eq)]
    pub struct ConfirmAddress {
        /// The code, six digits.
        1 => pub code: String,
    }
}

wire_struct! {
    /// Removes every address of this guardian.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct WithdrawAddress {
        /// Version of this structure.
        1 => pub version: u64,
    }
}

wire_struct! {
    /// Chooses the mails. Those about allergens come with a confirmed address, whatever is chosen.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct WantedMails {
        /// The kinds.
        1 => pub kinds: Vec<MailKind>,
    }
}

wire_code! {
    /// What a mail to guardians is about.
    pub enum MailKind {
        /// A lunch that holds a registered allergen, or could not be checked.
        1 => Allergy = "allergy",
        /// A notice.
        2 => Notice = "notice",
        /// A thing to hand in.
        3 => HandIn = "hand_in",
        /// Arrival and leaving.
        4 => Gate = "gate",
        /// An event.
        5 => Event = "event",
        /// The code that confirms an address.
        6 => Code = "code",
    }
}

wire_struct! {
    /// What is registered for a subject, as one guardian is told it.
    #[derive(Clone, PartialEq, Eq)]
    pub struct RegistrationState {
        /// Her own list.
        1 => pub allergens: Vec<RegisteredAllergen>,
        /// What others, or the school, have registered; who is not told.
        3 => pub others: Vec<RegisteredAllergen>,
        /// Her confirmed address.
        4 => pub address: Option<String>,
        /// Her address that awaits its code.
        6 => pub waiting: Option<WaitingAddress>,
        /// The mails she has chosen.
        7 => pub mails: Vec<MailKind>,
        /// What became of the last mails to her about this child, newest first.
        9 => pub deliveries: Vec<Delivery>,
        /// The change, where one was asked for and carried out.
        10 => pub changed: Option<Changed>,
        /// Why the change was not carried out, where one was asked for.
        12 => pub refused: Option<RegistrationRefusal>,
    }
}

wire_struct! {
    /// An address whose code has not come back yet.
    #[derive(Clone, PartialEq, Eq)]
    pub struct WaitingAddress {
        /// The address.
        1 => pub address: String,
        /// Until when the code is taken.
        3 => pub until: Timestamp,
    }
}

wire_struct! {
    /// What became of a mail.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Delivery {
        /// What it was about.
        1 => pub kind: MailKind,
        /// The lunch it was about.
        2 => pub lunch: Option<Day>,
        /// How it stands.
        3 => pub state: DeliveryState,
        /// Since when.
        5 => pub at: Timestamp,
    }
}

wire_code! {
    /// How a mail stands.
    pub enum DeliveryState {
        /// Not tried yet.
        1 => Waiting = "waiting",
        /// Tried in vain; it will be tried again.
        2 => Delayed = "delayed",
        /// The relay has taken it.
        3 => Sent = "sent",
        /// It will not be tried again.
        4 => Failed = "failed",
    }
}

wire_code! {
    /// Why a change was not carried out.
    pub enum RegistrationRefusal {
        /// Not the code that was mailed.
        1 => WrongCode = "wrong_code",
        /// The code is too old, or none is awaited.
        2 => NoCode = "no_code",
        /// Too many wrong codes: a new one must be asked for.
        3 => TooManyTries = "too_many_tries",
        /// Not an address for mails.
        4 => NotAnAddress = "not_an_address",
        /// Not an allergen of the standard list.
        5 => UnknownAllergen = "unknown_allergen",
        /// Too many codes in one day.
        6 => TooManyCodes = "too_many_codes",
        /// The institution cannot send mails at present.
        7 => NoMail = "no_mail",
    }
}

macro_rules! hidden {
    ($($name:ident),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(concat!(stringify!($name), "(***)"))
            }
        }
    )+};
}

hidden!(RegisteredAllergen, RegisterAddress, ConfirmAddress, WaitingAddress, RegistrationState);

impl RegistrationChange {
    /// Whether it protects somebody: then it is taken on a full disk as well. What must not be eaten cannot wait, nor can
    /// a mailbox that must not be written to any more; everything else can.
    pub const fn protects(&self) -> bool {
        matches!(self, Self::Allergens(_) | Self::Withdraw(_))
    }
}

impl RegistrationState {
    /// Whether a change that was asked for was either carried out or refused, and none otherwise.
    pub const fn tells_of_a_change(&self) -> bool {
        self.changed.is_some() != self.refused.is_some()
    }

    /// Whether it is within the protocol's bounds.
    pub fn within_limits(&self) -> bool {
        self.allergens.len() <= limits::REGISTERED_ALLERGENS_MAX
            && self.others.len() <= limits::REGISTERED_ALLERGENS_MAX
            && self.deliveries.len() <= limits::DELIVERIES_MAX
            && !(self.changed.is_some() && self.refused.is_some())
            && self.mails.len() <= MailKind::ALL.len()
            && self.address.as_ref().is_none_or(|address| address.len() <= limits::ADDRESS_BYTES_MAX)
            && self.waiting.as_ref().is_none_or(|it| it.address.len() <= limits::ADDRESS_BYTES_MAX)
    }
}
