//! Searching bytes for secrets, in many forms: folders, disk images, memory dumps.
//!
//! A finding is proof; finding nothing is only as good as the search. So a scanner first proves itself on
//! planted needles ([`Scanner::control`]), says what it could not read, and the report repeats what no search
//! for bytes can find: anything encrypted, and streams compressed by methods it does not know.

mod fixed;
mod inflate;
mod needle;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

pub use needle::{MIN_PATTERN, Needle, NeedleError, forms, parse_needles};
pub(crate) use walk::walk;

/// Name of the form in which a constant was added (XOR) to every byte.
const DISGUISED: &str = "xor with a constant";

/// How many places are kept per needle, file and form; more are counted.
const PLACES: usize = 5;

/// A secret that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which needle: its number in the order given, from 0. The secret itself is never repeated.
    pub needle: usize,
    /// Whose secret it is.
    pub owner: String,
    /// In which file. Findings in the name of a file say so in `form`.
    pub path: String,
    /// In which form, such as `utf-16le`, `base64 in gzip`.
    pub form: String,
    /// How often.
    pub count: u64,
    /// Where: the first offsets in the file, in bytes. For a compressed stream, where it begins.
    pub offsets: Vec<u64>,
}

/// Everything a scan came across.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Secrets found.
    pub found: Vec<Finding>,
    /// Files read whole.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Bytes that came out of compressed streams.
    pub inflated: u64,
    /// Streams that were not followed to their end, because they inflate beyond all measure. Not 0 = the scan
    /// proves nothing about the rest of them.
    pub bombs: u64,
    /// What could not be read, and why. Not empty = the scan proves nothing about these.
    pub unread: Vec<String>,
    /// What has no content to read: sockets, pipes.
    pub skipped: Vec<String>,
}

/// Place of a finding while it is gathered.
type Key = (usize, String, String);

/// A search for a fixed set of needles.
pub struct Scanner {
    needles: Vec<Needle>,
    /// The needle and the form of each pattern.
    patterns: Vec<(usize, &'static str)>,
    search: AhoCorasick,
    /// The steps from byte to byte of each needle, and which needle: a constant added (XOR) to every byte leaves
    /// them as they are.
    steps: AhoCorasick,
    stepped: Vec<usize>,
    /// The longest pattern.
    longest: usize,
}

/// Shorter texts have the steps of others by accident.
const MIN_STEPS: usize = 12;

/// The steps from byte to byte.
fn steps(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().zip(bytes.iter().skip(1)).map(|(a, b)| a ^ b).collect()
}

impl Scanner {
    /// A search for these needles in all their forms.
    ///
    /// # Errors
    /// [`NeedleError`] if there are none, or one is too short (its line is its number from 1), or too many.
    pub fn new(needles: Vec<Needle>) -> Result<Self, NeedleError> {
        if needles.is_empty() {
            return Err(NeedleError::None);
        }
        let mut patterns = Vec::new();
        let mut bytes = Vec::new();
        for (number, needle) in needles.iter().enumerate() {
            if needle.text.len() < MIN_PATTERN {
                return Err(NeedleError::Short(number + 1));
            }
            for (form, pattern) in forms(&needle.text) {
                patterns.push((number, form));
                bytes.push(pattern);
            }
        }
        let longest = bytes.iter().map(Vec::len).max().unwrap_or_default();
        let build = |patterns: Vec<Vec<u8>>| {
            let builder = AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .kind(Some(AhoCorasickKind::ContiguousNFA))
                .build(patterns);
            builder.map_err(|_| NeedleError::TooMany)
        };
        let stepped: Vec<usize> =
            needles.iter().enumerate().filter(|(_, it)| it.text.len() >= MIN_STEPS).map(|(n, _)| n).collect();
        let texts = needles.iter().filter(|needle| needle.text.len() >= MIN_STEPS);
        let steps = build(texts.map(|needle| steps(needle.text.as_bytes())).collect())?;
        Ok(Self { search: build(bytes)?, needles, patterns, steps, stepped, longest })
    }

    /// What is looked for.
    #[must_use]
    pub fn needles(&self) -> &[Needle] {
        &self.needles
    }

    /// Searches bytes in memory, as the file `label` would be.
    #[must_use]
    pub fn scan_bytes(&self, label: &str, bytes: &[u8]) -> Findings {
        let mut gathered = Gathered::default();
        self.window(label, bytes, 0, bytes.len(), &mut gathered);
        gathered.findings.files = 1;
        gathered.findings.bytes = bytes.len() as u64;
        gathered.finish(&self.needles)
    }

    /// Plants every form of every needle, bare and compressed, and looks for it. Returns how many were planted
    /// and how many were found: anything but all means that the scanner proves nothing.
    #[must_use]
    pub fn control(&self) -> (u64, u64) {
        self.control_of(usize::MAX)
    }

    /// The same for the first `most` needles.
    #[must_use]
    pub fn control_of(&self, most: usize) -> (u64, u64) {
        let (mut planted, mut found) = (0, 0);
        for (number, needle) in self.needles.iter().enumerate().take(most) {
            if needle.text.len() >= MIN_STEPS {
                let disguised: Vec<u8> = needle.text.bytes().map(|byte| byte ^ 0xA5).collect();
                let findings = self.scan_bytes("control", &disguised).found;
                planted += 1;
                found += u64::from(findings.iter().any(|f| f.needle == number && f.form == DISGUISED));
            }
            for (form, pattern) in forms(&needle.text) {
                let bare = [&b"before "[..], &pattern, b" after"].concat();
                for (wrap, bytes) in inflate::wrappings(&bare) {
                    planted += 1;
                    let expected =
                        if wrap.is_empty() { form.to_owned() } else { format!("{form} in {wrap}") };
                    let findings = self.scan_bytes("control", &bytes).found;
                    found += u64::from(findings.iter().any(|f| f.needle == number && f.form == expected));
                }
            }
        }
        (planted, found)
    }

    /// Searches one window of a file: patterns that begin, and streams that begin, before `own`.
    fn window(&self, label: &str, bytes: &[u8], offset: u64, own: usize, gathered: &mut Gathered) {
        let reach = own.saturating_add(self.longest).min(bytes.len());
        self.matches(bytes.get(..reach).unwrap_or_default(), |start, number, form| {
            if start < own {
                gathered.add(number, label, form.to_owned(), offset + start as u64);
            }
        });
        let near = bytes.get(..reach).unwrap_or_default();
        for found in self.steps.find_overlapping_iter(&steps(near)) {
            let Some(number) = self.stepped.get(found.pattern().as_usize()) else { continue };
            let first = self.needles.get(*number).and_then(|needle| needle.text.bytes().next());
            // The same text without a disguise has its own name.
            if found.start() < own && near.get(found.start()).copied() != first {
                gathered.add(*number, label, DISGUISED.to_owned(), offset + found.start() as u64);
            }
        }
        let mut streams = inflate::Streams::new(bytes, own);
        while let Some(stream) = streams.next() {
            let at = offset + stream.at as u64;
            let kind = stream.kind;
            gathered.findings.inflated += stream.content.len() as u64;
            gathered.findings.bombs += u64::from(stream.cut);
            self.matches(stream.content, |_, number, form| {
                gathered.add(number, label, format!("{form} in {kind}"), at);
            });
        }
    }

    /// Every place of every pattern, overlapping ones too.
    fn matches(&self, bytes: &[u8], mut each: impl FnMut(usize, usize, &'static str)) {
        for found in self.search.find_overlapping_iter(bytes) {
            if let Some((number, form)) = self.patterns.get(found.pattern().as_usize()) {
                each(found.start(), *number, form);
            }
        }
    }
}

/// Findings while they are gathered.
#[derive(Default)]
struct Gathered {
    findings: Findings,
    places: BTreeMap<Key, (u64, Vec<u64>)>,
}

impl Gathered {
    fn add(&mut self, needle: usize, path: &str, form: String, offset: u64) {
        let (count, offsets) = self.places.entry((needle, path.to_owned(), form)).or_default();
        *count += 1;
        if offsets.len() < PLACES {
            offsets.push(offset);
        }
    }

    fn finish(self, needles: &[Needle]) -> Findings {
        let mut findings = self.findings;
        for ((needle, path, form), (count, offsets)) in self.places {
            let owner = needles.get(needle).map(|needle| needle.owner.clone()).unwrap_or_default();
            findings.found.push(Finding { needle, owner, path, form, count, offsets });
        }
        findings
    }
}
