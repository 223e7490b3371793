//! Which vaccine a record means.
//!
//! Owns the order: a code beyond doubt, then a name (the whole text first, else the longest name it
//! contains), then the set of target diseases. A vaccine that none of these tells stays unknown: nothing is
//! guessed from a dose number or an age. Must not know FHIR elements ([`super`]).

use std::collections::BTreeSet;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

use super::vaccine::{Vaccine, against, coded, coded_disease, diseases, vaccines};

/// How a vaccine was recognised, the surest way first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecognisedBy {
    /// A code: Hibiki's own, CVX, YJ or HOT9.
    Code,
    /// The name of the vaccine or product.
    Name,
    /// The target diseases.
    Diseases,
}

/// What a record says about its vaccine.
#[derive(Default)]
pub(super) struct Evidence<'a> {
    /// System and code of each coding.
    pub(super) codes: Vec<(&'a str, &'a str)>,
    /// Words, the most telling first.
    pub(super) names: Vec<&'a str>,
    /// System and code of each target disease.
    pub(super) disease_codes: Vec<(&'a str, &'a str)>,
    /// Words of each target disease.
    pub(super) disease_names: Vec<&'a str>,
}

pub(super) fn recognise(evidence: &Evidence<'_>) -> Option<(&'static Vaccine, RecognisedBy)> {
    let by_code = evidence.codes.iter().find_map(|(system, code)| coded(system, code));
    let by_name = || evidence.names.iter().find_map(|name| named(name));
    let by_diseases = || {
        let codes = evidence.disease_codes.iter().filter_map(|(system, code)| coded_disease(system, code));
        let names = evidence.disease_names.iter().filter_map(|name| {
            let text = Folded::of(name);
            diseases().iter().find(|disease| {
                let all = disease.names.iter().chain([&disease.label.ja, &disease.label.en]);
                all.map(|name| Folded::of(name)).any(|name| name.compact == text.compact)
            })
        });
        let wanted: BTreeSet<&str> = codes.chain(names).map(|disease| disease.id).collect();
        against(&wanted)
    };
    by_code
        .map(|vaccine| (vaccine, RecognisedBy::Code))
        .or_else(|| Some((by_name()?, RecognisedBy::Name)))
        .or_else(|| Some((by_diseases()?, RecognisedBy::Diseases)))
}

/// Every name of every vaccine, ready to be compared.
static NAMES: LazyLock<Vec<(&'static Vaccine, Folded)>> = LazyLock::new(|| {
    let all = vaccines().iter().flat_map(|vaccine| {
        let own = vaccine.names.iter().chain([&vaccine.label.ja, &vaccine.label.en]);
        own.map(move |name| (vaccine, Folded::of(name)))
    });
    all.collect()
});

/// The vaccine with the longest name that the text is or contains; where that is the general word for
/// several products (肺炎球菌, HPV, ロタ) and the text names one of them too, that product.
fn named(text: &str) -> Option<&'static Vaccine> {
    let text = Folded::of(text);
    let found: Vec<&(&'static Vaccine, Folded)> =
        NAMES.iter().filter(|(_, name)| text.contains(name)).collect();
    let longest = |product_of: Option<&Vaccine>| {
        let named = found.iter().filter(|(vaccine, name)| {
            product_of.is_none_or(|general| {
                let shared =
                    |(it, other): &&(&Vaccine, Folded)| it.id == general.id && other.compact == name.compact;
                vaccine.diseases == general.diseases && !found.iter().any(shared)
            })
        });
        // The first of equals: the table lists the general vaccine before its products.
        named.reduce(|best, next| if next.1.length() > best.1.length() { next } else { best })
    };
    let (best, _) = longest(None)?;
    let general = against(&best.diseases.iter().copied().collect()).is_some_and(|it| it.id == best.id);
    let product = if general { longest(Some(best)) } else { None };
    Some(product.map_or(best, |(vaccine, _)| vaccine))
}

/// Text without differences of width, case, spacing and punctuation.
struct Folded {
    /// Letters and digits only.
    compact: String,
    /// The same with one space where others stood, and at both ends.
    spaced: String,
}

impl Folded {
    fn of(text: &str) -> Self {
        // Nobody names a vaccine at greater length.
        const MAX_CHARS: usize = 256;
        let mut compact = String::new();
        let mut spaced = String::from(" ");
        for c in text.chars().take(MAX_CHARS).nfkc().flat_map(char::to_lowercase) {
            if c.is_alphanumeric() {
                compact.push(c);
                spaced.push(c);
            } else if !spaced.ends_with(' ') {
                spaced.push(' ');
            }
        }
        if !spaced.ends_with(' ') {
            spaced.push(' ');
        }
        Self { compact, spaced }
    }

    fn length(&self) -> usize {
        self.compact.chars().count()
    }

    /// Japanese is written without spaces: three characters that stand together name a vaccine. Latin names
    /// count as whole words only.
    fn contains(&self, name: &Self) -> bool {
        if self.compact == name.compact {
            return true;
        }
        if name.compact.is_ascii() {
            !name.compact.is_empty() && self.spaced.contains(&name.spaced)
        } else {
            name.length() >= 3 && self.compact.contains(&name.compact)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> Option<&'static str> {
        named(name).map(|vaccine| vaccine.id)
    }

    #[test]
    fn every_name_of_the_table_leads_back() {
        for vaccine in vaccines() {
            for name in &vaccine.names {
                assert_eq!(id(name), Some(vaccine.id), "{name}");
                assert_eq!(id(&format!("【{name}】")), Some(vaccine.id), "{name}");
            }
            // Several vaccines share a label; what counts for a series is the same for all of them.
            let labelled = vaccines().iter().find(|other| Some(other.id) == id(vaccine.label.ja)).unwrap();
            assert_eq!(labelled.diseases, vaccine.diseases, "{}", vaccine.id);
        }
    }

    #[test]
    fn japanese_files_name_vaccines_in_many_ways() {
        for (text, expected) in [
            ("四種混合(DPT-IPV)", Some("dpt_ipv")),
            ("４種混合　第１期初回", Some("dpt_ipv")),
            ("五種混合ワクチン", Some("dpt_ipv_hib")),
            ("DPT‐IPV‐Hib", Some("dpt_ipv_hib")),
            ("クアトロバック皮下注シリンジ", Some("dpt_ipv")),
            ("ゴービック水性懸濁注シリンジ", Some("dpt_ipv_hib")),
            ("麻しん・風しん混合", Some("mr")),
            ("MR(麻しん風しん)第2期", Some("mr")),
            ("麻疹", Some("measles")),
            ("風疹", Some("rubella")),
            ("ﾋﾌﾞ", Some("hib")),
            ("Hib(インフルエンザ菌b型)", Some("hib")),
            ("インフルエンザ", Some("influenza")),
            ("水痘ワクチン「ビケン」 乾燥弱毒生水痘ワクチン", Some("varicella")),
            ("小児用肺炎球菌(PCV13)", Some("pcv13")),
            ("プレベナー20水性懸濁注", Some("pcv20")),
            ("肺炎球菌", Some("pcv")),
            ("ニューモバックスNP", Some("ppsv23")),
            ("ロタウイルス(1価)", Some("rv1")),
            ("ロタ", Some("rota")),
            ("子宮頸がん予防ワクチン(サーバリックス)", Some("hpv2")),
            ("子宮頸がん予防(HPV9)", Some("hpv9")),
            ("シルガード９", Some("hpv9")),
            ("ＢＣＧ", Some("bcg")),
            ("日本脳炎", Some("je")),
            ("二種混合（ＤＴ）", Some("dt")),
            ("DT", Some("dt")),
            ("三種混合(DPT)", Some("dpt")),
            ("B型肝炎(HBV)", Some("hbv")),
            ("A型肝炎", Some("hepatitis_a")),
            ("Pneumococcal conjugate PCV 13", Some("pcv13")),
            ("Hep B, adolescent or pediatric", Some("hbv")),
            ("Influenza, seasonal, injectable", Some("influenza")),
            ("meningococcal MCV4P", Some("mcv4")),
            ("狂犬病", None),
            ("MR-vaccine", Some("mr")),
            ("summary", None),
            ("", None),
            ("「」", None),
        ] {
            assert_eq!(id(text), expected, "{text}");
        }
    }

    #[test]
    fn codes_come_before_names_and_names_before_diseases() {
        let both = Evidence {
            codes: vec![("http://elsewhere.example", "4"), (crate::fhir::codes::CVX, "03")],
            names: vec!["BCG"],
            ..Evidence::default()
        };
        assert_eq!(recognise(&both).map(|(it, how)| (it.id, how)), Some(("mmr", RecognisedBy::Code)));
        let names = Evidence {
            names: vec!["よくわからないもの", "BCG"],
            disease_names: vec!["麻しん"],
            ..Evidence::default()
        };
        assert_eq!(recognise(&names).map(|(it, how)| (it.id, how)), Some(("bcg", RecognisedBy::Name)));
        let diseases = Evidence {
            disease_codes: vec![(crate::fhir::codes::SNOMED, "14189004")],
            disease_names: vec!["風疹"],
            ..Evidence::default()
        };
        assert_eq!(recognise(&diseases).map(|(it, how)| (it.id, how)), Some(("mr", RecognisedBy::Diseases)));
        assert!(recognise(&Evidence::default()).is_none());
    }
}
