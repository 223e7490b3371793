//! One seed, one history.

use std::collections::BTreeSet;
use std::time::Duration;

use hibiki_simnet::{LinkOptions, Trace, World};

use crate::town::{Town, ask};

const DEADLINE: Duration = Duration::from_secs(2);
const NAMES: [&str; 6] = ["city", "clinic", "health", "hospital", "pharmacy", "school"];

/// A city asks five institutions at once, over a bad network, while one is cut off and one crashes and
/// comes back; everything a run can do differently, it does here. Tells the outcomes and the trace.
fn history(seed: u64) -> (Vec<String>, Trace) {
    let bad = LinkOptions::default()
        .losing(20_000)
        .duplicating(10_000)
        .reordering(10_000, Duration::from_millis(9));
    let world = World::new(seed, bad);
    let outcomes = world
        .run(|world| async move {
            assert!(world.is_exact(), "randomness is not pinned: see entropy.rs");
            let town = Town::new(&world, &NAMES);
            let city = town.start("city");
            let work = Duration::from_millis(3);
            let mut alive: Vec<_> = NAMES[1..].iter().map(|name| town.start_echo(name, work)).collect();
            let mut outcomes = Vec::new();
            for round in 0..4u8 {
                match round {
                    1 => world.cut(&town.host("city"), &town.host("hospital")),
                    2 => {
                        world.crash(&town.host("school"));
                        alive.pop();
                    }
                    3 => {
                        world.heal_all();
                        alive.push(town.start_echo("school", work));
                    }
                    _ => {}
                }
                let mut asked = tokio::task::JoinSet::new();
                for name in &NAMES[1..] {
                    let (city, address, key) =
                        (city.clone(), town.host(name).addr(crate::town::PORT), town.key(name));
                    let name = (*name).to_owned();
                    asked.spawn(async move {
                        let outcome = match city.connect(address, &[key]).await {
                            Ok(link) => ask(&link, &[round; 3000], DEADLINE).await.map(|answer| answer.len()),
                            Err(error) => Err(error.to_string()),
                        };
                        format!("{round} {name} {outcome:?}")
                    });
                }
                while let Some(outcome) = asked.join_next().await {
                    outcomes.push(format!("{:?} {}", world.elapsed(), outcome.unwrap()));
                }
            }
            outcomes
        })
        .unwrap();
    (outcomes, world.trace())
}

#[test]
fn one_seed_gives_one_history_byte_for_byte() {
    let (outcomes, trace) = history(7);
    for _ in 0..2 {
        let (again, same) = history(7);
        assert_eq!(outcomes, again);
        assert_eq!(trace, same);
    }
    // The history is worth comparing: something arrived, something was lost, something failed.
    assert!(trace.lost > 0 && trace.blocked > 0 && trace.duplicated > 0, "{trace:?}");
    assert!(outcomes.iter().any(|outcome| outcome.contains("Ok(3000)")), "{outcomes:?}");
    assert!(outcomes.iter().any(|outcome| outcome.contains("2 school Err")), "{outcomes:?}");
    assert!(outcomes.iter().any(|outcome| outcome.contains("3 school Ok")), "{outcomes:?}");
}

#[test]
fn twenty_seeds_give_twenty_histories() {
    let traces: Vec<Trace> = (100..120).map(|seed| history(seed).1).collect();
    let distinct = |hash: fn(&Trace) -> u64| traces.iter().map(hash).collect::<BTreeSet<_>>().len();
    assert_eq!(distinct(|trace| trace.exact), 20);
    assert_eq!(distinct(|trace| trace.timing), 20);
}

#[test]
fn worlds_side_by_side_do_not_disturb_each_other() {
    let alone = history(31).1;
    let histories: Vec<Trace> = std::thread::scope(|scope| {
        let threads: Vec<_> = [31, 32, 31, 33].map(|seed| scope.spawn(move || history(seed).1)).into();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!((histories[0], histories[2]), (alone, alone));
    assert!(histories[1] != alone && histories[3] != alone);
}
