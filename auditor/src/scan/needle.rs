//! What is looked for: secrets, each with its owner, and every form in which one may lie somewhere.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Shorter patterns are found by accident in a few hundred megabytes.
pub const MIN_PATTERN: usize = 6;

/// A secret and whose it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Needle {
    /// The member that may hold it, such as `maebashi/chuo-hospital`.
    pub owner: String,
    /// The secret itself.
    pub text: String,
}

impl fmt::Debug for Needle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Needle({}, ***)", self.owner)
    }
}

/// Why a needles file is not usable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NeedleError {
    /// A line is not `owner<TAB>needle`.
    #[error("line {0} of the needles is not `owner<TAB>needle`")]
    Form(usize),
    /// A needle would be found by accident.
    #[error("the needle in line {0} is shorter than {MIN_PATTERN} bytes: it would be found by accident")]
    Short(usize),
    /// There is nothing to look for.
    #[error("there are no needles: a scan for nothing finds nothing and proves nothing")]
    None,
    /// More patterns than the searching machine takes.
    #[error("too many needles for one scan: divide them")]
    TooMany,
}

/// Reads a needles file: one needle per line, `owner<TAB>needle`; empty lines are skipped.
///
/// # Errors
/// [`NeedleError`] with the line.
pub fn parse_needles(text: &str) -> Result<Vec<Needle>, NeedleError> {
    let mut needles = Vec::new();
    for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.is_empty()) {
        let (owner, needle) = line.split_once('\t').ok_or(NeedleError::Form(number))?;
        if owner.is_empty() || needle.is_empty() {
            return Err(NeedleError::Form(number));
        }
        if needle.len() < MIN_PATTERN {
            return Err(NeedleError::Short(number));
        }
        needles.push(Needle { owner: owner.to_owned(), text: needle.to_owned() });
    }
    if needles.is_empty() { Err(NeedleError::None) } else { Ok(needles) }
}

/// Every form of a needle: its name in reports and its bytes. No two have the same bytes, and none is shorter
/// than [`MIN_PATTERN`].
#[must_use]
pub fn forms(needle: &str) -> Vec<(&'static str, Vec<u8>)> {
    let utf8 = needle.as_bytes();
    let mut forms = vec![
        ("utf-8", utf8.to_vec()),
        ("utf-16le", needle.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("utf-16be", needle.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("reversed bytes", utf8.iter().rev().copied().collect()),
        ("reversed", needle.chars().rev().collect::<String>().into_bytes()),
    ];
    for upper in [false, true] {
        forms.push(("json", json(needle, false, upper)));
        forms.push(("json all escaped", json(needle, true, upper)));
    }
    wrapped(&mut forms, &NAMES, utf8);
    let (cp932, _, unmappable) = encoding_rs::SHIFT_JIS.encode(needle);
    if !unmappable {
        forms.push(("cp932", cp932.to_vec()));
        forms.push(("cp932 reversed bytes", cp932.iter().rev().copied().collect()));
        wrapped(&mut forms, &CP932_NAMES, &cp932);
    }
    let mut seen = BTreeSet::new();
    forms.retain(|(_, bytes)| bytes.len() >= MIN_PATTERN && seen.insert(bytes.clone()));
    forms
}

/// Names of the forms that wrap bytes in text: hexadecimal, base64 in either alphabet, percent-encoding.
const NAMES: [&str; 4] = ["hex", "base64", "base64url", "percent"];
const CP932_NAMES: [&str; 4] = ["cp932 hex", "cp932 base64", "cp932 base64url", "cp932 percent"];

/// The forms that wrap bytes in text.
fn wrapped(forms: &mut Vec<(&'static str, Vec<u8>)>, names: &[&'static str; 4], bytes: &[u8]) {
    let [hex_name, base64_name, base64url_name, percent_name] = *names;
    forms.push((hex_name, hex::encode(bytes).into_bytes()));
    forms.push((hex_name, hex::encode_upper(bytes).into_bytes()));
    for before in 0..3 {
        forms.push((base64_name, inside(bytes, before, |bytes| STANDARD_NO_PAD.encode(bytes))));
        forms.push((base64url_name, inside(bytes, before, |bytes| URL_SAFE_NO_PAD.encode(bytes))));
    }
    for upper in [false, true] {
        for all in [false, true] {
            forms.push((percent_name, percent(bytes, upper, all, "%20")));
        }
        forms.push((percent_name, percent(bytes, upper, false, "+")));
    }
}

/// The characters of base64 that these bytes alone decide when `before` other bytes of the same group of three
/// stand before them.
fn inside(bytes: &[u8], before: usize, encode: impl Fn(Vec<u8>) -> String) -> Vec<u8> {
    let first = (before * 8).div_ceil(6);
    let last = (before + bytes.len()) * 8 / 6;
    let text = encode([&vec![0; before], bytes].concat());
    text.as_bytes().get(first..last).unwrap_or_default().to_vec()
}

/// The needle as the inside of a JSON string: everything beyond ASCII escaped, or everything.
fn json(needle: &str, all: bool, upper: bool) -> Vec<u8> {
    let mut text = String::new();
    for unit in needle.encode_utf16() {
        match char::from_u32(u32::from(unit)).filter(|c| c.is_ascii() && !all) {
            Some('"') => text.push_str("\\\""),
            Some('\\') => text.push_str("\\\\"),
            Some(c) if !c.is_ascii_control() => text.push(c),
            _ if upper => text.push_str(&format!("\\u{unit:04X}")),
            _ => text.push_str(&format!("\\u{unit:04x}")),
        }
    }
    text.into_bytes()
}

/// Percent-encoding (RFC 3986): everything but unreserved characters, or everything.
fn percent(bytes: &[u8], upper: bool, all: bool, space: &str) -> Vec<u8> {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b' ' if !all => text.push_str(space),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' if !all => {
                text.push(char::from(*byte));
            }
            _ if upper => text.push_str(&format!("%{byte:02X}")),
            _ => text.push_str(&format!("%{byte:02x}")),
        }
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_japanese_name_in_its_forms() {
        let forms = forms("前橋 花子");
        let has = |name: &str, bytes: &[u8]| forms.iter().any(|(n, b)| *n == name && b == bytes);
        assert!(has("utf-16le", b"\x4d\x52\x4b\x6a\x20\x00\xb1\x82\x50\x5b"));
        assert!(has("cp932", b"\x91\x4f\x8b\xb4\x20\x89\xd4\x8e\x71"));
        assert!(has("json", b"\\u524d\\u6a4b \\u82b1\\u5b50"));
        assert!(has("json", b"\\u524D\\u6A4B \\u82B1\\u5B50"));
        assert!(has("percent", b"%E5%89%8D%E6%A9%8B%20%E8%8A%B1%E5%AD%90"));
        assert!(has("percent", b"%e5%89%8d%e6%a9%8b+%e8%8a%b1%e5%ad%90"));
        assert!(has("hex", b"e5898de6a98b20e88ab1e5ad90"));
        assert!(has("base64", b"5YmN5qmLIOiKseWtk"));
        assert!(has("reversed", "子花 橋前".as_bytes()));
        assert!(has("cp932 hex", b"914f8bb42089d48e71"));
    }

    #[test]
    fn needles_files_are_strict() {
        let good = parse_needles("a/b\tsecret one\n\nc/d\tanother\n").unwrap();
        assert_eq!(good.len(), 2);
        assert_eq!(format!("{:?}", good[0]), "Needle(a/b, ***)");
        for (text, error) in [
            ("", NeedleError::None),
            ("\n\n", NeedleError::None),
            ("a secret\n", NeedleError::Form(1)),
            ("a\tsecret\n\tsecret\n", NeedleError::Form(2)),
            ("a\tsecret\nb\tshort\n", NeedleError::Short(2)),
        ] {
            assert_eq!(parse_needles(text), Err(error));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever stands around the needle, one of the three alignments is in the base64 of the whole.
        #[test]
        fn base64_is_found_at_every_alignment(before in ".{0,7}", needle in "\\PC{6,20}", after in ".{0,7}") {
            let whole = format!("{before}{needle}{after}");
            for (name, text) in [
                ("base64", STANDARD_NO_PAD.encode(&whole)),
                ("base64url", URL_SAFE_NO_PAD.encode(&whole)),
            ] {
                let forms = forms(&needle);
                // Where both alphabets agree, the first name stands for both.
                let found = forms.iter().any(|(n, b)| {
                    n.starts_with("base64") && text.as_bytes().windows(b.len()).any(|w| w == b)
                });
                prop_assert!(found, "{name} {whole}");
            }
        }
    }
}
