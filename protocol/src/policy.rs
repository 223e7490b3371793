//! May this be read? Holds, then consent, then age: the first that says no decides.
//!
//! The result is a [`ReadPermit`], which only [`decide`] and [`admit`] can make and without which a
//! responder cannot read. What withholds is for the institution's own ledger; the guardian is told
//! `nothing to show` in every case.

use crate::act::Act;
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
    /// The guardian who chose; `None`: the institution's staff.
    pub made_by: Option<GuardianAlias>,
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

/// What a decision is made from, besides the query.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The subject's birth date as the institution knows it.
    pub birth_date: &'a Day,
    /// The calendar day in Japan.
    pub today: &'a Day,
    /// Holds on this subject.
    pub holds: &'a [Hold],
    /// Choices about this subject.
    pub consents: &'a [Consent],
    /// The institution's age rules.
    pub ages: &'a AgeGate,
}

/// Decides for a verified query for records of the local subject `pseudonym`.
///
/// # Errors
/// What withholds the records.
pub fn decide(
    query: &VerifiedQuery,
    pseudonym: Pseudonym,
    circumstances: Circumstances<'_>,
) -> Result<ReadPermit, Withheld> {
    // Who asks for the history of accesses, or for an act, is not shown the records themselves.
    let other = query.query().purpose == Purpose::AccessHistory || query.query().act.is_some();
    let asked = Asked {
        categories: if other { Some(Vec::new()) } else { query.categories() },
        since: query.query().since.clone(),
        whose_denials: &|_| true,
    };
    judge(query, pseudonym, circumstances, asked)
}

/// Decides whether a guardian may be told anything besides records — who looked, what she has withdrawn —
/// or change it: if a look at everything would show her something, her own withdrawals aside. So an act
/// tells nobody of a child that a look would not tell him of.
///
/// The permit is for that look. If it finds no record, the act is withheld, too.
///
/// # Errors
/// What withholds it.
pub fn admit(
    query: &VerifiedQuery,
    pseudonym: Pseudonym,
    circumstances: Circumstances<'_>,
) -> Result<ReadPermit, Withheld> {
    let grant = query.grant().grant();
    let granted = (!grant.categories.is_empty()).then(|| grant.categories.clone());
    let asked = Asked {
        categories: granted.clone(),
        since: None,
        whose_denials: &|consent| consent.made_by.as_ref() != Some(&grant.guardian),
    };
    let permit = judge(query, pseudonym, circumstances, asked)?;
    if let Some(Act::ChangeConsent(_) | Act::ChangeRegistration(_)) = &query.query().act {
        let age = attained_years(circumstances.birth_date, circumstances.today);
        // A young child's card is in her guardian's hand; nobody chooses against the others with it.
        if grant.basis == Basis::Oneself && age < circumstances.ages.sensitive_years {
            return Err(Withheld::Age);
        }
    }
    if let Some(Act::ChangeConsent(change)) = &query.query().act {
        let within = |granted: &Vec<Category>| {
            change.category.as_ref().is_some_and(|category| granted.contains(category))
        };
        if !granted.as_ref().is_none_or(within) {
            return Err(Withheld::NotGranted);
        }
    }
    Ok(permit)
}

/// What is to be judged.
struct Asked<'a> {
    categories: Option<Vec<Category>>,
    since: Option<Day>,
    whose_denials: &'a dyn Fn(&Consent) -> bool,
}

fn judge(
    query: &VerifiedQuery,
    pseudonym: Pseudonym,
    Circumstances { birth_date, today, holds, consents, ages }: Circumstances<'_>,
    Asked { categories, since, whose_denials }: Asked<'_>,
) -> Result<ReadPermit, Withheld> {
    let grant = query.grant().grant();
    let oneself = grant.basis == Basis::Oneself;
    let concerns =
        |guardian: &Option<GuardianAlias>| guardian.as_ref().is_none_or(|held| held == &grant.guardian);
    if !oneself && holds.iter().any(|hold| concerns(&hold.guardian)) {
        return Err(Withheld::Hold);
    }
    let denies =
        |consent: &&Consent| !consent.permit && concerns(&consent.guardian) && whose_denials(consent);
    let denials = || consents.iter().filter(|_| !oneself).filter(denies);
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
    if categories.as_ref().is_some_and(Vec::is_empty) {
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
    Ok(ReadPermit { pseudonym, categories, denied, since })
}

/// Full years of age on `today` by 年齢計算ニ関スル法律: a year is full at the end of the day before
/// the anniversary, hence for the whole anniversary; born on 29 February, for the whole 1 March of a
/// common year.
pub fn attained_years(birth_date: &Day, today: &Day) -> u16 {
    let ((birth_year, birth_month, birth_day), (year, month, day)) = (birth_date.parts(), today.parts());
    let years = year.saturating_sub(birth_year);
    if (month, day) >= (birth_month, birth_day) { years } else { years.saturating_sub(1) }
}
