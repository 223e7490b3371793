//! Holds: at once here, soon everywhere, never forgotten.

use std::collections::BTreeMap;
use std::sync::Mutex;

use hibiki_protocol::hold::{HoldReceipt, SealedHoldNotice};
use hibiki_protocol::ids::GuardianAlias;
use hibiki_protocol::policy::Hold;
use hibiki_protocol::signing::Signed;
use hibiki_protocol::token::AudienceKey;

use super::super::delivery::{DeliveryFailure, HoldDelivery};
use super::super::hold::HoldStanding;
use super::super::{HoldProposal, RegistryError};
use super::*;
use crate::holds::Holds;
use crate::responder::HoldKeeper as _;
use crate::services::Pending;

/// Carries notices to the institutions' own hold tables, unless they are cut off.
struct Post {
    holds: BTreeMap<MemberId, Holds>,
    cut_off: Mutex<Vec<MemberId>>,
    carried: Mutex<Vec<(MemberId, SealedHoldNotice)>>,
    /// Whose receipts come from somebody else.
    forged: Mutex<Option<MemberId>>,
}

impl Post {
    fn new(town: &Town) -> Self {
        let holds = ["city-hall", "clinic", "school"].map(|name| (id(name), Holds::new(town.means(name))));
        Self {
            holds: holds.into_iter().collect(),
            cut_off: Mutex::default(),
            carried: Mutex::default(),
            forged: Mutex::default(),
        }
    }

    fn holds_of(&self, member: &str, child: &str) -> Vec<Hold> {
        let key = AudienceKey::derive(&[9; 32], &id(member));
        self.holds[&id(member)].for_subject(&key.pseudonym(child)).unwrap()
    }
}

impl HoldDelivery for Post {
    fn deliver<'a>(
        &'a self,
        member: &'a MemberId,
        notice: SealedHoldNotice,
    ) -> Pending<'a, Result<Signed<HoldReceipt>, DeliveryFailure>> {
        Box::pin(async move {
            if self.cut_off.lock().unwrap().contains(member) {
                return Err(DeliveryFailure::Unreachable);
            }
            self.carried.lock().unwrap().push((member.clone(), notice.clone()));
            if self.forged.lock().unwrap().as_ref() == Some(member) {
                let receipt =
                    HoldReceipt { institution: member.clone(), notice: Digest::ZERO, at: Timestamp(0) };
                return Ok(Signed::sign(&receipt, &SigningKey::from_seed(&[99; 32])));
            }
            let stored = self.holds[member].store(&id("city-hall"), notice).await;
            stored.map_err(|declined| DeliveryFailure::Refused(declined.refusal.to_string()))
        })
    }
}

fn against(guardian: Option<&str>) -> HoldProposal {
    HoldProposal {
        child: number("D"),
        guardian: guardian.map(number),
        reference: "支援措置 R8-1".into(),
        review_by: day("2027-03-31"),
    }
}

fn alias(member: &str, guardian: &str) -> GuardianAlias {
    AudienceKey::derive(&[9; 32], &id(member)).alias(guardian)
}

#[tokio::test]
async fn a_held_child_is_absent_at_once_and_everybody_is_told() {
    let mut world = World::new().await;
    let post = Post::new(&world.town);
    world.guardian("M", "D").await;
    assert_eq!(world.may_act_for().await.len(), 2);
    let order = world.registry.place_hold(against(Some("M")), "Sato").await.unwrap();
    assert_eq!(world.may_act_for().await.len(), 1, "one clerk suffices: protection does not wait");
    let round = world.registry.deliver_round(&post).await.unwrap();
    assert_eq!(round.outstanding, 0);
    let carried: Vec<MemberId> =
        post.carried.lock().unwrap().iter().map(|(member, _)| member.clone()).collect();
    assert_eq!(carried, ["city-hall", "clinic", "school"].map(id));
    let sizes: Vec<usize> =
        post.carried.lock().unwrap().iter().map(|(_, notice)| notice.sealed.ciphertext.len()).collect();
    assert!(sizes.iter().all(|size| *size == sizes[0]), "all notices have one size");
    for member in ["city-hall", "clinic", "school"] {
        assert_eq!(post.holds_of(member, "D"), [Hold { guardian: Some(alias(member, "M")) }]);
        assert!(post.holds_of(member, "S").is_empty());
    }
    let listed = world.registry.list_holds(false).unwrap();
    assert_eq!(listed[0].order.id, order.id);
    assert!(listed[0].members.iter().all(|at| at.acknowledged == Some(NOW)));
    world.registry.deliver_round(&post).await.unwrap();
    assert_eq!(post.carried.lock().unwrap().len(), 3, "what is acknowledged is not sent again");
}

#[tokio::test]
async fn the_other_guardian_keeps_access_unless_all_are_meant() {
    let mut world = World::new().await;
    world.guardian("M", "D").await;
    world.registry.place_hold(against(Some("F")), "Sato").await.unwrap();
    assert_eq!(world.may_act_for().await.len(), 2);
    world.registry.place_hold(against(None), "Sato").await.unwrap();
    assert_eq!(world.may_act_for().await.len(), 1);
}

#[tokio::test]
async fn lifting_takes_two_clerks_and_is_told_to_everybody() {
    let mut world = World::new().await;
    let post = Post::new(&world.town);
    world.guardian("M", "D").await;
    let order = world.registry.place_hold(against(None), "Sato").await.unwrap();
    world.registry.deliver_round(&post).await.unwrap();
    world.registry.lift_hold(&order.id, "Sato").await.unwrap();
    assert_eq!(world.may_act_for().await.len(), 1, "asking is not lifting");
    assert_eq!(world.registry.lift_hold(&order.id, "sato").await.unwrap_err(), RegistryError::SameClerk);
    world.town.clock.advance(200 * 24 * 3600 * 1000);
    let listed = world.registry.list_holds(false).unwrap();
    assert_eq!(listed[0].standing, HoldStanding::LiftAwaitsSecondClerk, "time lifts nothing");
    assert_eq!(post.holds_of("clinic", "D").len(), 1);
    world.registry.lift_hold(&order.id, "Tanaka").await.unwrap();
    world.registry.deliver_round(&post).await.unwrap();
    for member in ["city-hall", "clinic", "school"] {
        assert!(post.holds_of(member, "D").is_empty());
    }
    assert!(world.registry.list_holds(false).unwrap().is_empty());
    assert_eq!(world.registry.list_holds(true).unwrap()[0].standing, HoldStanding::Lifted);
}

#[tokio::test]
async fn whoever_is_cut_off_is_told_later_and_is_red_until_then() {
    let world = World::new().await;
    let post = Post::new(&world.town);
    post.cut_off.lock().unwrap().push(id("school"));
    let order = world.registry.place_hold(against(None), "Sato").await.unwrap();
    let round = world.registry.deliver_round(&post).await.unwrap();
    assert_eq!((round.outstanding, round.wait.as_millis()), (1, 1000));
    let red = |world: &World| -> Vec<String> {
        let listed = world.registry.list_holds(false).unwrap();
        let members = listed[0].members.iter().filter(|at| at.acknowledged.is_none());
        members.map(|at| at.member.clone()).collect()
    };
    assert_eq!(red(&world), ["maebashi/school"]);
    post.cut_off.lock().unwrap().clear();
    world.registry.deliver_round(&post).await.unwrap();
    assert_eq!(red(&world), ["maebashi/school"], "not before its time");
    world.town.clock.advance(1000);
    assert_eq!(world.registry.deliver_round(&post).await.unwrap().outstanding, 0);
    assert!(red(&world).is_empty());
    assert!(world.registry.lift_hold(&order.id, "Sato").await.is_ok());
}

#[tokio::test]
async fn a_clock_that_was_ahead_does_not_make_anybody_wait() {
    let world = World::new().await;
    let post = Post::new(&world.town);
    post.cut_off.lock().unwrap().push(id("school"));
    world.town.clock.advance(600_000);
    world.registry.place_hold(against(None), "Sato").await.unwrap();
    assert_eq!(world.registry.deliver_round(&post).await.unwrap().outstanding, 1);
    post.cut_off.lock().unwrap().clear();
    world.town.clock.set_back(600_000);
    assert_eq!(world.registry.deliver_round(&post).await.unwrap().outstanding, 0);
}

#[tokio::test]
async fn a_lifted_hold_never_overtakes_itself() {
    let world = World::new().await;
    let post = Post::new(&world.town);
    post.cut_off.lock().unwrap().extend([id("school"), id("clinic")]);
    let order = world.registry.place_hold(against(None), "Sato").await.unwrap();
    world.registry.deliver_round(&post).await.unwrap();
    world.registry.lift_hold(&order.id, "Sato").await.unwrap();
    world.registry.lift_hold(&order.id, "Tanaka").await.unwrap();
    post.cut_off.lock().unwrap().clear();
    world.town.clock.advance(60_000);
    assert_eq!(world.registry.deliver_round(&post).await.unwrap().outstanding, 0);
    for member in ["city-hall", "clinic", "school"] {
        assert!(post.holds_of(member, "D").is_empty());
    }
    let (_, first) = post.carried.lock().unwrap()[0].clone();
    let late = post.holds[&id("city-hall")].store(&id("city-hall"), first).await.unwrap_err();
    assert_eq!(late.refusal, hibiki_protocol::query::Refusal::Replayed, "an old notice changes nothing");
    assert!(post.holds_of("city-hall", "D").is_empty());
}

#[tokio::test]
async fn a_receipt_must_be_the_institutions_own() {
    let world = World::new().await;
    let post = Post::new(&world.town);
    *post.forged.lock().unwrap() = Some(id("clinic"));
    world.registry.place_hold(against(None), "Sato").await.unwrap();
    assert_eq!(world.registry.deliver_round(&post).await.unwrap().outstanding, 1);
}

#[tokio::test]
async fn a_new_member_is_told_of_holds_in_force_and_a_new_key_gets_a_new_notice() {
    let world = World::new().await;
    let post = Post::new(&world.town);
    world.town.next_list(|list| {
        let school = list.members.iter_mut().find(|member| member.id == id("school")).unwrap();
        school.roles = vec![hibiki_protocol::trust::Role::Witness];
    });
    world.registry.place_hold(against(None), "Sato").await.unwrap();
    assert_eq!(world.registry.deliver_round(&post).await.unwrap().outstanding, 0);
    assert_eq!(post.carried.lock().unwrap().len(), 2);
    world.town.next_list(|list| {
        let school = list.members.iter_mut().find(|member| member.id == id("school")).unwrap();
        school.roles = vec![hibiki_protocol::trust::Role::Responder];
    });
    assert_eq!(world.registry.deliver_round(&post).await.unwrap().outstanding, 0);
    assert_eq!(post.holds_of("school", "D"), [Hold { guardian: None }]);
}

#[tokio::test]
async fn who_is_back_is_told_that_a_hold_was_lifted_meanwhile() {
    let world = World::new().await;
    let post = Post::new(&world.town);
    let schools_role = |role| {
        world.town.next_list(|list| {
            let school = list.members.iter_mut().find(|member| member.id == id("school")).unwrap();
            school.roles = vec![role];
        });
    };
    let order = world.registry.place_hold(against(None), "Sato").await.unwrap();
    assert_eq!(world.registry.deliver_round(&post).await.unwrap().outstanding, 0);
    schools_role(hibiki_protocol::trust::Role::Witness);
    world.registry.lift_hold(&order.id, "Sato").await.unwrap();
    world.registry.lift_hold(&order.id, "Tanaka").await.unwrap();
    assert_eq!(world.registry.deliver_round(&post).await.unwrap().outstanding, 0);
    let listed = world.registry.list_holds(true).unwrap();
    let red = listed[0].members.iter().filter(|at| at.acknowledged.is_none());
    assert_eq!(red.map(|at| at.member.as_str()).collect::<Vec<_>>(), ["maebashi/school"]);
    assert_eq!(post.holds_of("school", "D").len(), 1);
    schools_role(hibiki_protocol::trust::Role::Responder);
    assert_eq!(world.registry.deliver_round(&post).await.unwrap().outstanding, 0);
    assert!(post.holds_of("school", "D").is_empty());
    let listed = world.registry.list_holds(true).unwrap();
    assert!(listed[0].members.iter().all(|at| at.acknowledged.is_some()));
}

#[tokio::test]
async fn a_full_disk_takes_holds_from_the_reserve() {
    let mut world = World::new().await;
    let post = Post::new(&world.town);
    world.guardian("M", "D").await;
    for house in world.town.houses.values() {
        house.store.set_low_space(true);
    }
    let person = resident("N", "新田 花", "ニッタ ハナ", "2020-01-01", "2");
    assert!(world.registry.enter(&person, "Sato").await.is_err(), "the disk is full");
    world.registry.place_hold(against(None), "Sato").await.unwrap();
    assert_eq!(world.registry.deliver_round(&post).await.unwrap().outstanding, 0);
    assert_eq!(post.holds_of("clinic", "D").len(), 1);
    assert_eq!(world.may_act_for().await.len(), 1);
}
