//! Single links, watched datagram by datagram.

use std::io::IoSliceMut;
use std::sync::Arc;
use std::time::Duration;

use hibiki_simnet::{Host, LinkOptions, World};
use quinn::AsyncUdpSocket;
use quinn::udp::{RecvMeta, Transmit};

const MS: Duration = Duration::from_millis(1);

fn send(socket: &Arc<dyn AsyncUdpSocket>, to: &Host, contents: &[u8]) {
    let transmit =
        Transmit { destination: to.addr(1), ecn: None, contents, segment_size: None, src_ip: None };
    socket.try_send(&transmit).unwrap();
}

/// Everything that arrives within so much time, as (when, first byte, length).
async fn hear(world: &World, socket: &Arc<dyn AsyncUdpSocket>, time: Duration) -> Vec<(Duration, u8, usize)> {
    let mut heard = Vec::new();
    let listening = async {
        loop {
            let mut buffer = [0; 2000];
            let mut meta = [RecvMeta::default()];
            std::future::poll_fn(|context| {
                socket.poll_recv(context, &mut [IoSliceMut::new(&mut buffer)], &mut meta)
            })
            .await
            .unwrap();
            heard.push((world.elapsed(), buffer[0], meta[0].len));
        }
    };
    let forever: Result<(), _> = tokio::time::timeout(time, listening).await;
    assert!(forever.is_err());
    heard
}

/// Sends 100 numbered datagrams, one a millisecond, over such a link; tells what arrives.
fn a_hundred(seed: u64, options: LinkOptions) -> (Vec<u8>, Vec<Duration>, World) {
    let world = World::new(seed, options);
    let heard = world
        .run(|world| async move {
            let (a, b) = (world.host("a"), world.host("b"));
            let (from, to) = (a.socket(1).unwrap(), b.socket(1).unwrap());
            a.spawn({
                let world = world.clone();
                let b = b.clone();
                async move {
                    for number in 0..100 {
                        send(&from, &b, &[number]);
                        world.sleep(MS).await;
                    }
                    // The socket must outlive what it sent.
                    world.sleep(1000 * MS).await;
                }
            });
            hear(&world, &to, 800 * MS).await
        })
        .unwrap();
    (heard.iter().map(|h| h.1).collect(), heard.iter().map(|h| h.0).collect(), world)
}

#[test]
fn a_link_is_a_queue_however_it_jitters() {
    let (numbers, times, _) = a_hundred(1, LinkOptions { jitter: 30 * MS, ..LinkOptions::default() });
    assert_eq!(numbers, (0..100).collect::<Vec<u8>>());
    let steps: std::collections::BTreeSet<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.len() > 3, "no jitter: {steps:?}");
}

#[test]
fn only_what_is_held_back_is_overtaken() {
    let options = LinkOptions::steady(10 * MS).reordering(100_000, 30 * MS);
    let (numbers, times, _) = a_hundred(2, options);
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..100).collect::<Vec<u8>>(), "nothing is lost");
    assert_ne!(numbers, sorted, "nothing was overtaken");
    let late = numbers.iter().zip(&times).filter(|(n, at)| **at > MS * u32::from(**n) + 12 * MS).count();
    assert!((4..20).contains(&late), "{late} of 100 held back");
}

#[test]
fn a_duplicate_comes_twice_and_a_lost_one_never() {
    let (numbers, _, world) = a_hundred(3, LinkOptions::default().duplicating(200_000));
    let trace = world.trace();
    assert!((8..40).contains(&trace.duplicated), "{trace:?}");
    assert_eq!(numbers.len() as u64, 100 + trace.duplicated);
    let (numbers, _, world) = a_hundred(4, LinkOptions::default().losing(200_000));
    let trace = world.trace();
    assert!((8..40).contains(&trace.lost), "{trace:?}");
    assert_eq!(numbers.len() as u64, 100 - trace.lost);
}

#[test]
fn a_narrow_link_sends_one_after_the_other_and_drops_what_would_wait_too_long() {
    // Ten milliseconds each; the first goes at once, and twenty wait for no longer than 200 ms.
    let options = LinkOptions::steady(5 * MS).narrow(10_000);
    let world = World::new(8, options);
    let heard = world
        .run(|world| async move {
            let (a, b) = (world.host("a"), world.host("b"));
            let (from, to) = (a.socket(1).unwrap(), b.socket(1).unwrap());
            for number in 0..50 {
                send(&from, &b, &[number; 100]);
            }
            hear(&world, &to, 1000 * MS).await
        })
        .unwrap();
    let numbers: Vec<u8> = heard.iter().map(|h| h.1).collect();
    assert_eq!(numbers, (0..21).collect::<Vec<u8>>());
    let times: Vec<Duration> = heard.iter().map(|h| h.0).collect();
    assert!((15 * MS..=17 * MS).contains(&times[0]), "{times:?}");
    assert!((200 * MS..=202 * MS).contains(&(times[20] - times[0])), "{times:?}");
    assert_eq!(world.trace().blocked, 29);
}

#[test]
fn a_calmed_world_has_no_faults_and_no_links_unlike_the_others() {
    let heard = World::new(9, LinkOptions::default().losing(1_000_000))
        .run(|world| async move {
            let (a, b, c) = (world.host("a"), world.host("b"), world.host("c"));
            let (from, to) = (a.socket(1).unwrap(), b.socket(1).unwrap());
            world.cut(&a, &b);
            world.isolate(&c);
            world.set_link(&a, &b, LinkOptions::default().losing(1_000_000));
            world.calm(LinkOptions::steady(5 * MS));
            send(&from, &b, &[1]);
            send(&c.socket(1).unwrap(), &b, &[2]);
            hear(&world, &to, 100 * MS).await
        })
        .unwrap();
    assert_eq!(heard.iter().map(|h| h.1).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn what_one_link_carries_does_not_change_the_fate_on_another() {
    let options = LinkOptions::default().losing(300_000);
    let heard = |noise: bool| {
        World::new(5, options)
            .run(|world| async move {
                let (a, b, c) = (world.host("a"), world.host("b"), world.host("c"));
                let (from, to, other) = (a.socket(1).unwrap(), b.socket(1).unwrap(), c.socket(1).unwrap());
                for number in 0..100 {
                    if noise {
                        send(&other, &b, b"noise");
                        send(&from, &c, b"noise");
                    }
                    send(&from, &b, &[number, 0]);
                }
                let heard = hear(&world, &to, 500 * MS).await;
                heard.into_iter().filter(|h| h.2 == 2).collect::<Vec<_>>()
            })
            .unwrap()
    };
    assert_eq!(heard(false), heard(true));
}

#[test]
fn too_long_for_the_link_is_lost_and_batches_are_cut_into_datagrams() {
    let world = World::new(6, LinkOptions { mtu: 1000, ..LinkOptions::default() });
    let heard = world
        .run(|world| async move {
            let (a, b) = (world.host("a"), world.host("b"));
            let (from, to) = (a.socket(1).unwrap(), b.socket(1).unwrap());
            send(&from, &b, &[1; 1000]);
            send(&from, &b, &[2; 1001]);
            let batch = Transmit {
                destination: b.addr(1),
                ecn: None,
                contents: &[3; 250],
                segment_size: Some(100),
                src_ip: None,
            };
            from.try_send(&batch).unwrap();
            hear(&world, &to, 500 * MS).await
        })
        .unwrap();
    let seen: Vec<_> = heard.iter().map(|h| (h.1, h.2)).collect();
    assert_eq!(seen, [(1, 1000), (3, 100), (3, 100), (3, 50)]);
    assert_eq!(world.trace().blocked, 1);
}

#[test]
fn an_inbox_that_nobody_reads_fills_up() {
    let world = World::new(7, LinkOptions::default());
    let heard = world
        .run(|world| async move {
            let (a, b) = (world.host("a"), world.host("b"));
            let (from, to) = (a.socket(1).unwrap(), b.socket(1).unwrap());
            for _ in 0..5000 {
                send(&from, &b, b"x");
            }
            world.sleep(500 * MS).await;
            hear(&world, &to, 500 * MS).await.len()
        })
        .unwrap();
    assert_eq!(heard, 4096);
    assert_eq!(world.trace().blocked, 5000 - 4096);
}

#[test]
fn a_cut_takes_what_is_on_its_way() {
    let world = World::new(8, LinkOptions::steady(50 * MS));
    let heard = world
        .run(|world| async move {
            let (a, b, c) = (world.host("a"), world.host("b"), world.host("c"));
            let (from, to, other) = (a.socket(1).unwrap(), b.socket(1).unwrap(), c.socket(1).unwrap());
            send(&from, &b, b"1 will be cut");
            send(&other, &b, b"2 goes another way");
            world.sleep(20 * MS).await;
            world.cut(&a, &b);
            send(&from, &b, b"3 does not start");
            world.sleep(40 * MS).await;
            world.heal(&a, &b);
            send(&from, &b, b"4 is free again");
            hear(&world, &to, 500 * MS).await
        })
        .unwrap();
    assert_eq!(heard.iter().map(|h| h.1).collect::<Vec<_>>(), *b"24");
    assert_eq!(world.trace().blocked, 2);
}
