//! What each kind of entry says in full. It is read by the institution itself, by the guardian it concerns,
//! and by the regulator on the spot; nobody else ever sees more than the leaf.
//!
//! Fields are only ever added, with a default, so that entries of every version stay readable.

use hibiki_protocol::tlog::EntryKind;
use serde::{Deserialize, Serialize};

use super::entry::Details;

macro_rules! details {
    ($($(#[$doc:meta])* $kind:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct $kind {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl Details for $kind {
            const KIND: EntryKind = EntryKind::$kind;
        }

        impl std::fmt::Debug for $kind {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($kind), "(***)"))
            }
        }
    )*};
}

details! {
    /// The node started.
    Start {
        /// Version of the software.
        software: String,
        /// Bytes of unacknowledged entries that a crash left behind and that were cut off; 0 in the ordinary case.
        torn_bytes: u64,
    }
    /// The node stopped in order.
    Stop {
        /// Why, such as `signal`.
        reason: String,
    }
    /// An answer with data left the institution.
    Release {
        /// The guardian's alias at this institution.
        guardian: String,
        /// The purpose that was stated.
        purpose: String,
        /// What was released where it was no records: `history`, `consent`, `registration`, `receipts`.
        act: String,
        /// The categories that were released.
        categories: Vec<String>,
        /// How many records, entries of the history, or receipts.
        records: u64,
        /// The gateway that brought the query.
        via: String,
        /// On what the guardian's right rests.
        basis: String,
        /// Whether the card was a simulated one.
        simulated_card: bool,
    }
    /// A query was answered without data.
    Refusal {
        /// The true reason, which stands nowhere else.
        reason: String,
        /// The guardian's alias at this institution, where it was known.
        guardian: String,
        /// The purpose that was stated.
        purpose: String,
        /// The gateway that brought the query.
        via: String,
        /// Whether the card was a simulated one.
        simulated_card: bool,
        /// When it was answered, in milliseconds since the Unix epoch, where the entry could only be made later; 0: at
        /// the time of the entry.
        answered: u64,
    }
    /// The gateway passed a sealed part on.
    Relay {
        /// The institution that was asked.
        institution: String,
        /// What became of it.
        outcome: String,
        /// Size of the sealed part, in bytes.
        part_bytes: u64,
        /// Size of the sealed answer, in bytes.
        answer_bytes: u64,
        /// From part to answer, in milliseconds.
        elapsed_ms: u64,
    }
    /// The registry granted access, or declined to.
    Grant {
        /// For which institution.
        audience: String,
        /// Whose card it is, by the registry's own keyed digest: by it a grant is laid beside a hold.
        holder: String,
        /// `granted` or the reason why not.
        outcome: String,
        /// On what the guardian's right rests.
        basis: String,
        /// The categories it covers.
        categories: Vec<String>,
        /// Until when, in milliseconds since the Unix epoch.
        expires: u64,
        /// Whether the card was a simulated one.
        simulated_card: bool,
        /// Salt of the grant's evidence, hexadecimal: with the session's certificate, statement and signature it
        /// proves that a card was there.
        evidence_salt: String,
    }
    /// A card session.
    Session {
        /// `begun`, `renewed`, `ended` or the reason of a refusal.
        event: String,
        /// Until when, in milliseconds since the Unix epoch.
        expires: u64,
        /// Whether the card was a simulated one.
        simulated_card: bool,
        /// At the registry: the card's certificate, DER, hexadecimal.
        certificate: String,
        /// At the registry: the statement the card signed, hexadecimal.
        statement: String,
        /// At the registry: the card's signature, hexadecimal.
        card_signature: String,
    }
    /// A pseudonym and a local number.
    Link {
        /// `made`, `undone` or `quarantined`.
        event: String,
        /// Which member of staff, or which import.
        by: String,
        /// What did not match, if it was quarantined.
        mismatch: Vec<String>,
    }
    /// A hold.
    Hold {
        /// `set`, `received`, `lifted` or `reviewed`.
        event: String,
        /// The guardian it stands against, by the alias at this institution, at the registry by its own keyed
        /// digest; `every guardian` where nobody is named.
        against: String,
        /// Which member of staff, or which registry.
        by: String,
        /// The document it rests on.
        basis: String,
    }
    /// A consent.
    Consent {
        /// `given` or `withdrawn`.
        event: String,
        /// Whose view it is about, by the guardian's alias at this institution; empty: every guardian's.
        guardian: String,
        /// The categories concerned; empty: every category.
        categories: Vec<String>,
        /// The member of staff who entered it; empty where a guardian chose.
        by: String,
        /// The guardian who chose, by the alias at this institution; empty where staff entered it.
        made_by: String,
        /// The gateway that brought a guardian's choice.
        via: String,
        /// Whether the card was a simulated one.
        simulated_card: bool,
    }
    /// What is registered for a subject was changed.
    Registration {
        /// What: `allergens`, `address`, `confirm`, `withdraw`, `mails`.
        what: String,
        /// The allergens registered now, by their codes, where those were changed; `!` after one with stricter removal.
        allergens: Vec<String>,
        /// The guardian, by the alias at this institution; empty where staff did it.
        guardian: String,
        /// The member of staff; empty where a guardian did it.
        by: String,
        /// The gateway that brought a guardian's command.
        via: String,
        /// Whether the card was a simulated one.
        simulated_card: bool,
    }
    /// A mail about a subject, or to staff, goes out.
    Mail {
        /// What it is about: `allergy`, `notice`, `hand_in`, `gate`, `event`, `code`, `staff`.
        mail: String,
        /// The guardian it is for, by the alias at this institution.
        guardian: String,
        /// The letter's name, which is in its Message-ID.
        letter: String,
        /// The day of the lunch it is about.
        lunch: String,
    }
    /// Records were taken in.
    Import {
        /// Which way: `admin`, `inbox`.
        source: String,
        /// Who or what brought them.
        by: String,
        /// New or changed records.
        accepted: u64,
        /// Records that were there already.
        unchanged: u64,
        /// Records that were refused.
        refused: u64,
    }
    /// A subject's key was destroyed.
    Erase {
        /// Which member of staff.
        by: String,
        /// On what ground.
        basis: String,
    }
    /// A member of staff looked at or changed something.
    Staff {
        /// Who.
        by: String,
        /// What was done.
        action: String,
    }
    /// An administrative act on the node.
    Administration {
        /// Who.
        by: String,
        /// What was done.
        action: String,
        /// How it ended.
        outcome: String,
    }
    /// A trust list was installed or refused.
    TrustList {
        /// Its number.
        epoch: u64,
        /// `installed` or the reason of the refusal.
        outcome: String,
    }
    /// A guardian's session was ended at this institution before its time.
    SessionEnd {
        /// Digest of the session key, hexadecimal: the key stands in the grants of that session and nowhere else.
        session: String,
        /// The gateway that brought the end.
        via: String,
        /// Until when it is remembered, in milliseconds since the Unix epoch.
        until: u64,
    }
}
