#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use proptest::prelude::*;

use super::*;

const GOOD: &str = r#"
[node]
id = "maebashi/chuo-hospital"
name-ja = "中央病院"
name-en = "Chuo Hospital"
kind = "hospital"
data-dir = "data"

[federation]
root = "root.cbor"
trust-list = "/srv/trust-list.cbor"
"#;

fn read(text: &str) -> Result<Loaded, Vec<Problem>> {
    Config::from_text(text, Path::new("/etc/hibiki"))
}

/// The problems of a text that must have some, as they print.
fn problems(text: &str) -> Vec<String> {
    read(text).expect_err("accepted").iter().map(ToString::to_string).collect()
}

/// `GOOD` with a line more in a section.
fn with(section: &str, line: &str) -> String {
    let head = format!("[{section}]\n");
    match GOOD.split_once(&head) {
        Some((before, after)) => format!("{before}{head}{line}\n{after}"),
        None => format!("{GOOD}\n{head}{line}\n"),
    }
}

#[test]
fn what_is_left_out_takes_its_default() {
    let Loaded { config, warnings } = read(GOOD).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(config.node.id.as_str(), "maebashi/chuo-hospital");
    assert_eq!(config.node.kind, MemberKind::Hospital);
    assert_eq!(config.node.data_dir, Path::new("/etc/hibiki/data"));
    assert_eq!(config.node.keys_dir, Path::new("/etc/hibiki/data/keys"));
    assert_eq!(config.federation.root, Path::new("/etc/hibiki/root.cbor"));
    assert_eq!(config.federation.trust_list, Path::new("/srv/trust-list.cbor"));
    assert_eq!(config.store.path, Path::new("/etc/hibiki/data/store"));
    assert_eq!(config.ledger.path, Path::new("/etc/hibiki/data/ledger"));
    assert_eq!(config.admin_socket, Path::new("/etc/hibiki/data/admin.sock"));
    assert_eq!(config.registry.master_key, Path::new("/etc/hibiki/data/keys/registry-master.key"));
    assert_eq!(config.store.engine, Engine::Sled);
    assert_eq!(config.gateway.deadline_ms, 3_000);
    assert_eq!(config.role_names(), ["responder", "witness"]);
    assert_eq!(config.metrics, None);
    assert_eq!(config.inbox, None);
    let config = read(&with("ingest", "inbox = \"inbox\"")).unwrap().config;
    assert_eq!(config.inbox.as_deref(), Some(Path::new("/etc/hibiki/inbox")));
}

#[test]
fn since_when_records_are_kept_is_said_by_known_category_and_real_day() {
    assert!(read(GOOD).unwrap().config.records.kept_since.is_empty(), "nothing is said by default");
    let kept =
        read(&with("records", r#"kept-since = { immunization = "2012-04-01", growth = "2014-10-01" }"#));
    let kept: Vec<(String, String)> = kept
        .unwrap()
        .config
        .records
        .kept_since
        .iter()
        .map(|kept| (kept.category.to_string(), kept.since.as_str().to_owned()))
        .collect();
    let expected = [("growth", "2014-10-01"), ("immunization", "2012-04-01")];
    assert_eq!(kept, expected.map(|(category, day)| (category.to_owned(), day.to_owned())));
    for (line, expected) in [
        (
            r#"kept-since = { imunization = "2012-04-01" }"#,
            "\"imunization\" is not known; did you mean \"immunization\"?",
        ),
        (
            r#"kept-since = { immunization = "2012-02-30" }"#,
            "\"2012-02-30\" is not a day; write immunization = \"yyyy-mm-dd\"",
        ),
        (r#"kept-since = { immunization = "平成24年4月1日" }"#, "is not a day"),
        (r#"kept-since = "2012-04-01""#, "kept-since"),
    ] {
        let found = problems(&with("records", line));
        assert!(found.len() == 1 && found[0].contains(expected), "{line}: {found:?}");
    }
}

#[test]
fn an_unknown_key_names_its_place_and_its_neighbour() {
    let found = problems(&with("node", "data_dri = \"x\""));
    assert_eq!(found, ["3:1: unknown key \"data_dri\" in [node]; did you mean \"data-dir\"?"]);
    let found = problems(&format!("{GOOD}\n  [ledgr]\npath = \"x\"\n"));
    assert_eq!(found, ["13:4: unknown section [ledgr]; did you mean \"ledger\"?"]);
    let found = problems(&with("node", "deadline-ms = 5"));
    assert_eq!(found, ["3:1: unknown key \"deadline-ms\" in [node]; this key belongs into [gateway]"]);
}

#[test]
fn columns_count_characters() {
    // On a line of its own a key starts at column 1 whatever is above; inside a table it may not.
    let text = format!("{GOOD}\nstore = {{ engine = \"sled\" }}\n");
    assert!(problems(&text)[0].contains("[federation]"));
    let found = problems(&format!("store = {{ path = \"前橋\", enigne = \"sled\" }}\n{GOOD}"));
    assert_eq!(found, ["1:24: unknown key \"enigne\" in [store]; did you mean \"engine\"?"]);
}

#[test]
fn everything_wrong_is_reported_at_once_in_order() {
    let text = r#"
[node]
id = "Maebashi Hospital"
name-ja = ""
kind = "hospitl"
drain-seconds = "ten"
[gateway]
deadline-ms = 5
registri = "x"
[metrics]
address = "0.0.0.0:9464"
[log]
level = "loud"
"#;
    let found = problems(text);
    let expected = [
        ("2:2: node.name-en: missing", ""),
        ("2:2: node.data-dir: missing", ""),
        ("3:1: node.id: \"Maebashi Hospital\" is not accepted", "lower-case"),
        ("4:1: node.name-ja: not a name", ""),
        ("5:1: node.kind: \"hospitl\" is not known", "did you mean \"hospital\"?"),
        ("6:17: node.drain-seconds: invalid type: string \"ten\"", ""),
        ("8:1: gateway.deadline-ms: 5 is out of range", "choose from 100 to 30000"),
        ("9:1: unknown key \"registri\" in [gateway]", "did you mean \"registry\"?"),
        ("11:1: metrics.address: others on the network could read it", "loopback"),
        ("13:1: log.level: \"loud\" is not known", "one of error, warn, info, debug, trace"),
        ("federation.root: missing", ""),
        ("federation.trust-list: missing", ""),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, (start, inside)) in found.iter().zip(expected) {
        assert!(found.starts_with(start) && found.contains(inside), "{found}\nexpected {start} … {inside}");
    }
}

#[test]
fn a_syntax_error_is_not_drowned_in_its_consequences() {
    let found = problems("[node\nid = \"a/b\"\n");
    assert!(found.iter().all(|problem| problem.contains("not TOML")), "{found:#?}");
    assert!(found[0].starts_with("1:"), "{found:#?}");
    assert!(problems("[node]\nid = \"a/b\"\nid = \"a/c\"\n")[0].starts_with("3:1: not TOML: duplicate key"));
    assert!(problems("node = 3")[0].contains("write [node]"));
}

#[test]
fn roles_bring_their_own_needs() {
    let relay = |line: &str| format!("from = \"もみじ小学校 <a@school.example>\"\n{line}");
    for (section, line, expected) in [
        ("roles", "gateway = true", "gateway.registry: missing"),
        ("roles", "registry = true", "registry.area: missing"),
        ("roles", "responder = false\nwitness = false", "roles: this node has no role"),
        ("witnesses", "quorum = 0", "witnesses.quorum: 0 is out of range"),
        (
            "witnesses",
            "alarm-minutes = 30\nstop-minutes = 30",
            "witnesses.stop-minutes: not later than the alarm",
        ),
        ("links", "dial = [\"maebashi/chuo-hospital\"]", "names this node itself"),
        ("links", "back-off-min-ms = 60000", "above back-off-max-ms"),
        ("listen", "address = \"localhost\"", "not an address to listen on"),
        ("listen", "advertise = \"hospital.example\"", "not a host and a port"),
        ("listen", "advertise = \"hospital.example:0\"", "not a host and a port"),
        ("limits", "sessions = 16385", "choose from 1 to 16384"),
        ("limits", "replay-entries = 0", "out of range"),
        ("policy", "adult-age = 300", "out of range"),
        ("policy", "sensitive-categories = [\"prescripton\"]", "did you mean \"prescription\"?"),
        ("ingest", "inbox = \"data\"", "the node's own files"),
        ("store", "engine = \"postgres\"", "\"postgres\" is not known"),
        ("mail", "relay = \"smtp.example:587\"", "mail.from: missing"),
        ("mail", &relay("relay = \"smtp.example\""), "not a host and a port"),
        ("mail", &relay("relay = \"smtp.example:0\""), "not a host and a port"),
        ("mail", &relay("relay = \"smtp.example:25\"\ntls = \"none\""), "in the clear"),
        ("mail", &relay("relay = \"10.0.0.1:25\"\ntls = \"none\""), "in the clear"),
        ("mail", &relay("relay = \"smtp.example:25\"\ntls = \"ssl\""), "\"ssl\" is not known"),
        ("mail", &relay("relay = \"smtp.example:25\"\nuser = \"a\""), "go together"),
        ("mail", &relay("relay = \"smtp.example:25\"\npassword-file = \"a\""), "go together"),
        ("mail", &relay("relay = \"smtp.example:25\"\nat-once = 0"), "out of range"),
        (
            "mail",
            &relay("relay = \"smtp.example:25\"\nreply-to = \"a@b\\r\\nBcc: c@d\""),
            "not an address for mails",
        ),
    ] {
        let found = problems(&with(section, line));
        assert!(found.len() == 1 && found[0].contains(expected), "{line}: {found:#?}");
    }
    let both = "registry = true\ngateway = true\n[registry]\narea = \"maebashi\"";
    let config = read(&with("roles", both)).unwrap().config;
    assert_eq!(config.gateway.registry, Some(config.node.id));
}

#[test]
fn the_unwise_is_allowed_with_a_warning() {
    for (section, line, expected) in [
        ("store", "engine = \"memory\"", "forgets every record"),
        ("metrics", "address = \"0.0.0.0:9464\"\nallow-non-loopback = true", "others on the network"),
        ("gateway", "registry = \"maebashi/city-hall\"", "the role gateway is off"),
        ("policy", "answer-floor-ms = 0", "time of an answer"),
    ] {
        let loaded = read(&with(section, line)).unwrap();
        assert!(loaded.warnings.len() == 1, "{line}");
        assert!(loaded.warnings[0].what.contains(expected), "{:?}", loaded.warnings);
    }
}

#[test]
fn a_socket_path_too_long_is_said_before_the_start() {
    let text = GOOD.replace("\"data\"", &format!("\"/{}\"", "d".repeat(100)));
    assert!(problems(&text)[0].contains("too long for a Unix socket"));
}

#[test]
fn every_section_is_read() {
    for (section, keys) in parse::all_keys() {
        assert!(!keys.is_empty(), "{section}");
        let parsed = parse::parse(&format!("[{section}]\nno-such-key-anywhere = 1\n"));
        assert_eq!(parsed.problems.len(), 1, "{section}");
        assert!(parsed.problems[0].what.contains(&format!("in [{section}]")), "{section}");
    }
}

#[test]
fn files_that_others_may_change_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("node.toml");
    fs::write(&file, GOOD).unwrap();
    let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();

    set(&file, 0o640);
    assert_eq!(Config::load(&file).unwrap().warnings, []);
    set(&file, 0o660);
    assert!(Config::load(&file).unwrap().warnings[0].what.contains("its group"));
    set(&file, 0o666);
    assert!(Config::load(&file).unwrap_err().to_string().contains("anybody on this machine may change it"));
    set(&file, 0o600);
    set(folder.path(), 0o777);
    assert!(Config::load(&file).unwrap_err().to_string().contains("replace the files"));
    set(folder.path(), 0o700);

    let keys = folder.path().join("data/keys");
    fs::create_dir_all(&keys).unwrap();
    set(&keys, 0o750);
    let refused = Config::load(&file).unwrap_err().to_string();
    assert!(refused.contains("others than its owner") && refused.contains("chmod go-rwx"), "{refused}");
    set(&keys, 0o700);
    let data = folder.path().join("data");
    set(&data, 0o755);
    assert!(Config::load(&file).unwrap().warnings[0].what.contains("others than its owner may look into it"));
    set(&data, 0o700);
    assert_eq!(Config::load(&file).unwrap().warnings, []);
}

#[test]
fn a_file_that_is_no_configuration_is_said_plainly() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("node.toml");
    let load = || Config::load(&file).unwrap_err().to_string();
    assert!(load().contains("config-examples"));
    fs::write(&file, b"[node]\nid = \"\xff\"").unwrap();
    assert!(load().contains(":2:7: not UTF-8"), "{}", load());
    fs::write(&file, vec![b'#'; 2_000_000]).unwrap();
    assert!(load().contains("longer than"));
    fs::write(&file, "[node]\nidd = 1").unwrap();
    assert!(load().contains(&format!("{}:2:1: unknown key", file.display())), "{}", load());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_upsets_the_reader(text in "(\\[[a-z]{0,8}\\]|[a-z-]{0,9} ?= ?[0-9\"\\[{]{0,3}|\\PC{0,5}|\n){0,12}") {
        if let Err(problems) = read(&text) {
            prop_assert!(!problems.is_empty());
            for place in problems.iter().filter_map(|problem| problem.place) {
                prop_assert!(place.line <= text.lines().count() + 1);
            }
        }
    }

    #[test]
    fn a_file_cut_anywhere_is_read_without_panic(cut in 0..GOOD.len()) {
        let cut = (0..=cut).rev().find(|&at| GOOD.is_char_boundary(at)).unwrap();
        let _ = read(&GOOD[..cut]);
    }
}

/// A school with a relay, and a line more in its section.
fn school(line: &str) -> String {
    let mail = "[mail]\nrelay = \"[::1]:25\"\ntls = \"none\"\nfrom = \"もみじ小学校 <a@school.example>\"";
    format!("{GOOD}\n[school]\nkitchen = \"第1地区\"\n{line}\n{mail}\n")
}

#[test]
fn the_times_of_a_school_make_sense_together() {
    for (line, expected) in [
        ("warn-time = \"18:01\"", "later than alert-time"),
        ("lunch-time = \"noon\"", "\"noon\" is not a time of day"),
        ("lunch-time = \"24:00\"", "not a time of day"),
        ("staff-mail = [\"office\"]", "not an address for mails"),
    ] {
        let found = problems(&school(line));
        assert!(found.len() == 1 && found[0].contains(expected), "{line}: {found:#?}");
    }
    assert!(problems(&school("").replace("第1地区", " "))[0].contains("not a name"));
}

#[test]
fn a_school_nobody_of_whose_staff_is_told_or_without_mail_is_warned_of() {
    let Loaded { config, warnings } = read(&school("staff-mail = [\"a@school.example\"]")).unwrap();
    assert_eq!(warnings, []);
    let (school_of, mail) = (config.school.unwrap(), config.mail.unwrap());
    assert_eq!((school_of.alert, school_of.warn, school_of.lunch), (18 * 60, 14 * 60, 12 * 60));
    assert_eq!((mail.host.as_str(), mail.port, mail.tls), ("::1", 25, MailTls::None));
    let warned = |text: &str| -> Vec<String> {
        read(text).unwrap().warnings.iter().map(ToString::to_string).collect()
    };
    let nobody = warned(&school(""));
    assert!(nobody.len() == 1 && nobody[0].contains("staff-mail: nobody is told"), "{nobody:?}");
    let at_noon =
        warned(&school("staff-mail = [\"a@school.example\"]\nalert-time = \"11:00\"\nwarn-time = \"10:00\""));
    assert!(at_noon.len() == 1 && at_noon[0].contains("another lunch is still to come"), "{at_noon:?}");
    let no_mail =
        warned(&format!("{GOOD}\n[school]\nkitchen = \"第1地区\"\nstaff-mail = [\"a@school.example\"]\n"));
    assert!(no_mail.len() == 1 && no_mail[0].contains("no alert can be sent"), "{no_mail:?}");
    let config = read(GOOD).unwrap().config;
    assert_eq!((config.school, config.mail, config.staff_page), (None, None, None));
}

#[test]
fn a_staff_page_others_could_reach_is_refused() {
    for address in ["0.0.0.0:8480", "192.0.2.1:8480"] {
        let found = problems(&with("staff-page", &format!("address = \"{address}\"")));
        assert!(
            found.len() == 1 && found[0].contains("staff-page.address: others on the network"),
            "{found:#?}"
        );
    }
    assert!(read(&with("staff-page", "address = \"[::1]:8480\"")).unwrap().config.staff_page.is_some());
}

#[test]
fn a_ledger_others_could_read_is_published_with_a_token_or_not_at_all() {
    let ledger = |lines: &str| with("ledger", lines);
    let found = problems(&ledger("publish = \"192.0.2.1:9465\""));
    assert!(found.len() == 1 && found[0].contains("ledger.publish: anybody on the network"), "{found:#?}");
    let loaded = read(&ledger("publish = \"[::1]:9465\"")).unwrap();
    assert_eq!((loaded.warnings.len(), loaded.config.ledger.publish.unwrap().token_file), (0, None));
    for (lines, warned) in [
        ("publish = \"0.0.0.0:9465\"\npublish-token-file = \"t\"", "in the clear"),
        ("publish-token-file = \"t\"", "not used"),
    ] {
        let warnings = read(&ledger(lines)).unwrap().warnings;
        assert!(warnings.len() == 1 && warnings[0].to_string().contains(warned), "{warnings:#?}");
    }
}

#[test]
fn a_password_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (file, password) = (folder.path().join("node.toml"), folder.path().join("relay-password"));
    let mail = "[mail]\nrelay = \"smtp.example:587\"\nfrom = \"a@school.example\"\nuser = \"u\"\npassword-file = \"relay-password\"\n";
    fs::write(&file, format!("{GOOD}\n{mail}")).unwrap();
    fs::write(&password, "secret").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(&password, Permissions::from_mode(0o640)).unwrap();
    let refused = Config::load(&file).unwrap_err().to_string();
    assert!(refused.contains("relay-password: others than its owner may use this secret"), "{refused}");
    fs::set_permissions(&password, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(Config::load(&file).unwrap().warnings, []);
}
