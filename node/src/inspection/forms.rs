//! Every form of row that a table of this node has, gathered from the tables.

use crate::vault::form::Form;
use crate::{consent, holds, linkage, mail, registry, remembered, school, session_ends, staff};

/// Every form but those of the record book and the trust lists, which have no vault.
pub(super) fn all() -> impl Iterator<Item = &'static Form> {
    let books = [
        session_ends::FORMS,
        linkage::FORMS,
        holds::FORMS,
        consent::FORMS,
        remembered::FORMS,
        mail::FORMS,
        staff::accounts::FORMS,
    ];
    books.into_iter().chain(registry::FORMS).chain(school::FORMS).flatten()
}
