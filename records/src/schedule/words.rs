//! The words of a plan: states, sentences, and the rule each dose comes from.
//!
//! Owns the wording. One thing is never said: that somebody was not vaccinated. What is known is what records
//! say, and which institutions answered.

use super::moment::{Gap, Moment, date_words, label_words};
use super::rules::{Course, Dose, Legal, Series, rules};
use super::{DosePlan, MaternalPlan, Note, OtherWhy, Received, State, Step, Timing, Window};
use crate::category::Label;
use crate::date::CalendarDate;
use crate::words::Summary;

/// A dose that the course does without.
pub(super) const NOT_NEEDED: Label = Label {
    ja: "始めた時期や受けたワクチンにより、この回は要りません。",
    en: "Not needed, because of the age at the start or the vaccine used.",
};

/// A dose whose time is over and that is then left out.
pub(super) const LEFT_OUT: Label = Label {
    ja: "この月齢を過ぎると、この回は受けずに次に進みます。",
    en: "Beyond this age the dose is left out and the next one follows.",
};

impl State {
    /// The state in a word or two.
    pub const fn label(&self) -> Label {
        match self {
            Self::Received(_) => Label { ja: "接種済み", en: "Received" },
            Self::Due { .. } => Label { ja: "接種の時期です", en: "Time for it" },
            Self::Possible { .. } => Label { ja: "もう受けられます", en: "Possible already" },
            Self::Overdue { .. } => Label { ja: "まだ受けられます", en: "Still possible" },
            Self::NotYet { .. } => Label { ja: "これからです", en: "Not yet" },
            Self::Closed { .. } => Label { ja: "記録なし・期間終了", en: "No record, period over" },
            Self::NotNeeded { .. } => Label { ja: "必要ありません", en: "Not needed" },
            Self::Unrecorded => Label { ja: "記録なし", en: "No record" },
        }
    }
}

impl DosePlan {
    /// The state in a sentence, with its days. What to do when a period is over stands at the series
    /// ([`super::SeriesPlan::advice`]).
    pub fn sentence(&self) -> Summary {
        match &self.state {
            State::Received(received) => received.sentence(),
            State::Due { until } => {
                let end = date_words(*until);
                match self.recommended.filter(|best| best.last < *until) {
                    Some(best) => date_words(best.last).map(
                        |day| {
                            format!("接種の時期です。標準は{day}まで、公費では{}まで受けられます。", end.ja)
                        },
                        |day| format!("It is time: usually until {day}, free of charge until {}.", end.en),
                    ),
                    None => end.map(
                        |day| format!("接種の時期です。{day}まで公費で受けられます。"),
                        |day| format!("It is time. Free of charge until {day}."),
                    ),
                }
            }
            State::Possible { recommended_from, .. } => date_words(*recommended_from).map(
                |day| format!("もう公費で受けられます。標準の時期は{day}からです。"),
                |day| format!("Possible already, free of charge. The usual time begins on {day}."),
            ),
            State::Overdue { until, caution } => {
                let words = date_words(*until).map(
                    |day| format!("記録は見つかっていません。標準の時期は過ぎましたが、{day}まで、まだ公費で受けられます。"),
                    |day| format!("No record found. The usual time is over, but it is free of charge until {day}."),
                );
                followed_by(words, *caution)
            }
            State::NotYet { from, after_previous: false } => {
                let words = date_words(*from)
                    .map(|day| format!("{day}から受けられます。"), |day| format!("Possible from {day}."));
                match self.recommended.filter(|best| best.first > *from).map(|best| date_words(best.first)) {
                    Some(best) => words.map(
                        |ja| format!("{ja}標準の時期は{}からです。", best.ja),
                        |en| format!("{en} The usual time begins on {}.", best.en),
                    ),
                    None => words,
                }
            }
            State::NotYet { from, after_previous: true } => date_words(*from).map(
                |day| format!("前の回のあとになります。早ければ{day}からです。"),
                |day| format!("After the dose before; from {day} at the earliest."),
            ),
            State::Closed { since, .. } => date_words(*since).map(
                |day| format!("記録は見つかっていません。定期接種の期間は{day}まででした。"),
                |day| format!("No record found. The routine period ended on {day}."),
            ),
            State::NotNeeded { why } => label_words(*why),
            State::Unrecorded => Summary::new(
                "この回の記録は見つかっていません。あとの回の記録があるので、ほかで受けたのかもしれません。母子健康手帳で確かめてください。",
                "No record of this dose was found. As a later one is recorded, it may have been given elsewhere. \
                 Please check the Mother and Child Handbook.",
            ),
        }
    }
}

impl Window {
    /// From the first day to the last.
    pub fn words(self) -> Summary {
        let (first, last) = (date_words(self.first), date_words(self.last));
        if self.first == self.last {
            return first.map(|day| format!("{day}のみ"), |day| format!("on {day} only"));
        }
        Summary::new(format!("{}から{}まで", first.ja, last.ja), format!("{} to {}", first.en, last.en))
    }
}

impl Received {
    /// When and with what.
    pub fn what(&self) -> Summary {
        let Summary { ja, en } = &self.vaccine;
        let on = if self.day.is_exact() { "on" } else { "in" };
        self.day
            .words()
            .map(|day| format!("{day}に受けました({ja})。"), |day| format!("Received {on} {day} ({en})."))
    }

    /// When and with what, and what is to be known about it.
    pub fn sentence(&self) -> Summary {
        self.notes.iter().fold(self.what(), |words, note| {
            let note = note.words();
            words.map(|ja| format!("{ja}{}", note.ja), |en| format!("{en} {}", note.en))
        })
    }
}

impl Note {
    /// The note in a sentence.
    pub fn words(&self) -> Summary {
        match self {
            Self::OutsidePeriod => {
                Summary::new("定期接種の期間の外の日です。", "The day lies outside the routine period.")
            }
            Self::NotRoutine => Summary::new(
                "生年月日や性別により、定期接種ではありません。",
                "Not part of the routine programme for this birth date or sex.",
            ),
            Self::TooEarly(day) => date_words(*day).map(
                |day| format!("決められた間隔では{day}からでした。医師にご確認ください。"),
                |day| format!("By the required gap it was due from {day}. Please ask the doctor."),
            ),
            Self::LiveGap(day) => date_words(*day).map(
                |day| {
                    format!("{day}に受けた注射の生ワクチンから27日以上あいていません。医師にご確認ください。")
                },
                |day| {
                    format!(
                        "Less than 27 days after the injected live vaccine of {day}. Please ask the doctor."
                    )
                },
            ),
            Self::Inexact => {
                Summary::new("日付は年または月までの記録です。", "Only the year or month is recorded.")
            }
            Self::Ahead => Summary::new("記録の日付が先の日になっています。", "The recorded day lies ahead."),
        }
    }
}

impl OtherWhy {
    /// Why the vaccination counts for no series.
    pub const fn label(self) -> Label {
        match self {
            Self::Unknown => {
                Label { ja: "種類のわからないワクチン", en: "Vaccine not recognised" }
            }
            Self::NotRoutine => {
                Label { ja: "定期接種以外のワクチン", en: "Outside the routine programme" }
            }
            Self::NotCounted => Label {
                ja: "定期接種の回数には数えていません",
                en: "Not counted in the routine series",
            },
            Self::NoDay => Label { ja: "接種日のわからない記録", en: "No day recorded" },
            Self::BeforeBirth => {
                Label { ja: "接種日が誕生日より前の記録", en: "Recorded before birth" }
            }
        }
    }
}

impl Timing {
    /// The heading under which a step stands.
    pub const fn label(self) -> Label {
        match self {
            Self::Late => Label { ja: "まだ間に合います", en: "Still in time" },
            Self::Now => Label { ja: "今が時期です", en: "Now" },
            Self::Early => Label { ja: "もう受けられます", en: "Possible already" },
            Self::Later => Label { ja: "これから", en: "Later" },
        }
    }
}

impl Step {
    /// The step in a sentence: what, and between which days.
    pub fn sentence(&self) -> Summary {
        let what = Summary::new(
            format!("{} {}", self.series_label.ja, self.dose_label.ja),
            format!("{}, {}", self.series_label.en, self.dose_label.en),
        );
        let (from, until) = (date_words(self.from), date_words(self.until));
        let words = match (self.timing, self.recommended) {
            (Timing::Now, Some(window)) if window.last < self.until => {
                let best = date_words(window.last);
                what.map(
                    |ja| format!("{ja}: {}までに(公費は{}まで)", best.ja, until.ja),
                    |en| format!("{en}: by {} (free of charge until {})", best.en, until.en),
                )
            }
            (Timing::Late | Timing::Now, _) => {
                what.map(|ja| format!("{ja}: {}までに", until.ja), |en| format!("{en}: by {}", until.en))
            }
            (Timing::Early | Timing::Later, Some(window)) if window.first > self.from => {
                let best = date_words(window.first);
                what.map(
                    |ja| format!("{ja}: 標準は{}から(早ければ{}から)", best.ja, from.ja),
                    |en| format!("{en}: usually from {} (possible from {})", best.en, from.en),
                )
            }
            (Timing::Early | Timing::Later, _) => what.map(
                |ja| format!("{ja}: {}から{}まで", from.ja, until.ja),
                |en| format!("{en}: from {} until {}", from.en, until.en),
            ),
        };
        match self.caution {
            Some(_) => followed_by(words.map(|ja| format!("{ja}。"), |en| format!("{en}.")), self.caution),
            None => words,
        }
    }
}

impl MaternalPlan {
    /// When it may be given.
    pub fn sentence(&self) -> Summary {
        let (first, last) = (date_words(self.weeks.first), date_words(self.weeks.last));
        Summary::new(
            format!("妊娠28週0日から36週6日まで({}から{}まで)。", first.ja, last.ja),
            format!("From 28 weeks to 36 weeks 6 days of pregnancy ({} to {}).", first.en, last.en),
        )
    }
}

/// The rule of a dose for somebody born on that day.
pub(super) fn rule(series: &Series, course: &Course, dose: &Dose, birth: CalendarDate) -> Summary {
    let mut sentences: Vec<Summary> = Vec::new();
    let applying: Vec<&Legal> = series.legal(dose).iter().filter(|legal| legal.may_apply(birth)).collect();
    let usual = applying.iter().filter(|legal| legal.why.is_none()).count();
    for legal in &applying {
        sentences.push(period(legal, usual > 1));
    }
    if let Some(standard) = dose.recommended.map(|standard| span(standard.from, standard.until))
        && !sentences.contains(&standard)
    {
        sentences.push(standard.map(|ja| format!("標準的には{ja}"), |en| format!("usually {en}")));
    }
    for after in dose.after.iter().filter(|after| after.min != Gap::DaysBetween(0)) {
        let named = course.doses.iter().find(|dose| dose.key == after.dose);
        let earlier = named.map_or(Label { ja: "前の回", en: "the dose before" }, |dose| dose.label);
        sentences.push(after.min.words().map(
            |ja| format!("{}から{ja}以上の間隔をおく", earlier.ja),
            |en| format!("at least {en} between {} and this dose", earlier.en),
        ));
    }
    if series.live {
        sentences.push(rules().live_gap.words().map(
            |ja| format!("ほかの注射生ワクチンと別の日に受けるときは{ja}以上の間隔をおく"),
            |en| format!("at least {en} between injected live vaccines unless given on one day"),
        ));
    }
    let ja: Vec<&str> = sentences.iter().map(|words| words.ja.as_str()).collect();
    let en: Vec<&str> = sentences.iter().map(|words| words.en.as_str()).collect();
    Summary::new(format!("{}。", ja.join("。")), capital(&format!("{}.", en.join("; "))))
}

/// A legal period; with the time it was in force where the law changed within the childhood.
fn period(legal: &Legal, changed: bool) -> Summary {
    let words = span(legal.from, Some(legal.until));
    if let Some(why) = legal.why {
        return words.map(|ja| format!("{}: {ja}", why.ja), |en| format!("{}: {en}", why.en));
    }
    match (changed, legal.in_force_until, legal.in_force_from) {
        (true, Some(last), _) => {
            let last = date_words(last);
            words.map(|ja| format!("{}までは{ja}", last.ja), |en| format!("until {} {en}", last.en))
        }
        (true, None, Some(first)) => {
            let first = date_words(first);
            words.map(|ja| format!("{}からは{ja}", first.ja), |en| format!("since {} {en}", first.en))
        }
        _ => words,
    }
}

/// From one moment until another, as the law says it.
fn span(from: Moment, until: Option<Moment>) -> Summary {
    if let (Moment::YearStart(first), Some(Moment::YearEnd(last))) = (from, until)
        && first == last
    {
        return first.whole();
    }
    let begin = from.words();
    let Some(until) = until else {
        return begin.map(|ja| format!("{ja}から"), |en| format!("from {en}"));
    };
    let end = until.words();
    // An age is reached; a day is a day.
    let reached = matches!(until, Moment::Age { .. });
    begin.map(
        |ja| format!("{ja}から{}{}", end.ja, if reached { "に至るまで" } else { "まで" }),
        |en| format!("from {en} to {}", end.en),
    )
}

fn followed_by(words: Summary, more: Option<Label>) -> Summary {
    match more {
        Some(more) => words.map(|ja| format!("{ja}{}", more.ja), |en| format!("{en} {}", more.en)),
        None => words,
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
