//! Which role may give which command. One table; whatever is not in it nobody may do here.

use super::Role;
use crate::mail::commands as mail;
use crate::school::{alert, days, events, gates, hand_ins, menus, notices, registrations, roster};

use Role::{Nutritionist, Office, Teacher};

const TABLE: &[(&[Role], &[&str])] = &[
    (
        &[Teacher, Office],
        &[
            notices::commands::SEND,
            notices::commands::ATTACH,
            notices::commands::LIST,
            notices::commands::WITHDRAW,
            hand_ins::commands::ADD,
            hand_ins::commands::LIST,
            hand_ins::commands::SHOW,
            hand_ins::commands::MARK,
            events::commands::ADD,
            events::commands::IMPORT,
            events::commands::EXPORT,
            events::commands::LIST,
            events::commands::REMOVE,
            events::commands::TIMETABLE,
            gates::commands::TOUCH,
            gates::commands::IMPORT,
            roster::commands::PUPILS,
        ],
    ),
    (&[Teacher, Nutritionist, Office], &[roster::commands::CLASSES, days::commands::LIST]),
    (
        &[Nutritionist],
        &[
            menus::commands::IMPORT,
            menus::commands::ACCEPT,
            menus::commands::WORD,
            menus::commands::WORD_REMOVE,
            registrations::commands::SET,
            alert::commands::RUN,
        ],
    ),
    (
        &[Nutritionist, Office],
        &[
            menus::commands::LIST,
            menus::commands::SHOW,
            menus::commands::WORDS,
            registrations::commands::LIST,
            alert::commands::PLAN,
            mail::LIST,
            mail::RETRY,
        ],
    ),
    (
        &[Office],
        &[
            roster::commands::IMPORT,
            roster::commands::KITCHEN,
            days::commands::ADD,
            days::commands::REMOVE,
            mail::TEST,
        ],
    ),
];

/// Whether somebody with these roles may give a command.
#[must_use]
pub fn permits(roles: &[Role], command: &str) -> bool {
    TABLE.iter().any(|(who, what)| what.contains(&command) && who.iter().any(|role| roles.contains(role)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_its_own() {
        assert!(
            permits(&[Teacher], notices::commands::SEND)
                && !permits(&[Nutritionist], notices::commands::SEND)
        );
        assert!(
            permits(&[Nutritionist], menus::commands::ACCEPT) && !permits(&[Office], menus::commands::ACCEPT)
        );
        assert!(
            permits(&[Office], roster::commands::IMPORT) && !permits(&[Teacher], roster::commands::IMPORT)
        );
        assert!(permits(&[Teacher, Nutritionist], menus::commands::ACCEPT));
        assert!(!permits(&[], roster::commands::CLASSES));
    }

    #[test]
    fn nobody_reaches_what_is_no_business_of_the_page() {
        for command in ["records erase", "hold", "consent", "link", "import", "staff add", "ledger show"] {
            assert!(!permits(&[Teacher, Nutritionist, Office], command), "{command}");
        }
    }
}
