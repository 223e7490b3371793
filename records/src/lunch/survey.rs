//! What is known of the allergens of a menu, and what it means for what is registered for one child.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::allergen::Allergen;

/// Everything known of one menu's allergens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// What is or may be in it.
    pub findings: Vec<Finding>,
    /// What nobody could say anything about: such a day cannot be cleared for anybody.
    pub unknown: Vec<Source>,
}

/// One allergen in one thing on the menu.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// The allergen.
    pub allergen: Allergen,
    /// In what.
    pub source: Source,
    /// How sure.
    pub certainty: Certainty,
    /// Whether it is a seasoning that the 学校生活管理指導表 lets a child eat unless the doctor ticked
    /// 「より厳しい除去」.
    pub seasoning: bool,
    /// Why.
    pub rule: Rule,
}

/// A thing on a menu.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// An ingredient, as written.
    Ingredient(String),
    /// A dish, as written: a staple, or a dish whose ingredients are not listed.
    Dish(String),
    /// Milk to drink.
    Milk,
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// It is in it.
    Evident,
    /// It may be: somebody must read the label.
    CheckLabel,
}

/// The rule by which a finding was made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The kitchen read the label.
    Label,
    /// The kitchen's own words say so; the word.
    Kitchen(String),
    /// The table of ingredients says so; the word of the table.
    Ingredient(String),
    /// The table of staples and dishes says so; the word of the table.
    Dish(String),
    /// Milk to drink is served.
    DailyMilk,
    /// It often reacts together with this one, which was found (cashew and pistachio, walnut and pecan).
    CrossReactive(Allergen),
}

/// What is registered for one child.
pub type Registration = BTreeMap<Allergen, Removal>;

/// How strictly an allergen is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Removal {
    /// Seasonings need not be.
    Usual,
    /// より厳しい除去: seasonings, too.
    Strict,
}

/// Something that keeps a day from being cleared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// A registered allergen may be in it.
    CheckLabel(Finding),
    /// Nobody knows what is in it.
    Unknown(Source),
}

/// What a menu means for one child.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What she must not eat.
    pub contains: Vec<Finding>,
    /// What could not be cleared.
    pub doubts: Vec<Doubt>,
    /// Registered allergens in seasonings that need no removal for her.
    pub allowed: Vec<Finding>,
}

/// A decision in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing registered is in it, and everything in it is known.
    Clear,
    /// Nothing registered is known to be in it, but not everything is known.
    CannotBeCleared,
    /// Something registered is in it.
    Contains,
}

impl Decision {
    /// The decision in one word. Doubts beside something found change nothing about what was found.
    pub fn verdict(&self) -> Verdict {
        match (self.contains.is_empty(), self.doubts.is_empty()) {
            (false, _) => Verdict::Contains,
            (true, false) => Verdict::CannotBeCleared,
            (true, true) => Verdict::Clear,
        }
    }
}

/// Reads a survey for what is registered for one child. Where nothing is registered everything is clear.
pub fn judge(survey: &Survey, registered: &Registration) -> Decision {
    let mut decision = Decision::default();
    if registered.is_empty() {
        return decision;
    }
    for finding in &survey.findings {
        let Some(removal) = registered.get(&finding.allergen) else { continue };
        if finding.seasoning && *removal == Removal::Usual {
            decision.allowed.push(finding.clone());
        } else if finding.certainty == Certainty::Evident {
            decision.contains.push(finding.clone());
        } else {
            decision.doubts.push(Doubt::CheckLabel(finding.clone()));
        }
    }
    decision.doubts.extend(survey.unknown.iter().cloned().map(Doubt::Unknown));
    decision
}
