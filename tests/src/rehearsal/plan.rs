//! What is rehearsed: how large the city is, what its roads are like, and what goes wrong when.
//!
//! Owns the plan's file format and the drawing of a plan from a seed. Must not know nodes.

use serde::{Deserialize, Serialize};

use hibiki_simnet::LinkOptions;
use std::time::Duration;

use super::Stumble;
use super::area::{Area, GUNMA};
use crate::chance::Chance;
use crate::house::House;

/// Guardians, at most: so many have names of their own.
const GUARDIANS_MAX: u64 = 40;
/// A day.
const LASTS_MS_MAX: u64 = 24 * 60 * 60 * 1_000;

/// A rehearsal, as people read and write it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plan {
    /// Municipalities, each with a council of its own, in the order of [`GUNMA`].
    #[serde(default = "one")]
    pub cities: usize,
    /// Institutions of each, city hall first, in the order of [`House::CITY`].
    pub houses: usize,
    /// Guardians of each, every one at a terminal of her own, with two children.
    pub guardians: usize,
    /// Milliseconds of virtual time during which things go wrong; then everything is mended.
    pub lasts_ms: u64,
    /// How busy guardians are.
    #[serde(default)]
    pub pace: Pace,
    /// What every road is like.
    #[serde(default)]
    pub road: Quality,
    /// What goes wrong.
    #[serde(default)]
    pub troubles: Vec<Trouble>,
}

fn one() -> usize {
    1
}

/// How busy guardians are while a plan lasts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    /// All the time.
    #[default]
    Rush,
    /// By the hour: hardly at night, most in the evening.
    Day,
}

impl Pace {
    /// How long a guardian rests on average after a visit at this hour in Japan.
    pub(super) fn rest(self, hour: u64) -> Duration {
        let visits_in_six_hours = match (self, hour) {
            (Self::Rush, _) => return Duration::ZERO,
            (Self::Day, 0..=5) => 1,
            (Self::Day, 9..=11 | 13..=16 | 23) => 8,
            (Self::Day, 6..=8 | 12 | 17) => 16,
            (Self::Day, _) => 32,
        };
        Duration::from_secs(6 * 60 * 60 / visits_in_six_hours)
    }
}

/// How many datagrams in a million suffer what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Quality {
    /// Lost.
    pub loss_ppm: u32,
    /// Delivered twice.
    pub duplicate_ppm: u32,
    /// Held back by up to 60 ms and overtaken.
    pub reorder_ppm: u32,
    /// Kilobytes that fit through in a second; 0 for as many as there are. What waits longer than 200 ms is dropped.
    pub kb_per_s: u32,
}

/// Something goes wrong for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Trouble {
    /// When, in milliseconds since the city was founded.
    pub at_ms: u64,
    /// For how long.
    pub for_ms: u64,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What goes wrong. A party is a house's slug, such as `chuo-hospital`, or a guardian, such as `guardian-1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum What {
    /// Nothing passes between the two.
    Cut {
        /// The two.
        between: [String; 2],
    },
    /// Nothing passes from one to the other; the way back is open.
    CutOneWay {
        /// From here.
        from: String,
        /// To there.
        to: String,
    },
    /// Nothing passes to or from this one.
    Isolate {
        /// Which.
        who: String,
    },
    /// Both ways between the two are worse than others.
    BadRoad {
        /// The two.
        between: [String; 2],
        /// How bad.
        quality: Quality,
    },
    /// The power of an institution goes; afterwards it starts again.
    Crash {
        /// Which.
        who: String,
    },
    /// An institution is stopped in order, and started again afterwards.
    Restart {
        /// Which.
        who: String,
    },
    /// A clock is wrong.
    Skew {
        /// Whose.
        who: String,
        /// By how many milliseconds it is ahead.
        by_ms: i64,
    },
    /// The disks of an institution are full.
    FullDisk {
        /// Which.
        who: String,
    },
    /// The disks of an institution are slow.
    SlowDisk {
        /// Which.
        who: String,
        /// How many milliseconds everything takes that waits for them.
        by_ms: u32,
    },
    /// The council publishes a new trust list, and one member is given it.
    NewList {
        /// Which.
        who: String,
    },
    /// The council removes an institution; afterwards it takes it in again.
    Remove {
        /// Which.
        who: String,
    },
    /// The registry holds a guardian from her first child.
    Hold {
        /// Which.
        who: String,
    },
}

impl Quality {
    /// A road in a city, as bad as this.
    pub(super) fn road(self) -> LinkOptions {
        LinkOptions::default()
            .losing(self.loss_ppm)
            .duplicating(self.duplicate_ppm)
            .reordering(self.reorder_ppm, Duration::from_millis(60))
            .narrow(u64::from(self.kb_per_s) * 1_000)
    }
}

impl Plan {
    /// A plan without any trouble.
    pub fn calm(houses: usize, guardians: usize) -> Self {
        Self {
            cities: 1,
            houses,
            guardians,
            lasts_ms: 5_000,
            pace: Pace::default(),
            road: Quality::default(),
            troubles: Vec::new(),
        }
    }

    /// The plan a seed stands for. Each kind of trouble is left out by one seed in three, so that what one hides
    /// another shows.
    pub fn from_seed(seed: u64) -> Self {
        // Apart from everything else the seed decides.
        let chance = &mut Chance::new(seed ^ 0x706c_616e);
        let houses = 3 + chance.below(4) as usize;
        let guardians = 1 + chance.below(3) as usize;
        let lasts_ms = 5_000 + 1_000 * chance.below(11);
        let mut has = |_: &str| chance.below(3) > 0;
        let (bad_roads, cuts, crashes, clocks) = (has("roads"), has("cuts"), has("crashes"), has("clocks"));
        let (disks, lists, holds) = (has("disks"), has("lists"), has("holds"));
        let road = if bad_roads { quality(chance) } else { Quality::default() };
        let mut plan = Self { houses, guardians, road, ..Self::calm(houses, guardians) };
        plan.lasts_ms = lasts_ms;
        let parties = plan.parties();
        let institutions: Vec<_> = parties.iter().take(houses).cloned().collect();
        let mut troubles = Vec::new();
        if bad_roads {
            for _ in 0..chance.below(3) {
                let what = What::BadRoad { between: two(&parties, chance), quality: quality(chance) };
                troubles.push(trouble(what, lasts_ms, chance));
            }
        }
        if cuts {
            for _ in 0..=chance.below(5) {
                let what = match chance.below(3) {
                    0 => What::Cut { between: two(&parties, chance) },
                    1 => {
                        let [from, to] = two(&parties, chance);
                        What::CutOneWay { from, to }
                    }
                    _ => What::Isolate { who: chance.of(&parties).clone() },
                };
                troubles.push(trouble(what, lasts_ms, chance));
            }
        }
        if crashes {
            for _ in 0..=chance.below(5) {
                let who = chance.of(&institutions).clone();
                let what = if chance.below(4) == 0 { What::Restart { who } } else { What::Crash { who } };
                troubles.push(trouble(what, lasts_ms, chance));
            }
        }
        if clocks {
            for _ in 0..=chance.below(2) {
                // Most within what is tolerated (five minutes), some far beyond.
                let most = if chance.below(4) == 0 { 20 * 60_000 } else { 150_000 };
                let by_ms = (chance.around_zero() * most as f64) as i64;
                let what = What::Skew { who: chance.of(&parties).clone(), by_ms };
                troubles.push(trouble(what, lasts_ms, chance));
            }
        }
        if disks {
            for _ in 0..=chance.below(3) {
                let who = chance.of(&institutions).clone();
                let what = match chance.below(2) {
                    0 => What::FullDisk { who },
                    _ => What::SlowDisk { who, by_ms: 5 + chance.below(800) as u32 },
                };
                troubles.push(trouble(what, lasts_ms, chance));
            }
        }
        if lists {
            for _ in 0..=chance.below(3) {
                let who = chance.of(&institutions).clone();
                // City hall is never removed: without its gateway there is nothing to see.
                let removed = chance.below(2) == 0 && who != institutions[0];
                let what = if removed { What::Remove { who } } else { What::NewList { who } };
                troubles.push(trouble(what, lasts_ms, chance));
            }
        }
        if holds {
            for _ in 0..=chance.below(2) {
                let who = chance.of(&parties[houses..]).clone();
                troubles.push(trouble(What::Hold { who }, lasts_ms, chance));
            }
        }
        troubles.sort_by_key(|trouble| trouble.at_ms);
        plan.troubles = troubles;
        plan
    }

    /// Reads a plan.
    ///
    /// # Errors
    /// It is none, or names somebody who is not in it.
    pub fn parse(toml: &str) -> Result<Self, Stumble> {
        let plan: Self = toml::from_str(toml).map_err(|error| Stumble(format!("the plan: {error}")))?;
        let within = |name, has: u64, most: u64| {
            let fits = (1..=most).contains(&has);
            fits.then_some(()).ok_or_else(|| Stumble(format!("the plan: {name} is 1 to {most}, not {has}")))
        };
        within("cities", plan.cities as u64, GUNMA.len() as u64)?;
        within("houses", plan.houses as u64, House::CITY.len() as u64)?;
        within("guardians", plan.guardians as u64, GUARDIANS_MAX)?;
        within("lasts-ms", plan.lasts_ms, LASTS_MS_MAX)?;
        let (everybody, institutions) = (plan.parties(), plan.institutions());
        for trouble in &plan.troubles {
            let known = match &trouble.what {
                What::Hold { .. } => &everybody[institutions.len()..],
                what if what.needs_an_institution() => &institutions[..],
                _ => &everybody[..],
            };
            if let What::Cut { between: [a, b] } | What::BadRoad { between: [a, b], .. } = &trouble.what
                && a == b
            {
                return Err(Stumble(format!("the plan: there is no road between {a} and itself")));
            }
            if matches!(&trouble.what, What::Remove { who } if who.ends_with(House::CityHall.slug())) {
                return Err(Stumble("the plan: city hall is never removed".to_owned()));
            }
            if let Some(stranger) = trouble.what.parties().into_iter().find(|who| !known.contains(who)) {
                return Err(Stumble(format!("the plan: {stranger} is none of {}", known.join(", "))));
            }
        }
        Ok(plan)
    }

    /// Whether anything befalls this party itself: what is ordered does not count.
    pub fn touches(&self, party: &str) -> bool {
        let befalls =
            |what: &What| !matches!(what, What::NewList { .. } | What::Remove { .. } | What::Hold { .. });
        let troubles = self.troubles.iter().map(|trouble| &trouble.what);
        troubles.filter(|what| befalls(what)).any(|what| what.parties().iter().any(|one| one == party))
    }

    /// The plan as a file.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// The houses of each municipality.
    pub fn houses(&self) -> &'static [House] {
        &House::CITY[..self.houses.min(House::CITY.len())]
    }

    fn named<'a>(&self, names: impl Fn(&Area) -> Vec<String> + 'a) -> impl Iterator<Item = String> + 'a {
        GUNMA.iter().take(self.cities).flat_map(names)
    }

    /// The names of all institutions.
    pub fn institutions(&self) -> Vec<String> {
        self.named(|area| self.houses().iter().map(|house| area.party(house.slug())).collect()).collect()
    }

    /// Everybody's names: institutions, then guardians.
    pub fn parties(&self) -> Vec<String> {
        let guardians = |area: &Area| {
            (1..=self.guardians).map(|number| area.party(&format!("guardian-{number}"))).collect()
        };
        self.institutions().into_iter().chain(self.named(guardians)).collect()
    }
}

impl What {
    /// Whether only an institution can have it.
    fn needs_an_institution(&self) -> bool {
        !matches!(
            self,
            Self::Cut { .. }
                | Self::CutOneWay { .. }
                | Self::Isolate { .. }
                | Self::BadRoad { .. }
                | Self::Skew { .. }
                | Self::Hold { .. }
        )
    }

    /// Whom it concerns.
    pub fn parties(&self) -> Vec<String> {
        match self {
            Self::Cut { between } | Self::BadRoad { between, .. } => between.to_vec(),
            Self::CutOneWay { from, to } => vec![from.clone(), to.clone()],
            Self::Isolate { who }
            | Self::Crash { who }
            | Self::Restart { who }
            | Self::Skew { who, .. }
            | Self::FullDisk { who }
            | Self::SlowDisk { who, .. }
            | Self::NewList { who }
            | Self::Remove { who }
            | Self::Hold { who } => vec![who.clone()],
        }
    }
}

/// From hardly noticeable to hardly usable.
fn quality(chance: &mut Chance) -> Quality {
    let mut below = |most: u64| chance.below(most) as u32;
    let (loss_ppm, duplicate_ppm, reorder_ppm) = (below(60_000), below(50_000), below(50_000));
    // A home's line, where it is narrow at all.
    let kb_per_s = if below(3) == 0 { 60 + below(400) } else { 0 };
    Quality { loss_ppm, duplicate_ppm, reorder_ppm, kb_per_s }
}

fn two(parties: &[String], chance: &mut Chance) -> [String; 2] {
    let first = chance.below(parties.len() as u64) as usize;
    let second = (first + 1 + chance.below(parties.len() as u64 - 1) as usize) % parties.len();
    [parties[first].clone(), parties[second].clone()]
}

fn trouble(what: What, lasts_ms: u64, chance: &mut Chance) -> Trouble {
    let at_ms = chance.below(lasts_ms);
    // Short ones more often: a connection that is back before it was missed is the harder case.
    let most = *chance.of(&[300, 2_000, 10_000]);
    let for_ms = 50 + chance.below(most);
    Trouble { at_ms, for_ms, what }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_plan_survives_being_written_down() {
        for seed in 0..200 {
            let plan = Plan::from_seed(seed);
            assert_eq!(Plan::parse(&plan.to_toml()).unwrap(), plan, "{}", plan.to_toml());
        }
    }

    #[test]
    fn seeds_differ_in_what_goes_wrong() {
        let with = |test: fn(&What) -> bool| {
            (0..200).filter(|seed| Plan::from_seed(*seed).troubles.iter().any(|one| test(&one.what))).count()
        };
        for some in [
            with(|what| matches!(what, What::Crash { .. })),
            with(|what| matches!(what, What::Isolate { .. })),
            with(|what| matches!(what, What::Skew { .. })),
            with(|what| matches!(what, What::BadRoad { .. })),
        ] {
            assert!((20..180).contains(&some), "{some}");
        }
    }

    #[test]
    fn a_plan_that_names_a_stranger_is_refused() {
        let plan = "houses = 3\nguardians = 1\nlasts-ms = 1000\n\
            [[troubles]]\nat-ms = 1\nfor-ms = 2\nwhat = \"crash\"\nwho = \"guardian-1\"\n";
        assert!(Plan::parse(plan).unwrap_err().to_string().contains("guardian-1"));
        assert!(Plan::parse(&plan.replace("guardian-1", "chuo-hospital")).is_ok());
    }

    #[test]
    fn a_plan_in_which_nothing_could_be_seen_or_that_never_ends_is_refused() {
        let good = "houses = 3\nguardians = 2\nlasts-ms = 1000\n[[troubles]]\nat-ms = 1\nfor-ms = 2\n\
            what = \"cut\"\nbetween = [\"guardian-1\", \"guardian-2\"]\n";
        assert!(Plan::parse(good).is_ok());
        for (a, b, named) in [
            ("houses = 3", "houses = 0", "houses"),
            ("houses = 3", "houses = 9", "houses"),
            ("guardians = 2", "guardians = 0", "guardians"),
            ("houses = 3", "houses = 3\ncities = 36", "cities"),
            ("guardians = 2", "guardians = 1000000", "guardians"),
            ("lasts-ms = 1000", "lasts-ms = 0", "lasts-ms"),
            ("lasts-ms = 1000", "lasts-ms = 999999999999", "lasts-ms"),
            ("guardian-2", "guardian-1", "itself"),
            ("houses = 3", "houses = 3\nhouse = 4", "house"),
            ("\"cut\"", "\"bite\"", "bite"),
        ] {
            let why = Plan::parse(&good.replace(a, b)).unwrap_err().to_string();
            assert!(why.starts_with("the plan: ") && why.contains(named), "{why}");
        }
    }
}
