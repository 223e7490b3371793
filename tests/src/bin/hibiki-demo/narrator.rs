//! What the demo says, Japanese first.

use std::io::Write as _;

/// A chapter's heading.
pub(crate) fn chapter(number: usize, ja: &str, en: &str) {
    say(&format!("\n━━ {number}. {ja}\n      {en}"));
}

/// A line.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A step of something that takes a while.
pub(crate) fn step(text: &str) {
    let _ = writeln!(std::io::stdout(), "   ・{text}");
    let _ = std::io::stdout().flush();
}

/// What went wrong.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "\n実演を続けられません / The demo cannot go on:\n{text}");
}
