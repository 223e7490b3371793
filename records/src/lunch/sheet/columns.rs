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
        ],
    ),
    (Column::Number, &["seq", "no", "番号", "順", "順番"]),
    (Column::Quantity, &["qty", "quantity", "amount", "量", "分量", "数量", "使用量"]),
    (Column::Unit, &["unit", "単位"]),
    (Column::Grams, &["grams", "g", "グラム", "純使用量"]),
    (Column::Label, &["label", "allergens", "アレルゲン", "アレルギー", "アレルゲン表示", "アレルギー表示"]),
    (Column::Milk, &["milk", "牛乳", "飲用牛乳"]),
    (Column::Note, &["note", "備考", "メモ"]),
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
            // Of two columns of one name the first counts.
            found.push(column(cell).filter(|column| !found.contains(&Some(*column))));
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

    /// Whether the row says something beyond the last column.
    pub(super) fn overflows(&self, row: &Row) -> bool {
        row.cells.iter().skip(self.names.len()).any(|cell| !cell.trim().is_empty())
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
