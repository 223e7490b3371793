//! Distance, loss, cuts and crashes, each with what it must do and what it must leave alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use hibiki_simnet::{EPOCH, Host, LinkOptions, RunError, World};
use hibiki_transport::Closed;

use crate::town::{PORT, Town, ask};

const MS: Duration = Duration::from_millis(1);
const DEADLINE: Duration = Duration::from_secs(5);

#[test]
fn a_question_takes_the_round_trip_and_the_work() {
    let world = World::new(1, LinkOptions::steady(10 * MS));
    let (handshake, warm) = world
        .run(|world| async move {
            let town = Town::new(&world, &["city", "clinic"]);
            let (city, _clinic) = (town.start("city"), town.start_echo("clinic", 3 * MS));
            let start = world.elapsed();
            let link = town.dial(&city, "clinic").await.unwrap();
            let handshake = world.elapsed() - start;
            assert_eq!(ask(&link, b"first", DEADLINE).await.unwrap(), b"first");
            let start = world.elapsed();
            assert_eq!(ask(&link, b"second", DEADLINE).await.unwrap(), b"second");
            (handshake, world.elapsed() - start)
        })
        .unwrap();
    assert!(handshake >= 20 * MS && handshake < 24 * MS, "{handshake:?}");
    assert!(warm >= 23 * MS && warm < 27 * MS, "{warm:?}");
    let trace = world.trace();
    assert_eq!((trace.lost, trace.blocked, trace.duplicated), (0, 0, 0), "{trace:?}");
    assert!(trace.delivered > 10 && trace.bytes > 4000, "{trace:?}");
}

#[test]
fn large_answers_arrive_whole_over_a_bad_line() {
    let bad = LinkOptions::default().losing(50_000).duplicating(30_000).reordering(30_000, 15 * MS);
    let world = World::new(2, bad);
    world
        .run(|world| async move {
            let town = Town::new(&world, &["city", "clinic"]);
            let (city, _clinic) = (town.start("city"), town.start_echo("clinic", MS));
            let link = town.dial(&city, "clinic").await.unwrap();
            let question: Vec<u8> = (0..300_000u32).map(|i| (i % 251) as u8).collect();
            let answer = ask(&link, &question, Duration::from_secs(60)).await.unwrap();
            assert!(answer == question);
        })
        .unwrap();
    let trace = world.trace();
    let share = trace.lost as f64 / trace.sent as f64;
    assert!(share > 0.02 && share < 0.09, "{trace:?}");
    assert!(trace.duplicated > 0 && trace.delivered > trace.sent - trace.lost, "{trace:?}");
}

#[test]
fn a_cut_holds_answers_back_until_it_heals() {
    World::new(3, LinkOptions::default())
        .run(|world| async move {
            let town = Town::new(&world, &["city", "clinic", "school"]);
            let city = town.start("city");
            let _others = [town.start_echo("clinic", MS), town.start_echo("school", MS)];
            let clinic = town.dial(&city, "clinic").await.unwrap();
            let school = town.dial(&city, "school").await.unwrap();
            for one_way in [false, true] {
                let (a, b) = (town.host("city"), town.host("clinic"));
                if one_way {
                    world.cut_one_way(&b, &a);
                } else {
                    world.cut(&a, &b);
                }
                assert_eq!(ask(&clinic, b"?", 2 * 1000 * MS).await, Err("deadline".to_owned()));
                assert_eq!(ask(&school, b"?", DEADLINE).await.unwrap(), b"?", "others are untouched");
                world.heal(&a, &b);
                assert_eq!(ask(&clinic, b"again", DEADLINE).await.unwrap(), b"again", "the link survived");
            }
        })
        .unwrap();
}

#[test]
fn a_long_isolation_ends_every_link_by_its_idle_time_out() {
    World::new(4, LinkOptions::default())
        .run(|world| async move {
            let town = Town::new(&world, &["city", "clinic"]);
            let (city, _clinic) = (town.start("city"), town.start_echo("clinic", MS));
            let link = town.dial(&city, "clinic").await.unwrap();
            assert!(ask(&link, b"?", DEADLINE).await.is_ok());
            // Keep-alives hold it for an hour, which costs no time here.
            world.sleep(Duration::from_secs(3600)).await;
            assert_eq!(link.close_reason(), None);
            world.isolate(&town.host("clinic"));
            let start = world.elapsed();
            assert_eq!(link.closed().await, Closed::Silent);
            let noticed = world.elapsed() - start;
            assert!(noticed > 9 * 1000 * MS && noticed < 16 * 1000 * MS, "{noticed:?}");
            assert!(town.dial(&city, "clinic").await.is_err());
            world.rejoin(&town.host("clinic"));
            let link = town.dial(&city, "clinic").await.unwrap();
            assert!(ask(&link, b"?", DEADLINE).await.is_ok());
        })
        .unwrap();
}

#[test]
fn a_crash_takes_one_host_and_a_restart_tells_its_peers() {
    World::new(5, LinkOptions::default())
        .run(|world| async move {
            let town = Town::new(&world, &["city", "clinic", "school"]);
            let city = town.start("city");
            let clinic = town.start_echo("clinic", 500 * MS);
            let _school = town.start_echo("school", MS);
            let to_clinic = town.dial(&city, "clinic").await.unwrap();
            let to_school = town.dial(&city, "school").await.unwrap();
            assert!(ask(&to_clinic, b"?", DEADLINE).await.is_ok());
            let asking = tokio::spawn({
                let link = to_clinic.clone();
                async move { ask(&link, b"while it works", DEADLINE).await }
            });
            world.sleep(200 * MS).await;
            world.crash(&town.host("clinic"));
            drop(clinic);
            let sent = world.trace().sent;
            assert!(ask(&to_school, b"?", DEADLINE).await.is_ok());
            world.sleep(1000 * MS).await;
            assert_eq!(to_clinic.close_reason(), None, "a crash says no farewell");
            assert!(world.trace().sent > sent);
            assert_eq!(town.host("clinic").socket(PORT).map(drop).ok(), Some(()), "the port is free again");
            // Back with the same key: the next datagram of the old link is answered by a reset.
            let _clinic = town.start_echo("clinic", MS);
            assert_eq!(to_clinic.closed().await, Closed::Forgotten);
            assert!(asking.await.unwrap().is_err());
            let again = town.dial(&city, "clinic").await.unwrap();
            assert_eq!(ask(&again, b"back?", DEADLINE).await.unwrap(), b"back?");
        })
        .unwrap();
}

#[test]
fn a_dead_life_starts_nothing_and_sends_nothing() {
    let world = World::new(6, LinkOptions::default());
    world
        .run(|world| async move {
            let host = world.host("clinic");
            let (old, socket) = (host.runtime(), host.socket(PORT).unwrap());
            assert_eq!(host.socket(PORT).err().unwrap().kind(), std::io::ErrorKind::AddrInUse);
            let (done, result) = tokio::sync::oneshot::channel();
            world.crash(&host);
            old.spawn(Box::pin(async move {
                let _ = done.send(());
            }));
            assert!(result.await.is_err(), "a task ran in a life that was over");
            let transmit = quinn::udp::Transmit {
                destination: host.addr(9),
                ecn: None,
                contents: b"ghost",
                segment_size: None,
                src_ip: None,
            };
            socket.try_send(&transmit).unwrap();
            let new = host.socket(PORT).unwrap();
            drop(socket);
            assert!(host.socket(PORT).is_err(), "the old socket must not unbind the new one");
            new.try_send(&transmit).unwrap();
        })
        .unwrap();
    assert_eq!(world.trace().sent, 1, "only the living socket sent");
}

#[test]
fn a_crash_ends_the_tasks_of_one_life_and_of_no_other() {
    World::new(11, LinkOptions::default())
        .run(|world| async move {
            let ticking = |host: &Host| {
                let (count, world) = (Arc::new(AtomicU32::new(0)), world.clone());
                let ticks = count.clone();
                host.spawn(async move {
                    loop {
                        world.sleep(100 * MS).await;
                        ticks.fetch_add(1, Ordering::SeqCst);
                    }
                });
                move || count.load(Ordering::SeqCst)
            };
            let (clinic, school) = (world.host("clinic"), world.host("school"));
            let (old, other) = (ticking(&clinic), ticking(&school));
            world.sleep(1050 * MS).await;
            world.crash(&clinic);
            let new = ticking(&clinic);
            world.sleep(1040 * MS).await;
            assert_eq!((old(), other(), new()), (10, 20, 10));
        })
        .unwrap();
}

#[test]
fn one_link_can_be_unlike_the_others() {
    World::new(7, LinkOptions::steady(5 * MS))
        .run(|world| async move {
            let town = Town::new(&world, &["city", "far", "near"]);
            let (city, far) = (town.host("city"), town.host("far"));
            world.set_link(&city, &far, LinkOptions::steady(300 * MS));
            let endpoint = town.start("city");
            let _others = [town.start_echo("far", MS), town.start_echo("near", MS)];
            let mut took = Vec::new();
            for name in ["near", "far"] {
                let link = town.dial(&endpoint, name).await.unwrap();
                let start = world.elapsed();
                ask(&link, b"?", DEADLINE).await.unwrap();
                took.push(world.elapsed() - start);
            }
            assert!(took[0] < 20 * MS && took[1] > 305 * MS, "{took:?}");
        })
        .unwrap();
}

#[test]
fn wall_clocks_run_in_virtual_time_and_can_be_wrong() {
    World::new(8, LinkOptions::default())
        .run(|world| async move {
            let host = world.host("clinic");
            let epoch = SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH);
            assert_eq!(host.clock().now(), epoch);
            world.sleep(Duration::from_secs(86_400)).await;
            assert_eq!(host.clock().now(), epoch + Duration::from_secs(86_400));
            host.set_skew(-600_000);
            assert_eq!(host.clock().now(), epoch + Duration::from_secs(85_800));
            host.set_skew(1500);
            assert_eq!(host.clock().now(), epoch + Duration::from_millis(86_401_500));
        })
        .unwrap();
}

#[test]
fn a_world_lives_once_and_does_not_wait_for_ever() {
    let world = World::new(9, LinkOptions::default());
    let stuck = world.run(|_| std::future::pending::<()>());
    assert!(matches!(stuck, Err(RunError::Stuck { seed: 9 })), "{stuck:?}");
    assert!(matches!(world.run(|_| async {}), Err(RunError::HasRun)));
}

#[test]
#[should_panic(expected = "this is the scenario's own")]
fn a_failed_assertion_comes_out() {
    let _ = World::new(10, LinkOptions::default()).run(|_| async { panic!("this is the scenario's own") });
}
