//! `card`: readers and the cards in them, without a PIN and without a session.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::{Format, out, out_json, say};
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
    #[arg(long, conflicts_with = "certificate_out")]
    watch: bool,
    /// For the counter: write the card's user-authentication certificate (PEM) to this file, or to standard
    /// output for `-`, so that the registry can enrol the card. An existing file is not overwritten.
    #[arg(long, value_name = "FILE", conflicts_with = "format")]
    certificate_out: Option<PathBuf>,
    /// Use the reader whose name contains this. Not needed while only one has a card.
    #[arg(long, value_name = "NAME", requires = "certificate_out")]
    reader: Option<String>,
    /// Seconds to wait for a card.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "certificate_out")]
    wait: u64,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(super) async fn run(args: CardArgs) -> Result<(), Trouble> {
    if let Some(file) = &args.certificate_out {
        return certificate(file, args.reader.as_deref(), Duration::from_secs(args.wait)).await;
    }
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

/// Writes the certificate of the card that is meant.
async fn certificate(file: &Path, reader: Option<&str>, wait: Duration) -> Result<(), Trouble> {
    let mut tell = |missing: &CardFault| say(&words::waiting(missing));
    let (_, seen) = reader::find(reader, wait, &mut tell).await?;
    let pem = pem(seen.certificate.der());
    if file == Path::new("-") {
        out(pem.trim_end());
        return Ok(());
    }
    let fail = |error: std::io::Error| Trouble::File { path: file.to_owned(), reason: error.to_string() };
    let mut opened = OpenOptions::new().write(true).create_new(true).open(file).map_err(fail)?;
    opened.write_all(pem.as_bytes()).map_err(fail)?;
    say(&words::certificate_written(file));
    Ok(())
}

/// The textual encoding of a certificate (RFC 7468 section 5).
fn pem(der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let lines = text.as_bytes().chunks(64).map(|line| format!("{}\n", String::from_utf8_lossy(line)));
    format!("-----BEGIN CERTIFICATE-----\n{}-----END CERTIFICATE-----\n", lines.collect::<String>())
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
