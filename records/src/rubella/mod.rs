//! The rubella look-up: was I vaccinated, and where is the record?
//!
//! The founding use case: on pregnancy a woman, or her partner, asks every institution at once for her own rubella,
//! MR and MMR vaccinations and antibody tests; before, that meant the counters of city hall and of old schools.
//!
//! 1. [`Cohort`] says which programme was open to her, by birth date and sex, and where its record would be.
//! 2. [`find`] recognises rubella evidence in the verbatim records of an answer.
//! 3. [`Outcome`] is exactly one of five answers, for each source and in sum; its precedence is stated there.
//! 4. [`Sheet`] puts it together with what to do next, for the page and for one printed sheet.
//!
//! Nothing here says that anybody was not vaccinated, and nothing is a diagnosis. Must not know how institutions are
//! asked; what they said is a parameter, and so is today.

mod advice;
mod cohort;
mod evidence;
mod holder;
mod outcome;
mod sheet;

pub use advice::Advice;
pub use cohort::{Cohort, Programme, Uptake, Window};
pub use evidence::{
    Antibody, Evidence, Finding, Immunity, Method, Term, Titre, Vaccination, Vaccine, When, find,
};
pub use holder::HolderKind;
pub use outcome::{Outcome, Part, SourceFacts};
pub use sheet::{Kept, Person, Reply, Row, Sheet, Source};
