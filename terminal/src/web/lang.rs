//! Which language stands first.

use std::sync::{Arc, Mutex, PoisonError};

use crate::desk::Phase;
use crate::words::Words;

/// A language of the page. The other one stands beside it where there is room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// 日本語。
    #[default]
    Ja,
    /// English.
    En,
}

impl Lang {
    /// BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Ja => "ja",
            Self::En => "en",
        }
    }

    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Ja => Self::En,
            Self::En => Self::Ja,
        }
    }

    /// The text of this language.
    pub const fn t<'a>(self, ja: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Ja => ja,
            Self::En => en,
        }
    }

    /// The sentence of this language.
    pub fn of(self, words: &Words) -> &str {
        self.t(&words.ja, &words.en)
    }
}

/// The language that is shown now; it is Japanese again for whoever comes next.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown(Arc<Mutex<Choice>>);

#[derive(Debug, Default)]
struct Choice {
    lang: Lang,
    /// A session was open when somebody last looked.
    open: bool,
}

impl Shown {
    /// The language for a page that is made now.
    pub(super) fn at(&self, phase: &Phase) -> Lang {
        let mut choice = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = matches!(phase, Phase::Open(_));
        if choice.open && !open {
            choice.lang = Lang::Ja;
        }
        choice.open = open;
        choice.lang
    }

    pub(super) fn set(&self, lang: Lang) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).lang = lang;
    }
}
