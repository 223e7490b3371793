use proptest::prelude::*;

use super::*;

fn one(content: &str) -> Evidence {
    let mut found = find(content.as_bytes());
    assert_eq!(found.len(), 1, "{content}");
    found.remove(0)
}

fn immunization(vaccine: &str, more: &str) -> String {
    format!(
        r#"{{"resourceType":"Immunization","status":"completed","vaccineCode":{vaccine},"occurrenceDateTime":"2019-06-10"{more}}}"#
    )
}

fn cvx(code: &str) -> String {
    format!(r#"{{"coding":[{{"system":"http://hl7.org/fhir/sid/cvx","code":"{code}"}}]}}"#)
}

fn text(text: &str) -> String {
    format!(r#"{{"text":"{text}"}}"#)
}

fn observation(code: &str, value: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","status":"final","code":{code},"effectiveDateTime":"2024-05-07T10:00:00+09:00",{value}}}"#
    )
}

#[test]
fn vaccines_are_known_by_code_and_by_name() {
    use Vaccine::{
        AgainstRubella, MeaslesMumpsRubella, MeaslesMumpsRubellaVaricella, MeaslesRubella, Rubella,
    };
    for (concept, expected) in [
        (cvx("06"), Rubella),
        (cvx("6"), Rubella),
        (cvx("04"), MeaslesRubella),
        (cvx("03"), MeaslesMumpsRubella),
        (cvx("94"), MeaslesMumpsRubellaVaricella),
        (cvx("38"), AgainstRubella),
        (r#"{"coding":[{"system":"urn:oid:1.2.3","code":"MR"}]}"#.to_owned(), MeaslesRubella),
        (r#"{"coding":[{"code":"rubella"}]}"#.to_owned(), Rubella),
        (text("風しん"), Rubella),
        (text("乾燥弱毒生風しんワクチン"), Rubella),
        (text("ＭＲワクチン"), MeaslesRubella),
        (text("MR混合1期"), MeaslesRubella),
        (text("麻しん風しん混合"), MeaslesRubella),
        (text("はしか風しん混合生ワクチン「第一三共」"), MeaslesRubella),
        (text("ミールビック"), MeaslesRubella),
        (text("麻しん・おたふくかぜ・風しん混合"), MeaslesMumpsRubella),
        (text("M-M-R II"), MeaslesMumpsRubella),
        (text("Measles, mumps and rubella virus vaccine"), MeaslesMumpsRubella),
    ] {
        let evidence = one(&immunization(&concept, ""));
        assert_eq!(evidence.vaccination().unwrap().vaccine, expected, "{concept}");
    }
}

#[test]
fn other_vaccines_are_none() {
    for concept in [
        cvx("05"),
        cvx("21"),
        cvx("213"),
        text("新型コロナウイルス(mRNA)ワクチン"),
        text("麻しん(単抗原)"),
        text("MRSA"),
        text("水痘"),
        r#"{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"mr"}]}"#.to_owned(),
        "7".to_owned(),
        "[]".to_owned(),
    ] {
        assert!(find(immunization(&concept, "").as_bytes()).is_empty(), "{concept}");
    }
}

#[test]
fn the_target_disease_tells_where_the_vaccine_does_not() {
    for disease in
        [r#"{"coding":[{"system":"http://snomed.info/sct","code":"36653000"}]}"#, r#"{"text":"風疹"}"#]
    {
        let more =
            format!(r#","protocolApplied":[{{"targetDisease":[{disease}],"doseNumberPositiveInt":1}}]"#);
        let evidence = one(&immunization(&text("生ワクチン"), &more));
        assert_eq!(evidence.vaccination().unwrap().vaccine, Vaccine::AgainstRubella);
        assert_eq!(evidence.vaccination().unwrap().dose, Some(1));
    }
}

#[test]
fn the_term_is_read_in_every_spelling() {
    for (protocol, term) in [
        (r#"{"series":"第1期","doseNumberPositiveInt":1}"#, Some(Term::First)),
        (r#"{"series":"MR 第２期"}"#, Some(Term::Second)),
        (r#"{"doseNumberString":"3期"}"#, Some(Term::Third)),
        (r#"{"doseNumberString":"第四期"}"#, Some(Term::Fourth)),
        (r#"{"series":"Ⅱ期"}"#, Some(Term::Second)),
        (r#"{"series":"第Ⅳ期"}"#, Some(Term::Fourth)),
        (r#"{"series":"12期"}"#, None),
        (r#"{"series":"風しん第5期"}"#, Some(Term::Fifth)),
        (r#"{"series":"成人期"}"#, None),
        (r#"{"doseNumberPositiveInt":2}"#, None),
    ] {
        let evidence = one(&immunization(&cvx("04"), &format!(r#","protocolApplied":[{protocol}]"#)));
        assert_eq!(evidence.vaccination().unwrap().term, term, "{protocol}");
    }
    let evidence = one(&immunization(
        &cvx("04"),
        r#","protocolApplied":[{"series":"第1期","doseNumberPositiveInt":1}]"#,
    ));
    assert_eq!(evidence.words().ja, "麻しん風しん混合(MR)ワクチン 第1期");
    assert_eq!(evidence.words().en, "Measles-rubella (MR) vaccine, term 1");
}

#[test]
fn what_was_not_done_or_withdrawn_is_no_evidence() {
    for status in ["not-done", "entered-in-error"] {
        let content = immunization(&cvx("04"), "").replace("completed", status);
        assert!(find(content.as_bytes()).is_empty());
    }
}

#[test]
fn antibodies_are_known_by_code_and_by_name() {
    const HI: &str = r#"{"coding":[{"system":"http://loinc.org","code":"22497-2"}]}"#;
    const EIA: &str = r#"{"coding":[{"system":"http://loinc.org","code":"8014-3"}]}"#;
    const JLAC: &str = r#"{"coding":[{"system":"urn:oid:1.2.392.200119.4.504","code":"5F395143002301101"}]}"#;
    let quantity =
        |value: &str, unit: &str| format!(r#""valueQuantity":{{"value":{value},"unit":"{unit}"}}"#);
    for (code, value, method, words, immunity) in [
        (HI, quantity("16", "倍"), Method::Hi, "風しん抗体検査(HI法) 16倍", Immunity::Low),
        (HI, quantity("32", "{titer}"), Method::Hi, "風しん抗体検査(HI法) 32倍", Immunity::Enough),
        (HI, r#""valueString":"８倍未満""#.into(), Method::Hi, "風しん抗体検査(HI法) 8倍未満", Immunity::Low),
        (
            HI,
            r#""valueQuantity":{"value":8,"comparator":"<","unit":"倍"}"#.into(),
            Method::Hi,
            "風しん抗体検査(HI法) 8倍未満",
            Immunity::Low,
        ),
        (
            HI,
            r#""valueRatio":{"numerator":{"value":1},"denominator":{"value":256}}"#.into(),
            Method::Hi,
            "風しん抗体検査(HI法) 256倍",
            Immunity::High,
        ),
        (EIA, quantity("6.10", "EIA価"), Method::Eia, "風しん抗体検査(EIA法 IgG) 6.10 EIA価", Immunity::Low),
        (
            EIA,
            quantity("6.10", "[IU]/mL"),
            Method::Eia,
            "風しん抗体検査(EIA法 IgG) 6.10 [IU]/mL",
            Immunity::NotJudged,
        ),
        (EIA, quantity("45.3", ""), Method::Eia, "風しん抗体検査(EIA法 IgG) 45.3", Immunity::NotJudged),
        (JLAC, quantity("64", "倍"), Method::Hi, "風しん抗体検査(HI法) 64倍", Immunity::Enough),
        (JLAC, quantity("12.5", ""), Method::Unstated, "風しん抗体検査 12.5", Immunity::NotJudged),
        (
            r#"{"text":"風疹抗体価(HI)"}"#,
            r#""valueInteger":128"#.into(),
            Method::Hi,
            "風しん抗体検査(HI法) 128倍",
            Immunity::Enough,
        ),
        (
            r#"{"text":"風疹ウイルスIgM抗体"}"#,
            r#""valueString":"陰性""#.into(),
            Method::Igm,
            "風しん抗体検査(IgM) 陰性",
            Immunity::NotJudged,
        ),
        (
            r#"{"coding":[{"display":"Rubella virus IgG Ab"}]}"#,
            r#""valueCodeableConcept":{"text":"Positive"}"#.into(),
            Method::Eia,
            "風しん抗体検査(EIA法 IgG) Positive",
            Immunity::NotJudged,
        ),
        (
            HI,
            r#""note":[]"#.into(),
            Method::Hi,
            "風しん抗体検査(HI法)(結果の値は記録にありません)",
            Immunity::NotJudged,
        ),
    ] {
        let evidence = one(&observation(code, &value));
        let antibody = evidence.antibody().unwrap();
        assert_eq!((antibody.method, antibody.immunity), (method, immunity), "{code} {value}");
        assert_eq!(evidence.words().ja, words);
    }
    for other in [
        r#"{"coding":[{"system":"http://loinc.org","code":"5196-1"}]}"#,
        r#"{"text":"麻疹抗体価"}"#,
        r#"{"text":"風しん"}"#,
    ] {
        assert!(find(observation(other, r#""valueInteger":8"#).as_bytes()).is_empty(), "{other}");
    }
}

#[test]
fn a_panel_s_components_and_a_bare_screening_are_seen() {
    let panel = r#"{"resourceType":"Observation","status":"final","code":{"text":"妊娠初期血液検査"},"effectiveDateTime":"2024-05-07",
        "component":[{"code":{"text":"ヘモグロビン"},"valueQuantity":{"value":11.2}},
                     {"code":{"text":"風疹抗体(HI)"},"valueQuantity":{"value":16,"unit":"倍"}}]}"#;
    assert_eq!(one(panel).antibody().unwrap().immunity, Immunity::Low);
    let screening = r#"{"resourceType":"Procedure","status":"completed","performedPeriod":{"start":"2011-01-01T20:00:00Z"},
        "code":{"coding":[{"system":"http://snomed.info/sct","code":"169690007","display":"Rubella screening"}]}}"#;
    let evidence = one(screening);
    assert_eq!(evidence.antibody().unwrap().value, None);
    assert_eq!(evidence.when.unwrap().words().en, "2011-01-02");
}

#[test]
fn day_and_place_are_no_more_exact_than_recorded() {
    for (occurrence, ja, en) in [
        (r#""occurrenceDateTime":"2019-10-23T23:59:46Z""#, "令和元年10月24日", "2019-10-24"),
        (r#""occurrenceDateTime":"1985-05""#, "昭和60年5月", "1985-05"),
        (r#""occurrenceDateTime":"1985""#, "昭和60年", "1985"),
        (r#""occurrenceString":"昭和60年5月6日""#, "昭和60年5月6日", "1985-05-06"),
        (r#""occurrenceString":"中学2年のころ""#, "中学2年のころ", "中学2年のころ"),
    ] {
        let content =
            immunization(&cvx("06"), "").replace(r#""occurrenceDateTime":"2019-06-10""#, occurrence);
        let when = one(&content).when.unwrap();
        assert_eq!((when.words().ja.as_str(), when.words().en.as_str()), (ja, en));
        assert_eq!(format!("{when:?}"), "When(***)");
    }
    for (place, expected) in [
        (r#","location":{"display":"第三中学校"}"#, Some("第三中学校")),
        (r#","performer":[{"actor":{"display":"みなみ\u202eクリニック"}}]"#, Some("みなみクリニック")),
        (r#","performer":{"actor":[7]}"#, None),
        ("", None),
    ] {
        let evidence = one(&immunization(&cvx("06"), place));
        assert_eq!(evidence.place.as_deref(), expected);
        assert_eq!(format!("{evidence:?}"), "Evidence(***)");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_content_breaks_it(kind in "Immunization|Observation|Procedure", value in "[\\PC{}\\[\\]\":,0-9]{0,60}") {
        let _ = find(value.as_bytes());
        for element in ["vaccineCode", "code", "valueQuantity", "protocolApplied", "performer", "component"] {
            let content = format!(r#"{{"resourceType":"{kind}","status":"completed","{element}":{value}}}"#);
            let _ = find(content.as_bytes());
        }
    }
}
