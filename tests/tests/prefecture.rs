//! A prefecture in one process and virtual time, alone, for what it costs is told: see docs/simulation.md.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use hibiki_tests::rehearsal::{Plan, play_all};

/// Kilobytes of memory this process has.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Time this thread has spent, in steps of ten milliseconds: a world is one thread.
fn spent() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = |place: usize| fields.split(' ').nth(place).unwrap().parse::<u64>().unwrap();
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}

#[test]
fn a_prefecture_of_a_thousand_institutions_is_seen_whole() {
    let plan = Plan { cities: 35, lasts_ms: 1, ..Plan::calm(29, 1) };
    let before = resident_kib();
    let report = play_all(1, &plan, |all, judge| async move {
        let many = all.institutions().count() as u64;
        assert_eq!(many, 1_015);
        let (founded, memory) = (spent(), resident_kib() - before);
        // Gateways that have just started know nobody yet: they meet every institution of their city first.
        for city in &all.cities {
            city.city_hall().unwrap().crash();
        }
        all.world.sleep(Duration::from_secs(1)).await;
        let began = spent();
        for city in &all.cities {
            city.city_hall().unwrap().start().await.unwrap();
        }
        all.world.sleep(Duration::from_secs(5)).await;
        for (city, guardian) in all.guardians() {
            let seen = guardian.look(&guardian.open().await.unwrap(), 0, 4_000).await.unwrap();
            assert!(judge.view(city, guardian, 4_000, &seen), "{}", guardian.name);
        }
        let cold = spent() - began;
        println!(
            "{many} institutions: founded in {} ms each, {} KiB each; a cold fan-out {} µs each",
            founded.as_millis() as u64 / many,
            memory / many,
            cold.as_micros() as u64 / many
        );
        judge.all_is_mended();
    });
    let report = report.unwrap();
    println!("{report}");
    assert!(report.broken.is_empty(), "{report}");
    assert_eq!((report.tally.views, report.tally.complete), (35, 35));
}
