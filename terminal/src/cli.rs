//! The command line.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use hibiki_protocol::ids::Category;
use hibiki_protocol::session::AttestedSubject;
use hibiki_protocol::time::Day;

use crate::card::{Card, FileCard, Pin};
use crate::config::Config;
use crate::connection::Connection;
use crate::federation::Federation;
use crate::json::{PartJson, SubjectJson, ViewJson};
use crate::question::Wish;
use crate::session::Session;
use crate::trouble::Trouble;
use crate::words::Words;
use crate::{clock, print, view, words};

/// 響き：カードをかざして、お子さまの健康と学校の記録をひとつの画面で見る。
/// Hibiki: touch the card, see the child's health and school records on one page.
#[derive(Debug, Parser)]
#[command(
    name = "hibiki-terminal",
    version,
    after_help = "Example:\n  hibiki-terminal login --config terminal.toml --card-file card.json\n  hibiki-terminal view --config terminal.toml --card-file card.json --format json > view.json"
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// カードで利用できる方を確認する / Open a session and list whom the card may act for.
    #[command(after_help = "Example:\n  hibiki-terminal login --config terminal.toml --card-file card.json")]
    Login(Common),
    /// 記録を表示する / Show the records of one person, from every institution.
    #[command(
        after_help = "Examples:\n  hibiki-terminal view --config terminal.toml --card-file card.json --subject 2\n  hibiki-terminal view --config terminal.toml --card-file card.json --category immunization --since 2025-04-01 --format json"
    )]
    View(ViewArgs),
}

#[derive(Debug, Args)]
struct Common {
    /// Settings of this terminal.
    #[arg(long, value_name = "FILE", default_value = "/etc/hibiki/terminal.toml")]
    config: PathBuf,
    /// The card file to use as card.
    #[arg(long, value_name = "FILE")]
    card_file: PathBuf,
    /// Read the PIN from this file instead of asking for it.
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Args)]
struct ViewArgs {
    #[command(flatten)]
    common: Common,
    /// Whose records: the number `login` shows. Not needed when there is only one child.
    #[arg(long, value_name = "NUMBER")]
    subject: Option<usize>,
    /// Only this category (may be given several times).
    #[arg(long, value_name = "NAME")]
    category: Vec<Category>,
    /// Only records of this day or later.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    since: Option<Day>,
    /// Milliseconds until the view must be complete.
    #[arg(long, value_name = "MS")]
    deadline_ms: Option<u64>,
    /// With --format json: also print each part on a line of its own the moment it lands.
    #[arg(long)]
    stream: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Human,
    /// For programs.
    Json,
}

fn day(text: &str) -> Result<Day, &'static str> {
    Day::new(text).ok_or("a day is written yyyy-mm-dd")
}

impl Cli {
    /// Runs the command and says what went wrong, in words.
    pub async fn run(self) -> ExitCode {
        let outcome = match self.command {
            Command::Login(common) => login(common).await,
            Command::View(args) => show(args).await,
        };
        match outcome {
            Ok(()) => ExitCode::SUCCESS,
            Err(trouble) => {
                let Words { ja, en } = words::trouble(&trouble);
                let _ = writeln!(std::io::stderr(), "{ja}\n{en}");
                ExitCode::FAILURE
            }
        }
    }
}

async fn login(common: Common) -> Result<(), Trouble> {
    let (session, _) = open(&common).await?;
    match common.format {
        Format::Human => {
            out(&format!("閲覧できる方 / This card may act for:\n{}", print::subjects(session.subjects())));
        }
        Format::Json => {
            let subjects: Vec<SubjectJson<'_>> = session.subjects().iter().map(Into::into).collect();
            out_json(&serde_json::json!({ "simulated": session.simulated(), "subjects": subjects }));
        }
    }
    session.close().await.map(|_| ())
}

async fn show(args: ViewArgs) -> Result<(), Trouble> {
    let (session, federation) = open(&args.common).await?;
    let human = args.common.format == Format::Human;
    let subject = choose(session.subjects(), args.subject)?;
    let wish = Wish { categories: args.category, since: args.since, deadline_millis: args.deadline_ms };
    let stream = args.stream;
    let mut landed = |part: &view::ViewPart| {
        if human {
            let _ = writeln!(std::io::stderr(), "{}", print::landed(part));
        } else if stream {
            out_json(&PartJson::from(part));
        }
    };
    let view = view::assemble(&session, &federation, subject, &wish, clock::now(), &mut landed).await?;
    match args.common.format {
        Format::Human => out(&print::view(&view)),
        Format::Json => out_json(&ViewJson::from(&view)),
    }
    // The view is shown; a gateway that cannot be told any more ends the session by itself.
    let _ = session.close().await;
    Ok(())
}

async fn open(common: &Common) -> Result<(Session, Federation), Trouble> {
    let config = Config::load(&common.config)?;
    let mut federation = Federation::load(&config.root, &config.trust_list)?;
    let mut card = FileCard::open(&common.card_file)?;
    let pin = pin(&mut card, common.pin_file.as_deref())?;
    let now = clock::now();
    let connection =
        Connection::open(&mut federation, &config.gateway, config.gateway_address.as_deref(), now).await?;
    let session = Session::open(connection, &federation, &mut card, &pin, now).await?;
    if session.subjects().is_empty() {
        return Err(Trouble::Nobody);
    }
    Ok((session, federation))
}

/// The PIN from a file, or asked for with the tries left shown before.
fn pin(card: &mut dyn Card, file: Option<&std::path::Path>) -> Result<Pin, Trouble> {
    if let Some(path) = file {
        let text = std::fs::read_to_string(path);
        let fail = |error: std::io::Error| Trouble::File { path: path.to_owned(), reason: error.to_string() };
        return text.map(Pin::new).map_err(fail);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Trouble::Machine("there is nobody to ask for a PIN; use --pin-file".to_owned()));
    }
    let tries = card.tries_left()?;
    let prompt = format!("暗証番号（4桁・残り{tries}回） / PIN ({tries} tries left): ");
    let typed = rpassword::prompt_password(prompt);
    typed.map(Pin::new).map_err(|error| Trouble::Machine(error.to_string()))
}

/// The subject with this number; without one, the only child, or the only person.
fn choose(subjects: &[AttestedSubject], number: Option<usize>) -> Result<&AttestedSubject, Trouble> {
    let unknown = Trouble::UnknownSubject { known: subjects.len() };
    if let Some(number) = number {
        return number.checked_sub(1).and_then(|index| subjects.get(index)).ok_or(unknown);
    }
    let mut children =
        subjects.iter().filter(|subject| subject.relation == hibiki_protocol::session::Relation::Child);
    match (children.next(), children.next(), subjects) {
        (Some(child), None, _) => Ok(child),
        (None, _, [only]) => Ok(only),
        _ => Err(unknown),
    }
}

fn out(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn out_json(value: &impl serde::Serialize) {
    if let Ok(text) = serde_json::to_string(value) {
        out(&text);
    }
}
