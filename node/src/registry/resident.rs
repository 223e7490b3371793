//! A resident as the municipality knows him, and the rules of what may be entered.
//!
//! The resident number is the city's own (宛名番号). It names residents in this registry's tables and
//! commands, goes into the pairwise tokens' PRF, and never leaves in any form that could be turned back.

use std::fmt;

use hibiki_protocol::limits;
use hibiki_protocol::time::Day;
use hibiki_protocol::token::IdentityFacts;
use hibiki_records::date::CalendarDate;
use hibiki_records::person::{NAME_MAX_CHARS, Sex, normalise_name};
use serde::{Deserialize, Serialize};

/// Characters of a resident number, at most.
const NUMBER_MAX: usize = 32;

/// The city's own number of a resident.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResidentNumber(String);

impl ResidentNumber {
    /// Accepts 1 to 32 ASCII letters, digits and `-`; surrounding space is dropped.
    ///
    /// # Errors
    /// [`ResidentFault::Number`].
    pub fn new(text: &str) -> Result<Self, ResidentFault> {
        let text = text.trim();
        let fits = (1..=NUMBER_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if fits { Ok(Self(text.to_owned())) } else { Err(ResidentFault::Number) }
    }

    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ResidentNumber {
    type Error = ResidentFault;
    fn try_from(text: String) -> Result<Self, ResidentFault> {
        Self::new(&text)
    }
}

impl From<ResidentNumber> for String {
    fn from(number: ResidentNumber) -> Self {
        number.0
    }
}

impl fmt::Debug for ResidentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResidentNumber(***)")
    }
}

/// Why a resident cannot be entered. Names the field, never its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResidentFault {
    /// The number.
    #[error(
        "the resident number must be 1 to 32 ASCII letters, digits or '-' / 住民番号は半角英数字32字以内"
    )]
    Number,
    /// The name.
    #[error("the name is missing or too long / 氏名がないか長すぎます")]
    Name,
    /// The name in kana.
    #[error("the name in kana is missing or too long / カナ氏名がないか長すぎます")]
    Kana,
    /// The birth date.
    #[error(
        "the birth date is not a day of the calendar; write 2018-04-02, 平成30年4月2日 or H30.4.2 / 生年月日が読めません"
    )]
    BirthDate,
    /// The sex.
    #[error("the sex must be male, female, other, unknown, 男, 女, 1 or 2 / 性別が読めません")]
    Sex,
}

impl ResidentFault {
    /// The field, as the header of a file calls it.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Number => "resident_number",
            Self::Name => "name",
            Self::Kana => "kana",
            Self::BirthDate => "birth_date",
            Self::Sex => "sex",
        }
    }
}

/// A resident.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resident {
    /// The city's own number.
    pub number: ResidentNumber,
    /// Name as registered.
    pub name: String,
    /// Name in kana as registered.
    pub kana: String,
    /// Birth date.
    #[serde(with = "day")]
    pub birth_date: Day,
    /// Administrative sex.
    pub sex: Sex,
}

impl fmt::Debug for Resident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resident(***)")
    }
}

impl Resident {
    /// Reads the fields as a clerk or a file gives them.
    ///
    /// # Errors
    /// The first field that is not acceptable.
    pub fn read(
        number: &str,
        name: &str,
        kana: &str,
        birth_date: &str,
        sex: &str,
    ) -> Result<Self, ResidentFault> {
        let (name, kana) = (tidy(name), tidy(kana));
        let fits = |text: &str| {
            text.chars().count() <= NAME_MAX_CHARS
                && text.len() <= limits::NAME_BYTES_MAX
                && !text.chars().any(char::is_control)
                && !normalise_name(text).is_empty()
        };
        let number = ResidentNumber::new(number)?;
        if !fits(&name) {
            return Err(ResidentFault::Name);
        }
        if !fits(&kana) {
            return Err(ResidentFault::Kana);
        }
        let birth_date =
            CalendarDate::parse_japanese(birth_date.trim()).map_err(|_| ResidentFault::BirthDate)?;
        let birth_date = Day::new(&birth_date.to_string()).ok_or(ResidentFault::BirthDate)?;
        Ok(Self { number, name, kana, birth_date, sex: read_sex(sex)? })
    }

    /// What a token's digests are made of: the form in which institutions compare.
    pub fn facts(&self) -> IdentityFacts {
        IdentityFacts {
            birth_date: self.birth_date.as_str().to_owned(),
            sex: self.sex.code().to_owned(),
            kana: normalise_name(&self.kana),
        }
    }
}

/// 住民票 codes, words and FHIR codes.
fn read_sex(text: &str) -> Result<Sex, ResidentFault> {
    match text.trim() {
        "1" | "１" | "男" | "男性" | "M" | "m" => Ok(Sex::Male),
        "2" | "２" | "女" | "女性" | "F" | "f" => Ok(Sex::Female),
        "" | "不明" | "9" => Ok(Sex::Unknown),
        code => Sex::from_fhir(&code.to_ascii_lowercase()).ok_or(ResidentFault::Sex),
    }
}

fn tidy(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A protocol day as text in a row.
pub(crate) mod day {
    use hibiki_protocol::time::Day;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(day: &Day, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(day.as_str())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
        let text = String::deserialize(deserializer)?;
        Day::new(&text).ok_or_else(|| D::Error::custom("not a day of the calendar (write yyyy-mm-dd)"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn fields_are_read_as_clerks_write_them() {
        let resident = Resident::read(" 100-1 ", "前橋　花子", "ﾏｴﾊﾞｼ ﾊﾅｺ", "平成30年4月2日", "女").unwrap();
        assert_eq!(resident.number.as_str(), "100-1");
        assert_eq!(resident.name, "前橋 花子");
        assert_eq!(resident.birth_date.as_str(), "2018-04-02");
        assert_eq!(resident.facts().kana, normalise_name("まえばしはなこ"));
        assert_eq!(resident.facts().sex, "female");
        assert_eq!(format!("{resident:?} {:?}", resident.number), "Resident(***) ResidentNumber(***)");
    }

    #[test]
    fn each_bad_field_is_named() {
        let read =
            |number, name, kana, birth, sex| Resident::read(number, name, kana, birth, sex).unwrap_err();
        assert_eq!(read("", "前橋", "マエバシ", "2018-04-02", "1"), ResidentFault::Number);
        assert_eq!(read("１", "前橋", "マエバシ", "2018-04-02", "1"), ResidentFault::Number);
        assert_eq!(read("1", " ", "マエバシ", "2018-04-02", "1"), ResidentFault::Name);
        assert_eq!(read("1", "前橋", "・", "2018-04-02", "1"), ResidentFault::Kana);
        assert_eq!(read("1", "前橋", "マエバシ", "2018-02-30", "1"), ResidentFault::BirthDate);
        assert_eq!(read("1", "前橋", "マエバシ", "2018-04-02", "x"), ResidentFault::Sex);
        assert_eq!(read("1", "前橋", "マエバシ", "2018-04-02", "x").field(), "sex");
    }

    #[test]
    fn a_row_keeps_everything() {
        let resident = Resident::read("1", "前橋 花子", "マエバシ ハナコ", "H30.4.2", "2").unwrap();
        let json = serde_json::to_string(&resident).unwrap();
        assert_eq!(serde_json::from_str::<Resident>(&json).unwrap(), resident);
    }
}
