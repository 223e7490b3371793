//! A federation in one world: the council, the institutions, their people and the guardians.
//!
//! Everything a town of real processes does is done here by the same commands, in virtual time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hibiki_node::env::Clock as _;
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::time::Timestamp;
use hibiki_records::date::CalendarDate;
use hibiki_simnet::World;
use serde_json::json;

use super::Stumble;
use super::area::Area;
use super::cards::{self, RehearsedCard};
use super::guardian::Guardian;
use super::institution::Institution;
use super::orders::Office;
use super::outside::Wall;
use super::people;
use super::plan::Plan;
use crate::chance::Chance;
use crate::house::House;
use crate::population::Population;
use crate::town::Council;
use crate::town::council::OfficeClock;

/// Two clerks: what needs four eyes is proposed by the first and confirmed by the second.
pub(super) const CLERKS: [&str; 2] = ["clerk-1", "clerk-2"];

/// How long, in virtual time, institutions may take to find each other on calm roads.
const ACQUAINTANCE: Duration = Duration::from_secs(60);

/// Everybody in one municipality.
pub struct Federation {
    /// The world they live in.
    pub world: World,
    /// Whose council it is.
    pub area: Area,
    /// The institutions.
    pub institutions: BTreeMap<House, Institution>,
    /// The guardians.
    pub guardians: Vec<Guardian>,
    /// Who lives there, and what each institution knows.
    pub people: Population,
    pub(super) office: Mutex<Office>,
}

impl Federation {
    /// Founds a federation in an empty folder: keys, enrolment, trust list, records, links, cards. On return every
    /// institution answers and city hall has a link to each.
    ///
    /// # Errors
    /// Somebody refuses.
    pub async fn found(world: &World, folder: &Path, plan: &Plan, area: Area) -> Result<Self, Stumble> {
        let [office, clock] = [(); 2].map(|()| Wall(world.host(&area.party("council"))));
        let cards = cards::authority(&folder.join("card-authority"))?;
        let time: OfficeClock = Arc::new(move || Timestamp(office.now()));
        let mut council = Council::found_by(&folder.join("council"), area.slug, cards, time)?;
        let (mut institutions, mut requests) = (BTreeMap::new(), BTreeMap::new());
        for house in plan.houses() {
            let host = world.host(&area.party(house.slug()));
            let (institution, request) = Institution::prepare(area, *house, host, folder)?;
            council.enrol(&request)?;
            requests.insert(*house, request);
            institutions.insert(*house, institution);
        }
        council.publish(&folder.join("trust-list.cbor"))?;
        for institution in institutions.values() {
            institution.start().await?;
        }
        let today = CalendarDate::in_japan(clock.now()).ok_or_else(|| Stumble("no calendar".to_owned()))?;
        let mut chance = Chance::new(world.seed() ^ u64::from(area.number()) << 48);
        let people = people::settle(plan.guardians, plan.houses(), &mut chance, today);
        let office = Mutex::new(Office::new(council, requests, folder));
        let (world, guardians) = (world.clone(), Vec::new());
        let mut federation = Self { world, area, institutions, guardians, people, office };
        federation.acquaint().await?;
        federation.register().await?;
        federation.fill().await?;
        federation.issue(folder).await?;
        Ok(federation)
    }

    /// City hall: gateway and registry.
    ///
    /// # Errors
    /// Never: it is founded first.
    pub fn city_hall(&self) -> Result<&Institution, Stumble> {
        self.at(House::CityHall)
    }

    /// The institution of a house.
    ///
    /// # Errors
    /// The plan has none.
    pub fn at(&self, house: House) -> Result<&Institution, Stumble> {
        self.institutions.get(&house).ok_or_else(|| Stumble(format!("there is no {house}")))
    }

    /// The house of a member of this federation.
    pub fn house_of(&self, member: &MemberId) -> Option<House> {
        let ours = |house: &&House| self.area.member(**house) == member.as_str();
        self.institutions.keys().find(ours).copied()
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
            let asked = json!({ "action": "tokens", "member": self.area.member(*house) });
            let tokens = hall.command("resident", asked, CLERKS[0], Vec::new()).await?;
            let lines: Vec<String> = tokens.rows.iter().map(|row| format!("{row}\n")).collect();
            let file = lines.concat().into_bytes();
            institution.command("link", json!({ "action": "import" }), CLERKS[0], file).await?;
        }
        Ok(())
    }

    /// A card for every guardian, and her terminal.
    async fn issue(&mut self, folder: &Path) -> Result<(), Stumble> {
        let hall = self.city_hall()?.clone();
        let list = folder.join("cards.crl");
        self.office().write_revocations(&list)?;
        hall.command("card", json!({ "action": "revocations" }), CLERKS[0], read(&list)?).await?;
        for (place, holder) in self.people.card_holders.clone().iter().enumerate() {
            let card = RehearsedCard::new(place)?;
            let enrol = json!({ "action": "enrol", "resident": holder });
            hall.command("card", enrol, CLERKS[0], card.pem().as_bytes().to_vec()).await?;
            let expected = self.people.expected_of(holder);
            let name = self.area.party(&format!("guardian-{}", place + 1));
            let host = self.world.host(&name);
            let lists: [PathBuf; 2] = [folder.join("council/root.cbor"), folder.join("trust-list.cbor")];
            let gateway = (hall.member.clone(), hall.host.addr(super::institution::PORT));
            self.guardians.push(Guardian::new(name, host, card, lists, gateway, expected));
        }
        Ok(())
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Stumble> {
    fs::read(path).map_err(|error| Stumble(format!("{}: {error}", path.display())))
}
