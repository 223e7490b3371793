//! Everything the guardian is told, Japanese first, English beside it.

use hibiki_protocol::ids::Category;
use hibiki_protocol::outcome::{Coverage, Outcome};
use hibiki_protocol::query::Refusal;
use hibiki_protocol::session::{Relation, SessionRefusal};
use hibiki_protocol::time::Timestamp;

mod card;
pub mod consent;
pub mod history;
pub mod receipts;
pub mod registration;

pub use card::{
    card as card_fault, certificate_written, inspection, is_simulated, last_try, no_card, pin_accepted,
    pin_prompt, reader_unusable, shared, waiting,
};

use crate::session::{Closed, Ended};
use crate::trouble::Trouble;
use crate::view::ViewPart;

/// One sentence in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// Japanese.
    pub ja: String,
    /// English.
    pub en: String,
}

impl Words {
    /// Both, one after the other.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        Self { ja: self.ja + &more.ja, en: format!("{} {}", self.en, more.en) }
    }
}

fn words(ja: impl Into<String>, en: impl Into<String>) -> Words {
    Words { ja: ja.into(), en: en.into() }
}

/// What became of asking one institution, and what that means for the guardian, its name first.
pub fn outcome(part: &ViewPart) -> Words {
    let Words { ja, en } = what_became(part);
    words(format!("{}：{ja}", part.name.0), format!("{}: {en}", part.name.1))
}

/// What became of asking one institution, and what that means for the guardian.
pub fn what_became(part: &ViewPart) -> Words {
    match part.outcome {
        Outcome::Data => {
            let count = part.records.len();
            words(format!("記録 {count} 件"), format!("{count} records"))
        }
        Outcome::NothingToShow => words("表示できる記録はありません", "nothing to show"),
        outcome => {
            let not = ("記録がないという意味ではありません", "this does not mean there is no record");
            not_known(outcome, part.detail, not)
        }
    }
}

/// Why nothing is known of an institution; `not` says what that does not mean.
fn not_known(outcome: Outcome, detail: Option<&str>, not: (&str, &str)) -> Words {
    let (ja, en) = match outcome {
        Outcome::Data | Outcome::NothingToShow => ("応答がありました", "it answered"),
        Outcome::Busy => {
            ("混み合っています。しばらくしてからもう一度お試しください", "busy; please try again in a while")
        }
        Outcome::Unreachable if detail == Some("gateway_lost") => (
            "市の窓口サーバーとの接続が切れたため確認できませんでした",
            "not known, because the connection to the city's gateway was lost",
        ),
        Outcome::Unreachable => ("接続できません", "cannot be reached"),
        Outcome::TimedOut => ("時間内に応答がありませんでした", "did not answer in time"),
        Outcome::Version => {
            return words(
                "ソフトウェアの版が合わないため確認できません。施設に更新を依頼してください",
                "its software version does not fit ours; the institution must update",
            );
        }
        Outcome::Expired => {
            return words(
                "手続きの有効期限が切れました。もう一度カードをかざしてください",
                "the session was too old for it; please touch the card again",
            );
        }
        Outcome::NotLogged => (
            "閲覧記録を保存できないため、情報を提供できません",
            "cannot record this access and therefore shows nothing",
        ),
        Outcome::InvalidAnswer => (
            "正しい応答と確認できなかったため表示しません",
            "its answer could not be verified and is not shown",
        ),
        Outcome::NotAsked => ("今回は問い合わせていません", "was not asked"),
    };
    words(format!("{ja}（{}）", not.0), format!("{en} ({})", not.1))
}

/// A category as a guardian reads it; one this terminal does not know by its own name.
pub fn category(category: &Category) -> Words {
    let known = hibiki_records::category::Category::from_wire(category.as_str());
    known.map_or_else(
        || words(category.as_str(), category.as_str()),
        |known| words(known.label().ja, known.label().en),
    )
}

/// How much a view can know.
pub fn coverage(coverage: &Coverage) -> Words {
    let (asked, data, nothing) =
        (coverage.asked(), coverage.count(Outcome::Data), coverage.count(Outcome::NothingToShow));
    if coverage.complete() {
        return words(
            format!(
                "{asked} 施設すべてから応答がありました（記録あり {data}、表示できる記録なし {nothing}）。"
            ),
            format!(
                "All {asked} institutions answered ({data} with records, {nothing} with nothing to show)."
            ),
        );
    }
    let missing = asked - data - nothing;
    words(
        format!("{asked} 施設のうち {missing} 施設を確認できませんでした。この表示は完全ではありません。"),
        format!("{missing} of {asked} institutions could not be consulted. This view is not complete."),
    )
}

/// What a person is to the card holder.
pub fn relation(relation: Relation) -> Words {
    match relation {
        Relation::Oneself => words("本人", "yourself"),
        Relation::Child => words("お子さま", "child"),
    }
}

/// What went wrong, and what to do next.
pub fn trouble(trouble: &Trouble) -> Words {
    match trouble {
        Trouble::Card(fault) => card::card(fault),
        Trouble::Session(refusal) => session(*refusal),
        Trouble::GatewayUnreachable { gateway, .. } => words(
            format!(
                "市の窓口サーバー（{gateway}）に接続できません。ネットワークを確認し、しばらくしてからもう一度お試しください。"
            ),
            format!(
                "The city's gateway ({gateway}) cannot be reached. Check the network and try again in a while. [{trouble}]"
            ),
        ),
        Trouble::Clock { seconds } => words(
            format!("この端末の時計が {seconds} 秒ずれています。時計を合わせてください。"),
            format!("This terminal's clock is {seconds} s off. Please set it."),
        ),
        Trouble::TrustList(reason) => words(
            "機関一覧（トラストリスト）を確認できません。運用窓口に連絡してください。",
            format!("The trust list could not be verified ({reason}). Please contact the operator."),
        ),
        Trouble::NotAGateway(id) => words(
            format!("{id} はこの連携の窓口サーバーではありません。設定を確認してください。"),
            format!("{id} is not a gateway of this federation. Check the settings."),
        ),
        Trouble::Attestation | Trouble::Protocol(_) => words(
            "窓口サーバーの応答を確認できません。安全のため中止しました。運用窓口に連絡してください。",
            format!(
                "The gateway's answer could not be verified; stopped for safety. Please contact the operator. [{trouble}]"
            ),
        ),
        Trouble::View(Refusal::Busy) => words(
            "混み合っています。しばらくしてからもう一度お試しください。",
            "Busy. Please try again in a while.",
        ),
        Trouble::View(Refusal::NotLogged) => words(
            "閲覧記録を保存できないため、いまは表示できません。しばらくしてからもう一度お試しください。",
            "The gateway cannot record this access and therefore relays nothing. Please try again later.",
        ),
        Trouble::View(refusal) => words(
            "表示の要求が受け付けられませんでした。もう一度カードをかざしてください。",
            format!("The view was refused ({refusal}). Please touch the card again."),
        ),
        Trouble::Nobody => words(
            "このカードで閲覧できる方の登録がありません。市の窓口で登録してください。",
            "Nobody is registered whom this card may act for. Please register at the city's counter.",
        ),
        Trouble::UnknownSubject { known } => words(
            format!("閲覧できる方は {known} 人です。--subject 1 〜 {known} で選んでください。"),
            format!("The card may act for {known} persons. Choose one with --subject 1 to {known}."),
        ),
        Trouble::NotChosen => words("手続きは完了していません。", "The choice was not confirmed."),
        Trouble::NoSuchInstitution(id) => words(
            format!("{id} という施設はこの連携にありません。名前を確認してください。"),
            format!("{id} is no institution of this federation that answers. Check the name."),
        ),
        Trouble::NoReceipts(path) => words(
            format!(
                "{} に控えがありません。フォルダーの名前を確認するか、--receipts を付けて閲覧すると控えが保存されます。",
                path.display()
            ),
            format!(
                "{} holds no receipts. Check the folder's name; `view --receipts DIR` keeps them.",
                path.display()
            ),
        ),
        Trouble::File { path, reason } => words(
            format!("{} を読めません：{reason}", path.display()),
            format!("{} cannot be used: {reason}", path.display()),
        ),
        Trouble::Machine(reason) => words(
            format!("この端末では実行できません：{reason}"),
            format!("This machine cannot do it: {reason}"),
        ),
    }
}

/// Day and time in Japan, to the minute.
pub fn in_japan(at: Timestamp) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    let jst = jiff::tz::TimeZone::fixed(jiff::tz::offset(9));
    jiff::Timestamp::from_millisecond(millis)
        .map_or_else(|_| String::new(), |at| at.to_zoned(jst).strftime("%Y-%m-%d %H:%M").to_string())
}

/// The one-time link was opened before.
pub fn link_used() -> Words {
    words(
        "このリンクは使えません（一度だけ開けます）。hibiki-terminal serve の画面で Enter キーを押すと、新しいリンクが出ます。",
        "This link does not open (it opens once). Press Enter where `hibiki-terminal serve` runs for a new one.",
    )
}

/// An address without a page.
pub fn no_such_page() -> Words {
    words(
        "このページはありません。はじめのページに戻ってください。",
        "There is no such page. Please go back to the beginning.",
    )
}

/// A card lies there.
pub fn enter_pin() -> Words {
    words("暗証番号を入力してください。", "Please enter your PIN.")
}

/// Card, gateway and registry are at work.
pub fn opening() -> Words {
    words("確認しています。", "Checking.")
}

/// A session that stays open.
pub fn staying() -> Words {
    words(
        "カードを置いたままにしてください。離すと終了します（Ctrl-C でも終了）。",
        "Leave the card on the reader. The session ends when it is taken away (or with Ctrl-C).",
    )
}

/// Why a session that stayed open has ended.
pub fn over(ended: Ended) -> Words {
    match ended {
        Ended::CardRemoved => {
            words("カードが離れたため終了しました。", "The card was removed: the session has ended.")
        }
        Ended::Expired => words("時間が来たため終了しました。", "The session's time is over."),
        Ended::Asked => words("終了しました。", "The session has ended."),
        Ended::Idle => words(
            "しばらく操作がなかったため終了しました。",
            "Nothing was done for a while: the session has ended.",
        ),
        Ended::GatewayLost => words(
            "市の窓口サーバーとの接続が切れたため終了しました。",
            "The connection to the city's gateway was lost: the session has ended.",
        ),
    }
}

/// Why a session that stayed open has ended, and who knows.
pub fn ended(ended: Ended, closed: Option<Closed>) -> Words {
    let Words { ja, en } = over(ended);
    match closed {
        None => words(ja, en),
        Some(Closed { confirmed, outstanding: 0 }) => words(
            format!("{ja}{confirmed} 施設すべてが終了を確認しました。"),
            format!("{en} All {confirmed} institutions have confirmed it."),
        ),
        Some(Closed { confirmed, outstanding }) => words(
            format!(
                "{ja}{confirmed} 施設が終了を確認しました。{outstanding} 施設には市の窓口サーバーが引き続き伝えます。"
            ),
            format!(
                "{en} {confirmed} institutions have confirmed it; the city's gateway goes on telling {outstanding} more."
            ),
        ),
    }
}

fn session(refusal: SessionRefusal) -> Words {
    match refusal {
        SessionRefusal::ForeignCard => words(
            "このカードは、この連携では使えません（発行者が登録されていません）。",
            "This card cannot be used here: its issuer is not accepted by the federation.",
        ),
        SessionRefusal::CardExpired => words(
            "カードの電子証明書の有効期限が切れています。市区町村の窓口で更新してください。",
            "The card's certificate has expired. Please renew it at the municipal office.",
        ),
        SessionRefusal::CardRevoked => words(
            "このカードは失効または一時停止されています。市区町村の窓口にご相談ください。",
            "This card has been revoked or suspended. Please ask at the municipal office.",
        ),
        SessionRefusal::RevocationUnknown => words(
            "カードが有効かどうかを確認できないため、いまは使えません。しばらくしてからもう一度お試しください。",
            "Whether the card is still valid cannot be checked at present. Please try again later.",
        ),
        SessionRefusal::CardSignature => words(
            "カードの署名を確認できません。もう一度カードをかざし、暗証番号を入力してください。",
            "The card's signature does not verify. Please touch the card and enter the PIN again.",
        ),
        SessionRefusal::NotEnrolled => words(
            "このカードは登録されていません。市の窓口で利用登録をしてください。",
            "This card is not enrolled. Please register it at the city's counter.",
        ),
        SessionRefusal::Time => words(
            "時刻が合わないため受け付けられません。端末の時計を確認してください。",
            "Refused because of the time; please check this terminal's clock.",
        ),
        SessionRefusal::TrustList | SessionRefusal::Challenge | SessionRefusal::WrongBinding => words(
            "接続の確認に失敗しました。もう一度はじめからお試しください。",
            format!("The connection could not be confirmed ({refusal}). Please start again."),
        ),
        SessionRefusal::NotLogged => words(
            "閲覧記録を保存できないため、いまは受け付けられません。",
            "The registry cannot record this access and therefore grants nothing at present.",
        ),
        SessionRefusal::Busy | SessionRefusal::RegistryUnreachable => words(
            "市の登録簿に接続できないか、混み合っています。しばらくしてからもう一度お試しください。",
            format!("The registry is busy or cannot be reached ({refusal}). Please try again in a while."),
        ),
        SessionRefusal::MembershipExpired => words(
            "機関一覧の有効期限が切れています。運用窓口に連絡してください。",
            "The trust list has expired. Please contact the operator.",
        ),
        SessionRefusal::Malformed | SessionRefusal::NotAGateway => words(
            "要求が受け付けられませんでした。端末のソフトウェアと設定を確認してください。",
            format!("The request was refused ({refusal}). Check this terminal's software and settings."),
        ),
    }
}
