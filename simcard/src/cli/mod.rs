//! Commands of `hibiki-simcard`.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use hibiki_simcard::{CardError, CardFile, CertificateInfo, PIN_TRIES, Pin, PinError};
use zeroize::Zeroizing;

use crate::clock;

/// Simulated Individual Number cards (マイナンバーカードの模擬カード), for rehearsals and tests.
///
/// A card is one file, readable by its owner only. It holds a key that works after the PIN, and a
/// certificate of an authority marked as simulated. There is no name and no My Number in it.
#[derive(Debug, Parser)]
#[command(
    name = "hibiki-simcard",
    version,
    after_help = "Example, from nothing to a usable card:
  hibiki-simcard new --out card.json --request card.csr
  hibiki-certs card-ca issue ca/ --request card.csr --out card.crt
  hibiki-simcard install card.json --certificate card.crt --ca ca/ca.crt
  hibiki-simcard status card.json"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a card with a new key pair, and the request for its certificate.
    #[command(after_help = "Example: hibiki-simcard new --out card.json --request card.csr")]
    New {
        /// The card file to make; an existing file is never overwritten.
        #[arg(long)]
        out: PathBuf,
        /// Where to write the certificate request (PKCS#10, PEM).
        #[arg(long)]
        request: PathBuf,
        /// Opaque identifier for the certificate: 8 to 64 letters and digits [default: a random one].
        #[arg(long)]
        holder_id: Option<String>,
        #[command(flatten)]
        pin: PinSource,
    },
    /// Write the certificate request of a card again.
    #[command(after_help = "Example: hibiki-simcard request card.json --request card.csr")]
    Request {
        /// The card file.
        card: PathBuf,
        /// Where to write the certificate request (PKCS#10, PEM).
        #[arg(long)]
        request: PathBuf,
        #[command(flatten)]
        pin: PinSource,
    },
    /// Put the certificate that was issued for the card's request on the card.
    #[command(after_help = "Example: hibiki-simcard install card.json --certificate card.crt --ca ca/ca.crt")]
    Install {
        /// The card file.
        card: PathBuf,
        /// The issued certificate (PEM or DER).
        #[arg(long)]
        certificate: PathBuf,
        /// The certificate of the authority that issued it (PEM or DER).
        #[arg(long)]
        ca: PathBuf,
    },
    /// Show tries left and the certificate. Needs no PIN and costs no try.
    #[command(after_help = "Example: hibiki-simcard status card.json --format json")]
    Status {
        /// The card file.
        card: PathBuf,
        /// How to print it.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Replace the PIN.
    #[command(
        after_help = "Example: hibiki-simcard change-pin card.json\nWithout a terminal: hibiki-simcard change-pin card.json --pin-file old.pin --new-pin-file new.pin"
    )]
    ChangePin {
        /// The card file.
        card: PathBuf,
        #[command(flatten)]
        pin: PinSource,
        /// File with the new PIN; without it, it is asked for on the terminal.
        #[arg(long)]
        new_pin_file: Option<PathBuf>,
    },
    /// The office's command: give a blocked card its tries back. The PIN stays what it was.
    #[command(after_help = "Example: hibiki-simcard unblock card.json")]
    Unblock {
        /// The card file.
        card: PathBuf,
    },
}

#[derive(Debug, Args)]
struct PinSource {
    /// File with the PIN, readable by its owner only; without it, the PIN is asked for on the terminal.
    #[arg(long)]
    pin_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Human,
    Json,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    #[error(transparent)]
    Card(#[from] CardError),
    #[error(transparent)]
    Pin(#[from] PinError),
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("PIN file {} is open to other users: run `chmod 600 {}`", path.display(), path.display())]
    ExposedPin { path: PathBuf },
    #[error(
        "no PIN: there is no terminal to ask on; give --pin-file FILE (one line, four digits, mode 0600)"
    )]
    NoTerminal,
    #[error("the two PINs typed differ; nothing was changed")]
    Unequal,
    #[error("cannot use the terminal: {0}")]
    Terminal(io::Error),
}

pub(crate) fn run(cli: Cli) -> Result<(), CliError> {
    match cli.command {
        Command::New { out, request, holder_id, pin } => {
            // Looked at before a PIN is asked for; creating the file checks again.
            refuse_existing(&request)?;
            let pin = pin.new_pin("PIN for the new card (4 digits)")?;
            let (card, pem) = CardFile::create(&out, holder_id.as_deref(), &pin)?;
            write_new(&request, pem.as_bytes())?;
            let holder = card.holder_id();
            say(&format!(
                "made simulated card {} (holder {holder})\nnext: hibiki-certs card-ca issue CA-DIR --request {} --out card.crt",
                out.display(),
                request.display()
            ))
        }
        Command::Request { card, request, pin } => {
            refuse_existing(&request)?;
            let pem = CardFile::open(&card)?.request(&pin.pin("PIN")?)?;
            write_new(&request, pem.as_bytes())?;
            say(&format!("wrote {}", request.display()))
        }
        Command::Install { card, certificate, ca } => {
            let mut file = CardFile::open(&card)?;
            file.install(&read(&certificate)?, &read(&ca)?)?;
            let info = file.certificate_info()?;
            say(&format!("installed certificate {} on simulated card {}", info.serial, card.display()))
        }
        Command::Status { card, format } => status(&CardFile::open(&card)?, format),
        Command::ChangePin { card, pin, new_pin_file } => {
            let mut file = CardFile::open(&card)?;
            let old = pin.pin("present PIN")?;
            let new = PinSource { pin_file: new_pin_file }.new_pin("new PIN (4 digits)")?;
            file.change_pin(&old, &new)?;
            say("the PIN was changed")
        }
        Command::Unblock { card } => {
            CardFile::open(&card)?.unblock()?;
            say(&format!("{} has {PIN_TRIES} tries again", card.display()))
        }
    }
}

impl PinSource {
    fn pin(&self, prompt: &str) -> Result<Pin, CliError> {
        match &self.pin_file {
            Some(path) => pin_from_file(path),
            None => ask(prompt),
        }
    }

    /// A PIN that is being chosen: on a terminal it is typed twice.
    fn new_pin(&self, prompt: &str) -> Result<Pin, CliError> {
        if self.pin_file.is_some() {
            return self.pin(prompt);
        }
        let first = ask_line(prompt)?;
        let pin = Pin::parse(&first)?;
        if *ask_line("the same again")? == *first { Ok(pin) } else { Err(CliError::Unequal) }
    }
}

fn ask(prompt: &str) -> Result<Pin, CliError> {
    Ok(Pin::parse(&ask_line(prompt)?)?)
}

fn ask_line(prompt: &str) -> Result<Zeroizing<String>, CliError> {
    if !io::stdin().is_terminal() {
        return Err(CliError::NoTerminal);
    }
    rpassword::prompt_password(format!("{prompt}: ")).map(Zeroizing::new).map_err(CliError::Terminal)
}

/// The PIN in a file: four digits, and a line end if there is one.
fn pin_from_file(path: &Path) -> Result<Pin, CliError> {
    let failed = |source| CliError::File { path: path.to_owned(), source };
    let file = fs::File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if about.is_file() && about.mode() & 0o077 != 0 {
        return Err(CliError::ExposedPin { path: path.to_owned() });
    }
    let mut text = Zeroizing::new(String::with_capacity(64));
    file.take(64).read_to_string(&mut text).map_err(failed)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Pin::parse(line.strip_suffix('\r').unwrap_or(line))?)
}

fn status(card: &CardFile, format: Format) -> Result<(), CliError> {
    let tries_left = card.tries_left()?;
    let certificate = match card.certificate_info() {
        Err(CardError::NoCertificate { .. }) => None,
        read => Some(read?),
    };
    let now = clock::now();
    match format {
        Format::Json => {
            let valid_now = certificate.as_ref().map(|info| info.is_valid_at(now));
            let json = serde_json::json!({
                "simulated": true, "holder_id": card.holder_id(), "tries_left": tries_left,
                "blocked": tries_left == 0, "certificate": certificate, "valid_now": valid_now,
            });
            say(&format!("{json:#}"))
        }
        Format::Human => say(&status_in_words(card, tries_left, certificate.as_ref(), now)),
    }
}

fn status_in_words(card: &CardFile, tries_left: u8, info: Option<&CertificateInfo>, now: i64) -> String {
    let tries = match tries_left {
        0 => "0 - BLOCKED (the office's command: hibiki-simcard unblock)".to_owned(),
        n => format!("{n} of {PIN_TRIES}"),
    };
    let certificate = match info {
        None => "none yet (hibiki-simcard install)".to_owned(),
        Some(info) => format!(
            "{} by {}\nvalid:       {} to {} ({})",
            info.serial,
            info.issuer,
            day(info.not_before),
            day(info.not_after),
            if info.is_valid_at(now) { "valid now" } else { "NOT valid now" },
        ),
    };
    let path = card.path().display();
    let holder = card.holder_id();
    format!(
        "card:        {path}  (simulated)\nholder id:   {holder}\ntries left:  {tries}\ncertificate: {certificate}"
    )
}

/// The UTC day of a second since 1970, as YYYY-MM-DD (Howard Hinnant, chrono-Compatible Low-Level
/// Date Algorithms, `civil_from_days`).
fn day(seconds: i64) -> String {
    let shifted = seconds.div_euclid(86_400) + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    fs::read(path).map_err(|source| CliError::File { path: path.to_owned(), source })
}

fn refuse_existing(path: &Path) -> Result<(), CliError> {
    if path.exists() {
        let source = io::Error::new(io::ErrorKind::AlreadyExists, "exists already and is not overwritten");
        return Err(CliError::File { path: path.to_owned(), source });
    }
    Ok(())
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o644).open(path);
    opened
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|source| CliError::File { path: path.to_owned(), source })
}

fn say(text: &str) -> Result<(), CliError> {
    writeln!(io::stdout().lock(), "{text}")
        .map_err(|source| CliError::File { path: "standard output".into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn days_are_calendar_days() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_795_392_000, "2026-11-23"),
            (1_795_391_999, "2026-11-22"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(day(seconds), expected);
        }
    }
}
