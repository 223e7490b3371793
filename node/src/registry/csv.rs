//! Residents from a CSV file (RFC 4180), UTF-8 or CP932, as municipal systems export them.
//!
//! The first line names the columns, in any order; columns that are not listed here are passed over:
//!
//! | column | also | content |
//! |---|---|---|
//! | `resident_number` | `住民番号`, `宛名番号` | the city's own number |
//! | `name` | `氏名` | name as registered |
//! | `kana` | `氏名カナ`, `カナ氏名`, `フリガナ` | name in kana |
//! | `birth_date` | `生年月日` | `2018-04-02`, `20180402`, `平成30年4月2日`, `H30.4.2` |
//! | `sex` | `性別` | `男`/`女`, `1`/`2`, `male`/`female`/`other`/`unknown` |
//!
//! One bad line never blocks the others; it is reported with its number and column, without its content.

use super::resident::{Resident, ResidentFault};
use crate::csv_table::{TableFault, decode, split};

/// Bytes of a file, at most: a million residents.
pub const FILE_BYTES_MAX: usize = 128 * 1024 * 1024;

/// What is needed, under each of its names.
const COLUMNS: [&[&str]; 5] = [
    &["resident_number", "住民番号", "宛名番号"],
    &["name", "氏名"],
    &["kana", "氏名カナ", "カナ氏名", "フリガナ"],
    &["birth_date", "生年月日"],
    &["sex", "性別"],
];

/// Why a file gives nobody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsvFault {
    /// It is no table.
    #[error(transparent)]
    Table(#[from] TableFault),
    /// A column is missing.
    #[error(
        "line 1: there is no column {0:?}; the first line must name resident_number, name, kana, birth_date and sex / 見出し行に列がありません"
    )]
    Column(&'static str),
}

/// A line that gives nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Its number, the header's being 1.
    pub line: usize,
    /// The column and what is wrong there.
    pub fault: ResidentFault,
}

/// What a file contains.
#[derive(Debug, Default)]
pub struct Residents {
    /// Those that can be entered.
    pub residents: Vec<Resident>,
    /// Lines that cannot.
    pub rejected: Vec<Rejected>,
}

/// Reads a file.
///
/// # Errors
/// The file as a whole cannot be read; lines that cannot are in [`Residents::rejected`].
pub fn read(bytes: &[u8]) -> Result<Residents, CsvFault> {
    let text = decode(bytes)?;
    let mut lines = split(&text)?.into_iter();
    let header = lines.next().map(|(_, fields)| fields).unwrap_or_default();
    let mut places = [0; COLUMNS.len()];
    for (place, names) in places.iter_mut().zip(COLUMNS) {
        let found = header.iter().position(|name| names.contains(&name.trim()));
        *place = found.ok_or_else(|| CsvFault::Column(names.first().copied().unwrap_or_default()))?;
    }
    let mut found = Residents::default();
    for (line, fields) in lines {
        let field = |column: usize| {
            places.get(column).and_then(|place| fields.get(*place)).map_or("", String::as_str)
        };
        match Resident::read(field(0), field(1), field(2), field(3), field(4)) {
            Ok(resident) => found.residents.push(resident),
            Err(fault) => found.rejected.push(Rejected { line, fault }),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use encoding_rs::SHIFT_JIS;
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = "氏名,氏名カナ,宛名番号,性別,生年月日,備考\r\n\
        前橋 花子,マエバシ ハナコ,1001,女,平成30年4月2日,\"a, \"\"b\"\"\n c\"\r\n\
        \r\n\
        前橋 太郎,マエバシ タロウ,,男,H1.1.8,\r\n\
        前橋 次郎,マエバシ ジロウ,1003,男,2019-02-30,\r\n\
        前橋 三郎,マエバシ サブロウ,1004,1,20200229,";

    #[test]
    fn a_municipal_export_is_read_in_both_encodings() {
        let (cp932, _, malformed) = SHIFT_JIS.encode(FILE);
        assert!(!malformed);
        for bytes in
            [FILE.as_bytes().to_vec(), [b"\xef\xbb\xbf", FILE.as_bytes()].concat(), cp932.into_owned()]
        {
            let found = read(&bytes).unwrap();
            let numbers: Vec<_> = found.residents.iter().map(|resident| resident.number.as_str()).collect();
            assert_eq!(numbers, ["1001", "1004"]);
            assert_eq!(found.residents[0].birth_date.as_str(), "2018-04-02");
            assert_eq!(
                found.rejected,
                [
                    Rejected { line: 5, fault: ResidentFault::Number },
                    Rejected { line: 6, fault: ResidentFault::BirthDate },
                ]
            );
        }
    }

    #[test]
    fn files_that_are_no_such_files_are_refused() {
        assert_eq!(read(b"").unwrap_err(), CsvFault::Column("resident_number"));
        assert_eq!(read(b"resident_number,name,kana,sex\n").unwrap_err(), CsvFault::Column("birth_date"));
        assert_eq!(read(b"\x81").unwrap_err(), CsvFault::Table(TableFault::Encoding));
        assert_eq!(read(b"a\n\"b\n").unwrap_err(), CsvFault::Table(TableFault::Quote(2)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }
}
