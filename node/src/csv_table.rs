//! Tables in CSV files (RFC 4180), UTF-8 or CP932, as Japanese municipal and school systems export them.
//!
//! Must not know what any column means.

use encoding_rs::SHIFT_JIS;

/// Why a file is no table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableFault {
    /// Neither UTF-8 nor CP932.
    #[error("the file is neither UTF-8 nor CP932 (Shift_JIS); save it as CSV UTF-8 / 文字コードが読めません")]
    Encoding,
    /// A quoted field does not end.
    #[error("line {0}: a quoted field does not end / 引用符が閉じていません")]
    Quote(usize),
}

/// The text of a file in UTF-8 (with or without its mark) or CP932.
///
/// # Errors
/// Neither.
pub(crate) fn decode(bytes: &[u8]) -> Result<String, TableFault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(text.to_owned());
    }
    // WHATWG's Shift_JIS is CP932.
    let (text, malformed) = SHIFT_JIS.decode_without_bom_handling(bytes);
    if malformed { Err(TableFault::Encoding) } else { Ok(text.into_owned()) }
}

/// Fields of every line that is not empty, with the number of the line it begins on.
///
/// # Errors
/// A quoted field does not end.
pub(crate) fn split(text: &str) -> Result<Vec<(usize, Vec<String>)>, TableFault> {
    let (mut rows, mut fields, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut line, mut begun, mut quoted) = (1, 1, false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => field.extend(characters.next()),
            '"' if quoted || field.is_empty() => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            '\r' if !quoted && characters.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                fields.push(std::mem::take(&mut field));
                push(&mut rows, begun, std::mem::take(&mut fields));
                (line, begun) = (line + 1, line + 1);
            }
            other => {
                line += usize::from(other == '\n');
                field.push(other);
            }
        }
    }
    if quoted {
        return Err(TableFault::Quote(begun));
    }
    fields.push(field);
    push(&mut rows, begun, fields);
    Ok(rows)
}

fn push(rows: &mut Vec<(usize, Vec<String>)>, line: usize, fields: Vec<String>) {
    if fields.iter().any(|field| !field.trim().is_empty()) {
        rows.push((line, fields));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn quoted_fields_come_back(fields in proptest::collection::vec("[a-z,\"\n あ]{0,6}", 1..5)) {
            prop_assume!(fields.iter().any(|field| !field.trim().is_empty()));
            let line: Vec<String> =
                fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
            prop_assert_eq!(split(&line.join(",")).unwrap(), vec![(1, fields)]);
        }
    }
}
