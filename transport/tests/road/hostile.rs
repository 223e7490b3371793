//! Peers that break the rules: built by hand on quinn and rustls, never with this crate's own client.
//!
//! Each refusal has its control beside it: the same hand-made peer, honest in that one point, gets in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hibiki_transport::{ALPN, ConnectError, ExchangeError, Identity, Limits, Link};
use rustls::client::{ClientSessionMemoryCache, ClientSessionStore, Resumption};
use rustls::pki_types::ServerName;
use tokio::time::Instant;

use crate::party::{List, MAX, Party, ask, pair, within};
use crate::raw::{Loose, client_tls, deaf_client, knock, quic, raw_client, raw_server};

/// A member made by hand and an echoing party that knows it.
fn member() -> (Loose, Party) {
    let (member, host) = (Loose::new(), Identity::generate().unwrap());
    let host = Party::new(&host, &List::of(&[("city/member", &member.identity())]));
    host.echo();
    (member, host)
}

#[tokio::test]
async fn a_client_with_the_right_certificate_and_the_wrong_key_is_refused() {
    let (member, host) = member();
    let thief = Loose::new();
    let refused = knock(client_tls(Some(member.signed_by(&thief)), &[ALPN]), host.addr()).await;
    assert!(refused.is_err());
    assert_eq!(host.endpoint.peers(), []);
    knock(client_tls(Some(member.signed_by(&member)), &[ALPN]), host.addr()).await.unwrap();
}

#[tokio::test]
async fn a_client_without_certificate_is_refused() {
    let (_, host) = member();
    let refused = knock(client_tls(None, &[ALPN]), host.addr()).await;
    assert!(refused.is_err());
    assert_eq!(host.endpoint.peers(), []);
}

#[tokio::test]
async fn a_client_with_another_protocol_or_none_is_refused() {
    let (member, host) = member();
    let odd: [&[&[u8]]; 3] = [&[], &[b"h3"], &[b"hibiki/2", b"hibiki"]];
    for alpn in odd {
        let refused = knock(client_tls(Some(member.signed_by(&member)), alpn), host.addr()).await;
        assert!(refused.is_err(), "{alpn:?}");
    }
    knock(client_tls(Some(member.signed_by(&member)), &[b"h3", ALPN]), host.addr()).await.unwrap();
}

#[tokio::test]
async fn a_chain_or_a_foreign_kind_of_key_is_refused() {
    let (member, host) = member();
    let chain = member.shown(&[&member.certificate, &Loose::new().certificate], &member);
    assert!(knock(client_tls(Some(chain), &[ALPN]), host.addr()).await.is_err());
    // Not even where the directory would welcome the digest of that key.
    let p256 = Loose::of(&rcgen::PKCS_ECDSA_P256_SHA256);
    let welcome = p256.key();
    let open = Party::new(&Identity::generate().unwrap(), &List::open_door());
    open.echo();
    let refused = knock(client_tls(Some(p256.signed_by(&p256)), &[ALPN]), open.addr()).await;
    assert!(refused.is_err(), "{welcome}");
    knock(client_tls(Some(member.signed_by(&member)), &[ALPN]), open.addr()).await.unwrap();
}

#[tokio::test]
async fn a_server_with_the_right_certificate_and_the_wrong_key_is_refused() {
    let (server, thief, us) = (Loose::new(), Loose::new(), Identity::generate().unwrap());
    let us = Party::new(&us, &List::of(&[("city/server", &server.identity())]));
    let stolen = raw_server(server.signed_by(&thief), ALPN, 0);
    let result = within(us.endpoint.connect(stolen.local_addr().unwrap(), &[server.key()])).await;
    assert!(matches!(result, Err(ConnectError::Closed { .. })), "{result:?}");
    assert_eq!(us.endpoint.peers(), []);
    let honest = raw_server(server.signed_by(&server), ALPN, 0);
    within(us.endpoint.connect(honest.local_addr().unwrap(), &[server.key()])).await.unwrap();
}

#[tokio::test]
async fn a_server_with_another_protocol_is_refused() {
    let (server, us) = (Loose::new(), Identity::generate().unwrap());
    let us = Party::new(&us, &List::of(&[("city/server", &server.identity())]));
    let other = raw_server(server.signed_by(&server), b"h3", 0);
    let result = within(us.endpoint.connect(other.local_addr().unwrap(), &[server.key()])).await;
    assert!(result.is_err(), "{result:?}");
}

/// Counts the tickets a client is given, and those it shows.
#[derive(Debug)]
struct Purse {
    cache: ClientSessionMemoryCache,
    given: AtomicUsize,
    shown: AtomicUsize,
}

impl ClientSessionStore for Purse {
    fn set_kx_hint(&self, name: ServerName<'static>, group: rustls::NamedGroup) {
        self.cache.set_kx_hint(name, group);
    }
    fn kx_hint(&self, name: &ServerName<'_>) -> Option<rustls::NamedGroup> {
        self.cache.kx_hint(name)
    }
    fn set_tls12_session(&self, _: ServerName<'static>, _: rustls::client::Tls12ClientSessionValue) {}
    fn tls12_session(&self, _: &ServerName<'_>) -> Option<rustls::client::Tls12ClientSessionValue> {
        None
    }
    fn remove_tls12_session(&self, _: &ServerName<'static>) {}
    fn insert_tls13_ticket(
        &self,
        name: ServerName<'static>,
        ticket: rustls::client::Tls13ClientSessionValue,
    ) {
        self.given.fetch_add(1, Ordering::SeqCst);
        self.cache.insert_tls13_ticket(name, ticket);
    }
    fn take_tls13_ticket(
        &self,
        name: &ServerName<'static>,
    ) -> Option<rustls::client::Tls13ClientSessionValue> {
        let ticket = self.cache.take_tls13_ticket(name);
        self.shown.fetch_add(usize::from(ticket.is_some()), Ordering::SeqCst);
        ticket
    }
}

#[tokio::test]
async fn nothing_is_resumed_however_hard_the_client_tries() {
    let (member, host) = member();
    let purse = Arc::new(Purse {
        cache: ClientSessionMemoryCache::new(8),
        given: AtomicUsize::new(0),
        shown: AtomicUsize::new(0),
    });
    let mut tls = client_tls(Some(member.signed_by(&member)), &[ALPN]);
    tls.resumption = Resumption::store(purse.clone());
    tls.enable_early_data = true;
    let tickets = || purse.given.load(Ordering::SeqCst);
    let client = quic(tls.clone());

    for _ in 0..3 {
        let asked = host.list.asked();
        let endpoint = raw_client();
        let connecting = endpoint.connect_with(client.clone(), host.addr(), "anything").unwrap();
        let Err(connecting) = connecting.into_0rtt() else { panic!("0-RTT was possible") };
        let connection = within(connecting).await.unwrap();
        // Long enough for a ticket, which would come with the first answer.
        let (mut send, mut recv) = connection.open_bi().await.unwrap();
        send.write_all(b"\0\0\0\x01?").await.unwrap();
        within(recv.read_exact(&mut [0; 5])).await.unwrap();
        assert_eq!(tickets(), 0);
        assert_eq!(host.list.asked(), asked + 2, "judged in the handshake, asked again at the door");
    }

    // A ticket of a server that gives some, carried to ours: it must be judged all the same.
    let generous = raw_server(Loose::new().signed_by(&Loose::new()), ALPN, 4);
    let endpoint = raw_client();
    let connecting =
        endpoint.connect_with(client.clone(), generous.local_addr().unwrap(), "anything").unwrap();
    let _held = within(connecting).await.unwrap();
    within(async {
        while tickets() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let asked = host.list.asked();
    knock(tls.clone(), host.addr()).await.unwrap();
    assert_eq!(host.list.asked(), asked + 2, "the ticket spared the judgement");
    assert_eq!(purse.shown.load(Ordering::SeqCst), 1, "the ticket was not shown: nothing was tested");
    host.list.remove(&member.identity());
    assert!(knock(tls, host.addr()).await.is_err());
}

/// A raw connection of a member to a party that does not echo, and that party's end of it.
async fn raw_link() -> (quinn::Connection, Link, Party) {
    let (member, host) = (Loose::new(), Identity::generate().unwrap());
    let host = Party::new(&host, &List::of(&[("city/member", &member.identity())]));
    let tls = client_tls(Some(member.signed_by(&member)), &[ALPN]);
    let connecting = raw_client().connect_with(quic(tls), host.addr(), "anything").unwrap();
    let (connection, link) = within(async { tokio::join!(connecting, host.endpoint.accept()) }).await;
    (connection.unwrap(), link.unwrap(), host)
}

#[tokio::test]
async fn a_frame_cut_short_is_an_error_and_not_an_end() {
    let (connection, link, _host) = raw_link().await;
    for cut in [&b"\0\0\0\x0aabc"[..], b"\0\0", b"\0\0\0\x01x\0\0\0\x01"] {
        let (mut send, _recv) = connection.open_bi().await.unwrap();
        send.write_all(cut).await.unwrap();
        send.finish().unwrap();
        let mut exchange = within(link.accept()).await.unwrap();
        let mut last = within(exchange.recv(MAX)).await;
        if cut.len() > 8 {
            assert_eq!(last, Ok(Some(b"x".to_vec())));
            last = within(exchange.recv(MAX)).await;
        }
        assert_eq!(last, Err(ExchangeError::Truncated), "{cut:?}");
        assert_eq!(exchange.recv(MAX).await, Err(ExchangeError::Ended));
    }
}

/// Kilobytes of address space of this process. Reserved memory counts, touched or not.
fn address_space() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmPeak:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_length_of_4_gib_reserves_nothing() {
    let (connection, link, _host) = raw_link().await;
    let (mut send, _recv) = connection.open_bi().await.unwrap();
    send.write_all(&[0xff; 4]).await.unwrap();
    send.write_all(&[1; 1000]).await.unwrap();
    let mut exchange = within(link.accept()).await.unwrap();
    let before = address_space();
    let deadline = Duration::from_millis(200);
    let error = exchange.recv_within(usize::MAX, deadline).await.unwrap_err();
    assert_eq!(error, ExchangeError::TimedOut { after: deadline });
    let grown = address_space() - before;
    assert!(grown < 1 << 20, "address space grew by {grown} KiB");
    let error = exchange.recv(MAX).await.unwrap_err();
    assert_eq!(error, ExchangeError::TooLong { length: u64::from(u32::MAX), limit: MAX });
}

#[tokio::test]
async fn who_drips_gains_no_time_and_disturbs_nobody() {
    let (member, friend) = (Loose::new(), Identity::generate().unwrap());
    let host = Identity::generate().unwrap();
    let list =
        List::of(&[("city/member", &member.identity()), ("city/friend", &friend), ("city/host", &host)]);
    let (host, friend) = (Party::new(&host, &list), Party::new(&friend, &list));
    let deadline = Duration::from_millis(400);
    let (done, mut waits) = tokio::sync::mpsc::unbounded_channel();
    let serving = host.endpoint.clone();
    tokio::spawn(async move {
        while let Some(link) = serving.accept().await {
            let done = done.clone();
            tokio::spawn(async move {
                while let Some(mut exchange) = link.accept().await {
                    let done = done.clone();
                    tokio::spawn(async move {
                        let start = Instant::now();
                        match exchange.recv_within(MAX, deadline).await {
                            Ok(Some(frame)) => {
                                let _ = exchange.send(&frame).await;
                                let _ = exchange.finish();
                            }
                            Ok(None) => {}
                            Err(error) => drop(done.send((error, start.elapsed()))),
                        }
                    });
                }
            });
        }
    });
    let tls = client_tls(Some(member.signed_by(&member)), &[ALPN]);
    let connection =
        within(raw_client().connect_with(quic(tls), host.addr(), "anything").unwrap()).await.unwrap();
    // As many as the peer lets us open: one byte every 20 ms each, for ever.
    let mut drips = Vec::new();
    for _ in 0..64 {
        let (mut send, recv) = within(connection.open_bi()).await.unwrap();
        drips.push(tokio::spawn(async move {
            let _recv = recv;
            for byte in [&[0, 0, 4, 0][..], &[7; 1024]].concat() {
                if send.write_all(&[byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }));
    }
    let link = friend.dial(&host).await;
    for n in 0..10u8 {
        let start = Instant::now();
        assert_eq!(ask(&link, &[n]).await.unwrap(), [n]);
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    }
    for _ in 0..64 {
        let (error, waited) = within(waits.recv()).await.unwrap();
        assert_eq!(error, ExchangeError::TimedOut { after: deadline });
        assert!(waited < deadline + Duration::from_secs(1), "{waited:?}");
    }
    for drip in drips {
        within(drip).await.unwrap();
    }
}

#[tokio::test]
async fn half_open_handshakes_keep_nobody_else_out() {
    let (member, host) = member();
    let deaf = deaf_client();
    let tls = quic(client_tls(Some(member.signed_by(&member)), &[ALPN]));
    let half_open: Vec<_> =
        (0..300).map(|_| deaf.connect_with(tls.clone(), host.addr(), "anything").unwrap()).collect();
    // Their first datagrams are out before the honest one.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let start = Instant::now();
    knock(client_tls(Some(member.signed_by(&member)), &[ALPN]), host.addr()).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    drop(half_open);
}

#[tokio::test]
async fn newcomers_who_must_prove_their_address_still_get_in() {
    let (member, host) = (Loose::new(), Identity::generate().unwrap());
    let wary = Limits { retry_above: 0, ..Limits::default() };
    let list = List::of(&[("city/member", &member.identity())]);
    let host = Party::with(&host, &list, wary);
    host.echo();
    knock(client_tls(Some(member.signed_by(&member)), &[ALPN]), host.addr()).await.unwrap();
    // Who cannot receive at the address it claims leaves no trace: its handshake never begins.
    let deaf = deaf_client();
    let tls = quic(client_tls(Some(member.signed_by(&member)), &[ALPN]));
    let _half_open = deaf.connect_with(tls, host.addr(), "anything").unwrap();
    let asked = list.asked();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(list.asked(), asked);
}

#[tokio::test]
async fn who_leaves_mid_handshake_is_forgotten() {
    let (a, b) = pair();
    let link = a.dial(&b).await;
    assert_eq!(ask(&link, b"x").await.unwrap(), b"x");
    let expected = [b.identity.key()];
    for _ in 0..50 {
        let dialling = a.endpoint.connect(b.addr(), &expected);
        let _ = tokio::time::timeout(Duration::from_micros(200), dialling).await;
    }
    assert_eq!(ask(&link, b"y").await.unwrap(), b"y");
    within(async {
        while b.endpoint.peers().len() > 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}
