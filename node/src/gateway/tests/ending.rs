//! When a session ends before its time, every institution is told, whatever ended it.

use hibiki_protocol::frames::{Declined, LeaveSessionEnds, SessionClosed, SessionEndsKept};
use hibiki_protocol::session_end::SealedSessionEnd;

use super::*;
use crate::links::fixtures::session_end;
use crate::observe::board::SessionEndsStatus;

const ALL: [&str; 3] = ["city", "clinic", "school"];

impl City {
    /// Marks of the ends brought to an institution.
    fn brought(&self, name: &str) -> Vec<u8> {
        let fake = if name == "city" { &self.own } else { &self.members[name].1 };
        let ends = fake.ends.lock().unwrap();
        assert!(ends.iter().all(|end| *end == session_end(name, end.key_id.0[0])), "as they were left");
        ends.iter().map(|end| end.key_id.0[0]).collect()
    }

    fn figures(&self) -> SessionEndsStatus {
        self.node.board.snapshot(0).session_ends
    }

    async fn renew(&self, guardian: &Terminal) {
        opened(guardian, self.statement(guardian, challenge(guardian).await)).await.unwrap();
    }
}

async fn leave(terminal: &Terminal, ends: Vec<SealedSessionEnd>) -> Result<u64, Refusal> {
    match terminal.put(&Request::LeaveSessionEnds(LeaveSessionEnds { ends })).await.unwrap() {
        Reply::SessionEndsKept(SessionEndsKept { kept, .. }) => Ok(kept),
        Reply::Declined(Declined { refusal, .. }) => Err(refusal),
        other => panic!("{other:?}"),
    }
}

async fn leave_all(terminal: &Terminal, mark: u8) {
    let ends = ALL.map(|name| session_end(name, mark)).to_vec();
    assert_eq!(leave(terminal, ends).await, Ok(3));
}

/// Confirmed and outstanding.
async fn close(terminal: &Terminal) -> (u64, u64) {
    match terminal.put(&Request::CloseSession(CloseSession { version: 1 })).await.unwrap() {
        Reply::SessionClosed(SessionClosed { confirmed, outstanding, .. }) => {
            (confirmed.unwrap(), outstanding.unwrap())
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn taking_the_card_away_tells_everybody() {
    let city = city().await;
    let guardian = city.guardian().await;
    leave_all(&guardian, 1).await;
    assert_eq!(city.figures().kept, 3);
    assert!(ALL.iter().all(|name| city.brought(name).is_empty()), "not while the session is open");
    assert_eq!(close(&guardian).await, (3, 0));
    for name in ALL {
        assert_eq!(city.brought(name), [1], "{name}");
    }
    assert_eq!(close(&guardian).await, (0, 0), "once");
    assert_eq!((city.figures().kept, city.figures().outstanding), (0, 0));
}

#[tokio::test]
async fn a_terminal_that_vanishes_tells_everybody_through_its_gateway() {
    let city = city().await;
    let guardian = city.guardian().await;
    leave_all(&guardian, 1).await;
    guardian.link.close(Code::DONE, "");
    for name in ALL {
        until("told", || city.brought(name) == [1]).await;
    }
    until("no session", || city.gateway.sessions() == 0).await;
}

#[tokio::test]
async fn a_gateway_that_stops_tells_everybody() {
    let city = city().await;
    let guardians = [city.guardian().await, city.guardian().await];
    for (guardian, mark) in guardians.iter().zip([1, 2]) {
        leave_all(guardian, mark).await;
    }
    within(city.gateway.farewell()).await;
    for name in ALL {
        let mut brought = city.brought(name);
        brought.sort_unstable();
        assert_eq!(brought, [1, 2], "{name}");
    }
    assert_eq!(city.gateway.sessions(), 0);
}

#[tokio::test]
async fn an_institution_that_is_down_is_told_when_it_is_back() {
    let mut city = city().await;
    let guardian = city.guardian().await;
    leave_all(&guardian, 1).await;
    let (school, _) = city.members.remove("school").unwrap();
    school.end().await;
    until("noticed", || !city.node.links.up(&id("school"))).await;
    let began = Instant::now();
    assert_eq!(close(&guardian).await, (2, 1));
    assert!(began.elapsed() >= Duration::from_millis(400), "it waited for the last one");
    assert_eq!(city.figures().outstanding, 1);
    let plan = city.plans.iter().find(|plan| plan.name == "school").unwrap();
    let fake = FakeResponder::new(Mode::Answer);
    let school = Node::responder(plan, &city.council, &fake).await;
    city.members.insert("school", (school, fake));
    until("told", || city.brought("school") == [1]).await;
    until("nothing is outstanding", || city.figures().outstanding == 0).await;
}

#[tokio::test]
async fn busy_institutions_are_told_again_and_what_cannot_get_better_is_given_up() {
    let city = city().await;
    let say = |name: &str, refusal| *city.fake(name).end_refusal.lock().unwrap() = refusal;
    let guardian = city.guardian().await;
    leave_all(&guardian, 1).await;
    say("clinic", Some(Refusal::Busy));
    say("school", Some(Refusal::Malformed));
    assert_eq!(close(&guardian).await, (1, 2));
    until("again", || city.brought("clinic").len() > 1).await;
    assert_eq!(city.brought("school"), [1]);
    say("clinic", None);
    until("nothing is outstanding", || city.figures().outstanding == 0).await;
    assert_eq!(city.brought("school"), [1]);
    // One that says that the session's time is over answers nothing more under it.
    say("school", Some(Refusal::Expired));
    let guardian = city.guardian().await;
    leave_all(&guardian, 2).await;
    assert_eq!(close(&guardian).await, (3, 0));
}

#[tokio::test]
async fn without_a_deposit_nothing_is_told() {
    let city = city().await;
    let guardian = city.guardian().await;
    assert_eq!(close(&guardian).await, (0, 0));
    let guardian = city.guardian().await;
    guardian.link.close(Code::DONE, "");
    until("no session", || city.gateway.sessions() == 0).await;
    assert!(ALL.iter().all(|name| city.brought(name).is_empty()));
}

#[tokio::test]
async fn a_second_deposit_replaces_the_first_and_a_renewal_keeps_both() {
    let city = city().await;
    let guardian = city.guardian().await;
    leave_all(&guardian, 1).await;
    leave_all(&guardian, 2).await;
    assert_eq!(city.figures().kept, 3);
    city.renew(&guardian).await;
    assert!(ALL.iter().all(|name| city.brought(name).is_empty()), "what is under way goes on");
    leave_all(&guardian, 3).await;
    assert_eq!(city.figures().kept, 6);
    // The keys of the first statement are two statements old: they are ended at once.
    city.renew(&guardian).await;
    until("the oldest", || ALL.iter().all(|name| city.brought(name) == [2])).await;
    assert_eq!(close(&guardian).await, (3, 0));
    assert!(ALL.iter().all(|name| city.brought(name) == [2, 3]));
}

#[tokio::test]
async fn a_session_that_ended_by_its_time_is_not_told() {
    let city = city().await;
    *city.registry.lifetime.lock().unwrap() = Some(700);
    let guardian = city.guardian().await;
    leave_all(&guardian, 1).await;
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(leave(&guardian, Vec::new()).await, Err(Refusal::Expired));
    assert_eq!(close(&guardian).await, (0, 0));
    assert!(ALL.iter().all(|name| city.brought(name).is_empty()));
}

#[tokio::test]
async fn only_what_a_session_may_leave_is_kept() {
    let city = city().await;
    let nobody = city.terminal().await;
    assert_eq!(leave(&nobody, vec![session_end("clinic", 1)]).await, Err(Refusal::Unauthorized));
    let guardian = city.guardian().await;
    let twice = vec![session_end("clinic", 1), session_end("clinic", 2)];
    assert_eq!(leave(&guardian, twice).await, Err(Refusal::Malformed));
    for bytes in [0, SealedSessionEnd::CIPHERTEXT_BYTES - 1, SealedSessionEnd::CIPHERTEXT_BYTES + 1] {
        let mut odd = session_end("clinic", 1);
        odd.sealed.ciphertext.resize(bytes, 0);
        assert_eq!(leave(&guardian, vec![odd]).await, Err(Refusal::Malformed), "{bytes} bytes");
    }
    let many = |count: usize| (0..count).map(|n| session_end(&format!("m{n}"), 1)).collect();
    assert_eq!(leave(&guardian, many(limits::VIEW_PARTS_MAX + 1)).await, Err(Refusal::Malformed));
    assert_eq!(leave(&guardian, many(limits::VIEW_PARTS_MAX)).await, Ok(0), "no institution answers there");
    assert_eq!(leave(&guardian, vec![session_end("clinic", 4), session_end("m1", 4)]).await, Ok(1));
    let room = city.gateway.0.courier.room_for(limits::SESSION_ENDS_HELD_MAX - 1).unwrap();
    assert_eq!(leave(&guardian, vec![session_end("clinic", 5)]).await, Err(Refusal::Busy));
    drop(room);
    assert_eq!(close(&guardian).await, (1, 0));
    assert_eq!(city.brought("clinic"), [4], "what was refused replaces nothing");
}
