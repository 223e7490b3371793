//! Vaccines and the diseases they are against, read once from `vaccines.json`.
//!
//! Owns the table and its checks. Must not know how a record is worded ([`super::recognise`]) or what counts
//! for which series ([`crate::schedule`]).

use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::category::Label;
use crate::fhir::codes;

/// A disease that a vaccine is against, as the Japanese law and files name it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disease {
    /// Stable name.
    pub id: &'static str,
    /// 対象疾病.
    pub label: Label,
    /// SNOMED CT.
    pub snomed: &'static str,
    /// 病名交換用コード, as far as sourced.
    pub(super) medis: Vec<&'static str>,
    /// Other names it goes by.
    pub(super) names: Vec<&'static str>,
}

/// Whether and how a vaccine is live: two injected live vaccines need a gap between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 不活化ワクチン, トキソイド, mRNA.
    NotLive,
    /// 経口生ワクチン.
    LiveOral,
    /// 経鼻生ワクチン.
    LiveNasal,
    /// 注射生ワクチン.
    LiveInjected,
}

/// A vaccine: one product, or products that count alike.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vaccine {
    /// Stable name; the code in [`codes::VACCINE`].
    pub id: &'static str,
    /// What a guardian reads.
    pub label: Label,
    /// Live or not.
    pub kind: Kind,
    /// Ids of the diseases, where the Japanese programme knows them.
    pub diseases: Vec<&'static str>,
    /// CVX codes.
    pub cvx: Vec<&'static str>,
    /// YJ codes, as far as sourced.
    #[serde(default)]
    pub(super) yj: Vec<&'static str>,
    /// HOT9 codes, as far as sourced.
    #[serde(default)]
    pub(super) hot9: Vec<&'static str>,
    /// Names of it and of its products, in addition to the label.
    pub(super) names: Vec<&'static str>,
}

impl fmt::Debug for Vaccine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vaccine({})", self.id)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    #[serde(rename = "source")]
    _source: &'static str,
    pub(super) diseases: Vec<Disease>,
    pub(super) vaccines: Vec<Vaccine>,
}

#[expect(clippy::expect_used, reason = "part of the program, not input; a test reads it")]
static TABLE: LazyLock<Table> =
    LazyLock::new(|| read(include_str!("vaccines.json")).expect("the table of vaccines is sound"));

pub(super) fn table() -> &'static Table {
    &TABLE
}

/// Every vaccine we know.
pub fn vaccines() -> &'static [Vaccine] {
    &table().vaccines
}

/// Every disease we know.
pub fn diseases() -> &'static [Disease] {
    &table().diseases
}

/// The vaccine of that id.
pub fn vaccine(id: &str) -> Option<&'static Vaccine> {
    vaccines().iter().find(|vaccine| vaccine.id == id)
}

/// The vaccine of a code.
pub(crate) fn coded(system: &str, code: &str) -> Option<&'static Vaccine> {
    vaccines().iter().find(|vaccine| match system {
        codes::VACCINE => vaccine.id == code,
        codes::CVX => vaccine.cvx.contains(&code),
        codes::YJ => vaccine.yj.contains(&code),
        codes::HOT9 => vaccine.hot9.contains(&code),
        _ => false,
    })
}

/// The disease of a code.
pub(super) fn coded_disease(system: &str, code: &str) -> Option<&'static Disease> {
    diseases().iter().find(|disease| match system {
        codes::SNOMED => disease.snomed == code,
        codes::MEDIS_DISEASE => disease.medis.contains(&code),
        _ => false,
    })
}

/// The vaccine against exactly these diseases; the first listed stands for all of them.
pub(super) fn against(wanted: &BTreeSet<&str>) -> Option<&'static Vaccine> {
    let exactly = |vaccine: &&Vaccine| {
        vaccine.diseases.len() == wanted.len() && vaccine.diseases.iter().all(|id| wanted.contains(id))
    };
    vaccines().iter().filter(|_| !wanted.is_empty()).find(exactly)
}

/// Reads and checks the table; the error is for whoever edits it.
fn read(text: &'static str) -> Result<Table, String> {
    let table: Table = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut ids = BTreeSet::new();
    let mut codes = BTreeSet::new();
    for disease in &table.diseases {
        let fresh = ids.insert(disease.id) && codes.insert(("snomed", disease.snomed));
        if !fresh || disease.label.ja.is_empty() {
            return Err(format!("disease {} is doubled or has no name", disease.id));
        }
    }
    let mut names = BTreeSet::new();
    for vaccine in &table.vaccines {
        if let Some(unknown) = vaccine.diseases.iter().find(|id| !ids.contains(*id)) {
            return Err(format!("vaccine {} is against {unknown}, which is no disease here", vaccine.id));
        }
        let all = vaccine.cvx.iter().map(|code| ("cvx", *code));
        let all = all.chain(vaccine.yj.iter().map(|code| ("yj", *code)));
        let all = all.chain(vaccine.hot9.iter().map(|code| ("hot9", *code))).chain([("id", vaccine.id)]);
        for code in all {
            if !codes.insert(code) {
                return Err(format!("vaccine {}: {} {} is doubled", vaccine.id, code.0, code.1));
            }
        }
        for name in &vaccine.names {
            if !names.insert(*name) {
                return Err(format!("vaccine {}: the name {name} is doubled", vaccine.id));
            }
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound_and_damage_is_noticed() {
        let text = include_str!("vaccines.json");
        assert!(read(text).is_ok(), "{:?}", read(text).err());
        assert!(vaccines().len() > 40 && diseases().len() == 18);
        for (from, to) in [
            ("\"cvx\": [\"08\"", "\"cvx\": [\"43\""),
            ("\"id\": \"rv1\"", "\"id\": \"rv5\""),
            ("\"diseases\": [\"tuberculosis\"]", "\"diseases\": [\"plague\"]"),
            ("\"kind\": \"live_oral\"", "\"kind\": \"alive\""),
            ("\"cvx\": [\"19\"]", "\"cvx\": [\"19\"], \"cvz\": []"),
        ] {
            let damaged: &'static str = Box::leak(text.replacen(from, to, 1).into_boxed_str());
            assert_ne!(damaged, text, "{from}");
            assert!(read(damaged).is_err(), "{to}");
        }
    }

    #[test]
    fn codes_lead_to_vaccines() {
        let id = |system, code| coded(system, code).map(|vaccine| vaccine.id);
        assert_eq!(id(codes::CVX, "120"), Some("dpt_ipv_hib"));
        assert_eq!(id(codes::VACCINE, "mr"), Some("mr"));
        assert_eq!(id(codes::YJ, "6311400A1010"), Some("ppsv23"));
        assert_eq!(id(codes::HOT9, "182110901"), Some("covid19"));
        assert_eq!(id(codes::CVX, "mr"), None);
        assert_eq!(id("http://elsewhere.example", "120"), None);
        assert_eq!(coded_disease(codes::MEDIS_DISEASE, "VQH3").unwrap().id, "pneumococcal");
    }

    #[test]
    fn a_set_of_diseases_names_the_vaccine_that_counts_for_it() {
        for (wanted, expected) in [
            (&["hepatitis_b"][..], Some("hbv")),
            (&["rotavirus"], Some("rota")),
            (&["pneumococcal"], Some("pcv")),
            (&["hpv"], Some("hpv")),
            (&["measles", "rubella"], Some("mr")),
            (&["pertussis", "diphtheria", "tetanus", "polio", "hib"], Some("dpt_ipv_hib")),
            (&["pertussis", "diphtheria", "tetanus", "polio"], Some("dpt_ipv")),
            (&["polio"], Some("ipv")),
            (&["japanese_encephalitis"], Some("je")),
            (&["influenza"], Some("influenza")),
            (&["pertussis", "hpv"], None),
            (&[], None),
        ] {
            let wanted: BTreeSet<&str> = wanted.iter().copied().collect();
            assert_eq!(against(&wanted).map(|vaccine| vaccine.id), expected);
        }
    }
}
