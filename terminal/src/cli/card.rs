//! `card`: readers and the cards in them, without a PIN and without a session.

use std::collections::BTreeMap;
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
    if args.watch {
        return follow(watch, args.format).await;
    }
    let looked = reader::look(&watch).await?;
    if looked.is_empty() {
        return Err(CardFault::NoReader.into());
    }
    match args.format {
        Format::Human => looked.iter().for_each(|looked| out(&lines(looked))),
        Format::Json => {
            let readers: Vec<_> = looked.iter().map(json).collect();
            out_json(&serde_json::json!({ "readers": readers }));
        }
    }
    Ok(())
}

/// Shows every reader, and then each one again whenever something about it changes.
async fn follow(mut watch: ReaderWatch, format: Format) -> Result<(), Trouble> {
    let mut interrupted =
        signal(SignalKind::interrupt()).map_err(|error| Trouble::Machine(error.to_string()))?;
    let mut shown: BTreeMap<String, Result<Inspection, CardFault>> = BTreeMap::new();
    loop {
        let looked = match reader::look(&watch).await {
            Ok(looked) if looked.is_empty() => vec![missing(CardFault::NoReader)],
            Ok(looked) => looked,
            Err(fault) => vec![missing(fault)],
        };
        // Looking itself changes what is seen (a card in use): only what it brings is news.
        for looked in &looked {
            if shown.get(&looked.reader) != Some(&looked.found) {
                show(looked, format);
            }
        }
        let now: BTreeMap<_, _> = looked.into_iter().map(|looked| (looked.reader, looked.found)).collect();
        for reader in shown.keys().filter(|reader| !reader.is_empty() && !now.contains_key(*reader)) {
            show(&Looked { reader: reader.clone(), found: Err(CardFault::NoReader) }, format);
        }
        shown = now;
        tokio::select! {
            biased;
            _ = interrupted.recv() => return Ok(()),
            () = watch.changed() => {}
        }
    }
}

/// What stands for all readers when there is none to see.
fn missing(fault: CardFault) -> Looked {
    Looked { reader: String::new(), found: Err(fault) }
}

fn show(looked: &Looked, format: Format) {
    match format {
        Format::Human => out(&lines(looked)),
        Format::Json => out_json(&json(looked)),
    }
}

fn lines(looked: &Looked) -> String {
    let said = match &looked.found {
        Ok(seen) => words::inspection(seen, clock::now()),
        Err(CardFault::NoCard) => vec![words::no_card()],
        Err(CardFault::NoReader) if !looked.reader.is_empty() => vec![words::reader_unusable()],
        Err(fault) => vec![words::trouble(&fault.clone().into())],
    };
    let name = (!looked.reader.is_empty()).then(|| looked.reader.clone());
    let said = said.iter().map(|Words { ja, en }| format!("  {ja}\n  {en}"));
    name.into_iter().chain(said).collect::<Vec<_>>().join("\n")
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
