//! The items of check-ups that forms list, in the order of the forms.
//!
//! Sources: 妊婦健康診査 (平成27年厚生労働省告示226号 with the items of municipal coupons), 乳幼児健診 (母子保健法施行規則
//! 2条 and the 母子健康手帳), 学校健康診断 (学校保健安全法施行規則 6条). Order and labels only: which results are one
//! series is decided by code or by the item's full name. Must not know results.

use crate::category::{Category, Label};
use crate::fhir::codes::{JP_BODY_MEASUREMENT, LOINC};

/// An item of a form.
pub(super) struct Known {
    pub(super) label: Label,
    /// LOINC or MEDIS codes.
    codes: &'static [&'static str],
    /// What a name that means this item contains.
    words: &'static [&'static str],
}

const fn item(
    ja: &'static str,
    en: &'static str,
    codes: &'static [&'static str],
    words: &'static [&'static str],
) -> Known {
    Known { label: Label { ja, en }, codes, words }
}

const HEIGHT: Known =
    item("身長", "Height", &["8302-2", "8306-3", "31000298"], &["身長", "height", "length"]);
const WEIGHT: Known = item("体重", "Weight", &["29463-7", "31000296", "31000297"], &["体重", "weight"]);
const HEAD: Known =
    item("頭囲", "Head circumference", &["9843-4", "8287-5", "31006116"], &["頭囲", "head circ"]);
const CHEST: Known = item("胸囲", "Chest circumference", &["8279-2", "31000299"], &["胸囲", "chest"]);
const URINE_PROTEIN: Known = item("尿蛋白", "Urine protein", &["20454-5"], &["尿蛋白"]);
const URINE_GLUCOSE: Known = item("尿糖", "Urine glucose", &["25428-4"], &["尿糖"]);
const NUTRITION: Known = item("栄養状態", "Nutrition", &[], &["栄養"]);
const SPINE: Known =
    item("脊柱・胸郭・四肢", "Spine, thorax and limbs", &[], &["脊柱", "胸郭", "四肢", "側弯"]);
const EYES: Known = item("眼", "Eyes", &[], &["眼"]);
const HEARING: Known = item("聴力", "Hearing", &[], &["聴力", "聴覚", "hearing"]);
const EAR_NOSE_THROAT: Known = item("耳鼻咽頭", "Ear, nose and throat", &[], &["耳鼻", "咽頭"]);
const SKIN: Known = item("皮膚", "Skin", &[], &["皮膚", "skin"]);
const TEETH: Known = item("歯・口腔", "Teeth and mouth", &[], &["歯", "口腔", "teeth", "caries", "dental"]);
const OTHER: Known = item("その他の疾病及び異常", "Other findings", &[], &["その他"]);

static PRENATAL: [Known; 27] = [
    item(
        "妊娠週数",
        "Gestational age",
        &["18185-9", "11884-4"],
        &["妊娠週数", "在胎週数", "gestational age"],
    ),
    item("分娩予定日", "Expected date of delivery", &["11778-8", "11779-6"], &["予定日"]),
    item("最終月経", "Last menstrual period", &["8665-2"], &["最終月経"]),
    WEIGHT,
    HEIGHT,
    item("子宮底長", "Fundal height", &["11881-0"], &["子宮底", "fundal height"]),
    item("腹囲", "Abdominal circumference", &["8280-0", "31000301"], &["腹囲"]),
    item("収縮期血圧", "Systolic blood pressure", &["8480-6"], &["収縮期", "最高血圧", "systolic"]),
    item("拡張期血圧", "Diastolic blood pressure", &["8462-4"], &["拡張期", "最低血圧", "diastolic"]),
    item("血圧", "Blood pressure", &["85354-9"], &["血圧", "blood pressure"]),
    item("浮腫", "Oedema", &["44966-0"], &["浮腫", "むくみ", "edema", "oedema"]),
    URINE_PROTEIN,
    URINE_GLUCOSE,
    item("ABO血液型", "ABO blood group", &["883-9"], &["ABO"]),
    item("Rh血液型", "Rh blood group", &["10331-7"], &["Rh"]),
    item("不規則抗体", "Irregular antibodies", &["890-4"], &["不規則抗体"]),
    item("ヘモグロビン", "Haemoglobin", &["718-7"], &["ヘモグロビン", "血色素"]),
    item("ヘマトクリット", "Haematocrit", &["4544-3"], &["ヘマトクリット"]),
    item("血小板", "Platelets", &["777-3"], &["血小板"]),
    item("血糖", "Blood glucose", &["2339-0", "2345-7"], &["血糖"]),
    item("B型肝炎抗原(HBs)", "Hepatitis B antigen", &["5196-1"], &["HBs", "B型肝炎"]),
    item("C型肝炎抗体", "Hepatitis C antibody", &["13955-0"], &["HCV", "C型肝炎"]),
    item("風疹IgG抗体", "Rubella IgG", &["8014-3"], &["風疹IgG", "風しんIgG"]),
    item("風疹抗体価(HI)", "Rubella antibody titre (HI)", &["22497-2"], &["風疹", "風しん", "rubella"]),
    item("HTLV-1抗体", "HTLV-1 antibody", &[], &["HTLV"]),
    item("B群溶血性レンサ球菌(GBS)", "Group B streptococcus", &[], &["GBS", "B群溶血性"]),
    item("超音波検査", "Ultrasound", &[], &["超音波", "ultrasound"]),
];

static CHILDHOOD: [Known; 28] = [
    HEIGHT,
    WEIGHT,
    CHEST,
    HEAD,
    item("栄養法", "Feeding", &[], &["栄養法", "feeding"]),
    NUTRITION,
    item("ビタミンK2投与", "Vitamin K2", &[], &["ビタミンK", "vitamin k"]),
    item("新生児マススクリーニング", "Newborn screening", &[], &["マススクリーニング", "先天性代謝異常"]),
    item("新生児聴覚検査", "Newborn hearing", &[], &["新生児聴覚", "newborn hearing"]),
    item("定頸(首すわり)", "Head control", &[], &["定頸", "首すわり", "首のすわり", "head control"]),
    item("追視", "Visual tracking", &[], &["追視"]),
    item("股関節開排制限", "Hip abduction", &[], &["股関節", "hip"]),
    item("寝返り", "Rolling over", &[], &["寝返り"]),
    item("お座り", "Sitting", &[], &["お座り", "おすわり"]),
    item("はいはい", "Crawling", &[], &["はいはい"]),
    item("つかまり立ち", "Pulling up to stand", &[], &["つかまり立ち"]),
    item("歩行", "Walking", &[], &["歩行", "ひとり歩き", "一人歩き", "walking"]),
    item("精神発達", "Mental development", &[], &["精神発達", "指さし"]),
    item("有意語", "Words", &[], &["有意語", "言語", "ことば"]),
    SPINE,
    SKIN,
    item("視力", "Eyesight", &[], &["視力", "eyesight"]),
    EYES,
    HEARING,
    EAR_NOSE_THROAT,
    TEETH,
    item("尿検査", "Urine", &[], &["尿", "urine"]),
    OTHER,
];

static SCHOOL: [Known; 17] = [
    HEIGHT,
    WEIGHT,
    NUTRITION,
    SPINE,
    item("視力", "Eyesight", &[], &["視力", "eyesight"]),
    EYES,
    HEARING,
    EAR_NOSE_THROAT,
    SKIN,
    item("結核", "Tuberculosis", &[], &["結核"]),
    item("心臓(心電図)", "Heart (ECG)", &[], &["心臓", "心電図", "heart"]),
    URINE_PROTEIN,
    URINE_GLUCOSE,
    item("尿", "Urine", &[], &["尿", "urine"]),
    TEETH,
    OTHER,
    item("学校医所見", "School doctor's finding", &[], &["学校医", "内科", "所見", "physician"]),
];

/// The items of the forms of one category.
fn form(category: Category) -> &'static [Known] {
    match category {
        Category::PrenatalCheckup => &PRENATAL,
        Category::InfantCheckup => &CHILDHOOD,
        Category::HealthExam => &SCHOOL,
        _ => &[],
    }
}

/// The item that one of these codes (system and code) names, in the form of any check-up.
pub(super) fn by_code<'a>(
    codings: impl Iterator<Item = (&'a str, &'a str)> + Clone,
) -> Option<&'static Known> {
    let ours = |system: &str| {
        system == LOINC || system == JP_BODY_MEASUREMENT || system.starts_with("http://medis.or.jp/")
    };
    let mut items = PRENATAL.iter().chain(&CHILDHOOD).chain(&SCHOOL);
    items.find(|known| codings.clone().any(|(system, code)| ours(system) && known.codes.contains(&code)))
}

/// Whether an item is called exactly what a form calls it, apart from what stands in brackets.
pub(super) fn by_name(category: Category, name: &str) -> Option<&'static Known> {
    let plain = |text: &str| text.split(['(', '（']).next().unwrap_or_default().trim().to_owned();
    form(category).iter().find(|known| plain(known.label.ja) == plain(name))
}

/// The place of an item on the form of its category; what no form knows comes last.
pub(super) fn position(category: Category, known: Option<Label>, name: &str) -> usize {
    let form = form(category);
    let coded = known.and_then(|known| form.iter().position(|it| it.label == known));
    let name = name.to_lowercase();
    let worded =
        || form.iter().position(|it| it.words.iter().any(|word| name.contains(&word.to_lowercase())));
    coded.or_else(worded).unwrap_or(form.len())
}
