//! What a registration may say, on its way in and out.

use hibiki_protocol::act::Act;
use hibiki_protocol::answer::Answer;
use hibiki_protocol::limits::{ADDRESS_BYTES_MAX, CATEGORIES_MAX, DELIVERIES_MAX, REGISTERED_ALLERGENS_MAX};
use hibiki_protocol::query::{Part, Query};
use hibiki_protocol::registration::*;
use hibiki_protocol::signing::Signed;
use proptest::prelude::*;

use crate::any::{Any, Gen};
use crate::fixture::*;
use crate::samples::*;

/// Codes of J-FAGY's length.
fn allergens(count: usize) -> Vec<RegisteredAllergen> {
    let code = |index: usize| format!("J9F{:09}", index * 7919);
    (0..count).map(|index| RegisteredAllergen { code: code(index), strict: index % 3 == 0 }).collect()
}

/// As much as can be told at once, in bytes that do not compress.
fn fullest() -> Answer {
    let mut g = Gen::new(5);
    let mut address = || hex::encode(g.bytes(ADDRESS_BYTES_MAX / 2));
    let state = RegistrationState {
        address: Some(address()),
        waiting: Some(WaitingAddress { address: address(), ..waiting_address() }),
        others: allergens(REGISTERED_ALLERGENS_MAX),
        allergens: allergens(REGISTERED_ALLERGENS_MAX),
        mails: MailKind::ALL.to_vec(),
        deliveries: vec![delivery(); DELIVERIES_MAX],
        ..registration_state()
    };
    Answer { registration: Some(state), ..told_registration() }
}

/// The longest list, from the holder of a wide grant, travels as every other question does.
#[test]
fn the_longest_change_fits_a_part() {
    let categories: Vec<_> = (0..CATEGORIES_MAX).map(|index| category(&format!("{index:0>10}"))).collect();
    let longest = [
        RegisterAllergens { allergens: allergens(REGISTERED_ALLERGENS_MAX) }.into(),
        RegisterAddress { address: "a".repeat(ADDRESS_BYTES_MAX) }.into(),
    ];
    for change in longest {
        let act: Act = change_registration(change).into();
        let grant = hibiki_protocol::grant::Grant { categories: categories.clone(), ..grant() };
        let query = Query { act: Some(act), categories: Vec::new(), ..query_under(&grant) };
        assert!(Part::seal(&query, &signing(SESSION), &sealing_key(HOSPITAL)).is_ok());
    }
}

#[test]
fn the_fullest_registration_fits_the_common_frame() {
    let fullest = fullest();
    assert!(fullest.registration.as_ref().unwrap().within_limits());
    assert!(Answer::fits_the_common_frame(&Signed::sign(&fullest, &signing(HOSPITAL))));
}

#[test]
fn a_state_beyond_its_bounds_is_seen() {
    let bent = |bend: &dyn Fn(&mut RegistrationState)| {
        let mut state = registration_state();
        bend(&mut state);
        state.within_limits()
    };
    assert!(bent(&|_| {}) && nothing_registered().within_limits());
    assert!(!bent(&|state| state.allergens = allergens(REGISTERED_ALLERGENS_MAX + 1)));
    assert!(!bent(&|state| state.others = allergens(REGISTERED_ALLERGENS_MAX + 1)));
    assert!(!bent(&|state| state.deliveries = vec![delivery(); DELIVERIES_MAX + 1]));
    assert!(!bent(&|state| state.mails = vec![MailKind::Gate; MailKind::ALL.len() + 1]));
    assert!(!bent(&|state| state.address = Some("a".repeat(ADDRESS_BYTES_MAX + 1))));
    assert!(!bent(&|state| {
        state.waiting =
            Some(WaitingAddress { address: "a".repeat(ADDRESS_BYTES_MAX + 1), ..waiting_address() });
    }));
    assert!(!bent(&|state| state.refused = Some(RegistrationRefusal::WrongCode)), "changed and refused");
}

#[test]
fn what_must_not_be_eaten_and_what_must_not_be_mailed_cannot_wait() {
    let protecting: Vec<&str> = registration_changes()
        .into_iter()
        .filter(|(_, change)| change.protects())
        .map(|(name, _)| name)
        .collect();
    assert_eq!(protecting, ["Allergens", "Withdraw"]);
}

proptest! {
    /// Whatever stands in it, nothing personal is printed.
    #[test]
    fn what_is_registered_does_not_print_itself(seed: u64) {
        let mut g = Gen::new(seed);
        let address = format!("x{}y@mail.example", u64::any(&mut g));
        let printed = format!("{:?}", (
            change_registration(RegisterAddress { address: address.clone() }.into()),
            change_registration(ConfirmAddress { code: "271828".to_owned() }.into()),
            change_registration(RegisterAllergens { allergens: allergens(3) }.into()),
            Answer {
                registration: Some(RegistrationState {
                    address: Some(address.clone()),
                    waiting: Some(WaitingAddress { address: address.clone(), ..waiting_address() }),
                    allergens: allergens(3),
                    ..registration_state()
                }),
                ..told_registration()
            },
        ));
        for personal in [address.as_str(), "271828", "J9F"] {
            prop_assert!(!printed.contains(personal), "{}", printed);
        }
    }
}
