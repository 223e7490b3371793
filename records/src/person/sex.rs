//! Sex as recorded: the four codes of FHIR administrative gender.
//!
//! Must not know how a registry encodes it (住民票 1/2); the codes of a digest are the callers'.

use std::fmt;

use serde::{Deserialize, Serialize};

/// FHIR R4 `administrative-gender`. `Debug` prints `***`, for it is part of what identifies a person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    /// 男
    Male,
    /// 女
    Female,
    /// その他
    Other,
    /// 不明, or not recorded.
    Unknown,
}

impl Sex {
    /// The FHIR code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Male => "male",
            Self::Female => "female",
            Self::Other => "other",
            Self::Unknown => "unknown",
        }
    }

    /// Reads a FHIR code.
    pub fn from_fhir(code: &str) -> Option<Self> {
        [Self::Male, Self::Female, Self::Other, Self::Unknown].into_iter().find(|sex| sex.code() == code)
    }
}

impl fmt::Debug for Sex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_fhir() {
        for sex in [Sex::Male, Sex::Female, Sex::Other, Sex::Unknown] {
            assert_eq!(Sex::from_fhir(sex.code()), Some(sex));
            assert_eq!(serde_json::to_value(sex).unwrap(), sex.code());
            assert_eq!(format!("{sex:?}"), "***");
        }
        assert_eq!(Sex::from_fhir("M"), None);
    }
}
