//! A timetable from a table: the heading names the days (月 … 土), each line is a period.

use std::collections::BTreeMap;

use hibiki_records::date::Weekday;
use hibiki_records::school::Timetable;

use crate::csv_table::{TableFault, decode, split};

/// Why a file is no timetable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TimetableFault {
    /// It is no table.
    #[error(transparent)]
    Table(#[from] TableFault),
    /// The heading names no day.
    #[error("line 1: no day of the week; write 時限,月,火,水,木,金 / 見出し行に曜日がありません")]
    NoDays,
    /// Nothing is in it.
    #[error("there is no lesson in it / 授業がありません")]
    Empty,
}

/// Reads a file.
pub(super) fn read(class: &str, bytes: &[u8]) -> Result<Timetable, TimetableFault> {
    let text = decode(bytes)?;
    let mut lines = split(&text)?.into_iter().map(|(_, fields)| fields);
    let heading = lines.next().unwrap_or_default();
    let columns: Vec<(usize, Weekday)> = heading
        .iter()
        .enumerate()
        .filter_map(|(at, name)| Some((at, Weekday::parse(name.trim())?)))
        .collect();
    if columns.is_empty() {
        return Err(TimetableFault::NoDays);
    }
    let mut days: BTreeMap<Weekday, Vec<String>> = BTreeMap::new();
    for fields in lines {
        for (at, day) in &columns {
            days.entry(*day).or_default().push(fields.get(*at).map_or("", |it| it.trim()).to_owned());
        }
    }
    let timetable = Timetable { class: class.to_owned(), from: None, days };
    timetable.to_cbor().map(|_| timetable).map_err(|_| TimetableFault::Empty)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_table_of_a_week_is_read() {
        let table = "時限,月,火,水\r\n1,国語,算数,体育\r\n2,算数,,音楽\r\n";
        let read = read("3-2", table.as_bytes()).unwrap();
        assert_eq!(read.days[&Weekday::Tuesday], ["算数", ""]);
        assert_eq!(super::read("3-2", b"a,b\n1,2\n"), Err(TimetableFault::NoDays));
        assert_eq!(super::read("3-2", "時限,月\n1,\n".as_bytes()), Err(TimetableFault::Empty));
    }
}
