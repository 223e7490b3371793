//! How something on a page is named.

use std::fmt;

/// What is looked for. In the order of what a test should prefer: as people find things, then as programs do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By<'a> {
    /// By ARIA role and accessible name, as a screen reader says them. The whole name.
    Named(&'a str, &'a str),
    /// By ARIA role alone.
    Role(&'a str),
    /// The innermost visible element with this in its text, white space made single.
    Text(&'a str),
    /// A CSS selector.
    Css(&'a str),
}

impl fmt::Display for By<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(role, name) => write!(f, "the {role} “{name}”"),
            Self::Role(role) => write!(f, "a {role}"),
            Self::Text(text) => write!(f, "the text “{text}”"),
            Self::Css(selector) => write!(f, "`{selector}`"),
        }
    }
}
