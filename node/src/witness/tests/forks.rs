//! Ledgers with two histories.

use std::sync::Arc;

use hibiki_protocol::witnessing::{ForkEvidence, WitnessRefusal};

use super::net::{Mood, NAMES, Net, log, offer_of, refusal};
use crate::institution::town::id;
use crate::ledger::{CheckpointFailure, Ledger, Storage as _, details};
use crate::observe::board::Witnessing;
use crate::services::Witness as _;
use crate::witness::spread::tell;

const ORIGIN: &str = "maebashi/clinic/ledger";

fn alarmed(net: &Net, name: &str) -> bool {
    net.party(name).board.snapshot(0).problems.contains_key(&format!("fork:{ORIGIN}"))
}

/// Administrative entries of the witness in a member's ledger.
fn entered(net: &Net, name: &str) -> usize {
    let logged = net.town.house(name).logged();
    let by_witness = |entry: &crate::ledger::Logged| {
        entry.details::<details::Administration>().is_some_and(|details| details.by == "witness")
    };
    logged.iter().filter(|entry| by_witness(entry)).count()
}

/// The school has cosigned five entries; then the clinic signs another history of `size`.
async fn forked(size: u64) -> (Net, Ledger) {
    let net = Net::new();
    let ledger = net.party("clinic").means.ledger.clone();
    log(&ledger, 4).await;
    assert_eq!(refusal(&net.offer("clinic", "school", offer_of(&ledger, "school", 0).await).await), None);
    let other = net.other_ledger("clinic");
    log(&other, size - 1).await;
    (net, other)
}

#[tokio::test]
async fn a_fork_is_evidence_everywhere_and_its_owner_halts() {
    // Of the same size (signed again), one longer, one much longer (across a full tile).
    for size in [5, 6, 8, 600] {
        let (net, other) = forked(size).await;
        let offer = offer_of(&other, "school", if size == 5 { 0 } else { 5 }).await;
        let witnessed = net.offer("clinic", "school", offer.clone()).await;
        assert_eq!(refusal(&witnessed), Some(WitnessRefusal::Fork), "{size}");
        assert!(alarmed(&net, "school"));
        assert_eq!(entered(&net, "school"), 1);
        let files = net.party("school").forks.files();
        assert_eq!(files.len(), 1);
        let file: serde_json::Value =
            serde_json::from_slice(&net.party("school").storage.read(&files[0]).unwrap().unwrap()).unwrap();
        assert_eq!((file["kind"].as_str(), file["origin"].as_str()), (Some("fork"), Some(ORIGIN)));

        // Offered again it is known; what is told on is told once to each.
        net.offer("clinic", "school", offer).await;
        assert_eq!((entered(&net, "school"), net.party("school").forks.files().len()), (1, 1));
        let road = net.road("school");
        net.set("observer", Mood::Asleep);
        tell(&net.party("school").forks, road.as_ref()).await;
        assert!(alarmed(&net, "city-hall") && !alarmed(&net, "observer"));
        net.set("observer", Mood::Awake);
        tell(&net.party("school").forks, road.as_ref()).await;
        // Whoever brought the offer, its owner or a gateway, is told like everybody else.
        assert!(NAMES.into_iter().all(|name| alarmed(&net, name)));
        tell(&net.party("city-hall").forks, net.road("city-hall").as_ref()).await;
        let clinic = &net.party("clinic").means.ledger;
        assert!(clinic.halted().unwrap().contains("another history"));
        assert!(clinic.size() > clinic.signed_size(), "the halt itself is entered");
        assert!(matches!(clinic.checkpoint().await, Err(CheckpointFailure::Halted)));
        for name in NAMES {
            assert_eq!(entered(&net, name), 1, "{name}");
            let left = net.party(name).forks.untold(&NAMES.map(id));
            tell(&net.party(name).forks, net.road(name).as_ref()).await;
            assert_eq!(entered(&net, name), 1, "news does not go round for ever: {left:?}");
        }
    }
}

#[tokio::test]
async fn the_alarm_outlives_the_process_and_is_told_on() {
    let (mut net, other) = forked(9).await;
    net.offer("clinic", "school", offer_of(&other, "school", 5).await).await;
    let (means, storage) = (net.town.means("school"), Arc::clone(&net.party("school").storage));
    net.join("school", means, storage);
    assert!(alarmed(&net, "school"));
    tell(&net.party("school").forks, net.road("school").as_ref()).await;
    assert!(alarmed(&net, "observer"));
}

#[tokio::test]
async fn what_proves_nothing_convinces_nobody() {
    let (net, other) = forked(9).await;
    let ledger = net.party("clinic").means.ledger.clone();
    let (first, second) = (ledger.checkpoint().await.unwrap(), other.checkpoint().await.unwrap());
    let honest = ledger.checkpoint().await.unwrap();
    let root = hibiki_protocol::ids::Digest(ledger.root_at(5).unwrap().0);
    for evidence in [
        ForkEvidence { first: first.clone(), second, prefix_root: root, proof: Vec::new() },
        ForkEvidence { first: honest.clone(), second: honest, prefix_root: root, proof: Vec::new() },
        ForkEvidence { first: first.clone(), second: String::new(), prefix_root: root, proof: Vec::new() },
        ForkEvidence {
            first: first.replacen("clinic", "nobody", 1),
            second: first,
            prefix_root: root,
            proof: Vec::new(),
        },
    ] {
        assert!(!net.party("school").service.fork(&id("observer"), evidence).await);
    }
    assert!(!alarmed(&net, "school"));
    assert_eq!(entered(&net, "school"), 0);
}

/// Who has a ledger's key can make as many histories as he likes; what is kept of them is bounded.
#[tokio::test]
async fn eight_forks_of_a_ledger_are_kept_and_one_is_told() {
    let (net, _) = forked(6).await;
    for number in 0..10 {
        let other = net.other_ledger("clinic");
        log(&other, 5 + number).await;
        let offered = net.offer("clinic", "school", offer_of(&other, "school", 5).await).await;
        assert_eq!(refusal(&offered), Some(WitnessRefusal::Fork));
    }
    let forks = &net.party("school").forks;
    assert_eq!(forks.files().len(), 8);
    assert_eq!(forks.untold(&[id("observer")]).len(), 1);
    assert_eq!(forks.origins().into_iter().collect::<Vec<_>>(), [ORIGIN]);
}

#[tokio::test]
async fn an_owner_that_offers_less_or_proves_nothing_is_kept_in_mind_but_a_relay_is_not_believed() {
    let net = Net::new();
    let ledger = net.party("clinic").means.ledger.clone();
    let old = offer_of(&ledger, "school", 0).await;
    log(&ledger, 9).await;
    assert_eq!(refusal(&net.offer("clinic", "school", offer_of(&ledger, "school", 0).await).await), None);
    let mut lying = offer_of(&ledger, "school", 10).await;
    log(&ledger, 5).await;
    lying.checkpoint = offer_of(&ledger, "school", 10).await.checkpoint;
    lying.proof = vec![hibiki_protocol::ids::Digest([3; 32]); 4];
    for (offer, why) in [(old, WitnessRefusal::Stale), (lying, WitnessRefusal::Unproved)] {
        let by_another = net.offer("city-hall", "school", offer.clone()).await;
        assert_eq!(refusal(&by_another), Some(why));
        let before = net.party("school").forks.files().len();
        assert_eq!(refusal(&net.offer("clinic", "school", offer.clone()).await), Some(why));
        assert_eq!(net.party("school").forks.files().len(), before + 1);
        net.offer("clinic", "school", offer).await;
        assert_eq!(net.party("school").forks.files().len(), before + 1, "once is enough");
    }
    assert!(alarmed(&net, "school"));
    assert_eq!(entered(&net, "school"), 2);
    assert!(net.party("school").forks.untold(&[id("observer")]).is_empty(), "it convinces nobody else");
    // Its true ledger is cosigned all the same.
    assert_eq!(refusal(&net.offer("clinic", "school", offer_of(&ledger, "school", 10).await).await), None);
    assert_eq!(net.asking("clinic", net.town.means("clinic")).stands(), Witnessing::Below);
}
