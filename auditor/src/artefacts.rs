//! The folder of artefacts that an audit reads, and nothing else. Its layout is in `docs/regulator.md`.
//!
//! Whatever lies in it may be incomplete, damaged or made to harm: every file is read with a limit, links are
//! not followed, and what is missing is said.

use std::fs::{DirEntry, File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use hibiki_protocol::cbor;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::tlog::VerifierKey;
use hibiki_protocol::trust::{Accepted, Decision, Member, RootAnchor, SignedTrustList, TrustList};
use serde_json::Value;

/// Bytes of the largest file that is read whole.
pub const FILE_MAX: u64 = 64 << 20;
/// Bytes of the longest line.
const LINE_MAX: u64 = 32 << 20;

/// A folder of artefacts.
#[derive(Clone, Debug)]
pub struct Artefacts {
    root: PathBuf,
}

impl Artefacts {
    /// The artefacts in a folder.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn open(root: &Path) -> Result<Self, String> {
        let there = root.is_dir().then(|| Self { root: root.to_owned() });
        there
            .ok_or_else(|| format!("{}: there is no such folder; name that of the artefacts", root.display()))
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Whether something of that name is there.
    pub fn has(&self, name: &str) -> bool {
        self.path(name).symlink_metadata().is_ok_and(|meta| !meta.is_symlink())
    }

    /// A small file.
    ///
    /// # Errors
    /// It is missing, no ordinary file, or larger than [`FILE_MAX`].
    pub fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        read(&self.path(name), FILE_MAX).map_err(|why| format!("{name}: {why}"))
    }

    /// A small file of JSON.
    ///
    /// # Errors
    /// As [`Self::read`], or it is no JSON.
    pub fn json(&self, name: &str) -> Result<Value, String> {
        serde_json::from_slice(&self.read(name)?).map_err(|error| format!("{name}: {error}"))
    }

    /// Hands every line of an inspection's output to `each`. Its last line, `complete`, says how many there were.
    ///
    /// # Errors
    /// The file is missing or does not come to that end; the lines before were handed over.
    pub fn inspected(&self, name: &str, mut each: impl FnMut(Value)) -> Result<(), String> {
        let (mut lines, mut complete) = (0_u64, None);
        self.lines(name, |line| match line["complete"].as_u64() {
            Some(count) => complete = Some(count),
            None => {
                lines += 1;
                each(line);
            }
        })?;
        let whole = (complete == Some(lines)).then_some(());
        whole.ok_or_else(|| format!("{name} is not complete: it has {lines} lines"))
    }

    /// Hands every line of a file of JSON lines to `each`.
    ///
    /// # Errors
    /// The file is missing, or a line is no JSON or too long; the lines before were handed over.
    pub fn lines(&self, name: &str, mut each: impl FnMut(Value)) -> Result<(), String> {
        let mut file = BufReader::new(open(&self.path(name)).map_err(|why| format!("{name}: {why}"))?);
        for number in 1_u64.. {
            let mut line = Vec::new();
            let read = file.by_ref().take(LINE_MAX).read_until(b'\n', &mut line);
            read.map_err(|error| format!("{name}: {error}"))?;
            if line.is_empty() {
                break;
            }
            if line.pop_if(|last| *last == b'\n').is_none() && line.len() as u64 == LINE_MAX {
                return Err(format!("{name}, line {number} is too long to be what it should be"));
            }
            each(serde_json::from_slice(&line).map_err(|error| format!("{name}, line {number}: {error}"))?);
        }
        Ok(())
    }

    /// Names in a folder, in order; none where there is no such folder.
    pub fn names(&self, folder: &str) -> Vec<String> {
        // A name that is no text is kept, and its file then not found: nothing is passed over in silence.
        let name = |entry: DirEntry| entry.file_name().to_string_lossy().into_owned();
        let entries = self.path(folder).read_dir().into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }

    /// Paths of what in a folder has such an ending, in order.
    pub fn named(&self, folder: &str, ending: &str) -> Vec<String> {
        let names = self.names(folder).into_iter().filter(|name| name.ends_with(ending));
        names.map(|name| format!("{folder}/{name}")).collect()
    }

    /// The federation as its council describes it, from the root list by list: all trust lists, and the newest.
    ///
    /// # Errors
    /// Root or lists are missing, or a list does not follow from the one before.
    pub fn lists(&self) -> Result<(Vec<TrustList>, TrustList), String> {
        let root: RootAnchor = cbor::decode(&self.read("trust/root.pub")?)
            .map_err(|error| format!("trust/root.pub is no federation root: {error}"))?;
        let (mut lists, mut newest) = (Vec::new(), None);
        for epoch in 1_u64.. {
            let name = format!("trust/{epoch}.list");
            if !self.has(&name) {
                break;
            }
            let bytes = self.read(&name)?;
            let next = follow(&root, newest.as_ref(), &bytes).map_err(|why| format!("{name}: {why}"))?;
            if next.list().epoch != epoch {
                return Err(format!("{name} is the list of epoch {}", next.list().epoch));
            }
            lists.push(next.list().clone());
            newest = Some(next);
        }
        let known = |name: &String| (1..=lists.len()).any(|epoch| *name == format!("{epoch}.list"));
        if let Some(name) = self.names("trust").iter().find(|name| name.ends_with(".list") && !known(name)) {
            return Err(format!("trust/{name} is there, but not every list before it"));
        }
        let newest =
            newest.ok_or("trust/1.list is missing: nothing can be verified without the trust lists")?;
        Ok((lists, newest.list().clone()))
    }
}

/// The list that follows the one before, or the root. What counts is the chain: an audit comes after lists have expired.
fn follow(root: &RootAnchor, before: Option<&Accepted>, bytes: &[u8]) -> Result<Accepted, String> {
    let list: SignedTrustList = cbor::decode(bytes).map_err(|error| format!("no trust list: {error}"))?;
    let Some(before) = before else {
        return Accepted::first(root, &list).map_err(|refused| refused.to_string());
    };
    let issued = cbor::decode::<TrustList>(&list.payload).map_err(|error| error.to_string())?.issued;
    match before.consider(&list, issued) {
        Ok(Decision::Install(accepted)) => Ok(*accepted),
        Ok(_) => Err("it does not follow the list before it".to_owned()),
        Err(refused) => Err(refused.to_string()),
    }
}

/// A small file that is no artefact, such as a key.
///
/// # Errors
/// It is missing, no ordinary file, or larger than [`FILE_MAX`].
pub fn file(path: &Path) -> Result<Vec<u8>, String> {
    read(path, FILE_MAX).map_err(|why| format!("{}: {why}", path.display()))
}

/// Writes a new file that its owner alone may read.
///
/// # Errors
/// It is there already, or cannot be written.
pub fn write_new(path: &Path, text: &str) -> Result<(), String> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// A file of at most so many bytes, whole.
///
/// # Errors
/// It is missing, no ordinary file, or larger; the name is left to the caller.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    open(path)?.take(most + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > most { Err("too large to be what it should be".to_owned()) } else { Ok(bytes) }
}

/// Opens an ordinary file: a pipe would be waited for, a device read without end, a link lead elsewhere.
fn open(path: &Path) -> Result<File, String> {
    match path.symlink_metadata() {
        Ok(meta) if !meta.is_file() => Err("no ordinary file".to_owned()),
        meta => meta.and_then(|_| File::open(path)).map_err(|error| error.to_string()),
    }
}

/// The folder of a member's artefacts.
pub fn folder(member: &MemberId) -> String {
    format!("members/{}", member.as_str().rsplit('/').next().unwrap_or_default())
}

/// The key a member's ledger verifies with.
///
/// # Errors
/// The trust list names no usable one.
pub fn ledger_key(member: &Member) -> Result<VerifierKey, String> {
    member.ledger_verifier().ok_or_else(|| format!("the ledger key of {} is none", member.id))
}
