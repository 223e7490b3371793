//! The persons of this institution, in the form tokens are compared with.

use hibiki_protocol::token::IdentityFacts;
use hibiki_records::person::PatientFacts;

use super::LinkError;
use crate::recordbook::{BookError, RecordBook, SubjectId};
use crate::store::SCAN_ROWS_MAX;

/// A person of this institution.
#[derive(Clone, PartialEq, Eq)]
pub struct LocalPerson {
    /// Her key in the keyring.
    pub key: [u8; 16],
    /// The institution's own number.
    pub number: String,
    /// What is compared.
    pub facts: IdentityFacts,
}

impl std::fmt::Debug for LocalPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LocalPerson(***)")
    }
}

impl LocalPerson {
    fn new(id: SubjectId, facts: PatientFacts) -> Self {
        let compared = IdentityFacts {
            birth_date: facts.birth_date.to_string(),
            sex: facts.sex.code().to_owned(),
            kana: facts.matching_name,
        };
        Self { key: *id.as_bytes(), number: facts.local_number, facts: compared }
    }
}

/// Who is known here. Persons without facts cannot be linked and do not appear.
pub trait Persons: Send + Sync {
    /// Everybody.
    ///
    /// # Errors
    /// The records cannot be read.
    fn all(&self) -> Result<Vec<LocalPerson>, LinkError>;

    /// The person with this local number.
    ///
    /// # Errors
    /// The records cannot be read.
    fn by_number(&self, number: &str) -> Result<Option<LocalPerson>, LinkError>;

    /// The person with this key.
    ///
    /// # Errors
    /// The records cannot be read.
    fn by_key(&self, key: &[u8; 16]) -> Result<Option<LocalPerson>, LinkError>;
}

impl Persons for RecordBook {
    fn all(&self) -> Result<Vec<LocalPerson>, LinkError> {
        let mut persons = Vec::new();
        let mut after = None;
        loop {
            let page = self.all_subjects(after, SCAN_ROWS_MAX).map_err(unreadable)?;
            let end = page.len() < SCAN_ROWS_MAX;
            after = page.last().map(|(id, ..)| *id);
            persons.extend(page.into_iter().filter_map(|(id, facts)| Some(LocalPerson::new(id, facts?))));
            if end {
                return Ok(persons);
            }
        }
    }

    fn by_number(&self, number: &str) -> Result<Option<LocalPerson>, LinkError> {
        match self.find_by_local_number(number).map_err(unreadable)? {
            Some(id) => self.by_key(id.as_bytes()),
            None => Ok(None),
        }
    }

    fn by_key(&self, key: &[u8; 16]) -> Result<Option<LocalPerson>, LinkError> {
        let id = SubjectId::from_bytes(*key);
        Ok(self.facts(id).map_err(unreadable)?.map(|facts| LocalPerson::new(id, facts)))
    }
}

fn unreadable(error: BookError) -> LinkError {
    LinkError::Persons(error.to_string())
}
