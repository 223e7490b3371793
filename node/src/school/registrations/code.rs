//! The code that confirms an address: six digits by mail, kept as a keyed digest.

use hibiki_protocol::ids::GuardianAlias;
use hibiki_protocol::registration::RegistrationRefusal;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::institution::Means;
use crate::mail::{Letter, LetterId, LetterKind};

/// How long a code is taken, in milliseconds: a day.
const VALID_MS: u64 = 24 * 3600 * 1000;
/// Wrong codes until it is void.
const TRIES_MAX: u8 = 5;
/// Codes mailed in a day, at most, for one guardian and child: nobody floods a mailbox through us.
const CODES_A_DAY: usize = 3;
/// A day, in milliseconds.
const DAY_MS: u64 = 24 * 3600 * 1000;
/// Six digits.
const CODES: u32 = 1_000_000;

/// An address whose code has not come back.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) address: String,
    /// Keyed digest of the code.
    code: [u8; 16],
    pub(super) until: u64,
    tries: u8,
}

impl Waiting {
    /// Whether a code can still confirm it.
    pub(super) const fn is_open(&self, now: u64) -> bool {
        now < self.until && self.tries < TRIES_MAX
    }
}

/// What a code that came back does.
pub(super) enum Checked {
    /// It is right: the address is confirmed.
    Right(String),
    /// It is wrong; the state to keep.
    Wrong(Option<Waiting>, RegistrationRefusal),
}

/// Whether another code may be mailed; `codes` are the times of the last ones, old ones are dropped.
pub(super) fn may_mail(codes: &mut Vec<u64>, now: u64) -> bool {
    codes.retain(|at| now.abs_diff(*at) < DAY_MS);
    codes.len() < CODES_A_DAY
}

/// A new code for an address, and the letter that brings it.
pub(super) fn issue(
    means: &Means,
    school: &str,
    (subject, guardian): (&[u8; 16], &GuardianAlias),
    address: &str,
) -> (Waiting, Letter) {
    let code = digits(means);
    let until = means.now().0.saturating_add(VALID_MS);
    let letter = Letter {
        // Each code is a letter of its own.
        id: LetterId::from_bytes(means.env.random()),
        subject_key: Some(*subject),
        guardian: Some(*guardian),
        kind: LetterKind::Code,
        lunch: None,
        to: address.to_owned(),
        title: "響き: メールアドレスの確認番号 / confirmation code".to_owned(),
        text: format!(
            "{school} のお知らせメールの確認番号は\n\n　　{code}\n\nです。カードで開いた画面に、24時間以内に入れてください。\n心当たりがないときは、このメールを捨ててください。何も起こりません。\n\nYour confirmation code is {code}. Enter it on the page within 24 hours.\nIf you did not ask for it, ignore this mail.\n"
        ),
        html: format!(
            "<!DOCTYPE html><html lang=\"ja\"><head><meta charset=\"utf-8\"></head><body><p>お知らせメールの確認番号は</p><p style=\"font-size: 2em; letter-spacing: 0.2em\"><strong>{code}</strong></p><p>です。カードで開いた画面に、24時間以内に入れてください。心当たりがないときは、このメールを捨ててください。何も起こりません。</p><p lang=\"en\">Your confirmation code is {code}. Enter it on the page within 24 hours. If you did not ask for it, ignore this mail.</p></body></html>"
        ),
        send_by: Some(until),
    };
    let waiting =
        Waiting { address: address.to_owned(), code: kept(means, subject, guardian, &code), until, tries: 0 };
    (waiting, letter)
}

/// Compares a code that came back.
pub(super) fn check(
    means: &Means,
    (subject, guardian): (&[u8; 16], &GuardianAlias),
    waiting: Option<Waiting>,
    code: &str,
) -> Checked {
    let Some(waiting) = waiting.filter(|waiting| means.now().0 < waiting.until) else {
        return Checked::Wrong(None, RegistrationRefusal::NoCode);
    };
    if waiting.tries >= TRIES_MAX {
        return Checked::Wrong(Some(waiting), RegistrationRefusal::TooManyTries);
    }
    let typed: String =
        code.chars().filter_map(|digit| digit.to_digit(10).and_then(|it| char::from_digit(it, 10))).collect();
    if bool::from(kept(means, subject, guardian, &typed).ct_eq(&waiting.code)) {
        return Checked::Right(waiting.address);
    }
    let tries = waiting.tries + 1;
    let refusal =
        if tries >= TRIES_MAX { RegistrationRefusal::TooManyTries } else { RegistrationRefusal::WrongCode };
    Checked::Wrong(Some(Waiting { tries, ..waiting }), refusal)
}

fn kept(means: &Means, subject: &[u8; 16], guardian: &GuardianAlias, code: &str) -> [u8; 16] {
    means.vault.index("registration code", &[subject.as_slice(), &guardian.0, code.as_bytes()].concat())
}

/// Six digits, each code as likely as any other.
fn digits(means: &Means) -> String {
    loop {
        let random = u32::from_be_bytes(means.env.random::<4>());
        if random < u32::MAX - u32::MAX % CODES {
            return format!("{:06}", random % CODES);
        }
    }
}
