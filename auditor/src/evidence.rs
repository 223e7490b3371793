//! What every question is asked of: the artefacts, the federation they are of, its ledgers, and the search for what
//! was planted.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use hibiki_protocol::ids::MemberId;
use hibiki_protocol::trust::{Member, Role, TrustList};

use crate::artefacts::Artefacts;
use crate::canary;
use crate::ledgers::{self, Ledgers};
use crate::scan::{Needle, Scanner};
use crate::search::{self, Place};
use crate::strand::Strand;

/// What there is.
pub struct Evidence {
    /// The folder.
    pub artefacts: Artefacts,
    /// All trust lists, verified from the root, newest last: a member may have had other keys.
    pub lists: Vec<TrustList>,
    /// The newest of them.
    pub list: TrustList,
    /// The ledgers of all members, as far as they could be read.
    pub ledgers: Ledgers,
    search: OnceCell<Result<Scanner, String>>,
}

impl Evidence {
    /// Reads trust lists and ledgers. On these every other question rests; without the council's lists there is
    /// nothing to ask.
    pub fn gather(artefacts: Artefacts) -> (Strand, Option<Self>) {
        let mut trust = Strand::new("trust");
        let Some((lists, list)) = trust.need(artefacts.lists()) else { return (trust.done(), None) };
        let mut all = Self { artefacts, lists, list, ledgers: Ledgers::new(), search: OnceCell::new() };
        let (log, ledgers) = ledgers::read(&all);
        all.ledgers = ledgers;
        (log, Some(all))
    }

    /// The search for all revealed canaries.
    ///
    /// # Errors
    /// They are missing, or not to be searched for.
    pub fn search(&self) -> Result<&Scanner, String> {
        let build = || {
            let canaries = canary::revealed(&self.artefacts)?.into_iter();
            let needles = canaries.map(|it| Needle { owner: it.member, text: it.text }).collect();
            Scanner::new(needles).map_err(|error| error.to_string())
        };
        self.search.get_or_init(build).as_ref().map_err(Clone::clone)
    }

    /// Searches one artefact for canaries; those of its owner are returned, those of anybody else are leaks.
    pub(crate) fn searched(
        &self,
        name: &str,
        owner: Option<&MemberId>,
        strand: &mut Strand,
    ) -> BTreeSet<usize> {
        let Ok(scanner) = self.search() else { return BTreeSet::new() };
        let (root, owner) = (self.artefacts.path(""), owner.map(MemberId::to_string));
        search::searched(scanner, &Place { path: root.join(name), root, owner }, strand)
    }

    /// Members that keep records.
    pub fn responders(&self) -> impl Iterator<Item = &Member> {
        let keeps = |member: &&Member| member.has_role(Role::Responder) || member.has_role(Role::Gateway);
        self.list.members.iter().filter(keeps)
    }

    /// Members that relay.
    pub fn gateways(&self) -> impl Iterator<Item = &Member> {
        self.list.members.iter().filter(|member| member.has_role(Role::Gateway))
    }
}
