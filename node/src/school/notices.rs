//! Notices to everybody, to a class or to one pupil, with files.
//!
//! A notice is a FHIR Communication in the record book, one for each class it goes to; the row here is what it is made of,
//! so that files can be added and the notice be withdrawn.
//!
//! ```text
//! School  n ‖ sent (u64 BE) ‖ id     the notice, sealed under the node's key, or the pupil's if it is to one
//! ```

pub mod commands;

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hibiki_protocol::registration::MailKind;
use hibiki_records::category::{Category, FHIR_JSON};
use hibiki_records::date::CalendarDate;
use hibiki_records::ingest::{IngestRecord, Subject};
use hibiki_records::school::FileKind;
use hibiki_records::school::attachment::FILE_MAX_BYTES;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::announce::{Announcer, News};
use super::roster::{Roster, RosterError};
use crate::institution::Means;
use crate::keyring::KeyId;
use crate::ledger::NotLogged;
use crate::observe::log::rfc3339;
use crate::recordbook::{BookError, Entry, RecordBook};
use crate::store::Keyspace;
use crate::vault::form::{Form, Part, sealed};
use crate::vault::{Row, VaultError};

const TABLE: Keyspace = Keyspace::School;

/// The forms of its rows.
pub(super) const FORMS: &[Form] = &[sealed::<Notice>("notice", TABLE, b"n", &[Part::Bytes(12)])];

/// Files of one notice: a record of ours is a megabyte at most.
const FILES_MAX: usize = 2;

/// To whom a notice goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "to_kind", content = "to")]
pub enum Audience {
    /// Every class.
    All,
    /// One class.
    Class(String),
    /// One pupil, by her number.
    Pupil(String),
}

/// A notice.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// To whom.
    pub audience: Audience,
    /// Its title.
    pub title: String,
    /// Its text.
    pub text: String,
    /// Whether it is urgent.
    pub urgent: bool,
    /// Its files.
    pub files: Vec<File>,
    /// Who sent it.
    pub by: String,
    /// When, in milliseconds since the Unix epoch.
    pub sent: u64,
    /// Whether it was withdrawn.
    pub withdrawn: bool,
    /// The classes it went to.
    classes: Vec<String>,
}

/// A file of a notice.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its name.
    pub name: String,
    /// What it is.
    pub media_type: String,
    /// Its content, base64.
    content: String,
}

/// Why something could not be sent to guardians.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The tables.
    #[error("{0}")]
    Vault(#[from] VaultError),
    /// The record book.
    #[error("{0}")]
    Book(#[from] BookError),
    /// The roster.
    #[error("{0}")]
    Roster(#[from] RosterError),
    /// The ledger: nothing was done.
    #[error("{0}; nothing was changed")]
    NotLogged(#[from] NotLogged),
    /// No such thing.
    #[error("there is no such entry; look it up in the list / その登録はありません")]
    NoSuchEntry,
    /// The file cannot be attached.
    #[error(
        "only PDF, PNG, JPEG and plain text up to 300 KiB can be attached; convert or shrink the file / 添付できない形式か大きすぎます"
    )]
    File,
    /// Too many files.
    #[error("a notice has at most two files; send a second notice / 添付は2つまでです")]
    TooManyFiles,
}

/// The notices. Shared behind an [`Arc`].
pub struct Notices {
    pub(super) means: Means,
    pub(super) book: Arc<RecordBook>,
    pub(super) roster: Arc<Roster>,
    pub(super) announcer: Arc<Announcer>,
}

impl Notices {
    /// Sends a notice; its name.
    ///
    /// # Errors
    /// There is no such class or pupil, or it could not be logged or stored.
    pub async fn send(
        &self,
        audience: Audience,
        title: &str,
        text: &str,
        urgent: bool,
        staff: &str,
    ) -> Result<String, SendError> {
        let classes: Vec<String> = self.roster.classes()?.into_iter().map(|class| class.class).collect();
        let (classes, pupil) = match &audience {
            Audience::All => (classes, None),
            Audience::Class(class) if classes.contains(class) => (vec![class.clone()], None),
            Audience::Class(_) => return Err(RosterError::NoSuchClass.into()),
            Audience::Pupil(number) => (Vec::new(), Some(self.roster.key(number)?)),
        };
        super::log(&self.means, commands::SEND, staff, pupil).await?;
        let sent = self.means.now().0;
        let notice = Notice {
            audience,
            title: title.to_owned(),
            text: text.to_owned(),
            urgent,
            files: Vec::new(),
            by: staff.to_owned(),
            sent,
            withdrawn: false,
            classes,
        };
        let name = [sent.to_be_bytes().as_slice(), &self.means.env.random::<4>()].concat();
        let id = hex::encode(&name);
        self.publish(&id, &notice).await?;
        let children = self.children(&notice, pupil)?;
        let mut change = self.means.vault.change();
        let key = pupil.map_or(KeyId::NODE, KeyId::from_bytes);
        change.put_under(key, TABLE, &place(&name), &notice)?;
        let news = News {
            kind: MailKind::Notice,
            name: &name,
            title: format!("学校からのお知らせ: {title}"),
            text: format!(
                "学校からお知らせがあります。\n「{title}」\n\nThere is a new notice from the school."
            ),
        };
        self.announcer.tell(&mut change, &children, &news)?;
        change.commit().await?;
        self.announcer.outbox.wake();
        Ok(id)
    }

    /// Adds a file.
    ///
    /// # Errors
    /// It cannot be attached, there is no such notice, or it could not be logged or stored.
    pub async fn attach(&self, id: &str, name: &str, bytes: &[u8], staff: &str) -> Result<(), SendError> {
        let row = self.row(id)?;
        if row.value.files.len() >= FILES_MAX {
            return Err(SendError::TooManyFiles);
        }
        let kind = FileKind::of(bytes).filter(|_| bytes.len() <= FILE_MAX_BYTES).ok_or(SendError::File)?;
        super::log(&self.means, commands::ATTACH, staff, None).await?;
        let mut notice = row.value.clone();
        notice.files.push(File {
            name: name.to_owned(),
            media_type: kind.media_type().to_owned(),
            content: STANDARD.encode(bytes),
        });
        self.change(id, &row, &notice).await
    }

    /// Withdraws a notice: guardians see that it was.
    ///
    /// # Errors
    /// There is no such notice, or it could not be logged or stored.
    pub async fn withdraw(&self, id: &str, staff: &str) -> Result<(), SendError> {
        let row = self.row(id)?;
        super::log(&self.means, commands::WITHDRAW, staff, None).await?;
        let notice = Notice { withdrawn: true, ..row.value.clone() };
        self.change(id, &row, &notice).await
    }

    /// Every notice with its name, newest first.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn list(&self) -> Result<Vec<(String, Notice)>, SendError> {
        let rows: Vec<Row<Notice>> = self.means.vault.rows(TABLE, b"n")?;
        let named = |row: Row<Notice>| (hex::encode(row.key().get(1..).unwrap_or_default()), row.value);
        Ok(rows.into_iter().rev().map(named).collect())
    }

    async fn change(&self, id: &str, row: &Row<Notice>, notice: &Notice) -> Result<(), SendError> {
        self.publish(id, notice).await?;
        let mut change = self.means.vault.change();
        change.replace(TABLE, row, notice)?;
        Ok(change.commit().await?)
    }

    /// Puts the notice into the record book, in place of what it was before.
    async fn publish(&self, id: &str, notice: &Notice) -> Result<(), SendError> {
        let day = CalendarDate::in_japan(notice.sent).ok_or(SendError::NoSuchEntry)?;
        let subjects: Vec<Subject> = match &notice.audience {
            Audience::Pupil(number) => vec![Subject::Person(number.clone())],
            _ => notice.classes.iter().cloned().map(Subject::Group).collect(),
        };
        let content = communication(id, notice).to_string().into_bytes();
        let record = |subject| {
            Entry::Record(IngestRecord {
                category: Category::SchoolNotice,
                subject,
                id: format!("Communication/hibiki-{id}"),
                date: day,
                updated_at: Some(self.means.now().0),
                media_type: FHIR_JSON,
                content: content.clone(),
            })
        };
        for subject in subjects {
            self.book.put_batch(vec![record(subject)]).await?;
        }
        Ok(())
    }

    fn children(&self, notice: &Notice, pupil: Option<[u8; 16]>) -> Result<BTreeSet<[u8; 16]>, SendError> {
        if let Some(key) = pupil {
            return Ok(BTreeSet::from([key]));
        }
        let pupils = self.roster.pupils()?.into_iter();
        Ok(pupils.filter(|pupil| notice.classes.contains(&pupil.class)).map(|pupil| pupil.key).collect())
    }

    fn row(&self, id: &str) -> Result<Row<Notice>, SendError> {
        let name = hex::decode(id.trim()).map_err(|_| SendError::NoSuchEntry)?;
        self.means.vault.get(TABLE, &place(&name))?.ok_or(SendError::NoSuchEntry)
    }
}

fn place(name: &[u8]) -> Vec<u8> {
    [b"n", name].concat()
}

fn communication(id: &str, notice: &Notice) -> serde_json::Value {
    let texts = notice.text.lines().collect::<Vec<_>>().join("\n");
    let mut payload = vec![json!({ "contentString": texts })];
    payload.extend(notice.files.iter().map(|file| {
        json!({ "contentAttachment": { "contentType": file.media_type, "title": file.name, "data": file.content } })
    }));
    json!({
        "resourceType": "Communication",
        "id": format!("hibiki-{id}"),
        "status": if notice.withdrawn { "entered-in-error" } else { "completed" },
        "priority": if notice.urgent { "urgent" } else { "routine" },
        "topic": { "text": notice.title },
        "sent": rfc3339(notice.sent),
        "payload": payload,
    })
}

impl std::fmt::Debug for Notices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Notices(***)")
    }
}
