//! What staff must do before a lunch: a menu to accept, a thing to find out about, a guardian to telephone.
//!
//! Told on the board, and by mail to the addresses of the configuration, once for each new state of affairs. Neither
//! names a child: the staff page and `hibiki-node school alert plan` do.

use std::collections::BTreeMap;

use hibiki_protocol::ids::Digest;
use hibiki_records::date::CalendarDate;
use hibiki_records::lunch::Source;
use serde::{Deserialize, Serialize};

use crate::school::escaped;

use super::hours::{Table, in_japan, open_lunches};
use super::round::{Lunches, Round};
use super::{AlertError, Alerts};
use crate::mail::{Letter, LetterId, LetterKind};
use crate::store::Keyspace;
use crate::vault::Row;

/// The board's key.
const BOARD: &str = "school-lunch";

/// Minutes before the lunch from which a mail that has not gone out is a matter for the telephone.
const TELEPHONE_MINUTES: u16 = 210;

/// Minutes after the lunch until which staff are still told.
const AFTER_MINUTES: u16 = 120;

/// Something staff must see to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "concern")]
pub(super) enum Concern {
    /// No menu has been accepted.
    NoMenu {
        /// The kitchen.
        kitchen: String,
        /// The day.
        day: CalendarDate,
    },
    /// A menu was accepted with things nobody knows.
    Unknown {
        /// The kitchen.
        kitchen: String,
        /// The day.
        day: CalendarDate,
        /// The things, as written.
        things: Vec<String>,
    },
    /// A menu or its words have changed since it was accepted: the alert goes by what was accepted.
    Behind {
        /// The kitchen.
        kitchen: String,
        /// The day.
        day: CalendarDate,
    },
    /// Alerts that have not gone out.
    NotSent {
        /// The day.
        day: CalendarDate,
        /// How many.
        letters: usize,
    },
    /// Children of whom something would be told, and nobody to tell it to.
    NobodyToTell {
        /// How many.
        children: usize,
    },
}

/// What staff were told last.
#[derive(Serialize, Deserialize)]
pub(super) struct ToldStaff {
    n: u32,
    content: String,
}

impl Concern {
    /// In words, for staff.
    pub(super) fn words(&self) -> String {
        match self {
            Self::NoMenu { kitchen, day } => format!(
                "{day} 給食地区「{kitchen}」の献立が確定していません（hibiki-node school menu list） / no accepted menu"
            ),
            Self::Unknown { kitchen, day, things } => format!(
                "{day} 給食地区「{kitchen}」に分からない食材があります: {}（hibiki-node school menu word） / unknown ingredients",
                things.join("、")
            ),
            Self::Behind { kitchen, day } => format!(
                "{day} 給食地区「{kitchen}」の献立は、確定のあとで変わっています。もう一度確定してください（hibiki-node school menu accept） / changed since it was accepted"
            ),
            Self::NotSent { day, letters } => format!(
                "{day} 給食のアレルギーのお知らせ {letters} 通が届いていません。保護者に電話してください（hibiki-node mail list） / alerts not delivered: telephone"
            ),
            Self::NobodyToTell { children } => format!(
                "登録された食物がある児童 {children} 人に、連絡できるメールアドレスがありません（hibiki-node school alert plan） / no mail address"
            ),
        }
    }
}

impl Alerts {
    /// What staff must see to at `now`.
    ///
    /// # Errors
    /// The books cannot be read.
    pub(super) fn concerns(&self, now: u64, round: &Round) -> Result<Vec<Concern>, AlertError> {
        let mut concerns = Vec::new();
        let mut lunches = Lunches::default();
        let days = self.warned_days(now)?;
        for (day, kitchens) in &days {
            for kitchen in kitchens {
                match lunches.of(self, kitchen, *day)? {
                    None => concerns.push(Concern::NoMenu { kitchen: kitchen.clone(), day: *day }),
                    Some(lunch) if !lunch.survey.unknown.is_empty() => concerns.push(Concern::Unknown {
                        kitchen: kitchen.clone(),
                        day: *day,
                        things: lunch.survey.unknown.iter().map(thing).collect(),
                    }),
                    Some(_) => {}
                }
                if self.menus.is_behind(kitchen, *day)? {
                    concerns.push(Concern::Behind { kitchen: kitchen.clone(), day: *day });
                }
            }
            let telephone = in_japan(*day, self.hours.lunch.saturating_sub(TELEPHONE_MINUTES));
            let letters = self.outbox.not_sent(*day, now >= telephone)?;
            if letters > 0 {
                concerns.push(Concern::NotSent { day: *day, letters });
            }
        }
        if !round.unreachable.is_empty() {
            concerns.push(Concern::NobodyToTell { children: round.unreachable.len() });
        }
        concerns.sort();
        Ok(concerns)
    }

    /// Lunches that staff are warned of, each with the kitchens that cook it.
    fn warned_days(&self, now: u64) -> Result<BTreeMap<CalendarDate, Vec<String>>, AlertError> {
        let calendar = self.days.calendar()?;
        let mut days: BTreeMap<CalendarDate, Vec<String>> = BTreeMap::new();
        let mut tables: Vec<(String, String)> =
            self.roster.pupils()?.into_iter().map(|pupil| (pupil.kitchen, pupil.class)).collect();
        tables.sort();
        tables.dedup();
        let first = self.hours.warn.min(self.hours.alert);
        for (kitchen, class) in &tables {
            let table = Table { kitchen, class };
            for day in open_lunches(&calendar, table, now, first, self.hours) {
                let kitchens = days.entry(day).or_default();
                if !kitchens.contains(kitchen) {
                    kitchens.push(kitchen.clone());
                }
            }
        }
        Ok(days)
    }

    /// Puts the concerns on the board, and into a mail to staff if they are news.
    ///
    /// # Errors
    /// The books cannot be read or written.
    pub(super) async fn tell_staff(&self, now: u64, concerns: &[Concern]) -> Result<(), AlertError> {
        if concerns.is_empty() {
            self.board.clear(BOARD);
            return Ok(());
        }
        let lines: Vec<String> = concerns.iter().map(Concern::words).collect();
        self.board.raise(BOARD, lines.join(" ／ "));
        let Some(today) = CalendarDate::in_japan(now) else { return Ok(()) };
        if self.staff_mail.is_empty() {
            return Ok(());
        }
        let day = concerns.iter().filter_map(Concern::day).min().unwrap_or(today);
        let place = [b"u".as_slice(), day.to_string().as_bytes()].concat();
        let bytes = serde_json::to_vec(concerns).unwrap_or_default();
        let content = Digest::of(&[b"hibiki school concerns\0", &bytes]).hex();
        let told: Option<Row<ToldStaff>> = self.means.vault.get(Keyspace::School, &place)?;
        if told.as_ref().is_some_and(|row| row.value.content == content) {
            return Ok(());
        }
        let n = told.map_or(1, |row| row.value.n.saturating_add(1));
        let mut change = self.means.vault.change();
        change.urgent();
        change.put(Keyspace::School, &place, &ToldStaff { n, content })?;
        for address in &self.staff_mail {
            self.outbox.put(&mut change, &self.staff_letter(address, day, n, &lines))?;
        }
        change.commit().await?;
        self.outbox.wake();
        Ok(())
    }

    fn staff_letter(&self, address: &str, day: CalendarDate, n: u32, lines: &[String]) -> Letter {
        let name = [address.as_bytes(), b"\0", day.to_string().as_bytes(), &n.to_be_bytes()].concat();
        let list: String = lines.iter().map(|line| format!("・{line}\n")).collect();
        let items: String = lines.iter().map(|line| format!("<li>{}</li>", escaped(line))).collect();
        let lead = "給食の前に、次のことを確かめてください。 / Please see to the following before the lunch.";
        Letter {
            id: LetterId::new(&self.means.vault, "school staff", &name),
            subject_key: None,
            guardian: None,
            kind: LetterKind::Staff,
            lunch: Some(day),
            to: address.to_owned(),
            title: format!("{}月{}日の給食: 確認が必要です / lunch needs attention", day.month(), day.day()),
            text: format!("{lead}\n\n{list}\n--\n{}\n", self.school),
            html: format!(
                "<!DOCTYPE html><html lang=\"ja\"><head><meta charset=\"utf-8\"></head><body><p>{lead}</p><ul>{items}</ul><p>{}</p></body></html>",
                escaped(&self.school)
            ),
            send_by: Some(in_japan(day, self.hours.lunch.saturating_add(AFTER_MINUTES))),
        }
    }
}

impl Concern {
    const fn day(&self) -> Option<CalendarDate> {
        match self {
            Self::NoMenu { day, .. }
            | Self::Unknown { day, .. }
            | Self::Behind { day, .. }
            | Self::NotSent { day, .. } => Some(*day),
            Self::NobodyToTell { .. } => None,
        }
    }
}

fn thing(source: &Source) -> String {
    source.label().ja
}
