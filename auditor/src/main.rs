//! `hibiki-audit`: the regulator's command line.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use hibiki_audit::artefacts::{self, Artefacts};
use hibiki_audit::ledgers::{self, Ledgers};
use hibiki_audit::scan::{Scanner, parse_needles};
use hibiki_audit::search::{self, Place};
use hibiki_audit::strand::Strand;
use hibiki_audit::{canary, holds, identifiers, locality, log, page, reconcile, report, signing, traffic};
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::tlog::VerifierKey;
use hibiki_protocol::trust::TrustList;

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
    Log(LogArguments),
    /// Search files, folders, disk images and memory dumps for secrets in many encodings.
    #[command(after_help = "Example:\n  hibiki-audit scan --needles canaries.tsv \
        maebashi/chuo-hospital=/mnt/hospital /tmp/gateway.core\n\n\
        The needles file has one secret per line: owner, a tab, the secret. A secret in any place but its owner's \
        is a leak: exit status 1. At home it may be or not: encryption at rest hides it. Secrets are named by their place \
        in the file, counted from 0, and never repeated.")]
    Scan(ScanArguments),
    /// Draw canaries before a run, to be planted among ordinary records.
    #[command(subcommand)]
    Canary(CanaryCommand),
    /// Do the ledgers of all parties agree? Relays, answers, grants, receipts.
    #[command(after_help = "Example:\n  hibiki-audit reconcile artefacts/")]
    Reconcile(FolderArguments),
    /// Is there no identifier that two institutions share?
    #[command(after_help = "Example:\n  hibiki-audit identifiers artefacts/")]
    Identifiers(FolderArguments),
    /// Was nothing released to a guardian after a protective hold?
    #[command(after_help = "Example:\n  hibiki-audit holds artefacts/")]
    Holds(FolderArguments),
    /// Is nothing of one institution at another? Canaries, traffic, rows, files, volume.
    #[command(after_help = "Example:\n  hibiki-audit locality artefacts/")]
    Locality(FolderArguments),
    /// Ask everything, with the leaking nodes as a control, and write the report.
    #[command(
        after_help = "Example:\n  hibiki-audit report artefacts/ --out report.json --html report.html \
        --key regulator.key"
    )]
    Report(ReportArguments),
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
enum CanaryCommand {
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
    Check(FolderArguments),
}

#[derive(clap::Args)]
struct FolderArguments {
    /// The folder of artefacts; its layout is in docs/regulator.md.
    artefacts: PathBuf,
    /// How to print what was found.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(clap::Args)]
struct ReportArguments {
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
}

#[derive(clap::Args)]
struct LogArguments {
    /// The folder of artefacts; with `--vkey` one ledger's folder, with `checkpoint`, `checkpoints` and `tile/`.
    folder: PathBuf,
    /// The verifier key of the one ledger: name+id+key, from the trust list.
    #[arg(long, value_name = "KEY")]
    vkey: Option<VerifierKey>,
    /// The verifier key of a witness whose cosignatures are to be verified; may be given several times.
    #[arg(long, value_name = "KEY", requires = "vkey")]
    witness: Vec<VerifierKey>,
    /// A checkpoint of the same ledger kept from an earlier visit; may be given several times.
    #[arg(long, value_name = "FILE", requires = "vkey")]
    earlier: Vec<PathBuf>,
    /// How to print the report.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(clap::Args)]
struct ScanArguments {
    /// What to search: `OWNER=PATH`, or a path where nobody's secrets may be, such as a relay's memory dump.
    #[arg(required = true, value_name = "PLACE", value_parser = place)]
    places: Vec<Place>,
    /// The secrets: one per line, owner, a tab, the secret.
    #[arg(long, value_name = "FILE")]
    needles: PathBuf,
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
    let (owner, path) = match text.split_once('=') {
        Some((owner, path)) => (Some(owner.to_owned()), path),
        None => (None, text),
    };
    if path.is_empty() || owner.as_deref() == Some("") {
        return Err("expected PATH or OWNER=PATH, such as maebashi/chuo-hospital=/mnt/hospital".to_owned());
    }
    Ok(Place { path: path.into(), owner })
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Log(LogArguments { folder, vkey: None, format, .. }) => {
            ask(&FolderArguments { artefacts: folder, format }, |_, _, _| Vec::new())
        }
        Command::Log(LogArguments { folder, vkey: Some(key), witness, earlier, format }) => {
            verify_log(&folder, &key, &witness, &earlier, format)
        }
        Command::Scan(arguments) => run_scan(&arguments),
        Command::Canary(CanaryCommand::Plant { member, count, out }) => {
            canary::plant(&member, count, &out).map(|()| true)
        }
        Command::Canary(CanaryCommand::Check(arguments)) => {
            ask(&arguments, |artefacts, _, ledgers| vec![canary::check(artefacts, ledgers)])
        }
        Command::Reconcile(arguments) => {
            ask(&arguments, |artefacts, _, ledgers| vec![reconcile::reconcile(artefacts, ledgers)])
        }
        Command::Identifiers(arguments) => {
            ask(&arguments, |artefacts, list, ledgers| vec![identifiers::look(artefacts, list, ledgers)])
        }
        Command::Holds(arguments) => ask(&arguments, |_, _, ledgers| vec![holds::look(ledgers)]),
        Command::Locality(arguments) => ask(&arguments, |artefacts, list, ledgers| {
            let search = locality::search_for(artefacts);
            vec![
                canary::check(artefacts, ledgers),
                locality::canaries(artefacts, list, &search),
                traffic::look(artefacts, list, ledgers, &search),
                locality::rows(artefacts, list, ledgers),
                locality::files(artefacts, list),
                locality::volume(artefacts, list),
            ]
        }),
        Command::Report(arguments) => write_report(&arguments),
        Command::Keygen { name, out } => keygen(&name, &out),
        Command::Verify { report, artefacts, vkey } => verify_report(&report, &artefacts, vkey.as_ref()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("hibiki-audit: {message}");
            ExitCode::from(2)
        }
    }
}

fn verify_log(
    folder: &Path,
    key: &VerifierKey,
    witnesses: &[VerifierKey],
    earlier: &[PathBuf],
    format: Format,
) -> Result<bool, String> {
    let earlier = earlier.iter().map(|path| file(path)).collect::<Result<Vec<_>, _>>()?;
    let report = log::verify(folder, key, witnesses, &earlier);
    match format {
        Format::Json => print_json(&report)?,
        Format::Human => print_log(&report),
    }
    Ok(report.passed)
}

fn file(path: &Path) -> Result<Vec<u8>, String> {
    artefacts::read(path, artefacts::FILE_MAX).map_err(|why| format!("{}: {why}", path.display()))
}

/// Asks some questions of the ledgers; the ledgers themselves are verified first.
fn ask(
    arguments: &FolderArguments,
    questions: impl FnOnce(&Artefacts, &TrustList, &Ledgers) -> Vec<Strand>,
) -> Result<bool, String> {
    let artefacts = Artefacts::open(&arguments.artefacts)?;
    let list = match artefacts.federation() {
        Ok(list) => list,
        Err(why) => return show(&[report::untrusted(why)], arguments.format),
    };
    let (log, ledgers) = ledgers::read(&artefacts, &list);
    let mut strands = vec![log];
    strands.extend(questions(&artefacts, &list, &ledgers));
    show(&strands, arguments.format)
}

fn show(strands: &[Strand], format: Format) -> Result<bool, String> {
    match format {
        Format::Json => print_json(&strands)?,
        Format::Human => strands.iter().for_each(print_strand),
    }
    Ok(strands.iter().all(|strand| strand.passed))
}

fn write_report(arguments: &ReportArguments) -> Result<bool, String> {
    let artefacts = Artefacts::open(&arguments.artefacts)?;
    let report = report::audit(&artefacts, &mut |what| eprintln!("hibiki-audit: {what}"));
    let text = report::canonical(&report)?;
    let write = |path: &Path, text: &str| {
        std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    };
    write(&arguments.out, &text)?;
    if let Some(path) = &arguments.html {
        write(path, &page::page(&report))?;
    }
    if let Some(key) = &arguments.key {
        let note = signing::sign(&signing::read(key)?, text.as_bytes())?;
        write(&signing::note_of(&arguments.out), &note)?;
    }
    report.strands.iter().for_each(print_strand);
    for mutant in &report.mutants {
        let said = mutant.caught.as_deref().unwrap_or("NOT CAUGHT");
        println!("mutant   {:<10} by {:<10} {said}", mutant.name, mutant.strand);
    }
    for limit in &report.limits {
        println!("not shown: {limit}");
    }
    println!("{}", if report.passed { "合格 / PASSED" } else { "不合格 / NOT PASSED" });
    Ok(report.passed)
}

fn keygen(name: &str, out: &Path) -> Result<bool, String> {
    println!("{}", signing::generate(name, out)?);
    Ok(true)
}

/// A report that says the truth and did not pass is verified, and still no pass.
fn verify_report(report: &Path, artefacts: &Path, vkey: Option<&VerifierKey>) -> Result<bool, String> {
    let bytes = file(report)?;
    if let Some(vkey) = vkey {
        signing::verify(vkey, &signing::note_of(report), &bytes)?;
        println!("signature: {}", vkey.name());
    }
    let claimed: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    let artefacts = Artefacts::open(artefacts)?;
    let found = report::audit(&artefacts, &mut |what| eprintln!("hibiki-audit: {what}"));
    let found = serde_json::to_value(&found).map_err(|error| error.to_string())?;
    let differences = report::differences(&claimed, &found);
    for difference in &differences {
        println!("DIFFERS  {difference}");
    }
    println!(
        "{}",
        if differences.is_empty() { "verified: every figure is as reported" } else { "NOT verified" }
    );
    Ok(differences.is_empty() && found["passed"] == true)
}

fn print_strand(strand: &Strand) {
    println!("{}  {}", if strand.passed { "PASSED " } else { "NOT PASSED" }, strand.name);
    println!("         {}", strand.asked.join(" / "));
    for (what, count) in &strand.figures {
        println!("  {count:>12}  {what}");
    }
    for problem in &strand.problems {
        println!("WRONG    {problem}");
    }
    if strand.more_problems > 0 {
        println!("WRONG    … and {} more", strand.more_problems);
    }
    for missing in &strand.missing {
        println!("MISSING  {missing}");
    }
}

fn run_scan(arguments: &ScanArguments) -> Result<bool, String> {
    let needles = std::fs::read_to_string(&arguments.needles)
        .map_err(|error| format!("{}: {error}", arguments.needles.display()))?;
    let scanner = parse_needles(&needles).and_then(Scanner::new).map_err(|error| error.to_string())?;
    show(&[search::secrets(&scanner, &arguments.places)], arguments.format)
}

fn print_json(report: &impl serde::Serialize) -> Result<(), String> {
    println!("{}", serde_json::to_string_pretty(report).map_err(|error| error.to_string())?);
    Ok(())
}

fn print_log(report: &log::Report) {
    println!("ledger   {}", report.origin);
    println!("entries  {}", report.size);
    println!("root     {}", report.root);
    if let Some((first, last)) = report.times_ms {
        println!("times    {first} to {last} ms since 1970, {} steps backwards", report.backwards);
    }
    for (name, time) in &report.witnesses {
        println!("witness  {name} at {time} s since 1970");
    }
    for (kind, count) in &report.kinds {
        println!("  {count:>10}  {kind}");
    }
    println!("checked");
    for (what, count) in &report.checked {
        println!("  {count:>10}  {what}");
    }
    println!("not checked");
    for what in &report.not_checked {
        println!("  - {what}");
    }
    for problem in &report.problems {
        println!("WRONG    {problem}");
    }
    if report.more_problems > 0 {
        println!("WRONG    … and {} more", report.more_problems);
    }
    println!("{}", if report.passed { "PASSED" } else { "FAILED" });
}
