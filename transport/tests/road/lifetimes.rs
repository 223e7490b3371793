//! Rotation, shutdown, restart.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use hibiki_transport::{
    Closed, Code, ConnectError, Endpoint, ExchangeError, Identity, Limits, StdSystemTime,
};

use crate::party::{List, MAX, Party, ask, is_reset, pair, two, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotation_under_load_loses_no_exchange() {
    let (a, b) = pair();
    let next = Identity::generate().unwrap();
    b.list.put("city/a", &next);
    let next_b = Identity::generate().unwrap();
    a.list.put("city/b", &next_b);
    let expected = [b.identity.key(), next_b.key()];
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut workers = Vec::new();
    for fresh in [false, false, true, true] {
        let (endpoint, address) = (a.endpoint.clone(), b.addr());
        let (stop, done) = (stop.clone(), done.clone());
        workers.push(tokio::spawn(async move {
            let mut link = endpoint.connect(address, &expected).await.unwrap();
            while !stop.load(Ordering::SeqCst) {
                if fresh {
                    link = endpoint.connect(address, &expected).await.unwrap();
                }
                let n = done.fetch_add(1, Ordering::SeqCst).to_be_bytes();
                assert_eq!(ask(&link, &n).await.unwrap(), n);
            }
            link
        }));
    }
    tokio::time::sleep(Duration::from_millis(150)).await;
    a.endpoint.rotate(&next);
    b.endpoint.rotate(&next_b);
    let at_rotation = done.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(150)).await;
    stop.store(true, Ordering::SeqCst);
    let mut keys = Vec::new();
    for worker in workers {
        keys.push(within(worker).await.unwrap().peer().key);
    }
    assert!(done.load(Ordering::SeqCst) > at_rotation, "no load after the rotation");
    assert_eq!(keys[..2], [b.identity.key(); 2], "old links keep their key");
    assert_eq!(keys[2..], [next_b.key(); 2], "new links show the new key");
    // The old key is retired: whoever still expects it alone is told.
    let error = within(a.endpoint.connect(b.addr(), &expected[..1])).await.unwrap_err();
    assert_eq!(error, ConnectError::WrongKey { address: b.addr(), shown: next_b.key() });
}

#[tokio::test]
async fn shutdown_lets_what_is_under_way_end() {
    let (a, b, dialled, accepted) = two().await;
    let mut asking = dialled.open().await.unwrap();
    asking.send(b"slow question").await.unwrap();
    let mut answering = accepted.accept().await.unwrap();
    assert_eq!(b.endpoint.exchanges(), 1);
    let leaving = tokio::spawn({
        let endpoint = b.endpoint.clone();
        async move { endpoint.shutdown(Duration::from_secs(10)).await }
    });
    tokio::task::yield_now().await;
    while !matches!(accepted.open().await, Err(Closed::Here)) {
        tokio::task::yield_now().await;
    }
    // Newcomers are turned away at once, not left hanging.
    let turning_away = tokio::spawn({
        let accepted = accepted.clone();
        async move { accepted.accept().await.is_none() }
    });
    let mut late = dialled.open().await.unwrap();
    late.send(b"too late").await.unwrap();
    let error = within(late.recv(MAX)).await.unwrap_err();
    assert!(is_reset(&error, Code::SHUTTING_DOWN), "{error}");
    // What was under way ends well.
    answering.send(b"slow answer").await.unwrap();
    answering.finish().unwrap();
    assert_eq!(within(asking.recv(MAX)).await.unwrap().unwrap(), b"slow answer");
    assert_eq!(asking.recv(MAX).await, Ok(None));
    drop((answering, asking));
    assert_eq!(within(leaving).await.unwrap(), 0, "nothing was cut off");
    assert_eq!(
        within(dialled.closed()).await,
        Closed::ByPeer { code: Code::SHUTTING_DOWN, reason: String::new() }
    );
    assert!(within(turning_away).await.unwrap());
    assert!(b.endpoint.accept().await.is_none());
    assert_eq!(
        b.endpoint.connect(a.addr(), &[a.identity.key()]).await.unwrap_err(),
        ConnectError::ShuttingDown
    );
}

#[tokio::test]
async fn shutdown_does_not_wait_longer_than_its_grace() {
    let (_a, b, dialled, accepted) = two().await;
    let mut asking = dialled.open().await.unwrap();
    asking.send(b"?").await.unwrap();
    let _answering = accepted.accept().await.unwrap();
    let start = Instant::now();
    assert_eq!(within(b.endpoint.shutdown(Duration::from_millis(100))).await, 1, "one was cut off");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    let cut = ExchangeError::Link(Closed::ByPeer { code: Code::SHUTTING_DOWN, reason: String::new() });
    assert_eq!(within(asking.recv(MAX)).await, Err(cut));
}

#[tokio::test]
async fn dropping_the_last_handle_closes_every_link() {
    let (_a, b, dialled, accepted) = two().await;
    drop(b);
    assert!(matches!(within(dialled.closed()).await, Closed::ByPeer { code: Code::SHUTTING_DOWN, .. }));
    drop(accepted);
}

#[tokio::test]
async fn dropping_the_last_handle_of_a_link_closes_it_alone() {
    let (a, b, dialled, accepted) = two().await;
    let other = crate::party::linked(&a, &b).await;
    drop(dialled);
    assert_eq!(within(accepted.closed()).await, Closed::ByPeer { code: Code::DONE, reason: String::new() });
    assert_eq!(other.0.close_reason(), None);
    assert_eq!(a.endpoint.peers().len(), 1);
}

/// A party that was killed and is back says so at the first datagram, instead of leaving its peers to
/// wait for their idle time-out. The kill: its whole runtime is dropped, nothing is sent.
#[test]
fn a_restarted_party_tells_its_peers_that_it_has_forgotten_them() {
    let (a, b) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let list = List::of(&[("city/a", &a), ("city/b", &b)]);
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (world, doomed) = (runtime(), runtime());
    let a = {
        let _in = world.enter();
        Party::new(&a, &list)
    };
    let (address, link) = {
        let b = {
            let _in = doomed.enter();
            Party::new(&b, &list)
        };
        let address = b.addr();
        let serving = b.endpoint.clone();
        doomed.spawn(async move {
            while let Some(link) = serving.accept().await {
                crate::party::echo_link(link).await;
            }
        });
        let link = world.block_on(async {
            let link = a.dial(&b).await;
            assert_eq!(ask(&link, b"alive").await.unwrap(), b"alive");
            link
        });
        // From here on nobody is left who could say good bye.
        doomed.shutdown_timeout(Duration::from_secs(10));
        drop(b);
        (address, link)
    };
    world.block_on(async {
        let endpoint = within(async {
            loop {
                let again =
                    Endpoint::bind(address, &b, list.clone(), Limits::default(), Arc::new(StdSystemTime));
                match again {
                    Ok(endpoint) => break endpoint,
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        })
        .await;
        let start = Instant::now();
        let mut exchange = link.open().await.unwrap();
        exchange.send(b"do you remember me?").await.unwrap();
        assert_eq!(within(link.closed()).await, Closed::Forgotten);
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        drop(endpoint);
    });
}
