//! The periods of a dose in words.

use hibiki_records::schedule::{DosePlan, Window};

use crate::web::Lang;

/// A kind of period, and the days.
pub(super) struct Period {
    pub(super) name: &'static str,
    /// The name where there is little room.
    pub(super) short: &'static str,
    /// In pieces between which a line may end.
    pub(super) days: Vec<String>,
}

/// The standard period and the legal ones, as far as the law provides for the dose.
pub(super) fn periods(dose: &DosePlan, lang: Lang) -> Vec<Period> {
    let days = |window: &Window| -> Vec<String> {
        let words = window.words();
        lang.summary(&words).split_inclusive(lang.t("から", " to ")).map(str::to_owned).collect()
    };
    let standard = dose.recommended.as_ref().map(days).unwrap_or_default();
    let legal = dose.legal.iter().flat_map(days).collect();
    let named = [
        (lang.t("標準の時期", "Usual time"), lang.t("標準", "usual"), standard),
        (lang.t("公費で受けられる期間", "Free of charge"), lang.t("公費", "free"), legal),
    ];
    let told = named.into_iter().filter(|(_, _, days): &(_, _, Vec<String>)| !days.is_empty());
    told.map(|(name, short, days)| Period { name, short, days }).collect()
}
