//! The card as a file: make it, certify it, look after its PINs.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hibiki_simcard::{CardFile, KeySlot};

use super::output::{read, refuse_existing, say, write_new};
use super::{CliError, Format, pins, status};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a card with a new key pair, or two, and the requests for its certificates.
    #[command(after_help = "Example: hibiki-simcard new --out card.json --request card.csr
With a signature key, too: hibiki-simcard new --out card.json --request card.csr --signature-request sig.csr")]
    New {
        /// The card file to make; an existing file is never overwritten.
        #[arg(long)]
        out: PathBuf,
        /// Where to write the certificate request (PKCS#10, PEM).
        #[arg(long)]
        request: PathBuf,
        /// Give the card a signature key (署名用), and write its certificate request here. Without it the card
        /// has none, as that of a child under 15.
        #[arg(long)]
        signature_request: Option<PathBuf>,
        /// Opaque identifier for the certificates: 8 to 64 letters and digits [default: a random one].
        #[arg(long)]
        holder_id: Option<String>,
        /// File with the PIN, readable by its owner only; without it, the PIN is asked for on the terminal.
        #[arg(long)]
        pin_file: Option<PathBuf>,
        /// File with the signature key's password (6 to 16 characters, A-Z and 0-9), readable by its owner only;
        /// without it, the password is asked for on the terminal.
        #[arg(long, requires = "signature_request")]
        signature_password_file: Option<PathBuf>,
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
        which: Which,
        /// File with the PIN or password, readable by its owner only; without it, it is asked for on the
        /// terminal.
        #[arg(long)]
        pin_file: Option<PathBuf>,
    },
    /// Put the certificates that were issued for the card's requests on the card.
    #[command(after_help = "Example: hibiki-simcard install card.json --certificate card.crt --ca ca/ca.crt
Both: hibiki-simcard install card.json --certificate card.crt --signature-certificate sig.crt --ca ca/ca.crt")]
    Install {
        /// The card file.
        card: PathBuf,
        /// The certificate for the authentication key (PEM or DER).
        #[arg(long, required_unless_present = "signature_certificate")]
        certificate: Option<PathBuf>,
        /// The certificate for the signature key (PEM or DER).
        #[arg(long)]
        signature_certificate: Option<PathBuf>,
        /// The certificate of the authority that issued them (PEM or DER).
        #[arg(long)]
        ca: PathBuf,
    },
    /// Show tries left and the certificates. Needs no PIN and costs no try.
    #[command(after_help = "Example: hibiki-simcard status card.json --format json")]
    Status {
        /// The card file.
        card: PathBuf,
        /// How to print it.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Replace the PIN, or the signature key's password.
    #[command(
        after_help = "Example: hibiki-simcard change-pin card.json\nWithout a terminal: hibiki-simcard change-pin card.json --pin-file old.pin --new-pin-file new.pin"
    )]
    ChangePin {
        /// The card file.
        card: PathBuf,
        #[command(flatten)]
        which: Which,
        /// File with the present PIN or password, readable by its owner only; without it, it is asked for on
        /// the terminal.
        #[arg(long)]
        pin_file: Option<PathBuf>,
        /// File with the new one; without it, it is asked for on the terminal.
        #[arg(long)]
        new_pin_file: Option<PathBuf>,
    },
    /// The office's command: give a blocked key its tries back. The PIN stays what it was.
    #[command(after_help = "Example: hibiki-simcard unblock card.json")]
    Unblock {
        /// The card file.
        card: PathBuf,
        #[command(flatten)]
        which: Which,
    },
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// The signature key (署名用) and its password, instead of the authentication key and its PIN.
    #[arg(long)]
    signature: bool,
}

impl Which {
    fn slot(&self) -> KeySlot {
        if self.signature { KeySlot::Signature } else { KeySlot::Authentication }
    }
}

pub(super) fn run(command: Command) -> Result<(), CliError> {
    match command {
        Command::New { out, request, signature_request, holder_id, pin_file, signature_password_file } => {
            // Looked at before a PIN is asked for; creating the file checks again.
            refuse_existing(&request)?;
            let pin = || pins::chosen(pin_file.as_ref(), KeySlot::Authentication);
            let Some(second) = signature_request else {
                let (card, pem) = CardFile::create(&out, holder_id.as_deref(), &pin()?)?;
                write_new(&request, pem.as_bytes())?;
                return say(&made(&card, &[(&request, "card.crt", "")]));
            };
            refuse_existing(&second)?;
            let pin = pin()?;
            let password = pins::chosen(signature_password_file.as_ref(), KeySlot::Signature)?;
            let (card, requests) =
                CardFile::create_with_signature(&out, holder_id.as_deref(), &pin, &password)?;
            write_new(&request, requests.authentication.as_bytes())?;
            write_new(&second, requests.signature.as_bytes())?;
            say(&made(&card, &[(&request, "card.crt", ""), (&second, "sig.crt", " --usage signature")]))
        }
        Command::Request { card, request, which, pin_file } => {
            refuse_existing(&request)?;
            let pin = pins::present(pin_file.as_ref(), which.slot())?;
            let pem = CardFile::open(&card)?.request(&pin)?;
            write_new(&request, pem.as_bytes())?;
            say(&format!("wrote {}", request.display()))
        }
        Command::Install { card, certificate, signature_certificate, ca } => {
            let mut file = CardFile::open(&card)?;
            let ca = read(&ca)?;
            let given = [
                (KeySlot::Authentication, "authentication", certificate),
                (KeySlot::Signature, "signature", signature_certificate),
            ];
            for (slot, name, path) in given {
                let Some(path) = path else { continue };
                file.install_for(slot, &read(&path)?, &ca)?;
                let serial = file.certificate_info_of(slot)?.serial;
                say(&format!("installed {name} certificate {serial} on simulated card {}", card.display()))?;
            }
            Ok(())
        }
        Command::Status { card, format } => status::show(&CardFile::open(&card)?, format),
        Command::ChangePin { card, which, pin_file, new_pin_file } => {
            let mut file = CardFile::open(&card)?;
            let old = pins::present(pin_file.as_ref(), which.slot())?;
            let new = pins::chosen(new_pin_file.as_ref(), which.slot())?;
            file.change_pin(&old, &new)?;
            say(&format!("the {} was changed", pins::name(which.slot())))
        }
        Command::Unblock { card, which } => {
            let slot = which.slot();
            CardFile::open(&card)?.unblock_key(slot)?;
            say(&format!("{}: the {} has {} tries again", card.display(), pins::name(slot), slot.tries()))
        }
    }
}

/// What was made, and the commands that come next.
fn made(card: &CardFile, requests: &[(&PathBuf, &str, &str)]) -> String {
    let mut words = format!("made simulated card {} (holder {})", card.path().display(), card.holder_id());
    for (request, certificate, usage) in requests {
        let request = request.display();
        words.push_str(&format!(
            "\nnext: hibiki-certs card-ca issue CA-DIR --request {request} --out {certificate}{usage}"
        ));
    }
    words
}
