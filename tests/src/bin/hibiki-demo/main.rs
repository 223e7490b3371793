//! `make demo`: a town of six institutions on this machine, shown as a guardian sees it.
#![forbid(unsafe_code)]

mod lunch;
mod narrator;
mod story;
mod touch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// 響きの実演：この機械の上に六つの施設を立ち上げ、保護者の画面を見せます。
/// Shows Hibiki: six institutions on this machine, and the view of a guardian.
#[derive(Debug, Parser)]
#[command(
    name = "hibiki-demo",
    version,
    after_help = "Examples:\n  hibiki-demo\n  hibiki-demo --once\n  hibiki-demo --data my-fhir-files/"
)]
struct Arguments {
    /// End by itself, with status 0 if all went well.
    #[arg(long)]
    once: bool,
    /// Load the FHIR R4 files (Bundles or NDJSON) of this folder instead of the invented family.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Folder for everything the town writes; emptied at the start.
    #[arg(long, value_name = "DIR", default_value = "target/demo")]
    dir: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match story::tell(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            narrator::complain(&trouble.to_string());
            ExitCode::FAILURE
        }
    }
}
