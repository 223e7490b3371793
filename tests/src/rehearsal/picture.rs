//! The picture of a rehearsal: one lane for each institution and each guardian, time from left to right.
//!
//! A page that needs nothing else: no script, no font, nothing from elsewhere. Must not know what must hold.

use std::fmt::{self, Write as _};
use std::time::Duration;

use super::Report;
use super::area::GUNMA;
use crate::house::House;

/// What a mark stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Something is wrong, or ordered, for a while.
    Trouble,
    /// A view in which every institution answered.
    Complete,
    /// A view in which one did not.
    Partial,
    /// No session, or no view.
    Refused,
    /// An institution answered with records.
    Data,
    /// It answered with nothing.
    Nothing,
    /// It did not answer.
    Gap,
    /// Something happened that must not.
    Broken,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Trouble,
        Self::Complete,
        Self::Partial,
        Self::Refused,
        Self::Data,
        Self::Nothing,
        Self::Gap,
        Self::Broken,
    ];

    /// The outcome it is a mark of, from its text.
    pub(super) fn outcome(self, text: &str) -> Option<&str> {
        matches!(self, Self::Data | Self::Nothing | Self::Gap).then(|| text.split(' ').next()).flatten()
    }

    /// Its name in the page's style, its letter where it has one, its meaning.
    const fn meaning(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Trouble => ("trouble", "", "障害・指示 trouble or order"),
            Self::Complete => ("complete", "", "全機関が回答 complete view"),
            Self::Partial => ("partial", "", "一部の機関のみ partial view"),
            Self::Refused => ("refused", "", "閲覧できず refused"),
            Self::Data => ("data", "●", "記録あり data"),
            Self::Nothing => ("nothing", "○", "表示なし nothing to show"),
            Self::Gap => ("gap", "×", "回答なし no answer"),
            Self::Broken => ("broken", "!", "あってはならないこと broken"),
        }
    }
}

/// Something that happened to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Whose lane.
    pub party: String,
    /// What.
    pub kind: Kind,
    /// From when.
    pub from: Duration,
    /// Until when; the same for a moment.
    pub to: Duration,
    /// In words.
    pub text: String,
}

/// Pixels: names on the left, time on the right, a lane, the axis above them.
const NAMES: f64 = 250.0;
const TIME: f64 = 1_100.0;
const LANE: f64 = 24.0;
const AXIS: f64 = 28.0;
/// What the line across all lanes means.
const MENDED: &str = "復旧 everything is mended";
/// No bar is narrower.
const BAR_MIN: f64 = 2.0;

const STYLE: &str = "body{font:14px/1.5 sans-serif;margin:1.5em;color:#1d2733;background:#fff}\
h1{font-size:1.3em;margin:0}svg{width:100%;min-width:900px;height:auto;font:12px sans-serif}\
.scroll{overflow-x:auto}.verdict{font-weight:bold}.lane:nth-child(even) .ground{fill:#f5f7fa}.ground{fill:#fff}\
.grid{stroke:#d6dde5}.mended{stroke:#1b7f4d;stroke-width:2}.trouble{fill:#b9770e;fill-opacity:.28}\
.complete{fill:#2471a3}.partial{fill:#85c1e9;stroke:#2471a3}.refused{fill:#fff;stroke:#c0392b}\
.data{fill:#1a5276}.nothing{fill:#5d6d7e}.gap{fill:#c0392b}.broken{fill:#c0392b;font-weight:bold}\
table{border-collapse:collapse;margin-top:1em}td{padding:.1em .8em .1em 0;vertical-align:top}\
td:first-child{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\
.key span{margin-right:1.2em;white-space:nowrap}.key svg{width:1.2em;min-width:0;height:1.2em;vertical-align:-.2em}\
tr.bad td{color:#c0392b;font-weight:bold}";

/// The page.
pub fn page(report: &Report) -> String {
    let (bad, verdict) = match report.broken.len() {
        0 => ("", "守られるべきことはすべて守られました。Everything held that must hold.".to_owned()),
        many => (
            " broken",
            format!("守られなかったことが{many}件あります。{many} things happened that must not."),
        ),
    };
    let mut page = format!(
        "<!doctype html>\n<html lang=\"ja\"><head><meta charset=\"utf-8\"><title>連合の予行 seed {seed}</title>\n\
         <style>{STYLE}</style></head><body>\n<h1>連合の予行演習 Rehearsal of the federation, seed {seed}</h1>\n\
         <p>{}</p>\n<p class=\"verdict{bad}\">{verdict}</p>\n<p class=\"key\">",
        escaped(&report.summary()),
        seed = report.seed,
    );
    for kind in Kind::ALL {
        let (class, letter, meaning) = kind.meaning();
        let shape = match letter {
            "" => format!("<rect class=\"{class}\" x=\"1\" y=\"4\" width=\"14\" height=\"8\"/>"),
            letter => {
                format!("<text class=\"{class}\" x=\"8\" y=\"13\" text-anchor=\"middle\">{letter}</text>")
            }
        };
        _ = write!(page, "<span>{}</span>", keyed(&shape, meaning));
    }
    let line = "<line class=\"mended\" x1=\"8\" x2=\"8\" y1=\"1\" y2=\"15\"/>";
    _ = write!(page, "<span>{}</span>", keyed(line, MENDED));
    _ = write!(page, "</p>\n<div class=\"scroll\">\n{}</div>\n<table>\n", svg(report));
    for line in &report.chronicle {
        let (at, what) = line.split_once("  ").unwrap_or(("", line));
        let class = if what.starts_with("BROKEN") { " class=\"bad\"" } else { "" };
        _ = writeln!(page, "<tr{class}><td>{}</td><td>{}</td></tr>", escaped(at.trim()), escaped(what));
    }
    page.push_str("</table>\n</body></html>\n");
    page
}

/// A shape of the key, and what it means.
fn keyed(shape: &str, meaning: &str) -> String {
    format!("<svg viewBox=\"0 0 16 16\">{shape}</svg> {meaning}")
}

/// The lanes alone.
pub fn svg(report: &Report) -> String {
    let parties = report.plan.parties();
    let height = AXIS + LANE * parties.len() as f64 + 6.0;
    let across = Across { whole: report.lasted.as_secs_f64().max(0.001) };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {height}\" role=\"img\">\n\
         <style>{STYLE}</style>\n",
        NAMES + TIME + 20.0
    );
    for (place, party) in parties.iter().enumerate() {
        let top = AXIS + LANE * place as f64;
        _ = write!(
            svg,
            "<g class=\"lane\"><rect class=\"ground\" x=\"0\" y=\"{top}\" width=\"{}\" height=\"{LANE}\"/>\
             <text x=\"4\" y=\"{}\">{}</text>",
            NAMES + TIME,
            top + 16.0,
            escaped(&name(party)),
        );
        let mut marks: Vec<&Mark> = report.marks.iter().filter(|mark| mark.party == *party).collect();
        marks.sort_by_key(|mark| (mark.kind != Kind::Trouble, mark.from));
        for mark in marks {
            across.draw(&mut svg, mark, top);
        }
        svg.push_str("</g>\n");
    }
    across.axis(&mut svg, height);
    if let Some(mended) = report.mended {
        let x = across.x(mended);
        _ = writeln!(
            svg,
            "<line class=\"mended\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{AXIS}\" y2=\"{height}\">\
             <title>{MENDED}</title></line>"
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Where moments lie.
struct Across {
    whole: f64,
}

impl Across {
    fn x(&self, at: Duration) -> f64 {
        NAMES + TIME * at.as_secs_f64() / self.whole
    }

    fn draw(&self, svg: &mut String, mark: &Mark, top: f64) {
        let (class, letter, _) = mark.kind.meaning();
        let (x, to) = (self.x(mark.from), self.x(mark.to.max(mark.from)));
        let seconds = mark.from.as_secs_f64();
        let title = format!("<title>{seconds:.3} s: {}</title>", escaped(&mark.text));
        _ = if letter.is_empty() {
            let (y, high) = if mark.kind == Kind::Trouble { (top, LANE) } else { (top + 6.0, LANE - 12.0) };
            let wide = (to - x).max(BAR_MIN);
            write!(
                svg,
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y}\" width=\"{wide:.1}\" height=\"{high}\">{title}</rect>"
            )
        } else {
            let y = top + 16.0;
            write!(
                svg,
                "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{letter}{title}</text>"
            )
        };
    }

    /// Between six and fifteen lines of round seconds, minutes or hours.
    fn axis(&self, svg: &mut String, height: f64) {
        const STEPS: [u64; 16] =
            [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 86_400];
        let step = STEPS.into_iter().find(|step| self.whole / (*step as f64) <= 15.0).unwrap_or(604_800);
        for at in (0..=self.whole as u64).step_by(step as usize) {
            let x = self.x(Duration::from_secs(at));
            let label = match (step, at) {
                (3_600.., at) => format!("{} h", at / 3_600),
                (60.., at) => format!("{} min", at / 60),
                (_, at) => format!("{at} s"),
            };
            _ = writeln!(
                svg,
                "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{}\" y2=\"{height}\"/>\
                 <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
                AXIS - 6.0,
                AXIS - 10.0
            );
        }
    }
}

/// What people call a party.
fn name(party: &str) -> String {
    let (area, bare) = match party.split_once('/') {
        Some((slug, bare)) => (GUNMA.into_iter().find(|area| area.slug == slug).unwrap_or(GUNMA[0]), bare),
        None => (GUNMA[0], party),
    };
    let house = House::CITY.into_iter().find(|house| house.slug() == bare);
    let place = if area == GUNMA[0] { String::new() } else { format!("{} ", area.ja) };
    match house {
        Some(house @ House::More(_)) => format!("{place}{} {bare}", house.names().0),
        Some(house) => format!("{} {bare}", area.names(house).0),
        None => format!("{place}保護者 {bare}"),
    }
}

/// Text that is nothing but text in HTML and SVG.
fn escaped(text: &str) -> impl fmt::Display + use<> {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::super::{Plan, rehearse};
    use super::*;

    /// Every tag that is opened is closed, in order; an XML reader of the little there is.
    fn balanced(page: &str) {
        let mut open = Vec::new();
        for tag in page.split('<').skip(1) {
            let (tag, _) = tag.split_once('>').unwrap();
            let word = tag.split([' ', '/']).next().unwrap();
            match tag {
                _ if tag.starts_with('!') || word == "meta" || tag.ends_with('/') => {}
                _ if tag.starts_with('/') => assert_eq!(open.pop(), Some(&tag[1..]), "{tag}"),
                _ => open.push(word),
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }

    #[test]
    fn a_rehearsal_is_drawn_whole_and_nothing_in_it_is_taken_for_markup() {
        let mut report = rehearse(3, &Plan::calm(3, 1)).unwrap();
        let hostile = "<script>alert(1)</script>&\"";
        report.chronicle.push(format!("1.000 s  BROKEN: {hostile}"));
        let mark = Mark { text: hostile.to_owned(), kind: Kind::Broken, ..report.marks[0].clone() };
        report.marks.push(mark);
        let page = page(&report);
        balanced(&page);
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;alert(1)"));
        for wanted in
            ["前橋市役所 city-hall", "中央病院 chuo-hospital", "保護者 guardian-1", "class=\"complete\""]
        {
            assert!(page.contains(wanted), "{wanted}");
        }
        assert_eq!(page.matches("class=\"lane\"").count(), 4);
        assert!(!page.contains("http") || page.matches("http").count() == page.matches("www.w3.org").count());
    }
}
