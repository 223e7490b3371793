//! Lines of bounded length from a reader.
//!
//! Must not know what a line contains.

use std::io::{self, BufRead};

/// What came up to the next line feed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// The line without its line feed is in the buffer.
    Whole,
    /// It was longer than the limit; the rest of it has been passed over.
    TooLong,
    /// There is nothing more.
    End,
}

/// Reads up to and including the next line feed; keeps at most `max` bytes of it.
pub(super) fn next_line(
    input: &mut impl BufRead,
    buffer: &mut Vec<u8>,
    max: usize,
    read: &mut u64,
) -> io::Result<Line> {
    buffer.clear();
    let (mut any, mut too_long) = (false, false);
    loop {
        let available = match input.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            return Ok(match (any, too_long) {
                (false, _) => Line::End,
                (true, true) => Line::TooLong,
                (true, false) => Line::Whole,
            });
        }
        any = true;
        let (part, consumed, ended) = match available.iter().position(|byte| *byte == b'\n') {
            Some(at) => (available.get(..at).unwrap_or_default(), at + 1, true),
            None => (available, available.len(), false),
        };
        if buffer.len() + part.len() > max {
            too_long = true;
            buffer.clear();
        }
        if !too_long {
            buffer.extend_from_slice(part);
        }
        input.consume(consumed);
        *read += u64::try_from(consumed).unwrap_or_default();
        if ended {
            return Ok(if too_long { Line::TooLong } else { Line::Whole });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn long_lines_are_passed_over_whole() {
        let mut input = BufReader::with_capacity(3, &b"ab\n\n123456\ncd"[..]);
        let (mut buffer, mut read) = (Vec::new(), 0);
        let mut seen = Vec::new();
        loop {
            let line = next_line(&mut input, &mut buffer, 4, &mut read).unwrap();
            if line == Line::End {
                break;
            }
            seen.push((line == Line::TooLong, buffer.clone()));
        }
        let expected = [(false, &b"ab"[..]), (false, b""), (true, b""), (false, b"cd")];
        assert_eq!(seen, expected.map(|(long, text)| (long, text.to_vec())));
        assert_eq!(read, 13);
    }
}
