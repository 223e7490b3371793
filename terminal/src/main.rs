//! `hibiki-terminal`: the guardian's program.

use std::process::ExitCode;

use clap::Parser as _;
use hibiki_terminal::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(error) = hibiki_terminal::hardening::harden() {
        eprintln!(
            "メモリーを保護できないため始めません / core dumps cannot be switched off, so nothing is shown: {error}"
        );
        return ExitCode::FAILURE;
    }
    match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(cli.run());
            // Somebody may still be waited for to type a line: that wait would hold the program.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            eprintln!("実行環境を用意できません / the runtime cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}
