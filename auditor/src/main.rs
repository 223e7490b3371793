//! `hibiki-audit`: the regulator's command line.
#![forbid(unsafe_code)]

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use hibiki_audit::artefacts::{Artefacts, file};
use hibiki_audit::evidence::Evidence;
use hibiki_audit::scan::{Scanner, parse_needles};
use hibiki_audit::search::{self, Place};
use hibiki_audit::{canary, log, page, report, signing};
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::tlog::VerifierKey;
use serde::Serialize;

/// Verifies ledgers and data locality from artefacts alone.
///
/// Exit status: 0 = everything checked is right, 1 = something is wrong or could not be checked, 2 = wrong use.
#[derive(Parser)]
#[command(name = "hibiki-audit", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Verify ledgers, every entry, tile and checkpoint: one folder by its key, or all of the artefacts by the trust
    /// list, with what their institutions laid open and their witnesses keep.
    #[command(
        after_help = "Examples:\n  hibiki-audit log artefacts/\n  hibiki-audit log /mnt/copy/ledger --vkey \
        'maebashi/chuo-hospital/ledger+1a2b3c4d+AQ…' --earlier visit-2026-10.checkpoint"
    )]
    Log {
        #[command(flatten)]
        folder: Folder,
        /// The verifier key of one ledger, name+id+key, from the trust list: then the folder is that ledger's, with
        /// `checkpoint`, `checkpoints` and `tile/`.
        #[arg(long, value_name = "KEY")]
        vkey: Option<VerifierKey>,
        /// The verifier key of a witness whose cosignatures are to be verified; may be given several times.
        #[arg(long, value_name = "KEY", requires = "vkey")]
        witness: Vec<VerifierKey>,
        /// A checkpoint of the same ledger kept from an earlier visit; may be given several times.
        #[arg(long, value_name = "FILE", requires = "vkey")]
        earlier: Vec<PathBuf>,
    },
    /// Search files, folders, disk images and memory dumps for secrets in many encodings.
    #[command(after_help = "Example:\n  hibiki-audit scan --needles canaries.tsv \
        maebashi/chuo-hospital=/mnt/hospital /tmp/gateway.core\n\n\
        The needles file has one secret per line: owner, a tab, the secret. A secret in any place but its owner's \
        is a leak. Secrets are named by their number from 0, and never repeated.")]
    Scan {
        /// What to search: `OWNER=PATH`, or a path where nobody's secrets may be, such as a relay's memory dump.
        #[arg(required = true, value_name = "PLACE", value_parser = place)]
        places: Vec<Place>,
        /// The secrets: one per line, owner, a tab, the secret.
        #[arg(long, value_name = "FILE")]
        needles: PathBuf,
        /// How to print what was found.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Draw canaries before a run, to be planted among ordinary records.
    #[command(subcommand)]
    Canary(Canary),
    /// Do the ledgers of all parties agree? Relays, answers, grants, receipts.
    #[command(after_help = "Example:\n  hibiki-audit reconcile artefacts/")]
    Reconcile(Folder),
    /// Is there no identifier that two institutions share?
    #[command(after_help = "Example:\n  hibiki-audit identifiers artefacts/")]
    Identifiers(Folder),
    /// Was nothing released to a guardian after a protective hold?
    #[command(after_help = "Example:\n  hibiki-audit holds artefacts/")]
    Holds(Folder),
    /// Is nothing of one institution at another? Canaries, traffic, rows, files, volume.
    #[command(after_help = "Example:\n  hibiki-audit locality artefacts/")]
    Locality(Folder),
    /// Ask everything, with the leaking nodes as a control, and write the report.
    #[command(
        after_help = "Example:\n  hibiki-audit report artefacts/ --out report.json --html report.html \
        --key regulator.key"
    )]
    Report {
        /// The folder of artefacts; its layout is in docs/regulator.md.
        artefacts: PathBuf,
        /// Write the report, canonical JSON.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// Write it as a page, too.
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
        /// Sign it with this key (`keygen`): a signed note beside the report.
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Make a key to sign reports with: the file is its seed, the line printed its verifier key.
    #[command(after_help = "Example:\n  hibiki-audit keygen --name ppc.example/hibiki --out regulator.key")]
    Keygen {
        /// The name that stands in signatures.
        #[arg(long)]
        name: String,
        /// The new file.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Compute a report again and say every difference.
    #[command(
        after_help = "Example:\n  hibiki-audit verify report.json artefacts/ --vkey 'ppc.example/hibiki+1a2b…'"
    )]
    Verify {
        /// The report.
        report: PathBuf,
        /// The artefacts it is about.
        artefacts: PathBuf,
        /// The key that signed it: the note `report.json.note` beside it is verified, too.
        #[arg(long, value_name = "KEY")]
        vkey: Option<VerifierKey>,
    },
}

#[derive(Subcommand)]
enum Canary {
    /// Draw them: `commitment.json` is to be made known now, `canaries.ndjson` kept secret until after the run.
    #[command(after_help = "Example:\n  hibiki-audit canary plant --member maebashi/city-hall \
        --member maebashi/chuo-hospital --count 1000 --out canaries/")]
    Plant {
        /// For which institution; may be given several times.
        #[arg(long, required = true, value_name = "ID")]
        member: Vec<MemberId>,
        /// How many for each.
        #[arg(long, value_name = "N")]
        count: usize,
        /// The new folder.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Are those that were revealed the ones committed to, and was that in a ledger before the first import?
    #[command(after_help = "Example:\n  hibiki-audit canary check artefacts/")]
    Check(Folder),
}

#[derive(Args)]
struct Folder {
    /// The folder of artefacts; its layout is in docs/regulator.md.
    artefacts: PathBuf,
    /// How to print what was found.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs.
    Json,
}

fn place(text: &str) -> Result<Place, String> {
    let (owner, path) = text.split_once('=').map_or((None, text), |(owner, path)| (Some(owner), path));
    if path.is_empty() || owner == Some("") {
        return Err("expected PATH or OWNER=PATH, such as maebashi/chuo-hospital=/mnt/hospital".to_owned());
    }
    Ok(Place { path: path.into(), root: PathBuf::new(), owner: owner.map(str::to_owned) })
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("hibiki-audit: {message}");
            ExitCode::from(2)
        }
    }
}

/// Does what was asked; whether all is right.
fn run(command: Command) -> Result<bool, String> {
    match command {
        Command::Log { folder, vkey: Some(key), witness, earlier } => {
            let earlier = earlier.iter().map(|path| file(path)).collect::<Result<Vec<_>, _>>()?;
            let report = log::verify(&folder.artefacts, &key, &witness, &earlier);
            show(&[&report], folder.format)?;
            Ok(report.strand.passed)
        }
        Command::Log { folder, .. } => ask(&folder, &[]),
        Command::Scan { places, needles, format } => {
            let needles = String::from_utf8(file(&needles)?).map_err(|error| error.to_string())?;
            let scanner =
                parse_needles(&needles).and_then(Scanner::new).map_err(|error| error.to_string())?;
            let strand = search::secrets(&scanner, &places);
            show(&[&strand], format)?;
            Ok(strand.passed)
        }
        Command::Canary(Canary::Plant { member, count, out }) => {
            canary::plant(&member, count, &out).map(|()| true)
        }
        Command::Canary(Canary::Check(folder)) => ask(&folder, &["commitment"]),
        Command::Reconcile(folder) => ask(&folder, &["reconcile"]),
        Command::Identifiers(folder) => ask(&folder, &["identifiers"]),
        Command::Holds(folder) => ask(&folder, &["holds"]),
        Command::Locality(folder) => {
            ask(&folder, &["commitment", "canaries", "traffic", "rows", "files", "volume"])
        }
        Command::Report { artefacts, out, html, key } => {
            write_report(&artefacts, &out, html.as_deref(), key.as_deref())
        }
        Command::Keygen { name, out } => {
            println!("{}", signing::generate(&name, &out)?);
            Ok(true)
        }
        Command::Verify { report, artefacts, vkey } => verify_report(&report, &artefacts, vkey.as_ref()),
    }
}

/// Asks some questions of the ledgers; the ledgers themselves are verified first.
fn ask(folder: &Folder, names: &[&str]) -> Result<bool, String> {
    let (log, evidence) = Evidence::gather(Artefacts::open(&folder.artefacts)?);
    let mut strands = vec![log];
    if let Some(evidence) = evidence {
        strands.extend(names.iter().map(|name| report::ask(&evidence, name)));
    }
    show(&strands, folder.format)?;
    Ok(strands.iter().all(|strand| strand.passed))
}

fn show<T: Display + Serialize>(found: &[T], format: Format) -> Result<(), String> {
    let json = || serde_json::to_string_pretty(found).map_err(|error| error.to_string());
    match format {
        Format::Json => println!("{}", json()?),
        Format::Human => found.iter().for_each(|found| print!("{found}")),
    }
    Ok(())
}

fn audit(artefacts: &Path) -> Result<report::Report, String> {
    Ok(report::audit(&Artefacts::open(artefacts)?, &mut |what| eprintln!("hibiki-audit: {what}")))
}

fn write_report(
    artefacts: &Path,
    out: &Path,
    html: Option<&Path>,
    key: Option<&Path>,
) -> Result<bool, String> {
    let report = audit(artefacts)?;
    let text = report::canonical(&report)?;
    let write = |path: &Path, text: &str| {
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    };
    write(out, &text)?;
    if let Some(path) = html {
        write(path, &page::page(&report))?;
    }
    if let Some(key) = key {
        write(&signing::note_of(out), &signing::sign(&signing::read(key)?, text.as_bytes())?)?;
    }
    print!("{report}");
    Ok(report.passed)
}

/// A report that says the truth and did not pass is verified, and still no pass.
fn verify_report(report: &Path, artefacts: &Path, vkey: Option<&VerifierKey>) -> Result<bool, String> {
    let bytes = file(report)?;
    if let Some(vkey) = vkey {
        signing::verify(vkey, &signing::note_of(report), &bytes)?;
        println!("signature: {}", vkey.name());
    }
    let claimed = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    let found = audit(artefacts)?;
    let computed = serde_json::to_value(&found).map_err(|error| error.to_string())?;
    let differences = report::differences(&claimed, &computed);
    differences.iter().for_each(|difference| println!("DIFFERS  {difference}"));
    let same = differences.is_empty();
    println!("{}", if same { "verified: every figure is as reported" } else { "NOT verified" });
    Ok(same && found.passed)
}
