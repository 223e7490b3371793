//! Files written, words said, days spelled.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::CliError;

/// A whole file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    fs::read(path).map_err(|source| CliError::File { path: path.to_owned(), source })
}

/// Fails early where [`write_new`] would fail late.
pub(super) fn refuse_existing(path: &Path) -> Result<(), CliError> {
    if path.exists() {
        let source = io::Error::new(io::ErrorKind::AlreadyExists, "exists already and is not overwritten");
        return Err(CliError::File { path: path.to_owned(), source });
    }
    Ok(())
}

/// Writes a file where none is.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o644).open(path);
    opened
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|source| CliError::File { path: path.to_owned(), source })
}

/// Says a line on standard output.
pub(super) fn say(text: &str) -> Result<(), CliError> {
    writeln!(io::stdout().lock(), "{text}")
        .map_err(|source| CliError::File { path: "standard output".into(), source })
}

/// The UTC day of a second since 1970, as YYYY-MM-DD (Howard Hinnant, chrono-Compatible Low-Level
/// Date Algorithms, `civil_from_days`).
pub(super) fn day(seconds: i64) -> String {
    let shifted = seconds.div_euclid(86_400) + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_calendar_days() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_795_392_000, "2026-11-23"),
            (1_795_391_999, "2026-11-22"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(day(seconds), expected);
        }
    }
}
