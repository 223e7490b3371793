//! The institution's own mail server, by SMTP (RFC 5321) with TLS (RFC 3207, RFC 8314).

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::time::timeout;

use super::retry::Fault;
use crate::config::{Mail, MailTls};
use crate::services::Pending;

/// Whoever takes messages.
pub trait Relay: Send + Sync {
    /// Hands over a message; returns once it has been taken, or not.
    fn send<'a>(&'a self, message: Message) -> Pending<'a, Result<(), Fault>>;

    /// What the relay says, word for word, for whoever tests the connection by hand.
    fn try_out<'a>(&'a self, message: Message) -> Pending<'a, Result<String, String>>;
}

/// A relay reached by SMTP.
#[derive(Debug)]
pub struct Smtp {
    settings: Mail,
}

impl Smtp {
    /// The configured relay. Files of certificate and password are read anew for each message.
    #[must_use]
    pub const fn new(settings: Mail) -> Self {
        Self { settings }
    }

    fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, (Fault, String)> {
        let Mail { host, port, tls, user, password_file, timeout_seconds, .. } = &self.settings;
        let tls = match tls {
            MailTls::None => Tls::None,
            MailTls::StartTls => Tls::Required(self.tls_parameters()?),
            MailTls::Tls => Tls::Wrapper(self.tls_parameters()?),
        };
        let patience = Duration::from_secs(*timeout_seconds);
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(*port)
            .tls(tls)
            .timeout(Some(patience));
        if let (Some(user), Some(file)) = (user, password_file) {
            let password = read(file).map_err(|error| (Fault::Connection, error))?;
            let password = String::from_utf8_lossy(&password).trim_end_matches(['\r', '\n']).to_owned();
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        Ok(builder.build())
    }

    fn tls_parameters(&self) -> Result<TlsParameters, (Fault, String)> {
        let wrong = |error: String| (Fault::Tls, error);
        let mut builder = TlsParameters::builder(self.settings.host.clone());
        if let Some(file) = &self.settings.ca_file {
            let pem = read(file).map_err(wrong)?;
            let certificate = Certificate::from_pem(&pem).map_err(|error| wrong(error.to_string()))?;
            builder = builder.add_root_certificate(certificate);
        }
        builder.build_rustls().map_err(|error| wrong(error.to_string()))
    }

    async fn hand_over(&self, message: Message) -> Result<String, (Fault, String)> {
        let transport = self.transport()?;
        // The library's own limit is for one step of the exchange; a relay that drips is cut off here.
        let whole = Duration::from_secs(self.settings.timeout_seconds.saturating_mul(3));
        match timeout(whole, transport.send(message)).await {
            Err(_) => Err((Fault::Timeout, "the relay fell silent".to_owned())),
            Ok(Ok(response)) => {
                Ok(format!("{} {}", response.code(), response.message().collect::<Vec<_>>().join(" ")))
            }
            Ok(Err(error)) => Err((fault(&error), words(&error))),
        }
    }
}

fn read(file: &PathBuf) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{}: {error}", file.display()))
}

fn fault(error: &lettre::transport::smtp::Error) -> Fault {
    if error.is_permanent() {
        // Refused log-in (RFC 4954: 530, 534, 535, 538) and closed service are the relay's, not the letter's.
        let code = error.status().map_or(0, |code| code.to_string().parse::<u16>().unwrap_or_default());
        return if matches!(code, 521 | 530 | 534 | 535 | 538) { Fault::Connection } else { Fault::Rejected };
    }
    if error.is_transient() {
        Fault::Deferred
    } else if error.is_timeout() {
        Fault::Timeout
    } else if error.is_tls() {
        Fault::Tls
    } else {
        Fault::Connection
    }
}

fn words(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause {
        text.push_str(&format!(": {deeper}"));
        cause = deeper.source();
    }
    text
}

impl Relay for Smtp {
    fn send<'a>(&'a self, message: Message) -> Pending<'a, Result<(), Fault>> {
        Box::pin(async move { self.hand_over(message).await.map(drop).map_err(|(fault, _)| fault) })
    }

    fn try_out<'a>(&'a self, message: Message) -> Pending<'a, Result<String, String>> {
        Box::pin(async move { self.hand_over(message).await.map_err(|(_, words)| words) })
    }
}
