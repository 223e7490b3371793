//! A school's office for tests: a class list that was brought, in a house whose stores the test holds.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use super::roster::{Roster, read};
use crate::institution::town::{House, Town};
use crate::recordbook::RecordBook;
use crate::store::{Committer, Store};

/// Two pupils: 3-1 eats from the school's own kitchen 第1地区, 3-2 from 第2地区.
pub(crate) const TWO_CLASSES: &str = "学籍番号,氏名,フリガナ,生年月日,性別,学級,給食地区\n\
    1,前橋 一子,マエバシ イチコ,2018-05-06,女,3-1,\n\
    2,前橋 二郎,マエバシ ジロウ,2018-06-07,男,3-2,第２地区\n";

/// The record book of a house over another store than its own.
pub(crate) async fn book_over(store: Arc<dyn Store>, house: &House) -> Arc<RecordBook> {
    let committer = Committer::inline(Arc::clone(&store));
    Arc::new(RecordBook::open(store, committer, Arc::clone(&house.ring)).await.unwrap())
}

/// The roster of the town's school, with nobody in it.
pub(crate) async fn empty(town: &Town, kitchen: &str) -> Arc<Roster> {
    let house = town.house("school");
    let book = book_over(Arc::new(house.store.clone()), house).await;
    Arc::new(Roster::new(town.means("school"), book, kitchen.to_owned()))
}

/// The roster of the town's school with the pupils of [`TWO_CLASSES`].
pub(crate) async fn of_two_classes(town: &Town) -> Arc<Roster> {
    let roster = empty(town, "第1地区").await;
    roster.import(&read(TWO_CLASSES.as_bytes()).unwrap(), "sato", |_| {}).await.unwrap();
    roster
}
