//! The specification says what the source says: every structure, key, code, label and limit.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hibiki_protocol::limits;

use crate::source::{self, Kind};

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.md");
    fs::read_to_string(path).unwrap()
}

/// Cells of the table rows in `text`, without code marks.
fn rows(text: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        let line = line.trim_matches('|').replace("\\|", "¦");
        line.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
    };
    text.lines().filter(|line| line.starts_with("| ")).map(cells).collect()
}

#[test]
fn every_structure_stands_in_the_document_key_by_key() {
    let document = document();
    for declared in source::declared() {
        let heading = format!("\n#### `{}`\n", declared.name);
        let mut parts = document.split(&heading);
        let _before = parts.next();
        let section = parts.next().unwrap_or_else(|| panic!("docs/protocol.md lacks {}", declared.name));
        assert!(parts.next().is_none(), "docs/protocol.md has {} twice", declared.name);
        let end = [section.find("\n#"), section.find("\n| request |")].into_iter().flatten().min();
        let table: Vec<Vec<String>> = rows(&section[..end.unwrap_or(section.len())])
            .into_iter()
            .filter(|row| row[0].parse::<u64>().is_ok())
            .collect();
        assert_eq!(table.len(), declared.entries.len(), "rows of {}", declared.name);
        for (row, entry) in table.iter().zip(&declared.entries) {
            let what = format!("{} key {}", declared.name, entry.key);
            assert_eq!(row[0], entry.key.to_string(), "{what}");
            match declared.kind {
                Kind::Code => assert_eq!(row[1], entry.what, "{what}"),
                Kind::Struct | Kind::Union => {
                    assert_eq!(row[1], entry.name, "{what}");
                    assert_eq!(row[2], entry.what, "{what}");
                }
            }
            assert!(row.last().unwrap().len() > 3, "{what} has no meaning");
        }
    }
}

#[test]
fn nothing_stands_in_the_document_that_the_source_does_not_have() {
    let declared: Vec<String> = source::declared().into_iter().map(|declared| declared.name).collect();
    for line in document().lines() {
        if let Some(name) = line.strip_prefix("#### `").and_then(|rest| rest.strip_suffix('`')) {
            assert!(declared.iter().any(|declared| declared == name), "{name} is not on the wire");
        }
    }
}

#[test]
fn every_label_stands_in_the_document() {
    let document = document();
    let mut count = 0;
    for (path, text) in source::files() {
        let text = text.split("#[cfg(test)]").next().unwrap();
        for part in text.split("\"hibiki/1/").skip(1) {
            let label = format!("hibiki/1/{}", part.split('"').next().unwrap());
            assert!(document.contains(&label), "{label} of {} is not specified", path.display());
            count += 1;
        }
    }
    assert!(count >= 16, "only {count} labels found in the source");
    let exporter = String::from_utf8(hibiki_protocol::session::EXPORTER_LABEL.to_vec()).unwrap();
    assert!(document.contains(&exporter));
    for (name, label) in source::labels() {
        let row = format!("| `{name}` | `{label}` |");
        assert!(document.contains(&row), "the table of labels lacks {row}");
    }
}

macro_rules! numbers {
    ($($name:ident),+ $(,)?) => {
        BTreeMap::from([$((stringify!($name), limits::$name.to_string())),+])
    };
}

fn values() -> BTreeMap<&'static str, String> {
    let mut values = numbers![
        VERSION_MIN,
        VERSION_MAX,
        FRAME_BYTES_MAX,
        CONTROL_FRAME_BYTES_MAX,
        CBOR_DEPTH_MAX,
        CBOR_ENTRIES_MAX,
        PART_PLAINTEXT_BYTES,
        SESSION_END_PLAINTEXT_BYTES,
        ANSWER_EXPANDED_BYTES_MAX,
        ATTESTATION_FRAME_BYTES_MIN,
        ATTESTATION_ENVELOPE_BYTES,
        ANSWER_RECORDS_MAX,
        RECORD_CONTENT_BYTES_MAX,
        HISTORY_ENTRIES_MAX,
        PROOFS_MAX,
        PROOF_CHECKPOINTS_MAX,
        WITHDRAWALS_MAX,
        KEPT_SINCE_MAX,
        COMMAND_MILLIS,
        COMMANDS_REMEMBERED_MAX,
        REGISTERED_ALLERGENS_MAX,
        ADDRESS_BYTES_MAX,
        DELIVERIES_MAX,
        VIEW_PARTS_MAX,
        MEMBERS_MAX,
        SUBJECTS_PER_CARD_MAX,
        CATEGORIES_MAX,
        SESSION_MILLIS_MAX,
        QUERY_MILLIS_MAX,
        CLOCK_SKEW_MILLIS,
        CHALLENGE_MILLIS_MAX,
        FRESHNESS_MILLIS,
        REPLAY_MILLIS,
        REPLAY_ENTRIES_MAX,
        VIEW_DEADLINE_MILLIS_DEFAULT,
        VIEW_DEADLINE_MILLIS_MAX,
        TRUST_LIST_MILLIS_MAX,
        ROOT_KEYS_MAX,
        TRUST_LISTS_PER_FRAME_MAX,
        WITNESSES_MAX,
        CHECKPOINT_BYTES_MAX,
        CONSISTENCY_PROOF_MAX,
        SESSIONS_MAX,
        SESSION_ENDS_HELD_MAX,
        SESSION_ENDS_IN_FORCE_MAX,
        QUERIES_AT_ONCE_MAX,
        VIEWS_AT_ONCE_MAX,
        NAME_BYTES_MAX,
    ];
    values.insert("ALPN", String::from_utf8(limits::ALPN.to_vec()).unwrap());
    values.insert(
        "ANSWER_PLAINTEXT_BYTES",
        limits::ANSWER_PLAINTEXT_BYTES.map(|size| size.to_string()).join(", "),
    );
    values
}

#[test]
fn every_limit_stands_in_the_document_with_its_value() {
    let (document, values) = (document(), values());
    let section = document.split("\n## 13. Limits\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let table: BTreeMap<String, String> =
        rows(section).into_iter().skip(1).map(|row| (row[0].clone(), row[1].clone())).collect();
    let (_, text) = source::files().into_iter().find(|(path, _)| path.ends_with("limits.rs")).unwrap();
    let mut declared = 0;
    for name in text.lines().filter_map(|line| line.strip_prefix("pub const ")) {
        let name = name.split(':').next().unwrap();
        let value = values.get(name).unwrap_or_else(|| panic!("{name} is not in tests/suite/document.rs"));
        assert_eq!(table.get(name), Some(value), "{name} in docs/protocol.md");
        declared += 1;
    }
    assert_eq!(table.len(), declared, "a limit in the document that the source does not have");
}

#[test]
fn the_threat_model_is_linked_and_there() {
    assert!(document().contains("(threat-model.md)"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/threat-model.md");
    assert!(fs::read_to_string(path).unwrap().contains("protocol.md"));
}
