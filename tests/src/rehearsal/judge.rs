//! What must hold in every rehearsal, held against what happened.
//!
//! Owns the chronicle, the promises institutions made, and what was broken. Must not know how anything came about.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hibiki_node::ledger::{EntryKind, Logged};
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::receipt::Receipt;
use hibiki_protocol::tlog::leaf_hash;
use hibiki_simnet::World;
use hibiki_terminal::view::ViewPart;

use super::Report;
use super::federation::Federation;
use super::guardian::{Guardian, Opened, Seen};
use super::institution::Institution;
use super::model::{About, Due, Model};
use super::picture::{Kind, Mark};
use super::plan::{Pace, Plan, Quality};
use crate::population::content_key;

/// How much later than its deadline a terminal may end a view: it waits two seconds for a silent gateway, and timers
/// have a grain.
const LATER: Duration = Duration::from_millis(2_050);

/// The same where nothing is wrong with the gateway nor with the road to it: one way, and a timer's grain.
const PROMPTLY: Duration = Duration::from_millis(200);

/// The judge of one rehearsal.
pub struct Judge {
    world: World,
    pub(super) plan: Plan,
    mended: AtomicBool,
    notes: Mutex<Notes>,
    model: Mutex<Model>,
}

/// What has been noted.
#[derive(Default)]
struct Notes {
    chronicle: Vec<String>,
    broken: Vec<String>,
    marks: Vec<Mark>,
    mended: Option<Duration>,
    promises: BTreeMap<String, Vec<(Receipt, Outcome)>>,
    sizes: BTreeMap<String, u64>,
    epochs: BTreeMap<String, u64>,
    tally: Tally,
}

/// How much happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Sessions that opened.
    pub sessions: u64,
    /// Sessions and views that were refused or could not be had; the person was told why.
    pub refused: u64,
    /// Views that came together.
    pub views: u64,
    /// Of them, those in which every institution answered.
    pub complete: u64,
    /// Questions that were sent twice.
    pub repeated: u64,
    /// Troubles that befell.
    pub troubles: u64,
    /// Views, by what was due of a house, in which it was withheld as it had to be.
    pub withheld: u64,
    /// Choices of consent that were made and acknowledged.
    pub choices: u64,
}

impl Judge {
    pub(super) fn new(world: &World, plan: &Plan) -> Self {
        let (plan, mended) = (plan.clone(), AtomicBool::new(false));
        Self { world: world.clone(), plan, mended, notes: Mutex::default(), model: Mutex::default() }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on nothing is wrong any more.
    pub fn all_is_mended(&self) {
        self.note("everything is mended");
        self.mended.store(true, Ordering::SeqCst);
        self.notes().mended = Some(self.world.elapsed());
    }

    /// Whether nothing ever was wrong with these two, nor with the road between them.
    fn untouched(&self, guardian: &Guardian, hall: &Institution) -> bool {
        self.mended.load(Ordering::SeqCst)
            || self.plan.road == Quality::default()
                && !self.plan.touches(&guardian.name)
                && !self.plan.touches(&hall.name)
    }

    /// How busy guardians are.
    pub fn pace(&self) -> Pace {
        self.plan.pace
    }

    /// What should be true.
    pub fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a line into the chronicle.
    pub fn note(&self, line: impl std::fmt::Display) {
        let at = self.world.elapsed();
        self.notes().chronicle.push(format!("{:>9.3} s  {line}", at.as_secs_f64()));
    }

    /// Puts a mark into the picture, on this party's lane.
    pub fn mark(&self, party: &str, kind: Kind, [from, to]: [Duration; 2], text: impl std::fmt::Display) {
        let mark = Mark { party: party.to_owned(), kind, from, to, text: text.to_string() };
        self.notes().marks.push(mark);
    }

    /// Something happened that must not.
    pub fn broken(&self, what: impl std::fmt::Display) {
        self.note(format_args!("BROKEN: {what}"));
        let (now, text) = (self.world.elapsed(), what.to_string());
        // On the lane of the one it names first, if it names anybody.
        let named = self.plan.parties().into_iter().filter_map(|party| Some((text.find(&party)?, party)));
        if let Some((_, party)) = named.min_by_key(|(at, party)| (*at, usize::MAX - party.len())) {
            self.mark(&party, Kind::Broken, [now, now], &text);
        }
        self.notes().broken.push(what.to_string());
    }

    /// Counts.
    pub fn count(&self, change: impl FnOnce(&mut Tally)) {
        change(&mut self.notes().tally);
    }

    /// The report with everything that was noted.
    pub(super) fn verdict(&self, report: Report) -> Report {
        let notes = self.notes();
        Report {
            chronicle: notes.chronicle.clone(),
            broken: notes.broken.clone(),
            tally: notes.tally,
            marks: notes.marks.clone(),
            mended: notes.mended,
            ..report
        }
    }

    /// A view: in time, one outcome for each institution, exactly what is held, and all of it promised. Whether it is
    /// complete.
    pub fn view(
        &self,
        federation: &Federation,
        guardian: &Guardian,
        deadline_millis: u64,
        seen: &Seen,
    ) -> bool {
        let name = &guardian.name;
        let Seen { view, landed, asked, took } = seen;
        let untouched = federation.city_hall().is_ok_and(|hall| self.untouched(guardian, hall));
        let limit = Duration::from_millis(deadline_millis) + if untouched { PROMPTLY } else { LATER };
        if untouched && view.gateway_lost {
            self.broken(format_args!("{name}: the gateway was lost, and nothing was wrong with it"));
        }
        if *took > limit {
            self.broken(format_args!("{name}: a view took {took:?}, longer than {limit:?}"));
        }
        let shown: BTreeSet<MemberId> = view.parts.iter().map(|part| part.institution.clone()).collect();
        if shown != *asked || view.parts.len() != asked.len() {
            self.broken(format_args!(
                "{name}: a view has parts of {shown:?}, and {asked:?} were to be asked"
            ));
        }
        if landed.values().any(|times| *times != 1) || landed.len() != asked.len() {
            self.broken(format_args!("{name}: places were filled {landed:?}"));
        }
        let mut words = String::new();
        for part in &view.parts {
            let Some(house) = federation.house_of(&part.institution) else { continue };
            let institution = &federation.institutions[&house];
            let answered = matches!(part.outcome, Outcome::Data | Outcome::NothingToShow);
            if answered {
                self.content(guardian, institution, seen, part);
                match &part.receipt {
                    Some(receipt) => self.promised(institution, receipt, part.outcome),
                    None => self.broken(format_args!("{} answered without a ledger entry", institution.name)),
                }
            }
            if part.detail == Some("gateway_silent") {
                self.broken(format_args!("{name}: the gateway says nothing of {}", institution.name));
            }
            let detail = part.detail.map(|detail| format!(" ({detail})")).unwrap_or_default();
            _ = write!(words, ", {house} {}{detail}", part.outcome.as_str());
            let kind = match part.outcome {
                Outcome::Data => Kind::Data,
                Outcome::NothingToShow => Kind::Nothing,
                _ => Kind::Gap,
            };
            let now = self.world.elapsed();
            let outcome = part.outcome.as_str();
            self.mark(&institution.name, kind, [now, now], format_args!("{outcome}{detail} to {name}"));
        }
        let complete = view.coverage().complete();
        self.note(format_args!("{name}: view in {} ms{words}", took.as_millis()));
        let (kind, now) = (if complete { Kind::Complete } else { Kind::Partial }, self.world.elapsed());
        self.mark(name, kind, [now.saturating_sub(*took), now], words.trim_start_matches(", "));
        self.count(|tally| {
            tally.views += 1;
            tally.complete += u64::from(complete);
        });
        complete
    }

    /// Everything that is held, unless it is withheld: then nothing (I2).
    fn content(&self, guardian: &Guardian, institution: &Institution, seen: &Seen, part: &ViewPart) {
        let (name, kana) = (&institution.name, seen.view.subject.kana.as_str());
        let house = institution.house;
        let (asked, ended) = (self.world.elapsed().saturating_sub(seen.took), self.world.elapsed());
        let records = About::Records { guardian: guardian.name.clone(), kana: kana.to_owned(), house };
        let membership = About::Membership { who: name.clone() };
        let (due, member) = {
            let model = self.model();
            let due = |about: &About| model.due(|one| one == about, asked, ended);
            (due(&records), due(&membership))
        };
        if member == Due::Withheld {
            self.broken(format_args!("{name} was removed, and answers"));
        }
        let held = guardian.expected.get(kana).and_then(|houses| houses.get(&house)).cloned();
        let held = held.unwrap_or_default();
        let shown: BTreeSet<String> =
            part.records.iter().map(|record| content_key(&record.content)).collect();
        let nothing = shown.is_empty() && part.outcome == Outcome::NothingToShow;
        let everything = shown == held && part.records.len() == held.len();
        let right = match due {
            Due::Shown => everything,
            Due::Withheld => nothing,
            Due::Either => everything || nothing,
        };
        if !right {
            self.broken(format_args!(
                "{name} shows {shown:?} of a child and holds {held:?}; due was: {due:?}"
            ));
        }
        self.count(|tally| tally.withheld += u64::from(due == Due::Withheld));
    }

    /// What an institution has promised so far.
    pub(super) fn promises_of(&self, name: &str) -> Vec<(Receipt, Outcome)> {
        self.notes().promises.get(name).cloned().unwrap_or_default()
    }

    /// I1: nothing was answered that is not in the ledger by then.
    fn promised(&self, institution: &Institution, receipt: &Receipt, outcome: Outcome) {
        // Where the power has gone meanwhile, the end will tell.
        if let Some(ledger) = institution.cellar.ledger() {
            let entry = ledger.read(receipt.index..receipt.index + 1).ok().and_then(|mut read| read.pop());
            self.kept(institution, ledger.origin(), entry.as_ref(), receipt, outcome);
        }
        let promise = (receipt.clone(), outcome);
        self.notes().promises.entry(institution.name.clone()).or_default().push(promise);
    }

    /// Whether what was promised of an answer stands there.
    pub(super) fn kept(
        &self,
        institution: &Institution,
        origin: &str,
        entry: Option<&Logged>,
        receipt: &Receipt,
        outcome: Outcome,
    ) {
        let kind = if outcome == Outcome::Data { EntryKind::Release } else { EntryKind::Refusal };
        let right = entry.is_some_and(|entry| {
            leaf_hash(&entry.leaf_bytes).0 == receipt.leaf_hash.0
                && entry.leaf.kind == kind
                && receipt.origin == origin
        });
        if !right {
            let who = &institution.name;
            self.broken(format_args!("{who} promised entry {} and has another there", receipt.index));
        }
    }

    /// There is no session or no view, and the person is told why.
    pub fn refused(&self, guardian: &Guardian, what: &str, trouble: impl std::fmt::Display) {
        let (name, now) = (&guardian.name, self.world.elapsed());
        self.note(format_args!("{name}: {what}: {trouble}"));
        self.mark(name, Kind::Refused, [now, now], trouble);
        self.count(|tally| tally.refused += 1);
    }

    /// I3: of the same part sent twice, one is answered at most. I9: nobody can tell by the size of an answer whether
    /// there is anything in it.
    pub fn repeated(&self, guardian: &Guardian, answers: &[BTreeMap<MemberId, Opened>; 2]) {
        let accepted = |one: &Opened| matches!(one.answer.outcome, Outcome::Data | Outcome::NothingToShow);
        let sizes: BTreeSet<usize> = answers.iter().flat_map(BTreeMap::values).map(|one| one.size).collect();
        if sizes.len() > 1 {
            self.broken(format_args!("{}: answers of {sizes:?} bytes tell what is in them", guardian.name));
        }
        let [first, second] = answers;
        for (member, again) in second.iter().filter(|(_, again)| accepted(again)) {
            if first.get(member).is_some_and(accepted) {
                let name = &guardian.name;
                self.broken(format_args!(
                    "{name}: {member} accepted one part twice ({})",
                    again.answer.outcome.as_str()
                ));
            }
        }
        let counts = [first, second].map(|answers| answers.values().filter(|one| accepted(one)).count());
        self.note(format_args!(
            "{}: parts sent twice, accepted {} and {}",
            guardian.name, counts[0], counts[1]
        ));
        self.count(|tally| tally.repeated += 1);
    }

    /// I4: neither a ledger nor the trust list in force ever goes back.
    pub fn grown(&self, institution: &Institution) {
        let name = &institution.name;
        if let Some(epoch) = institution.epoch() {
            let before = self.notes().epochs.insert(name.clone(), epoch).unwrap_or(0);
            if epoch < before {
                self.broken(format_args!("{name}: list {before} was in force, and now {epoch} is"));
            }
        }
        let Some(size) = institution.cellar.ledger().map(|ledger| ledger.size()) else { return };
        let before = self.notes().sizes.insert(name.clone(), size).unwrap_or(0);
        if size < before {
            self.broken(format_args!("{name}: the ledger had {before} entries and has {size}"));
        }
    }
}
