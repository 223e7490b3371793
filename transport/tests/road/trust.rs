//! Who gets a link and who does not.

use std::time::Duration;

use tokio::time::Instant;

use hibiki_transport::{Admission, Closed, Code, ConnectError, Identity, Limits, Peer, PeerKey};

use crate::party::{List, PATIENCE, Party, ask, linked, pair, two, within};

#[tokio::test]
async fn both_sides_know_whom_they_talk_to() {
    let (a, b, dialled, accepted) = two().await;
    let peer =
        |identity: &Identity, name: &str| Peer { key: identity.key(), admission: Admission::member(name) };
    assert_eq!(*dialled.peer(), peer(&b.identity, "city/b"));
    assert_eq!(*accepted.peer(), peer(&a.identity, "city/a"));
    assert_eq!(accepted.remote_address(), a.addr());
    assert_eq!((dialled.carrier(), a.endpoint.peers().len(), b.endpoint.peers().len()), ("quic", 1, 1));
}

#[tokio::test]
async fn both_ends_export_the_same_key_and_every_link_another() {
    let (a, b, dialled, accepted) = two().await;
    let label = b"EXPORTER-Channel-Binding";
    let key = dialled.export_key(label, b"").unwrap();
    assert_eq!(accepted.export_key(label, b"").unwrap(), key);
    assert_ne!(dialled.export_key(label, b"context").unwrap(), key);
    let (again, _held) = linked(&a, &b).await;
    assert_ne!(again.export_key(label, b"").unwrap(), key);
}

#[tokio::test]
async fn exchanges_run_in_both_directions_over_one_link() {
    let (_a, _b, dialled, accepted) = two().await;
    tokio::spawn(crate::party::echo_link(dialled.clone()));
    tokio::spawn(crate::party::echo_link(accepted.clone()));
    assert_eq!(ask(&dialled, b"to the hospital").await.unwrap(), b"to the hospital");
    assert_eq!(ask(&accepted, b"to who dialled").await.unwrap(), b"to who dialled");
}

#[tokio::test]
async fn an_unknown_client_is_refused() {
    let (_, b) = pair();
    let stranger = Identity::generate().unwrap();
    let stranger = Party::new(&stranger, &List::of(&[("city/b", &b.identity)]));
    // TLS 1.3: the dialler may believe in its link for a moment, yet never gets an answer.
    if let Ok(link) = within(stranger.endpoint.connect(b.addr(), &[b.identity.key()])).await {
        assert!(ask(&link, b"let me in").await.is_err());
        let closed = within(link.closed()).await;
        assert!(matches!(closed, Closed::RefusedByPeer { .. }), "{closed}");
    }
    assert_eq!(b.endpoint.peers(), []);
}

#[tokio::test]
async fn a_server_with_another_key_is_refused() {
    let (a, b) = pair();
    let expected = Identity::generate().unwrap().key();
    let error = within(a.endpoint.connect(b.addr(), &[expected])).await.unwrap_err();
    assert_eq!(error, ConnectError::WrongKey { address: b.addr(), shown: b.identity.key() });
    let error = within(a.endpoint.connect(b.addr(), &[])).await.unwrap_err();
    assert_eq!(error, ConnectError::NothingExpected { address: b.addr() });
}

#[tokio::test]
async fn either_of_the_present_and_the_next_key_will_do() {
    let (a, b) = pair();
    let other = Identity::generate().unwrap().key();
    for expected in [[other, b.identity.key()], [b.identity.key(), other]] {
        let link = within(a.endpoint.connect(b.addr(), &expected)).await.unwrap();
        assert_eq!(ask(&link, b"hello").await.unwrap(), b"hello");
    }
}

#[tokio::test]
async fn the_expected_server_is_refused_once_the_trust_list_refuses_it() {
    let (a, b) = pair();
    a.list.remove(&b.identity);
    let error = within(a.endpoint.connect(b.addr(), &[b.identity.key()])).await.unwrap_err();
    assert_eq!(error, ConnectError::NotAdmitted { address: b.addr(), key: b.identity.key() });
}

#[tokio::test]
async fn a_new_trust_list_takes_effect_at_the_next_handshake() {
    let (a, b) = pair();
    let late = Identity::generate().unwrap();
    let late = Party::new(&late, &a.list);
    let refused = within(late.endpoint.connect(b.addr(), &[b.identity.key()])).await;
    if let Ok(link) = refused {
        assert!(ask(&link, b"too early").await.is_err());
    }
    b.list.put("city/late", &late.identity);
    let asked = b.list.asked();
    assert_eq!(ask(&late.dial(&b).await, b"now").await.unwrap(), b"now");
    assert!(b.list.asked() > asked);
}

#[tokio::test]
async fn guests_are_admitted_where_the_directory_says_so() {
    let (host, guest) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let host = Party::new(&host, &List::open_door());
    let guest = Party::with(&guest, &List::of(&[("city/host", &host.identity)]), Limits::dial_only());
    let (link, accepted) = linked(&guest, &host).await;
    assert_eq!(accepted.peer().admission, Admission::Guest);
    assert_eq!(link.peer().admission.member_id(), Some("city/host"));
}

#[tokio::test]
async fn who_only_dials_cannot_be_dialled() {
    let (a, b) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let list = List::of(&[("city/a", &a), ("city/b", &b)]);
    let hasty = Limits { handshake: Duration::from_millis(300), ..Limits::default() };
    let (a, b) = (Party::with(&a, &list, hasty), Party::with(&b, &list, Limits::dial_only()));
    let error = within(a.endpoint.connect(b.addr(), &[b.identity.key()])).await;
    assert!(error.is_err(), "{error:?}");
}

#[tokio::test]
async fn a_removed_member_is_thrown_out_within_a_second() {
    let (a, b, dialled, accepted) = two().await;
    let (c, bystander) = (Identity::generate().unwrap(), List::of(&[("city/b", &b.identity)]));
    b.list.put("city/c", &c);
    let c = Party::new(&c, &bystander);
    let (_c_link, c_accepted) = linked(&c, &b).await;

    let mut under_way = dialled.open().await.unwrap();
    under_way.send(b"question").await.unwrap();
    b.list.remove(&a.identity);
    let start = Instant::now();
    assert_eq!(b.endpoint.sweep(), 1);
    let closed = within(dialled.closed()).await;
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(closed, Closed::ByPeer { code: Code::NOT_ADMITTED, reason: String::new() });
    assert_eq!(accepted.close_reason(), Some(Closed::Here));
    assert!(under_way.recv(10).await.is_err());
    assert_eq!(c_accepted.close_reason(), None, "others are not disturbed");
    assert_eq!(b.endpoint.peers().len(), 1);

    // And it does not come back.
    if let Ok(link) = within(a.endpoint.connect(b.addr(), &[b.identity.key()])).await {
        assert!(matches!(within(link.closed()).await, Closed::RefusedByPeer { .. }));
    }
}

#[tokio::test]
async fn a_member_admitted_under_another_name_must_come_anew() {
    let (a, b, dialled, _accepted) = two().await;
    assert_eq!(b.endpoint.sweep(), 0, "nothing has changed");
    b.list.put("city/a-renamed", &a.identity);
    assert_eq!(b.endpoint.sweep(), 1);
    within(dialled.closed()).await;
    let (_again, accepted) = linked(&a, &b).await;
    assert_eq!(accepted.peer().admission.member_id(), Some("city/a-renamed"));
}

#[tokio::test]
async fn one_key_can_be_closed_alone() {
    let (a, b, dialled, accepted) = two().await;
    assert_eq!(b.endpoint.close(&PeerKey::from_bytes([0; 32])), 0);
    assert_eq!(b.endpoint.close(&a.identity.key()), 1);
    assert!(matches!(within(dialled.closed()).await, Closed::ByPeer { code: Code::NOT_ADMITTED, .. }));
    assert!(accepted.accept().await.is_none());
}

#[tokio::test]
async fn one_key_cannot_hoard_links() {
    let (a, b) = (Identity::generate().unwrap(), Identity::generate().unwrap());
    let list = List::of(&[("city/a", &a), ("city/b", &b)]);
    let a = Party::new(&a, &list);
    let b = Party::with(&b, &list, Limits { links_per_key: 3, ..Limits::default() });
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(linked(&a, &b).await);
    }
    let link = a.dial(&b).await;
    assert_eq!(within(link.closed()).await, Closed::ByPeer { code: Code::BUSY, reason: String::new() });
    drop(held.pop());
    tokio::time::timeout(PATIENCE, async {
        while b.endpoint.peers().len() > 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    let (link, _accepted) = linked(&a, &b).await;
    assert_eq!(link.close_reason(), None);
}
