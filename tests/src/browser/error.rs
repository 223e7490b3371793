//! What goes wrong with a browser, and what to do next.

use std::time::Duration;

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// Something is not installed: a test may be skipped, loudly.
    #[error("{0} is not installed: run `make setup`")]
    Missing(&'static str),
    /// Everything is there and it does not work: not to be skipped.
    #[error("the browser did not do what it should: {0}")]
    Started(String),
    /// The system refused.
    #[error("{0}: {1}")]
    System(&'static str, std::io::Error),
    /// The driver is not to be reached.
    #[error("chromedriver, asked for `{command}`: {source}")]
    Wire {
        /// The command.
        command: String,
        /// What went wrong.
        source: Box<ureq::Error>,
    },
    /// The driver refused.
    #[error("chromedriver refused `{command}`: {code}: {message}")]
    Refused {
        /// The command.
        command: String,
        /// The error code of WebDriver, such as `no such element`.
        code: String,
        /// In words.
        message: String,
    },
    /// The driver's answer is not what the protocol says.
    #[error("chromedriver's answer is not {0}")]
    Answer(&'static str),
    /// There is no such thing on the page.
    #[error("{what} is not on the page:\n{page}")]
    NotThere {
        /// What was looked for.
        what: String,
        /// The beginning of the page's text.
        page: String,
    },
    /// It did not come in time.
    #[error("not within {patience:?}: {what}. The page:\n{page}")]
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long.
        patience: Duration,
        /// The beginning of the page's text.
        page: String,
    },
    /// A program that reads what the browser made.
    #[error("{program}: {said}")]
    Program {
        /// Which.
        program: &'static str,
        /// What it said.
        said: String,
    },
}

impl BrowserError {
    /// The page went away, or moved, while it was asked: it may be asked again.
    pub(super) fn is_passing(&self) -> bool {
        const PASSING: [&str; 7] = [
            "no such element",
            "stale element reference",
            "detached shadow root",
            "element not interactable",
            "element click intercepted",
            "no such execution context",
            "no such window",
        ];
        match self {
            Self::NotThere { .. } => true,
            Self::Refused { code, message, .. } => {
                // chromedriver's own ways to say that a document was replaced during the command.
                let replaced = [
                    "execution context",
                    "Cannot find context",
                    "navigat",
                    "aborted by",
                    "ode with given id",
                ];
                PASSING.contains(&code.as_str()) && code != "no such window"
                    || replaced.iter().any(|words| message.contains(words))
            }
            _ => false,
        }
    }
}
