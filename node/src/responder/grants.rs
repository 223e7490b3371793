//! Grants whose signature was verified before: a session asks many times with the same grant.

use std::collections::BTreeMap;

use hibiki_protocol::grant::{Grant, VerifiedGrant};
use hibiki_protocol::ids::Digest;
use hibiki_protocol::signing::Signed;

/// Grants remembered at once; each is forgotten with its session, ten minutes at most.
const GRANTS_MAX: usize = 4096;

/// Verified grants by the digest of their signed bytes, for one trust list.
#[derive(Default)]
pub(super) struct KnownGrants {
    list: Option<Digest>,
    grants: BTreeMap<Digest, VerifiedGrant>,
}

impl KnownGrants {
    /// The grant, if these very bytes were verified under the trust list `list`.
    pub(super) fn get(&mut self, list: Digest, signed: &Signed<Grant>) -> Option<VerifiedGrant> {
        self.keep_to(list);
        self.grants.get(&signed.digest()).cloned()
    }

    /// Remembers a verified grant.
    pub(super) fn note(&mut self, list: Digest, signed: &Signed<Grant>, grant: &VerifiedGrant) {
        self.keep_to(list);
        if self.grants.len() >= GRANTS_MAX {
            self.grants.clear();
        }
        self.grants.insert(signed.digest(), grant.clone());
    }

    /// A new trust list may have removed the registry: everything is verified anew.
    fn keep_to(&mut self, list: Digest) {
        if self.list != Some(list) {
            self.list = Some(list);
            self.grants.clear();
        }
    }
}
