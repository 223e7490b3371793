//! Municipalities side by side in one world, each with its own council.

use std::path::Path;
use std::sync::Arc;

use hibiki_simnet::{Host, World};

use super::Stumble;
use super::area::GUNMA;
use super::federation::Federation;
use super::guardian::Guardian;
use super::institution::Institution;
use super::plan::Plan;

/// Everybody there is.
pub struct Prefecture {
    /// The world they live in.
    pub world: World,
    /// The municipalities, Maebashi first; there is always one.
    pub cities: Vec<Arc<Federation>>,
}

impl Prefecture {
    /// Founds every municipality of a plan, one after the other, each in a folder of its own.
    ///
    /// # Errors
    /// Somebody refuses.
    pub async fn found(world: &World, folder: &Path, plan: &Plan) -> Result<Self, Stumble> {
        let mut cities = Vec::new();
        for area in GUNMA.into_iter().take(plan.cities) {
            cities.push(Arc::new(Federation::found(world, &folder.join(area.slug), plan, area).await?));
        }
        Ok(Self { world: world.clone(), cities })
    }

    /// The machine of an institution or of a guardian's terminal.
    pub fn host(&self, party: &str) -> Host {
        self.world.host(party)
    }

    /// The institution of this name in the world, with its city.
    pub fn institution(&self, party: &str) -> Option<(&Arc<Federation>, &Institution)> {
        self.institutions().find(|(_, institution)| institution.name == party)
    }

    /// Every institution, with its city.
    pub fn institutions(&self) -> impl Iterator<Item = (&Arc<Federation>, &Institution)> {
        self.cities.iter().flat_map(|city| city.institutions.values().map(move |one| (city, one)))
    }

    /// Whether everybody has the last list of the own council.
    pub fn has_last_lists(&self) -> bool {
        self.institutions().all(|(city, institution)| institution.epoch() == Some(city.last_epoch()))
    }

    /// Every guardian, with her city.
    pub fn guardians(&self) -> impl Iterator<Item = (&Arc<Federation>, &Guardian)> {
        self.cities.iter().flat_map(|city| city.guardians.iter().map(move |guardian| (city, guardian)))
    }
}
