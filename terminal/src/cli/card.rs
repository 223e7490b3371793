//! `card`: readers and the cards in them, without a PIN and without a session.

use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{Format, out, out_json};
use crate::card::reader::{self, Looked, ReaderWatch};
use crate::card::{CardFault, Inspection};
use crate::trouble::Trouble;
use crate::words::Words;
use crate::{clock, words};

/// A reader that was just plugged in is given this long to tell of its card.
const FIRST_SIGHT: Duration = Duration::from_secs(4);

#[derive(Debug, Args)]
pub(super) struct CardArgs {
    /// Go on and show every change, until Ctrl-C.
    #[arg(long)]
    watch: bool,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(super) async fn run(args: CardArgs) -> Result<(), Trouble> {
    let mut watch = ReaderWatch::start()?;
    if tokio::time::timeout(FIRST_SIGHT, watch.changed()).await.is_err() {
        return Err(CardFault::Silent.into());
    }
    let mut shown = reader::look(&watch).await;
    if !args.watch {
        let looked = shown?;
        if looked.is_empty() {
            return Err(CardFault::NoReader.into());
        }
        show(&looked, args.format);
        return Ok(());
    }
    show_all(&shown, args.format);
    let mut interrupted =
        signal(SignalKind::interrupt()).map_err(|error| Trouble::Machine(error.to_string()))?;
    loop {
        tokio::select! {
            biased;
            _ = interrupted.recv() => return Ok(()),
            () = watch.changed() => {}
        }
        let looked = reader::look(&watch).await;
        // Looking itself changes what is seen (a card in use): only what it brings is news.
        if looked != shown {
            show_all(&looked, args.format);
            shown = looked;
        }
    }
}

fn show_all(looked: &Result<Vec<Looked>, CardFault>, format: Format) {
    match looked {
        Ok(looked) if !looked.is_empty() => show(looked, format),
        Ok(_) => show_fault(&CardFault::NoReader, format),
        Err(fault) => show_fault(fault, format),
    }
}

fn show_fault(fault: &CardFault, format: Format) {
    match format {
        Format::Human => {
            let Words { ja, en } = words::trouble(&fault.clone().into());
            out(&format!("{ja}\n{en}"));
        }
        Format::Json => out_json(&serde_json::json!({ "readers": [], "fault": fault.as_str() })),
    }
}

fn show(looked: &[Looked], format: Format) {
    match format {
        Format::Human => {
            for looked in looked {
                out(&format!("{}\n{}", looked.reader, lines(looked)));
            }
        }
        Format::Json => {
            let readers: Vec<_> = looked.iter().map(json).collect();
            out_json(&serde_json::json!({ "readers": readers }));
        }
    }
}

fn lines(looked: &Looked) -> String {
    let said = match &looked.found {
        Ok(seen) => words::inspection(seen, clock::now()),
        Err(CardFault::NoCard) => vec![words::no_card()],
        Err(fault) => vec![words::trouble(&fault.clone().into())],
    };
    said.iter().map(|Words { ja, en }| format!("  {ja}\n  {en}")).collect::<Vec<_>>().join("\n")
}

fn json(looked: &Looked) -> serde_json::Value {
    match &looked.found {
        Ok(Inspection { certificate, tries_left, shared }) => serde_json::json!({
            "reader": looked.reader,
            "card": "individual_number_card",
            "simulated": words::is_simulated(certificate),
            "issuer": certificate.issuer(),
            "valid_from": certificate.from_day(),
            "valid_to": certificate.to_day(),
            "valid_now": certificate.check_dates(clock::now()).is_ok(),
            "tries_left": tries_left,
            "shared": shared,
        }),
        Err(fault) => serde_json::json!({ "reader": looked.reader, "card": null, "fault": fault.as_str() }),
    }
}
