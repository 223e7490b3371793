//! The history of accesses in words.

use hibiki_protocol::history::Event;
use hibiki_protocol::outcome::Outcome;

use super::consent::{about, reach};
use super::{Words, not_known, words};
use crate::history::{Doubt, HistoryEntry, HistoryPart, Proof, Said, Who};

/// What became of asking one institution for its history.
pub fn what_became(part: &HistoryPart) -> Words {
    match (part.standing.outcome, part.standing.detail) {
        (Outcome::Data, _) => {
            let (count, more) = (part.entries.len(), part.older.is_some());
            let (ja, en) =
                if more { ("（ほかにもあります）", " (there are more)") } else { ("", "") };
            words(format!("履歴 {count} 件{ja}"), format!("{count} entries{en}"))
        }
        (Outcome::NothingToShow, _) => words("お知らせできる履歴はありません", "no history to show"),
        (Outcome::InvalidAnswer, Some("malformed")) => not_supported(),
        (outcome, detail) => {
            let not = ("閲覧がなかったという意味ではありません", "this does not mean that nobody looked");
            not_known(outcome, detail, not)
        }
    }
}

/// The institution's software is of the time before.
pub(super) fn not_supported() -> Words {
    words(
        "この施設のソフトウェアはまだ対応していません。施設に更新を依頼してください",
        "its software does not do this yet; the institution must update",
    )
}

/// Who did it, as seen from `institution` (its name, Japanese and English).
pub fn who(who: Who, institution: &(String, String)) -> Words {
    match who {
        Who::You => words("あなた", "you"),
        Who::Subject => words("ご本人", "the person herself"),
        Who::Guardian => words("保護者", "a guardian"),
        Who::Staff => words(format!("{} の職員", institution.0), format!("staff of {}", institution.1)),
    }
}

/// What happened.
pub fn what(said: &Said) -> Words {
    let count = said.count.unwrap_or(0);
    match said.event {
        Event::RecordsShown => {
            let names: Vec<Words> = said.categories.iter().map(super::category).collect();
            let ja: Vec<&str> = names.iter().map(|name| name.ja.as_str()).collect();
            let en: Vec<&str> = names.iter().map(|name| name.en.as_str()).collect();
            words(
                format!("記録を見ました（{}、{count} 件）", ja.join("・")),
                format!("looked at records ({}; {count})", en.join(", ")),
            )
        }
        Event::HistoryShown => words("閲覧履歴を見ました", "looked at the history of accesses"),
        Event::ConsentShown => words("同意の設定を見ました", "looked at the choices about what is shown"),
        Event::ConsentWithdrawn => chosen(said, "表示しないことにしました", "withdrew"),
        Event::ConsentGiven => chosen(said, "表示してよいことにしました", "gave again"),
        Event::Linked => words(
            "市の登録とこの施設の番号を結びつけました",
            "linked the city's registration to the institution's own number",
        ),
        Event::Unlinked => words(
            "市の登録とこの施設の番号の結びつけを取り消しました",
            "undid the link between the city's registration and the institution's own number",
        ),
        Event::RegistrationShown => {
            words("アレルギー・メールの登録を見ました", "looked at what is registered (allergens, mails)")
        }
        Event::RegistrationChanged => {
            words("アレルギー・メールの登録を変えました", "changed what is registered (allergens, mails)")
        }
        Event::MailSent => words("お知らせのメールを送りました", "sent a mail"),
        Event::StaffLook => {
            words("このシステムで設定を確認しました", "looked at settings about the person in this system")
        }
    }
}

fn chosen(said: &Said, ja: &str, en: &str) -> Words {
    let about = about(said.categories.first());
    let reach = said.reach.map(reach);
    let (reach_ja, reach_en) = reach
        .map_or_else(Default::default, |reach| (format!("（{}）", reach.ja), format!(" ({})", reach.en)));
    words(format!("{}を{ja}{reach_ja}", about.ja), format!("{en} {}{reach_en}", about.en))
}

/// Everything about one entry but its time and proof; where it cannot be believed, that is all there is to say.
pub fn entry(entry: &HistoryEntry, institution: &(String, String)) -> Words {
    let Some(said) = &entry.said else {
        return words("内容を確認できない記録", "an entry that cannot be believed");
    };
    let (who, what) = (who(said.who, institution), what(said));
    let simulated = if said.simulated { ("【模擬カード】", " [simulated card]") } else { ("", "") };
    words(format!("{}が{}{}", who.ja, what.ja, simulated.0), format!("{} {}{}", who.en, what.en, simulated.1))
}

/// How far an entry is proven.
pub fn proof(proof: Proof) -> Words {
    match proof {
        Proof::Proven => words("証明を確認しました", "proof verified"),
        Proof::Pending => words(
            "証明はまだできていません（1 分ほどあとでもう一度ご確認ください）",
            "not proven yet; look again in a minute",
        ),
        Proof::Unproven(doubt) => {
            let Words { ja, en } = self::doubt(doubt);
            words(format!("証明を確認できません（{ja}）"), format!("proof not verified ({en})"))
        }
    }
}

/// Why an entry cannot be believed.
pub fn doubt(doubt: Doubt) -> Words {
    match doubt {
        Doubt::Checkpoint => words("台帳の署名が正しくありません", "the ledger's signature is not right"),
        Doubt::Leaf => words("台帳の記録を読めません", "the ledger's leaf cannot be read"),
        Doubt::Commitment => {
            words("内容が台帳の記録と一致しません", "what it says is not what the ledger committed to")
        }
        Doubt::Unreadable => words(
            "この端末のソフトウェアでは読めない内容です",
            "this terminal's software cannot read what it says",
        ),
        Doubt::NotIncluded => {
            words("台帳に入っていることを確かめられません", "it is not in the ledger where the proof says")
        }
        Doubt::NotAsPromised => {
            words("施設が約束した内容と異なります", "it is not what the institution promised")
        }
    }
}
