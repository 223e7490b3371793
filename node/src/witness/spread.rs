//! Tells every member this node has a link to of every fork it knows, until each has confirmed. A member that
//! joins or comes back later is told then.

use std::sync::Arc;
use std::time::Duration;

use super::{Forks, Road};
use crate::institution::all;
use crate::shutdown::Shutdown;

/// Members that did not confirm are told again after this.
const AGAIN: Duration = Duration::from_secs(30);

/// Tells until the node drains. Spawn it once.
pub async fn spread(forks: Forks, road: Arc<dyn Road>, mut shutdown: Shutdown) {
    let (mut news, mut changes) = (forks.news(), road.changes());
    loop {
        tell(&forks, road.as_ref()).await;
        tokio::select! {
            biased;
            () = shutdown.draining() => return,
            changed = news.changed() => if changed.is_err() { return },
            changed = changes.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

/// One round of telling.
pub(super) async fn tell(forks: &Forks, road: &dyn Road) {
    for (name, evidence, members) in forks.untold(&road.members_up()) {
        let told = members.iter().map(|member| {
            let evidence = evidence.clone();
            async move { (member, road.tell(member, evidence).await) }
        });
        for (member, told) in all(told).await {
            match told {
                Ok(true) => forks.was_told(&name, member),
                Ok(false) => tracing::warn!(%member, "a member is not convinced of a fork"),
                Err(failure) => tracing::debug!(%member, %failure, "a member could not be told of a fork"),
            }
        }
    }
}
