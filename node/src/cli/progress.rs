//! How a long command shows its progress: a bar on a terminal, else a line every few seconds.

use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::{complain, count, printable};
use crate::admin::Progress;
use crate::env::monotonic;

/// Where stderr is no terminal, at most one line in this time.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows one command's progress and warnings on stderr.
pub struct Reporter {
    form: Form,
}

enum Form {
    Bar { bar: ProgressBar, measured: bool },
    Lines { last: Option<Instant> },
}

impl Reporter {
    /// A reporter fit for this process's stderr.
    pub fn new() -> Self {
        let form = match io::stderr().is_terminal() {
            true => Form::Bar {
                bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10)),
                measured: false,
            },
            false => Form::Lines { last: None },
        };
        Self { form }
    }

    /// Shows how far the command has come.
    pub fn progress(&mut self, progress: &Progress) {
        match &mut self.form {
            Form::Bar { bar, measured } => {
                if let Some(total) = progress.total {
                    bar.set_length(total);
                }
                if progress.total.is_some() != *measured {
                    *measured = progress.total.is_some();
                    bar.set_style(style(*measured));
                }
                bar.set_prefix(printable(&progress.stage));
                bar.set_message(printable(&progress.unit));
                bar.set_position(progress.done);
            }
            Form::Lines { last } => {
                let now = monotonic();
                if last.is_none_or(|last| now.duration_since(last) >= LINE_EVERY) {
                    *last = Some(now);
                    complain(&line(progress));
                }
            }
        }
    }

    /// Shows a line between the progress.
    pub fn say(&self, text: &str) {
        match &self.form {
            Form::Bar { bar, .. } => bar.suspend(|| complain(text)),
            Form::Lines { .. } => complain(text),
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Form::Bar { bar, .. } = &self.form {
            bar.finish_and_clear();
        }
    }
}

impl Default for Reporter {
    fn default() -> Self {
        Self::new()
    }
}

const MEASURED: &str = "{prefix} {wide_bar} {human_pos}/{human_len} {msg} {eta}";
const UNMEASURED: &str = "{prefix} {spinner} {human_pos} {msg} {elapsed}";

fn style(measured: bool) -> ProgressStyle {
    let template = if measured { MEASURED } else { UNMEASURED };
    // A test holds both valid; were one not, the plain style would still tell the progress.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn line(progress: &Progress) -> String {
    let Progress { stage, done, total, unit } = progress;
    match total {
        Some(total) => {
            let percent = u128::from(*done) * 100 / u128::from(*total).max(1);
            format!("{stage}: {} of {} {unit} ({percent} %)", count(*done), count(*total))
        }
        None => format!("{stage}: {} {unit}", count(*done)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_tell_the_share_where_it_is_known() {
        let mut progress =
            Progress { stage: "reading".into(), done: 1_500, total: Some(6_000), unit: "records".into() };
        assert_eq!(line(&progress), "reading: 1,500 of 6,000 records (25 %)");
        progress.total = None;
        assert_eq!(line(&progress), "reading: 1,500 records");
        progress.total = Some(0);
        progress.done = 0;
        assert_eq!(line(&progress), "reading: 0 of 0 records (0 %)");
    }

    #[test]
    fn both_templates_are_valid() {
        assert!(ProgressStyle::with_template(MEASURED).is_ok());
        assert!(ProgressStyle::with_template(UNMEASURED).is_ok());
    }
}
