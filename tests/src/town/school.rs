//! What a school's staff do: the class list, days with lunch, menus.

use hibiki_records::date::CalendarDate;
use serde_json::Value;

use super::staff::{command, command_with};
use super::{Town, TownError};
use crate::house::House;
use crate::population::Population;

/// The kitchen of the school's configuration.
pub const KITCHEN: &str = "第1地区";

/// The section `[school]` of a node whose guardians are told of tomorrow's lunch at any hour.
pub const SECTION: &str = "[school]\nkitchen = \"第1地区\"\nalert-time = \"00:00\"\nwarn-time = \"00:00\"\nlunch-time = \"23:59\"\n\n";

/// Enters everybody the school knows as class 3-2.
///
/// # Errors
/// The node refuses.
pub fn enter_pupils(town: &Town, people: &Population) -> Result<Value, TownError> {
    let mut list = "学籍番号,氏名,フリガナ,生年月日,性別,学年,組\r\n".to_owned();
    let numbers = people.archives.get(&House::School).map(|archive| &archive.numbers);
    for (resident, number) in numbers.into_iter().flatten() {
        let Some(person) = people.resident(resident) else { continue };
        let sex = person.sex.code();
        list.push_str(&format!("{number},{},{},{},{sex},3,2\r\n", person.name, person.kana, person.birth));
    }
    command_with(town, House::School, &["school", "pupil", "import"], "meibo.csv", &list)
}

/// Makes a day one with lunch, or without, whatever the calendar says.
///
/// # Errors
/// The node refuses.
pub fn set_lunch(town: &Town, day: CalendarDate, lunch: bool) -> Result<Value, TownError> {
    let (day, kind) = (day.to_string(), if lunch { "lunch" } else { "no-lunch" });
    command(
        town,
        House::School,
        &["school", "day", "add", "--from", &day, "--kind", kind, "--reason", "特別日課"],
    )
}

/// Brings menus: day, dishes and ingredients, each list separated by 、.
///
/// # Errors
/// The node refuses.
pub fn bring_menus(town: &Town, menus: &[(CalendarDate, &str, &str)]) -> Result<Value, TownError> {
    let mut table = "日付,献立,食材,牛乳\n".to_owned();
    for (day, dishes, things) in menus {
        table.push_str(&format!("{day},{dishes},{things},×\n"));
    }
    command_with(town, House::School, &["school", "menu", "import"], "kondate.csv", &table)
}

/// Accepts menus, also with things nobody knows.
///
/// # Errors
/// The node refuses.
pub fn accept_menus(town: &Town, from: CalendarDate, to: CalendarDate) -> Result<Value, TownError> {
    let (from, to) = (from.to_string(), to.to_string());
    command(
        town,
        House::School,
        &["school", "menu", "accept", "--from", &from, "--to", &to, "--with-unknown"],
    )
}
