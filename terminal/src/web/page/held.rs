//! Records and the institutions that hold them, as far as they have landed.

use hibiki_protocol::answer::Record;
use hibiki_records::category::Category;

use crate::desk::{LiveView, Seat};
use crate::view::ViewPart;
use crate::web::Lang;

/// A record and the institution that holds it.
#[derive(Clone, Copy)]
pub(super) struct Held<'a> {
    pub(super) part: &'a ViewPart,
    pub(super) record: &'a Record,
}

impl<'a> Held<'a> {
    /// The institution's name.
    pub(super) fn holder(self, lang: Lang) -> &'a str {
        lang.t(&self.part.name.0, &self.part.name.1)
    }
}

/// The records of a category, by institution in the order of the trust list.
pub(super) fn held<'a>(
    seat: &'a Seat,
    view: &'a LiveView,
    category: Category,
) -> impl Iterator<Item = Held<'a>> {
    let parts = seat.institutions.iter().filter_map(|it| view.parts.get(&it.id));
    parts.flat_map(move |part| {
        let of_category =
            move |record: &&Record| Category::from_wire(record.category.as_str()) == Some(category);
        part.records.iter().filter(of_category).map(move |record| Held { part, record })
    })
}
