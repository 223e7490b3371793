//! One view: admitted, logged, fanned out, forwarded, ended.
//!
//! Three visible steps: wait for an answer or the deadline, let the machine decide, do what it says. When
//! the terminal goes away or its session ends, everything under way is cancelled. Must not know: what is
//! inside parts and answers.

use std::collections::BTreeSet;
use std::time::Duration;

use hibiki_protocol::answer::{SealedAnswer, is_answer_size};
use hibiki_protocol::cbor;
use hibiki_protocol::frames::{Ask, PartAnswered, PartObserved, Reply, View, ViewEnd, ViewRefused};
use hibiki_protocol::ids::{Digest, MemberId};
use hibiki_protocol::limits;
use hibiki_protocol::outcome::{Observation, Outcome};
use hibiki_protocol::query::{Part, Refusal};
use hibiki_protocol::signing::Signed;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::Role;
use hibiki_transport::{Exchange, Sender};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::account::Account;
use super::fanout::{Action, FanOut, Observed};
use super::sessions::Live;
use super::{Inner, send};
use crate::links::Failure;
use crate::observe::metrics;

/// A gateway that has too many views asks to be asked again after this many milliseconds.
const RETRY_AFTER_MILLIS: u64 = 1000;

/// After the deadline the terminal has this long to take what is on its way.
const TAKING: Duration = Duration::from_secs(5);

/// What comes of asking one institution.
type Asked = (MemberId, Result<SealedAnswer, Failure>);

/// A refusal of the whole view.
struct Refused(Refusal, Option<u64>);

impl Inner {
    pub(super) async fn view(&self, view: View, exchange: Exchange) {
        let arrived = Instant::now();
        let refuse = |Refused(refusal, retry_after_millis): Refused| {
            Reply::ViewRefused(ViewRefused { refusal, retry_after_millis })
        };
        let link = exchange.link().id();
        let live = self.sessions().live(link, Timestamp(self.base.env.now()));
        let live = match live {
            Ok(live) => live,
            Err(refusal) => return send(exchange, &refuse(Refused(refusal, None))).await,
        };
        let Ok(_fanning) = self.views.try_acquire() else {
            return send(exchange, &refuse(Refused(Refusal::Busy, Some(RETRY_AFTER_MILLIS)))).await;
        };
        let asked_millis = view.deadline_millis;
        let parts = match check(view) {
            Ok(parts) => parts,
            Err(refused) => return send(exchange, &refuse(refused)).await,
        };
        let deadline = arrived + self.deadline(asked_millis, &live);
        match Account::open(&self.base.env, &self.base.log, &parts).await {
            Ok(account) => {
                metrics::count(metrics::QUERIES);
                self.fan_out(parts, deadline, live, account, exchange).await;
                metrics::record_seconds(metrics::QUERY_SECONDS, arrived.elapsed());
            }
            Err(error) => {
                tracing::error!(%error, "a view is refused because it cannot be logged");
                send(exchange, &refuse(Refused(Refusal::NotLogged, None))).await;
            }
        }
    }

    /// The deadline in force: what was asked, within the protocol's and the session's bounds.
    fn deadline(&self, asked_millis: u64, live: &Live) -> Duration {
        let asked = if asked_millis == 0 { self.base.deadline } else { Duration::from_millis(asked_millis) };
        let session = live.not_after.since(Timestamp(self.base.env.now()));
        asked.min(Duration::from_millis(limits::VIEW_DEADLINE_MILLIS_MAX)).min(Duration::from_millis(session))
    }

    async fn fan_out(
        &self,
        parts: Vec<(Part, Digest)>,
        deadline: Instant,
        mut live: Live,
        account: Account,
        exchange: Exchange,
    ) {
        let abandoned = exchange.abandoned();
        tokio::pin!(abandoned);
        let (sender, _receiver) = exchange.into_halves();
        let mut run = Run { gateway: self, account, sender, deadline };
        let mut machine = FanOut::new(parts.iter().map(|(part, digest)| (part.audience.clone(), *digest)));
        let mut asks: JoinSet<Asked> = JoinSet::new();
        let mut actions = machine.handle_start();
        for (part, _) in parts {
            if self.answers(&part.audience) {
                self.ask(&mut asks, part, deadline);
            } else {
                actions.extend(machine.handle_not_asked(&part.audience));
            }
        }
        loop {
            match run.act(actions).await {
                Ok(None) => {}
                Ok(Some(parts)) => return run.end(parts).await,
                Err(Gone) => return,
            }
            actions = tokio::select! {
                biased;
                // Nobody waits any more, or the card is gone: dropping everything cancels it.
                () = &mut abandoned => return,
                () = live.ended() => return,
                () = sleep_until(deadline) => finish(self, &mut asks, &mut machine),
                asked = asks.join_next(), if !asks.is_empty() => match asked {
                    Some(Ok(asked)) => handle(&mut machine, asked),
                    // A question that panicked has no answer: the deadline observes it.
                    Some(Err(_)) | None => Vec::new(),
                },
            };
        }
    }

    /// Whether `audience` is an institution that answers, by the list in force.
    fn answers(&self, audience: &MemberId) -> bool {
        self.base.links.membership().roster().has_role(audience, Role::Responder)
    }

    fn ask(&self, asks: &mut JoinSet<Asked>, part: Part, deadline: Instant) {
        let remaining = deadline.saturating_duration_since(Instant::now());
        let links = self.base.links.clone();
        let audience = part.audience.clone();
        if audience != *links.own() {
            asks.spawn(async move {
                let answer = links.ask(&audience, &part, remaining).await;
                (audience, answer)
            });
            return;
        }
        let responder = self.base.responder.clone();
        asks.spawn(async move {
            let Some(responder) = responder else { return (audience, Err(Failure::Unreachable)) };
            let remaining_millis = u64::try_from(remaining.as_millis()).unwrap_or(u64::MAX);
            let freshness = responder.freshness(&audience).token;
            let ask = Ask { freshness, remaining_millis, hops: 1, part };
            let answer = match timeout_at(deadline, responder.ask(&audience, ask)).await {
                Err(_) => Err(Failure::TimedOut),
                Ok(Ok(answered)) => Ok(answered.answer),
                Ok(Err(declined)) => Err(Failure::Declined {
                    refusal: declined.refusal,
                    retry_after_millis: declined.retry_after_millis,
                }),
            };
            (audience, answer)
        });
    }
}

/// At most so many parts, one for each institution, all of the common size.
fn check(view: View) -> Result<Vec<(Part, Digest)>, Refused> {
    let audiences: BTreeSet<&MemberId> = view.parts.iter().map(|part| &part.audience).collect();
    let sized = |part: &Part| part.sealed.ciphertext.len() == limits::PART_PLAINTEXT_BYTES + 16;
    if view.parts.len() > limits::VIEW_PARTS_MAX
        || audiences.len() != view.parts.len()
        || !view.parts.iter().all(sized)
    {
        return Err(Refused(Refusal::Malformed, None));
    }
    Ok(view
        .parts
        .into_iter()
        .map(|part| (part.digest(), part))
        .map(|(digest, part)| (part, digest))
        .collect())
}

fn handle(machine: &mut FanOut, (audience, asked): Asked) -> Vec<Action<SealedAnswer>> {
    match asked {
        Ok(answer) => {
            let well_sized = is_answer_size(answer.0.ciphertext.len());
            machine.handle_answer(&audience, answer, well_sized)
        }
        Err(failure) => machine.handle_failure(&audience, failure),
    }
}

/// The deadline: what has come is taken, the rest is observed and given up.
fn finish(gateway: &Inner, asks: &mut JoinSet<Asked>, machine: &mut FanOut) -> Vec<Action<SealedAnswer>> {
    let mut actions = Vec::new();
    while let Some(asked) = asks.try_join_next() {
        if let Ok(asked) = asked {
            actions.extend(handle(machine, asked));
        }
    }
    let links = &gateway.base.links;
    actions.extend(machine.handle_deadline(|audience| {
        if audience == links.own() || links.up(audience) { Failure::TimedOut } else { Failure::Unreachable }
    }));
    asks.abort_all();
    actions
}

/// The terminal does not take what it asked for.
struct Gone;

/// What acts on the outside for one view.
struct Run<'a> {
    gateway: &'a Inner,
    account: Account,
    sender: Sender,
    deadline: Instant,
}

impl Run<'_> {
    /// Does what the machine says; tells the number of parts once the view is complete.
    async fn act(&mut self, actions: Vec<Action<SealedAnswer>>) -> Result<Option<u64>, Gone> {
        for action in actions {
            match action {
                Action::Forward { audience, answer } => {
                    self.account.note(&audience, "answered", Some(&answer));
                    self.count("answered");
                    self.send(&Reply::PartAnswered(PartAnswered { audience, answer })).await?;
                }
                Action::Observe(observed) => {
                    self.account.note(&observed.audience, observed.outcome.as_str(), None);
                    self.count(label(observed.outcome));
                    let observation = self.sign(observed);
                    self.send(&Reply::PartObserved(PartObserved { observation })).await?;
                }
                Action::End { parts } => return Ok(Some(parts)),
            }
        }
        Ok(None)
    }

    fn count(&self, result: &'static str) {
        metrics::count_result(metrics::PARTS_RELAYED, result);
        metrics::record_seconds_of(metrics::RELAY_SECONDS, result, self.account.elapsed());
    }

    fn sign(&self, observed: Observed) -> Signed<Observation> {
        let base = &self.gateway.base;
        let observation = Observation {
            gateway: base.links.own().clone(),
            audience: observed.audience,
            part: observed.part,
            outcome: observed.outcome,
            refusal: observed.refusal,
            retry_after_millis: observed.retry_after_millis,
            at: Timestamp(base.env.now()),
        };
        Signed::sign(&observation, &base.signing)
    }

    async fn send(&mut self, reply: &Reply) -> Result<(), Gone> {
        let last = self.deadline.max(Instant::now()) + TAKING;
        let sent = timeout_at(last, self.sender.send(&cbor::encode(reply))).await;
        if matches!(sent, Ok(Ok(()))) { Ok(()) } else { Err(Gone) }
    }

    /// The end is said when the outcomes are durable.
    async fn end(self, parts: u64) {
        let Self { account, mut sender, deadline, .. } = self;
        account.settle().await;
        let end = cbor::encode(&Reply::ViewEnd(ViewEnd { parts }));
        let last = deadline.max(Instant::now()) + TAKING;
        if matches!(timeout_at(last, sender.send(&end)).await, Ok(Ok(()))) {
            let _ = sender.finish();
        }
    }
}

/// The closed list of labels: what a scraper may learn.
const fn label(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Unreachable => "unreachable",
        Outcome::TimedOut => "timed_out",
        Outcome::Busy => "busy",
        Outcome::NotAsked => "not_asked",
        Outcome::Data
        | Outcome::NothingToShow
        | Outcome::Version
        | Outcome::Expired
        | Outcome::NotLogged
        | Outcome::InvalidAnswer => "declined",
    }
}
