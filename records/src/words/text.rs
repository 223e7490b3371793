//! Text from anywhere, made fit for a terminal and a page: no control characters, no direction overrides,
//! bounded length.
//!
//! Must not know what the text says. Escaping for HTML is the page's business.

/// Longest line in either language, in characters.
pub const LINE_MAX_CHARS: usize = 120;
/// Longest body of a notice, in characters; a school newsletter has about two thousand.
pub const BODY_MAX_CHARS: usize = 8_000;

/// One line without anything that could steer a terminal or a reader's eye.
pub fn tidy(text: &str) -> String {
    let mut line = String::new();
    let mut chars = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let visible = || word.chars().filter(|c| !steers(*c));
        let length = visible().count();
        if length == 0 {
            continue;
        }
        let gap = usize::from(!line.is_empty());
        if chars + gap + length > LINE_MAX_CHARS {
            let room = LINE_MAX_CHARS.saturating_sub(chars + gap + 1);
            if gap == 1 {
                line.push(' ');
            }
            line.extend(visible().take(room));
            line.push('…');
            return line;
        }
        if gap == 1 {
            line.push(' ');
        }
        line.extend(visible());
        chars += gap + length;
    }
    line
}

/// Characters that are not seen but change what is: direction marks and overrides, joiners, tags, fillers.
pub(crate) fn steers(c: char) -> bool {
    matches!(
        c,
        '\u{00AD}'
            | '\u{061C}'
            | '\u{180E}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// Text of several lines without anything that could steer a terminal or a reader's eye. Line breaks are
/// kept as `\n`, at most one line in a row is empty, and none stands at the beginning or the end.
pub(crate) fn tidy_body(text: &str) -> String {
    let mut body = String::new();
    let mut gap = 0;
    let breaks = ['\n', '\r', '\u{0B}', '\u{0C}', '\u{85}', '\u{2028}', '\u{2029}'];
    for line in text.replace("\r\n", "\n").split(breaks) {
        let line: String =
            line.chars().filter(|c| !steers(*c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let line = line.trim_end();
        if line.is_empty() {
            gap = 1;
            continue;
        }
        if !body.is_empty() {
            body.extend(std::iter::repeat_n('\n', gap + 1));
        }
        body.push_str(line);
        gap = 0;
    }
    match body.char_indices().nth(BODY_MAX_CHARS) {
        None => body,
        Some(_) => {
            let kept: String = body.chars().take(BODY_MAX_CHARS - 1).collect();
            format!("{}…", kept.trim_end())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_body_keeps_its_lines_and_nothing_else() {
        assert_eq!(
            tidy_body("\r\n 一行目\u{202E}\r\n\r\n\n\n　二行目\u{1b}[2J\t終 \n\n"),
            " 一行目\n\n　二行目 [2J 終"
        );
        assert_eq!(tidy_body("\u{200B}\n \u{7}"), "");
        let long = tidy_body(&"長い\n".repeat(BODY_MAX_CHARS));
        assert!(long.chars().count() <= BODY_MAX_CHARS && long.ends_with('…'));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_text_gets_through_untidied(text in "[\\PC\\n\\r\u{1b}\u{202E}\u{200B}]{0,60}") {
            let body = tidy_body(&text);
            prop_assert!(!body.chars().any(|c| (c.is_control() && c != '\n') || steers(c)));
            prop_assert!(!body.contains("\n\n\n") && !body.starts_with('\n') && !body.ends_with('\n'));
            prop_assert_eq!(tidy_body(&body), body);
        }
    }
}
