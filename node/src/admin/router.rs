//! Which command goes to which handler.
//!
//! Each module registers its own: `router.add("import", move |request, responder| { … async move { … } })`.
//! Must not know: how requests arrive.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::body::Body;
use super::responder::Responder;
use super::wire::AdminError;
use crate::config::nearest;

/// What a command comes to.
pub type Outcome = Result<Value, AdminError>;

type Running = Pin<Box<dyn Future<Output = Outcome> + Send>>;
type Handler = Arc<dyn Fn(Request, Responder) -> Running + Send + Sync>;

/// Who is connected, by the kernel's word (`SO_PEERCRED`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Peer {
    /// User id of the connecting process.
    pub uid: u32,
    /// Process id, where the kernel tells it.
    pub pid: Option<i32>,
}

/// One command to be done.
pub struct Request {
    /// Name of the command.
    pub command: String,
    /// Its arguments as they came.
    pub arguments: Value,
    /// Who says they act; see [`Request::staff`].
    pub staff: Option<String>,
    /// Who is connected.
    pub peer: Peer,
    /// The uploaded file; empty if there is none.
    pub body: Body,
}

impl Request {
    /// A request without a body from this very process, for tests and for commands that call others.
    pub fn local(command: impl Into<String>, arguments: Value, staff: Option<&str>) -> Self {
        Self {
            command: command.into(),
            arguments,
            staff: staff.map(str::to_owned),
            peer: Peer { uid: rustix::process::getuid().as_raw(), pid: None },
            body: Body::empty(),
        }
    }

    /// The arguments as the command's own type (give it `#[serde(deny_unknown_fields)]`). Absent arguments
    /// read as an empty object.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, AdminError> {
        let arguments = match &self.arguments {
            Value::Null => Value::Object(serde_json::Map::new()),
            present => present.clone(),
        };
        serde_json::from_value(arguments).map_err(|error| {
            AdminError::new(format!("the arguments do not fit: {error}"))
                .at(format!("command {}", self.command))
                .next(format!("see `hibiki-node {} --help`", self.command))
        })
    }

    /// Who looks, for the ledger: the member of staff who says so, or else the account that is connected.
    pub fn looker(&self) -> String {
        self.staff().map_or_else(|_| format!("uid {}", self.peer.uid), str::to_owned)
    }

    /// The acting member of staff, which acts that enter the ledger require.
    pub fn staff(&self) -> Result<&str, AdminError> {
        match self.staff.as_deref().map(str::trim) {
            Some(staff) if !staff.is_empty() => Ok(staff),
            _ => Err(AdminError::new("this act is entered in the ledger and needs the name of who does it")
                .at(format!("command {}", self.command))
                .next("repeat it with --staff NAME")),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Arguments and staff name persons.
        formatter
            .debug_struct("Request")
            .field("command", &self.command)
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// The commands this node knows. Cheap to clone.
#[derive(Clone, Default)]
pub struct Router(BTreeMap<&'static str, Handler>);

impl Router {
    /// No commands.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers the handler of a command; a second one under the same name replaces the first.
    pub fn add<Handle, Work>(&mut self, command: &'static str, handler: Handle) -> &mut Self
    where
        Handle: Fn(Request, Responder) -> Work + Send + Sync + 'static,
        Work: Future<Output = Outcome> + Send + 'static,
    {
        self.0.insert(command, Arc::new(move |request, responder| Box::pin(handler(request, responder))));
        self
    }

    /// The commands' names in order.
    pub fn commands(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// The registered spelling of a command's name: safe in logs and metrics, unlike what a client sent.
    pub fn known(&self, command: &str) -> Option<&'static str> {
        self.0.get_key_value(command).map(|(name, _)| *name)
    }

    /// Does a command.
    pub async fn dispatch(&self, request: Request, responder: Responder) -> Outcome {
        match self.0.get(request.command.as_str()) {
            Some(handler) => handler(request, responder).await,
            None => Err(self.unknown(&request.command)),
        }
    }

    fn unknown(&self, command: &str) -> AdminError {
        let error = AdminError::new("this node has no such command").at(format!("command {command:?}"));
        match nearest(command, self.commands()) {
            Some(near) => error.next(format!("did you mean {near:?}?")),
            None => error.next("the role that owns it may be switched off in [roles]"),
        }
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    async fn run(router: &Router, request: Request) -> Outcome {
        let (responder, _events, _cancel) = Responder::channel();
        router.dispatch(request, responder).await
    }

    #[tokio::test]
    async fn commands_find_their_handlers() {
        let mut router = Router::new();
        router
            .add("double", |request, _| async move {
                let n: u64 = request.parse()?;
                Ok(json!(n * 2))
            })
            .add("who", |request, _| async move { Ok(json!(request.staff()?)) });
        assert_eq!(run(&router, Request::local("double", json!(21), None)).await, Ok(json!(42)));
        assert_eq!(run(&router, Request::local("who", json!({}), Some("Sato"))).await, Ok(json!("Sato")));
        assert!(run(&router, Request::local("who", json!({}), Some("  "))).await.is_err());
        assert_eq!(router.known("who"), Some("who"));
        assert_eq!(router.known("nobody"), None);
    }

    #[tokio::test]
    async fn an_unknown_command_names_its_neighbour() {
        let mut router = Router::new();
        router.add("import", |_, _| async { Ok(Value::Null) });
        let error = run(&router, Request::local("improt", Value::Null, None)).await.unwrap_err();
        assert_eq!(error.next.as_deref(), Some("did you mean \"import\"?"));
        let error = run(&router, Request::local("zzzzzzzz", Value::Null, None)).await.unwrap_err();
        assert!(error.next.unwrap().contains("[roles]"));
    }

    #[tokio::test]
    async fn absent_arguments_are_an_empty_object() {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Arguments {
            limit: Option<u64>,
        }
        let request = Request::local("list", Value::Null, None);
        assert_eq!(request.parse::<Arguments>().unwrap().limit, None);
        let request = Request::local("list", json!({"limt": 1}), None);
        let error = request.parse::<Arguments>().err().unwrap();
        assert!(error.what.contains("limt"), "{error}");
    }
}
