//! Whether the settings of a school and of its mails make sense.

use std::net::IpAddr;

use lettre::Address;
use lettre::message::Mailbox;

use super::check::Checker;
use super::{Mail, MailTls, School};

impl Checker<'_> {
    pub(super) fn school(&mut self) -> Option<School> {
        let school = &self.shape.school;
        let kitchen = school.kitchen.as_ref()?.trim().to_owned();
        if kitchen.is_empty() || kitchen.len() > 100 || kitchen.contains(char::is_control) {
            let next = "write the kitchen's or the area's name as on the menu sheets";
            self.problem("school.kitchen", "not a name of 1 to 100 bytes on one line", next);
        }
        let [alert, warn, lunch] = [
            ("school.alert-time", &school.alert_time),
            ("school.warn-time", &school.warn_time),
            ("school.lunch-time", &school.lunch_time),
        ]
        .map(|(key, text)| self.minute(key, text));
        let (alert, warn, lunch) = (alert?, warn?, lunch?);
        if warn > alert {
            let next = "let staff know before guardians are told that nothing could be checked";
            self.problem("school.warn-time", "later than alert-time", next);
        }
        if alert <= lunch {
            let next = "set it to the evening: on the day before, guardians are home then";
            self.warning(
                "school.alert-time",
                "guardians are told while another lunch is still to come",
                next,
            );
        }
        for address in &school.staff_mail {
            if address.parse::<Address>().is_err() {
                let what = "one of these is not an address for mails";
                self.problem("school.staff-mail", what, "write it as name@example.jp");
            }
        }
        if school.staff_mail.is_empty() {
            let what = "nobody is told of a menu that is missing or an alert that is not delivered";
            self.warning("school.staff-mail", what, "name an address of staff");
        }
        if self.shape.mail.relay.is_none() {
            let what = "there is no [mail] relay: no alert can be sent";
            self.warning("school.kitchen", what, "fill in [mail]");
        }
        Some(School { kitchen, alert, warn, lunch, staff_mail: school.staff_mail.clone() })
    }

    /// Minutes after midnight.
    fn minute(&mut self, key: &str, text: &str) -> Option<u16> {
        let parsed = text.split_once(':').and_then(|(hour, minute)| {
            let number = |text: &str, digits: std::ops::RangeInclusive<usize>| {
                let plain = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
                plain.then(|| text.parse::<u16>().ok()).flatten()
            };
            Some((
                number(hour, 1..=2).filter(|hour| *hour < 24)?,
                number(minute, 2..=2).filter(|it| *it < 60)?,
            ))
        });
        if parsed.is_none() {
            self.problem(key, &format!("{text:?} is not a time of day"), "write it as \"18:00\"");
        }
        parsed.map(|(hour, minute)| hour * 60 + minute)
    }

    pub(super) fn mail(&mut self) -> Option<Mail> {
        let mail = &self.shape.mail;
        let relay = mail.relay.as_ref()?;
        let split = relay.rsplit_once(':').and_then(|(host, port)| {
            let fits = !host.is_empty() && !host.contains(char::is_whitespace);
            let port = port.parse::<u16>().ok().filter(|port| *port != 0)?;
            fits.then(|| (host.trim_matches(['[', ']']).to_owned(), port))
        });
        if split.is_none() {
            self.problem("mail.relay", "not a host and a port", "write it as \"smtp.example.jp:587\"");
        }
        let tls = match self.one_of("mail.tls", &mail.tls, &["start-tls", "tls", "none"]) {
            Some(0) => Some(MailTls::StartTls),
            Some(1) => Some(MailTls::Tls),
            Some(_) => Some(MailTls::None),
            None => None,
        };
        let from = self.required(
            "mail.from",
            mail.from.as_ref(),
            "the sender, such as \"School <school@example.jp>\"",
        );
        let from = from.and_then(|text| self.mailbox("mail.from", text));
        let reply_to = mail.reply_to.as_ref().map(|text| self.mailbox("mail.reply-to", text));
        if mail.user.is_some() != mail.password_file.is_some() {
            let next = "give both, or neither if the relay knows this machine";
            self.problem("mail.user", "user and password-file go together", next);
        }
        self.within("mail.timeout-seconds", mail.timeout_seconds, 1..=300);
        self.within("mail.at-once", mail.at_once, 1..=64);
        let (host, port) = split?;
        let loopback =
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if tls == Some(MailTls::None) && !loopback {
            let next = "use \"start-tls\" or \"tls\"; only a relay on this very machine may go without";
            self.problem("mail.tls", "mails about children would cross the network in the clear", next);
        }
        Some(Mail {
            host,
            port,
            tls: tls?,
            ca_file: mail.ca_file.as_ref().map(|path| self.folder.join(path)),
            user: mail.user.clone(),
            password_file: mail.password_file.as_ref().map(|path| self.folder.join(path)),
            from: from?,
            reply_to: match reply_to {
                Some(checked) => Some(checked?),
                None => None,
            },
            timeout_seconds: mail.timeout_seconds,
            at_once: mail.at_once,
        })
    }

    fn mailbox(&mut self, key: &str, text: &str) -> Option<String> {
        if text.contains(char::is_control) || text.parse::<Mailbox>().is_err() {
            self.problem(key, "not an address for mails", "write it as \"Name <name@example.jp>\"");
            return None;
        }
        Some(text.to_owned())
    }
}
