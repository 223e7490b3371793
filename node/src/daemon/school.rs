//! Opens a school's books, and the outbox with its sender where mails are configured.

use std::sync::Arc;

use super::cannot;
use super::foundations::Ground;
use crate::cli::run::{Host, StartError};
use crate::config;
use crate::exit::ExitStatus;
use crate::holds::Holds;
use crate::mail::compose::Writer;
use crate::mail::{self, Outbox, Relay, Sender, Smtp};
use crate::school::hearing::Hearing;
use crate::school::{School, Setup};
use crate::staff::page::Page;
use crate::staff::{self, Accounts};

/// The board's key.
const BOARD: &str = "school-mail";

/// Builds what is configured, registers its commands and starts its work.
pub(super) fn open(
    host: &mut Host,
    ground: &Ground,
    holds: &Arc<Holds>,
) -> Result<Option<School>, StartError> {
    let outbox = Arc::new(Outbox::new(ground.means.clone()));
    let relay = host
        .config
        .mail
        .clone()
        .map(|settings| start_sender(host, ground, &outbox, holds, settings))
        .transpose()?;
    let mails = relay.is_some();
    let deps = mail::commands::Deps { means: ground.means.clone(), outbox: Arc::clone(&outbox), relay };
    mail::commands::register(&mut host.router, deps);
    let Some(settings) = host.config.school.clone() else { return Ok(None) };
    if !mails {
        host.board.raise(
            BOARD,
            "there is no [mail] relay: no allergy alert can be sent / メールの設定がありません",
        );
    }
    let school = School::new(Setup {
        settings,
        name: host.config.node.name_ja.clone(),
        means: ground.means.clone(),
        book: Arc::clone(&ground.book),
        holds: Arc::clone(holds),
        outbox,
        mails,
        board: host.board.clone(),
    });
    school.register(&mut host.router);
    host.env.spawn(Arc::clone(&school.alerts).run(host.shutdown.clone()));
    Ok(Some(school))
}

fn start_sender(
    host: &Host,
    ground: &Ground,
    outbox: &Arc<Outbox>,
    holds: &Arc<Holds>,
    settings: config::Mail,
) -> Result<(Arc<dyn Relay>, Writer), StartError> {
    let mailbox = |text: &str| text.parse().map_err(|error| cannot("[mail] from or reply-to", &error));
    let writer = Writer {
        from: mailbox(&settings.from)?,
        reply_to: settings.reply_to.as_deref().map(mailbox).transpose()?,
    };
    let at_once = usize::try_from(settings.at_once)
        .map_err(|_| StartError::new(ExitStatus::Config, "[mail] at-once is out of range"))?;
    let relay: Arc<dyn Relay> = Arc::new(Smtp::new(settings));
    let sender = Arc::new(Sender {
        means: ground.means.clone(),
        outbox: Arc::clone(outbox),
        recipients: Arc::new(Hearing::new(ground.means.clone(), Arc::clone(holds))),
        relay: Arc::clone(&relay),
        writer: writer.clone(),
        at_once,
        board: host.board.clone(),
    });
    host.env.spawn(sender.run(host.shutdown.clone()));
    Ok((relay, writer))
}

/// Serves the staff's page, where one is wanted: once every command is known.
pub(super) async fn serve_staff(host: &mut Host, ground: &Ground) -> Result<(), StartError> {
    let (means, name) = (ground.means.clone(), host.config.node.name_ja.clone());
    let accounts = Arc::new(Accounts::new(means.clone()));
    staff::commands::register(&mut host.router, &accounts);
    let Some(address) = host.config.staff_page else { return Ok(()) };
    let bound = Page::bind(address, accounts, host.router.clone(), means, name).await;
    let (page, listener) = bound.map_err(|error| cannot(&format!("the staff page at {address}"), &error))?;
    tracing::info!(address = %page.address(), "the staff page is served");
    host.env.spawn(page.serve(listener, host.shutdown.clone()));
    Ok(())
}
