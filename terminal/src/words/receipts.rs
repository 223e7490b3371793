//! Receipts in words.

use std::path::Path;

use hibiki_protocol::time::Timestamp;

use super::{Words, words};
use crate::receipts::verdict::{Breach, Fault, Judged, Summary, Verdict, Waiting};

/// Receipts were kept.
pub fn kept(count: usize, folder: &Path) -> Words {
    let folder = folder.display();
    words(
        format!("控え {count} 件を {folder} に保存しました。"),
        format!("{count} receipts were kept in {folder}."),
    )
}

/// A trust list beside the receipts is not used.
pub fn list_left_out(path: &str, reason: &str) -> Words {
    words(
        format!("{path} は機関一覧として使えないため除きました：{reason}"),
        format!("{path} cannot be used as a trust list and was left out: {reason}"),
    )
}

/// What one receipt is worth, and what to do next.
pub fn verdict(judged: &Judged, now: Timestamp) -> Words {
    match &judged.verdict {
        Verdict::Proved { size } => words(
            format!("証明済み（{size} 件の台帳に記載）"),
            format!("proved: it is in the ledger of {size} entries"),
        ),
        Verdict::Promised(Waiting::Proof) => {
            let Words { ja, en } = waiting(judged.waiting_millis(now).unwrap_or(0));
            words(
                format!("約束のみ（{ja}）。receipts prove で証明を受け取れます"),
                format!("promised only, {en}. Fetch the proof with `receipts prove`"),
            )
        }
        Verdict::Promised(Waiting::OtherLedger) => words(
            "約束のみ。施設の台帳が新しくなっています。以前の台帳について施設に問い合わせてください",
            "promised only: the institution has begun its ledger anew since. Ask it for the old one",
        ),
        Verdict::KeysUnknown { epoch } => words(
            format!("判定できません。第 {epoch} 版の機関一覧を --trust-list で指定してください"),
            format!("cannot be judged: give the trust list of epoch {epoch} with --trust-list"),
        ),
        Verdict::Broken(breach) => broken(*breach),
        Verdict::Wrong(fault) => wrong(*fault),
        Verdict::Unreadable(why) => {
            words(format!("控えとして読めません：{why}"), format!("is no receipt: {why}"))
        }
    }
}

fn broken(breach: Breach) -> Words {
    let (ja, en) = match breach {
        Breach::NotIncluded => (
            "台帳はこの番号を超えているのに、約束した記録がありません",
            "the ledger has grown beyond this place, and the promised entry is not there",
        ),
        Breach::Denied => ("約束した記録を施設が否定しています", "the institution denies the promised entry"),
        Breach::TwoLeaves => (
            "ひとつの番号に、異なる二つの記録が約束されています",
            "two different entries were promised at one place",
        ),
    };
    words(
        format!("約束が破られています：{ja}。このフォルダーを保管し、運用窓口に連絡してください"),
        format!("BROKEN PROMISE: {en}. Keep this folder and tell the federation's office"),
    )
}

fn wrong(fault: Fault) -> Words {
    let (ja, en) = match fault {
        Fault::Signature => ("約束の署名", "the signature of the promise"),
        Fault::LedgerKey => ("台帳の鍵", "the ledger's key"),
        Fault::Proof => ("証明", "the proof"),
        Fault::Checkpoint => ("台帳の署名", "the checkpoint"),
    };
    words(
        format!("{ja}が施設のものではありません（ファイルが変わった可能性があります）"),
        format!("WRONG: {en} is not the institution's, or the file was changed"),
    )
}

/// For how long, in the largest unit that says something.
fn waiting(millis: u64) -> Words {
    let (seconds, minutes, hours) = (millis / 1000, millis / 60_000, millis / 3_600_000);
    match (hours / 24, hours, minutes) {
        (days @ 2.., _, _) => words(format!("{days} 日前から"), format!("for {days} days")),
        (_, hours @ 2.., _) => words(format!("{hours} 時間前から"), format!("for {hours} hours")),
        (_, _, minutes @ 2..) => words(format!("{minutes} 分前から"), format!("for {minutes} minutes")),
        _ => words(format!("{seconds} 秒前から"), format!("for {seconds} s")),
    }
}

/// All of them in one sentence.
pub fn summary(summary: &Summary) -> Words {
    let Summary { proved, promised, keys_unknown, broken, wrong, unreadable, copies } = summary;
    words(
        format!(
            "証明済み {proved}、約束のみ {promised}、判定できない {keys_unknown}、約束違反 {broken}、署名の誤り {wrong}、読めない {unreadable}（重複 {copies}）"
        ),
        format!(
            "{proved} proved, {promised} promised only, {keys_unknown} not to be judged, {broken} broken, {wrong} wrong, {unreadable} unreadable ({copies} copies)"
        ),
    )
}
