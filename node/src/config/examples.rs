//! `config-examples/` against the code: every file loads, explains every key, and states its real default.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use hibiki_protocol::trust::MemberKind;

use super::parse::{all_keys, parse};
use super::shape::Shape;
use super::{Config, Loaded, defaults};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config-examples")
}

/// Name and text of every example.
fn examples() -> BTreeMap<String, String> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    // The terminal's settings have a test of their own, in its crate.
    let files = files.filter(|path| !path.ends_with("terminal.toml"));
    let tomls = files.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    tomls
        .map(|path| {
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// The default of a key as the code has it, where it has one.
fn default_of(section: &str, key: &str) -> Option<toml::Value> {
    let inside = |name: &str| Some(toml::Value::String(name.to_owned()));
    match (section, key) {
        // Paths inside another folder are not in the shape: there they depend on that folder.
        ("node", "keys-dir") => inside(defaults::KEYS_DIR),
        ("registry", "master-key") => inside(defaults::MASTER_KEY),
        ("store", "path") => inside(defaults::STORE),
        ("ledger", "path") => inside(defaults::LEDGER),
        ("admin", "socket") => inside(defaults::SOCKET),
        _ => toml::Value::try_from(Shape::default()).unwrap().get(section)?.get(key).cloned(),
    }
}

/// What a file says about one key: the last comment line before it, and its value, be it commented out.
struct Told {
    statement: String,
    value: toml::Value,
    active: bool,
}

fn told(text: &str) -> BTreeMap<(String, String), Told> {
    let (mut section, mut statement, mut told) = (String::new(), String::new(), BTreeMap::new());
    for line in text.lines() {
        let bare = line.strip_prefix('#').unwrap_or(line);
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if let Some(comment) = line.strip_prefix("# ") {
            statement = comment.to_owned();
        } else if let Some((key, value)) = bare.split_once(" = ") {
            let value = toml::from_str::<toml::Table>(&format!("x = {value}")).unwrap()["x"].clone();
            let active = !line.starts_with('#');
            let former = told.insert(
                (section.clone(), key.to_owned()),
                Told { statement: std::mem::take(&mut statement), value, active },
            );
            assert!(former.is_none(), "[{section}] {key} twice");
        }
    }
    told
}

#[test]
fn every_example_loads_without_a_warning() {
    let examples = examples();
    for kind in ["city-hall", "health-centre", "hospital", "clinic", "pharmacy", "school"] {
        let text = examples.get(kind).unwrap_or_else(|| panic!("{kind}.toml is missing"));
        let Loaded { config, warnings } = Config::from_text(text, Path::new("/etc/hibiki")).unwrap();
        assert_eq!(warnings, [], "{kind}");
        assert_eq!(config.node.kind.as_str().replace('_', "-"), kind);
        assert_eq!(config.roles.gateway && config.roles.registry, config.node.kind == MemberKind::CityHall);
        assert!(config.roles.responder, "{kind}");
        // Whoever cannot be dialled must dial.
        assert_eq!(config.listen.advertise.is_none(), !config.links.dial.is_empty(), "{kind}");
    }
    assert_eq!(examples.len(), 6);
}

#[test]
fn every_example_explains_every_key_with_its_true_default() {
    for (file, text) in examples() {
        let told = told(&text);
        let mut count = 0;
        for (section, keys) in all_keys() {
            for key in keys {
                count += 1;
                let place = format!("{file}.toml [{section}] {key}");
                let told = told
                    .get(&(section.to_owned(), (*key).to_owned()))
                    .unwrap_or_else(|| panic!("{place} is not explained"));
                let stated = told.statement.strip_prefix("Default: ");
                match default_of(section, key) {
                    Some(default) => {
                        let stated = stated.unwrap_or_else(|| panic!("{place}: {:?}", told.statement));
                        let inside =
                            stated.strip_prefix('`').and_then(|rest| rest.split_once('`')).unwrap().0;
                        let stated =
                            toml::from_str::<toml::Table>(&format!("x = {inside}")).unwrap()["x"].clone();
                        assert_eq!(stated, default, "{place}");
                    }
                    None => match told.statement.as_str() {
                        "Default: none." => {}
                        "Required." => assert!(told.active, "{place} must be set"),
                        other => panic!("{place}: {other:?}"),
                    },
                }
            }
        }
        assert_eq!(told.len(), count, "{file}.toml explains a key that does not exist");
    }
}

#[test]
fn what_an_example_leaves_out_as_required_is_refused() {
    for (file, text) in examples() {
        for ((_, key), told) in told(&text).iter().filter(|(_, told)| told.statement == "Required.") {
            let line = format!("{key} = {}\n", told.value);
            assert!(text.contains(&line), "{file}: {line}");
            let without = text.replacen(&line, "", 1);
            let problems = Config::from_text(&without, Path::new("/etc/hibiki")).unwrap_err();
            assert!(problems.iter().any(|problem| problem.what.starts_with("missing")), "{file} {key}");
        }
    }
}

#[test]
fn every_line_that_is_commented_out_can_be_switched_on() {
    for (file, text) in examples() {
        let switched: String = text
            .lines()
            .map(|line| match line.strip_prefix('#') {
                Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase()) => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let parsed = parse(&switched);
        assert_eq!(parsed.problems, [], "{file}");
        assert_eq!(told(&switched).len(), told(&text).len());
    }
}

#[test]
fn the_unit_keeps_records_off_the_disk_and_the_disk_honest() {
    let unit = fs::read_to_string(folder().join("hibiki-node.service")).unwrap();
    let lines: Vec<&str> = unit.lines().collect();
    for line in [
        "Type=notify",
        "LimitCORE=0",
        "MemorySwapMax=0",
        "SystemCallFilter=~sync_file_range:ENOSYS sync_file_range2:ENOSYS",
        "SystemCallErrorNumber=ENOSYS",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "RestartPreventExitStatus=65 77 78",
    ] {
        assert!(lines.contains(&line), "{line}");
    }
    let stop = lines.iter().find_map(|line| line.strip_prefix("TimeoutStopSec=")).unwrap();
    assert!(stop.parse::<u64>().unwrap() > defaults::DRAIN_SECONDS + 5);
}
