//! A visit at the command line: while the card lies there something is asked; then the receipts that are wanted are
//! kept, and the session is ended, whatever came of it.

use std::path::PathBuf;

use clap::Args;

use super::login::{Open, open};
use super::{Common, say};
use crate::card::CardFault;
use crate::change::ChangeReceipt;
use crate::federation::Federation;
use crate::receipts::folder::Folder;
use crate::session::Session;
use crate::trouble::Trouble;
use crate::words;

/// Whether, and where, a command keeps its receipts.
#[derive(Debug, Default, Args)]
pub(super) struct KeepArgs {
    /// 控えを保存する / keep the receipt of every answer in this folder (made if it is not there). A receipt
    /// says nothing about anybody.
    #[arg(long, value_name = "DIR")]
    receipts: Option<PathBuf>,
}

impl KeepArgs {
    /// The folder, made if it is not there.
    pub(super) fn folder(&self) -> Result<Option<Folder>, Trouble> {
        self.receipts.as_deref().map(Folder::create).transpose()
    }
}

/// Opens a session and asks; what is asked may come to the receipt of a change, whose proof is kept with it.
pub(super) async fn visit(
    common: &Common,
    keep: &KeepArgs,
    asked: impl AsyncFnOnce(&Session, &Federation) -> Result<Option<ChangeReceipt>, Trouble>,
) -> Result<(), Trouble> {
    // First of all: no card is touched for nothing.
    let folder = keep.folder()?;
    let Open { session, card, federation, .. } = open(common).await?;
    if folder.is_some() {
        session.keep_receipts();
    }
    let outcome = tokio::select! {
        biased;
        () = card.removed() => Err(CardFault::Removed.into()),
        outcome = asked(&session, &federation) => outcome,
    };
    let change = outcome.as_ref().ok().and_then(Option::as_ref);
    let kept = folder.map_or(Ok(()), |folder| {
        let count = folder.keep(session.take_receipts(), &federation, change)?;
        say(&words::receipts::kept(count, folder.path()));
        Ok(())
    });
    // A gateway that cannot be told any more ends the session by itself.
    let _ = session.close().await;
    outcome.and(kept)
}
