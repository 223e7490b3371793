//! A class list as school systems export it: CSV, UTF-8 or CP932.
//!
//! | column | also | content |
//! |---|---|---|
//! | `pupil_number` | `学籍番号`, `児童番号`, `番号` | the school's own number |
//! | `name` | `氏名`, `児童氏名` | name |
//! | `kana` | `フリガナ`, `ふりがな`, `氏名カナ`, `カナ氏名` | name in kana |
//! | `birth_date` | `生年月日` | `2018-04-02`, `20180402`, `平成30年4月2日`, `H30.4.2` |
//! | `sex` | `性別` | `男`/`女`, `1`/`2`, `male`/`female`/`other`/`unknown` |
//! | `class` | `学級`, `クラス` | such as `3-2`; or two columns `学年` and `組` |
//! | `kitchen` | `給食地区`, `地区` | which kitchen cooks for the class (may be left out) |
//!
//! One bad line never blocks the others; it is reported with its number and column, without its content.

use hibiki_records::date::CalendarDate;
use hibiki_records::person::{PatientFacts, normalise_name};

use crate::csv_table::{TableFault, decode, split};
use crate::registry::resident::{Resident, ResidentFault};

/// Bytes of a file, at most.
pub(super) const FILE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Longest name of a class or a kitchen, in characters.
const NAME_CHARS_MAX: usize = 60;

/// A line that names a pupil.
#[derive(Clone, PartialEq, Eq)]
pub struct PupilLine {
    /// Who.
    pub facts: PatientFacts,
    /// Her class.
    pub class: String,
    /// The kitchen, where the line names one.
    pub kitchen: Option<String>,
}

impl std::fmt::Debug for PupilLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PupilLine(***)")
    }
}

/// Why a file is no class list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListFault {
    /// It is no table.
    #[error(transparent)]
    Table(#[from] TableFault),
    /// A column is missing.
    #[error(
        "line 1: there is no column {0:?}; name pupil_number (学籍番号), name (氏名), kana (フリガナ), birth_date (生年月日), sex (性別), and class (学級) or 学年 and 組 / 見出し行に列がありません"
    )]
    Column(&'static str),
}

/// A line that names nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedLine {
    /// Its number, the header's being 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// Where the columns are.
struct Places {
    fixed: [usize; 5],
    class: Class,
    kitchen: Option<usize>,
}

enum Class {
    Whole(usize),
    YearAndName(usize, usize),
}

const FIXED: [&[&str]; 5] = [
    &["pupil_number", "学籍番号", "児童番号", "番号"],
    &["name", "氏名", "児童氏名"],
    &["kana", "フリガナ", "ふりがな", "氏名カナ", "カナ氏名"],
    &["birth_date", "生年月日"],
    &["sex", "性別"],
];

/// Reads a file: pupils, and lines that are none.
///
/// # Errors
/// The file as a whole cannot be read.
pub fn read(bytes: &[u8]) -> Result<(Vec<PupilLine>, Vec<RejectedLine>), ListFault> {
    let text = decode(bytes)?;
    let mut lines = split(&text)?.into_iter();
    let header = lines.next().map(|(_, fields)| fields).unwrap_or_default();
    let places = places(&header)?;
    let (mut pupils, mut rejected) = (Vec::new(), Vec::new());
    let mut seen = std::collections::BTreeSet::new();
    for (line, fields) in lines {
        match pupil(&places, &fields) {
            Ok(pupil) if !seen.insert(pupil.facts.local_number.clone()) => {
                let what = "pupil_number: this number stands in an earlier line, too / 番号が重複しています";
                rejected.push(RejectedLine { line, what: what.to_owned() });
            }
            Ok(pupil) => pupils.push(pupil),
            Err(what) => rejected.push(RejectedLine { line, what }),
        }
    }
    Ok((pupils, rejected))
}

fn places(header: &[String]) -> Result<Places, ListFault> {
    let find = |names: &[&str]| header.iter().position(|name| names.contains(&name.trim()));
    let mut fixed = [0; FIXED.len()];
    for (place, names) in fixed.iter_mut().zip(FIXED) {
        *place = find(names).ok_or_else(|| ListFault::Column(names.first().copied().unwrap_or_default()))?;
    }
    let class =
        match (find(&["class", "学級", "クラス"]), find(&["学年", "grade"]), find(&["組", "class_name"]))
        {
            (Some(whole), ..) => Class::Whole(whole),
            (None, Some(year), Some(name)) => Class::YearAndName(year, name),
            _ => return Err(ListFault::Column("class")),
        };
    Ok(Places { fixed, class, kitchen: find(&["kitchen", "給食地区", "地区"]) })
}

fn pupil(places: &Places, fields: &[String]) -> Result<PupilLine, String> {
    let at = |place: usize| fields.get(place).map_or("", |field| field.trim());
    let [number, name, kana, birth, sex] = places.fixed.map(at);
    let fault = |fault: ResidentFault| match fault {
        ResidentFault::Number => {
            "pupil_number: write 1 to 32 ASCII letters, digits or '-' / 番号は半角英数字32字以内".to_owned()
        }
        other => format!("{}: {other}", other.field()),
    };
    // What a registry asks of a resident, a school asks of a pupil: the two are compared later.
    let read = Resident::read(number, name, kana, birth, sex).map_err(fault)?;
    let birth_date: CalendarDate =
        read.birth_date.as_str().parse().map_err(|_| fault(ResidentFault::BirthDate))?;
    let class = match places.class {
        Class::Whole(place) => at(place).to_owned(),
        Class::YearAndName(year, name) => {
            let (year, name) = (at(year).trim_end_matches("年"), at(name).trim_end_matches("組"));
            if year.is_empty() || name.is_empty() { String::new() } else { format!("{year}-{name}") }
        }
    };
    let class = named(&class).ok_or("class: missing, or too long / 学級がないか長すぎます")?;
    let kitchen = places.kitchen.map(at).filter(|kitchen| !kitchen.is_empty());
    let kitchen = kitchen
        .map(|kitchen| named(kitchen).ok_or("kitchen: too long / 給食地区が長すぎます"))
        .transpose()?;
    let facts = PatientFacts {
        local_number: read.number.as_str().to_owned(),
        matching_name: normalise_name(&read.kana),
        name: read.name,
        kana: Some(read.kana),
        birth_date,
        sex: read.sex,
    };
    Ok(PupilLine { facts, class, kitchen })
}

/// The name of a class or kitchen as it is kept.
pub(crate) fn named(text: &str) -> Option<String> {
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let fits = (1..=NAME_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    fits.then_some(text)
}
