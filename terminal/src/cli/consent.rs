//! `consent`: what institutions may show of one person, as this guardian chose, and choosing.

use clap::Args;
use hibiki_protocol::act::Reach;
use hibiki_protocol::ids::{Category, MemberId};

use super::login::{Open, open};
use super::receipts::KeepArgs;
use super::view::{PersonArgs, choose};
use super::{Common, Format, out, out_json, say};
use crate::card::CardFault;
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
    let keeping = args.keep.begin()?;
    let Open { session, card, federation, .. } = open(&args.common).await?;
    keeping.listen(&session);
    let human = args.common.format == Format::Human;
    let subject = choose(session.subjects(), args.person.subject)?;
    let asked = async {
        let mut ignore = |_: &consent::ConsentPart| {};
        let Some((institution, choice)) = &choice else {
            let (deadline, now) = (args.deadline_ms, clock::now());
            let parts = consent::show(&session, &federation, subject, deadline, now, &mut ignore).await?;
            if human {
                out(&print::consents(subject, &parts));
            } else {
                let parts: Vec<ConsentJson<'_>> = parts.iter().map(Into::into).collect();
                out_json(&serde_json::json!({ "subject": SubjectJson::from(subject), "parts": parts }));
            }
            return Ok(None);
        };
        let now = clock::now();
        let chosen = consent::choose(&session, &federation, subject, institution, choice, now, &mut ignore);
        let part = chosen.await?;
        if human {
            say(&words::consent::outcome(&part, choice));
            out(&print::consent(&part));
        } else {
            out_json(&ConsentJson::from(&part));
        }
        part.receipt.map(Some).ok_or(Trouble::NotChosen)
    };
    let outcome = tokio::select! {
        biased;
        () = card.removed() => Err(CardFault::Removed.into()),
        outcome = asked => outcome,
    };
    let change = outcome.as_ref().ok().and_then(Option::as_ref);
    let kept = keeping.finish(&session, &federation, change);
    let _ = session.close().await;
    outcome.and(kept)
}
