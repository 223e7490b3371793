//! What is rehearsed: how large the city is, what its roads are like, and what goes wrong when.
//!
//! Owns the plan's file format. Must not know nodes.

use std::time::Duration;

use hibiki_simnet::LinkOptions;
use serde::{Deserialize, Serialize};

use super::Stumble;
use super::area::{Area, GUNMA};
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

/// What goes wrong, or is ordered. A party is a house's slug, such as `chuo-hospital`, or a guardian, such as
/// `guardian-1`; outside of Maebashi the municipality's stands before it, as in `takasaki/guardian-1`.
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

    /// Reads a plan.
    ///
    /// # Errors
    /// It is none, or names somebody who is not in it.
    pub fn parse(toml: &str) -> Result<Self, Stumble> {
        let plan: Self = toml::from_str(toml).map_err(|error| Stumble(format!("the plan: {error}")))?;
        plan.check()?;
        Ok(plan)
    }

    /// Whether it makes sense.
    ///
    /// # Errors
    /// What does not.
    pub fn check(&self) -> Result<(), Stumble> {
        let within = |name, has: u64, most: u64| {
            let fits = (1..=most).contains(&has);
            fits.then_some(()).ok_or_else(|| Stumble(format!("the plan: {name} is 1 to {most}, not {has}")))
        };
        within("cities", self.cities as u64, GUNMA.len() as u64)?;
        within("houses", self.houses as u64, House::CITY.len() as u64)?;
        within("guardians", self.guardians as u64, GUARDIANS_MAX)?;
        within("lasts-ms", self.lasts_ms, LASTS_MS_MAX)?;
        let (everybody, institutions) = (self.parties(), self.institutions());
        for trouble in &self.troubles {
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
        Ok(())
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
    /// What a plan calls it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Cut { .. } => "cut",
            Self::CutOneWay { .. } => "cut-one-way",
            Self::Isolate { .. } => "isolate",
            Self::BadRoad { .. } => "bad-road",
            Self::Crash { .. } => "crash",
            Self::Restart { .. } => "restart",
            Self::Skew { .. } => "skew",
            Self::FullDisk { .. } => "full-disk",
            Self::SlowDisk { .. } => "slow-disk",
            Self::NewList { .. } => "new-list",
            Self::Remove { .. } => "remove",
            Self::Hold { .. } => "hold",
        }
    }

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
            ("houses = 3", "houses = 33", "houses"),
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
