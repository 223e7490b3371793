//! The node's way to a mail relay, tried at a real SMTP server in every mood: what each means for the letter, and that
//! a letter that was put off arrives under the name it had before.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use hibiki_node::config::{Mail, MailTls};
use hibiki_node::mail::compose::{self, Writer};
use hibiki_node::mail::retry::Fault;
use hibiki_node::mail::{Letter, LetterId, LetterKind, Relay as _, Smtp};
use hibiki_tests::post_office::{Mood, PostOffice};
use tokio::runtime::Runtime;

/// 2026-11-26T09:00:00Z.
const NOW: u64 = 1_795_683_600_000;

struct Desk {
    office: PostOffice,
    runtime: Runtime,
    _folder: tempfile::TempDir,
}

impl Desk {
    /// `None`, said loudly, where no SMTP server is installed.
    fn open() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let office = PostOffice::open(folder.path()).unwrap()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Some(Self { office, runtime, _folder: folder })
    }

    fn settings(&self) -> Mail {
        Mail {
            host: "127.0.0.1".to_owned(),
            port: self.office.port(),
            tls: MailTls::StartTls,
            ca_file: Some(self.office.certificate()),
            user: Some("school".to_owned()),
            password_file: Some(self.office.password_file().unwrap()),
            from: "もみじ小学校 <noreply@momiji.example>".to_owned(),
            reply_to: None,
            timeout_seconds: 1,
            at_once: 1,
        }
    }

    fn send(&self, relay: &Smtp, n: u8) -> Result<(), Fault> {
        let message = compose::message(&writer(), &letter(n), NOW).unwrap();
        self.runtime.block_on(relay.send(message))
    }

    /// Names of what was delivered, in its order.
    fn names(&self) -> Vec<String> {
        self.office.letters().into_iter().map(|letter| letter.id).collect()
    }
}

fn writer() -> Writer {
    Writer { from: "もみじ小学校 <noreply@momiji.example>".parse().unwrap(), reply_to: None }
}

fn letter(n: u8) -> Letter {
    Letter {
        id: LetterId::from_bytes([n; 16]),
        subject_key: None,
        guardian: None,
        kind: LetterKind::Allergy,
        lunch: None,
        to: format!("hanako{n}@example.jp"),
        title: "明日の給食のお知らせ（アレルギー）: 花子さん、鶏卵を含む献立があります".to_owned(),
        text: "明日の給食に「鶏卵」が含まれます。\n.\n..\nFrom here on\n".to_owned(),
        html: "<p>明日の給食に「鶏卵」が含まれます。</p>".to_owned(),
        send_by: None,
    }
}

fn name(n: u8) -> String {
    compose::message_id(&writer(), &letter(n))
}

#[test]
fn each_mood_means_what_it_means_and_the_letter_arrives_under_its_name() {
    let Some(desk) = Desk::open() else { return };
    let relay = Smtp::new(desk.settings());
    let moods = [
        (Mood::Greylist, Fault::Deferred),
        (Mood::Deferred, Fault::Deferred),
        (Mood::Drop, Fault::Connection),
        (Mood::Stall, Fault::Timeout),
        (Mood::Busy, Fault::Connection),
        (Mood::Closed, Fault::Refused),
        (Mood::Locked, Fault::LogIn),
        (Mood::Stranger, Fault::Refused),
    ];
    for (n, (mood, fault)) in (1..).zip(moods) {
        desk.office.be(&mood).unwrap();
        // What can only be seen at the beginning of a conversation is tried in a new one.
        desk.runtime.block_on(relay.rest());
        assert_eq!(desk.send(&relay, n), Err(fault), "{mood:?}");
        assert!(!desk.names().contains(&name(n)), "{mood:?}");
        assert!(!fault.is_final(), "{mood:?}: it is tried again");
        desk.office.be(&Mood::Ok).unwrap();
        assert_eq!(desk.send(&relay, n), Ok(()), "after {mood:?}");
        assert_eq!(desk.names().last(), Some(&name(n)), "after {mood:?}");
    }
    let arrived = desk.office.letters().remove(0);
    let written = letter(1);
    assert_eq!((arrived.subject, arrived.to), (written.title, written.to));
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&arrived.text), lines(&written.text), "dots and all");
    assert_eq!(arrived.html.trim(), written.html);
    assert_eq!(arrived.from, "もみじ小学校 <noreply@momiji.example>");
}

#[test]
fn only_a_refused_recipient_or_message_ends_a_letter_and_the_next_one_goes() {
    let Some(desk) = Desk::open() else { return };
    let relay = Smtp::new(desk.settings());
    desk.office.be(&Mood::Reject("hanako1@example.jp".to_owned())).unwrap();
    assert_eq!(desk.send(&relay, 1), Err(Fault::Rejected));
    assert_eq!(desk.send(&relay, 2), Ok(()), "over the same connection");
    desk.office.be(&Mood::TooBig).unwrap();
    assert_eq!(desk.send(&relay, 3), Err(Fault::Rejected));
    desk.office.be(&Mood::Ok).unwrap();
    assert_eq!(desk.send(&relay, 4), Ok(()));
    assert_eq!(desk.names(), [name(2), name(4)]);
    assert_eq!(desk.office.conversations(), 1);
}

#[test]
fn what_was_taken_without_a_word_comes_twice_under_one_name() {
    let Some(desk) = Desk::open() else { return };
    let relay = Smtp::new(desk.settings());
    desk.office.be(&Mood::Forget).unwrap();
    assert_eq!(desk.send(&relay, 1), Err(Fault::Connection));
    desk.office.be(&Mood::Ok).unwrap();
    assert_eq!(desk.send(&relay, 1), Ok(()));
    assert_eq!(desk.names(), [name(1), name(1)]);
}

#[test]
fn a_slow_relay_is_waited_for_and_a_silent_one_is_not() {
    let Some(desk) = Desk::open() else { return };
    let relay = Smtp::new(desk.settings());
    desk.office.be(&Mood::Slow(Duration::from_millis(600))).unwrap();
    assert_eq!(desk.send(&relay, 1), Ok(()));
    desk.office.be(&Mood::Slow(Duration::from_secs(5))).unwrap();
    assert_eq!(desk.send(&relay, 2), Err(Fault::Timeout));
}

#[test]
fn a_relay_that_went_away_and_came_back_is_found_again() {
    let Some(mut desk) = Desk::open() else { return };
    let relay = Smtp::new(desk.settings());
    assert_eq!(desk.send(&relay, 1), Ok(()));
    // The open connection dies with it; that says nothing about the next letter.
    desk.office.stop();
    assert_eq!(desk.send(&relay, 2), Err(Fault::Connection));
    desk.office.start().unwrap();
    assert_eq!(desk.send(&relay, 2), Ok(()));
    desk.office.stop();
    desk.office.start().unwrap();
    assert_eq!(desk.send(&relay, 3), Ok(()), "over a new connection, without a failure between");
    assert_eq!(desk.names(), [name(1), name(2), name(3)]);
}

#[test]
fn nothing_is_sent_to_a_relay_that_cannot_prove_itself_or_will_not_hide_it() {
    let Some(desk) = Desk::open() else { return };
    let unknown = Smtp::new(Mail { ca_file: None, ..desk.settings() });
    assert_eq!(desk.send(&unknown, 1), Err(Fault::Tls));
    let other_name = Smtp::new(Mail { host: "localhost".to_owned(), ..desk.settings() });
    assert_eq!(desk.send(&other_name, 1), Err(Fault::Tls), "the certificate names 127.0.0.1");
    let wrong_file = Smtp::new(Mail { ca_file: Some("/nowhere.pem".into()), ..desk.settings() });
    assert_eq!(desk.send(&wrong_file, 1), Err(Fault::Tls));
    let plain = Smtp::new(Mail { tls: MailTls::None, ..desk.settings() });
    assert_eq!(desk.send(&plain, 1), Err(Fault::LogIn), "this one wants TLS first");
    let no_password = Smtp::new(Mail { password_file: Some("/nowhere".into()), ..desk.settings() });
    assert_eq!(desk.send(&no_password, 1), Err(Fault::LogIn));
    assert_eq!(desk.names(), Vec::<String>::new());
}

#[test]
fn whoever_tries_the_relay_reads_its_own_words() {
    let Some(desk) = Desk::open() else { return };
    let relay = Smtp::new(desk.settings());
    let try_out =
        || desk.runtime.block_on(relay.try_out(compose::message(&writer(), &letter(1), NOW).unwrap()));
    assert_eq!(try_out(), Ok("250 2.0.0 Delivered".to_owned()));
    desk.office.be(&Mood::Stranger).unwrap();
    assert!(try_out().unwrap_err().contains("Not a sender of ours"));
    desk.office.be(&Mood::Reject("hanako1@example.jp".to_owned())).unwrap();
    assert!(try_out().unwrap_err().contains("No such user here"));
}
