//! Cards and readers in words: what is wrong, and what to do next.

use std::path::Path;

use hibiki_simcard::SIMULATED_ORGANISATION;

use super::{Words, words};
use crate::card::{CardFault, Certificate, Inspection};
use hibiki_protocol::time::Timestamp;

/// Whether the certificate's authority says that it is simulated.
pub fn is_simulated(certificate: &Certificate) -> bool {
    certificate.issuer() == SIMULATED_ORGANISATION
}

/// What a person waits for at the reader.
pub fn waiting(missing: &CardFault) -> Words {
    match missing {
        CardFault::NoCard => words("カードをかざしてください。", "Please put the card on the reader."),
        CardFault::NoReader => words("カードリーダーを接続してください。", "Please connect a card reader."),
        other => card(other),
    }
}

/// An empty reader.
pub fn no_card() -> Words {
    words("カードはありません", "no card")
}

/// A reader that was unplugged, or that the service cannot use.
pub fn reader_unusable() -> Words {
    words("リーダーが外されたか、使えません", "the reader was unplugged or cannot be used")
}

/// The certificate was written for the registry.
pub fn certificate_written(file: &Path) -> Words {
    let file = file.display();
    words(
        format!(
            "利用者証明用電子証明書を {file} に書きました。登録：hibiki-node card enrol --resident 番号 {file}"
        ),
        format!(
            "The user-authentication certificate was written to {file}. Next: hibiki-node card enrol --resident NUMBER {file}"
        ),
    )
}

/// A card as `hibiki-terminal card` shows it, a sentence each.
pub fn inspection(seen: &Inspection, now: Timestamp) -> Vec<Words> {
    let Inspection { certificate, tries_left, shared } = seen;
    let simulated = is_simulated(certificate);
    let mut said = vec![if simulated {
        words("カード：マイナンバーカード（模擬）", "card: Individual Number card (simulated)")
    } else {
        words("カード：マイナンバーカード", "card: Individual Number card")
    }];
    let (issuer, from, to) = (certificate.issuer(), certificate.from_day(), certificate.to_day());
    said.push(match certificate.check_dates(now) {
        Ok(()) => words(
            format!("利用者証明用電子証明書：有効（{from} から {to} まで、発行者 {issuer}）"),
            format!("user-authentication certificate: valid ({from} to {to}, issued by {issuer})"),
        ),
        Err(fault) => {
            let Words { ja, en } = card(&fault);
            words(
                format!("利用者証明用電子証明書：使えません（発行者 {issuer}）。{ja}"),
                format!("user-authentication certificate: NOT valid (issued by {issuer}). {en}"),
            )
        }
    });
    said.push(match tries_left {
        0 => card(&CardFault::Blocked),
        left => words(format!("暗証番号：あと {left} 回入力できます"), format!("PIN: {}", tries(*left))),
    });
    if *shared {
        said.push(self::shared());
    }
    said
}

/// Another program has the card open, too.
pub fn shared() -> Words {
    words(
        "注意：ほかのソフトもこのカードを開いています。終わったらカードの電源を切るので、そのソフトは暗証番号を求め直します。",
        "Note: another program has this card open, too. The card's power is cut after use, so that program will ask for the PIN again.",
    )
}

/// The prompt for a PIN.
pub fn pin_prompt(tries_left: u8) -> String {
    format!("暗証番号（4桁・残り{tries_left}回） / PIN ({}): ", tries(tries_left))
}

/// Before the last try is taken.
pub fn last_try() -> Words {
    words(
        "暗証番号の残りはあと 1 回です。まちがえるとカードがロックされ、市区町村の窓口でしか解除できません。",
        "Only one try is left. A wrong PIN locks the card, and only the municipal office can unlock it.",
    )
}

fn tries(left: u8) -> String {
    if left == 1 { "1 try left".to_owned() } else { format!("{left} tries left") }
}

/// The PIN was right.
pub fn pin_accepted(tries_left: u8) -> Words {
    words(
        format!("暗証番号を確認しました（あと {tries_left} 回入力できます）。"),
        format!("The PIN was accepted ({}).", tries(tries_left)),
    )
}

/// What went wrong with the card, and what to do next.
pub fn card(fault: &CardFault) -> Words {
    match fault {
        CardFault::WithoutReaders => words(
            "このプログラムはカードリーダーに対応せずに作られています。libpcsclite-dev と pkg-config を入れて cargo build -p hibiki-terminal --features pcsc で作り直すか、--card-file を使ってください。",
            "This program was built without card readers. Install libpcsclite-dev and pkg-config and rebuild with `cargo build -p hibiki-terminal --features pcsc`, or use --card-file.",
        ),
        CardFault::NoService => words(
            "カードリーダーのサービス（pcscd）が動いていません。管理者に「sudo systemctl start pcscd.socket」を依頼してください。",
            "The card reader service (pcscd) does not run. Ask the administrator for `sudo systemctl start pcscd.socket` (package pcscd).",
        ),
        CardFault::Denied => words(
            "カードリーダーのサービス（pcscd）がこの利用者を許可していません。管理者に polkit の設定を依頼してください（docs/cards.md）。",
            "The card reader service (pcscd) refuses this user. Ask the administrator to allow it in polkit (docs/cards.md).",
        ),
        CardFault::NoReader => words(
            "カードリーダーが見つかりません。リーダーを接続してからもう一度お試しください。",
            "No card reader was found. Please connect one and try again.",
        ),
        CardFault::UnknownReader { asked, known } => words(
            format!("「{asked}」という名前のリーダーはありません。接続中：{}", known.join("、")),
            format!("No reader is called {asked:?}. Connected: {}.", known.join(", ")),
        ),
        CardFault::NoCard => words(
            "カードがありません。リーダーに置いてからもう一度お試しください。",
            "There is no card. Please put it on the reader and try again.",
        ),
        CardFault::Mute { .. } => words(
            "カードが応答しません。裏表と位置を確かめて、置き直してください。",
            "The card does not answer. Please check which way round it lies and put it down again.",
        ),
        CardFault::SeveralCards { readers } => words(
            format!(
                "複数のリーダーにカードがあります。--reader で選ぶか、1枚だけにしてください：{}",
                readers.join("、")
            ),
            format!(
                "Several readers have a card. Choose one with --reader, or leave only one card: {}.",
                readers.join(", ")
            ),
        ),
        CardFault::ForeignCard { reader } => words(
            format!(
                "リーダー「{reader}」のカードはマイナンバーカードではありません。マイナンバーカードを置いてください。"
            ),
            format!(
                "The card in {reader} is no Individual Number card. Please use an Individual Number card."
            ),
        ),
        CardFault::InUse => words(
            "ほかのソフトがカードを使用中です。そのソフト（電子申請・ブラウザーなど）を閉じてからもう一度お試しください。",
            "Another program is using the card. Close it (a browser, a tax program) and try again.",
        ),
        CardFault::Removed => words(
            "カードが離れたため終了しました。続けるには、もう一度カードを置いてください。",
            "The card was removed, so the session has ended. Put the card back to go on.",
        ),
        CardFault::Silent => words(
            "カードまたはリーダーが応答しません。カードを離して置き直してください。続くときはリーダーを抜き差ししてください。",
            "Card or reader does not answer. Take the card away and put it back; if that does not help, unplug the reader and plug it in again.",
        ),
        CardFault::Nonsense(step) => words(
            format!(
                "カードの応答が正しくありません（{step}）。置き直しても続くときは、市区町村の窓口で確認してください。"
            ),
            format!(
                "The card's answer makes no sense ({step}). Put it down again; if it happens again, ask at the municipal office."
            ),
        ),
        CardFault::Refused { step, status } => words(
            format!(
                "カードが処理を受け付けませんでした（{step}、{status}）。置き直してもう一度お試しください。"
            ),
            format!("The card refused ({step}, status {status}). Put it down again and try once more."),
        ),
        CardFault::WrongPin { tries_left: 0 } => words(
            "暗証番号が違います。あと 0 回：カードはロックされました。市区町村の窓口で解除してください。",
            "Wrong PIN. 0 tries left: the card is locked now. It can be unlocked at the municipal office.",
        ),
        CardFault::WrongPin { tries_left } => words(
            format!("暗証番号が違います。あと {tries_left} 回まちがえるとロックされます。"),
            format!("Wrong PIN. {} before the card locks.", tries(*tries_left)),
        ),
        CardFault::MalformedPin => words("暗証番号は 4 桁の数字です。", "The PIN is four digits."),
        CardFault::LastTry => {
            let Words { ja, en } = last_try();
            words(
                format!("{ja}それでも入力するときは --last-try を付けてください。"),
                format!("{en} Use --last-try to enter it all the same."),
            )
        }
        CardFault::Blocked => words(
            "暗証番号がロックされています。市区町村の窓口で解除してください。",
            "The PIN is locked. It can be unlocked at the municipal office.",
        ),
        CardFault::NoCertificate => words(
            "カードに利用者証明用電子証明書がありません。市区町村の窓口で確認してください。",
            "The card carries no user-authentication certificate. Please ask at the municipal office.",
        ),
        CardFault::Expired(day) => words(
            format!(
                "カードの電子証明書の有効期限が切れています（{day} まで）。市区町村の窓口で更新してください。"
            ),
            format!(
                "The card's certificate has expired (on {day}). Please renew it at the municipal office."
            ),
        ),
        CardFault::NotYetValid(day) => words(
            format!(
                "カードの電子証明書はまだ有効ではありません（{day} から）。この端末の日付も確認してください。"
            ),
            format!(
                "The card's certificate is not valid yet (from {day}). Please check this machine's date, too."
            ),
        ),
        CardFault::UnknownKey => words(
            "このカードの鍵の種類には対応していません。ソフトウェアを更新してください。",
            "This program does not know the kind of key on this card. Please update the software.",
        ),
        CardFault::Unusable(reason) => {
            words(format!("カードを読み取れません：{reason}"), format!("The card cannot be used: {reason}"))
        }
    }
}
