//! Components of iCalendar objects (RFC 5545 section 3.4): what stands between BEGIN and END, within bounds.
//!
//! Must not know what a component is for.

use super::line::{self, ContentLine};
use crate::ingest::limits;

/// Most components of one file: the events of several school years.
pub const COMPONENTS_MAX: usize = 10_000;
/// Deepest nesting of components; VCALENDAR, VTIMEZONE, STANDARD are three.
const DEPTH_MAX: usize = 4;
/// What an object begins with.
const CALENDAR: &str = "VCALENDAR";

/// Why a calendar could not be read at all, or not to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// Larger than a record may be.
    #[error("the calendar is larger than {} bytes", limits::RESOURCE_MAX_BYTES)]
    TooLong,
    /// It does not begin with `BEGIN:VCALENDAR`.
    #[error("this is not an iCalendar object: it does not begin with BEGIN:VCALENDAR")]
    NotACalendar,
    /// Components are opened and not closed in order, or nested too deep.
    #[error("line {0}: BEGIN and END do not match")]
    Unbalanced(usize),
    /// More components than [`COMPONENTS_MAX`].
    #[error("the calendar has more than {COMPONENTS_MAX} components")]
    TooMany,
}

/// A component directly below VCALENDAR: its lines from BEGIN to END, `None` standing for what is no line.
pub(super) struct Component {
    /// In upper case.
    pub(super) name: String,
    /// Where it begins, counting unfolded lines from 1.
    pub(super) line: usize,
    pub(super) lines: Vec<Option<String>>,
}

impl Component {
    pub(super) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// Its properties, without those of components within it; `None` for every malformed line, also of those.
    pub(super) fn properties(&self) -> impl Iterator<Item = Option<ContentLine<'_>>> {
        let mut depth = 0usize;
        self.lines.iter().filter_map(move |line| {
            let Some(line) = line.as_deref().and_then(ContentLine::parse) else { return Some(None) };
            match line.name.as_str() {
                "BEGIN" => depth += 1,
                "END" => depth = depth.saturating_sub(1),
                _ if depth == 0 => return Some(Some(line)),
                _ => {}
            }
            None
        })
    }
}

/// The components of an object, or of several behind each other, that are closed; and whether it could be read to
/// its end.
pub(super) fn split(content: &[u8]) -> (Vec<Component>, Result<(), CalendarError>) {
    let mut splitter = Splitter::default();
    let ended = splitter.all(content);
    if ended.is_err() && splitter.open.len() > 1 {
        splitter.components.pop();
    }
    (splitter.components, ended)
}

#[derive(Default)]
struct Splitter {
    components: Vec<Component>,
    /// Names of what is open, outermost first.
    open: Vec<String>,
    begun: usize,
}

impl Splitter {
    fn all(&mut self, content: &[u8]) -> Result<(), CalendarError> {
        if content.len() > limits::RESOURCE_MAX_BYTES {
            return Err(CalendarError::TooLong);
        }
        let mut first = true;
        let mut last = 0;
        for (place, line) in line::unfold(content).enumerate() {
            last = place + 1;
            if line.as_deref().is_some_and(|line| line.trim().is_empty()) {
                continue;
            }
            let edge = line.as_deref().and_then(|line| {
                let (edge, name) = line.trim_end().split_once(':')?;
                Some((edge.to_ascii_uppercase(), name.trim().to_ascii_uppercase()))
            });
            if std::mem::take(&mut first) && edge != Some(("BEGIN".into(), CALENDAR.into())) {
                return Err(CalendarError::NotACalendar);
            }
            self.take(last, line, edge)?;
        }
        if self.open.is_empty() { Ok(()) } else { Err(CalendarError::Unbalanced(last)) }
    }

    fn take(
        &mut self,
        place: usize,
        line: Option<String>,
        edge: Option<(String, String)>,
    ) -> Result<(), CalendarError> {
        match edge {
            Some((edge, name)) if edge == "BEGIN" => {
                self.begun += 1;
                if self.open.len() >= DEPTH_MAX || (self.open.is_empty() != (name == CALENDAR)) {
                    return Err(CalendarError::Unbalanced(place));
                }
                if self.begun > COMPONENTS_MAX {
                    return Err(CalendarError::TooMany);
                }
                if self.open.len() == 1 {
                    self.components.push(Component { name: name.clone(), line: place, lines: Vec::new() });
                } else {
                    self.keep(line);
                }
                self.open.push(name);
            }
            Some((edge, name)) if edge == "END" => {
                if self.open.last() != Some(&name) {
                    return Err(CalendarError::Unbalanced(place));
                }
                self.open.pop();
                self.keep(line);
            }
            _ => self.keep(line),
        }
        Ok(())
    }

    /// Properties of the calendar itself are nobody's.
    fn keep(&mut self, line: Option<String>) {
        if self.open.len() > 1
            && let Some(component) = self.components.last_mut()
        {
            component.lines.push(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_closed_is_there_even_where_the_rest_is_broken() {
        let read = |text: &str| {
            let (components, ended) = split(text.as_bytes());
            (components.into_iter().map(|it| (it.name, it.line, it.lines.len())).collect::<Vec<_>>(), ended)
        };
        let event = |line| ("VEVENT".to_owned(), line, 1);
        let whole = "BEGIN:VCALENDAR\nX:1\nBEGIN:VEVENT\nUID:1\nEND:VEVENT\n";
        assert_eq!(read(&format!("{whole}END:VCALENDAR\n")), (vec![event(3)], Ok(())));
        for (rest, line) in [
            ("", 6),
            ("BEGIN:VEVENT\nUID:2\n", 8),
            ("BEGIN:VEVENT\nUID:2\nEND:VTODO\n", 8),
            ("BEGIN:VEVENT\nBEGIN:VALARM\nEND:VEVENT\n", 8),
            ("END:VEVENT\n", 6),
        ] {
            let expected = (vec![event(3)], Err(CalendarError::Unbalanced(line)));
            assert_eq!(read(&format!("{whole}{rest}")), expected, "{rest}");
        }
        assert_eq!(read("BEGIN:VEVENT\nEND:VEVENT\n"), (vec![], Err(CalendarError::NotACalendar)));
    }

    #[test]
    fn properties_are_those_of_the_component_itself() {
        let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nA:1\nBEGIN:VALARM\nB:2\nno line\nEND:VALARM\nC:3\nEND:VEVENT\n\
            END:VCALENDAR\n";
        let (components, ended) = split(text.as_bytes());
        assert_eq!(ended, Ok(()));
        let names: Vec<_> = components[0].properties().map(|line| line.map(|line| line.name)).collect();
        assert_eq!(names, [Some("A".to_owned()), None, Some("C".to_owned())]);
    }
}
