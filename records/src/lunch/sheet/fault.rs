//! What is wrong with a file or a line of it, in words for the person who made it.
//!
//! Says where and what to write instead; quotes nothing but a word that is no allergen and the name of a column.

use std::fmt;

use super::{DISHES_MAX, FILE_MAX_BYTES, INGREDIENTS_MAX, ROWS_MAX};
use crate::calendar::CalendarError;
use crate::date::CalendarDate;
use crate::words::{LINE_MAX_CHARS, Summary};

/// Why no menu at all was taken from a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SheetFault {
    /// Nothing in it.
    Empty,
    /// Beyond [`FILE_MAX_BYTES`].
    TooLong,
    /// Beyond [`ROWS_MAX`].
    TooManyRows,
    /// Neither UTF-8 nor CP932: a spreadsheet or PDF as such, perhaps.
    NotText,
    /// A table in which no row names the columns.
    NoColumns,
    /// Neither the file nor the defaults name a kitchen.
    NoKitchen,
    /// A calendar that cannot be read to its end.
    Calendar(CalendarError),
}

/// Something in a file that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineFault {
    /// The line it is about, counted from 1.
    pub line: usize,
    /// What it is.
    pub what: LineProblem,
}

/// What is wrong with a line. Unless said otherwise the day it belongs to was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineProblem {
    /// The date cannot be read, or there is no such day.
    Date,
    /// A date without a year, and nobody said of which school year.
    YearUnknown,
    /// The day of the week beside the date is not that of the date.
    Weekday,
    /// A day before 2000 or after 2099.
    DayOutOfRange,
    /// It names no kitchen.
    NoKitchen,
    /// It names no dish.
    NoDishes,
    /// Other dishes than in this line of the same day and kitchen.
    OtherDishes(usize),
    /// An amount or a label without an ingredient.
    NoIngredient,
    /// An amount or a label with several ingredients.
    SeveralIngredients,
    /// The cell for milk says neither yes nor no.
    Milk,
    /// No allergen of the standard list; the word, shortened.
    UnknownAllergen(String),
    /// More cells than columns.
    MoreCells,
    /// A quotation mark that does not close.
    OpenQuote,
    /// Not a JSON object of the form that is read.
    NotJson,
    /// A text that is too long to be a name.
    TextTooLong,
    /// More dishes or ingredients than a menu can have.
    TooMany,
    /// The same day and kitchen as in this line, with the same menu, which was taken.
    Twice(usize),
    /// The same day and kitchen as in this line, with another menu; neither was taken.
    Contradiction(usize),
    /// This day was not taken because of this line.
    Incomplete(CalendarDate, usize),
    /// An event that is not for a whole day, or for several.
    NotOneWholeDay,
    /// An event that repeats.
    Repeats,
    /// An event that was cancelled.
    Cancelled,
    /// A column that is not read; its name, shortened. The days were taken without it.
    UnreadColumn(String),
}

impl SheetFault {
    /// What to tell, and what to do.
    pub fn words(&self) -> Summary {
        let mib = FILE_MAX_BYTES >> 20;
        match self {
            Self::Empty => Summary::new("ファイルが空です。", "The file is empty."),
            Self::TooLong => Summary::new(
                format!("ファイルが大きすぎます（{mib} MiBまで）。月ごとに分けてください。"),
                format!("The file is larger than {mib} MiB; split it by month."),
            ),
            Self::TooManyRows => Summary::new(
                format!("行が多すぎます（{ROWS_MAX}行まで）。月ごとに分けてください。"),
                format!("More than {ROWS_MAX} rows; split the file by month."),
            ),
            Self::NotText => Summary::new(
                "文字として読めません。表計算ソフトで「CSV UTF-8」か「CSV」として保存したファイルを選んでください。",
                "Not text in UTF-8 or Shift_JIS; save the sheet as CSV and take that file.",
            ),
            Self::NoColumns => Summary::new(
                "列の見出しがありません。1行目に少なくとも「日付」「献立」を、あれば「地区」「食材」「牛乳」「備考」も書いてください。\
                 PDFから取り出しただけの表は、どのます目が何かわからないため取り込めません。",
                "No row names the columns. Name at least 日付 (date) and 献立 (dishes), and 地区 (kitchen), 食材 \
                 (ingredients), 牛乳 (milk), 備考 (note) where you have them. A table merely cut out of a PDF cannot \
                 be taken: nothing tells what its cells mean.",
            ),
            Self::NoKitchen => Summary::new(
                "どの地区（調理場）の献立かわかりません。「地区」の列を加えるか、取り込むときに指定してください。",
                "No kitchen is named; add a column 地区 (kitchen), or name it when importing.",
            ),
            Self::Calendar(error) => {
                Summary::new(format!("カレンダーとして読めません（{error}）。"), format!("{error}."))
            }
        }
    }
}

impl LineProblem {
    /// What to tell, and what to do.
    pub fn words(&self) -> Summary {
        match self {
            Self::Date => Summary::new(
                "日付が読めません。2026-04-13、2026/4/13、令和8年4月13日のように書いてください。",
                "The date cannot be read; write it as 2026-04-13, 2026/4/13 or 令和8年4月13日.",
            ),
            Self::YearUnknown => Summary::new(
                "日付に年がありません。年を書くか、取り込むときに年度を指定してください。",
                "The date has no year; write it, or name the school year when importing.",
            ),
            Self::Weekday => {
                Summary::new("日付と曜日が合いません。", "The day of the week is not that of the date.")
            }
            Self::DayOutOfRange => Summary::new(
                "2000年から2099年までの日付ではありません。",
                "The date is not within 2000 to 2099.",
            ),
            Self::NoKitchen => Summary::new("地区（調理場）がありません。", "No kitchen is named."),
            Self::NoDishes => Summary::new("献立がありません。", "No dish is named."),
            Self::OtherDishes(line) => Summary::new(
                format!("{line}行目の同じ日の献立と違います。"),
                format!("Other dishes than in line {line} for the same day."),
            ),
            Self::NoIngredient => Summary::new(
                "分量か表示がありますが、食材がありません。",
                "An amount or a label without an ingredient.",
            ),
            Self::SeveralIngredients => Summary::new(
                "分量か表示を書くときは、1行に食材を1つだけ書いてください。",
                "With an amount or a label, write one ingredient per row.",
            ),
            Self::Milk => Summary::new(
                "牛乳の欄は○か×で書いてください。",
                "Write ○ (served) or × (not served) for milk.",
            ),
            Self::UnknownAllergen(word) => Summary::new(
                format!("「{word}」は、表示の対象となるアレルゲンの名前ではありません。"),
                format!("\"{word}\" is no allergen of the standard list."),
            ),
            Self::MoreCells => Summary::new(
                "見出しより欄が多くあります。欄の中のコンマは「、」にするか、欄を\"…\"で囲んでください。",
                "More cells than columns; put cells with commas into quotation marks.",
            ),
            Self::OpenQuote => {
                Summary::new("引用符（\"）が閉じていません。", "A quotation mark does not close.")
            }
            Self::NotJson => Summary::new(
                "JSONとして読めないか、date・dishesがありません。",
                "Not a JSON object with date and dishes.",
            ),
            Self::TextTooLong => Summary::new(
                format!("長すぎる名前があります（{LINE_MAX_CHARS}文字まで）。「、」で区切ってください。"),
                format!("A name is longer than {LINE_MAX_CHARS} characters; separate names by 、."),
            ),
            Self::TooMany => Summary::new(
                format!("1日の献立は{DISHES_MAX}品、食材は{INGREDIENTS_MAX}種類までです。"),
                format!("A menu has at most {DISHES_MAX} dishes and {INGREDIENTS_MAX} ingredients."),
            ),
            Self::Twice(line) => Summary::new(
                format!("{line}行目と同じ日・同じ献立です（1回だけ取り込みました）。"),
                format!("The same day and menu as in line {line}; taken once."),
            ),
            Self::Contradiction(line) => Summary::new(
                format!("{line}行目と同じ日で、献立が違います。どちらも取り込んでいません。"),
                format!("The same day as in line {line} with another menu; neither was taken."),
            ),
            Self::Incomplete(day, line) => Summary::new(
                format!(
                    "{}月{}日の献立は、{line}行目が読めず食材が欠けるおそれがあるため、取り込んでいません。",
                    day.month(),
                    day.day()
                ),
                format!(
                    "The menu of {day} was not taken: because of line {line} ingredients may be missing."
                ),
            ),
            Self::NotOneWholeDay => {
                Summary::new("1日の終日の予定ではありません。", "Not an event for one whole day.")
            }
            Self::Cancelled => Summary::new("中止になった予定です。", "The event was cancelled."),
            Self::UnreadColumn(name) => Summary::new(
                format!(
                    "「{name}」の列は読み取っていません。食材が書かれているなら、見出しを「食材」にしてください。"
                ),
                format!("The column \"{name}\" was not read; if it holds ingredients, name it 食材."),
            ),
            Self::Repeats => {
                Summary::new("くりかえしの予定は取り込めません。", "Events that repeat are not taken.")
            }
        }
    }
}

impl fmt::Display for SheetFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { ja, en } = self.words();
        write!(f, "{ja} / {en}")
    }
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { ja, en } = self.words();
        write!(f, "{ja} / {en}")
    }
}

impl std::error::Error for SheetFault {}
