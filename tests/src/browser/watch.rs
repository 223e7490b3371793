//! What the page does wrong while it is used: errors in the console, violations of its own policy, requests to
//! strangers.

use std::cell::RefCell;

use serde_json::{Value, json};

use super::{Browser, BrowserError};

/// Gathered since the browser started.
#[derive(Default)]
pub(super) struct Watched {
    complaints: RefCell<Vec<String>>,
    requests: RefCell<Vec<String>>,
}

impl Browser {
    /// Errors and warnings of the console since the start: exceptions nobody caught, violations of the content
    /// security policy, answers with an error status, what scripts complain of. One line each.
    ///
    /// # Errors
    /// The browser is gone.
    pub fn complaints(&self) -> Result<Vec<String>, BrowserError> {
        let entries = self.log("browser")?;
        let mut complaints = self.watched.complaints.borrow_mut();
        for entry in entries.iter().filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING")
        {
            let word = |name: &str| entry[name].as_str().unwrap_or_default();
            complaints.push(format!("{}: {}", word("source"), word("message")));
        }
        Ok(complaints.clone())
    }

    /// Those of them that are violations of the content security policy.
    ///
    /// # Errors
    /// The browser is gone.
    pub fn policy_violations(&self) -> Result<Vec<String>, BrowserError> {
        let mut complaints = self.complaints()?;
        complaints.retain(|complaint| complaint.contains("Content Security Policy"));
        Ok(complaints)
    }

    /// Every request pages made since the start, also those that were blocked, as `GET http://…`.
    ///
    /// # Errors
    /// The browser is gone.
    pub fn requests(&self) -> Result<Vec<String>, BrowserError> {
        let entries = self.log("performance")?;
        let mut requests = self.watched.requests.borrow_mut();
        for entry in &entries {
            let message = entry["message"].as_str().unwrap_or_default();
            let said: Value = serde_json::from_str(message).unwrap_or_default();
            let (event, said) = (&said["message"]["method"], &said["message"]["params"]);
            let made = match event.as_str().unwrap_or_default() {
                "Network.requestWillBeSent" => Some((&said["request"]["method"], &said["request"]["url"])),
                "Network.webSocketCreated" | "Network.webTransportCreated" => Some((event, &said["url"])),
                _ => None,
            };
            requests.extend(made.map(|(method, url)| {
                format!("{} {}", method.as_str().unwrap_or_default(), url.as_str().unwrap_or_default())
            }));
        }
        Ok(requests.clone())
    }

    /// Those of them that were not to 127.0.0.1.
    ///
    /// # Errors
    /// The browser is gone.
    pub fn foreign_requests(&self) -> Result<Vec<String>, BrowserError> {
        let mut requests = self.requests()?;
        requests.retain(|request| is_foreign(request.split(' ').nth(1).unwrap_or_default()));
        Ok(requests)
    }

    /// Entries since the last time.
    fn log(&self, kind: &str) -> Result<Vec<Value>, BrowserError> {
        let entries = self.session.post("se/log", &json!({ "type": kind }))?;
        entries.as_array().cloned().ok_or(BrowserError::Answer("a log"))
    }
}

/// Whether an address is on the network, and not on this machine.
pub(super) fn is_foreign(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once(':') else { return false };
    if ["about", "blob", "data", "chrome", "chrome-extension", "devtools", "chrome-untrusted"]
        .contains(&scheme)
    {
        return false;
    }
    let authority = rest.trim_start_matches('/').split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host != "127.0.0.1" && !host.starts_with("127.0.0.1:")
}

#[cfg(test)]
mod tests {
    use super::is_foreign;

    #[test]
    fn only_this_machine_is_no_stranger() {
        for ours in
            ["http://127.0.0.1:4000/a", "ws://127.0.0.1/", "data:,", "about:blank", "chrome://new-tab/"]
        {
            assert!(!is_foreign(ours), "{ours}");
        }
        for foreign in [
            "http://127.0.0.1.example/",
            "http://localhost:4000/",
            "https://example.com",
            "http://127.0.0.1@example.com/",
            "ftp://example.com",
            "wss://127.0.0.10:1/",
        ] {
            assert!(is_foreign(foreign), "{foreign}");
        }
    }
}
