//! Who cannot reach whom, and which links are unlike the others.
//!
//! Owns the present faults; must not know datagrams.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::LinkOptions;

/// The faults of a world at one moment. Directions count: from, to.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    cut: BTreeSet<(IpAddr, IpAddr)>,
    isolated: BTreeSet<IpAddr>,
    special: BTreeMap<(IpAddr, IpAddr), LinkOptions>,
    everywhere: Option<LinkOptions>,
}

impl Faults {
    pub(crate) fn cut(&mut self, from: IpAddr, to: IpAddr) {
        self.cut.insert((from, to));
    }

    pub(crate) fn heal(&mut self, from: IpAddr, to: IpAddr) {
        self.cut.remove(&(from, to));
    }

    pub(crate) fn isolate(&mut self, host: IpAddr) {
        self.isolated.insert(host);
    }

    pub(crate) fn rejoin(&mut self, host: IpAddr) {
        self.isolated.remove(&host);
    }

    pub(crate) fn heal_all(&mut self) {
        self.cut.clear();
        self.isolated.clear();
    }

    pub(crate) fn set_link(&mut self, from: IpAddr, to: IpAddr, options: LinkOptions) {
        self.special.insert((from, to), options);
    }

    pub(crate) fn calm(&mut self, options: LinkOptions) {
        *self = Self { everywhere: Some(options), ..Self::default() };
    }

    pub(crate) fn link(&self, from: IpAddr, to: IpAddr) -> Option<&LinkOptions> {
        self.special.get(&(from, to)).or(self.everywhere.as_ref())
    }

    /// Whether nothing passes. A host always reaches itself.
    pub(crate) fn blocks(&self, from: IpAddr, to: IpAddr) -> bool {
        from != to
            && (self.cut.contains(&(from, to))
                || self.isolated.contains(&from)
                || self.isolated.contains(&to))
    }
}
