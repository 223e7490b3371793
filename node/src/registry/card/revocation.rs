//! Whether a card still counts: revocation lists (RFC 5280 section 5) from a folder, fresh or not at all.
//!
//! Somebody else puts the files there (the platform operator's feed, a scheduled download); this module
//! verifies each against the authorities of the trust list. Missing, stale, indirect or partial lists say
//! nothing, and whoever says nothing is refused: doubt never opens a session.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use hibiki_protocol::ids::Digest;
use hibiki_protocol::limits;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::CardAuthority;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{IssuingDistributionPoint, ParsedExtension, X509Extension};
use x509_parser::oid_registry::{OID_X509_EXT_CRL_NUMBER, OID_X509_EXT_REASON_CODE};
use x509_parser::prelude::FromDer as _;
use x509_parser::revocation_list::CertificateRevocationList;

use super::algorithm::authority_may_use;
use super::chain::{self, CardCertificate, point_names, trim};

/// Bytes of one revocation list, at most: a million entries of 40 bytes.
const LIST_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Files looked at in the folder, at most.
const FILES_MAX: usize = 4096;
/// Milliseconds after a list's `nextUpdate` during which it is still believed: a feed that is late by less
/// than a day must not lock every guardian out.
pub const GRACE_MILLIS: u64 = 24 * 3600 * 1000;

/// What is known about a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A fresh list covers it and does not name it.
    Good,
    /// A list names it as revoked or suspended.
    Revoked,
    /// No fresh list covers it.
    Unknown,
}

/// Where revocations are learned: lists in a folder, or a certified verifier's online service.
pub trait RevocationSource: Send + Sync {
    /// What is known about `card` at `now`.
    fn standing(&self, card: &CardCertificate<'_>, now: Timestamp) -> Standing;

    /// Takes a list (DER or PEM) that an operator hands over.
    ///
    /// # Errors
    /// It is no list of an accepted authority, is older than the one there is, or cannot be kept.
    fn install(
        &self,
        list: Vec<u8>,
        authorities: &[CardAuthority],
        now: Timestamp,
    ) -> Result<Installed, InstallFault>;
}

/// A list that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Name of the authority.
    pub authority: String,
    /// Cards it names.
    pub revoked: usize,
    /// When it was issued, in milliseconds since the Unix epoch.
    pub issued: u64,
    /// When the next one must be there, in milliseconds since the Unix epoch.
    pub next: u64,
}

/// Why a list was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstallFault {
    /// Not a list, or not of an accepted authority, or one that says nothing about cards.
    #[error(
        "this is no revocation list of an accepted card authority; fetch it again from the authority / 失効リストを確認できません"
    )]
    NotAList,
    /// Past its time, or from the future.
    #[error(
        "the revocation list is out of its time; fetch the present one from the authority / 失効リストの有効期間外です"
    )]
    Stale,
    /// There is a newer one.
    #[error("a newer revocation list of this authority is in use already / 新しい失効リストがあります")]
    Older,
    /// The folder.
    #[error("{path}: {kind}; see that the node may write there", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        kind: std::io::ErrorKind,
    },
}

/// One revocation list that its authority signed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct RevocationList {
    issued: u64,
    next: u64,
    /// The partition it covers (issuing distribution point), by its names; empty: everything.
    partition: Vec<Vec<u8>>,
    revoked: BTreeSet<Vec<u8>>,
}

impl RevocationList {
    fn covers(&self, card: &CardCertificate<'_>) -> bool {
        let points = card.distribution_points();
        self.partition.is_empty() || self.partition.iter().any(|name| points.contains(&name.as_slice()))
    }
}

/// How a file looked when it was read: another look means another content.
type Look = (SystemTime, u64);

#[derive(Clone, Debug)]
struct Held {
    look: Look,
    der: Vec<u8>,
    /// What it says under each authority's certificate (by digest); `None`: it is not that authority's.
    verified: BTreeMap<Digest, Option<RevocationList>>,
}

/// Revocation lists in a folder: every file ending in `.crl`, DER or PEM.
#[derive(Debug)]
pub struct RevocationFolder {
    folder: PathBuf,
    grace_millis: u64,
    files: Mutex<BTreeMap<PathBuf, Held>>,
}

impl RevocationFolder {
    /// Lists from `folder`, believed until `grace_millis` after their `nextUpdate` (usually [`GRACE_MILLIS`]).
    pub fn new(folder: impl Into<PathBuf>, grace_millis: u64) -> Self {
        Self { folder: folder.into(), grace_millis, files: Mutex::default() }
    }

    /// Reads what changed in the folder since the last look. A file that cannot be read is as good as absent.
    fn read_folder(&self, files: &mut BTreeMap<PathBuf, Held>) {
        let mut present = BTreeSet::new();
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten().take(FILES_MAX);
        for path in entries.map(|entry| entry.path()).filter(|path| is_list(path)) {
            let Some(look) = look_of(&path) else { continue };
            if files.get(&path).is_none_or(|held| held.look != look) {
                let Some(der) = fs::read(&path).ok().and_then(to_der) else { continue };
                files.insert(path.clone(), Held { look, der, verified: BTreeMap::new() });
            }
            present.insert(path);
        }
        files.retain(|path, _| present.contains(path));
    }
}

impl RevocationSource for RevocationFolder {
    fn standing(&self, card: &CardCertificate<'_>, now: Timestamp) -> Standing {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        self.read_folder(&mut files);
        let authority = &card.authority().certificate;
        let under = Digest::of(&[authority]);
        let latest = files
            .values_mut()
            .filter_map(|held| {
                let Held { der, verified, .. } = held;
                verified.entry(under).or_insert_with(|| verify(der, authority)).as_ref()
            })
            .filter(|list| {
                list.covers(card) && list.issued <= now.0.saturating_add(limits::CLOCK_SKEW_MILLIS)
            })
            .max_by_key(|list| list.issued);
        match latest {
            // A stale list no longer clears anybody, but whom it names stays refused.
            Some(list) if list.revoked.contains(card.serial()) => Standing::Revoked,
            Some(list) if now.0 <= list.next.saturating_add(self.grace_millis) => Standing::Good,
            _ => Standing::Unknown,
        }
    }

    fn install(
        &self,
        list: Vec<u8>,
        authorities: &[CardAuthority],
        now: Timestamp,
    ) -> Result<Installed, InstallFault> {
        let der = to_der(list).ok_or(InstallFault::NotAList)?;
        let found = authorities
            .iter()
            .find_map(|authority| verify(&der, &authority.certificate).map(|list| (authority, list)));
        let (authority, list) = found.ok_or(InstallFault::NotAList)?;
        let future = list.issued > now.0.saturating_add(limits::CLOCK_SKEW_MILLIS);
        if future || now.0 > list.next.saturating_add(self.grace_millis) {
            return Err(InstallFault::Stale);
        }
        // One file for each authority and partition: a new list takes the place of the old.
        let name = Digest::of(&[&authority.certificate, &list.partition.concat()]).hex();
        let path = self.folder.join(format!("{}.crl", name.get(..32).unwrap_or(&name)));
        let present = fs::read(&path).ok().and_then(|der| verify(&der, &authority.certificate));
        if present.is_some_and(|present| present.issued > list.issued) {
            return Err(InstallFault::Older);
        }
        write_durably(&path, &der)
            .map_err(|error| InstallFault::Io { path: path.clone(), kind: error.kind() })?;
        Ok(Installed {
            authority: authority.name.clone(),
            revoked: list.revoked.len(),
            issued: list.issued,
            next: list.next,
        })
    }
}

/// Writes a file so that it is there wholly and durably, or not at all.
fn write_durably(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder)?;
    let new = path.with_extension("new");
    let mut file = fs::File::create(&new)?;
    std::io::Write::write_all(&mut file, bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    fs::File::open(folder)?.sync_all()
}

fn is_list(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("crl"))
}

fn look_of(path: &Path) -> Option<Look> {
    let about = fs::metadata(path).ok()?;
    let usable = about.is_file() && about.len() <= LIST_BYTES_MAX;
    usable.then(|| about.modified().ok().map(|changed| (changed, about.len())))?
}

/// DER of something given as DER or PEM.
pub fn to_der(bytes: Vec<u8>) -> Option<Vec<u8>> {
    if bytes.first() == Some(&0x30) {
        return Some(bytes);
    }
    x509_parser::pem::parse_x509_pem(&bytes).ok().map(|(_, pem)| pem.contents)
}

/// Reads a list and checks that this authority signed it for certificates such as a card's.
fn verify(der: &[u8], authority: &[u8]) -> Option<RevocationList> {
    let own = chain::read(authority).ok()?;
    let Ok(([], list)) = CertificateRevocationList::from_der(der) else { return None };
    if !signed_by(&list, &own) {
        return None;
    }
    let mut partition = Vec::new();
    for extension in list.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::IssuingDistributionPoint(point) if whole(point) => {
                let names = point.distribution_point.iter().flat_map(point_names);
                partition = names.map(<[u8]>::to_vec).collect();
                // A partition whose name is not understood covers nobody we could tell.
                if partition.is_empty() && point.distribution_point.is_some() {
                    return None;
                }
            }
            // Indirect, partial by reason, or for other certificates than a card's.
            ParsedExtension::IssuingDistributionPoint(_) => return None,
            _ if extension.critical && extension.oid != OID_X509_EXT_CRL_NUMBER => return None,
            _ => {}
        }
    }
    let entries = &list.tbs_cert_list.revoked_certificates;
    let understood =
        |extension: &X509Extension<'_>| !extension.critical || extension.oid == OID_X509_EXT_REASON_CODE;
    if !entries.iter().all(|entry| entry.iter_extensions().all(understood)) {
        return None;
    }
    Some(RevocationList {
        issued: millis(list.last_update().timestamp())?,
        next: millis(list.next_update()?.timestamp())?,
        partition,
        revoked: entries.iter().map(|entry| trim(entry.raw_serial()).to_vec()).collect(),
    })
}

fn signed_by(list: &CertificateRevocationList<'_>, authority: &X509Certificate<'_>) -> bool {
    let may = authority.key_usage().ok().flatten().is_some_and(|usage| usage.value.crl_sign());
    may && list.issuer().as_raw() == authority.subject().as_raw()
        && list.tbs_cert_list.signature == list.signature_algorithm
        && authority_may_use(&list.signature_algorithm)
        && list.verify_signature(authority.public_key()).is_ok()
}

/// Whether the list speaks about every reason and about certificates such as a card's.
fn whole(point: &IssuingDistributionPoint<'_>) -> bool {
    !point.only_contains_ca_certs
        && !point.only_contains_attribute_certs
        && !point.indirect_crl
        && point.only_some_reasons.is_none()
}

fn millis(seconds: i64) -> Option<u64> {
    u64::try_from(seconds).ok()?.checked_mul(1000)
}
