//! The rows of a CSV text (RFC 4180), each by itself, so that a quotation mark that does not close costs one line and
//! not the rest of the file.

use super::cell;
use super::{LineProblem, ROWS_MAX, SheetFault};

/// Most lines of one row: cells with line breaks in them.
const LINES_MAX: usize = 60;

/// One row.
pub(super) struct Row {
    /// The line it begins on, counted from 1.
    pub(super) line: usize,
    pub(super) cells: Vec<String>,
}

/// A row, or the line of one that could not be read.
pub(super) type Read = Result<Row, (usize, LineProblem)>;

/// The rows of a text that are not blank.
pub(super) fn rows(text: &str) -> Result<Vec<Read>, SheetFault> {
    let lines: Vec<&str> = text.lines().collect();
    let mut rows = Vec::new();
    let mut at = 0;
    while let Some(first) = lines.get(at) {
        if rows.len() > ROWS_MAX {
            return Err(SheetFault::TooManyRows);
        }
        let line = at + 1;
        let Some(count) = count(lines.get(at..).unwrap_or_default()) else {
            rows.push(Err((line, LineProblem::OpenQuote)));
            at += 1;
            continue;
        };
        let row = match lines.get(at..at + count) {
            Some(several) if count > 1 => cells(&several.join("\n")),
            _ => cells(first),
        };
        at += count;
        if row.iter().any(|cell| !cell.trim().is_empty()) {
            rows.push(Ok(Row { line, cells: row }));
        }
    }
    Ok(rows)
}

/// Of how many lines the row consists that begins with the first of these; `None` when a quotation mark does not
/// close, or closes only after a line that begins a day.
fn count(lines: &[&str]) -> Option<usize> {
    let mut state = State::Start;
    for (place, line) in lines.iter().enumerate().take(LINES_MAX) {
        if place > 0 && begins_a_day(line) {
            return None;
        }
        for c in line.chars() {
            state = state.after(c);
        }
        if state != State::Quoted {
            return Some(place + 1);
        }
    }
    None
}

/// Where in a cell a reader stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first character.
    Start,
    Plain,
    Quoted,
    /// After a quotation mark within a quoted cell: its end, or the first of two.
    Mark,
}

impl State {
    fn after(self, c: char) -> Self {
        match (self, c) {
            (Self::Start | Self::Mark, '"') => Self::Quoted,
            (Self::Quoted, '"') => Self::Mark,
            (Self::Quoted, _) => Self::Quoted,
            (_, ',') => Self::Start,
            _ => Self::Plain,
        }
    }
}

fn begins_a_day(line: &str) -> bool {
    let first = line.split(',').next().unwrap_or_default();
    line.contains(',') && cell::day(first.trim_matches('"'), Some(2000)).is_ok()
}

fn cells(row: &str) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(512)
        .from_reader(row.as_bytes());
    let mut cells = csv::StringRecord::new();
    match reader.read_record(&mut cells) {
        Ok(true) => cells.iter().map(str::to_owned).collect(),
        // A blank line; text that is UTF-8 has no other way to fail.
        Ok(false) | Err(_) => Vec::new(),
    }
}
