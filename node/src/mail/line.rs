//! One conversation with a mail relay (RFC 5321), step by step.
//!
//! Step by step, because the same refusal means different things: of a recipient it ends that one letter, of our
//! log-in or our sender's address it says nothing about any letter, and all must be tried again. Must not know which
//! letters there are or when they are tried again.

use std::error::Error as _;
use std::future::Future;
use std::path::Path;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::{Response, Severity};
use tokio::time::{Instant, timeout};

use super::retry::Fault;
use crate::config::{Mail, MailTls};

/// Letters one connection carries at most: relays limit them, and a certificate that changed is noticed.
const CARRIED_MAX: u32 = 100;

/// A connection that lay idle this long is not used again.
const IDLE_MAX: Duration = Duration::from_secs(10);

/// A whole exchange may take so many times the patience for one step: a relay that drips is cut off.
const STEPS: u32 = 3;

/// Why a message was not taken.
#[derive(Debug)]
pub(super) struct Refusal {
    /// What it means for the letter.
    pub(super) fault: Fault,
    /// The relay's words, or the system's; they may repeat addresses, so they go to whoever tests by hand alone.
    pub(super) words: String,
    /// Whether the conversation may go on with another letter.
    pub(super) usable: bool,
}

impl Refusal {
    fn new(fault: Fault, words: impl Into<String>) -> Self {
        Self { fault, words: words.into(), usable: false }
    }

    fn silent() -> Self {
        Self::new(Fault::Timeout, "the relay fell silent")
    }
}

/// Where in the conversation something went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Greeting and EHLO.
    Greeting,
    /// Switching to TLS.
    Tls,
    /// Logging in.
    LogIn,
    /// Our own address.
    From,
    /// The recipient's.
    To,
    /// The message.
    Content,
}

/// A connection that has been greeted, protected and logged in.
pub(super) struct Line {
    connection: AsyncSmtpConnection,
    patience: Duration,
    carried: u32,
    rested: Instant,
}

impl Line {
    /// Connects as configured. Files of certificate and password are read anew.
    pub(super) async fn open(settings: &Mail) -> Result<Self, Refusal> {
        let patience = Duration::from_secs(settings.timeout_seconds);
        match timeout(patience * STEPS, Self::connect(settings, patience)).await {
            Ok(opened) => opened,
            Err(_) => Err(Refusal::silent()),
        }
    }

    async fn connect(settings: &Mail, patience: Duration) -> Result<Self, Refusal> {
        let own = own_name(settings);
        let wrapped = match settings.tls {
            MailTls::Tls => Some(tls_parameters(settings)?),
            MailTls::StartTls | MailTls::None => None,
        };
        let server = (settings.host.as_str(), settings.port);
        let connecting = AsyncSmtpConnection::connect_tokio1(server, Some(patience), &own, wrapped, None);
        let mut connection = step(patience, Step::Greeting, connecting).await?;
        if settings.tls == MailTls::StartTls {
            if !connection.can_starttls() {
                return Err(Refusal::new(Fault::Tls, "the relay does not offer STARTTLS"));
            }
            step(patience, Step::Tls, connection.starttls(tls_parameters(settings)?, &own)).await?;
        }
        if let (Some(user), Some(file)) = (&settings.user, &settings.password_file) {
            let password = read(file).map_err(|words| Refusal::new(Fault::LogIn, words))?;
            let password = String::from_utf8_lossy(&password);
            let password = password.lines().next().unwrap_or_default().to_owned();
            let credentials = Credentials::new(user.clone(), password);
            step(patience, Step::LogIn, connection.auth(DEFAULT_MECHANISMS, &credentials)).await?;
        }
        Ok(Self { connection, patience, carried: 0, rested: Instant::now() })
    }

    /// Whether it can carry another letter; asks the relay.
    pub(super) async fn is_ready(&mut self) -> bool {
        self.carried < CARRIED_MAX
            && self.rested.elapsed() < IDLE_MAX
            && step(self.patience, Step::Greeting, self.connection.command(Rset)).await.is_ok()
    }

    /// Hands a message over; what the relay says once it has taken it.
    pub(super) async fn carry(&mut self, envelope: &Envelope, message: &[u8]) -> Result<String, Refusal> {
        self.carried += 1;
        let carried = timeout(self.patience * STEPS, self.exchange(envelope, message)).await;
        self.rested = Instant::now();
        carried.unwrap_or_else(|_| Err(Refusal::silent()))
    }

    async fn exchange(&mut self, envelope: &Envelope, message: &[u8]) -> Result<String, Refusal> {
        let patience = self.patience;
        let plain = envelope.to().iter().chain(envelope.from()).all(|it| AsRef::<str>::as_ref(it).is_ascii());
        let mut options = Vec::new();
        if !plain {
            if !self.connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                let words = "the relay takes no addresses beyond ASCII (SMTPUTF8)";
                return Err(Refusal { usable: true, ..Refusal::new(Fault::Unsendable, words) });
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        let from = MailFrom::new(envelope.from().cloned(), options);
        step(patience, Step::From, self.connection.command(from)).await?;
        for to in envelope.to() {
            let to = Rcpt::new(to.clone(), Vec::new());
            step(patience, Step::To, self.connection.command(to)).await?;
        }
        let go_on = step(patience, Step::Content, self.connection.command(Data)).await?;
        if go_on.code().severity != Severity::PositiveIntermediate {
            return Err(Refusal::new(Fault::Connection, said(&go_on)));
        }
        let taken = step(patience, Step::Content, self.connection.message(message)).await?;
        if taken.code().severity != Severity::PositiveCompletion {
            return Err(Refusal::new(Fault::Connection, said(&taken)));
        }
        Ok(said(&taken))
    }

    /// Takes leave.
    pub(super) async fn close(mut self) {
        let _ = timeout(self.patience, self.connection.abort()).await;
    }
}

/// One step of the conversation, which must not take for ever.
async fn step<T>(
    patience: Duration,
    at: Step,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Refusal> {
    match timeout(patience, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(refusal(at, &error)),
        Err(_) => Err(Refusal::silent()),
    }
}

fn refusal(at: Step, error: &Error) -> Refusal {
    let code = error.status().map(u16::from);
    // After a refusal the relay waits for the next command; 421 says that it hangs up (RFC 5321 3.8).
    let usable = code.is_some_and(|code| code != 421) && matches!(at, Step::To | Step::Content);
    Refusal { fault: fault(at, code, error), words: words(error), usable }
}

fn fault(at: Step, code: Option<u16>, error: &Error) -> Fault {
    let Some(code) = code else {
        return if error.is_timeout() {
            Fault::Timeout
        } else if at == Step::Tls || error.is_tls() || speaks_of_tls(error) {
            Fault::Tls
        } else if at == Step::LogIn && error.is_client() {
            // No way of logging in that both sides know.
            Fault::LogIn
        } else {
            Fault::Connection
        };
    };
    meaning(at, code)
}

/// What a reply's code means at that step.
const fn meaning(at: Step, code: u16) -> Fault {
    match (at, code) {
        (_, 421) => Fault::Connection,
        // RFC 4954: log in first, or otherwise.
        (Step::LogIn, _) | (_, 530 | 534 | 535 | 538) => Fault::LogIn,
        (Step::Tls, _) => Fault::Tls,
        // It does not want us, or our sender, whatever the letter.
        (Step::Greeting | Step::From, _) => Fault::Refused,
        (Step::To | Step::Content, 500..=599) => Fault::Rejected,
        (Step::To | Step::Content, _) => Fault::Deferred,
    }
}

fn speaks_of_tls(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(deeper) = cause {
        // Errors of the network carry those of TLS inside.
        let inside = deeper.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let tls = inside.and_then(|inside| inside.downcast_ref::<rustls::Error>());
        if tls.is_some() || deeper.is::<rustls::Error>() {
            return true;
        }
        cause = deeper.source();
    }
    false
}

fn said(response: &Response) -> String {
    format!("{} {}", response.code(), response.message().collect::<Vec<_>>().join(" "))
}

fn words(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        text.push_str(&format!(": {deeper}"));
        cause = deeper.source();
    }
    text
}

/// Who we say we are: the domain we write for, as it is the only name of ours the relay can know.
fn own_name(settings: &Mail) -> ClientId {
    let from = settings.from.parse::<Mailbox>();
    from.map_or_else(|_| ClientId::default(), |from| ClientId::Domain(from.email.domain().to_owned()))
}

fn tls_parameters(settings: &Mail) -> Result<TlsParameters, Refusal> {
    let wrong = |words: String| Refusal::new(Fault::Tls, words);
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(file) = &settings.ca_file {
        let pem = read(file).map_err(wrong)?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| wrong(error.to_string()))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| wrong(error.to_string()))
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_said_of_the_recipient_or_the_message_is_the_letters() {
        let steps = [Step::Greeting, Step::Tls, Step::LogIn, Step::From, Step::To, Step::Content];
        for at in steps {
            for code in 400..600 {
                let its_own = matches!(at, Step::To | Step::Content);
                let fault = meaning(at, code);
                assert_eq!(
                    fault.is_the_relays(),
                    !its_own || matches!(code, 421 | 530 | 534 | 535 | 538),
                    "{at:?} {code}"
                );
                assert_eq!(fault.is_final(), its_own && fault == Fault::Rejected, "{at:?} {code}");
            }
        }
        assert_eq!(meaning(Step::To, 451), Fault::Deferred);
        assert_eq!(meaning(Step::To, 550), Fault::Rejected);
        assert_eq!(meaning(Step::Content, 552), Fault::Rejected);
        assert_eq!(
            meaning(Step::From, 550),
            Fault::Refused,
            "our sender's address is not the letter's fault"
        );
        assert_eq!(meaning(Step::Greeting, 554), Fault::Refused);
        assert_eq!(meaning(Step::LogIn, 535), Fault::LogIn);
    }
}
