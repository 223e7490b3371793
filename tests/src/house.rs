//! The six institutions of the town, two more that join where eight are wanted, and clinics where many are.

use std::fmt;

use hibiki_protocol::ids::MemberId;

/// One institution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum House {
    /// City hall: registry, gateway, the city's vaccination ledger and prenatal coupons.
    CityHall,
    /// The city's health centre: infant check-ups.
    HealthCentre,
    /// The hospital: births, prenatal check-ups, the first vaccinations.
    Hospital,
    /// The paediatric clinic: vaccinations, growth, allergies.
    Clinic,
    /// The pharmacy: medicines handed out.
    Pharmacy,
    /// The elementary school: health examinations, notices, events.
    School,
    /// A nursery school: growth, allergies. One of the eight.
    Nursery,
    /// A dental clinic: dental check-ups. One of the eight.
    Dentist,
    /// One of the clinics that only a large city has, by its place among them.
    More(u8),
}

/// Ids of the further clinics; their slugs are the same without the federation's name.
const CLINICS: [&str; 24] = [
    "maebashi/clinic-01",
    "maebashi/clinic-02",
    "maebashi/clinic-03",
    "maebashi/clinic-04",
    "maebashi/clinic-05",
    "maebashi/clinic-06",
    "maebashi/clinic-07",
    "maebashi/clinic-08",
    "maebashi/clinic-09",
    "maebashi/clinic-10",
    "maebashi/clinic-11",
    "maebashi/clinic-12",
    "maebashi/clinic-13",
    "maebashi/clinic-14",
    "maebashi/clinic-15",
    "maebashi/clinic-16",
    "maebashi/clinic-17",
    "maebashi/clinic-18",
    "maebashi/clinic-19",
    "maebashi/clinic-20",
    "maebashi/clinic-21",
    "maebashi/clinic-22",
    "maebashi/clinic-23",
    "maebashi/clinic-24",
];

impl House {
    /// The eight of the proof of locality.
    pub const EIGHT: [Self; 8] = [
        Self::CityHall,
        Self::HealthCentre,
        Self::Hospital,
        Self::Clinic,
        Self::Pharmacy,
        Self::School,
        Self::Nursery,
        Self::Dentist,
    ];
    /// A large city: the eight and every further clinic.
    pub const CITY: [Self; 32] = {
        let (mut all, mut place) = ([Self::CityHall; 32], 0);
        while place < all.len() {
            all[place] = if place < 8 { Self::EIGHT[place] } else { Self::More(place as u8 - 8) };
            place += 1;
        }
        all
    };
    /// The six of the demo and of most scenarios.
    pub const ALL: [Self; 6] =
        [Self::CityHall, Self::HealthCentre, Self::Hospital, Self::Clinic, Self::Pharmacy, Self::School];
    /// All but city hall: those that can be dead while there still is somebody to ask.
    pub const OTHERS: [Self; 5] =
        [Self::HealthCentre, Self::Hospital, Self::Clinic, Self::Pharmacy, Self::School];

    /// Member id within the federation `maebashi`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::CityHall => "maebashi/city-hall",
            Self::HealthCentre => "maebashi/health-centre",
            Self::Hospital => "maebashi/chuo-hospital",
            Self::Clinic => "maebashi/kodomo-clinic",
            Self::Pharmacy => "maebashi/midori-pharmacy",
            Self::School => "maebashi/momiji-elementary",
            Self::Nursery => "maebashi/sakura-nursery",
            Self::Dentist => "maebashi/hikari-dental",
            Self::More(place) => CLINICS[place as usize],
        }
    }

    /// The id as the protocol's type.
    ///
    /// # Panics
    /// Never: the ids above are well-formed.
    #[expect(clippy::expect_used, reason = "constants, and a test reads them all")]
    pub fn member(self) -> MemberId {
        MemberId::new(self.id()).expect("a well-formed member id")
    }

    /// Name of its folder.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::CityHall => "city-hall",
            Self::HealthCentre => "health-centre",
            Self::Hospital => "chuo-hospital",
            Self::Clinic => "kodomo-clinic",
            Self::Pharmacy => "midori-pharmacy",
            Self::School => "momiji-elementary",
            Self::Nursery => "sakura-nursery",
            Self::Dentist => "hikari-dental",
            Self::More(place) => CLINICS[place as usize].split_at("maebashi/".len()).1,
        }
    }

    /// Kind, as configurations write it.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::CityHall => "city-hall",
            Self::HealthCentre => "health-centre",
            Self::Hospital => "hospital",
            Self::Clinic | Self::Dentist | Self::More(_) => "clinic",
            Self::Pharmacy => "pharmacy",
            Self::School => "school",
            Self::Nursery => "nursery",
        }
    }

    /// Display names, Japanese and English.
    pub const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::CityHall => ("前橋市役所", "Maebashi City Hall"),
            Self::HealthCentre => ("前橋市保健センター", "Maebashi Health Centre"),
            Self::Hospital => ("中央病院", "Chuo Hospital"),
            Self::Clinic => ("こどもクリニック", "Kodomo Clinic"),
            Self::Pharmacy => ("みどり薬局", "Midori Pharmacy"),
            Self::School => ("もみじ小学校", "Momiji Elementary School"),
            Self::Nursery => ("さくら保育園", "Sakura Nursery School"),
            Self::Dentist => ("ひかり歯科", "Hikari Dental Clinic"),
            Self::More(_) => ("診療所", "Clinic"),
        }
    }

    /// The house of a member id.
    pub fn of(id: &str) -> Option<Self> {
        Self::CITY.into_iter().find(|house| house.id() == id)
    }

    /// A local number in this house's own style.
    pub fn local_number(self, drawn: u64) -> String {
        match self {
            Self::CityHall => format!("C-{:06}", drawn % 1_000_000),
            Self::HealthCentre => format!("BK{:07}", drawn % 10_000_000),
            Self::Hospital => format!("H{:02}-{:05}", drawn % 100, drawn / 100 % 100_000),
            Self::Clinic => format!("KC.{:06}", drawn % 1_000_000),
            Self::Pharmacy => format!("Y{:08}", drawn % 100_000_000),
            Self::School => format!("M-{:02}-{:05}", drawn % 100, drawn / 100 % 100_000),
            Self::Nursery => format!("SN{:05}", drawn % 100_000),
            Self::Dentist => format!("D-{:06}", drawn % 1_000_000),
            Self::More(place) => format!("K{place}-{:06}", drawn % 1_000_000),
        }
    }
}

impl fmt::Display for House {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lead_back() {
        for house in House::CITY {
            assert_eq!(House::of(house.member().as_str()), Some(house));
            assert!(house.id().ends_with(house.slug()));
        }
    }
}
