//! The federation in one process, in virtual time, from a seed: see docs/simulation.md.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::query::Refusal;
use hibiki_tests::house::House;
use hibiki_tests::rehearsal::{Change, Plan, play, rehearse};

/// Lives through a seed in a process of its own, the only way to have it to the last byte again; what was told.
fn alone(seed: u64) -> String {
    let program = env!("CARGO_BIN_EXE_hibiki-simnet");
    let output = Command::new(program).args(["run", "--seed", &seed.to_string()]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "seed {seed}:\n{told}\n{}", String::from_utf8_lossy(&output.stderr));
    told
}

#[test]
fn without_troubles_every_view_is_complete() {
    let report = rehearse(1, &Plan::calm(4, 2)).unwrap();
    assert!(report.broken.is_empty() && report.tally.views > 4, "{report}");
    assert_eq!((report.tally.complete, report.tally.refused), (report.tally.views, 0));
}

#[test]
fn one_seed_is_one_story_to_the_last_byte() {
    let (first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(|| alone(6));
        (alone(6), other.join().unwrap())
    });
    // Its last line has the hash over every byte of every datagram.
    assert_eq!(first, second);
    assert_ne!(first, alone(7));
}

/// Small federations that every run of the tests lives through; `hibiki-simnet explore` goes on from there.
const SEEDS: u64 = 200;

#[test]
fn two_hundred_seeds_hold_and_those_that_once_did_not() {
    let lines = include_str!("../seeds.txt").lines().filter(|line| !line.starts_with('#'));
    let kept = lines.map(|line| line.trim().parse::<u64>().unwrap());
    let seeds: Vec<u64> = (1..=SEEDS).chain(kept.filter(|seed| *seed > SEEDS)).collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::SeqCst)) {
                    println!("{}", alone(*seed).lines().last().unwrap_or_default());
                }
            });
        }
    });
}

#[test]
fn a_part_is_answered_once_also_where_the_institution_crashes_in_between() {
    let report = play(1, &Plan::calm(3, 1), |federation, judge| async move {
        let guardian = &federation.guardians[0];
        let hospital = &federation.institutions[&House::Hospital];
        let visit = guardian.open().await.unwrap();
        let pause = Duration::from_secs(24);
        let power_cut = async {
            federation.world.sleep(pause / 2).await;
            hospital.crash();
            federation.world.sleep(Duration::from_millis(100)).await;
            hospital.start().await.unwrap();
        };
        let (answers, ()) = tokio::join!(guardian.ask_twice(&visit, pause), power_cut);
        let answers = answers.unwrap();
        judge.repeated(guardian, &answers);
        let [first, second] = answers.map(|answers| {
            let answer = &answers[&House::Hospital.member()].answer;
            (answer.outcome, answer.refusal)
        });
        assert_eq!(first, (Outcome::Data, None));
        assert_eq!(second, (Outcome::Expired, Some(Refusal::Replayed)));
    });
    let report = report.unwrap();
    assert!(report.broken.is_empty(), "{report}");
}

#[test]
fn a_new_list_arrives_also_where_its_first_announcement_was_lost() {
    let report = play(1, &Plan::calm(3, 1), |federation, judge| async move {
        let (hall, hospital) = (federation.city_hall().unwrap(), &federation.institutions[&House::Hospital]);
        federation.world.cut(&hall.host, &hospital.host);
        federation.next_list(Change::Name).unwrap();
        federation.install(hall).await.unwrap();
        // Longer than anybody waits for an answer, shorter than it takes to believe a link dead.
        federation.world.sleep(Duration::from_secs(7)).await;
        assert_eq!((hall.epoch(), hospital.epoch()), (Some(2), Some(1)));
        federation.world.heal(&hall.host, &hospital.host);
        federation.world.sleep(Duration::from_secs(12)).await;
        assert_eq!(hospital.epoch(), Some(2));
        let guardian = &federation.guardians[0];
        let seen = guardian.look(&guardian.open().await.unwrap(), 0, 4_000).await.unwrap();
        assert!(judge.view(&federation, guardian, 4_000, &seen));
    });
    let report = report.unwrap();
    assert!(report.broken.is_empty(), "{report}");
}
