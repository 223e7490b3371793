//! Who looked, and what is let be shown, in words.

use hibiki_protocol::act::Reach;
use hibiki_protocol::history::Event;
use hibiki_protocol::session::Purpose;

use super::{Words, words};
use crate::history::{Proof, Said, Who};

/// What happened.
pub fn event(said: &Said) -> Words {
    match said.event {
        Event::RecordsShown => {
            let count = said.count.unwrap_or(0);
            words(format!("記録 {count} 件を表示しました"), format!("showed {count} records"))
        }
        Event::HistoryShown => words("閲覧履歴を表示しました", "showed this history of accesses"),
        Event::ConsentShown => words("同意の設定を表示しました", "showed the choices made here"),
        Event::ConsentWithdrawn => words("表示への同意を取り下げました", "consent to be shown was withdrawn"),
        Event::ConsentGiven => words("表示への同意を戻しました", "consent to be shown was given again"),
        Event::Linked => words(
            "施設の番号と住民登録の方を結び付けました",
            "the person known here was linked to the registry's resident",
        ),
        Event::Unlinked => words("その結び付けを取り消しました", "that link was undone"),
        Event::StaffLook => {
            words("職員がこの仕組みで記録を確認しました", "staff looked at something through this system")
        }
    }
}

/// Who did it.
pub fn who(who: Who) -> Words {
    match who {
        Who::You => words("あなた", "you"),
        Who::Subject => words("ご本人", "the person herself"),
        Who::Guardian => words("保護者", "a guardian"),
        Who::Staff => words("施設の職員", "staff of the institution"),
    }
}

/// Why.
pub fn purpose(purpose: Purpose) -> Words {
    match purpose {
        Purpose::FamilyRequest => words("保護者による閲覧", "a guardian looks at a child's records"),
        Purpose::OwnRequest => words("ご本人による閲覧", "a person looks at her own records"),
        Purpose::AccessHistory => words("閲覧履歴の確認", "to see who looked"),
    }
}

/// How far an entry is proven, and what that means.
pub fn proof(proof: Proof) -> Words {
    match proof {
        Proof::Proven => words("証明を確認しました", "proof verified"),
        Proof::Pending => {
            words("証明は1分ほどで届きます", "recorded; its proof follows within about a minute")
        }
        Proof::Unproven(_) => words(
            "証明を確認できません。施設か市の窓口にお知らせください",
            "the proof does NOT verify; please tell the institution or the city",
        ),
    }
}

/// Whose view a choice is about.
pub fn reach(reach: Reach) -> Words {
    match reach {
        Reach::EveryGuardian => words("すべての保護者の画面", "every guardian's view"),
        Reach::OwnView => words("わたしの画面だけ", "my own view only"),
    }
}
