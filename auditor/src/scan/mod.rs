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

/// Shorter texts have the steps of others by accident.
const MIN_STEPS: usize = 12;

/// A search for a fixed set of needles.
pub struct Scanner {
    needles: Vec<Needle>,
    forms: Patterns,
    /// The steps from byte to byte: a constant added (XOR) to every byte leaves them as they are.
    steps: Patterns,
    /// The longest form.
    longest: usize,
}

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
        let (mut in_forms, mut in_steps) = (Vec::new(), Vec::new());
        for (number, needle) in needles.iter().enumerate() {
            if needle.text.len() < MIN_PATTERN {
                return Err(NeedleError::Short(number + 1));
            }
            in_forms.extend(forms(&needle.text).into_iter().map(|(form, bytes)| (number, form, bytes)));
            if needle.text.len() >= MIN_STEPS {
                in_steps.push((number, DISGUISED, steps(needle.text.as_bytes())));
            }
        }
        let longest = in_forms.iter().map(|(.., bytes)| bytes.len()).max().unwrap_or_default();
        Ok(Self { needles, forms: Patterns::new(in_forms)?, steps: Patterns::new(in_steps)?, longest })
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
            let mut plant = |form: &str, bytes: &[u8]| {
                let findings = self.scan_bytes("control", bytes).found;
                planted += 1;
                found += u64::from(findings.iter().any(|it| it.needle == number && it.form == form));
            };
            if needle.text.len() >= MIN_STEPS {
                plant(DISGUISED, &needle.text.bytes().map(|byte| byte ^ 0xA5).collect::<Vec<u8>>());
            }
            for (form, pattern) in forms(&needle.text) {
                let bare = [&b"before "[..], &pattern, b" after"].concat();
                for (kind, bytes) in inflate::wrappings(&bare) {
                    let form = if kind.is_empty() { form.to_owned() } else { format!("{form} in {kind}") };
                    plant(&form, &bytes);
                }
            }
        }
        (planted, found)
    }

    /// Searches one window of a file: patterns that begin, and streams that begin, before `own`.
    fn window(&self, label: &str, bytes: &[u8], offset: u64, own: usize, gathered: &mut Gathered) {
        let near = bytes.get(..own.saturating_add(self.longest)).unwrap_or(bytes);
        for (start, number, form) in self.forms.find(near).filter(|(start, ..)| *start < own) {
            gathered.add(number, label, form.to_owned(), offset + start as u64);
        }
        for (start, number, form) in self.steps.find(&steps(near)).filter(|(start, ..)| *start < own) {
            // The same text without a disguise has its own name.
            let first = self.needles.get(number).and_then(|needle| needle.text.bytes().next());
            if near.get(start).copied() != first {
                gathered.add(number, label, form.to_owned(), offset + start as u64);
            }
        }
        inflate::streams(bytes, own, |stream| {
            gathered.findings.inflated += stream.content.len() as u64;
            gathered.findings.bombs += u64::from(stream.cut);
            for (_, number, form) in self.forms.find(stream.content) {
                let form = format!("{form} in {}", stream.kind);
                gathered.add(number, label, form, offset + stream.at as u64);
            }
        });
    }
}

/// A machine that looks for many patterns at once.
struct Patterns {
    machine: AhoCorasick,
    /// The needle and the form of each.
    of: Vec<(usize, &'static str)>,
}

impl Patterns {
    fn new(patterns: Vec<(usize, &'static str, Vec<u8>)>) -> Result<Self, NeedleError> {
        let builder = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(patterns.iter().map(|(.., bytes)| bytes));
        let machine = builder.map_err(|_| NeedleError::TooMany)?;
        Ok(Self { machine, of: patterns.into_iter().map(|(number, form, _)| (number, form)).collect() })
    }

    /// Every place of every pattern, overlapping ones too: where, of which needle, in which form.
    fn find(&self, bytes: &[u8]) -> impl Iterator<Item = (usize, usize, &'static str)> {
        self.machine.find_overlapping_iter(bytes).filter_map(|found| {
            let (number, form) = self.of.get(found.pattern().as_usize())?;
            Some((found.start(), *number, *form))
        })
    }
}

/// Findings while they are gathered: of which needle, in which file, in which form; how often, and where.
#[derive(Default)]
struct Gathered {
    findings: Findings,
    places: BTreeMap<(usize, String, String), (u64, Vec<u64>)>,
}

impl Gathered {
    fn add(&mut self, needle: usize, path: &str, form: String, offset: u64) {
        let (count, offsets) = self.places.entry((needle, path.to_owned(), form)).or_default();
        *count += 1;
        if offsets.len() < PLACES {
            offsets.push(offset);
        }
    }

    fn finish(mut self, needles: &[Needle]) -> Findings {
        for ((needle, path, form), (count, offsets)) in self.places {
            let owner = needles.get(needle).map(|needle| needle.owner.clone()).unwrap_or_default();
            self.findings.found.push(Finding { needle, owner, path, form, count, offsets });
        }
        self.findings
    }
}
