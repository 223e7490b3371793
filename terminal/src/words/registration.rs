//! What is registered at a school, in words.

use hibiki_protocol::outcome::Outcome;
use hibiki_protocol::registration::{
    Delivery, DeliveryState, MailKind, RegisteredAllergen, RegistrationChange, RegistrationRefusal,
};

use hibiki_records::words::tidy;

use super::history::not_supported;
use super::{Words, not_known, words};
use crate::history::Proof;
use crate::registration::{RegistrationPart, read};

/// A registered allergen.
pub fn allergen(one: &RegisteredAllergen) -> Words {
    let Some((allergen, _)) = read(one) else { return words(tidy(&one.code), tidy(&one.code)) };
    let label = allergen.label();
    if one.strict {
        words(format!("{}（より厳しい除去）", label.ja), format!("{} (stricter removal)", label.en))
    } else {
        words(label.ja, label.en)
    }
}

/// What a mail is about.
pub fn kind(kind: MailKind) -> Words {
    match kind {
        MailKind::Allergy => words("給食のアレルギー", "allergens in the school lunch"),
        MailKind::Notice => words("お知らせ", "notices"),
        MailKind::HandIn => words("提出物", "things to hand in"),
        MailKind::Gate => words("登下校", "arrival and leaving"),
        MailKind::Event => words("行事", "events"),
        MailKind::Code => words("確認番号", "confirmation code"),
    }
}

/// How a mail stands, and what to do.
pub fn delivery(delivery: &Delivery) -> Words {
    match delivery.state {
        DeliveryState::Waiting => words("送信待ち", "waiting to be sent"),
        DeliveryState::Delayed => {
            words("まだ送れていません（送り直します）", "not sent yet; it is tried again")
        }
        DeliveryState::Sent => words("送信ずみ", "sent"),
        DeliveryState::Failed => {
            words("送れませんでした。学校に確かめてください", "could not be sent; please ask the school")
        }
    }
}

/// What was to be changed.
pub fn change(change: &RegistrationChange) -> Words {
    match change {
        RegistrationChange::Allergens(_) => words("アレルギーの登録", "the registration of allergens"),
        RegistrationChange::Address(_) => words("メールアドレスの登録", "the registration of the address"),
        RegistrationChange::Confirm(_) => words("メールアドレスの確認", "the confirmation of the address"),
        RegistrationChange::Withdraw(_) => words("メールアドレスの取り消し", "the withdrawal of the address"),
        RegistrationChange::Mails(_) => words("受け取るメールの変更", "the choice of mails"),
    }
}

/// Why a change was not made, and what to do.
pub fn refusal(refusal: RegistrationRefusal) -> Words {
    match refusal {
        RegistrationRefusal::WrongCode => words(
            "確認番号がちがいます。メールの6桁の数字を確かめて、もう一度入れてください",
            "the code is not right; look at the mail and type its six digits again",
        ),
        RegistrationRefusal::NoCode => words(
            "確認番号の期限が切れているか、確認待ちのアドレスがありません。アドレスをもう一度登録してください",
            "the code is too old, or no address awaits one; register the address again",
        ),
        RegistrationRefusal::TooManyTries => words(
            "まちがいが続いたため、この番号は使えなくなりました。アドレスをもう一度登録してください",
            "too many wrong codes; register the address again for a new one",
        ),
        RegistrationRefusal::NotAnAddress => words(
            "メールアドレスの形ではありません。name@example.jp のように入れてください",
            "not an address for mails; write it as name@example.jp",
        ),
        RegistrationRefusal::UnknownAllergen => words(
            "この学校の一覧にない食物が含まれています。画面を開き直してください",
            "the school does not know one of these allergens; open the page again",
        ),
        RegistrationRefusal::TooManyCodes => words(
            "今日はもう確認番号を送れません。明日もう一度お試しください",
            "no more codes can be mailed today; please try again tomorrow",
        ),
        RegistrationRefusal::NoMail => words(
            "この学校はいまメールを送れません。学校にお尋ねください",
            "this school cannot send mails at present; please ask there",
        ),
    }
}

/// What became of asking one institution.
pub fn what_became(part: &RegistrationPart) -> Words {
    match (part.standing.outcome, part.standing.detail) {
        (Outcome::Data, _) => match part.together().len() {
            0 => words("登録されているアレルゲンはありません", "no allergen is registered"),
            count => {
                words(format!("登録されているアレルゲン {count} 件"), format!("{count} allergens registered"))
            }
        },
        (Outcome::NothingToShow, _) => words("登録できるものはありません", "there is nothing to register"),
        (Outcome::InvalidAnswer, Some("malformed")) => not_supported(),
        (outcome, detail) => {
            not_known(outcome, detail, ("登録は変わっていません", "nothing has been changed"))
        }
    }
}

/// What became of a change, and what to do next.
pub fn outcome(part: &RegistrationPart, change: &RegistrationChange) -> Words {
    let refused = part.state.as_ref().and_then(|state| state.refused);
    match (part.standing.outcome, part.standing.detail, &part.receipt, refused) {
        (Outcome::Data, _, _, Some(refused)) => {
            let why = refusal(refused);
            words(format!("変更していません。{}", why.ja), format!("Nothing was changed: {}.", why.en))
        }
        (Outcome::Data, _, Some(receipt), None) => {
            let about = self::change(change);
            let proof = match receipt.entry.proof {
                Proof::Proven => words("控えを確認しました。", "The receipt is proven."),
                other => super::history::proof(other),
            };
            let next = match change {
                RegistrationChange::Address(_) => (
                    "確認番号をメールで送りました。届いたら入れてください。",
                    "A code was mailed; type it in when it comes.",
                ),
                _ => ("", ""),
            };
            words(
                format!("{}を受け付けました。{}{}", about.ja, next.0, proof.ja),
                format!("{} was taken. {} {}", about.en, next.1, proof.en),
            )
        }
        (Outcome::NothingToShow | Outcome::Data, ..) => words(
            "この施設で登録できるものはありません。くわしくは施設の窓口にお尋ねください",
            "there is nothing to register here; please ask at the institution",
        ),
        (Outcome::InvalidAnswer, Some("malformed"), ..) => not_supported(),
        (
            Outcome::Busy | Outcome::NotLogged | Outcome::NotAsked | Outcome::Version | Outcome::Expired,
            ..,
        ) => not_known(
            part.standing.outcome,
            part.standing.detail,
            ("登録は変わっていません", "nothing has been changed"),
        ),
        _ => not_known(
            part.standing.outcome,
            part.standing.detail,
            (
                "変更できたかどうか確認できません。もう一度お試しください。二重に変更されることはありません",
                "whether it was changed is not known; please try again, it will not be done twice",
            ),
        ),
    }
}
