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
//! Where a file has several columns of one meaning, the one named earlier in this table counts: beside a 学籍番号 a 番号
//! is the number in class. Half-width kana in the header are read, too (`ﾌﾘｶﾞﾅ`).
//!
//! One bad line never blocks the others; it is reported with its number and column, without its content.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use hibiki_records::date::CalendarDate;
use hibiki_records::person::{PatientFacts, normalise_name};
use unicode_normalization::UnicodeNormalization as _;

use crate::csv_table::{TableFault, decode, split};
use crate::registry::resident::{Resident, ResidentFault, ResidentNumber};
use crate::school::naming::{class_named, named};

/// Bytes of a file, at most.
pub(super) const FILE_BYTES_MAX: usize = 32 * 1024 * 1024;

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

/// A line that gives nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct RejectedLine {
    /// Its number, the header's being 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
    /// Whom it is about, as far as can be read: she is in the list, whatever else is wrong with her line.
    pub(super) number: Option<String>,
}

impl std::fmt::Debug for RejectedLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RejectedLine")
            .field("line", &self.line)
            .field("what", &self.what)
            .finish_non_exhaustive()
    }
}

/// What a file contains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassList {
    /// Those who can be entered.
    pub pupils: Vec<PupilLine>,
    /// Lines that give nobody.
    pub rejected: Vec<RejectedLine>,
}

impl ClassList {
    /// Whether the list may be about this pupil, although it does not give her.
    pub(super) fn may_name(&self, number: &str) -> bool {
        self.rejected.iter().any(|line| line.number.as_deref().is_none_or(|named| named == number))
    }
}

impl From<Vec<PupilLine>> for ClassList {
    fn from(pupils: Vec<PupilLine>) -> Self {
        Self { pupils, rejected: Vec::new() }
    }
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

/// Reads a file: pupils, and lines that give none.
///
/// # Errors
/// The file as a whole cannot be read.
pub fn read(bytes: &[u8]) -> Result<ClassList, ListFault> {
    let text = decode(bytes)?;
    let mut lines = split(&text)?.into_iter();
    let header = lines.next().map(|(_, fields)| fields).unwrap_or_default();
    let places = places(&header)?;
    let mut list = ClassList::default();
    let (mut seen, mut kitchens) = (BTreeSet::new(), BTreeMap::new());
    for (line, fields) in lines {
        let read = pupil(&places, &fields).and_then(|pupil| fits(pupil, &mut seen, &mut kitchens));
        match read {
            Ok(pupil) => list.pupils.push(pupil),
            Err(what) => {
                let number = places.number(&fields);
                list.rejected.push(RejectedLine { line, what, number });
            }
        }
    }
    Ok(list)
}

/// Whether a line agrees with those before it.
fn fits(
    pupil: PupilLine,
    seen: &mut BTreeSet<String>,
    kitchens: &mut BTreeMap<String, String>,
) -> Result<PupilLine, String> {
    if !seen.insert(pupil.facts.local_number.clone()) {
        return Err(
            "pupil_number: this number stands in an earlier line, too / 番号が重複しています".to_owned()
        );
    }
    if let Some(kitchen) = &pupil.kitchen {
        match kitchens.entry(pupil.class.clone()) {
            Entry::Occupied(known) if known.get() != kitchen => {
                return Err(
                    "kitchen: an earlier line of this class names another / 同じ学級に別の給食地区があります"
                        .to_owned(),
                );
            }
            Entry::Occupied(_) => {}
            Entry::Vacant(place) => _ = place.insert(kitchen.clone()),
        }
    }
    Ok(pupil)
}

impl Places {
    /// The pupil's number, if that much can be read.
    fn number(&self, fields: &[String]) -> Option<String> {
        let [number, ..] = self.fixed;
        let number = ResidentNumber::new(fields.get(number)?).ok()?;
        Some(number.as_str().to_owned())
    }
}

fn places(header: &[String]) -> Result<Places, ListFault> {
    let header: Vec<String> =
        header.iter().map(|name| name.nfkc().filter(|letter| !letter.is_whitespace()).collect()).collect();
    let find = |names: &[&str]| names.iter().find_map(|name| header.iter().position(|column| column == name));
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
    let class = class_named(&class).ok_or("class: missing, or too long / 学級がないか長すぎます")?;
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
