//! WebDriver on the wire: JSON over HTTP to chromedriver, on loopback.
//!
//! A client of its own, because the protocol is a table of paths: the crates that speak it bring a hundred
//! others with them.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;

use super::BrowserError;

/// Longest any single command may take: one that loads a page, or prints it.
const COMMAND: Duration = Duration::from_secs(120);
/// A session that is closed by dropping it is not waited for any longer.
const GOODBYE: Duration = Duration::from_secs(10);
/// Most bytes of an answer: a page printed, or drawn, in base64.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// A session of WebDriver. Dropping it closes it.
pub(super) struct Session {
    agent: Agent,
    root: String,
    open: bool,
}

impl Session {
    /// Opens a session; what the browser says of itself.
    pub(super) fn open(address: &str, capabilities: &Value) -> Result<(Self, Value), BrowserError> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(COMMAND))
            .build();
        let agent = Agent::new_with_config(config);
        let root = format!("http://{address}/session");
        let wanted = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let mut session = Self { agent, root, open: false };
        let mut answer =
            session.ask("new session", |agent, root| agent.post(root).send(wanted.to_string()))?;
        let id = answer["sessionId"].as_str().ok_or(BrowserError::Answer("a session"))?;
        session.root = format!("{}/{id}", session.root);
        session.open = true;
        Ok((session, answer["capabilities"].take()))
    }

    /// Whether a driver answers.
    pub(super) fn is_ready(address: &str) -> bool {
        let config = Agent::config_builder().proxy(None).timeout_global(Some(GOODBYE)).build();
        let answer = Agent::new_with_config(config).get(format!("http://{address}/status")).call();
        let said = answer.ok().and_then(|mut answer| answer.body_mut().read_to_string().ok());
        said.and_then(|said| serde_json::from_str::<Value>(&said).ok())
            .is_some_and(|said| said["value"]["ready"] == true)
    }

    /// `POST` to a path of the session.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Value, BrowserError> {
        self.ask(path, |agent, root| agent.post(format!("{root}/{path}")).send(body.to_string()))
    }

    /// `GET` from a path of the session.
    pub(super) fn get(&self, path: &str) -> Result<Value, BrowserError> {
        self.ask(path, |agent, root| agent.get(format!("{root}/{path}")).call())
    }

    /// Closes it: the browser ends.
    pub(super) fn close(&mut self) -> Result<(), BrowserError> {
        self.open = false;
        self.ask("close", |agent, root| agent.delete(root).call()).map(drop)
    }

    fn ask(
        &self,
        command: &str,
        send: impl FnOnce(&Agent, &str) -> Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Value, BrowserError> {
        let fail = |source| BrowserError::Wire { command: command.to_owned(), source: Box::new(source) };
        let mut answer = send(&self.agent, &self.root).map_err(fail)?;
        let refused = !answer.status().is_success();
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string().map_err(fail)?;
        let mut said: Value = serde_json::from_str(&text).map_err(|_| BrowserError::Answer("JSON"))?;
        let value = said["value"].take();
        if !refused {
            return Ok(value);
        }
        let word = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Err(BrowserError::Refused {
            command: command.to_owned(),
            code: word("error"),
            message: word("message"),
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.open {
            let goodbye = self.agent.delete(&self.root).config().timeout_global(Some(GOODBYE)).build();
            let _ = goodbye.call();
        }
    }
}
