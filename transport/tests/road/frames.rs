//! Frames and the ways an exchange can end.

use std::time::Duration;

use tokio::time::Instant;

use hibiki_transport::{Closed, Code, ExchangeError};

use crate::party::{MAX, ask, is_reset, pair, two, within};

#[tokio::test]
async fn frames_of_every_size_arrive_whole_and_in_order() {
    let (a, b) = pair();
    let link = a.dial(&b).await;
    let mut exchange = link.open().await.unwrap();
    for size in [0, 1, 3, 4, 5, 1199, 1 << 14, 70_000, MAX] {
        let frame: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
        let (sent, got) = {
            let (mut sender, mut receiver) = exchange.into_halves();
            let (sent, got) = within(async { tokio::join!(sender.send(&frame), receiver.recv(MAX)) }).await;
            exchange = link.open().await.unwrap();
            (sent, got)
        };
        sent.unwrap();
        assert_eq!(got.unwrap().unwrap(), frame, "{size}");
    }
}

#[tokio::test]
async fn the_end_comes_after_the_last_frame() {
    let (_a, _b, dialled, accepted) = two().await;
    let mut asking = dialled.open().await.unwrap();
    for n in 0..5u8 {
        asking.send(&[n]).await.unwrap();
    }
    asking.finish().unwrap();
    assert_eq!(asking.send(b"more").await, Err(ExchangeError::Ended));
    let mut answering = accepted.accept().await.unwrap();
    for n in 0..5u8 {
        assert_eq!(answering.recv(1).await.unwrap(), Some(vec![n]));
    }
    assert_eq!(answering.recv(1).await, Ok(None));
    assert_eq!(answering.recv(1).await, Ok(None));
    let (mut sender, _receiver) = asking.into_halves();
    within(sender.delivered()).await.unwrap();
}

#[tokio::test]
async fn a_frame_over_the_limit_is_refused_and_its_sender_told() {
    let (_a, _b, dialled, accepted) = two().await;
    let mut asking = dialled.open().await.unwrap();
    asking.send(&[0; 1001]).await.unwrap();
    let mut answering = accepted.accept().await.unwrap();
    let error = answering.recv(1000).await.unwrap_err();
    assert_eq!(error, ExchangeError::TooLong { length: 1001, limit: 1000 });
    assert_eq!(answering.recv(5000).await, Err(ExchangeError::Ended), "what follows is no frame");
    within(asking.abandoned()).await;
    let error = asking.send(b"next").await.unwrap_err();
    assert!(is_reset(&error, Code::TOO_LONG), "{error}");
    assert!(answering.send(b"an error message can still be sent").await.is_ok());
}

#[tokio::test]
async fn dropping_an_exchange_cancels_it_at_the_other_side() {
    let (_a, _b, dialled, accepted) = two().await;
    let mut asking = dialled.open().await.unwrap();
    asking.send(b"a long question").await.unwrap();
    let mut answering = accepted.accept().await.unwrap();
    assert!(answering.recv(MAX).await.unwrap().is_some());
    let abandoned = answering.abandoned();
    drop(asking);
    within(abandoned).await;
    let error = within(answering.recv(MAX)).await.unwrap_err();
    assert!(is_reset(&error, Code::CANCELLED), "{error}");
    let error = answering.send(b"nobody listens").await.unwrap_err();
    assert!(is_reset(&error, Code::CANCELLED), "{error}");
    assert_eq!(dialled.close_reason(), None, "the link lives on");
}

#[tokio::test]
async fn a_reset_carries_its_code() {
    let (_a, _b, dialled, accepted) = two().await;
    let mut asking = dialled.open().await.unwrap();
    asking.send(b"?").await.unwrap();
    let answering = accepted.accept().await.unwrap();
    answering.reset(Code::new(777));
    let error = within(asking.recv(MAX)).await.unwrap_err();
    assert!(is_reset(&error, Code::new(777)), "{error}");
}

#[tokio::test]
async fn a_silent_peer_costs_the_deadline_and_no_more() {
    let (_a, _b, dialled, accepted) = two().await;
    let mut asking = dialled.open().await.unwrap();
    asking.send(b"?").await.unwrap();
    let mut answering = accepted.accept().await.unwrap();
    let start = Instant::now();
    let within_ms = Duration::from_millis(150);
    let error = asking.recv_within(MAX, within_ms).await.unwrap_err();
    assert_eq!(error, ExchangeError::TimedOut { after: within_ms });
    assert!(start.elapsed() >= within_ms);
    // Late is not lost: reading may go on.
    answering.send(b"late").await.unwrap();
    assert_eq!(within(asking.recv(MAX)).await.unwrap().unwrap(), b"late");
}

#[tokio::test]
async fn giving_up_a_read_in_the_middle_of_a_frame_loses_nothing() {
    let (_a, _b, dialled, accepted) = two().await;
    let frame: Vec<u8> = (0..3 * MAX).map(|i| (i % 249) as u8).collect();
    let mut asking = dialled.open().await.unwrap();
    let sent = frame.clone();
    let sending = tokio::spawn(async move {
        asking.send(&sent).await.unwrap();
        asking.finish().unwrap();
        asking
    });
    let mut answering = accepted.accept().await.unwrap();
    let mut tries = 0;
    let got = loop {
        tries += 1;
        match answering.recv_within(3 * MAX, Duration::from_micros(300)).await {
            Ok(got) => break got.unwrap(),
            Err(ExchangeError::TimedOut { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    };
    assert!(got == frame);
    assert!(tries > 1, "the frame came too fast to test anything");
    drop(sending.await.unwrap());
}

#[tokio::test]
async fn a_peer_that_does_not_read_costs_the_deadline_and_no_more() {
    let (_a, _b, dialled, accepted) = two().await;
    let mut asking = dialled.open().await.unwrap();
    let (frame, within_ms) = (vec![0; 8 * MAX], Duration::from_millis(200));
    let error = asking.send_within(&frame, within_ms).await.unwrap_err();
    assert_eq!(error, ExchangeError::TimedOut { after: within_ms });
    assert_eq!(asking.send(b"x").await, Err(ExchangeError::Ended), "it would be read as the frame's rest");
    assert_eq!(asking.finish(), Err(ExchangeError::Ended), "half a frame must not look finished");
    drop(asking);
    let mut answering = accepted.accept().await.unwrap();
    let error = within(answering.recv(16 * MAX)).await.unwrap_err();
    assert!(is_reset(&error, Code::CANCELLED), "{error}");
}

#[tokio::test]
async fn a_closed_link_ends_its_exchanges_with_the_reason() {
    let (_a, _b, dialled, accepted) = two().await;
    let mut asking = dialled.open().await.unwrap();
    asking.send(b"?").await.unwrap();
    accepted.close(Code::new(300), "good bye\u{1b}[31m\n");
    let closed = within(dialled.closed()).await;
    let expected = Closed::ByPeer { code: Code::new(300), reason: "good bye\\u{1b}[31m\\n".to_owned() };
    assert_eq!(closed, expected);
    assert_eq!(within(asking.recv(MAX)).await, Err(ExchangeError::Link(expected.clone())));
    assert_eq!(dialled.open().await.unwrap_err(), expected);
    assert!(dialled.accept().await.is_none());
}

#[tokio::test]
async fn more_exchanges_than_allowed_wait_for_their_turn() {
    let (a, b) = pair();
    let link = a.dial(&b).await;
    let many: Vec<_> = (0..200u32)
        .map(|n| {
            let link = link.clone();
            tokio::spawn(async move { ask(&link, &n.to_be_bytes()).await.unwrap() == n.to_be_bytes() })
        })
        .collect();
    for one in many {
        assert!(within(one).await.unwrap());
    }
    assert_eq!(a.endpoint.exchanges(), 0);
}
