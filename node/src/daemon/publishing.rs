//! Publishes the ledger to whoever verifies it, where that is wanted.

use std::sync::Arc;

use super::cannot;
use super::foundations::Ground;
use crate::cli::run::{Host, StartError};
use crate::institution::Means;
use crate::publication::{Publication, Source, Token};

/// Binds the address of the configuration and serves until the node drains.
pub(super) async fn start(host: &Host, ground: &Ground) -> Result<(), StartError> {
    let Some(publish) = &host.config.ledger.publish else { return Ok(()) };
    let token = publish.token_file.as_deref().map(Token::read).transpose();
    let token = token.map_err(|error| cannot("[ledger] publish-token-file", &error))?.map(Arc::new);
    let Means { ledger, trust, env, .. } = ground.means.clone();
    let bound = Publication::bind(publish.address, Source { ledger, trust, env, token }).await;
    let at = format!("[ledger] publish {}", publish.address);
    let publication = bound.map_err(|error| cannot(&at, &error))?;
    let address = publication.address().map_err(|error| cannot(&at, &error))?;
    tracing::info!(%address, "the ledger is published");
    host.env.spawn(publication.serve(host.shutdown.clone()));
    Ok(())
}
