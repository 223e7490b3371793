//! `serve`: the guardian's page, for a PC or a kiosk.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::signal::unix::{SignalKind, signal};

use super::visit::KeepArgs;
use super::{Format, out, out_json};
use crate::config::Config;
use crate::desk::{CardSource, Desk, Settings};
use crate::kiosk::Kiosk;
use crate::trouble::Trouble;
use crate::web::{Door, Page};

/// Seconds without a stir, at a PC and at a kiosk.
const IDLE: u64 = 600;
const IDLE_KIOSK: u64 = 120;

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Settings of this terminal.
    #[arg(long, value_name = "FILE", default_value = "/etc/hibiki/terminal.toml")]
    config: PathBuf,
    /// Use a simulated card in a file instead of a reader.
    #[arg(long, value_name = "FILE", conflicts_with = "reader")]
    card_file: Option<PathBuf>,
    /// Use the reader whose name contains this. Not needed while only one has a card.
    #[arg(long, value_name = "NAME")]
    reader: Option<String>,
    /// Port on 127.0.0.1. Any free one unless given.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
    /// Seconds without a touch of key, mouse or screen after which the session ends: at most 600, which is also
    /// what counts without this; 120 at a kiosk.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(10..=600))]
    idle: Option<u64>,
    #[command(flatten)]
    keep: KeepArgs,
    /// Show the page over the whole screen in a browser of its own, a new one for every guardian. Keeps nothing.
    #[arg(long, conflicts_with = "receipts")]
    kiosk: bool,
    /// The browser for --kiosk: a Chromium.
    #[arg(long, value_name = "PROGRAM", requires = "kiosk")]
    browser: Option<PathBuf>,
    /// One more argument for that browser (may be given several times).
    #[arg(long, value_name = "ARGUMENT", requires = "kiosk", allow_hyphen_values = true)]
    browser_argument: Vec<OsString>,
    /// How to print the link.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(super) async fn run(args: ServeArgs) -> Result<(), Trouble> {
    let source = match (args.card_file, args.reader) {
        (Some(file), _) => CardSource::File(file),
        (None, reader) => CardSource::Reader(reader),
    };
    let config = Config::load(&args.config)?;
    let receipts = args.keep.folder()?;
    // What is wrong with root or trust list is said now and not to the first guardian.
    crate::federation::Federation::load(&config.root, &config.trust_list)?;
    let kiosk = args.kiosk.then(|| Kiosk::find(args.browser, args.browser_argument)).transpose()?;
    let idle = Duration::from_secs(args.idle.unwrap_or(if args.kiosk { IDLE_KIOSK } else { IDLE }));
    let desk = Desk::open(Settings { config, source, idle, receipts });
    let page = Page::bind(args.port, desk.clone(), !args.kiosk).await?;
    let door = page.door();
    let serving = page.serve();
    let showing = async {
        match &kiosk {
            Some(kiosk) => kiosk.show(&door, &desk).await,
            None => links(&door, args.format).await,
        }
    };
    let mut terminated =
        signal(SignalKind::terminate()).map_err(|error| Trouble::Machine(error.to_string()))?;
    let ended = tokio::select! {
        biased;
        served = serving => served,
        failed = showing => failed,
        _ = tokio::signal::ctrl_c() => Ok(()),
        _ = terminated.recv() => Ok(()),
    };
    desk.close().await;
    ended
}

fn show_link(door: &Door, format: Format) -> Result<(), Trouble> {
    let url = door.link()?;
    match format {
        Format::Human => out(&format!(
            "このリンクをブラウザーで開いてください（一度だけ開けます。新しいリンク：Enter、終了：Ctrl-C）\nOpen this link in a browser (it opens once; Enter: a new link, Ctrl-C: end)\n\n  {url}\n"
        )),
        Format::Json => out_json(&serde_json::json!({ "url": url })),
    }
    Ok(())
}

/// A link now, and a new one for every line that is typed.
async fn links(door: &Door, format: Format) -> Result<(), Trouble> {
    show_link(door, format)?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(_)) = lines.next_line().await {
        show_link(door, format)?;
    }
    // Nobody types here.
    std::future::pending().await
}
