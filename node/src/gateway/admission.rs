//! Opening a session: the statement bound to this very link, the card judged by the registry.
//!
//! Must not know: what the attestation says; it is sealed to the terminal.

use std::time::Duration;

use hibiki_protocol::cbor;
use hibiki_protocol::frames::{Attest, Reply, SessionOpened};
use hibiki_protocol::session::{Binding, EXPORTER_LABEL, OpenSession, SessionRefusal, SessionStatement};
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::Standing;
use hibiki_transport::{Exchange, Link};
use tokio::time::{Instant, timeout};

use super::{Attester, Inner, refused, send};
use crate::links::AttestFailure;
use crate::observe::metrics;

/// The registry must have judged the card within this: shorter than the 5 s a terminal waits, so that
/// the person hears the reason.
const ATTEST: Duration = Duration::from_secs(4);

impl Inner {
    pub(super) async fn open_session(&self, open: OpenSession, exchange: Exchange) {
        let link = exchange.link().clone();
        let outcome = tokio::select! {
            biased;
            () = exchange.abandoned() => return,
            outcome = self.admit(open, &link) => outcome,
        };
        let reply = match outcome {
            Ok(opened) => {
                metrics::count_result(metrics::SESSIONS_OPENED, "opened");
                self.count_sessions();
                Reply::SessionOpened(opened)
            }
            Err(refusal) => {
                metrics::count_result(metrics::SESSIONS_OPENED, "refused");
                tracing::info!(link = link.id(), %refusal, "a session was refused");
                refused(refusal)
            }
        };
        send(exchange, &reply).await;
    }

    async fn admit(&self, open: OpenSession, link: &Link) -> Result<SessionOpened, SessionRefusal> {
        let base = &self.base;
        let now = || Timestamp(base.env.now());
        let membership = base.links.membership();
        if membership.standing(now(), base.grace_millis) == Standing::Expired {
            return Err(SessionRefusal::MembershipExpired);
        }
        // The challenge is used up whatever comes of it.
        let statement: SessionStatement =
            cbor::decode(&open.statement).map_err(|_| SessionRefusal::Malformed)?;
        let challenge = statement.challenge;
        if !self.challenges().take(link.id(), &challenge, Instant::now()) {
            return Err(SessionRefusal::Challenge);
        }
        if !self.sessions().has_room(link.id(), now()) {
            return Err(SessionRefusal::Busy);
        }
        let exporter =
            link.export_key(EXPORTER_LABEL, &challenge).map_err(|_| SessionRefusal::WrongBinding)?;
        let current = membership.current();
        let binding = Binding {
            federation: &current.list().federation,
            gateway: base.links.own(),
            epoch: current.list().epoch,
            list_digest: current.digest(),
            challenge,
            exporter,
        };
        let bound = open.bind(&binding, now())?;
        let _attesting = self.attesting.try_acquire().map_err(|_| SessionRefusal::Busy)?;
        let opened = match &base.attester {
            Attester::Own(registry) => {
                let attested = registry.attest(base.links.own(), &open, &bound);
                timeout(ATTEST, attested).await.unwrap_or(Err(SessionRefusal::RegistryUnreachable))?
            }
            Attester::Member(registry) => {
                let gateway = base.links.own().clone();
                let attest = Attest { gateway, open, challenge, exporter };
                base.links.attest(registry, attest, ATTEST).await.map_err(|failure| match failure {
                    AttestFailure::Refused(refusal) => refusal,
                    AttestFailure::Unreachable | AttestFailure::Invalid => {
                        SessionRefusal::RegistryUnreachable
                    }
                })?
            }
        };
        let not_after = opened.not_after.min(bound.statement().not_after);
        if not_after <= now() {
            return Err(SessionRefusal::Time);
        }
        let replaced = self.sessions().open(link.id(), not_after, now());
        self.courier.tell(replaced);
        if link.close_reason().is_some() {
            // It closed meanwhile, and may have been forgotten before the session was there.
            self.left(link);
        }
        Ok(SessionOpened { not_after, ..opened })
    }
}
