//! `receipts`: fetching the proofs of what was promised, and judging a folder of receipts offline.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use hibiki_protocol::trust::RootAnchor;

use super::visit::{KeepArgs, visit};
use super::{Common, Format, out, out_json, say};
use crate::config::Config;
use crate::federation;
use crate::json::{ProvingJson, VerifiedJson};
use crate::receipts::folder::{Folder, read_list};
use crate::receipts::lists::Lists;
use crate::receipts::prove::{Plan, prove};
use crate::receipts::verdict::{Judged, Summary, judge_all};
use crate::trouble::Trouble;
use crate::{clock, print, words};

/// Some receipts are not proved yet, and nothing is wrong.
const NOT_YET: u8 = 3;
/// Something is wrong: a broken promise, a wrong signature, an unreadable file.
const ALARMING: u8 = 4;

#[derive(Debug, Subcommand)]
pub(super) enum ReceiptsCommand {
    /// 証明を受け取る / Ask every institution for the proofs that a folder of receipts still lacks. Needs the card.
    #[command(
        after_help = "Examples:\n  hibiki-terminal receipts prove --config terminal.toml ~/receipts\n  hibiki-terminal receipts prove --config terminal.toml --card-file card.json --pin-file pin --format json ~/receipts\n\nExit status: 0 asked; 1 it could not be asked. Run `receipts verify` for what the receipts are worth."
    )]
    Prove(ProveArgs),
    /// 控えを確かめる / Judge a folder of receipts, offline: no card, no network.
    #[command(
        after_help = "Examples:\n  hibiki-terminal receipts verify --config terminal.toml ~/receipts\n  hibiki-terminal receipts verify --root root.pub --trust-list 12.list --trust-list 13.list --format json ~/receipts\n\nExit status: 0 everything is proved; 1 nothing could be judged (an empty folder, say); 3 some receipts are not proved yet; 4 a promise was broken, a signature is wrong, or a file cannot be read."
    )]
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
pub(super) struct ProveArgs {
    #[command(flatten)]
    common: Common,
    /// Milliseconds until a round must be complete.
    #[arg(long, value_name = "MS")]
    deadline_ms: Option<u64>,
    /// The folder of receipts.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// Settings of this terminal: they name the federation's root and a trust list.
    #[arg(long, value_name = "FILE", default_value = "/etc/hibiki/terminal.toml")]
    config: PathBuf,
    /// The federation's root, as the council handed it out; then no settings are read.
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    root: Option<PathBuf>,
    /// A trust list, of any time (may be given several times). Those kept with the receipts are used as well.
    #[arg(long, value_name = "FILE")]
    trust_list: Vec<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// The folder of receipts.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(super) async fn run(command: ReceiptsCommand) -> Result<ExitCode, Trouble> {
    match command {
        ReceiptsCommand::Prove(args) => fetch(args).await,
        ReceiptsCommand::Verify(args) => verify(&args),
    }
}

async fn fetch(args: ProveArgs) -> Result<ExitCode, Trouble> {
    let folder = Folder::open(&args.folder)?;
    if folder.receipts()?.is_empty() {
        return Err(Trouble::NoReceipts(args.folder));
    }
    let anchor = federation::anchor(&Config::load(&args.common.config)?.root)?;
    visit(&args.common, &KeepArgs::default(), async |session, federation| {
        let mut lists = kept_lists(&folder, &anchor, vec![])?;
        lists.add(federation.accepted());
        let plan = Plan::new(judge_all(folder.receipts()?, &lists), turn()?);
        // Any of those the card may act for will do: receipts are about nobody.
        let subject = session.subjects().first().ok_or(Trouble::Nobody)?;
        let proving = prove(session, federation, subject, (&folder, &lists), plan, args.deadline_ms).await?;
        match args.common.format {
            Format::Human => out(&print::proving(&proving)),
            Format::Json => out_json(&ProvingJson::from(&proving)),
        }
        Ok(None)
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}

fn verify(args: &VerifyArgs) -> Result<ExitCode, Trouble> {
    let folder = Folder::open(&args.folder)?;
    let found = folder.receipts()?;
    if found.is_empty() {
        return Err(Trouble::NoReceipts(args.folder.clone()));
    }
    let mut given = args.trust_list.clone();
    let root = match &args.root {
        Some(root) => root.clone(),
        None => {
            let config = Config::load(&args.config)?;
            given.push(config.trust_list);
            config.root
        }
    };
    let lists = kept_lists(&folder, &federation::anchor(&root)?, given)?;
    let judged: Vec<Judged> = judge_all(found, &lists);
    let (summary, now) = (Summary::of(&judged), clock::now());
    match args.format {
        Format::Human => out(&print::receipts(&judged, &summary, now)),
        Format::Json => out_json(&VerifiedJson::new(&judged, &summary, now)),
    }
    Ok(match summary {
        _ if summary.alarming() => ExitCode::from(ALARMING),
        _ if summary.all_proved() => ExitCode::SUCCESS,
        _ => ExitCode::from(NOT_YET),
    })
}

/// The lists that were given, each of which must be good, and those kept with the receipts: what is wrong with one
/// of these is told, and it is left out.
fn kept_lists(folder: &Folder, anchor: &RootAnchor, given: Vec<PathBuf>) -> Result<Lists, Trouble> {
    let wrong = |path: &Path, reason: String| Trouble::File { path: path.to_owned(), reason };
    let mut offered = Vec::new();
    for path in &given {
        let list = read_list(path).map_err(|reason| wrong(path, reason))?;
        offered.push((path.display().to_string(), list));
    }
    for (name, list) in folder.lists()? {
        let path = folder.path().join(name).display().to_string();
        match list {
            Ok(list) => offered.push((path, list)),
            Err(reason) => say(&words::receipts::list_left_out(&path, &reason)),
        }
    }
    let (lists, refused) = Lists::gather(anchor, offered, clock::now());
    for (path, why) in refused {
        if given.iter().any(|given| given.display().to_string() == path) {
            return Err(wrong(Path::new(&path), why.to_string()));
        }
        say(&words::receipts::list_left_out(&path, &why.to_string()));
    }
    Ok(lists)
}

/// Where to begin this time.
fn turn() -> Result<u64, Trouble> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| Trouble::Machine(error.to_string()))?;
    Ok(u64::from_be_bytes(bytes))
}
