//! `consent`: what institutions may show of one person, as this guardian chose, and choosing.

use clap::Args;
use hibiki_protocol::act::Reach;
use hibiki_protocol::ids::{Category, MemberId};

use super::view::{PersonArgs, choose};
use super::visit::{KeepArgs, visit};
use super::{Common, Format, out, out_json, say};
use crate::consent::{self, Choice};
use crate::json::{ConsentJson, SubjectJson};
use crate::trouble::Trouble;
use crate::{clock, print, words};

#[derive(Debug, Args)]
pub(super) struct ConsentArgs {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    keep: KeepArgs,
    #[command(flatten)]
    choice: ChoiceArgs,
    /// Milliseconds until every institution must have said what was chosen there.
    #[arg(long, value_name = "MS")]
    deadline_ms: Option<u64>,
}

/// A choice to be made; without one, what was chosen is shown.
#[derive(Debug, Args)]
struct ChoiceArgs {
    /// 表示しない / withdraw this category, or `all`.
    #[arg(long, value_name = "CATEGORY", value_parser = scope, conflicts_with = "permit", requires = "at")]
    deny: Option<Scope>,
    /// 表示してよい / give again what you have withdrawn: this category, or `all`.
    #[arg(long, value_name = "CATEGORY", value_parser = scope, requires = "at")]
    permit: Option<Scope>,
    /// The institution.
    #[arg(long, value_name = "INSTITUTION")]
    at: Option<MemberId>,
    /// For your own view only; left out, for every guardian.
    #[arg(long)]
    only_me: bool,
}

/// One category, or all.
#[derive(Clone, Debug)]
struct Scope(Option<Category>);

fn scope(text: &str) -> Result<Scope, String> {
    let known = hibiki_records::category::Category::ALL;
    match text {
        "all" => Ok(Scope(None)),
        _ if known.iter().any(|known| known.wire_name() == text) => Ok(Scope(Category::new(text))),
        _ => {
            let names: Vec<&str> = known.iter().map(|known| known.wire_name()).collect();
            Err(format!("write all, or one of {}", names.join(", ")))
        }
    }
}

impl ChoiceArgs {
    fn choice(&self) -> Result<Option<(MemberId, Choice)>, Trouble> {
        let reach = if self.only_me { Reach::OwnView } else { Reach::EveryGuardian };
        let (scope, permit) = match (&self.deny, &self.permit) {
            (Some(scope), _) => (scope, false),
            (None, Some(scope)) => (scope, true),
            (None, None) => return Ok(None),
        };
        let choice = Choice::new(scope.0.clone(), permit, reach)?;
        Ok(self.at.clone().map(|institution| (institution, choice)))
    }
}

pub(super) async fn run(args: ConsentArgs) -> Result<(), Trouble> {
    let choice = args.choice.choice()?;
    let human = args.common.format == Format::Human;
    visit(&args.common, &args.keep, async |session, federation| {
        let subject = choose(session.subjects(), args.person.subject)?;
        let (mut ignore, now) = (|_: &consent::ConsentPart| {}, clock::now());
        let Some((institution, choice)) = &choice else {
            let shown = consent::show(session, federation, subject, args.deadline_ms, now, &mut ignore);
            let parts = shown.await?;
            if human {
                out(&print::consents(subject, &parts));
            } else {
                let parts: Vec<ConsentJson<'_>> = parts.iter().map(Into::into).collect();
                out_json(&serde_json::json!({ "subject": SubjectJson::from(subject), "parts": parts }));
            }
            return Ok(None);
        };
        let chosen = consent::choose(session, federation, subject, institution, choice, now, &mut ignore);
        let part = chosen.await?;
        if human {
            say(&words::consent::outcome(&part, choice));
            out(&print::consent(&part));
        } else {
            out_json(&ConsentJson::from(&part));
        }
        part.receipt.map(Some).ok_or(Trouble::NotChosen)
    })
    .await
}
