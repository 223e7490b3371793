//! The folder of artefacts that an audit reads, and nothing else. Its layout is in `docs/regulator.md`.
//!
//! Whatever lies in it may be incomplete, damaged or made to harm: every file is read with a limit, links are
//! not followed, and what is missing is said.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use hibiki_protocol::cbor;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::tlog::{KeyAlgorithm, VerifierKey};
use hibiki_protocol::trust::{Accepted, Decision, Member, Role, RootAnchor, SignedTrustList, TrustList};
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
        if root.is_dir() {
            return Ok(Self { root: root.to_owned() });
        }
        Err(format!("{}: there is no such folder; name the folder of artefacts", root.display()))
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
        if complete == Some(lines) {
            Ok(())
        } else {
            Err(format!("{name} is not complete: it has {lines} lines"))
        }
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
        let entries = std::fs::read_dir(self.path(folder)).into_iter().flatten().flatten();
        // A name that is no text is kept, and its file then not found: nothing is passed over in silence.
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The federation as its council describes it: the chain of trust lists, verified from the root.
    ///
    /// # Errors
    /// Root or lists are missing, or a list does not follow from the one before.
    pub fn federation(&self) -> Result<TrustList, String> {
        self.lists()?.pop().ok_or_else(|| "there is no trust list".to_owned())
    }

    /// All trust lists, newest last.
    ///
    /// # Errors
    /// As [`Self::federation`].
    pub fn lists(&self) -> Result<Vec<TrustList>, String> {
        let root = self.read("trust/root.pub")?;
        let root: RootAnchor =
            cbor::decode(&root).map_err(|error| format!("trust/root.pub is no federation root: {error}"))?;
        let mut accepted: Option<Accepted> = None;
        let mut lists = Vec::new();
        for epoch in 1_u64.. {
            let name = format!("trust/{epoch}.list");
            if !self.has(&name) {
                break;
            }
            let list: SignedTrustList = cbor::decode(&self.read(&name)?)
                .map_err(|error| format!("{name} is no trust list: {error}"))?;
            let next = match &accepted {
                None => Accepted::first(&root, &list).map_err(|refused| format!("{name}: {refused}"))?,
                Some(before) => {
                    // What counts is the chain; an audit comes after the lists have expired.
                    let issued = cbor::decode::<TrustList>(&list.payload).map(|list| list.issued);
                    let issued = issued.map_err(|error| format!("{name}: {error}"))?;
                    match before.consider(&list, issued).map_err(|refused| format!("{name}: {refused}"))? {
                        Decision::Install(accepted) => *accepted,
                        _ => return Err(format!("{name} does not follow the list before it")),
                    }
                }
            };
            if next.list().epoch != epoch {
                return Err(format!("{name} is the list of epoch {}", next.list().epoch));
            }
            lists.push(next.list().clone());
            accepted = Some(next);
        }
        let known = |name: &String| (1..=lists.len()).any(|epoch| *name == format!("{epoch}.list"));
        if let Some(name) = self.names("trust").iter().find(|name| name.ends_with(".list") && !known(name)) {
            return Err(format!("trust/{name} is there, but not every list before it"));
        }
        if lists.is_empty() {
            return Err("trust/1.list is missing: nothing can be verified without the trust lists".to_owned());
        }
        Ok(lists)
    }
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
    let meta = path.symlink_metadata().map_err(|error| error.to_string())?;
    if meta.is_file() {
        File::open(path).map_err(|error| error.to_string())
    } else {
        Err("no ordinary file".to_owned())
    }
}

/// The folder of a member's artefacts.
pub fn folder(member: &MemberId) -> String {
    format!("members/{}", member.as_str().rsplit('/').next().unwrap_or_default())
}

/// The key a member's ledger verifies with.
pub fn ledger_key(member: &Member) -> Result<VerifierKey, String> {
    let name = Member::ledger_origin(&member.id);
    VerifierKey::from_bytes(&name, KeyAlgorithm::Ed25519, &member.ledger_key.0)
        .map_err(|error| format!("the ledger key of {}: {error}", member.id))
}

/// Members that keep records.
pub fn responders(list: &TrustList) -> impl Iterator<Item = &Member> {
    list.members.iter().filter(|member| member.has_role(Role::Responder) || member.has_role(Role::Gateway))
}
