//! Putting the document together.
//!
//! Must not know how a resource is carried, nor what belongs in which section.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::carry::{self, Carrier};
use super::names::{Id, Ids};
use super::narrative::Div;
use super::section::{LeftOut, Section};
use super::{Answer, Document, Source, Subject, resources};
use crate::category::{FHIR_JSON, Label};
use crate::date::{CalendarDate, wareki};
use crate::fhir::node::Node;
use crate::fhir::resource::Resource;
use crate::fhir::{Standing, codes, standing, when};
use crate::words;

const TITLE: &str = "国際患者サマリー (International Patient Summary)";
/// Hibiki's own sections of a document.
const DOCUMENT_SECTION: &str = "https://hibiki.example/fhir/CodeSystem/document-section";
const PROFILE: &str = "http://hl7.org/fhir/uv/ips/StructureDefinition/";

/// Writes the document about `subject` out of what every source answered.
///
/// `id` are sixteen random bytes, used for this document only; every resource is named by them and its place.
/// `at` is when the view was assembled, in milliseconds since the Unix epoch; past the year 9999 counts as its end.
pub fn write(subject: &Subject, sources: &[Source<'_>], id: [u8; 16], at: u64) -> Document {
    let mut ids = Ids::new(id);
    let (document, composition, patient, device) = (ids.next(), ids.next(), ids.next(), ids.next());
    let parts: Vec<Part<'_>> = sources.iter().map(|source| Part::read(source, &mut ids)).collect();
    let carried: Vec<Carried> = parts.iter().flat_map(|part| part.carry(patient)).collect();
    let unreadable = carried.iter().filter(|carried| carried.json.is_none()).count()
        + parts.iter().map(|part| part.left_out(LeftOut::Unreadable)).sum::<usize>();

    let mut entries = vec![
        Entry::of(composition, &compose(composition, patient, device, &parts, &carried, at)),
        Entry::of(patient, &resources::patient(&patient.to_string(), subject)),
        Entry::of(device, &resources::device(&device.to_string())),
    ];
    entries.extend(
        parts
            .iter()
            .map(|part| Entry::of(part.id, &resources::organization(&part.id.to_string(), part.source))),
    );
    let mut count = 0;
    for carried in carried.iter() {
        if let Some(json) = carried.json.as_ref().and_then(|json| RawValue::from_string(json.clone()).ok()) {
            count += 1;
            entries.push(Entry { full_url: carried.id.url(), resource: json });
        }
    }
    for (place, part) in parts.iter().enumerate() {
        let own = carried.iter().filter(|carried| carried.part == part.id && carried.json.is_some());
        let targets: Vec<String> = own.map(|carried| carried.id.url()).collect();
        if targets.is_empty() {
            continue;
        }
        let recorded = instant(sources.get(place).and_then(|source| source.as_of).unwrap_or(at));
        let id = ids.next();
        let provenance = resources::provenance(&id.to_string(), &part.id.url(), &targets, &recorded);
        entries.push(Entry::of(id, &provenance));
    }
    let bundle = Bundle {
        resource_type: "Bundle",
        id: document.to_string(),
        meta: json!({ "profile": [format!("{PROFILE}Bundle-uv-ips")] }),
        language: "ja",
        identifier: json!({ "system": "urn:ietf:rfc:3986", "value": document.url() }),
        kind: "document",
        timestamp: instant(at),
        entry: entries,
    };
    let json = serde_json::to_string(&bundle).unwrap_or_default();
    Document { json, carried: count, unreadable }
}

/// One institution's records, sorted.
struct Part<'a> {
    source: &'a Source<'a>,
    /// Of its Organization.
    id: Id,
    /// Records that belong into the document.
    records: Vec<Readable<'a>>,
    /// Records that do not, counted.
    left_out: BTreeMap<LeftOut, usize>,
}

struct Readable<'a> {
    id: Id,
    section: Section,
    date: Option<CalendarDate>,
    words: words::Summary,
    node: Node<'a>,
}

/// A record in the document.
struct Carried {
    id: Id,
    /// Of the institution's Organization.
    part: Id,
    section: Section,
    date: Option<CalendarDate>,
    words: words::Summary,
    institution: String,
    /// `None` where it could not be carried after all.
    json: Option<String>,
}

impl<'a> Part<'a> {
    fn read(source: &'a Source<'a>, ids: &mut Ids) -> Self {
        let mut part = Self { source, id: ids.next(), records: Vec::new(), left_out: BTreeMap::new() };
        let Answer::Records(records) = &source.answer else { return part };
        for record in records {
            match Readable::read(record, ids) {
                Ok(readable) => part.records.push(readable),
                Err(reason) => *part.left_out.entry(reason).or_default() += 1,
            }
        }
        part
    }

    fn left_out(&self, reason: LeftOut) -> usize {
        self.left_out.get(&reason).copied().unwrap_or(0)
    }

    fn carry(&self, patient: Id) -> Vec<Carried> {
        let mut carrier = Carrier {
            institution: self.source.id,
            patient: patient.url(),
            carried: BTreeMap::new(),
            subjects: self.records.iter().filter_map(|record| carry::subject(record.node)).collect(),
        };
        for record in &self.records {
            for name in carry::names(record.node) {
                carrier.carried.insert(name, record.id.url());
            }
        }
        let carried = |record: &Readable<'_>| Carried {
            id: record.id,
            part: self.id,
            section: record.section,
            date: record.date,
            words: record.words.clone(),
            institution: self.source.name.0.to_owned(),
            json: carrier.carry(record.node, &record.id.to_string()),
        };
        self.records.iter().map(carried).collect()
    }
}

impl<'a> Readable<'a> {
    fn read(record: &super::Record<'a>, ids: &mut Ids) -> Result<Self, LeftOut> {
        if record.category.is_of_school() {
            return Err(LeftOut::School);
        }
        if record.media_type != FHIR_JSON {
            return Err(LeftOut::Unreadable);
        }
        let node = Node::object(record.content).ok_or(LeftOut::Unreadable)?;
        let section = Section::of(record.category, node)?;
        if standing(record.content) == Standing::EnteredInError {
            return Err(LeftOut::Withdrawn);
        }
        let text = std::str::from_utf8(record.content).map_err(|_| LeftOut::Unreadable)?;
        let date = Resource::read(text).ok().and_then(|resource| when::effective_date(&resource).ok());
        let words = words::summary(record.category, record.content);
        Ok(Self { id: ids.next(), section, date, words, node })
    }
}

fn compose(id: Id, patient: Id, device: Id, parts: &[Part<'_>], carried: &[Carried], at: u64) -> Value {
    let mut sections = Vec::new();
    for section in Section::ALL {
        let mut own: Vec<&Carried> =
            carried.iter().filter(|carried| carried.section == section && carried.json.is_some()).collect();
        // The newest first; what has no date, last.
        own.sort_by_key(|carried| (carried.date.is_none(), std::cmp::Reverse(carried.date)));
        if !own.is_empty() {
            sections.push(filled(section, &own));
        } else if section.required() {
            sections.push(empty(section, parts));
        }
    }
    sections.push(coverage(parts, carried));
    let mut div = Div::new();
    let (ja, en) = coverage_words(parts);
    div.paragraph(&ja, &en);
    json!({
        "resourceType": "Composition",
        "id": id.to_string(),
        "meta": { "profile": [format!("{PROFILE}Composition-uv-ips")] },
        "language": "ja",
        "text": { "status": "generated", "div": div.close() },
        "status": "final",
        "type": { "coding": [{ "system": codes::LOINC, "code": "60591-5", "display": "Patient summary Document" }] },
        "subject": { "reference": patient.url() },
        "date": instant(at),
        "author": [{ "reference": device.url() }],
        "title": TITLE,
        "section": sections,
    })
}

fn head(section: Section) -> Value {
    let Label { ja, en } = section.title();
    let (code, display) = section.code();
    json!({
        "title": format!("{ja} ({en})"),
        "code": { "coding": [{ "system": codes::LOINC, "code": code, "display": display }] },
    })
}

fn filled(section: Section, own: &[&Carried]) -> Value {
    let mut div = Div::new();
    let rows = own.iter().map(|carried| {
        let date = carried.date.map(|date| format!("{}({date})", wareki::format_long(date)));
        [
            date.unwrap_or_else(|| "日付なし".to_owned()),
            carried.words.ja.clone(),
            carried.words.en.clone(),
            carried.institution.clone(),
        ]
    });
    div.table(["日付 (Date)", "内容", "Content", "記録している機関 (Held by)"], rows);
    let mut value = head(section);
    value["text"] = json!({ "status": "generated", "div": div.close() });
    value["entry"] = own.iter().map(|carried| json!({ "reference": carried.id.url() })).collect();
    value
}

/// A required section without a record. It says who gave no information and never that there is nothing.
fn empty(section: Section, parts: &[Part<'_>]) -> Value {
    let Label { ja, en } = section.title();
    let mut div = Div::new();
    div.paragraph(
        &format!("「{ja}」の情報を提供した機関はありませんでした。該当するものがないという意味ではありません。"),
        &format!("{en}: no information was provided by the institutions asked. This does not mean that there is none."),
    );
    let (ja, en) = coverage_words(parts);
    div.paragraph(&ja, &en);
    let mut value = head(section);
    value["text"] = json!({ "status": "generated", "div": div.close() });
    value["emptyReason"] = json!({
        "coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/list-empty-reason",
            "code": "unavailable",
            "display": "Unavailable",
        }],
        "text": "情報の提供がありませんでした (no information was provided)",
    });
    value
}

/// How many answered, and who did not.
fn coverage_words(parts: &[Part<'_>]) -> (String, String) {
    let silent: Vec<&Part<'_>> =
        parts.iter().filter(|part| matches!(part.source.answer, Answer::Silent(..))).collect();
    let (asked, answered) = (parts.len(), parts.len() - silent.len());
    if silent.is_empty() {
        return (
            format!("問い合わせた{asked}機関のすべてから応答がありました。"),
            format!("All of the {asked} institutions asked have answered."),
        );
    }
    let names = |name: fn(&Source<'_>) -> String, comma: &str| {
        silent.iter().map(|part| name(part.source)).collect::<Vec<_>>().join(comma)
    };
    (
        format!(
            "{asked}機関のうち{answered}機関から応答がありました。応答のなかった機関: {}。記録がないという意味ではありません。",
            names(|source| source.name.0.to_owned(), "、")
        ),
        format!(
            "{answered} of {asked} institutions have answered. No answer from: {}. This does not mean that they hold \
             no records.",
            names(|source| source.name.1.to_owned(), ", ")
        ),
    )
}

/// The section that says what this document can know about.
fn coverage(parts: &[Part<'_>], carried: &[Carried]) -> Value {
    let mut div = Div::new();
    let (ja, en) = coverage_words(parts);
    div.paragraph(&ja, &en);
    let rows = parts.iter().map(|part| {
        let own = || carried.iter().filter(|carried| carried.part == part.id);
        let count = own().filter(|carried| carried.json.is_some()).count();
        let failed = own().count() - count;
        let mut left_out = part.left_out.clone();
        if failed > 0 {
            *left_out.entry(LeftOut::Unreadable).or_default() += failed;
        }
        let words: Vec<String> = left_out
            .iter()
            .filter_map(|(reason, count)| {
                reason.words().map(|Label { ja, en }| format!("{ja} {count}件 ({en}: {count})"))
            })
            .collect();
        let answer = match &part.source.answer {
            Answer::Silent(ja, en) => format!("{ja} ({en})"),
            Answer::Records(records) if records.is_empty() => {
                "応答あり・お見せできる記録なし (answered, nothing to show)".to_owned()
            }
            Answer::Records(_) => "応答あり (answered)".to_owned(),
        };
        let Source { name: (ja, en), as_of, .. } = part.source;
        let answered = matches!(part.source.answer, Answer::Records(_));
        let as_of = as_of.filter(|_| answered).map(instant).unwrap_or_default();
        [format!("{ja} ({en})"), answer, as_of, count.to_string(), words.join("、")]
    });
    let headings = [
        "機関 (Institution)",
        "応答 (Answer)",
        "時点 (As of)",
        "件数 (Records)",
        "含めていないもの (Left out)",
    ];
    div.table(headings, rows);
    let mut value = json!({
        "title": "この文書の範囲 (Coverage of this document)",
        "code": {
            "coding": [{ "system": DOCUMENT_SECTION, "code": "coverage" }],
            "text": "この文書の範囲 (Coverage of this document)",
        },
        "text": { "status": "generated", "div": div.close() },
    });
    if !parts.is_empty() {
        value["entry"] = parts.iter().map(|part| json!({ "reference": part.id.url() })).collect();
    }
    value
}

#[derive(Serialize)]
struct Bundle {
    #[serde(rename = "resourceType")]
    resource_type: &'static str,
    id: String,
    meta: Value,
    language: &'static str,
    identifier: Value,
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    entry: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    #[serde(rename = "fullUrl")]
    full_url: String,
    resource: Box<RawValue>,
}

impl Entry {
    fn of(id: Id, resource: &Value) -> Self {
        let resource = RawValue::from_string(resource.to_string()).unwrap_or_default();
        Self { full_url: id.url(), resource }
    }
}

/// A FHIR instant in Japanese time.
fn instant(unix_ms: u64) -> String {
    let time = i64::try_from(unix_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let civil = jiff::tz::Offset::constant(9).to_datetime(time.unwrap_or(LATEST));
    format!("{:.3}+09:00", civil)
}

/// The last moment of the year 9999 in Japan that has a whole millisecond.
const LATEST: jiff::Timestamp = jiff::Timestamp::MAX;
