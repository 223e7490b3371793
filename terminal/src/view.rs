//! The view: every institution with its outcome, painted as answers land.

use std::collections::BTreeMap;

use hibiki_protocol::answer::{KeptSince, Record};
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::outcome::{Coverage, Outcome};
use hibiki_protocol::receipt::Receipt;
use hibiki_protocol::session::AttestedSubject;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::MemberKind;

use crate::federation::Federation;
use crate::question::{Question, Wish};
use crate::round::{self, Ended, Settled};
use crate::session::Session;
use crate::trouble::Trouble;

/// One institution's place in the view.
#[derive(Clone, Debug)]
pub struct ViewPart {
    /// The institution.
    pub institution: MemberId,
    /// What it is.
    pub kind: MemberKind,
    /// Its name, Japanese and English.
    pub name: (String, String),
    /// What became of asking it.
    pub outcome: Outcome,
    /// More about an outcome other than data: a stable word such as `gateway_lost` or a refusal's name.
    pub detail: Option<&'static str>,
    /// Milliseconds after which asking again makes sense.
    pub retry_after_millis: Option<u64>,
    /// How current its records are.
    pub as_of: Option<Timestamp>,
    /// Version of the policy it applied.
    pub policy_version: Option<u64>,
    /// Its records.
    pub records: Vec<Record>,
    /// Its ledger's promise.
    pub receipt: Option<Receipt>,
    /// Since when it says that it keeps which category; empty where it says nothing.
    pub kept_since: Vec<KeptSince>,
}

impl From<Settled> for ViewPart {
    fn from(Settled { standing, answer }: Settled) -> Self {
        let part = Self {
            institution: standing.institution,
            kind: standing.kind,
            name: standing.name,
            outcome: standing.outcome,
            detail: standing.detail,
            retry_after_millis: standing.retry_after_millis,
            as_of: standing.as_of,
            policy_version: None,
            records: Vec::new(),
            receipt: None,
            kept_since: Vec::new(),
        };
        let Some(answer) = answer else { return part };
        Self {
            policy_version: Some(answer.policy_version),
            records: answer.records,
            receipt: answer.receipt,
            kept_since: answer.kept_since.unwrap_or_default(),
            ..part
        }
    }
}

/// An assembled view.
#[derive(Clone, Debug)]
pub struct View {
    /// Whose.
    pub subject: AttestedSubject,
    /// When it was assembled.
    pub as_of: Timestamp,
    /// Made with a simulated card.
    pub simulated: bool,
    /// Every institution, in the order of the trust list.
    pub parts: Vec<ViewPart>,
    /// The gateway was lost while the view was under way.
    pub gateway_lost: bool,
}

impl View {
    /// Counts of outcomes.
    pub fn coverage(&self) -> Coverage {
        self.parts.iter().map(|part| part.outcome).collect()
    }
}

/// Asks every institution about `subject` and assembles what comes back; `landed` is called with
/// each part the moment it is known.
///
/// # Errors
/// The view was refused as a whole. A gateway lost on the way is no error: what has landed is kept,
/// and the rest says so.
pub async fn assemble(
    session: &Session,
    federation: &Federation,
    subject: &AttestedSubject,
    wish: &Wish,
    now: Timestamp,
    landed: &mut (dyn FnMut(&ViewPart) + Send),
) -> Result<View, Trouble> {
    let question = Question::prepare(session, federation, subject, wish, now)?;
    let mut done = BTreeMap::new();
    let ended = round::ask(session, federation, question, wish.deadline_millis, &mut |_, settled| {
        let part = ViewPart::from(settled);
        landed(&part);
        done.insert(part.institution.clone(), part);
    })
    .await?;
    Ok(View {
        subject: subject.clone(),
        as_of: now,
        simulated: session.simulated(),
        parts: federation.responders().filter_map(|member| done.remove(&member.id)).collect(),
        gateway_lost: ended == Ended::GatewayLost,
    })
}
