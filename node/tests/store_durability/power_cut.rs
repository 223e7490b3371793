//! Power cuts: the writer is frozen right after an acknowledgement, the device is copied as it is, and the
//! copy must hold everything acknowledged.
//!
//! The negative control runs the same with plain sled, whose `flush` is no `fdatasync`: it must lose
//! something or become unreadable, otherwise this test could not see a loss and counts as failed.

use std::{
    thread,
    time::{Duration, Instant},
};

use hibiki_node::store::SledStore;

use crate::{
    Numbers,
    image::Image,
    say,
    workload::{check, options},
    writer::{Told, Writer, ring},
};

const TRIALS: u32 = 6;
const CONTROL_TRIALS_MAX: u32 = 12;
const IMAGE_MIB: u64 = 1_024;
/// The log must grow past its first segment: within it sled only overwrites blocks that exist already.
const BATCHES_MIN: u64 = 4_000;

#[test]
fn nothing_acknowledged_is_lost_in_a_power_cut() {
    if Image::new("the power-cut test", 16).is_none() {
        return;
    }
    let trials = std::env::var("HIBIKI_POWERCUT_TRIALS").map_or(TRIALS, |trials| trials.parse().unwrap());
    let mut numbers = Numbers(1);
    let mut batches = 0;
    for trial in 1..=trials {
        let (told, outcome) = cut(&mut numbers, false);
        outcome.unwrap_or_else(|lost| panic!("trial {trial}: {lost}"));
        batches += told.batches;
    }
    say(&format!("power cut: {trials} cuts, {batches} batches acknowledged, none lost"));
    for trial in 1..=CONTROL_TRIALS_MAX {
        if let (told, Err(lost)) = cut(&mut numbers, true) {
            let batches = told.batches;
            say(&format!(
                "negative control: plain sled failed in cut {trial} after {batches} batches: {lost}"
            ));
            return;
        }
    }
    panic!(
        "void: plain sled lost nothing in {CONTROL_TRIALS_MAX} power cuts, so this test cannot see a loss"
    );
}

/// One power cut: what was acknowledged, and what was wrong afterwards.
fn cut(numbers: &mut Numbers, plain_sled: bool) -> (Told, Result<(), String>) {
    let image = Image::new("a trial", IMAGE_MIB).unwrap();
    let writer = Writer::start(&image.path(), plain_sled, Told::default());
    thread::sleep(Duration::from_millis(400 + numbers.below(1_200)));
    let patience = Instant::now() + Duration::from_secs(120);
    while writer.batches() < BATCHES_MIN {
        assert!(Instant::now() < patience, "the writer is too slow for this test");
        thread::sleep(Duration::from_millis(2));
    }
    writer.freeze();
    let afterwards = image.after_power_cut();
    let told = writer.kill();
    let outcome = SledStore::open(options(&afterwards.path()))
        .map_err(|error| error.to_string())
        .and_then(|store| check(&store, &told.acknowledged))
        .and_then(|()| told.keys.check(&ring(&afterwards.path())));
    (told, outcome)
}
