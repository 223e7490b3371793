//! `kill -9` while writing, again and again over the same store.

use std::{thread, time::Duration};

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
    let mut grew = 0;
    for kill in 1..=KILLS {
        let before = told.batches;
        let writer = Writer::start(dir.path(), false, told);
        thread::sleep(Duration::from_millis(numbers.below(120)));
        told = writer.kill();
        grew += u32::from(told.batches > before);
        let store = SledStore::open(options(dir.path())).unwrap();
        check(&store, &told.acknowledged).unwrap_or_else(|lost| panic!("after kill {kill}: {lost}"));
        told.keys.check(&ring(dir.path())).unwrap_or_else(|lost| panic!("after kill {kill}: {lost}"));
        // A batch that was on its way when the writer was killed is what the next writer goes on from.
        for lane in 0..crate::workload::LANES {
            told.acknowledged.insert(lane, crate::workload::last(&store, lane));
        }
    }
    assert!(grew > KILLS / 2, "only {grew} of {KILLS} writers wrote anything: the test proves little");
    say(&format!(
        "kill -9: {KILLS} kills, {} batches and {} keys acknowledged, none lost",
        told.batches,
        told.keys.made.len()
    ));
}
