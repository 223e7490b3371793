//! International Patient Summaries, read by two FHIR libraries.

use std::fs;

use hibiki_records::fhir::{Standing, standing};
use hibiki_records::ips::{self, Answer, Document, Record, Source};
use hibiki_tests::house::House;

use crate::people::{Person, family, synthea};
use crate::python;

/// 2026-11-26 in Japan.
const AT: u64 = 1_795_679_000_000;

/// The summary of a person; one house does not answer.
fn summary(person: &Person, id: [u8; 16], silent: House) -> Document {
    let sources: Vec<Source<'_>> = House::ALL
        .into_iter()
        .map(|house| {
            let held = person.held.get(&house).map(Vec::as_slice).unwrap_or_default();
            let records = held.iter().map(|held| Record {
                category: held.category,
                media_type: held.media_type,
                content: &held.content,
            });
            let answer = if house == silent {
                Answer::Silent("応答なし", "no answer")
            } else {
                Answer::Records(records.collect())
            };
            Source { id: house.id(), name: house.names(), answer, as_of: Some(AT) }
        })
        .collect();
    ips::write(&person.subject, &sources, id, AT)
}

/// Every decimal of every carried resource stands in the document as it was written.
fn digits_are_kept(person: &Person, document: &Document, silent: House) -> usize {
    let mut seen = 0;
    for (_, held) in person.held.iter().filter(|(house, _)| **house != silent) {
        for held in held.iter().filter(|held| standing(&held.content) != Standing::EnteredInError) {
            let text = std::str::from_utf8(&held.content).unwrap();
            for after in text.split("\"value\":").skip(1) {
                let number = after.trim_start().split([',', '}']).next().unwrap();
                if number.contains('.') && number.starts_with(|c: char| c.is_ascii_digit()) {
                    assert!(document.json.contains(&format!("\"value\":{number}")), "{number}");
                    seen += 1;
                }
            }
        }
    }
    seen
}

#[test]
fn two_fhir_libraries_read_every_summary() {
    let test = "two_fhir_libraries_read_every_summary";
    let Some(python) = python::interpreter(test) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut digits = 0;
    let mut written = 0;
    let people = family().into_iter().chain(synthea(test));
    for (place, person) in people.enumerate() {
        // Everybody once with all houses answering but an empty one, the family also without one that matters.
        let silents = if place < 3 { &House::ALL[..] } else { &[House::Pharmacy][..] };
        for silent in silents {
            let mut id = [0xA5; 16];
            id[0] = u8::try_from(place).unwrap();
            let document = summary(&person, id, *silent);
            assert_eq!(document.unreadable, 0);
            digits += digits_are_kept(&person, &document, *silent);
            fs::write(folder.path().join(format!("{place:03}-{}.json", silent.slug())), &document.json)
                .unwrap();
            written += 1;
        }
    }
    assert!(digits > 50, "{digits}");
    let said = python::must_accept(python, "read_summaries.py", folder.path());
    assert!(
        said.contains(&format!("{written} documents accepted by fhir.resources and fhirclient")),
        "{said}"
    );
}
