//! The view: every institution with its outcome, painted as answers land.

use std::collections::BTreeMap;
use std::time::Duration;

use hibiki_protocol::answer::{Answer, Receipt, Record};
use hibiki_protocol::cbor;
use hibiki_protocol::frames::{Reply, Request};
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::limits;
use hibiki_protocol::outcome::{Coverage, Outcome};
use hibiki_protocol::query::Refusal;
use hibiki_protocol::session::AttestedSubject;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{Member, MemberKind};

use crate::federation::Federation;
use crate::question::{Awaited, NotAsked, Question, Wish};
use crate::session::Session;
use crate::trouble::Trouble;

/// How much longer than its deadline a view is waited for: the gateway then is as good as gone.
const PATIENCE: Duration = Duration::from_secs(2);

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
}

impl ViewPart {
    fn gap(member: &Member, outcome: Outcome, detail: Option<&'static str>) -> Self {
        Self {
            institution: member.id.clone(),
            kind: member.kind,
            name: (member.name_ja.clone(), member.name_en.clone()),
            outcome,
            detail,
            retry_after_millis: None,
            as_of: None,
            policy_version: None,
            records: Vec::new(),
            receipt: None,
        }
    }

    fn answered(member: &Member, answer: Answer) -> Self {
        Self {
            retry_after_millis: answer.retry_after_millis,
            as_of: Some(answer.as_of),
            policy_version: Some(answer.policy_version),
            records: answer.records,
            receipt: answer.receipt,
            ..Self::gap(member, answer.outcome, answer.refusal.map(Refusal::as_str))
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
    let Question { parts, awaited, not_asked } = Question::prepare(session, federation, subject, wish, now)?;
    let deadline_millis = wish.deadline_millis.unwrap_or(limits::VIEW_DEADLINE_MILLIS_DEFAULT);
    let deadline_millis = deadline_millis.clamp(1, limits::VIEW_DEADLINE_MILLIS_MAX);
    let mut assembly = Assembly { federation, session, awaited, done: BTreeMap::new(), landed };
    for (institution, reason) in &not_asked {
        assembly.settle(institution, |member| not_asked_part(member, *reason));
    }
    let request = hibiki_protocol::frames::View { deadline_millis, parts }.into();
    let within = Duration::from_millis(deadline_millis) + PATIENCE;
    let ended = match tokio::time::timeout(within, assembly.receive(&request)).await {
        Ok(Err(refused @ Trouble::View(_))) => return Err(refused),
        Ok(ended) => ended.is_ok(),
        Err(_) => false,
    };
    assembly.settle_the_rest(if ended { "gateway_silent" } else { "gateway_lost" });
    let mut done = assembly.done;
    let parts = federation.responders().filter_map(|member| done.remove(&member.id)).collect();
    Ok(View {
        subject: subject.clone(),
        as_of: now,
        simulated: session.simulated(),
        parts,
        gateway_lost: !ended,
    })
}

fn not_asked_part(member: &Member, reason: NotAsked) -> ViewPart {
    ViewPart::gap(member, Outcome::NotAsked, Some(reason.as_str()))
}

/// A view under way.
struct Assembly<'a> {
    federation: &'a Federation,
    session: &'a Session,
    awaited: BTreeMap<MemberId, Awaited>,
    done: BTreeMap<MemberId, ViewPart>,
    landed: &'a mut (dyn FnMut(&ViewPart) + Send),
}

impl Assembly<'_> {
    /// Reads replies until the view ends.
    async fn receive(&mut self, request: &Request) -> Result<(), Trouble> {
        let mut exchange = self.session.connection().begin(request).await?;
        loop {
            let frame = exchange.recv(limits::FRAME_BYTES_MAX).await;
            let frame = frame.ok().flatten().ok_or(Trouble::Protocol("the view broke off"))?;
            match cbor::decode(&frame).map_err(|_| Trouble::Protocol("a reply is not well-formed"))? {
                Reply::PartAnswered(answered) => {
                    self.settle_awaited(&answered.audience, |member, awaited| {
                        match awaited.open(&member.id, &answered.answer) {
                            Ok(answer) => ViewPart::answered(member, answer),
                            Err(_) => ViewPart::gap(member, Outcome::InvalidAnswer, Some("does_not_verify")),
                        }
                    });
                }
                Reply::PartObserved(observed) => self.observed(&observed.observation),
                Reply::ViewEnd(_) => return Ok(()),
                Reply::ViewRefused(refused) => return Err(Trouble::View(refused.refusal)),
                _ => return Err(Trouble::Protocol("something else came in a view")),
            }
        }
    }

    fn observed(
        &mut self,
        observation: &hibiki_protocol::signing::Signed<hibiki_protocol::outcome::Observation>,
    ) {
        let Ok(claimed) = observation.claimed() else { return };
        let Ok(gateway) = self.federation.gateway(self.session.connection().gateway()) else { return };
        self.settle_awaited(&claimed.audience, |member, awaited| {
            match awaited.observe(&member.id, gateway, observation) {
                Some(observed) => ViewPart {
                    retry_after_millis: observed.retry_after_millis,
                    ..ViewPart::gap(member, observed.outcome, observed.refusal.map(Refusal::as_str))
                },
                None => ViewPart::gap(member, Outcome::InvalidAnswer, Some("observation_does_not_verify")),
            }
        });
    }

    /// Settles an institution that is still awaited; a second word about one changes nothing.
    fn settle_awaited(&mut self, institution: &MemberId, part: impl FnOnce(&Member, &Awaited) -> ViewPart) {
        if let Some(awaited) = self.awaited.remove(institution) {
            self.settle(institution, |member| part(member, &awaited));
        }
    }

    fn settle(&mut self, institution: &MemberId, part: impl FnOnce(&Member) -> ViewPart) {
        if let Some(member) = self.federation.accepted().list().member(institution) {
            let part = part(member);
            (self.landed)(&part);
            self.done.insert(institution.clone(), part);
        }
    }

    fn settle_the_rest(&mut self, detail: &'static str) {
        let rest: Vec<MemberId> = self.awaited.keys().cloned().collect();
        for institution in rest {
            self.settle_awaited(&institution, |member, _| {
                ViewPart::gap(member, Outcome::Unreachable, Some(detail))
            });
        }
    }
}
