//! Commands about whole lists: draft, sign, publish, show, verify.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hibiki_certs::council::{self, CouncilFolder, PROPOSAL_FILE, VALID_DAYS_DEFAULT, read_root_key};
use hibiki_protocol::cbor;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{Accepted, RootAnchor, SignedTrustList, Standing, TrustList};

use super::CliError;
use super::output::{self, Format, say};
use super::present;

#[derive(Debug, Subcommand)]
pub(crate) enum DraftCommand {
    /// Show the draft: what it changes, its members, the signatures it has and needs.
    #[command(after_help = "Example: hibiki-certs draft show council/ --format json")]
    Show {
        /// The council's folder.
        dir: PathBuf,
        /// How to print it.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Drop the signatures and the date, keep the changes.
    #[command(after_help = "Example: hibiki-certs draft reopen council/")]
    Reopen {
        /// The council's folder.
        dir: PathBuf,
    },
    /// Throw all changes away and begin again from the list in force.
    #[command(after_help = "Example: hibiki-certs draft reset council/")]
    Reset {
        /// The council's folder.
        dir: PathBuf,
    },
}

pub(crate) fn draft(command: DraftCommand, now: Timestamp) -> Result<(), CliError> {
    match command {
        DraftCommand::Show { dir, format } => {
            let folder = CouncilFolder::open(&dir)?;
            match format {
                Format::Human => say(&present::draft_in_words(&folder, now)?)?,
                Format::Json => say(&format!("{:#}", present::draft_json(&folder, now)?))?,
            }
        }
        DraftCommand::Reopen { dir } => {
            let dropped = CouncilFolder::open(&dir)?.reopen()?;
            say(&format!("the draft is open again; {dropped} signature(s) dropped"))?;
        }
        DraftCommand::Reset { dir } => {
            let ((), dropped) = CouncilFolder::open(&dir)?.edit(|council| {
                council.reset();
                Ok(())
            })?;
            say(&format!("the draft is the list in force again; {dropped} signature(s) dropped"))?;
        }
    }
    Ok(())
}

#[derive(Debug, Args)]
#[command(after_help = "Example, keys at the council's own machine:
  hibiki-certs sign council/ --key council/root-1.key
Example, a second key on a machine of its own: carry council/proposal.cbor there, then
  hibiki-certs sign proposal.cbor --key root-2.key
carry it back and publish with --signed:
  hibiki-certs publish council/ --signed proposal.cbor --out trust-list.cbor")]
pub(crate) struct Sign {
    /// The council's folder, or a carried copy of its proposal.cbor.
    target: PathBuf,
    /// The root key to sign with.
    #[arg(long)]
    key: PathBuf,
    /// Days until the list expires, counted from the first signature.
    #[arg(long, default_value_t = VALID_DAYS_DEFAULT)]
    valid_days: u64,
}

pub(crate) fn sign(arguments: &Sign, now: Timestamp) -> Result<(), CliError> {
    let key = read_root_key(&arguments.key)?;
    let target = arguments.target.display();
    if arguments.target.is_dir() {
        let mut folder = CouncilFolder::open(&arguments.target)?;
        let changes = present::changes_in_words(folder.council());
        let proposal = folder.sign(&key, arguments.valid_days, now)?.clone();
        let (valid, needed) = folder.council().signatures(&proposal, now)?;
        say(&format!("{changes}\nsigned {} ({valid} of {needed} signatures)", proposal.digest().hex()))?;
        if valid < needed {
            let next = "on each further key's machine: hibiki-certs sign proposal.cbor --key root-N.key";
            say(&format!("next: carry {} away; {next}", arguments.target.join(PROPOSAL_FILE).display()))?;
        } else {
            say(&format!("next: hibiki-certs publish {target} --out trust-list.cbor"))?;
        }
        return Ok(());
    }
    let mut proposal: SignedTrustList = output::decode(&arguments.target, "a proposal (proposal.cbor)")?;
    let list = decode_list(&proposal, &arguments.target)?;
    // Shown first: whoever watches can still pull the key.
    say(&present::list_in_words(&list, &proposal))?;
    council::sign(&mut proposal, &key)?;
    output::write(&arguments.target, &cbor::encode(&proposal))?;
    say(&format!(
        "signed. next, at the council: hibiki-certs publish DIR --signed {target} --out trust-list.cbor"
    ))?;
    Ok(())
}

#[derive(Debug, Args)]
#[command(after_help = "Example: hibiki-certs publish council/ --out trust-list.cbor
         hibiki-certs publish council/ --signed from-key-2.cbor --signed from-key-3.cbor --out trust-list.cbor")]
pub(crate) struct Publish {
    /// The council's folder.
    dir: PathBuf,
    /// Where to write the list; an older list there is replaced.
    #[arg(long)]
    out: PathBuf,
    /// Copies of proposal.cbor that were signed elsewhere.
    #[arg(long, value_name = "FILE")]
    signed: Vec<PathBuf>,
}

pub(crate) fn publish(arguments: &Publish, now: Timestamp) -> Result<(), CliError> {
    let mut folder = CouncilFolder::open(&arguments.dir)?;
    for path in &arguments.signed {
        let copy: SignedTrustList = output::decode(path, "a proposal (proposal.cbor)")?;
        let added = folder.gather(&copy)?;
        say(&format!("{}: {added} new signature(s)", path.display()))?;
    }
    let published = folder.publish(now)?;
    output::write(&arguments.out, &cbor::encode(&published))?;
    let list = decode_list(&published, &arguments.out)?;
    say(&format!(
        "published epoch {} with {} members into {}, valid until {}\nnext: give it to every node; it refuses any list that does not follow its own",
        list.epoch,
        list.members.len(),
        arguments.out.display(),
        output::time(list.expires)
    ))?;
    Ok(())
}

#[derive(Debug, Args)]
#[command(after_help = "Example: hibiki-certs show trust-list.cbor --format json")]
pub(crate) struct Show {
    /// The list.
    file: PathBuf,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(crate) fn show(arguments: &Show) -> Result<(), CliError> {
    let signed: SignedTrustList = output::decode(&arguments.file, "a trust list")?;
    let list = decode_list(&signed, &arguments.file)?;
    match arguments.format {
        Format::Human => say(&present::list_in_words(&list, &signed))?,
        Format::Json => say(&format!("{:#}", present::list_json(&list, &signed)))?,
    }
    Ok(())
}

#[derive(Debug, Args)]
#[command(after_help = "Example: hibiki-certs verify trust-list.cbor --root root.cbor
Ends with status 0 if the list is genuine and current, with 1 if not.")]
pub(crate) struct Verify {
    /// The list.
    file: PathBuf,
    /// The federation's root, as it was given to the nodes.
    #[arg(long)]
    root: PathBuf,
}

pub(crate) fn verify(arguments: &Verify, now: Timestamp) -> Result<(), CliError> {
    let anchor: RootAnchor = output::decode(&arguments.root, "a federation's root")?;
    let signed: SignedTrustList = output::decode(&arguments.file, "a trust list")?;
    let accepted = Accepted::first(&anchor, &signed).map_err(CliError::NotAccepted)?;
    let list = accepted.list();
    if accepted.standing(now, 0) != Standing::Current {
        return Err(CliError::Expired(output::time(list.expires)));
    }
    let valid = signed.valid_signatures(&anchor.root);
    say(&format!(
        "genuine: {} epoch {}, {valid} valid signature(s) of {} root key(s), {} members, valid until {}",
        list.federation,
        list.epoch,
        anchor.root.keys.len(),
        list.members.len(),
        output::time(list.expires)
    ))?;
    Ok(())
}

fn decode_list(signed: &SignedTrustList, path: &std::path::Path) -> Result<TrustList, CliError> {
    cbor::decode(&signed.payload).map_err(|source| CliError::NotThis {
        path: path.display().to_string(),
        what: "a trust list",
        source,
    })
}
