//! The table of holds, and the notice each of them owes to every institution.
//!
//! ```text
//! Holds   R ‖ id                       the order, sealed
//!         C ‖ child's index ‖ id       found by child
//! Outbox  "hold/" ‖ id ‖ member        the notice owed to a member, and its receipt
//! ```
//!
//! Order and notices are one change: there is no hold without its notices.

use hibiki_protocol::cbor;
use hibiki_protocol::hold::{HoldNotice, HoldState, SealedHoldNotice};
use hibiki_protocol::ids::{Digest, HoldId, MemberId};
use hibiki_protocol::limits;
use hibiki_protocol::signing::Signed;
use hibiki_protocol::time::{Day, Timestamp};
use hibiki_protocol::token::AudienceKey;
use hibiki_protocol::trust::{Member, Role};
use serde::{Deserialize, Serialize};

use super::Registry;
use super::error::RegistryError;
use super::guardianship::{Act, TEXT_MAX};
use super::hold::{HoldOrder, HoldStanding};
use super::resident::{Resident, ResidentNumber};
use super::residents::Stored;
use crate::ledger::details;
use crate::store::Keyspace;
use crate::vault::form::{Form, Part, mark, sealed};
use crate::vault::{Change, Row};

const TABLE: Keyspace = Keyspace::Holds;
pub(super) const OUTBOX: Keyspace = Keyspace::Outbox;
pub(super) const OUTBOX_PREFIX: &[u8] = b"hold/";

/// The forms of its rows.
pub(super) const FORMS: &[Form] = &[
    sealed::<HoldOrder>("hold order", TABLE, b"R", &[Part::Bytes(8)]),
    mark(
        "index of hold orders",
        TABLE,
        b"C",
        &[Part::Of(Keyspace::Residents, b"", 16), Part::Of(TABLE, b"R", 8)],
    ),
    sealed::<Owed>("hold notice owed", OUTBOX, OUTBOX_PREFIX, &[Part::Bytes(16), Part::Member]),
];

/// A notice owed to one institution.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Owed {
    pub(super) order: String,
    pub(super) member: String,
    /// Names the hold at this institution and nowhere else; random, the same for placing and lifting.
    pub(super) hold: [u8; 16],
    pub(super) lifted: bool,
    pub(super) issued: u64,
    /// Digest of the signed notice: what the receipt must name.
    pub(super) digest: [u8; 32],
    /// The key it is sealed to, by which it is seen that the institution changed its keys.
    pub(super) sealed_to: [u8; 8],
    /// The encoded [`SealedHoldNotice`], hexadecimal.
    pub(super) notice: String,
    pub(super) attempts: u32,
    pub(super) next_at: u64,
    pub(super) acknowledged: Option<Acknowledged>,
}

impl Owed {
    /// Whether it says what is true of its hold now.
    pub(super) fn says(&self, order: &HoldOrder) -> bool {
        self.lifted != order.in_force()
    }
}

/// An institution's receipt.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Acknowledged {
    pub(super) at: u64,
    /// The encoded `Signed<HoldReceipt>`, hexadecimal: proof that the institution had it.
    pub(super) receipt: String,
}

/// How one institution stands to a hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HoldAt {
    /// The institution.
    pub member: String,
    /// When it had the newest notice in force (milliseconds since the Unix epoch); absent: not yet.
    pub acknowledged: Option<u64>,
    /// Attempts so far.
    pub attempts: u32,
}

/// A hold as the list shows it.
#[derive(Clone, Debug)]
pub struct ListedHold {
    /// The hold.
    pub order: HoldOrder,
    /// Where it stands.
    pub standing: HoldStanding,
    /// How each institution stands to it.
    pub members: Vec<HoldAt>,
}

/// What a clerk orders.
#[derive(Clone, Debug)]
pub struct HoldProposal {
    /// The child.
    pub child: ResidentNumber,
    /// From whom; nobody named: from every guardian.
    pub guardian: Option<ResidentNumber>,
    /// Reference of the file it rests on.
    pub reference: String,
    /// When it must be looked at again.
    pub review_by: Day,
}

impl Registry {
    /// Places a hold. It counts here when this returns, and its notices go out at once.
    ///
    /// # Errors
    /// Nobody with such a number, no reference, or it could not be logged or stored, reserve included.
    pub async fn place_hold(&self, proposal: HoldProposal, staff: &str) -> Result<HoldOrder, RegistryError> {
        let _turn = self.turn.lock().await;
        let child = self.known(&proposal.child, "child")?;
        if let Some(guardian) = &proposal.guardian {
            self.known(guardian, "guardian")?;
        }
        let reference = proposal.reference.trim();
        if reference.is_empty() || reference.chars().count() > TEXT_MAX {
            return Err(RegistryError::Argument(
                "a hold needs the reference of its file, at most 200 characters; give --reason-reference / 根拠の文書番号が必要です",
            ));
        }
        let id = self.means.env.random::<8>();
        let order = HoldOrder {
            id: hex::encode(id),
            child: proposal.child,
            guardian: proposal.guardian,
            reference: reference.to_owned(),
            review_by: proposal.review_by,
            placed: Act::new(staff, self.means.now()),
            lifting: None,
            lifted: None,
        };
        self.record_hold(&child, &order, staff, "set").await?;
        let mut change = self.means.vault.change();
        change.insert(TABLE, &[b"R", id.as_slice()].concat(), &order)?;
        change.mark(TABLE, &[b"C", child.key(), &id].concat());
        self.owe_all(&mut change, &order, &child.value)?;
        change.urgent();
        change.commit().await?;
        self.bell.notify_one();
        Ok(order)
    }

    /// Says that a hold is to be lifted: the first clerk asks, a different one lifts. Until then it counts.
    ///
    /// # Errors
    /// The same clerk twice, it is lifted already, or it could not be logged or stored.
    pub async fn lift_hold(&self, id: &str, staff: &str) -> Result<HoldOrder, RegistryError> {
        let _turn = self.turn.lock().await;
        let row = self.hold_row(id)?;
        let next = row.value.lift(staff, Act::new(staff, self.means.now()))?;
        let child = self.known(&next.child, "child")?;
        let event = if next.in_force() { "lifting asked for" } else { "lifted" };
        self.record_hold(&child, &next, staff, event).await?;
        let mut change = self.means.vault.change();
        change.replace(TABLE, &row, &next)?;
        if !next.in_force() {
            self.owe_all(&mut change, &next, &child.value)?;
        }
        change.commit().await?;
        self.bell.notify_one();
        Ok(next)
    }

    /// Every hold, with who has acknowledged it.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn list_holds(&self, all: bool) -> Result<Vec<ListedHold>, RegistryError> {
        let today = self.means.today();
        let mut listed = Vec::new();
        for row in self.orders()? {
            if !all
                && !row.value.in_force()
                && self.owed(&row.value.id)?.iter().all(|owed| owed.value.acknowledged.is_some())
            {
                continue;
            }
            let order = &row.value;
            let at = |Row { value: owed, .. }: Row<Owed>| HoldAt {
                acknowledged: owed
                    .acknowledged
                    .as_ref()
                    .filter(|_| owed.says(order))
                    .map(|receipt| receipt.at),
                member: owed.member,
                attempts: owed.attempts,
            };
            let members = self.owed(&row.value.id)?.into_iter().map(at).collect();
            listed.push(ListedHold { standing: row.value.standing(&today), order: row.value, members });
        }
        Ok(listed)
    }

    /// Whether a hold keeps `guardian` from the child.
    pub(super) fn is_held(&self, child: &Stored, guardian: &ResidentNumber) -> Result<bool, RegistryError> {
        let vault = &self.means.vault;
        for id in vault.marks(TABLE, &[b"C", child.key()].concat())? {
            let order = vault.get::<HoldOrder>(TABLE, &[b"R", id.as_slice()].concat())?;
            if order.is_some_and(|order| order.value.keeps_out(guardian)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn orders(&self) -> Result<Vec<Row<HoldOrder>>, RegistryError> {
        Ok(self.means.vault.rows(TABLE, b"R")?)
    }

    pub(super) fn owed(&self, order: &str) -> Result<Vec<Row<Owed>>, RegistryError> {
        Ok(self.means.vault.rows(OUTBOX, &[OUTBOX_PREFIX, order.as_bytes()].concat())?)
    }

    /// Puts a notice for every institution that answers queries into the outbox. A hold that is lifted is
    /// told only to those that were told of it.
    fn owe_all(
        &self,
        change: &mut Change<'_>,
        order: &HoldOrder,
        child: &Resident,
    ) -> Result<(), RegistryError> {
        let trust = (self.means.trust)();
        for member in trust.list().members.iter().filter(|member| member.has_role(Role::Responder)) {
            let key = owed_key(&order.id, &member.id);
            let before = self.means.vault.get::<Owed>(OUTBOX, &key)?.map(|row| row.value);
            if !order.in_force() && before.is_none() {
                continue;
            }
            match self.owe(order, child, member, before.as_ref()) {
                Ok(owed) => change.put(OUTBOX, &key, &owed)?,
                // The hold counts here all the same; the delivery loop tries again with the next list.
                Err(error) => {
                    tracing::error!(%error, member = %member.id, "no hold notice could be sealed for a member");
                }
            }
        }
        Ok(())
    }

    /// The notice owed to one institution now; sealed to its present key.
    pub(super) fn owe(
        &self,
        order: &HoldOrder,
        child: &Resident,
        member: &Member,
        before: Option<&Owed>,
    ) -> Result<Owed, RegistryError> {
        let now = self.means.now();
        let sealing =
            member.sealing_key_at(now).ok_or_else(|| RegistryError::NoSealingKey(member.id.clone()))?;
        let no_key = |_| RegistryError::NoSealingKey(member.id.clone());
        let key = AudienceKey::derive(&self.setup.master, &member.id);
        let own = &self.means.own;
        let token = key
            .token(own, &member.id, &sealing.public, child.number.as_str(), &child.facts())
            .map_err(no_key)?;
        let hold = before.map_or_else(|| self.means.env.random(), |before| before.hold);
        let lifted = !order.in_force();
        // A later notice of a hold replaces an earlier one, also if the clock went back between them.
        let issued = before.map_or(now.0, |before| now.0.max(before.issued + 1));
        let notice = HoldNotice {
            version: limits::VERSION_MAX,
            id: HoldId(hold),
            registry: own.clone(),
            audience: member.id.clone(),
            token,
            token_key: sealing.public.id(),
            guardian: order.guardian.as_ref().map(|guardian| key.alias(guardian.as_str())),
            state: if lifted { HoldState::Lifted } else { HoldState::Placed },
            issued: Timestamp(issued),
            review_by: end_of(&order.review_by),
        };
        let signed = Signed::sign(&notice, self.means.keys.signing());
        let sealed = SealedHoldNotice::seal(&signed, &member.id, sealing).map_err(no_key)?;
        let Digest(digest) = signed.digest();
        Ok(Owed {
            order: order.id.clone(),
            member: member.id.as_str().to_owned(),
            hold,
            lifted,
            issued,
            digest,
            sealed_to: sealed.key_id.0,
            notice: hex::encode(cbor::encode(&sealed)),
            attempts: 0,
            next_at: 0,
            acknowledged: None,
        })
    }

    fn hold_row(&self, id: &str) -> Result<Row<HoldOrder>, RegistryError> {
        let none = RegistryError::NoSuchId("hold", "支援措置");
        let bytes = hex::decode(id.trim()).map_err(|_| none.clone())?;
        self.means.vault.get(TABLE, &[b"R", bytes.as_slice()].concat())?.ok_or(none)
    }

    async fn record_hold(
        &self,
        child: &Stored,
        order: &HoldOrder,
        staff: &str,
        event: &str,
    ) -> Result<(), RegistryError> {
        let guardian = order.guardian.as_ref().map(|number| hex::encode(self.resident_index(number)));
        let entry = details::Hold {
            event: event.to_owned(),
            against: guardian.unwrap_or_else(|| "every guardian".to_owned()),
            by: staff.to_owned(),
            basis: order.reference.clone(),
        };
        self.means.log_protection(Some(*child.sealed_by.as_bytes()), &entry).await?;
        Ok(())
    }
}

pub(super) fn owed_key(order: &str, member: &MemberId) -> Vec<u8> {
    [OUTBOX_PREFIX, order.as_bytes(), b"/", member.as_str().as_bytes()].concat()
}

/// The last millisecond of a day in Japan.
fn end_of(day: &Day) -> Timestamp {
    let (year, month, date) = day.parts();
    let civil = jiff::civil::Date::new(year.cast_signed(), month.cast_signed(), date.cast_signed());
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(9));
    let next = civil.and_then(jiff::civil::Date::tomorrow).and_then(|next| next.to_zoned(zone));
    let millis = next.ok().and_then(|next| u64::try_from(next.timestamp().as_millisecond()).ok());
    Timestamp(millis.map_or(0, |millis| millis.saturating_sub(1)))
}
