//! Who is whose guardian: entered by one clerk, counting only once a different clerk has approved it, dated,
//! on a stated basis, and over at majority at the latest. Pure; `super::guardianships` keeps it.

use std::fmt;

use hibiki_protocol::grant::Basis;
use hibiki_protocol::policy::attained_years;
use hibiki_protocol::time::{Day, Timestamp};
use hibiki_records::person::normalise_name;
use serde::{Deserialize, Serialize};

use super::resident::{Resident, ResidentNumber, day};

/// Age of majority (民法 4条, since 2022-04-01).
pub const ADULT_YEARS: u16 = 18;
/// Characters of a document reference or a clerk's name, at most.
pub const TEXT_MAX: usize = 200;

/// What a clerk did, and when (milliseconds since the Unix epoch).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// The clerk.
    pub by: String,
    /// When.
    pub at: u64,
}

impl Act {
    /// An act of `staff` at `now`.
    pub fn new(staff: &str, now: Timestamp) -> Self {
        Self { by: staff.to_owned(), at: now.0 }
    }

    /// Whether this was done by the same person, however the name is spelled.
    pub fn is_by(&self, staff: &str) -> bool {
        normalise_name(&self.by) == normalise_name(staff)
    }
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Act(***)")
    }
}

/// A guardianship.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guardianship {
    /// Its name in lists and commands.
    pub id: String,
    /// The guardian.
    pub guardian: ResidentNumber,
    /// The child.
    pub child: ResidentNumber,
    /// On what it rests.
    #[serde(with = "basis")]
    pub basis: Basis,
    /// First day.
    #[serde(with = "day")]
    pub from: Day,
    /// Last day.
    #[serde(with = "day")]
    pub until: Day,
    /// The document it rests on.
    pub document: Option<String>,
    /// Who entered it.
    pub entered: Act,
    /// Who approved it.
    pub approved: Option<Act>,
    /// Who ended it.
    pub ended: Option<Act>,
}

impl fmt::Debug for Guardianship {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guardianship(***)")
    }
}

/// Why a guardianship cannot be entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GuardianshipFault {
    /// Guardian and child are one person.
    #[error("guardian and child are the same resident / 保護者と子が同一です")]
    Oneself,
    /// Everybody acts for herself without an entry.
    #[error(
        "the basis must be parental_sole, parental_joint, legal_guardian, foster or facility_head / 根拠が正しくありません"
    )]
    Basis,
    /// It ends before it begins.
    #[error("the guardianship ends before it begins / 終期が始期より前です")]
    Order,
    /// It would outlast the child's minority.
    #[error(
        "the guardianship must end on the child's 18th birthday or earlier; leave --until out to end it there / 終期は18歳の誕生日までです"
    )]
    Majority,
    /// A court or joint-authority case without its document.
    #[error(
        "this basis needs the reference of the document it rests on; give --document / 根拠文書の番号が必要です"
    )]
    Document,
    /// A text is too long.
    #[error("the document reference is longer than 200 characters / 文書番号が長すぎます")]
    Text,
}

/// Where a guardianship stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// A second clerk must approve it.
    AwaitsApproval,
    /// Approved; begins later.
    Future,
    /// It counts.
    InForce,
    /// Its last day, or the child's minority, is over.
    Expired,
    /// A clerk ended it.
    Ended,
}

impl Guardianship {
    /// Where it stands on `today`, given the child's birth date.
    pub fn standing(&self, birth_date: &Day, today: &Day) -> Standing {
        if self.ended.is_some() {
            Standing::Ended
        } else if self.until < *today || attained_years(birth_date, today) >= ADULT_YEARS {
            Standing::Expired
        } else if self.approved.is_none() {
            Standing::AwaitsApproval
        } else if *today < self.from {
            Standing::Future
        } else {
            Standing::InForce
        }
    }
}

/// What a clerk enters.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// On what it rests.
    pub basis: Basis,
    /// First day.
    pub from: Day,
    /// Last day; the child's 18th birthday if left out.
    pub until: Option<Day>,
    /// The document it rests on.
    pub document: Option<String>,
}

impl Proposal {
    /// Checks it against the two residents, and fills in the last day.
    ///
    /// # Errors
    /// The first rule it breaks.
    pub fn check(self, guardian: &Resident, child: &Resident) -> Result<(Self, Day), GuardianshipFault> {
        let document = self.document.as_deref().map(str::trim).filter(|text| !text.is_empty());
        if guardian.number == child.number {
            return Err(GuardianshipFault::Oneself);
        }
        let needs_document = match self.basis {
            Basis::Oneself => return Err(GuardianshipFault::Basis),
            Basis::ParentalSole => false,
            Basis::ParentalJoint | Basis::LegalGuardian | Basis::Foster | Basis::FacilityHead => true,
        };
        if needs_document && document.is_none() {
            return Err(GuardianshipFault::Document);
        }
        if document.is_some_and(|text| text.chars().count() > TEXT_MAX) {
            return Err(GuardianshipFault::Text);
        }
        let majority = majority(&child.birth_date).ok_or(GuardianshipFault::Majority)?;
        let until = self.until.clone().unwrap_or_else(|| majority.clone());
        if until > majority {
            return Err(GuardianshipFault::Majority);
        }
        if until < self.from {
            return Err(GuardianshipFault::Order);
        }
        let document = document.map(str::to_owned);
        Ok((Self { document, ..self }, until))
    }
}

/// The first day on which the child is of age by [`attained_years`]: the 18th birthday, or 1 March for one
/// born on 29 February where there is none.
pub fn majority(birth_date: &Day) -> Option<Day> {
    let (year, month, day) = birth_date.parts();
    let year = year.checked_add(ADULT_YEARS)?;
    Day::new(&format!("{year:04}-{month:02}-{day:02}")).or_else(|| Day::new(&format!("{year:04}-03-01")))
}

mod basis {
    use hibiki_protocol::grant::Basis;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(basis: &Basis, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(basis.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Basis, D::Error> {
        let text = String::deserialize(deserializer)?;
        Basis::from_name(&text).ok_or_else(|| D::Error::custom("not a basis"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    fn resident(number: &str, birth: &str) -> Resident {
        Resident::read(number, "前橋 花子", "マエバシ ハナコ", birth, "2").unwrap()
    }

    fn day(text: &str) -> Day {
        Day::new(text).unwrap()
    }

    fn propose(
        basis: Basis,
        from: &str,
        until: Option<&str>,
        document: Option<&str>,
    ) -> Result<Day, GuardianshipFault> {
        let proposal =
            Proposal { basis, from: day(from), until: until.map(day), document: document.map(str::to_owned) };
        proposal.check(&resident("1", "1990-01-01"), &resident("2", "2018-04-02")).map(|(_, until)| until)
    }

    #[test]
    fn rules_of_entry() {
        let sole = Basis::ParentalSole;
        assert_eq!(propose(sole, "2018-04-02", None, None), Ok(day("2036-04-02")));
        assert_eq!(propose(sole, "2018-04-02", Some("2036-04-02"), None), Ok(day("2036-04-02")));
        assert_eq!(propose(sole, "2018-04-02", Some("2036-04-03"), None), Err(GuardianshipFault::Majority));
        assert_eq!(propose(sole, "2020-04-02", Some("2020-04-01"), None), Err(GuardianshipFault::Order));
        assert_eq!(propose(Basis::Oneself, "2018-04-02", None, None), Err(GuardianshipFault::Basis));
        for basis in [Basis::ParentalJoint, Basis::LegalGuardian, Basis::Foster, Basis::FacilityHead] {
            assert_eq!(propose(basis, "2018-04-02", None, Some(" ")), Err(GuardianshipFault::Document));
            assert!(propose(basis, "2018-04-02", None, Some("令和8年(家)第12号")).is_ok());
        }
        let proposal = Proposal { basis: sole, from: day("2018-04-02"), until: None, document: None };
        let child = resident("2", "2018-04-02");
        assert_eq!(proposal.check(&child, &child).unwrap_err(), GuardianshipFault::Oneself);
    }

    #[test]
    fn clerks_are_the_same_however_they_spell_themselves() {
        let act = Act::new("Sato Ichiro", Timestamp(1));
        assert!(act.is_by("sato ichiro ") && act.is_by("SATO　ICHIRO") && !act.is_by("Sato Jiro"));
    }

    #[test]
    fn it_counts_only_between_approval_and_its_end() {
        let birth = day("2008-11-23");
        let mut entry = Guardianship {
            id: "1".into(),
            guardian: ResidentNumber::new("1").unwrap(),
            child: ResidentNumber::new("2").unwrap(),
            basis: Basis::ParentalSole,
            from: day("2026-01-10"),
            until: majority(&birth).unwrap(),
            document: None,
            entered: Act::new("A", Timestamp(0)),
            approved: None,
            ended: None,
        };
        let standing = |entry: &Guardianship, today: &str| entry.standing(&birth, &day(today));
        assert_eq!(standing(&entry, "2026-02-01"), Standing::AwaitsApproval);
        entry.approved = Some(Act::new("B", Timestamp(0)));
        assert_eq!(standing(&entry, "2026-01-09"), Standing::Future);
        assert_eq!(standing(&entry, "2026-01-10"), Standing::InForce);
        assert_eq!(standing(&entry, "2026-11-22"), Standing::InForce, "the day before the 18th birthday");
        assert_eq!(standing(&entry, "2026-11-23"), Standing::Expired);
        entry.ended = Some(Act::new("C", Timestamp(0)));
        assert_eq!(standing(&entry, "2026-02-01"), Standing::Ended);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn majority_is_the_first_day_of_full_age(year in 1950_u16..2100, month in 1_u8..=12, date in 1_u8..=31) {
            let text = format!("{year:04}-{month:02}-{date:02}");
            prop_assume!(Day::new(&text).is_some());
            let birth = day(&text);
            let first = majority(&birth).unwrap();
            prop_assert_eq!(attained_years(&birth, &first), ADULT_YEARS);
            let (y, m, d) = first.parts();
            let before = jiff::civil::date(y.cast_signed(), m.cast_signed(), d.cast_signed()).yesterday().unwrap();
            prop_assert_eq!(attained_years(&birth, &day(&before.to_string())), ADULT_YEARS - 1);
        }
    }
}
