//! Checks on the bytes before anything is parsed.
//!
//! Must not know FHIR.

/// Whether brackets outside strings nest no deeper than `max`. Unbalanced input is the parser's business.
pub(crate) fn nests_within(text: &str, max: usize) -> bool {
    let mut depth = 0usize;
    let mut in_string = false;
    let mut escaped = false;
    for byte in text.bytes() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > max {
                    return false;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

/// The text without the white space that JSON allows around a value.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let Some(start) = bytes.iter().position(|byte| !blank(byte)) else {
        return &[];
    };
    let end = bytes.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    bytes.get(start..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_strings_only() {
        assert!(nests_within(r#"{"a":[{"b":"[[[[{{{{\"[["}]}"#, 3));
        assert!(!nests_within(r#"{"a":[{"b":1}]}"#, 2));
        assert!(nests_within("[[]][[]][[]]", 2));
        assert!(nests_within("]]]]", 0));
    }

    #[test]
    fn only_json_white_space_is_trimmed() {
        assert_eq!(trim(b" \t{} \r\n"), b"{}");
        assert_eq!(trim(b"\r\n"), b"");
        assert_eq!(trim("\u{3000}x".as_bytes()), "\u{3000}x".as_bytes());
    }
}
