//! One round: every institution is asked at once through the gateway, and each is settled exactly once.
//!
//! Whatever is asked — records, a history, a choice — goes to every institution, in parts of one size, so that
//! the gateway never learns where a child's records are. Must not know what is asked or made of the answers.

use std::collections::BTreeMap;
use std::time::Duration;

use hibiki_protocol::answer::Answer;
use hibiki_protocol::cbor;
use hibiki_protocol::frames::{Reply, Request, View};
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::limits;
use hibiki_protocol::outcome::{Observation, Outcome};
use hibiki_protocol::query::Refusal;
use hibiki_protocol::signing::Signed;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{Member, MemberKind};

use crate::federation::Federation;
use crate::question::{Awaited, Question};
use crate::receipts::kept::KeptReceipt;
use crate::session::Session;
use crate::trouble::Trouble;

/// How much longer than its deadline a round is waited for: the gateway then is as good as gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// An institution, and what became of asking it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
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
    /// By the institution's clock, when it answered.
    pub as_of: Option<Timestamp>,
}

impl Standing {
    fn gap(member: &Member, outcome: Outcome, detail: Option<&'static str>) -> Self {
        Self {
            institution: member.id.clone(),
            kind: member.kind,
            name: (member.name_ja.clone(), member.name_en.clone()),
            outcome,
            detail,
            retry_after_millis: None,
            as_of: None,
        }
    }
}

/// What is known of one institution at the end: how it stands, and its answer if it gave one that verifies.
pub(crate) struct Settled {
    pub(crate) standing: Standing,
    pub(crate) answer: Option<Answer>,
}

impl Settled {
    fn gap(member: &Member, outcome: Outcome, detail: Option<&'static str>) -> Self {
        Self { standing: Standing::gap(member, outcome, detail), answer: None }
    }

    fn answered(member: &Member, answer: Answer) -> Self {
        let standing = Standing {
            retry_after_millis: answer.retry_after_millis,
            as_of: Some(answer.as_of),
            ..Standing::gap(member, answer.outcome, answer.refusal.map(Refusal::as_str))
        };
        Self { standing, answer: Some(answer) }
    }
}

/// Whether the gateway was there until the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    InOrder,
    GatewayLost,
}

/// Asks; `settled` is called once for every institution, the moment its place is known.
///
/// # Errors
/// The round was refused as a whole. A gateway lost on the way is no error: what has come stays, and the rest
/// is settled with that reason.
pub(crate) async fn ask(
    session: &Session,
    federation: &Federation,
    question: Question,
    deadline_millis: Option<u64>,
    settled: &mut (dyn FnMut(&Member, Settled) + Send),
) -> Result<Ended, Trouble> {
    let Question { parts, awaited, not_asked } = question;
    let deadline_millis = deadline_millis.unwrap_or(limits::VIEW_DEADLINE_MILLIS_DEFAULT);
    let deadline_millis = deadline_millis.clamp(1, limits::VIEW_DEADLINE_MILLIS_MAX);
    let mut round = Round { federation, session, awaited, settled };
    for (institution, reason) in &not_asked {
        round.settle(institution, |member| Settled::gap(member, Outcome::NotAsked, Some(reason.as_str())));
    }
    let request = View { deadline_millis, parts }.into();
    let within = Duration::from_millis(deadline_millis) + PATIENCE;
    let ended = match tokio::time::timeout(within, round.receive(&request)).await {
        Ok(Err(refused @ Trouble::View(_))) => return Err(refused),
        Ok(ended) => ended.is_ok(),
        Err(_) => false,
    };
    round.settle_the_rest(if ended { "gateway_silent" } else { "gateway_lost" });
    Ok(if ended { Ended::InOrder } else { Ended::GatewayLost })
}

/// A round under way.
struct Round<'a> {
    federation: &'a Federation,
    session: &'a Session,
    awaited: BTreeMap<MemberId, Awaited>,
    settled: &'a mut (dyn FnMut(&Member, Settled) + Send),
}

impl Round<'_> {
    /// Reads replies until the round ends.
    async fn receive(&mut self, request: &Request) -> Result<(), Trouble> {
        let mut exchange = self.session.connection().begin(request).await?;
        loop {
            let frame = exchange.recv(limits::FRAME_BYTES_MAX).await;
            let frame = frame.ok().flatten().ok_or(Trouble::Protocol("the view broke off"))?;
            match cbor::decode(&frame).map_err(|_| Trouble::Protocol("a reply is not well-formed"))? {
                Reply::PartAnswered(answered) => {
                    let (session, epoch) = (self.session, self.federation.accepted().list().epoch);
                    self.settle_awaited(&answered.audience, |member, awaited| {
                        match awaited.open(&member.id, &answered.answer) {
                            Ok(answer) => {
                                session.keep_receipt(|| KeptReceipt::of(member, epoch, &answer));
                                Settled::answered(member, answer)
                            }
                            Err(_) => Settled::gap(member, Outcome::InvalidAnswer, Some("does_not_verify")),
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

    fn observed(&mut self, observation: &Signed<Observation>) {
        let Ok(claimed) = observation.claimed() else { return };
        let Ok(gateway) = self.federation.gateway(self.session.connection().gateway()) else { return };
        self.settle_awaited(&claimed.audience, |member, awaited| {
            let Some(observed) = awaited.observe(&member.id, gateway, observation) else {
                let detail = Some("observation_does_not_verify");
                return Settled::gap(member, Outcome::InvalidAnswer, detail);
            };
            let standing = Standing {
                retry_after_millis: observed.retry_after_millis,
                ..Standing::gap(member, observed.outcome, observed.refusal.map(Refusal::as_str))
            };
            Settled { standing, answer: None }
        });
    }

    /// Settles an institution that is still awaited; a second word about one changes nothing.
    fn settle_awaited(&mut self, institution: &MemberId, settled: impl FnOnce(&Member, &Awaited) -> Settled) {
        if let Some(awaited) = self.awaited.remove(institution) {
            self.settle(institution, |member| settled(member, &awaited));
        }
    }

    fn settle(&mut self, institution: &MemberId, settled: impl FnOnce(&Member) -> Settled) {
        if let Some(member) = self.federation.accepted().list().member(institution) {
            (self.settled)(member, settled(member));
        }
    }

    fn settle_the_rest(&mut self, detail: &'static str) {
        let rest: Vec<MemberId> = self.awaited.keys().cloned().collect();
        for institution in rest {
            self.settle_awaited(&institution, |member, _| {
                Settled::gap(member, Outcome::Unreachable, Some(detail))
            });
        }
    }
}
