//! The command line.

mod card;
mod consent;
mod history;
mod login;
mod receipts;
mod registration;
mod serve;
mod touch;
mod view;
mod visit;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::trouble::Trouble;
use crate::words::{self, Words};

/// 響き：カードをかざして、お子さまの健康と学校の記録をひとつの画面で見る。
/// Hibiki: touch the card, see the child's health and school records on one page.
#[derive(Debug, Parser)]
#[command(
    name = "hibiki-terminal",
    version,
    after_help = "Example:\n  hibiki-terminal card\n  hibiki-terminal login --config terminal.toml\n  hibiki-terminal view --config terminal.toml --format json > view.json"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// リーダーとカードの状態を見る / Show readers and cards: validity, tries left. Needs no PIN, costs no try.
    #[command(
        after_help = "Examples:\n  hibiki-terminal card\n  hibiki-terminal card --watch\n  hibiki-terminal card --format json\n  hibiki-terminal card --certificate-out card.crt"
    )]
    Card(card::CardArgs),
    /// カードで利用できる方を確認する / Open a session and list whom the card may act for.
    #[command(
        after_help = "Examples:\n  hibiki-terminal login --config terminal.toml\n  hibiki-terminal login --config terminal.toml --stay\n  hibiki-terminal login --config terminal.toml --card-file card.json --pin-file pin"
    )]
    Login(login::LoginArgs),
    /// 記録を表示する / Show the records of one person, from every institution.
    #[command(
        after_help = "Examples:\n  hibiki-terminal view --config terminal.toml --subject 2\n  hibiki-terminal view --config terminal.toml --receipts ~/receipts\n  hibiki-terminal view --config terminal.toml --reader RC-S300 --category immunization --since 2025-04-01 --format json"
    )]
    View(view::ViewArgs),
    /// だれが見たか / Show who looked at one person's records, from every institution, with proofs.
    #[command(
        after_help = "Examples:\n  hibiki-terminal history --config terminal.toml --subject 2\n  hibiki-terminal history --config terminal.toml --older maebashi/chuo-hospital:41\n  hibiki-terminal history --config terminal.toml --format json > history.json"
    )]
    History(history::HistoryArgs),
    /// 同意の設定 / Show and change what institutions may show of one person.
    #[command(
        after_help = "Examples:\n  hibiki-terminal consent --config terminal.toml\n  hibiki-terminal consent --config terminal.toml --at maebashi/chuo-hospital --deny growth\n  hibiki-terminal consent --config terminal.toml --at maebashi/chuo-hospital --permit growth\n  hibiki-terminal consent --config terminal.toml --at maebashi/midori-pharmacy --deny all --only-me --format json"
    )]
    Consent(consent::ConsentArgs),
    /// アレルギー・メールの登録 / Show and change what is registered for one child at her school.
    #[command(
        after_help = "Examples:\n  hibiki-terminal registration --config terminal.toml\n  hibiki-terminal registration --config terminal.toml --at maebashi/momiji-elementary --allergen egg --allergen milk:strict\n  hibiki-terminal registration --config terminal.toml --at maebashi/momiji-elementary --address hanako@example.jp\n  hibiki-terminal registration --config terminal.toml --at maebashi/momiji-elementary --code 123456\n  hibiki-terminal registration --config terminal.toml --at maebashi/momiji-elementary --mail notice --mail gate"
    )]
    Registration(registration::RegistrationArgs),
    /// 控え / Receipts: what institutions promised with their answers, kept with `--receipts DIR`, and its proofs.
    #[command(
        after_help = "Examples:\n  hibiki-terminal view --config terminal.toml --receipts ~/receipts\n  hibiki-terminal receipts prove --config terminal.toml ~/receipts\n  hibiki-terminal receipts verify --config terminal.toml ~/receipts"
    )]
    Receipts {
        #[command(subcommand)]
        command: receipts::ReceiptsCommand,
    },
    /// 画面を開く / Serve the guardian's page to a browser on this machine: touch, and see.
    #[command(
        after_help = "Examples:\n  hibiki-terminal serve --config terminal.toml\n  hibiki-terminal serve --config terminal.toml --reader RC-S300 --idle 120\n  hibiki-terminal serve --config terminal.toml --receipts ~/receipts\n  hibiki-terminal serve --config terminal.toml --card-file card.json --port 8080"
    )]
    Serve(serve::ServeArgs),
}

/// What every command that opens a session takes.
#[derive(Debug, Args)]
struct Common {
    /// Settings of this terminal.
    #[arg(long, value_name = "FILE", default_value = "/etc/hibiki/terminal.toml")]
    config: PathBuf,
    #[command(flatten)]
    touch: touch::TouchArgs,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Human,
    /// For programs.
    Json,
}

impl Cli {
    /// Runs the command and says what went wrong, in words.
    pub async fn run(self) -> ExitCode {
        let outcome = match self.command {
            Command::Card(args) => card::run(args).await,
            Command::Login(args) => login::run(args).await,
            Command::View(args) => view::run(args).await,
            Command::History(args) => history::run(args).await,
            Command::Consent(args) => consent::run(args).await,
            Command::Registration(args) => registration::run(args).await,
            Command::Receipts { command } => return ended(receipts::run(command).await),
            Command::Serve(args) => serve::run(args).await,
        };
        ended(outcome.map(|()| ExitCode::SUCCESS))
    }
}

/// The exit status, and in words what went wrong.
fn ended(outcome: Result<ExitCode, Trouble>) -> ExitCode {
    outcome.unwrap_or_else(|trouble| {
        say(&words::trouble(&trouble));
        ExitCode::FAILURE
    })
}

/// Tells the person at the terminal, beside the result.
fn say(Words { ja, en }: &Words) {
    let _ = writeln!(std::io::stderr(), "{ja}\n{en}");
}

fn out(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn out_json(value: &impl serde::Serialize) {
    if let Ok(text) = serde_json::to_string(value) {
        out(&text);
    }
}

/// Standard input cannot ask anybody.
fn nobody_to_ask(instead: &str) -> Trouble {
    Trouble::Machine(format!("there is nobody to ask at this terminal; use {instead}"))
}
