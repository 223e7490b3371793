//! `history`: who looked at one person's records, everywhere, with every proof checked.

use std::io::Write as _;

use clap::Args;
use hibiki_protocol::ids::MemberId;

use super::view::{PersonArgs, choose};
use super::visit::{KeepArgs, visit};
use super::{Common, Format, out, out_json};
use crate::history;
use crate::json::{HistoryJson, HistoryPartJson};
use crate::trouble::Trouble;
use crate::{clock, print};

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    keep: KeepArgs,
    /// Go on at one institution, before the number it named for older entries.
    #[arg(long, value_name = "INSTITUTION:NUMBER", value_parser = place)]
    older: Option<(MemberId, u64)>,
    /// Milliseconds until the history must be complete.
    #[arg(long, value_name = "MS")]
    deadline_ms: Option<u64>,
}

fn place(text: &str) -> Result<(MemberId, u64), &'static str> {
    let place =
        text.rsplit_once(':').and_then(|(id, number)| Some((MemberId::new(id)?, number.parse().ok()?)));
    place.ok_or("write INSTITUTION:NUMBER, such as maebashi/chuo-hospital:41")
}

pub(super) async fn run(args: HistoryArgs) -> Result<(), Trouble> {
    let human = args.common.format == Format::Human;
    visit(&args.common, &args.keep, async |session, federation| {
        let subject = choose(session.subjects(), args.person.subject)?;
        let (deadline, now) = (args.deadline_ms, clock::now());
        if let Some((institution, before)) = &args.older {
            let older = history::older(session, federation, subject, institution, *before, deadline, now);
            let part = older.await?;
            if human {
                out(&print::history_part(&part));
            } else {
                out_json(&HistoryPartJson::from(&part));
            }
            return Ok(None);
        }
        let mut landed = |part: &history::HistoryPart| {
            if human {
                let _ = writeln!(std::io::stderr(), "{}", print::history_landed(part));
            }
        };
        let assembled = history::assemble(session, federation, subject, deadline, now, &mut landed).await?;
        if human {
            out(&print::history(&assembled));
        } else {
            out_json(&HistoryJson::from(&assembled));
        }
        Ok(None)
    })
    .await
}
