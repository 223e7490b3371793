//! A guardian's choices in words.

use hibiki_protocol::act::{Reach, Withdrawal};
use hibiki_protocol::ids::Category;
use hibiki_protocol::outcome::Outcome;

use super::history::not_supported;
use super::{Words, not_known, words};
use crate::consent::{Choice, ConsentPart};
use crate::history::Proof;

/// What a choice is about.
pub fn about(category: Option<&Category>) -> Words {
    category.map_or_else(|| words("すべての区分", "every category"), super::category)
}

/// Whose view a choice is about.
pub fn reach(reach: Reach) -> Words {
    match reach {
        Reach::EveryGuardian => words("すべての保護者に対して", "for every guardian"),
        Reach::OwnView => words("あなたの画面だけ", "for your own view only"),
    }
}

/// One thing that is withdrawn.
pub fn withdrawal(withdrawal: &Withdrawal) -> Words {
    let (about, reach) = (about(withdrawal.category.as_ref()), reach(withdrawal.reach));
    words(
        format!("{}：表示しない（{}）", about.ja, reach.ja),
        format!("{}: not shown ({})", about.en, reach.en),
    )
}

/// What became of asking one institution about choices.
pub fn what_became(part: &ConsentPart) -> Words {
    match (part.standing.outcome, part.standing.detail) {
        (Outcome::Data, _) => {
            let count = part.choices.as_ref().map_or(0, |choices| choices.withdrawn.len());
            match count {
                0 => words("すべて表示してよい（変更なし）", "everything may be shown"),
                _ => words(format!("表示しないもの {count} 件"), format!("{count} withdrawn")),
            }
        }
        (Outcome::NothingToShow, _) => words("設定できるものはありません", "there is nothing to choose"),
        (Outcome::InvalidAnswer, Some("malformed")) => not_supported(),
        (outcome, detail) => {
            not_known(outcome, detail, ("設定は変わっていません", "nothing has been changed"))
        }
    }
}

/// What became of making a choice, and what to do next.
pub fn outcome(part: &ConsentPart, choice: &Choice) -> Words {
    let about = about(choice.category.as_ref());
    match (part.standing.outcome, part.standing.detail, &part.receipt) {
        (Outcome::Data, _, Some(receipt)) => {
            let (ja, en) = if choice.permit {
                ("を表示してよいことにしました", "may be shown again, as far as you are concerned")
            } else {
                ("を表示しないことにしました", "will not be shown")
            };
            let proof = match receipt.entry.proof {
                Proof::Proven => words("控えを確認しました。", "The receipt is proven."),
                other => super::history::proof(other),
            };
            words(format!("{}{ja}。{}", about.ja, proof.ja), format!("{} {en}. {}", about.en, proof.en))
        }
        (Outcome::NothingToShow | Outcome::Data, ..) => words(
            "この施設で設定できるものはありません。くわしくは施設の窓口にお尋ねください",
            "there is nothing to choose here; please ask at the institution",
        ),
        (Outcome::InvalidAnswer, Some("malformed"), _) => not_supported(),
        (Outcome::NotLogged, ..) if choice.permit => words(
            "施設の記録装置がいっぱいのため、いまは表示を再開できません。しばらくしてからもう一度お試しください（設定は変わっていません）",
            "the institution's disk is full: showing again must wait; please try again later (nothing has been changed)",
        ),
        (
            Outcome::Busy | Outcome::NotLogged | Outcome::NotAsked | Outcome::Version | Outcome::Expired,
            ..,
        ) => not_known(
            part.standing.outcome,
            part.standing.detail,
            ("設定は変わっていません", "nothing has been changed"),
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
