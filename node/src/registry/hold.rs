//! A hold (支援措置, court order): who must not see a child, whatever anybody granted. Pure.
//!
//! Protection must not wait: one clerk places a hold and it counts at once. Lifting needs two.

use std::fmt;

use hibiki_protocol::time::Day;
use serde::{Deserialize, Serialize};

use super::error::RegistryError;
use super::guardianship::Act;
use super::resident::{ResidentNumber, day};

/// A hold.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldOrder {
    /// Its name in lists and commands.
    pub id: String,
    /// The child.
    pub child: ResidentNumber,
    /// From whom; nobody named: from every guardian.
    pub guardian: Option<ResidentNumber>,
    /// Reference of the file it rests on; the reason itself is not kept here.
    pub reference: String,
    /// When it must be looked at again. Passing this day changes nothing.
    #[serde(with = "day")]
    pub review_by: Day,
    /// Who placed it.
    pub placed: Act,
    /// Who asked for it to be lifted.
    pub lifting: Option<Act>,
    /// Who, a different clerk, lifted it.
    pub lifted: Option<Act>,
}

impl fmt::Debug for HoldOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HoldOrder(***)")
    }
}

/// Where a hold stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldStanding {
    /// It counts.
    InForce,
    /// It counts, and its day of review is over.
    ReviewDue,
    /// It counts until a second clerk confirms that it is lifted.
    LiftAwaitsSecondClerk,
    /// It no longer counts.
    Lifted,
}

impl HoldOrder {
    /// Whether it counts.
    pub fn in_force(&self) -> bool {
        self.lifted.is_none()
    }

    /// Whether it keeps `guardian` from the child.
    pub fn keeps_out(&self, guardian: &ResidentNumber) -> bool {
        self.in_force() && self.guardian.as_ref().is_none_or(|held| held == guardian)
    }

    /// Where it stands on `today`.
    pub fn standing(&self, today: &Day) -> HoldStanding {
        match (&self.lifting, &self.lifted) {
            (_, Some(_)) => HoldStanding::Lifted,
            (Some(_), None) => HoldStanding::LiftAwaitsSecondClerk,
            (None, None) if self.review_by < *today => HoldStanding::ReviewDue,
            (None, None) => HoldStanding::InForce,
        }
    }

    /// The hold after `staff` said that it is to be lifted: the first clerk asks, a different one lifts.
    ///
    /// # Errors
    /// It is lifted already, or the same clerk said so twice.
    pub fn lift(&self, staff: &str, act: Act) -> Result<Self, RegistryError> {
        match &self.lifting {
            _ if !self.in_force() => {
                Err(RegistryError::State("this hold is lifted already / すでに解除されています"))
            }
            None => Ok(Self { lifting: Some(act), ..self.clone() }),
            Some(first) if first.is_by(staff) => Err(RegistryError::SameClerk),
            Some(_) => Ok(Self { lifted: Some(act), ..self.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use hibiki_protocol::time::Timestamp;

    use super::*;

    fn number(text: &str) -> ResidentNumber {
        ResidentNumber::new(text).unwrap()
    }

    fn order(guardian: Option<&str>) -> HoldOrder {
        HoldOrder {
            id: "1".into(),
            child: number("2"),
            guardian: guardian.map(number),
            reference: "R8-1".into(),
            review_by: Day::new("2027-03-31").unwrap(),
            placed: Act::new("A", Timestamp(0)),
            lifting: None,
            lifted: None,
        }
    }

    #[test]
    fn it_keeps_out_whom_it_names_or_everybody() {
        assert!(order(Some("3")).keeps_out(&number("3")));
        assert!(!order(Some("3")).keeps_out(&number("4")), "the other guardian keeps access");
        assert!(order(None).keeps_out(&number("4")));
    }

    #[test]
    fn lifting_takes_two_and_time_lifts_nothing() {
        let placed = order(None);
        let late = Day::new("2099-01-01").unwrap();
        assert_eq!(placed.standing(&late), HoldStanding::ReviewDue);
        assert!(placed.keeps_out(&number("3")));
        let asked = placed.lift("A", Act::new("A", Timestamp(1))).unwrap();
        assert!(asked.in_force(), "asking changes nothing");
        assert_eq!(asked.standing(&late), HoldStanding::LiftAwaitsSecondClerk);
        assert_eq!(asked.lift("a", Act::new("a", Timestamp(2))).unwrap_err(), RegistryError::SameClerk);
        let lifted = asked.lift("B", Act::new("B", Timestamp(3))).unwrap();
        assert!(!lifted.keeps_out(&number("3")));
        assert!(lifted.lift("C", Act::new("C", Timestamp(4))).is_err());
    }
}
