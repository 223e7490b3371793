//! Mails that say there is something new on the page, for guardians who want them. They say what kind of thing, for a notice
//! its title, and nothing about a child: whoever wants to know looks at the page.

use std::collections::BTreeSet;
use std::sync::Arc;

use hibiki_protocol::registration::MailKind;

use super::hearing::is_held;
use super::registrations::{Party, Registrations};
use crate::holds::Holds;
use crate::institution::Means;
use crate::mail::{Letter, LetterId, LetterKind, Outbox};
use crate::vault::{Change, VaultError};

/// How long a mail about something new is worth sending, in milliseconds: a day.
const FRESH_MS: u64 = 24 * 3600 * 1000;

/// Something new.
pub(super) struct News<'a> {
    /// What kind of thing.
    pub(super) kind: MailKind,
    /// What it is called everywhere and always: the same news is mailed once.
    pub(super) name: &'a [u8],
    /// The subject line.
    pub(super) title: String,
    /// What there is to say.
    pub(super) text: String,
}

/// Writes to guardians who want to hear of something.
pub(super) struct Announcer {
    pub(super) means: Means,
    pub(super) registrations: Arc<Registrations>,
    pub(super) holds: Arc<Holds>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) school: String,
}

impl Announcer {
    /// Puts a letter to every guardian of these children who wants this kind of mail into the change.
    pub(super) fn tell(
        &self,
        change: &mut Change<'_>,
        children: &BTreeSet<[u8; 16]>,
        news: &News<'_>,
    ) -> Result<usize, VaultError> {
        let registered = match children.len() {
            1 => {
                children.iter().next().map_or_else(|| Ok(Vec::new()), |child| self.registrations.of(child))?
            }
            _ => self.registrations.all()?,
        };
        let mut letters = 0;
        for one in registered.iter().filter(|one| children.contains(&one.subject)) {
            let (Party::Guardian(alias, pseudonym), Some(address)) = (one.party, &one.address) else {
                continue;
            };
            if !one.mails.contains(&news.kind) {
                continue;
            }
            if is_held(&self.holds, &pseudonym, &alias)? {
                continue;
            }
            let name = [news.name, b"\0", &one.subject, &alias.0].concat();
            let footer = format!(
                "{} からの自動送信です。カードで開く「響き」の画面で見られます。メールの登録もそこで変えられます。\nSent automatically. See the page that opens with your card.",
                self.school
            );
            let html = format!(
                "<!DOCTYPE html><html lang=\"ja\"><head><meta charset=\"utf-8\"></head><body><p>{}</p><p>{}</p></body></html>",
                lines(&news.text),
                lines(&footer)
            );
            let letter = Letter {
                id: LetterId::new(&self.means.vault, news.kind.as_str(), &name),
                subject_key: Some(one.subject),
                guardian: Some(alias),
                kind: kind(news.kind),
                lunch: None,
                to: address.clone(),
                title: news.title.clone(),
                text: format!("{}\n\n--\n{footer}\n", news.text),
                html,
                send_by: Some(self.means.env.now().saturating_add(FRESH_MS)),
            };
            self.outbox.put(change, &letter)?;
            letters += 1;
        }
        Ok(letters)
    }
}

const fn kind(kind: MailKind) -> LetterKind {
    match kind {
        MailKind::Allergy => LetterKind::Allergy,
        MailKind::Notice => LetterKind::Notice,
        MailKind::HandIn => LetterKind::HandIn,
        MailKind::Gate => LetterKind::Gate,
        MailKind::Event => LetterKind::Event,
        MailKind::Code => LetterKind::Code,
    }
}

fn lines(text: &str) -> String {
    super::escaped(text).replace('\n', "<br>")
}
