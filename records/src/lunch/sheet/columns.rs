//! Which column is which, by the names in the row above the table.

use unicode_normalization::UnicodeNormalization;

use super::rows::Row;

/// Longest name of a column that is compared, in characters.
const NAME_MAX_CHARS: usize = 24;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Date,
    Kitchen,
    /// All dishes of the day.
    Dishes,
    /// The dish this row is about.
    Dish,
    Ingredients,
    Number,
    Quantity,
    Unit,
    Grams,
    Label,
    Milk,
    Note,
    /// What is not read and loses nothing: what the day of the week is, how nourishing it is.
    Aside,
}

const NAMES: &[(Column, &[&str])] = &[
    (Column::Date, &["date", "日付", "月日", "年月日", "実施日", "給食日", "提供日"]),
    (Column::Kitchen, &["kitchen", "area", "地区", "調理場", "給食センター", "ブロック", "kitchenarea"]),
    (Column::Dishes, &["dishes", "menu", "献立", "献立名", "こんだて", "メニュー"]),
    (Column::Dish, &["dish", "料理", "料理名"]),
    (
        Column::Ingredients,
        &[
            "ingredients",
            "ingredient",
            "食材",
            "食材名",
            "材料",
            "材料名",
            "使用食材",
            "食品",
            "食品名",
            "原材料",
            // The three groups of 学校給食実施基準, as most printed sheets have them, and what stands beside them.
            "赤",
            "あか",
            "赤の食品",
            "赤の仲間",
            "黄",
            "き",
            "きいろ",
            "黄色",
            "黄の食品",
            "黄の仲間",
            "緑",
            "みどり",
            "緑の食品",
            "緑の仲間",
            "体をつくる",
            "体をつくるもの",
            "体を作るもの",
            "エネルギーになる",
            "エネルギーになるもの",
            "熱や力になるもの",
            "体の調子を整える",
            "体の調子を整えるもの",
            "調味料",
            "その他",
        ],
    ),
    (Column::Number, &["seq", "no", "番号", "順", "順番"]),
    (Column::Quantity, &["qty", "quantity", "amount", "量", "分量", "数量", "使用量"]),
    (Column::Unit, &["unit", "単位"]),
    (Column::Grams, &["grams", "g", "グラム", "純使用量"]),
    (Column::Label, &["label", "allergens", "アレルゲン", "アレルギー", "アレルゲン表示", "アレルギー表示"]),
    (Column::Milk, &["milk", "牛乳", "飲用牛乳"]),
    (Column::Note, &["note", "備考", "メモ"]),
    (
        Column::Aside,
        &[
            "曜日",
            "曜",
            "エネルギー",
            "熱量",
            "kcal",
            "たんぱく質",
            "蛋白質",
            "脂質",
            "炭水化物",
            "食塩",
            "塩分",
            "食塩相当量",
            "カルシウム",
            "鉄",
        ],
    ),
];

/// The row that names the columns.
pub(super) struct Columns {
    names: Vec<String>,
    found: Vec<Option<Column>>,
}

impl Columns {
    /// Those named by a row; `None` unless it names the day and the dishes.
    pub(super) fn of(row: &Row) -> Option<Self> {
        let mut found: Vec<Option<Column>> = Vec::new();
        for cell in &row.cells {
            // Of two columns of one name the first counts; ingredients may stand in several.
            let several = |column: &Column| matches!(column, Column::Ingredients | Column::Aside);
            found.push(column(cell).filter(|it| several(it) || !found.contains(&Some(*it))));
        }
        let columns = Self { names: row.cells.clone(), found };
        let dishes = columns.has(Column::Dishes) || columns.has(Column::Dish);
        (columns.has(Column::Date) && dishes).then_some(columns)
    }

    pub(super) fn has(&self, column: Column) -> bool {
        self.found.contains(&Some(column))
    }

    /// Whether a day has a row for each of its dishes or ingredients.
    pub(super) fn is_long(&self) -> bool {
        use Column::{Dish, Grams, Label, Number, Quantity, Unit};
        [Dish, Number, Quantity, Unit, Grams, Label].into_iter().any(|column| self.has(column))
    }

    /// The cell of a column; empty where there is none.
    pub(super) fn cell<'a>(&self, row: &'a Row, column: Column) -> &'a str {
        let place = self.found.iter().position(|it| *it == Some(column));
        place.and_then(|place| row.cells.get(place)).map(|cell| cell.trim()).unwrap_or_default()
    }

    /// The cells of all columns of ingredients.
    pub(super) fn ingredients(&self, row: &Row) -> String {
        let cells = self.found.iter().zip(&row.cells).filter(|(it, _)| **it == Some(Column::Ingredients));
        cells.map(|(_, cell)| cell.trim()).filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join("、")
    }

    /// Whether the row says something where no column has a name.
    pub(super) fn overflows(&self, row: &Row) -> bool {
        let named = |place: usize| self.names.get(place).is_some_and(|name| !name.trim().is_empty());
        row.cells.iter().enumerate().any(|(place, cell)| !named(place) && !cell.trim().is_empty())
    }

    /// The names of columns that are not read.
    pub(super) fn unread(&self) -> impl Iterator<Item = &str> {
        let unread = self.names.iter().zip(&self.found).filter(|(_, column)| column.is_none());
        unread.map(|(name, _)| name.trim()).filter(|name| !name.is_empty())
    }

    /// Whether the row is the names once more, as where months were put behind each other.
    pub(super) fn repeats(&self, row: &Row) -> bool {
        row.cells == self.names
    }
}

fn column(cell: &str) -> Option<Column> {
    let name: String = cell
        .nfkc()
        .flat_map(char::to_lowercase)
        .filter(|c| !c.is_whitespace())
        .take(NAME_MAX_CHARS)
        .collect();
    let name = name.split('(').next()?;
    let (column, _) = NAMES.iter().find(|(_, names)| names.contains(&name))?;
    Some(*column)
}
