//! Where a PIN comes from: a terminal or a file, never an argument.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use hibiki_simcard::{KeySlot, Pin};
use zeroize::Zeroizing;

use super::CliError;

/// The PIN that is there already.
pub(super) fn present(file: Option<&PathBuf>, slot: KeySlot) -> Result<Pin, CliError> {
    match file {
        Some(path) => from_file(path, slot),
        None => Ok(Pin::parse_for(slot, &ask(&format!("present {}", name(slot)))?)?),
    }
}

/// A PIN that is being chosen: on a terminal it is typed twice.
pub(super) fn chosen(file: Option<&PathBuf>, slot: KeySlot) -> Result<Pin, CliError> {
    if let Some(path) = file {
        return from_file(path, slot);
    }
    let shape = match slot {
        KeySlot::Authentication => "4 digits",
        KeySlot::Signature => "6 to 16 characters, A-Z and 0-9",
    };
    let first = ask(&format!("new {} ({shape})", name(slot)))?;
    let pin = Pin::parse_for(slot, &first)?;
    if *ask("the same again")? == *first { Ok(pin) } else { Err(CliError::Unequal) }
}

/// What people call it.
pub(super) fn name(slot: KeySlot) -> &'static str {
    match slot {
        KeySlot::Authentication => "PIN",
        KeySlot::Signature => "signature password",
    }
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, CliError> {
    if !io::stdin().is_terminal() {
        return Err(CliError::NoTerminal);
    }
    rpassword::prompt_password(format!("{prompt}: ")).map(Zeroizing::new).map_err(CliError::Terminal)
}

/// The PIN in a file: one line, with or without a line end.
fn from_file(path: &Path, slot: KeySlot) -> Result<Pin, CliError> {
    let failed = |source| CliError::File { path: path.to_owned(), source };
    let file = fs::File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if about.is_file() && about.mode() & 0o077 != 0 {
        return Err(CliError::ExposedPin { path: path.to_owned() });
    }
    let mut text = Zeroizing::new(String::with_capacity(64));
    file.take(64).read_to_string(&mut text).map_err(failed)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Pin::parse_for(slot, line.strip_suffix('\r').unwrap_or(line))?)
}
