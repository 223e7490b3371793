//! May this be read? Holds, then consent, then age: the first that says no decides.
//!
//! The result is a [`ReadPermit`], which only [`decide`] can make and without which a responder
//! cannot read. What withholds is for the institution's own ledger; the guardian is told
//! `nothing to show` in every case.

use crate::grant::Basis;
use crate::ids::{Category, GuardianAlias, Pseudonym};
use crate::query::VerifiedQuery;
use crate::session::Purpose;
use crate::time::Day;

/// A hold as the institution keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// From whom records are withheld; `None`: from every guardian.
    pub guardian: Option<GuardianAlias>,
}

/// One choice about what may be shown; a denial always wins over a permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Whom it concerns; `None`: every guardian.
    pub guardian: Option<GuardianAlias>,
    /// Which category; `None`: every category.
    pub category: Option<Category>,
    /// Whether showing is permitted.
    pub permit: bool,
}

/// The institution's age rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgeGate {
    /// From this age a guardian's access ends (18 by 民法 4条 since 2022-04-01).
    pub adult_years: u16,
    /// From this age the categories below are for the child alone.
    pub sensitive_years: u16,
    /// Categories withheld from guardians from that age on.
    pub sensitive: Vec<Category>,
}

/// Why records are withheld: for the institution's own ledger, never for the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Withheld {
    /// No link from this pseudonym to a local person.
    NotLinked,
    /// The link's digests do not agree with the token: staff must look.
    Quarantined,
    /// A hold is in force.
    Hold,
    /// Consent was withdrawn for everything asked.
    Consent,
    /// The subject has come of age, or what consent leaves of the question is hers alone at her age.
    Age,
    /// Nothing that was asked for is granted.
    NotGranted,
    /// There is no record.
    Empty,
}

impl Withheld {
    /// The stable name in the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotLinked => "not_linked",
            Self::Quarantined => "quarantined",
            Self::Hold => "hold",
            Self::Consent => "consent",
            Self::Age => "age",
            Self::NotGranted => "not_granted",
            Self::Empty => "empty",
        }
    }
}

/// Permission to read certain categories of one local subject, once.
#[derive(Debug)]
pub struct ReadPermit {
    pseudonym: Pseudonym,
    categories: Option<Vec<Category>>,
    denied: Vec<Category>,
    since: Option<Day>,
}

impl ReadPermit {
    /// Whose records.
    pub fn pseudonym(&self) -> &Pseudonym {
        &self.pseudonym
    }

    /// Whether this category may be read.
    pub fn allows(&self, category: &Category) -> bool {
        !self.denied.contains(category)
            && self.categories.as_ref().is_none_or(|permitted| permitted.contains(category))
    }

    /// The categories asked for and granted; `None`: every one that [`Self::allows`].
    pub fn categories(&self) -> Option<&[Category]> {
        self.categories.as_deref()
    }

    /// Only records of this day or later.
    pub fn since(&self) -> Option<&Day> {
        self.since.as_ref()
    }
}

/// Decides for a verified query about the local subject `pseudonym`, born on `birth_date`, on the
/// Japanese calendar day `today`.
///
/// # Errors
/// What withholds the records.
pub fn decide(
    query: &VerifiedQuery,
    pseudonym: Pseudonym,
    birth_date: &Day,
    today: &Day,
    holds: &[Hold],
    consents: &[Consent],
    ages: &AgeGate,
) -> Result<ReadPermit, Withheld> {
    let grant = query.grant().grant();
    let oneself = grant.basis == Basis::Oneself;
    let concerns =
        |guardian: &Option<GuardianAlias>| guardian.as_ref().is_none_or(|held| held == &grant.guardian);
    if !oneself && holds.iter().any(|hold| concerns(&hold.guardian)) {
        return Err(Withheld::Hold);
    }
    let denials =
        || consents.iter().filter(|consent| !consent.permit && !oneself && concerns(&consent.guardian));
    if denials().any(|consent| consent.category.is_none()) {
        return Err(Withheld::Consent);
    }
    let mut denied: Vec<Category> = denials().filter_map(|consent| consent.category.clone()).collect();
    let age = attained_years(birth_date, today);
    if !oneself && age >= ages.adult_years {
        return Err(Withheld::Age);
    }
    let hers_alone = !oneself && age >= ages.sensitive_years;
    let sensitive = if hers_alone { ages.sensitive.as_slice() } else { &[] };
    let categories = query.categories();
    // Who asks for the history of accesses is not shown the records themselves.
    let history = query.query().purpose == Purpose::AccessHistory;
    if history || categories.as_ref().is_some_and(Vec::is_empty) {
        return Err(Withheld::NotGranted);
    }
    let all = |denied: &[Category]| {
        categories.as_ref().is_some_and(|asked| asked.iter().all(|category| denied.contains(category)))
    };
    if all(&denied) {
        return Err(Withheld::Consent);
    }
    denied.extend(sensitive.iter().cloned());
    if all(&denied) {
        return Err(Withheld::Age);
    }
    Ok(ReadPermit { pseudonym, categories, denied, since: query.query().since.clone() })
}

/// Full years of age on `today` by 年齢計算ニ関スル法律: a year is full at the end of the day before
/// the anniversary, hence for the whole anniversary; born on 29 February, for the whole 1 March of a
/// common year.
pub fn attained_years(birth_date: &Day, today: &Day) -> u16 {
    let ((birth_year, birth_month, birth_day), (year, month, day)) = (birth_date.parts(), today.parts());
    let years = year.saturating_sub(birth_year);
    if (month, day) >= (birth_month, birth_day) { years } else { years.saturating_sub(1) }
}
