//! The plan a seed stands for.

use super::plan::{Plan, Quality, Trouble, What};
use crate::chance::Chance;

impl Plan {
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
        let mut plan = Self { lasts_ms, road, ..Self::calm(houses, guardians) };
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
    use super::*;

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
            with(|what| matches!(what, What::FullDisk { .. })),
            with(|what| matches!(what, What::Remove { .. })),
            with(|what| matches!(what, What::Hold { .. })),
        ] {
            assert!((20..180).contains(&some), "{some}");
        }
    }
}
