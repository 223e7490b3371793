//! The table of guardianships, and the two clerks each of them needs.
//!
//! ```text
//! i ‖ id                    the guardianship, sealed
//! g ‖ guardian's index ‖ id    found by guardian
//! c ‖ child's index ‖ id       found by child
//! ```

use hibiki_protocol::time::Day;

use super::Registry;
use super::error::RegistryError;
use super::guardianship::{Act, Guardianship, Proposal, Standing};
use super::resident::{Resident, ResidentNumber};
use crate::store::Keyspace;
use crate::vault::Row;
use crate::vault::form::{Form, Part, mark, sealed};

const TABLE: Keyspace = Keyspace::Guardianships;

/// The forms of its rows.
pub(super) const FORMS: &[Form] = &[
    sealed::<Guardianship>("guardianship", TABLE, b"i", &[Part::Bytes(8)]),
    mark(
        "index of guardianships",
        TABLE,
        b"g",
        &[Part::Of(Keyspace::Residents, b"", 16), Part::Of(TABLE, b"i", 8)],
    ),
    mark(
        "index of guardianships",
        TABLE,
        b"c",
        &[Part::Of(Keyspace::Residents, b"", 16), Part::Of(TABLE, b"i", 8)],
    ),
];

impl Registry {
    /// Enters a guardianship; it counts once a different clerk has approved it.
    ///
    /// # Errors
    /// It breaks a rule, exists already, or could not be logged or stored.
    pub async fn enter_guardianship(
        &self,
        guardian: &ResidentNumber,
        child: &ResidentNumber,
        proposal: Proposal,
        staff: &str,
    ) -> Result<Guardianship, RegistryError> {
        let _turn = self.turn.lock().await;
        let (guardian, child) = (self.known(guardian, "guardian")?, self.known(child, "child")?);
        let (proposal, until) = proposal.check(&guardian.value, &child.value)?;
        let today = self.means.today();
        let open = |known: &Guardianship| {
            let standing = known.standing(&child.value.birth_date, &today);
            known.child == child.value.number && !matches!(standing, Standing::Ended | Standing::Expired)
        };
        if self.guardianships_of(guardian.key())?.iter().any(|row| open(&row.value)) {
            return Err(RegistryError::State(
                "this guardianship is entered already; end it first if it changes / すでに登録されています",
            ));
        }
        let id = self.means.env.random::<8>();
        let entry = Guardianship {
            id: hex::encode(id),
            guardian: guardian.value.number.clone(),
            child: child.value.number.clone(),
            basis: proposal.basis,
            from: proposal.from,
            until,
            document: proposal.document,
            entered: Act::new(staff, self.means.now()),
            approved: None,
            ended: None,
        };
        let action = format!("guardianship {} entered: {}", entry.id, entry.basis);
        self.record(Some(child.sealed_by), staff, &action).await?;
        let mut change = self.means.vault.change();
        change.insert(TABLE, &[b"i", id.as_slice()].concat(), &entry)?;
        change.mark(TABLE, &[b"g", guardian.key(), &id].concat());
        change.mark(TABLE, &[b"c", child.key(), &id].concat());
        change.commit().await?;
        Ok(entry)
    }

    /// Approves what another clerk entered.
    ///
    /// # Errors
    /// The same clerk, nothing to approve, or it could not be logged or stored.
    pub async fn approve_guardianship(&self, id: &str, staff: &str) -> Result<Guardianship, RegistryError> {
        let _turn = self.turn.lock().await;
        let row = self.guardianship(id)?;
        if row.value.ended.is_some() || row.value.approved.is_some() {
            return Err(RegistryError::State(
                "this guardianship is approved or ended already / すでに承認済みか終了しています",
            ));
        }
        if row.value.entered.is_by(staff) {
            return Err(RegistryError::SameClerk);
        }
        let next = Guardianship { approved: Some(Act::new(staff, self.means.now())), ..row.value.clone() };
        self.replace_guardianship(&row, next, staff, "approved").await
    }

    /// Ends a guardianship at once. One clerk suffices: taking access away must not wait.
    ///
    /// # Errors
    /// It has ended already, or could not be logged or stored.
    pub async fn end_guardianship(&self, id: &str, staff: &str) -> Result<Guardianship, RegistryError> {
        let _turn = self.turn.lock().await;
        let row = self.guardianship(id)?;
        if row.value.ended.is_some() {
            return Err(RegistryError::State("this guardianship has ended already / すでに終了しています"));
        }
        let next = Guardianship { ended: Some(Act::new(staff, self.means.now())), ..row.value.clone() };
        self.replace_guardianship(&row, next, staff, "ended").await
    }

    /// Every guardianship, or those of one child or guardian, with where it stands.
    ///
    /// # Errors
    /// The tables cannot be read, or nobody has that number.
    pub fn list_guardianships(
        &self,
        of: Option<&ResidentNumber>,
    ) -> Result<Vec<(Guardianship, Standing)>, RegistryError> {
        let rows = match of {
            None => self.means.vault.rows(TABLE, b"i")?,
            Some(number) => {
                let resident = self.known(number, "resident")?;
                let mut rows = self.guardianships_of(resident.key())?;
                rows.extend(self.guardianships_by(b"c", resident.key())?);
                rows
            }
        };
        let today = self.means.today();
        let stands = |row: Row<Guardianship>| -> Result<_, RegistryError> {
            let child = self.known(&row.value.child, "child")?;
            let standing = row.value.standing(&child.value.birth_date, &today);
            Ok((row.value, standing))
        };
        rows.into_iter().map(stands).collect()
    }

    /// The children in a guardian's care on `today`, each with the guardianship it rests on; a child only
    /// once, and only while under age.
    pub(super) fn children_of(
        &self,
        guardian: &Row<Resident>,
        today: &Day,
    ) -> Result<Vec<(Row<Resident>, Guardianship)>, RegistryError> {
        let mut children: Vec<(Row<Resident>, Guardianship)> = Vec::new();
        for row in self.guardianships_of(guardian.key())? {
            // A child that is gone from the table has nobody who could act for her.
            let Some(child) = self.resident(&row.value.child)? else { continue };
            let counts = row.value.standing(&child.value.birth_date, today) == Standing::InForce;
            if counts && !children.iter().any(|(known, _)| known.value.number == child.value.number) {
                children.push((child, row.value));
            }
        }
        Ok(children)
    }

    fn guardianships_of(&self, guardian: &[u8]) -> Result<Vec<Row<Guardianship>>, RegistryError> {
        self.guardianships_by(b"g", guardian)
    }

    fn guardianships_by(&self, side: &[u8], index: &[u8]) -> Result<Vec<Row<Guardianship>>, RegistryError> {
        let vault = &self.means.vault;
        let ids = vault.marks(TABLE, &[side, index].concat())?;
        let rows = ids.into_iter().map(|id| vault.get(TABLE, &[b"i", id.as_slice()].concat()));
        rows.filter_map(Result::transpose).map(|row| Ok(row?)).collect()
    }

    fn guardianship(&self, id: &str) -> Result<Row<Guardianship>, RegistryError> {
        let none = RegistryError::NoSuchId("guardianship", "保護者登録");
        let bytes = hex::decode(id.trim()).map_err(|_| none.clone())?;
        self.means.vault.get(TABLE, &[b"i", bytes.as_slice()].concat())?.ok_or(none)
    }

    async fn replace_guardianship(
        &self,
        row: &Row<Guardianship>,
        next: Guardianship,
        staff: &str,
        what: &str,
    ) -> Result<Guardianship, RegistryError> {
        let child = self.resident(&next.child)?.map(|child| child.sealed_by);
        let action = format!("guardianship {} {what}", next.id);
        self.record(child, staff, &action).await?;
        let mut change = self.means.vault.change();
        change.replace(TABLE, row, &next)?;
        // Ending is a protection, too.
        if next.ended.is_some() {
            change.urgent();
        }
        change.commit().await?;
        Ok(next)
    }
}
