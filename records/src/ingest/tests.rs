//! What the reader promises, on small inputs; real files are in `tests/shared_data.rs`.

use std::io::{self, BufReader, Read};

use proptest::prelude::*;

use super::*;

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p1","name":[{"text":"前橋 花子"},{"text":"マエバシ ハナコ"}],"gender":"female","birthDate":"2020-05-06"}"#;

fn dose(id: &str, who: &str) -> String {
    format!(
        r#"{{"resourceType":"Immunization","id":"{id}","status":"completed","vaccineCode":{{"text":"BCG"}},"patient":{{"reference":"{who}"}},"occurrenceDateTime":"2019-10-23T23:59:46+00:00","meta":{{"lastUpdated":"1970-01-01T00:00:01Z"}},"value":1.500}}"#
    )
}

fn all(input: &[u8], format: Format) -> Vec<Result<Item, Rejected>> {
    read(BufReader::with_capacity(7, input), format).collect()
}

fn only_record(text: &str) -> Result<IngestRecord, Reason> {
    let mut items = all(text.as_bytes(), Format::FhirNdjson);
    assert_eq!(items.len(), 1);
    items.remove(0).map(|item| item.record().unwrap().clone()).map_err(|rejected| rejected.reason)
}

fn reasons(items: &[Result<Item, Rejected>]) -> Vec<(Place, Reason)> {
    items.iter().filter_map(|item| item.as_ref().err()).map(|r| (r.place, r.reason)).collect()
}

fn bundle(kind: &str, entries: &[&str]) -> String {
    format!(
        "{{\n \"resourceType\": \"Bundle\",\n \"type\": \"{kind}\",\n \"entry\": [\n{}\n]}}",
        entries.join(",\n")
    )
}

#[test]
fn a_record_keeps_its_bytes_and_has_key_day_and_subject() {
    let text = dose("i1", "Patient/p1");
    let record = only_record(&text).unwrap();
    assert_eq!(record.content, text.as_bytes());
    assert_eq!((record.category, record.id.as_str()), (Category::Immunization, "Immunization/i1"));
    assert_eq!(record.subject, Subject::Person("p1".into()));
    assert_eq!(record.date.to_string(), "2019-10-24");
    assert_eq!((record.updated_at, record.media_type), (Some(1000), "application/fhir+json"));
    assert!(!format!("{record:?}").contains("p1"));
}

#[test]
fn one_bad_line_costs_no_other() {
    let long = format!(r#"{{"resourceType":"Patient","x":"{}"}}"#, "y".repeat(limits::RESOURCE_MAX_BYTES));
    let mut input = format!(
        "\u{FEFF}{PATIENT}\r\n\r\n{{\"resourceType\":\"Imm\n{}\n   \n{long}\n",
        dose("i1", "Patient/p1")
    );
    input.push_str("{\"resourceType\":\"Organization\"}\n");
    let mut input = input.into_bytes();
    input.extend_from_slice(b"{\"resourceType\":\"Patient\",\"id\":\"\xFF\"}\n");
    input.extend_from_slice(dose("i2", "urn:uuid:p1").as_bytes());
    for format in [Format::FhirNdjson, Format::Auto] {
        let items = all(&input, format);
        let bad = [
            (Place::Line(3), Reason::NotJson),
            (Place::Line(6), Reason::ResourceTooLong),
            (Place::Line(8), Reason::NotUtf8),
        ];
        assert_eq!(reasons(&items), bad);
        let good: Vec<_> = items.iter().flatten().filter_map(Item::record).map(|r| r.id.as_str()).collect();
        assert_eq!(good, ["Patient/p1", "Immunization/i1", "Immunization/i2"]);
        assert_eq!(items.len(), 7);
    }
}

#[test]
fn a_damaged_first_line_does_not_turn_lines_into_a_document() {
    let input = format!("{{\"resourceType\":\"Imm\n{PATIENT}\n");
    let items = all(input.as_bytes(), Format::Auto);
    assert_eq!(reasons(&items), [(Place::Line(1), Reason::NotJson)]);
    assert!(matches!(items[1], Ok(Item::Patient { .. })));
}

#[test]
fn entries_of_a_bundle_find_their_patient_even_before_it() {
    let dose1 = dose("i1", "urn:uuid:aa");
    let without_id = PATIENT.replace(r#""id":"p1""#, r#""identifier":[{"value":"x"},{"system":"urn:oid:1.2.392.100495.20.3.51.11234567890","value":"0042"}]"#);
    let entries = [
        format!(r#"{{"resource":{dose1}}}"#),
        r#"{"resource":7}"#.to_owned(),
        format!("[\"urn:uuid:aa\",{dose1},null]"),
        r#"{"fullUrl":"urn:uuid:cc"}"#.to_owned(),
        r#"{"request":{"method":"DELETE","url":"Immunization/i9"}}"#.to_owned(),
        format!(r#"{{"fullUrl":"urn:uuid:aa","resource":{without_id}}}"#),
        format!(
            r#"{{"resource":{}}}"#,
            dose("i2", "Patient?identifier=urn:oid:1.2.392.100495.20.3.51.11234567890|0042")
        ),
        format!(r#"{{"resource":{}}}"#, dose("i3", "Patient?identifier=nobody")),
        format!(r#"{{"resource":{}}}"#, dose("i4", "Patient/elsewhere")),
        r#"{"fullUrl":"urn:uuid:dd","resource":{"resourceType":"Practitioner"}}"#.to_owned(),
        format!(r#"{{"resource":{}}}"#, dose("i5", "urn:uuid:dd")),
    ];
    let entries: Vec<_> = entries.iter().map(String::as_str).collect();
    for kind in ["transaction", "batch", "collection", "searchset"] {
        for format in [Format::FhirBundle, Format::Auto] {
            let items = all(bundle(kind, &entries).as_bytes(), format);
            assert_eq!(items.len(), entries.len());
            let bad = [
                (Place::Entry(2), Reason::NotAnObject),
                (Place::Entry(3), Reason::Malformed("entry")),
                (Place::Entry(4), Reason::NoResource),
                (Place::Entry(5), Reason::Deletion),
                (Place::Entry(8), Reason::UnresolvedSubject),
                (Place::Entry(11), Reason::WrongSubject),
            ];
            assert_eq!(reasons(&items), bad);
            let subjects: Vec<_> = items
                .iter()
                .flatten()
                .filter_map(Item::record)
                .map(|record| record.subject.clone())
                .collect();
            assert_eq!(subjects, ["0042", "0042", "0042", "elsewhere"].map(|n| Subject::Person(n.into())));
            let first = items[0].as_ref().unwrap().record().unwrap();
            assert_eq!(first.content, dose1.as_bytes());
        }
    }
}

#[test]
fn a_minified_bundle_and_a_single_resource_are_documents() {
    let one_line = bundle("collection", &[&format!(r#"{{"resource":{PATIENT}}}"#)]).replace('\n', "");
    assert!(matches!(all(one_line.as_bytes(), Format::Auto)[..], [Ok(Item::Patient { .. })]));
    let pretty = PATIENT.replace(",\"", ",\n  \"").replacen('{', "{\n", 1);
    for format in [Format::Auto, Format::FhirBundle] {
        let items = all(pretty.as_bytes(), format);
        let [Ok(Item::Patient { facts, record })] = &items[..] else { panic!("one Patient expected") };
        assert_eq!((facts.name.as_str(), facts.local_number.as_str()), ("前橋 花子", "p1"));
        assert_eq!(record.content, pretty.as_bytes());
    }
}

#[test]
fn damage_to_the_document_is_one_refusal_with_its_place() {
    let good = bundle("collection", &[&format!(r#"{{"resource":{PATIENT}}}"#)]);
    let cut = &good[..good.len() - 20];
    let items = all(cut.as_bytes(), Format::Auto);
    let [Err(rejected)] = &items[..] else { panic!("one refusal expected") };
    assert_eq!(rejected.reason, Reason::NotJson);
    let Place::Document { byte, line, .. } = rejected.place else {
        panic!("a place in the document expected")
    };
    assert!(byte + 2 >= cut.len() && line == 5, "{rejected}");

    let spoiled = good.replacen(",\n \"type\"", ",\n type", 1);
    let items = all(spoiled.as_bytes(), Format::FhirBundle);
    let place = Place::Document { byte: spoiled.find("type:").unwrap(), line: 3, column: 2 };
    assert_eq!(reasons(&items), [(place, Reason::NotJson)]);

    for (text, reason) in [
        (good.replace("collection", "history"), Reason::BundleType),
        (good.replace("\"type\": \"collection\",", ""), Reason::BundleType),
        (good.replace("\"entry\"", "\"type\":\"batch\",\"entry\""), Reason::DuplicateKey("entry")),
        (good.replace("\"Bundle\"", "7"), Reason::Malformed("resourceType")),
        ("[]".into(), Reason::NotAnObject),
        (String::new(), Reason::NotJson),
    ] {
        let items = all(text.as_bytes(), Format::FhirBundle);
        let [Err(rejected)] = &items[..] else { panic!("one refusal expected: {text}") };
        assert_eq!(rejected.reason, reason, "{text}");
    }
    let mut bytes = good.into_bytes();
    bytes[10] = 0xFF;
    assert!(matches!(all(&bytes, Format::FhirBundle)[..], [Err(Rejected { reason: Reason::NotUtf8, .. })]));
}

#[test]
fn limits_hold_for_bundles() {
    let deep = format!(
        "{{\"resource\":{{\"resourceType\":\"Patient\",\"x\":{}{}}}}}",
        "[".repeat(9000),
        "]".repeat(9000)
    );
    let input = bundle("batch", &[&deep, &format!(r#"{{"resource":{PATIENT}}}"#)]);
    let items = all(input.as_bytes(), Format::FhirBundle);
    assert_eq!(reasons(&items), [(Place::Entry(1), Reason::TooDeep)]);
    assert!(items[1].is_ok());

    let many = format!(
        "{{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{}{{}}]}}",
        "{},".repeat(limits::ENTRIES_MAX)
    );
    let items: Vec<_> = read(many.as_bytes(), Format::FhirBundle).collect();
    assert!(matches!(items[..], [Err(Rejected { reason: Reason::TooManyEntries, .. })]));

    for format in [Format::FhirBundle, Format::Auto] {
        // Streamed, so that the test needs no second copy of it.
        let endless = BufReader::new(io::repeat(b' ').take(1 << 30));
        let items: Vec<_> = read(endless, format).collect();
        assert!(matches!(items[..], [Err(Rejected { reason: Reason::BundleTooLong, .. })]));
    }
}

#[test]
fn nothing_in_nothing_out() {
    for input in ["", "\n\r\n  \n", "\u{FEFF}"] {
        assert!(all(input.as_bytes(), Format::Auto).is_empty());
        assert!(all(input.as_bytes(), Format::FhirNdjson).is_empty());
    }
}

#[test]
fn classes_school_records_and_their_subjects() {
    let group = r#"{"resourceType":"Group","id":"3-2","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/a"}},{"entity":{"reference":"Patient/b"},"inactive":true},{"entity":{"reference":"Patient/c"}}]}"#;
    let items = all(group.as_bytes(), Format::FhirNdjson);
    let [Ok(Item::Group { id, members })] = &items[..] else { panic!("a Group expected") };
    assert_eq!((id.as_str(), members.join(" ").as_str()), ("3-2", "a c"));
    assert_eq!(format!("{:?}", items[0]), "Ok(Group(2 members))");
    let staff = group.replace("Patient/a", "Practitioner/a");
    assert_eq!(reasons(&all(staff.as_bytes(), Format::Auto)), [(Place::Line(1), Reason::BadMember(1))]);

    let school = |kind: &str, rest: &str| {
        only_record(&format!(
            r#"{{"resourceType":"{kind}","id":"x","status":"active","sent":"2024-04-01","start":"2024-04-01T00:00:00Z","authoredOn":"2024-04-01",{rest}}}"#
        ))
    };
    let class = Subject::Group("3-2".into());
    let notice = school("Communication", r#""subject":{"reference":"Group/3-2"}"#).unwrap();
    assert_eq!((notice.category, &notice.subject), (Category::SchoolNotice, &class));
    let notice =
        school("Communication", r#""recipient":[{"reference":"RelatedPerson/m"},{"reference":"Group/3-2"}]"#);
    assert_eq!(notice.unwrap().subject, class);
    let event = school(
        "Appointment",
        r#""participant":[{"actor":{"reference":"Practitioner/t"}},{"actor":{"reference":"Group/3-2"}}]"#,
    );
    assert_eq!(event.unwrap().category, Category::SchoolEvent);
    let task = school("Task", r#""for":{"reference":"Patient/a"}"#).unwrap();
    assert_eq!((task.category, task.subject), (Category::SchoolNotice, Subject::Person("a".into())));
    let two = school("Communication", r#""recipient":[{"reference":"Patient/a"},{"reference":"Patient/b"}]"#);
    assert_eq!(two.unwrap_err(), Reason::SeveralSubjects);
    let nobody = school("Appointment", r#""participant":[{"actor":{"reference":"Location/gym"}}]"#);
    assert_eq!(nobody.unwrap_err(), Reason::NoSubject { group: true });
}

#[test]
fn what_we_rely_on_is_read_strictly() {
    let good = dose("i1", "Patient/p1");
    for (from, to, reason) in [
        (r#""id":"i1","#, "", Reason::NoKey),
        (r#""id":"i1""#, r#""id":"前橋花子""#, Reason::Malformed("id")),
        (r#""id":"i1""#, r#""id":"i1","id":"i2""#, Reason::DuplicateKey("id")),
        (r#""status":"completed","#, "", Reason::Missing("status")),
        ("completed", "done", Reason::Malformed("status")),
        (r#""vaccineCode":{"text":"BCG"},"#, "", Reason::Missing("vaccineCode")),
        (
            r#""reference":"Patient/p1""#,
            r#""reference":"Patient/p1","reference":"Patient/p2""#,
            Reason::DuplicateKey("patient"),
        ),
        (r#""reference":"Patient/p1""#, r#""display":"花子""#, Reason::UnresolvedSubject),
        (r#"{"reference":"Patient/p1"}"#, r#"["Patient/p1",null]"#, Reason::Malformed("patient")),
        ("Patient/p1", "Group/3-2", Reason::GroupNotAllowed),
        ("Patient/p1", "#p1", Reason::UnresolvedSubject),
        (r#""patient":{"reference":"Patient/p1"},"#, "", Reason::NoSubject { group: false }),
        ("2019-10-23T23:59:46+00:00", "2019-10-43", Reason::BadDate("occurrenceDateTime")),
        (r#""occurrenceDateTime":"2019-10-23T23:59:46+00:00","#, "", Reason::NoDate),
        ("1970-01-01T00:00:01Z", "just now", Reason::BadDate("meta.lastUpdated")),
        ("Immunization", "Bundle", Reason::NestedBundle("NDJSON")),
    ] {
        assert!(good.contains(from), "{from}");
        assert_eq!(only_record(&good.replace(from, to)).unwrap_err(), reason, "{to}");
    }
    let by_identifier =
        good.replace(r#""id":"i1""#, r#""identifier":[{"use":"usual"},{"system":"urn:x","value":"7"}]"#);
    assert_eq!(only_record(&by_identifier).unwrap().id, "Immunization?urn:x|7");
}

#[test]
fn conditional_references_work_below_their_patient_in_ndjson() {
    let patient = PATIENT.replace("\"name\"", r#""identifier":[{"system":"urn:x","value":"7"}],"name""#);
    let input = format!(
        "{}\n{patient}\n{}",
        dose("i1", "Patient?identifier=urn:x|7"),
        dose("i2", "Patient?identifier=urn:x%7C7")
    );
    let items = all(input.as_bytes(), Format::FhirNdjson);
    assert_eq!(reasons(&items), [(Place::Line(1), Reason::UnresolvedSubject)]);
    assert_eq!(items[2].as_ref().unwrap().record().unwrap().subject, Subject::Person("p1".into()));
}

#[test]
fn a_broken_reader_ends_the_stream_once() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    for format in [Format::Auto, Format::FhirNdjson, Format::FhirBundle] {
        let start = format!("{PATIENT}\n");
        let input = BufReader::new(start.as_bytes().chain(Broken));
        let items: Vec<_> = read(input, format).collect();
        let last = items.last().unwrap().as_ref().unwrap_err();
        assert_eq!(last.reason, Reason::Read(io::ErrorKind::ConnectionReset));
        assert_eq!(items.iter().filter(|item| item.is_err()).count(), 1);
    }
}

#[test]
fn refusals_are_told_without_content() {
    let secret = r#"{"resourceType":"Patient","id":"秘密","name":"秘密","birthDate":["秘密"]}"#;
    let items = all(secret.as_bytes(), Format::FhirNdjson);
    let rejected = items[0].as_ref().unwrap_err();
    assert_eq!(rejected.to_string(), "line 1 (Patient): `id` is not what FHIR R4 allows there");
    let json = serde_json::to_value(rejected).unwrap();
    assert_eq!(json["place"]["line"], 1);
    assert_eq!(json["reason"], "malformed");
    assert_eq!(json["resource_type"], "Patient");
}

/// Small resources with everything in its place or not.
fn arbitrary_resource() -> impl Strategy<Value = String> {
    let types = prop::sample::select(vec![
        "Patient",
        "Immunization",
        "Observation",
        "Group",
        "Task",
        "Appointment",
        "Bundle",
        "Encounter",
        "秘密",
    ]);
    let values = prop::sample::select(vec![
        r#""秘密""#,
        "秘密",
        "null",
        "7",
        "[]",
        "{}",
        "[null]",
        r#"{"reference":"Patient/秘密"}"#,
        r#"[{"coding":[{"system":"https://hibiki.example/fhir/CodeSystem/record-category","code":"秘密"}]}]"#,
        "[[[[",
        r#""2020-02-30""#,
    ]);
    let keys = prop::sample::select(vec![
        "id",
        "subject",
        "patient",
        "name",
        "birthDate",
        "category",
        "type",
        "code",
        "meta",
        "effectiveDateTime",
        "identifier",
        "member",
        "participant",
        "status",
        "gender",
    ]);
    (types, prop::collection::vec((keys, values), 0..6)).prop_map(|(kind, fields)| {
        let fields: String = fields.iter().map(|(key, value)| format!(",\"{key}\":{value}")).collect();
        format!("{{\"resourceType\":\"{kind}\"{fields}}}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for format in [Format::Auto, Format::FhirNdjson, Format::FhirBundle] {
            prop_assert!(all(&bytes, format).len() <= bytes.len() + 1);
        }
    }

    #[test]
    fn strange_resources_are_told_apart_from_good_ones(lines in prop::collection::vec(arbitrary_resource(), 0..6)) {
        let input: String = lines.iter().map(|line| format!("{line}\n{PATIENT}\n")).collect();
        let items = all(input.as_bytes(), Format::FhirNdjson);
        prop_assert_eq!(items.len(), 2 * lines.len());
        let good = items.iter().flatten().filter(|item| matches!(item, Item::Patient { .. })).count();
        prop_assert!(good >= lines.len());
        for rejected in items.iter().filter_map(|item| item.as_ref().err()) {
            let told = format!("{rejected} {rejected:?} {}", serde_json::to_string(rejected).unwrap());
            prop_assert!(!told.contains("秘密"), "{}", told);
        }
    }

    #[test]
    fn a_cut_bundle_is_one_refusal_and_a_cut_file_loses_its_tail_only(cut in 1usize..400) {
        let whole = bundle("batch", &[&format!(r#"{{"resource":{PATIENT}}}"#), &format!(r#"{{"resource":{}}}"#, dose("i", "Patient/p1"))]);
        let mut at = whole.len() - cut.min(whole.len() - 1);
        while !whole.is_char_boundary(at) { at -= 1; }
        let items = all(&whole.as_bytes()[..at], Format::FhirBundle);
        prop_assert!(matches!(items[..], [Err(_)]));
    }
}
