//! What commands print: results on stdout, in words or as JSON; everything else on stderr.

use std::io::{self, Write as _};

use clap::ValueEnum;
use serde::Serialize;

/// Form of the output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs: one JSON document.
    Json,
}

/// Prints one value: as JSON, or in the words that `human` finds for it.
///
/// # Errors
/// Standard output cannot be written.
pub fn print<T: Serialize>(format: Format, value: &T, human: impl FnOnce(&T) -> String) -> io::Result<()> {
    let mut text = match format {
        Format::Human => human(value),
        Format::Json => serde_json::to_string_pretty(value)?,
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Says on stderr what went wrong.
pub fn complain(text: &str) {
    // A closed stderr leaves only the exit status.
    let _ = writeln!(io::stderr().lock(), "{}", printable(text));
}

/// Text from a node or a file without what could steer a terminal; line ends stay.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// A number of bytes in the largest unit that keeps it above one.
pub fn bytes(count: u64) -> String {
    let mut divisor = 1_u64;
    for unit in ["B", "KiB", "MiB", "GiB", "TiB"] {
        if count / divisor < 1024 {
            return match divisor {
                1 => format!("{count} {unit}"),
                _ => format!("{}.{} {unit}", count / divisor, count % divisor * 10 / divisor),
            };
        }
        divisor *= 1024;
    }
    format!("{} PiB", count / divisor)
}

/// A span of milliseconds, to the two largest units.
pub fn span(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// A count with a comma every three digits.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_read_well() {
        for (given, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_572_864, "1.5 MiB"),
            (80 << 30, "80.0 GiB"),
            (u64::MAX, "16383 PiB"),
        ] {
            assert_eq!(bytes(given), expected);
        }
        for (given, expected) in
            [(999, "0 s"), (61_000, "1 min 1 s"), (7_500_000, "2 h 5 min"), (90_000_000_000, "1041 d 16 h")]
        {
            assert_eq!(span(given), expected);
        }
        for (given, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")] {
            assert_eq!(count(given), expected);
        }
    }

    #[test]
    fn a_terminal_is_not_steered() {
        assert_eq!(printable("a\x1b[2J\nb\r"), "a\u{fffd}[2J\nb\u{fffd}");
    }
}
