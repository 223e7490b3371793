//! The institution as a running whole: opens what it keeps, takes its roles, serves, and takes its leave.
//!
//! Owns the order in which parts are opened and joined; every decision lies in the parts. Must not
//! know how any of them works.

mod books;
mod carriers;
mod figures;
mod foundations;
mod publishing;
mod roles;
mod school;
mod witnesses;

use std::time::Duration;

use hibiki_protocol::trust::Standing;
use hibiki_transport::Endpoint;

use crate::cli::run::{Host, Services, StartError};
use crate::env::Env;
use crate::exit::ExitStatus;
use crate::gateway::Gateway;
use crate::ledger::Ledger;
use crate::links::Links;
use crate::membership::{Membership, read_lists};
use crate::store::Committer;
use crate::witness::Asking;
use roles::Taken;

/// How long peers are waited for when the endpoint closes.
const FAREWELL: Duration = Duration::from_secs(5);

/// A running node.
pub struct Node {
    endpoint: Endpoint,
    membership: Membership,
    ledger: Ledger,
    gateway: Option<Gateway>,
    asking: Asking,
    env: Env,
    committer: Committer,
}

impl Services for Node {
    async fn start(host: &mut Host) -> Result<Self, StartError> {
        let ground = foundations::lay(host).await?;
        let endpoint = foundations::endpoint(host, &ground)?;
        let links = Links::new(
            host.env.clone(),
            endpoint.clone(),
            ground.membership.clone(),
            host.board.clone(),
            roles::link_settings(&host.config),
        );
        let Taken { services, gateway, asking } = roles::take(host, &ground, &links).await?;
        links.start(services, host.shutdown.clone());
        let listening = endpoint.local_addr().ok().map(|address| address.to_string());
        host.board.update(|status| status.listening = listening);
        figures::keep(host, &ground);
        publishing::start(host, &ground).await?;
        let foundations::Ground { membership, means, committer, .. } = ground;
        Ok(Self { endpoint, membership, ledger: means.ledger, gateway, asking, env: means.env, committer })
    }

    async fn reload(&mut self, host: &Host) -> Result<(), String> {
        let path = &host.config.federation.trust_list;
        let lists = read_lists(path).map_err(|error| error.to_string())?;
        let offered = self.membership.offer(&lists).await.map_err(|error| error.to_string())?;
        match offered.refused {
            None => Ok(()),
            Some(refused) => Err(format!("{}: {refused}", path.display())),
        }
    }

    async fn drain(self) {
        // While the links are up: with this node its guardians' sessions end, everywhere.
        if let Some(gateway) = &self.gateway {
            gateway.farewell().await;
        }
        self.asking.farewell().await;
        self.endpoint.shutdown(FAREWELL).await;
        self.committer.close().await;
        if let Err(error) = self.ledger.close(self.env.now(), "asked to stop").await {
            tracing::error!(%error, "the ledger's last checkpoint was not written");
        }
    }
}

/// Milliseconds of grace after a trust list's expiry.
fn grace_millis(days: u64) -> u64 {
    days.saturating_mul(24 * 3600 * 1000)
}

/// An error of a part that keeps the node from starting.
fn cannot(what: &str, error: &dyn std::fmt::Display) -> StartError {
    StartError::new(ExitStatus::Failed, format!("{what}: {error}"))
}

/// Whether the list still admits anybody at all.
fn warn_of(standing: Standing) {
    if standing != Standing::Current {
        tracing::warn!("the trust list has expired; install the council's next list");
    }
}
