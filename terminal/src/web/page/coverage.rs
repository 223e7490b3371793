//! What a view can know: who has answered, who is missing, and what that does not mean.

use hibiki_protocol::outcome::Outcome;

use crate::desk::{Landed, Live, Seat};
use crate::web::Lang;

/// Coverage as a page shows it.
pub(super) struct Coverage {
    /// Institutions asked.
    pub(super) asked: usize,
    /// Those whose outcome is known.
    pub(super) known: usize,
    /// Those that answered, with records or without.
    pub(super) answered: usize,
    /// Nothing more will land.
    pub(super) ended: bool,
    /// Why the view was refused as a whole.
    pub(super) refused: Option<String>,
    /// Each institution, in the order of the trust list.
    pub(super) lines: Vec<Line>,
    /// What a gap does not mean on this page.
    pub(super) not: Option<&'static str>,
    lang: Lang,
}

/// One institution.
pub(super) struct Line {
    pub(super) name: String,
    /// `waiting`, `data`, `nothing` or `gap`.
    pub(super) state: &'static str,
    /// A mark beside the words, so that colour is not all there is.
    pub(super) mark: &'static str,
    pub(super) said: String,
}

impl Coverage {
    pub(super) fn new(seat: &Seat, live: &Live<impl Landed>, lang: Lang) -> Self {
        let lines: Vec<Line> = seat
            .institutions
            .iter()
            .map(|institution| {
                let name = lang.t(&institution.name.0, &institution.name.1).to_owned();
                let Some(part) = live.parts.get(&institution.id) else {
                    let said = lang.t("問い合わせ中です", "being asked").to_owned();
                    return Line { name, state: "waiting", mark: "…", said };
                };
                let (state, mark) = match part.outcome() {
                    Outcome::Data => ("data", "✓"),
                    Outcome::NothingToShow => ("nothing", "－"),
                    _ => ("gap", "！"),
                };
                Line { name, state, mark, said: lang.of(&part.words()).to_owned() }
            })
            .collect();
        let of_state = |states: &[&str]| lines.iter().filter(|line| states.contains(&line.state)).count();
        let refused = live.ended.as_ref().and_then(|ended| ended.as_ref().err());
        Self {
            asked: lines.len(),
            known: lines.len() - of_state(&["waiting"]),
            answered: of_state(&["data", "nothing"]),
            ended: live.ended.is_some(),
            refused: refused.map(|words| lang.of(words).to_owned()),
            lines,
            not: None,
            lang,
        }
    }

    /// The same, saying what a gap does not mean on this page.
    pub(super) fn not(mut self, ja: &'static str, en: &'static str) -> Self {
        self.not = Some(self.lang.t(ja, en));
        self
    }

    /// Whether every institution answered.
    pub(super) fn whole(&self) -> bool {
        self.ended && self.refused.is_none() && self.answered == self.asked
    }

    /// Those that did not.
    pub(super) fn gaps(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.state == "gap")
    }
}
