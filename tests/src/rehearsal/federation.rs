//! A federation in one world: the council, the institutions, their people and the guardians.
//!
//! Everything a town of real processes does is done here by the same commands, in virtual time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hibiki_node::env::Clock as _;
use hibiki_protocol::time::Timestamp;
use hibiki_records::date::CalendarDate;
use hibiki_simnet::{Host, World};
use serde_json::json;

use super::Stumble;
use super::guardian::Guardian;
use super::institution::Institution;
use super::outside::Wall;
use super::people;
use super::plan::Plan;
use crate::chance::Chance;
use crate::house::House;
use crate::population::Population;
use crate::town::Council;

/// Two clerks: what needs four eyes is proposed by the first and confirmed by the second.
const CLERKS: [&str; 2] = ["clerk-1", "clerk-2"];

/// How long, in virtual time, institutions may take to find each other on calm roads.
const ACQUAINTANCE: Duration = Duration::from_secs(60);

/// Everybody.
pub struct Federation {
    /// The world they live in.
    pub world: World,
    /// The institutions.
    pub institutions: BTreeMap<House, Institution>,
    /// The guardians.
    pub guardians: Vec<Guardian>,
    /// Who lives there, and what each institution knows.
    pub people: Population,
}

impl Federation {
    /// Founds a federation in an empty folder: keys, enrolment, trust list, records, links, cards. On return every
    /// institution answers and city hall has a link to each.
    ///
    /// # Errors
    /// Somebody refuses.
    pub async fn found(world: &World, folder: &Path, plan: &Plan) -> Result<Self, Stumble> {
        let office = Wall(world.host("council"));
        let clock = Wall(world.host("council"));
        let mut council =
            Council::found_by(&folder.join("council"), Arc::new(move || Timestamp(office.now())))?;
        let mut institutions = BTreeMap::new();
        for house in plan.institutions() {
            let (institution, request) = Institution::prepare(*house, world.host(house.slug()), folder)?;
            council.enrol(&request)?;
            institutions.insert(*house, institution);
        }
        council.publish(&folder.join("trust-list.cbor"))?;
        for institution in institutions.values() {
            institution.start().await?;
        }
        let today = CalendarDate::in_japan(clock.now()).ok_or_else(|| Stumble("no calendar".to_owned()))?;
        let mut chance = Chance::new(world.seed());
        let people = people::settle(plan.guardians, plan.institutions(), &mut chance, today);
        let mut federation = Self { world: world.clone(), institutions, guardians: Vec::new(), people };
        federation.acquaint().await?;
        federation.register().await?;
        federation.fill().await?;
        federation.issue(&mut council, folder).await?;
        Ok(federation)
    }

    /// City hall: gateway and registry.
    ///
    /// # Errors
    /// Never: it is founded first.
    pub fn city_hall(&self) -> Result<&Institution, Stumble> {
        self.institutions.get(&House::CityHall).ok_or_else(|| Stumble("there is no city hall".to_owned()))
    }

    /// The machine of an institution or of a guardian's terminal.
    pub fn host(&self, party: &str) -> Host {
        self.world.host(party)
    }

    /// The institution of this slug.
    pub fn institution(&self, slug: &str) -> Option<&Institution> {
        self.institutions.values().find(|institution| institution.house.slug() == slug)
    }

    async fn acquaint(&self) -> Result<(), Stumble> {
        let (hall, all) = (self.city_hall()?, self.institutions.len() - 1);
        let patience = self.world.elapsed() + ACQUAINTANCE;
        while hall.links_up() < all {
            if self.world.elapsed() > patience {
                return Err(Stumble(format!("city hall has {} links of {all}", hall.links_up())));
            }
            self.world.sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Residents and guardianships.
    async fn register(&self) -> Result<(), Stumble> {
        let (hall, people) = (self.city_hall()?, &self.people);
        let csv = people.residents_csv().into_bytes();
        hall.command("resident", json!({ "action": "import" }), CLERKS[0], csv).await?;
        for care in &people.guardianships {
            let proposal = json!({
                "action": "propose", "guardian": care.guardian, "child": care.child, "basis": "parental-sole",
            });
            let proposed = hall.command("guardianship", proposal, CLERKS[0], Vec::new()).await?;
            let confirm = json!({ "action": "confirm", "id": proposed.result["id"] });
            hall.command("guardianship", confirm, CLERKS[1], Vec::new()).await?;
        }
        Ok(())
    }

    /// Records and links.
    async fn fill(&self) -> Result<(), Stumble> {
        let hall = self.city_hall()?;
        for (house, archive) in &self.people.archives {
            let Some(institution) = self.institutions.get(house) else { continue };
            let records = archive.ndjson.clone().into_bytes();
            institution.command("import", json!({ "format": "ndjson" }), CLERKS[0], records).await?;
            let asked = json!({ "action": "tokens", "member": house.id() });
            let tokens = hall.command("resident", asked, CLERKS[0], Vec::new()).await?;
            let lines: Vec<String> = tokens.rows.iter().map(|row| format!("{row}\n")).collect();
            let file = lines.concat().into_bytes();
            institution.command("link", json!({ "action": "import" }), CLERKS[0], file).await?;
        }
        Ok(())
    }

    /// A card for every guardian, and her terminal.
    async fn issue(&mut self, council: &mut Council, folder: &Path) -> Result<(), Stumble> {
        let hall = self.city_hall()?.clone();
        let list = folder.join("cards.crl");
        council.write_revocations(&list, 24 * 30)?;
        hall.command("card", json!({ "action": "revocations" }), CLERKS[0], read(&list)?).await?;
        for (place, holder) in self.people.card_holders.clone().iter().enumerate() {
            let card = council.issue_card(&folder.join("cards"), place + 1)?;
            let enrol = json!({ "action": "enrol", "resident": holder });
            hall.command("card", enrol, CLERKS[0], read(&card.certificate)?).await?;
            let expected = self.people.expected_of(holder);
            let name = format!("guardian-{}", place + 1);
            let host = self.world.host(&name);
            let lists: [PathBuf; 2] = [folder.join("council/root.cbor"), folder.join("trust-list.cbor")];
            let gateway = hall.host.addr(super::institution::PORT);
            self.guardians.push(Guardian::new(name, host, card.file, lists, gateway, expected));
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Stumble> {
    fs::read(path).map_err(|error| Stumble(format!("{}: {error}", path.display())))
}
