//! Kinds of places where a rubella record could be.
//!
//! Must not know the institutions themselves, nor what any of them answered.

use serde::Deserialize;

use crate::category::Label;

/// What kind of place a holder of records is. The names are those of the federation's kinds of member, and
/// 教育委員会, which keeps the lists of schools and is no member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolderKind {
    /// 市役所・町村役場.
    CityHall,
    /// 保健センター・保健所.
    HealthCentre,
    /// 病院.
    Hospital,
    /// 診療所.
    Clinic,
    /// 調剤薬局.
    Pharmacy,
    /// 学校.
    School,
    /// 教育委員会.
    EducationBoard,
    /// 保育所・幼稚園・認定こども園.
    Nursery,
    /// A witness of logs: holds no records.
    Observer,
    /// A kind this version does not know; it could hold anything.
    Other,
}

impl HolderKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::CityHall,
        Self::HealthCentre,
        Self::Hospital,
        Self::Clinic,
        Self::Pharmacy,
        Self::School,
        Self::EducationBoard,
        Self::Nursery,
        Self::Observer,
        Self::Other,
    ];

    /// The kind of that name; a name from a later version is [`Self::Other`].
    pub fn named(name: &str) -> Self {
        match name {
            "city_hall" => Self::CityHall,
            "health_centre" => Self::HealthCentre,
            "hospital" => Self::Hospital,
            "clinic" => Self::Clinic,
            "pharmacy" => Self::Pharmacy,
            "school" => Self::School,
            "education_board" => Self::EducationBoard,
            "nursery" => Self::Nursery,
            "observer" => Self::Observer,
            _ => Self::Other,
        }
    }

    /// What a citizen calls it.
    pub const fn label(self) -> Label {
        match self {
            Self::CityHall => Label { ja: "市役所・町村役場", en: "City or town hall" },
            Self::HealthCentre => Label { ja: "保健センター・保健所", en: "Health centre" },
            Self::Hospital => Label { ja: "病院", en: "Hospital" },
            Self::Clinic => Label { ja: "診療所", en: "Clinic" },
            Self::Pharmacy => Label { ja: "薬局", en: "Pharmacy" },
            Self::School => Label { ja: "学校", en: "School" },
            Self::EducationBoard => Label { ja: "教育委員会", en: "Board of education" },
            Self::Nursery => Label {
                ja: "保育所・幼稚園・認定こども園",
                en: "Nursery school or kindergarten",
            },
            Self::Observer => Label { ja: "監査機関", en: "Auditor" },
            Self::Other => Label { ja: "そのほかの機関", en: "Other institution" },
        }
    }

    /// Whether such a place vaccinates or tests outside any programme, too: a paid dose, an antibody test in
    /// pregnancy. Its silence therefore always matters.
    pub const fn treats_anybody(self) -> bool {
        matches!(self, Self::CityHall | Self::HealthCentre | Self::Hospital | Self::Clinic | Self::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_kind_could_hold_anything() {
        assert_eq!(HolderKind::named("university"), HolderKind::Other);
        assert!(HolderKind::Other.treats_anybody());
        for kind in HolderKind::ALL {
            assert!(!kind.label().ja.is_empty() && !kind.label().en.is_empty());
        }
        for name in
            ["city_hall", "health_centre", "hospital", "clinic", "pharmacy", "school", "nursery", "observer"]
        {
            assert_ne!(HolderKind::named(name), HolderKind::Other, "{name}");
            assert_eq!(serde_json::from_value::<HolderKind>(name.into()).unwrap(), HolderKind::named(name));
        }
    }
}
