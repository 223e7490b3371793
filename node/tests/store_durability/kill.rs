//! `kill -9` while writing, again and again over the same store.

use std::{
    thread,
    time::{Duration, Instant},
};

use hibiki_node::store::SledStore;

use crate::{
    Numbers, say,
    workload::{check, options},
    writer::{Told, Writer, ring},
};

const KILLS: u32 = 50;

#[test]
fn nothing_acknowledged_is_lost_in_fifty_kills() {
    let dir = tempfile::tempdir().unwrap();
    let mut numbers = Numbers(20_261_122);
    let mut told = Told::default();
    for kill in 1..=KILLS {
        let before = told.batches;
        let writer = Writer::start(dir.path(), false, told);
        // Now and then at once, otherwise after some more acknowledgements, in the midst of the next ones.
        let more = if kill.is_multiple_of(10) { 0 } else { 1 + numbers.below(250) };
        let patience = Instant::now() + Duration::from_secs(120);
        while writer.batches() < before + more {
            assert!(Instant::now() < patience, "the writer does not get on");
            thread::sleep(Duration::from_micros(200));
        }
        told = writer.kill();
        let store = SledStore::open(options(dir.path())).unwrap();
        check(&store, &told.acknowledged).unwrap_or_else(|lost| panic!("after kill {kill}: {lost}"));
        told.keys.check(&ring(dir.path())).unwrap_or_else(|lost| panic!("after kill {kill}: {lost}"));
        // A batch that was on its way when the writer was killed is what the next writer goes on from.
        for lane in 0..crate::workload::LANES {
            told.acknowledged.insert(lane, crate::workload::last(&store, lane));
        }
    }
    say(&format!(
        "kill -9: {KILLS} kills, {} batches and {} keys acknowledged, none lost",
        told.batches,
        told.keys.made.len()
    ));
}
