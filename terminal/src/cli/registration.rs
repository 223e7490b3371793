//! `registration`: what is registered for one child at her school, and registering.

use clap::Args;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::registration::{
    ConfirmAddress, MailKind, RegisterAddress, RegisterAllergens, RegisteredAllergen, RegistrationChange,
    WantedMails, WithdrawAddress,
};
use hibiki_records::allergen::Allergen;

use super::view::{PersonArgs, choose};
use super::visit::{KeepArgs, visit};
use super::{Common, Format, out, out_json, say};
use crate::json::{RegistrationJson, SubjectJson};
use crate::registration::{self, Registering};
use crate::trouble::Trouble;
use crate::{clock, print, words};

#[derive(Debug, Args)]
pub(super) struct RegistrationArgs {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    keep: KeepArgs,
    #[command(flatten)]
    change: ChangeArgs,
    /// Milliseconds until every institution must have said what is registered there.
    #[arg(long, value_name = "MS")]
    deadline_ms: Option<u64>,
}

/// A change to be made; without one, what is registered is shown.
#[derive(Debug, Args)]
#[group(multiple = true)]
struct ChangeArgs {
    /// The school.
    #[arg(long, value_name = "INSTITUTION")]
    at: Option<MemberId>,
    /// アレルゲン / your whole list: an allergen by its short name (egg, milk, wheat …), `:strict` for stricter removal;
    /// repeat it for several. It replaces what you registered before.
    #[arg(long = "allergen", value_name = "ALLERGEN", value_parser = allergen, requires = "at")]
    allergens: Vec<RegisteredAllergen>,
    /// 登録をすべて消す / no allergen any more.
    #[arg(long, requires = "at", conflicts_with = "allergens")]
    no_allergens: bool,
    /// メールアドレス / an address; a code is mailed to it.
    #[arg(long, value_name = "ADDRESS", requires = "at", conflicts_with_all = ["allergens", "no_allergens"])]
    address: Option<String>,
    /// 確認番号 / the code from the mail.
    #[arg(long, value_name = "CODE", requires = "at", conflicts_with_all = ["allergens", "no_allergens", "address"])]
    code: Option<String>,
    /// メールをやめる / no mails any more.
    #[arg(long, requires = "at", conflicts_with_all = ["allergens", "no_allergens", "address", "code"])]
    no_address: bool,
    /// 受け取るメール / mails you want besides those about allergens: notice, hand_in, gate, event, or none.
    #[arg(long = "mail", value_name = "KIND", value_parser = mail, requires = "at",
        conflicts_with_all = ["allergens", "no_allergens", "address", "code", "no_address"])]
    mails: Vec<Mail>,
}

/// A kind of mail, or none.
#[derive(Clone, Copy, Debug)]
struct Mail(Option<MailKind>);

fn allergen(text: &str) -> Result<RegisteredAllergen, String> {
    let (id, strict) = match text.split_once(':') {
        Some((id, "strict")) => (id, true),
        Some(_) => return Err("only :strict may follow".to_owned()),
        None => (text, false),
    };
    let known = || Allergen::all().map(Allergen::id).collect::<Vec<_>>().join(", ");
    let found = Allergen::from_id(id).ok_or_else(|| format!("write one of {}", known()))?;
    Ok(RegisteredAllergen { code: found.jfagy().to_owned(), strict })
}

fn mail(text: &str) -> Result<Mail, String> {
    let kinds = [MailKind::Notice, MailKind::HandIn, MailKind::Gate, MailKind::Event];
    match text {
        "none" => Ok(Mail(None)),
        _ => kinds
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .map(|kind| Mail(Some(kind)))
            .ok_or_else(|| "write notice, hand_in, gate, event or none".to_owned()),
    }
}

impl ChangeArgs {
    fn change(&self) -> Result<Option<(MemberId, Registering)>, Trouble> {
        let change: RegistrationChange = if !self.allergens.is_empty() || self.no_allergens {
            RegisterAllergens { allergens: self.allergens.clone() }.into()
        } else if let Some(address) = &self.address {
            RegisterAddress { address: address.clone() }.into()
        } else if let Some(code) = &self.code {
            ConfirmAddress { code: code.clone() }.into()
        } else if self.no_address {
            WithdrawAddress { version: 1 }.into()
        } else if !self.mails.is_empty() {
            WantedMails { kinds: self.mails.iter().filter_map(|mail| mail.0).collect() }.into()
        } else {
            return Ok(None);
        };
        let change = Registering::new(change)?;
        Ok(self.at.clone().map(|institution| (institution, change)))
    }
}

pub(super) async fn run(args: RegistrationArgs) -> Result<(), Trouble> {
    let change = args.change.change()?;
    let human = args.common.format == Format::Human;
    visit(&args.common, &args.keep, async |session, federation| {
        let subject = choose(session.subjects(), args.person.subject)?;
        let (mut ignore, now) = (|_: &registration::RegistrationPart| {}, clock::now());
        let Some((institution, change)) = &change else {
            let shown = registration::show(session, federation, subject, args.deadline_ms, now, &mut ignore);
            let parts = shown.await?;
            if human {
                out(&print::registrations(subject, &parts));
            } else {
                let parts: Vec<RegistrationJson<'_>> = parts.iter().map(Into::into).collect();
                out_json(&serde_json::json!({ "subject": SubjectJson::from(subject), "parts": parts }));
            }
            return Ok(None);
        };
        let made =
            registration::register(session, federation, subject, institution, change, now, &mut ignore);
        let part = made.await?;
        if human {
            say(&words::registration::outcome(&part, &change.change));
            out(&print::registration(&part));
        } else {
            out_json(&RegistrationJson::from(&part));
        }
        part.receipt.map(Some).ok_or(Trouble::NotChosen)
    })
    .await
}
