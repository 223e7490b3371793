//! Touching the card: waiting for it, looking at it, asking for its PIN.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{nobody_to_ask, say};
use crate::card::{Card, CardFault, FileCard, Inspection, Pin, reader};
use crate::trouble::Trouble;
use crate::{clock, words};

/// Which card, and where its PIN comes from.
#[derive(Debug, Args)]
pub(super) struct TouchArgs {
    /// Use a simulated card in a file instead of a reader.
    #[arg(long, value_name = "FILE", conflicts_with = "reader")]
    card_file: Option<PathBuf>,
    /// Use the reader whose name contains this. Not needed while only one has a card.
    #[arg(long, value_name = "NAME")]
    reader: Option<String>,
    /// Seconds to wait for a card.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
    /// Read the PIN from this file instead of asking for it.
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
    /// Show the PIN to the card even when only one try is left: if it is wrong, the card locks itself.
    #[arg(long)]
    last_try: bool,
}

impl TouchArgs {
    /// Waits for the card and looks at it. A card out of its dates is refused before anybody types a PIN.
    pub(super) async fn card(&self) -> Result<(Box<dyn Card>, Inspection), Trouble> {
        let (card, seen): (Box<dyn Card>, Inspection) = match &self.card_file {
            Some(path) => {
                let mut card = FileCard::open(path)?;
                let seen = card.inspect().await?;
                (Box::new(card), seen)
            }
            None => {
                let wait = Duration::from_secs(self.wait);
                let mut tell = |missing: &CardFault| say(&words::waiting(missing));
                let (card, seen) = reader::find(self.reader.as_deref(), wait, &mut tell).await?;
                (Box::new(card), seen)
            }
        };
        seen.certificate.check_dates(clock::now())?;
        if seen.tries_left == 0 {
            return Err(CardFault::Blocked.into());
        }
        Ok((card, seen))
    }

    /// The PIN from the file, or asked for with the tries left shown before. The last try is taken only by
    /// somebody who says so.
    pub(super) fn pin(&self, seen: &Inspection) -> Result<Pin, Trouble> {
        let last = seen.tries_left == 1 && !self.last_try;
        if let Some(path) = &self.pin_file {
            if last {
                return Err(CardFault::LastTry.into());
            }
            let text = std::fs::read_to_string(path);
            let fail =
                |error: std::io::Error| Trouble::File { path: path.clone(), reason: error.to_string() };
            return text.map(Pin::new).map_err(fail);
        }
        if !std::io::stdin().is_terminal() {
            return Err(nobody_to_ask("--pin-file"));
        }
        if last && !confirmed()? {
            return Err(CardFault::LastTry.into());
        }
        let typed = rpassword::prompt_password(words::pin_prompt(seen.tries_left));
        typed.map(Pin::new).map_err(|error| Trouble::Machine(error.to_string()))
    }
}

fn confirmed() -> Result<bool, Trouble> {
    let failed = |error: std::io::Error| Trouble::Machine(error.to_string());
    let mut screen = std::io::stderr();
    let words::Words { ja, en } = words::last_try();
    write!(screen, "{ja}\n{en}\n続けますか？ / Go on? [y/N]: ")
        .and_then(|()| screen.flush())
        .map_err(failed)?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(failed)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes" | "はい"))
}
