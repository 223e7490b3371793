//! Content lines of iCalendar (RFC 5545 sections 3.1, 3.2 and 3.3.11): folding, escaping, parameters.
//!
//! Must not know which properties there are.

/// Longest line without its line break, in octets.
pub(super) const LINE_MAX_OCTETS: usize = 75;
/// Longest unfolded line that is read, in octets: the text of a long notice, many times over.
pub(super) const UNFOLDED_MAX_OCTETS: usize = 64 << 10;

/// Appends a line, folded so that no part is longer than [`LINE_MAX_OCTETS`] and no character is split.
pub(super) fn push(out: &mut String, line: &str) {
    let mut room = LINE_MAX_OCTETS;
    for c in line.chars() {
        if c.len_utf8() > room {
            out.push_str("\r\n ");
            room = LINE_MAX_OCTETS - 1;
        }
        out.push(c);
        room -= c.len_utf8();
    }
    out.push_str("\r\n");
}

/// The unfolded lines of a file. Line breaks may be CRLF or LF alone; a fold may split a character, so that bytes
/// are joined before they are read as UTF-8. `None` where a line is not UTF-8 or too long.
pub(super) fn unfold(content: &[u8]) -> impl Iterator<Item = Option<String>> {
    let content = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
    let mut physical =
        content.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).peekable();
    std::iter::from_fn(move || {
        let mut line = physical.next()?.to_vec();
        let mut sound = line.len() <= UNFOLDED_MAX_OCTETS;
        while let Some([b' ' | b'\t', more @ ..]) = physical.peek().copied() {
            sound &= line.len() + more.len() <= UNFOLDED_MAX_OCTETS;
            if sound {
                line.extend_from_slice(more);
            }
            physical.next();
        }
        Some(if sound { String::from_utf8(line).ok() } else { None })
    })
}

/// Escapes text. Line breaks become `\n`; other control characters, which no client can show, are dropped.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' | ';' | ',' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '\r' => {
                chars.next_if_eq(&'\n');
                escaped.push_str("\\n");
            }
            '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => escaped.push_str("\\n"),
            '\t' => escaped.push(' '),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// The text that an escaped value stands for. A backslash before any other character is passed over.
pub(super) fn unescape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => text.push('\n'),
                Some(escaped) => text.push(escaped),
                None => {}
            },
            c => text.push(c),
        }
    }
    text
}

/// One unfolded line, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ContentLine<'a> {
    /// Name in upper case.
    pub(super) name: String,
    /// Parameters in their order: name in upper case, and the value as written, quotes included.
    pub(super) parameters: Vec<(String, &'a str)>,
    /// The value, still escaped.
    pub(super) value: &'a str,
}

impl<'a> ContentLine<'a> {
    /// Takes a line apart; `None` where it is not of the form `name *(";" parameter) ":" value` or contains a
    /// control character.
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        if line.chars().any(|c| c.is_control() && c != '\t') {
            return None;
        }
        let mut quoted = false;
        let colon = line.bytes().position(|byte| {
            quoted ^= byte == b'"';
            byte == b':' && !quoted
        })?;
        let (head, value) = (line.get(..colon)?, line.get(colon + 1..)?);
        let mut quoted = false;
        let mut parts = head.split(|c: char| {
            quoted ^= c == '"';
            c == ';' && !quoted
        });
        let name = token(parts.next()?)?;
        let parameters = parts
            .map(|part| {
                let (name, value) = part.split_once('=')?;
                Some((token(name)?, value))
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Self { name, parameters, value })
    }

    /// A parameter's value without its quotes.
    pub(super) fn parameter(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.parameters.iter().find(|(known, _)| known == name)?;
        Some(value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(value))
    }
}

fn token(text: &str) -> Option<String> {
    let sound = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    sound.then(|| text.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_comes_apart() {
        let line = ContentLine::parse(r#"dtstart;tzid="Asia/To:k;yo";X-A=b:2024;x:1"#).unwrap();
        assert_eq!((line.name.as_str(), line.value), ("DTSTART", "2024;x:1"));
        assert_eq!(line.parameter("TZID"), Some("Asia/To:k;yo"));
        assert_eq!(line.parameter("X-A"), Some("b"));
        for wrong in ["", "SUMMARY", ":x", "SUM MARY:x", "SUMMARY;X:y", "SUMMARY;=a:y", "概要:x", "A:\u{7}"]
        {
            assert_eq!(ContentLine::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_fold_within_a_character_is_undone() {
        let text = "SUMMARY:給食".as_bytes();
        let (head, tail) = text.split_at(10);
        let folded = [head, b"\r\n ", tail, b"\nEND:VEVENT"].concat();
        let lines: Vec<_> = unfold(&folded).collect();
        assert_eq!(lines, [Some("SUMMARY:給食".into()), Some("END:VEVENT".into())]);
        let long = [b"A:".as_slice(), &vec![b'x'; UNFOLDED_MAX_OCTETS], b"\n y\nB:1"].concat();
        assert_eq!(unfold(&long).collect::<Vec<_>>(), [None, Some("B:1".into())]);
        assert_eq!(unfold(b"A:\xff").collect::<Vec<_>>(), [None]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn folding_and_escaping_can_be_undone(text in "[\\PC\n,;:\\\\\"]{0,200}") {
            let line = format!("SUMMARY:{}", escape(&text));
            let mut folded = String::new();
            push(&mut folded, &line);
            for part in folded.split_terminator("\r\n") {
                prop_assert!(part.len() <= LINE_MAX_OCTETS && !part.contains(['\r', '\n']));
            }
            let lines: Vec<_> = unfold(folded.trim_end_matches("\r\n").as_bytes()).collect();
            prop_assert_eq!(&lines, &[Some(line)]);
            let parsed = ContentLine::parse(lines[0].as_deref().unwrap()).unwrap();
            let breaks = text.replace(['\u{85}', '\u{2028}', '\u{2029}'], "\n");
            prop_assert_eq!(unescape(parsed.value), breaks);
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            for line in unfold(&bytes).flatten() {
                if let Some(line) = ContentLine::parse(&line) {
                    let _ = unescape(line.value);
                }
            }
        }
    }
}
