//! `view`: the records of one person, as they land, for as long as the card lies there.

use std::io::Write as _;

use clap::Args;
use hibiki_protocol::ids::Category;
use hibiki_protocol::session::{AttestedSubject, Relation};
use hibiki_protocol::time::Day;

use super::visit::{KeepArgs, visit};
use super::{Common, Format, out, out_json};
use crate::json::{PartJson, ViewJson};
use crate::question::Wish;
use crate::trouble::Trouble;
use crate::{clock, print, view};

/// Whom it is about.
#[derive(Debug, Args)]
pub(super) struct PersonArgs {
    /// Whose records: the number `login` shows. Not needed when there is only one child.
    #[arg(long, value_name = "NUMBER")]
    pub(super) subject: Option<usize>,
}

#[derive(Debug, Args)]
pub(super) struct ViewArgs {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    keep: KeepArgs,
    /// Only this category (may be given several times).
    #[arg(long, value_name = "NAME")]
    category: Vec<Category>,
    /// Only records of this day or later.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    since: Option<Day>,
    /// Milliseconds until the view must be complete.
    #[arg(long, value_name = "MS")]
    deadline_ms: Option<u64>,
    /// With --format json: also print each part on a line of its own the moment it lands.
    #[arg(long)]
    stream: bool,
}

fn day(text: &str) -> Result<Day, &'static str> {
    Day::new(text).ok_or("a day is written yyyy-mm-dd")
}

pub(super) async fn run(args: ViewArgs) -> Result<(), Trouble> {
    let human = args.common.format == Format::Human;
    let wish = Wish { categories: args.category, since: args.since, deadline_millis: args.deadline_ms };
    let stream = args.stream;
    visit(&args.common, &args.keep, async |session, federation| {
        let subject = choose(session.subjects(), args.person.subject)?;
        let mut landed = |part: &view::ViewPart| {
            if human {
                let _ = writeln!(std::io::stderr(), "{}", print::landed(part));
            } else if stream {
                out_json(&PartJson::from(part));
            }
        };
        let view = view::assemble(session, federation, subject, &wish, clock::now(), &mut landed).await?;
        if human {
            out(&print::view(&view));
        } else {
            out_json(&ViewJson::from(&view));
        }
        Ok(None)
    })
    .await
}

/// The subject with this number; without one, the only child, or the only person.
pub(super) fn choose(
    subjects: &[AttestedSubject],
    number: Option<usize>,
) -> Result<&AttestedSubject, Trouble> {
    let unknown = Trouble::UnknownSubject { known: subjects.len() };
    if let Some(number) = number {
        return number.checked_sub(1).and_then(|index| subjects.get(index)).ok_or(unknown);
    }
    let mut children = subjects.iter().filter(|subject| subject.relation == Relation::Child);
    match (children.next(), children.next(), subjects) {
        (Some(child), None, _) => Ok(child),
        (None, _, [only]) => Ok(only),
        _ => Err(unknown),
    }
}
