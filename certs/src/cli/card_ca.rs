//! `hibiki-certs card-ca`: the simulated card authority.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use hibiki_certs::card_authority::{CardAuthority, Reason, Serial, State, Usage};
use hibiki_protocol::time::Timestamp;

use super::CliError;
use super::output::{self, Format, say};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make an authority in a folder: key, certificate, empty register.
    #[command(after_help = "Example: hibiki-certs card-ca init ca/")]
    Init {
        /// The folder to make.
        dir: PathBuf,
        /// Its name, shown to people (CN of its certificate).
        #[arg(long, default_value = "Simulated card authority")]
        name: String,
    },
    /// Issue the certificate for a card's request.
    #[command(after_help = "Example: hibiki-certs card-ca issue ca/ --request card.csr --out card.crt
Then: hibiki-simcard install card.json --certificate card.crt --ca ca/ca.crt
For the card's signature key: hibiki-certs card-ca issue ca/ --request sig.csr --out sig.crt --usage signature")]
    Issue {
        /// The authority's folder.
        dir: PathBuf,
        /// The card's request (PKCS#10, PEM or DER), from `hibiki-simcard new`.
        #[arg(long)]
        request: PathBuf,
        /// Where to write the certificate (PEM); an existing file is not overwritten.
        #[arg(long)]
        out: PathBuf,
        /// Days it is valid; the real ones are valid for about five years.
        #[arg(long, default_value_t = 1_826)]
        days: u64,
        /// Which of the card's keys it is for. A signature certificate never opens a session.
        #[arg(long, value_enum, default_value_t = UsageArg::Authentication)]
        usage: UsageArg,
    },
    /// Revoke a certificate for good. Publish a new list afterwards (card-ca crl).
    #[command(after_help = "Example: hibiki-certs card-ca revoke ca/ --serial 5a03… --reason key-compromise")]
    Revoke {
        #[command(flatten)]
        which: Which,
        /// Why.
        #[arg(long, value_enum, default_value_t = ReasonArg::Unspecified)]
        reason: ReasonArg,
    },
    /// Suspend a certificate until it is resumed, as for a card reported lost (一時停止).
    #[command(after_help = "Example: hibiki-certs card-ca suspend ca/ --serial 5a03…")]
    Suspend(Which),
    /// End a suspension.
    #[command(after_help = "Example: hibiki-certs card-ca resume ca/ --serial 5a03…")]
    Resume(Which),
    /// Sign a new revocation list (RFC 5280, DER).
    #[command(after_help = "Example: hibiki-certs card-ca crl ca/ --out crl.der --hours 24")]
    Crl {
        /// The authority's folder.
        dir: PathBuf,
        /// Where to write it; an older list there is replaced.
        #[arg(long)]
        out: PathBuf,
        /// Hours until it must be replaced by the next.
        #[arg(long, default_value_t = 24)]
        hours: u64,
    },
    /// List the certificates issued, by serial. Holders are not recorded.
    #[command(after_help = "Example: hibiki-certs card-ca list ca/ --format json")]
    List {
        /// The authority's folder.
        dir: PathBuf,
        /// How to print it.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The authority's folder.
    dir: PathBuf,
    /// The certificate's serial number, as `hibiki-simcard status` or `openssl x509 -serial` shows it.
    #[arg(long)]
    serial: Serial,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ReasonArg {
    Unspecified,
    KeyCompromise,
    Superseded,
    CessationOfOperation,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum UsageArg {
    /// 利用者証明用: keyUsage digitalSignature, extended key usage clientAuth.
    Authentication,
    /// 署名用: keyUsage digitalSignature and nonRepudiation.
    Signature,
}

impl From<UsageArg> for Usage {
    fn from(usage: UsageArg) -> Self {
        match usage {
            UsageArg::Authentication => Self::Authentication,
            UsageArg::Signature => Self::Signature,
        }
    }
}

impl From<ReasonArg> for Reason {
    fn from(reason: ReasonArg) -> Self {
        match reason {
            ReasonArg::Unspecified => Self::Unspecified,
            ReasonArg::KeyCompromise => Self::KeyCompromise,
            ReasonArg::Superseded => Self::Superseded,
            ReasonArg::CessationOfOperation => Self::CessationOfOperation,
        }
    }
}

pub(crate) fn run(command: Command, now: Timestamp) -> Result<(), CliError> {
    match command {
        Command::Init { dir, name } => {
            CardAuthority::init(&dir, &name, now)?;
            say(&format!(
                "made the simulated card authority {}\nnext: hibiki-certs accept-card-ca COUNCIL-DIR --certificate {}",
                dir.display(),
                dir.join("ca.crt").display()
            ))?;
        }
        Command::Issue { dir, request, out, days, usage } => {
            if out.exists() {
                return Err(output::exists(&out).into());
            }
            let request = output::read(&request)?;
            let issued = CardAuthority::open(&dir)?.issue_for(usage.into(), &request, days, now)?;
            output::write_new(&out, issued.pem.as_bytes())?;
            let option = match usage {
                UsageArg::Authentication => "--certificate",
                UsageArg::Signature => "--signature-certificate",
            };
            say(&format!(
                "issued {} into {} (simulated)\nnext: hibiki-simcard install CARD {option} {} --ca {}",
                issued.serial,
                out.display(),
                out.display(),
                dir.join("ca.crt").display()
            ))?;
        }
        Command::Revoke { which, reason } => {
            CardAuthority::open(&which.dir)?.revoke(&which.serial, reason.into(), now)?;
            tell_changed(&which, "revoked")?;
        }
        Command::Suspend(which) => {
            CardAuthority::open(&which.dir)?.suspend(&which.serial, now)?;
            tell_changed(&which, "suspended")?;
        }
        Command::Resume(which) => {
            CardAuthority::open(&which.dir)?.resume(&which.serial)?;
            tell_changed(&which, "resumed")?;
        }
        Command::Crl { dir, out, hours } => {
            let crl = CardAuthority::open(&dir)?.crl(hours, now)?;
            output::write(&out, &crl)?;
            let next = output::time(now.plus(hours * 3_600_000));
            say(&format!("wrote {}; the next list is due before {next}", out.display()))?;
        }
        Command::List { dir, format } => list(&CardAuthority::open(&dir)?, format)?,
    }
    Ok(())
}

fn tell_changed(which: &Which, what: &str) -> Result<(), CliError> {
    let dir = which.dir.display();
    say(&format!("{what} {}\nnext: hibiki-certs card-ca crl {dir} --out crl.der", which.serial))?;
    Ok(())
}

fn list(authority: &CardAuthority, format: Format) -> Result<(), CliError> {
    let text = match format {
        Format::Json => {
            let issued: Vec<_> = authority
                .issued()
                .map(|(serial, entry)| {
                    let not_after = output::time(Timestamp(entry.not_after * 1000));
                    serde_json::json!({ "serial": serial, "not_after": not_after, "state": entry.state })
                })
                .collect();
            format!(
                "{:#}",
                serde_json::json!({ "name": authority.name(), "simulated": true, "issued": issued })
            )
        }
        Format::Human => {
            let mut lines = vec![format!("{} (simulated)", authority.name())];
            lines.extend(authority.issued().map(|(serial, entry)| {
                let until = output::time(Timestamp(entry.not_after * 1000));
                format!("{serial}  until {until}  {}", in_words(entry.state))
            }));
            lines.join("\n")
        }
    };
    Ok(say(&text)?)
}

fn in_words(state: State) -> String {
    let since = |at: u64| output::time(Timestamp(at * 1000));
    match state {
        State::Good => "good".to_owned(),
        State::Suspended { at } => format!("SUSPENDED since {}", since(at)),
        State::Revoked { at, .. } => format!("REVOKED since {}", since(at)),
    }
}
