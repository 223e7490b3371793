//! A guardian at a simulated terminal: the terminal's own core over the world's network.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use hibiki_node::env::Clock as _;
use hibiki_protocol::answer::Answer;
use hibiki_protocol::cbor;
use hibiki_protocol::frames::{Reply, View as ViewRequest};
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::limits;
use hibiki_protocol::session::{AttestedSubject, Relation};
use hibiki_protocol::time::Timestamp;
use hibiki_simnet::Host;
use hibiki_terminal::card::Pin;
use hibiki_terminal::connection::Connection;
use hibiki_terminal::federation::Federation;
use hibiki_terminal::question::{Question, Wish};
use hibiki_terminal::road::{Road, Sockets};
use hibiki_terminal::session::Session;
use hibiki_terminal::trouble::Trouble;
use hibiki_terminal::view::{self, View};
use tokio::time::{Duration, Instant};

use super::cards::RehearsedCard;
use super::choices::Choices;
use super::outside::Wall;
use crate::population::Expected;
use crate::town::cards::PIN;

/// A guardian.
#[derive(Clone)]
pub struct Guardian {
    /// Her name in the world.
    pub name: String,
    /// Her terminal.
    pub host: Host,
    /// What her children's views must show.
    pub expected: Expected,
    /// What she has withdrawn.
    pub choices: Arc<Choices>,
    card: RehearsedCard,
    root: PathBuf,
    trust_list: PathBuf,
    gateway: (MemberId, SocketAddr),
    ports: Arc<AtomicU16>,
}

/// An open session.
pub struct Visit {
    /// The session.
    pub session: Session,
    /// The federation as the terminal knows it.
    pub federation: Federation,
}

/// A view, and how it came together.
pub struct Seen {
    /// What was assembled.
    pub view: View,
    /// How often a place was filled, by institution.
    pub landed: BTreeMap<MemberId, u32>,
    /// Institutions that were to be in it.
    pub asked: BTreeSet<MemberId>,
    /// How long it took, in virtual time.
    pub took: Duration,
}

/// An answer, and how large it was on its way.
pub struct Opened {
    /// What it says.
    pub answer: Answer,
    /// Bytes of its sealed form.
    pub size: usize,
}

impl Guardian {
    pub(super) fn new(
        name: String,
        host: Host,
        card: RehearsedCard,
        [root, trust_list]: [PathBuf; 2],
        gateway: (MemberId, SocketAddr),
        expected: Expected,
    ) -> Self {
        Self {
            name,
            host,
            expected,
            choices: Arc::default(),
            card,
            root,
            trust_list,
            gateway,
            ports: Arc::new(AtomicU16::new(20_000)),
        }
    }

    /// The moment, by her terminal's clock.
    pub fn now(&self) -> Timestamp {
        Timestamp(Wall(self.host.clone()).now())
    }

    fn road(&self) -> Road {
        let (host, ports) = (self.host.clone(), Arc::clone(&self.ports));
        let sockets: Sockets = Arc::new(move |_| host.socket(ports.fetch_add(1, Ordering::SeqCst)));
        Road::new(self.host.runtime(), sockets, Arc::new(Wall(self.host.clone())))
    }

    /// Connects, touches the card, opens a session.
    ///
    /// # Errors
    /// What the person would be told.
    pub async fn open(&self) -> Result<Visit, Trouble> {
        let mut federation = Federation::load(&self.root, &self.trust_list)?;
        let (mut card, (gateway, address)) = (self.card.clone(), &self.gateway);
        let address = address.to_string();
        let connection =
            Connection::open_over(&self.road(), &mut federation, gateway, Some(&address), self.now()).await?;
        let pin = Pin::new(PIN.to_owned());
        let session = Session::open(connection, &federation, &mut card, &pin, self.now()).await?;
        Ok(Visit { session, federation })
    }

    /// Assembles the view of the child in this place.
    ///
    /// # Errors
    /// What the person would be told.
    pub async fn look(&self, visit: &Visit, child: usize, deadline_millis: u64) -> Result<Seen, Trouble> {
        let Visit { session, federation } = visit;
        let subject = subject(session, child)?;
        let wish = Wish { deadline_millis: Some(deadline_millis), ..Wish::default() };
        let mut landed = BTreeMap::new();
        let began = Instant::now();
        let view = view::assemble(session, federation, subject, &wish, self.now(), &mut |part| {
            *landed.entry(part.institution.clone()).or_default() += 1;
        })
        .await?;
        let asked = federation.responders().map(|member| member.id.clone()).collect();
        Ok(Seen { view, landed, asked, took: began.elapsed() })
    }

    /// Sends the very same parts twice, as somebody would who recorded them; what was answered each time.
    ///
    /// # Errors
    /// What the person would be told.
    pub async fn ask_twice(
        &self,
        visit: &Visit,
        pause: Duration,
    ) -> Result<[BTreeMap<MemberId, Opened>; 2], Trouble> {
        let Visit { session, federation } = visit;
        let subject = subject(session, 0)?;
        let question = Question::prepare(session, federation, subject, &Wish::default(), self.now())?;
        let first = self.put(visit, &question).await?;
        tokio::time::sleep(pause).await;
        Ok([first, self.put(visit, &question).await?])
    }

    /// Sends the parts of a question; every answer that opens.
    async fn put(&self, visit: &Visit, question: &Question) -> Result<BTreeMap<MemberId, Opened>, Trouble> {
        const PATIENCE: Duration = Duration::from_secs(8);
        let request = ViewRequest { deadline_millis: 4_000, parts: question.parts.clone() }.into();
        let mut exchange = visit.session.connection().begin(&request).await?;
        let mut answers = BTreeMap::new();
        while let Ok(Some(frame)) = exchange.recv_within(limits::FRAME_BYTES_MAX, PATIENCE).await {
            match cbor::decode(&frame).map_err(|_| Trouble::Protocol("a reply is not well-formed"))? {
                Reply::PartAnswered(answered) => {
                    let awaited = question.awaited.get(&answered.audience);
                    let answer = awaited.and_then(|one| one.open(&answered.audience, &answered.answer).ok());
                    let size = answered.answer.0.ciphertext.len();
                    answers.extend(answer.map(|answer| (answered.audience, Opened { answer, size })));
                }
                Reply::PartObserved(_) => {}
                _ => break,
            }
        }
        Ok(answers)
    }
}

/// One of the children she may ask about.
fn subject(session: &Session, child: usize) -> Result<&AttestedSubject, Trouble> {
    let children: Vec<_> =
        session.subjects().iter().filter(|subject| subject.relation == Relation::Child).collect();
    children.get(child % children.len().max(1)).copied().ok_or(Trouble::Nobody)
}

/// The child of this name.
pub(super) fn child_named<'a>(session: &'a Session, kana: &str) -> Result<&'a AttestedSubject, Trouble> {
    let named = |subject: &&AttestedSubject| subject.relation == Relation::Child && subject.kana == kana;
    session.subjects().iter().find(named).ok_or(Trouble::Nobody)
}
