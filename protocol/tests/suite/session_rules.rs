//! A session is bound to its gateway, its connection, its challenge, its trust list and its keys.

use hibiki_protocol::cbor;
use hibiki_protocol::ids::{Digest, FederationId};
use hibiki_protocol::limits::{CLOCK_SKEW_MILLIS, SESSION_MILLIS_MAX, VIEW_PARTS_MAX};
use hibiki_protocol::session::{
    AudienceSessionKey, Binding, BoundStatement, OpenSession, SessionRefusal, SessionStatement, card_message,
    session_keys_root,
};
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::tlog::{Frontier, leaf_hash, node_hash};

use crate::fixture::*;
use crate::samples::*;

fn bind_open(open: &OpenSession) -> Result<BoundStatement, SessionRefusal> {
    let (federation, gateway) = (federation(), id("city-hall"));
    let binding = Binding {
        federation: &federation,
        gateway: &gateway,
        epoch: 7,
        list_digest: accepted().digest(),
        challenge: [0x91; 32],
        exporter: [0x92; 32],
    };
    open.bind(&binding, NOW)
}

fn bind(statement: &SessionStatement) -> Result<(), SessionRefusal> {
    bind_open(&open_session_of(statement)).map(|_| ())
}

fn with_keys(keys: Vec<AudienceSessionKey>) -> OpenSession {
    let statement = SessionStatement { session_keys_root: session_keys_root(&keys), ..statement() };
    OpenSession { keys, ..open_session_of(&statement) }
}

#[test]
fn a_right_statement_is_bound() {
    let bound = bind_open(&open_session()).unwrap();
    assert_eq!(bound.statement(), &statement());
    assert_eq!(bound.ends(), statement().not_after);
}

#[test]
fn each_field_that_does_not_belong_here_has_its_refusal() {
    let wrong = [
        (SessionStatement { version: 2, ..statement() }, SessionRefusal::Malformed),
        (
            SessionStatement { federation: FederationId::new("takasaki").unwrap(), ..statement() },
            SessionRefusal::WrongBinding,
        ),
        (SessionStatement { gateway: id("chuo-hospital"), ..statement() }, SessionRefusal::WrongBinding),
        (SessionStatement { exporter: [0x93; 32], ..statement() }, SessionRefusal::WrongBinding),
        (SessionStatement { challenge: [0x93; 32], ..statement() }, SessionRefusal::Challenge),
        (SessionStatement { epoch: 6, ..statement() }, SessionRefusal::TrustList),
        (SessionStatement { epoch: 8, ..statement() }, SessionRefusal::TrustList),
        (SessionStatement { list_digest: Digest([1; 32]), ..statement() }, SessionRefusal::TrustList),
        (SessionStatement { session_keys_root: Digest([1; 32]), ..statement() }, SessionRefusal::Malformed),
    ];
    for (statement, refusal) in wrong {
        assert_eq!(bind(&statement), Err(refusal), "{statement:?}");
    }
}

#[test]
fn a_session_lasts_ten_minutes_at_most_whatever_the_terminals_clock_says() {
    let lasting = |issued: u64, not_after: u64| {
        let times =
            SessionStatement { issued: Timestamp(issued), not_after: Timestamp(not_after), ..statement() };
        bind_open(&open_session_of(&times)).map(|bound| bound.ends().0)
    };
    let (now, most, skew) = (NOW.0, SESSION_MILLIS_MAX, CLOCK_SKEW_MILLIS);
    assert_eq!(lasting(now, now + most), Ok(now + most));
    assert_eq!(lasting(now - skew, now - skew + most), Ok(now - skew + most));
    assert_eq!(lasting(now + skew, now + skew + most), Ok(now + most), "a clock ahead gains nothing");
    for (issued, not_after) in [
        (now, now),
        (now, now + most + 1),
        (now + skew + 1, now + skew + 2),
        (now - most, now),
        (now + 9, now + 3),
        (0, u64::MAX),
    ] {
        assert_eq!(lasting(issued, not_after), Err(SessionRefusal::Time), "{issued} {not_after}");
    }
}

#[test]
fn the_keys_are_the_ones_the_card_signed() {
    let mut swapped = open_session();
    swapped.keys[0].key = signing(0x77).verifying_key();
    assert_eq!(bind_open(&swapped).unwrap_err(), SessionRefusal::Malformed);
    let mut fewer = open_session();
    fewer.keys.pop();
    assert_eq!(bind_open(&fewer).unwrap_err(), SessionRefusal::Malformed);
    let mut reordered = open_session();
    reordered.keys.reverse();
    assert!(bind_open(&reordered).is_ok(), "their order means nothing");
}

/// Promise 2: no session key is shared by two institutions.
#[test]
fn one_key_for_two_institutions_is_refused_and_so_are_two_keys_for_one() {
    let key =
        |name: &str, seed: u8| AudienceSessionKey { audience: id(name), key: signing(seed).verifying_key() };
    let shared = vec![key("chuo-hospital", 1), key("dai-ichi-school", 1)];
    assert_eq!(bind_open(&with_keys(shared)).unwrap_err(), SessionRefusal::Malformed);
    let doubled = vec![key("chuo-hospital", 1), key("chuo-hospital", 2)];
    assert_eq!(bind_open(&with_keys(doubled)).unwrap_err(), SessionRefusal::Malformed);
    assert!(bind_open(&with_keys(vec![key("chuo-hospital", 1), key("dai-ichi-school", 2)])).is_ok());
}

#[test]
fn more_keys_than_a_view_has_parts_are_refused() {
    let keys = |count: usize| -> Vec<AudienceSessionKey> {
        let key = |index: usize| {
            let mut seed = [0; 32];
            seed[..8].copy_from_slice(&index.to_le_bytes());
            hibiki_protocol::signing::SigningKey::from_seed(&seed).verifying_key()
        };
        (0..count)
            .map(|index| AudienceSessionKey { audience: id(&format!("m{index}")), key: key(index) })
            .collect()
    };
    assert!(bind_open(&with_keys(keys(VIEW_PARTS_MAX))).is_ok());
    assert_eq!(bind_open(&with_keys(keys(VIEW_PARTS_MAX + 1))).unwrap_err(), SessionRefusal::Malformed);
}

#[test]
fn what_is_no_statement_is_malformed() {
    for statement in [Vec::new(), vec![0xa0], vec![0xff], vec![0; 4096]] {
        let open = OpenSession { statement, ..open_session() };
        assert_eq!(bind_open(&open).unwrap_err(), SessionRefusal::Malformed);
    }
}

/// RFC 6962 section 2.1, by hand: two leaves, sorted by institution.
#[test]
fn the_root_over_the_keys_is_an_rfc_6962_tree() {
    let leaves: Vec<_> = session_keys().iter().map(|key| leaf_hash(&cbor::encode(key))).collect();
    let mut reversed = session_keys();
    reversed.reverse();
    let root = node_hash(&leaves[0], &leaves[1]).0;
    assert_eq!(session_keys_root(&session_keys()).0, root);
    assert_eq!(session_keys_root(&reversed).0, root);
    assert_eq!(session_keys_root(&[]).0, Frontier::new().root().0);
}

#[test]
fn the_card_signs_under_a_label_of_its_own() {
    let message = card_message(b"statement");
    assert_eq!(message, b"hibiki/1/session-statement\0statement");
}
