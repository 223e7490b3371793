//! A letter as a message (RFC 5322, MIME): plain text and HTML beside each other, in UTF-8.

use std::time::{Duration, UNIX_EPOCH};

use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

use super::Letter;

/// Who writes.
#[derive(Clone, Debug)]
pub struct Writer {
    /// The sender.
    pub from: Mailbox,
    /// Where answers go.
    pub reply_to: Option<Mailbox>,
}

/// A letter that cannot be put into the form of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the letter cannot be put into the form of a message")]
pub struct Unsendable;

/// The message of a letter, dated `now` (milliseconds since the Unix epoch). Its Message-ID is the letter's name for ever.
///
/// # Errors
/// The address is not one.
pub fn message(writer: &Writer, letter: &Letter, now: u64) -> Result<Message, Unsendable> {
    let to: Mailbox = letter.to.parse().map_err(|_| Unsendable)?;
    let date = UNIX_EPOCH.checked_add(Duration::from_millis(now)).ok_or(Unsendable)?;
    let mut message = Message::builder()
        .from(writer.from.clone())
        .to(to)
        .date(date)
        .message_id(Some(message_id(writer, letter)))
        .subject(one_line(&letter.title));
    if let Some(reply_to) = &writer.reply_to {
        message = message.reply_to(reply_to.clone());
    }
    // RFC 3834: no vacation notice answers it.
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    message = message.raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()));
    let both = MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone());
    message.multipart(both).map_err(|_| Unsendable)
}

/// The Message-ID, without any word of what it is about.
#[must_use]
pub fn message_id(writer: &Writer, letter: &Letter) -> String {
    format!("<{}@{}>", letter.id.hex(), writer.from.email.domain())
}

fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{LetterId, LetterKind};
    use super::*;

    fn writer() -> Writer {
        Writer { from: "もみじ小学校 <noreply@momiji.example>".parse().unwrap(), reply_to: None }
    }

    fn letter() -> Letter {
        Letter {
            id: LetterId::from_bytes([0xab; 16]),
            subject_key: None,
            guardian: None,
            kind: LetterKind::Staff,
            lunch: None,
            to: "hanako@example.jp".to_owned(),
            title: "明日の給食\r\nBcc: everybody@example.jp".to_owned(),
            text: "卵\n.\n".to_owned(),
            html: "<p>卵</p>".to_owned(),
            send_by: None,
        }
    }

    #[test]
    fn no_header_comes_in_by_a_title_and_the_name_is_the_letters() {
        let bytes = message(&writer(), &letter(), 1_795_683_600_000).unwrap().formatted();
        let text = String::from_utf8(bytes).unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert!(head.contains("Message-ID: <abababababababababababababababab@momiji.example>"), "{head}");
        assert!(head.contains("Date: Thu, 26 Nov 2026 09:00:00 +0000"), "{head}");
        assert!(head.contains("Auto-Submitted: auto-generated"), "{head}");
        assert!(text.contains("text/plain; charset=utf-8") && text.contains("text/html; charset=utf-8"));
        assert!(text.is_ascii(), "every relay takes it");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for to in ["", "nobody", "a@b\r\nBcc: c@d", "a b@c d"] {
            assert!(message(&writer(), &Letter { to: to.to_owned(), ..letter() }, 0).is_err(), "{to:?}");
        }
    }
}
