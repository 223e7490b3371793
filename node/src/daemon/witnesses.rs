//! Opens the witness, and the asking of this node's own witnesses.

use std::sync::Arc;

use super::cannot;
use super::carriers::WitnessRoad;
use super::foundations::Ground;
use crate::cli::run::{Host, StartError};
use crate::links::Links;
use crate::services;
use crate::witness::standing::Patience;
use crate::witness::{self, Asking, Forks, Road, Service, Settings, Shelf};

/// Folder of what this node keeps as a witness, in its data folder.
const WITNESSED: &str = "witnessed";

/// The two halves.
pub(super) struct Witnesses {
    pub(super) service: Arc<dyn services::Witness>,
    pub(super) asking: Asking,
}

/// Opens them, registers their command and starts their work.
pub(super) fn open(host: &mut Host, ground: &Ground, links: &Links) -> Result<Witnesses, StartError> {
    let (means, config) = (&ground.means, &host.config);
    let folder = config.node.data_dir.join(WITNESSED);
    let fails = |error: &dyn std::fmt::Display| cannot(&format!("the folder {}", folder.display()), error);
    let storage = host.env.disks().folder(&folder).map_err(|error| fails(&error))?;
    let shelf = Arc::new(Shelf::new(storage, host.env.clone()));
    let forks = Forks::open(means.clone(), Arc::clone(&shelf), host.board.clone());
    let forks = forks.map_err(|error| fails(&error))?;
    let road: Arc<dyn Road> = Arc::new(WitnessRoad(links.clone()));
    let cosigns = config.roles.witness;
    if cosigns && means.keys.witness().is_none() {
        host.board.raise(
            "witness-key",
            "this node has no key to cosign with: run `hibiki-node init` and `hibiki-node request`, and bring \
             the request to the council",
        );
    }
    let service = Service::new(means.clone(), shelf, forks.clone(), Arc::clone(&road), cosigns);
    let service = service.map_err(|error| cannot("the witness's name", &error))?;
    let patience = Patience { alarm: config.witnesses.alarm, stop: config.witnesses.stop };
    let settings = Settings { quorum: config.witnesses.quorum, patience };
    let asking = Asking::new(means.clone(), Arc::clone(&road), host.board.clone(), forks.clone(), settings);
    witness::command::register(&mut host.router, &asking);
    host.env.spawn(witness::spread(forks, road, host.shutdown.clone()));
    host.env.spawn(asking.clone().run(host.shutdown.clone()));
    Ok(Witnesses { service: Arc::new(service), asking })
}
