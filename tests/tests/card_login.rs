//! The card in a reader, the real pcscd, the whole town: what a guardian does, and what ends when the card is
//! taken away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use hibiki_protocol::time::Timestamp;
use hibiki_simcard::CardFile;
use hibiki_tests::card_reader::{InsertedCard, PrivateReader, SOCKET_VARIABLE};
use hibiki_tests::clock;
use hibiki_tests::evidence;
use hibiki_tests::family;
use hibiki_tests::house::House;
use hibiki_tests::town::cards::PIN;
use hibiki_tests::town::{Card, Settings, Town, staff};

/// The promise: half a second from the card's leaving to the end at every institution.
const PROMISED: Duration = Duration::from_millis(500);
/// What a single removal may take on a machine that does much else.
const WORST: Duration = Duration::from_secs(3);
/// O_NONBLOCK.
const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
/// Removals that are measured.
const REMOVALS: usize = 7;

struct Scene {
    town: Town,
    reader: PrivateReader,
    inserted: InsertedCard,
    /// The mother's card, as a file.
    file: Card,
    /// The same card in the reader.
    card: Card,
    /// The father, who has no card yet.
    father: String,
    folder: tempfile::TempDir,
    data: std::collections::BTreeSet<String>,
}

fn scene(test: &str) -> Option<Scene> {
    let folder = tempfile::tempdir().unwrap();
    let reader = PrivateReader::start_or_skip(test, &folder.path().join("r"))?;
    let mut town = Town::found(&folder.path().join("t"), &Settings::default(), &mut |_| {}).unwrap();
    let (people, family) = family::found(12, clock::today());
    town.load(&people, &mut |_| {}).unwrap();
    let data = evidence::personal_data(&people);
    let file = town.issue_card(&family.mother).unwrap();
    let inserted = InsertedCard::run(&reader, 0, &file.file, &[]).unwrap();
    let card = file.in_reader(&reader.reader_name(0), reader.socket(), 10);
    let father = family.father.clone();
    Some(Scene { town, reader, inserted, file, card, father, folder, data })
}

#[test]
fn a_card_in_a_reader_shows_what_the_same_card_as_a_file_shows() {
    let Some(scene) = scene("a_card_in_a_reader") else { return };
    let (touched, from_file) =
        (scene.town.login(&scene.card).unwrap(), scene.town.login(&scene.file).unwrap());
    assert_eq!(touched.len(), 3, "two children and herself");
    assert_eq!(touched.len(), from_file.len());
    let view = |card| scene.town.view(card, 2, &[]).unwrap().into_view().unwrap();
    let (touched, from_file) = (view(&scene.card), view(&scene.file));
    assert!(touched.coverage.complete);
    assert_eq!(touched.keys().unwrap(), from_file.keys().unwrap());
    assert!(touched.keys().unwrap().values().map(std::collections::BTreeSet::len).sum::<usize>() > 0);
    // What was said about card and reader names nobody, and no log knows the PIN.
    let log = scene.inserted.log() + &scene.reader.log();
    assert_eq!(evidence::found_in(&log, &scene.data), Vec::<&str>::new());
    assert!(!log.contains(PIN), "{log}");
}

#[test]
fn the_counter_enrols_a_card_from_the_reader() {
    let Some(mut scene) = scene("the_counter_enrols_a_card") else { return };
    let cards = scene.folder.path().join("counter");
    let fresh = scene.town.council().issue_card_for(&cards, "fresh", 365, clock::now()).unwrap();
    let _inserted = InsertedCard::run(&scene.reader, 1, &fresh.file, &[]).unwrap();
    let touched = fresh.in_reader(&scene.reader.reader_name(1), scene.reader.socket(), 10);
    let refused = scene.town.login(&touched).unwrap_err().to_string();
    assert!(
        refused.contains("このカードは登録されていません") && refused.contains("not enrolled"),
        "{refused}"
    );

    let certificate = cards.join("read.crt");
    let read = || {
        let mut terminal = Command::new(scene.town.programs().path("hibiki-terminal"));
        terminal.args(["card", "--reader", &scene.reader.reader_name(1), "--certificate-out"]);
        terminal.arg(&certificate).env(SOCKET_VARIABLE, scene.reader.socket()).output().unwrap()
    };
    assert!(read().status.success());
    assert!(!read().status.success(), "an existing file is not overwritten");
    let whose = Card { certificate, ..touched.clone() };
    staff::enrol_card(&scene.town, &whose, &scene.father).unwrap();
    assert_eq!(scene.town.login(&touched).unwrap().len(), 3);
}

/// SELECT the application, SELECT the key, SIGN; with the PIN's VERIFY between for the control.
fn sign_with_opensc(scene: &Scene, verify: bool) -> String {
    let digest_info = format!("3031300D060960864801650304020105000420{}", "07".repeat(32));
    let sign = format!("802A008033{digest_info}00");
    let pin = format!("0020008004{}", PIN.bytes().map(|byte| format!("{byte:02X}")).collect::<String>());
    let mut commands = vec!["00A4040C0AD392F000260100000001"];
    if verify {
        commands.extend(["00A4020C020018", &pin]);
    }
    commands.extend(["00A4020C020017", &sign]);
    let mut opensc = scene.reader.client("opensc-tool");
    opensc.env("OPENSC_DRIVER", "default").args(["--reader", &scene.reader.reader_name(0)]);
    for command in commands {
        opensc.args(["--send-apdu", command]);
    }
    let output = opensc.stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn nobody_signs_after_us_with_our_pin() {
    let Some(scene) = scene("nobody_signs_after_us") else { return };
    let control = sign_with_opensc(&scene, true);
    let last = |said: &str| said.lines().rfind(|line| line.starts_with("Received")).unwrap().to_owned();
    assert!(last(&control).contains("SW1=0x90, SW2=0x00"), "after the PIN it signs:\n{control}");
    std::thread::park_timeout(Duration::from_secs(6));
    for round in 0..3 {
        assert_eq!(scene.town.login(&scene.card).unwrap().len(), 3);
        let after = sign_with_opensc(&scene, false);
        assert!(last(&after).contains("SW1=0x69, SW2=0x82"), "round {round}:\n{after}");
    }
    assert_eq!(CardFile::open(&scene.file.file).unwrap().tries_left().unwrap(), 3);
}

/// Logins of each kind that are timed.
const LOGINS: usize = 9;

/// Median milliseconds of each part, and of the whole.
fn medians(times: &[BTreeMap<String, f64>]) -> BTreeMap<String, f64> {
    let middle = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let names = times[0].keys().map(|name| (name.clone(), middle(times.iter().map(|t| t[name]).collect())));
    let whole = middle(times.iter().map(|times| times.values().sum()).collect());
    names.chain([("whole".to_owned(), whole)]).collect()
}

#[test]
fn the_card_takes_most_of_a_login() {
    let Some(mut scene) = scene("the_card_takes_most_of_a_login") else { return };
    let father = scene.father.clone();
    let slow = scene.town.issue_card(&father).unwrap();
    let _slow = InsertedCard::run(&scene.reader, 1, &slow.file, &["--delay", "contactless"]).unwrap();
    let slow = slow.in_reader(&scene.reader.reader_name(1), scene.reader.socket(), 10);
    let kinds = [("file", &scene.file), ("reader", &scene.card), ("reader, contactless pace", &slow)];
    let mut times = BTreeMap::new();
    for _ in 0..LOGINS {
        for (kind, card) in kinds {
            times.entry(kind).or_insert_with(Vec::new).push(scene.town.time_login(card).unwrap());
        }
    }
    let medians = |kind: &str| medians(&times[kind]);
    for (kind, _) in kinds {
        let parts = medians(kind);
        println!("login, {kind}: {parts:?} (median ms of {LOGINS})");
    }
    let slow = medians("reader, contactless pace");
    let card = slow["card_reading_ms"] + slow["card_signing_ms"];
    assert!(card > slow["whole"] / 2.0, "{slow:?}");
    assert!(slow["whole"] < 5_000.0, "{slow:?}");
}

/// When each institution learned of the end of a session, and how many it knows of.
fn ends(town: &Town) -> Vec<(House, u64, Timestamp)> {
    let ends = |house: &House| {
        let status = town.node(*house).status().unwrap();
        let ends = &status["session_ends"];
        (*house, ends["in_force"].as_u64().unwrap(), Timestamp(ends["latest"].as_u64().unwrap()))
    };
    House::ALL.iter().map(ends).collect()
}

#[test]
fn taking_the_card_away_ends_the_session_everywhere() {
    let Some(scene) = scene("taking_the_card_away") else { return };
    let mut slowest = Vec::new();
    for round in 0..REMOVALS {
        let before = ends(&scene.town);
        let mut staying = scene.town.stay(&scene.card).unwrap();
        let open = staying.lines(1).unwrap().concat();
        assert!(open.contains("\"simulated\":true"), "{open}");
        assert_eq!(ends(&scene.town), before, "nothing ends while the card lies there");

        let removed = clock::now();
        scene.inserted.remove().unwrap();
        let asked = staying.wait().unwrap();
        let told = clock::now().since(removed);
        let said: serde_json::Value = serde_json::from_str(&asked.json).unwrap();
        assert_eq!(said["ended"], "card_removed", "{said}");
        assert_eq!((&said["confirmed"], &said["outstanding"]), (&6.into(), &0.into()), "{said}");
        let after = ends(&scene.town);
        for ((house, now, at), (_, then, _)) in after.iter().zip(&before) {
            assert_eq!(*now, then + 1, "round {round}: {house} was told once");
            assert!(*at >= removed);
        }
        let last = after.iter().map(|(_, _, at)| at.since(removed)).max().unwrap();
        println!("removal {round}: last institution after {last} ms, terminal done after {told} ms");
        assert!(Duration::from_millis(last.max(told)) < WORST, "round {round}");
        slowest.push(last);
        scene.inserted.insert().unwrap();
    }
    slowest.sort_unstable();
    println!("removal to the last institution, ms: {slowest:?}");
    assert!(Duration::from_millis(slowest[REMOVALS / 2]) <= PROMISED, "median of {slowest:?}");
}

#[test]
fn taking_the_card_away_during_a_view_shows_nothing_more() {
    let Some(scene) = scene("taking_the_card_away_during_a_view") else { return };
    scene.town.node(House::Hospital).freeze();
    let mut viewing = scene.town.begin_view(&scene.card, 2, &["--stream", "--deadline-ms", "20000"]).unwrap();
    assert_eq!(viewing.lines(3).unwrap().len(), 3, "parts of the others land");
    let removed = clock::now();
    scene.inserted.remove().unwrap();
    let asked = viewing.wait().unwrap();
    let took = clock::now().since(removed);
    assert!(!asked.success && asked.view.is_none(), "no view is shown any more");
    assert!(
        asked.said.contains("カードが離れた") && asked.said.contains("card was removed"),
        "{}",
        asked.said
    );
    assert!(took < 3_000, "{took} ms, although the view had 20 s");
    scene.town.node(House::Hospital).thaw();
    let told =
        clock::wait_until(Duration::from_secs(30), || ends(&scene.town).iter().all(|(_, n, _)| *n == 1));
    assert!(told, "the hospital hears of it when it can listen again: {:?}", ends(&scene.town));
}

#[test]
fn a_service_that_stops_ends_the_session() {
    let Some(mut scene) = scene("a_service_that_stops") else { return };
    let mut staying = scene.town.stay(&scene.card).unwrap();
    staying.lines(1).unwrap();
    scene.reader.kill();
    let asked = staying.wait().unwrap();
    assert!(asked.json.contains("card_removed"), "nobody can tell whether the card is there: {}", asked.json);
    assert!(ends(&scene.town).iter().all(|(_, ended, _)| *ended == 1), "{:?}", ends(&scene.town));
}

#[test]
fn a_file_taken_away_is_a_card_taken_away() {
    let Some(scene) = scene("a_file_taken_away") else { return };
    let mut staying = scene.town.stay(&scene.file).unwrap();
    staying.lines(1).unwrap();
    std::fs::rename(&scene.file.file, scene.folder.path().join("elsewhere.json")).unwrap();
    assert!(staying.wait().unwrap().json.contains("card_removed"));
}

/// OpenSC, logged in at the card and waiting for something to sign, until it is dropped.
struct OpenSc {
    child: std::process::Child,
    /// What it waits to read from.
    _message: std::fs::File,
}

impl OpenSc {
    fn hold(scene: &Scene, exclusive: bool) -> Self {
        let folder = scene.folder.path();
        let config = folder.join("opensc.conf");
        let modes = format!("connect_exclusive = {exclusive};");
        let text = format!("app default {{ card_drivers = jpki; reader_driver pcsc {{ {modes} }} }}");
        std::fs::write(&config, text).unwrap();
        let (pipe, never) = (folder.join("pipe"), folder.join("signature"));
        if !pipe.exists() {
            assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        }
        let module = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"]
            .map(|folder| Path::new(folder).join("opensc-pkcs11.so"));
        let module = module.iter().find(|path| path.is_file()).expect("opensc-pkcs11 is installed");
        let mut opensc = scene.reader.client("pkcs11-tool");
        opensc.env("OPENSC_CONF", &config).arg("--module").arg(module);
        opensc.args(["--slot", "0", "--login", "--pin", PIN, "--sign", "--id", "01"]);
        opensc.args(["--mechanism", "SHA256-RSA-PKCS", "-i"]).arg(&pipe).arg("-o").arg(&never);
        let mut child =
            opensc.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // A pipe takes a writer that does not wait only once somebody reads: then it has logged in.
        let mut message = None;
        let held = clock::wait_until(Duration::from_secs(60), || {
            let writer = OpenOptions::new().write(true).custom_flags(NONBLOCK).open(&pipe);
            message = writer.ok();
            message.is_some() || !matches!(child.try_wait(), Ok(None))
        });
        assert!(held, "OpenSC logs in");
        Self { child, _message: message.expect("OpenSC waits for something to sign") }
    }
}

impl Drop for OpenSc {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `hibiki-terminal card` says of the readers.
fn look(scene: &Scene) -> serde_json::Value {
    let mut terminal = Command::new(scene.town.programs().path("hibiki-terminal"));
    terminal.args(["card", "--format", "json"]).env(SOCKET_VARIABLE, scene.reader.socket());
    let output = terminal.stdin(Stdio::null()).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

#[test]
fn opensc_beside_us_is_tolerated_and_alone_is_named() {
    let Some(scene) = scene("opensc_beside_us") else { return };
    {
        let _opensc = OpenSc::hold(&scene, false);
        assert_eq!(look(&scene)["readers"][0]["shared"], true);
        assert_eq!(scene.town.login(&scene.card).unwrap().len(), 3, "shared, and ours for the moment");
        let after = sign_with_opensc(&scene, false);
        assert!(after.contains("SW1=0x69, SW2=0x82"), "and without our PIN afterwards:\n{after}");
    }
    let _opensc = OpenSc::hold(&scene, true);
    assert_eq!(look(&scene)["readers"][0]["fault"], "in_use");
    let refused = scene.town.login(&scene.card).unwrap_err().to_string();
    assert!(
        refused.contains("ほかのソフト") && refused.contains("Another program is using the card"),
        "{refused}"
    );
}

#[test]
fn any_user_sees_the_card_in_plain_words() {
    let Some(scene) = scene("any_user_sees_the_card") else { return };
    let terminal = scene.town.programs().path("hibiki-terminal");
    // The private service's socket lies in a folder of ours: the way to it is opened for the test.
    let open = |path: &Path, mode: &str| {
        assert!(Command::new("chmod").arg(mode).arg(path).status().unwrap().success());
    };
    open(scene.folder.path(), "755");
    let root = rustix::process::getuid().is_root();
    let mut command = if root {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&terminal);
        command
    } else {
        Command::new(&terminal)
    };
    let output = command.arg("card").env(SOCKET_VARIABLE, scene.reader.socket()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    for words in [
        "Hibiki Virtual Reader 00 00",
        "マイナンバーカード（模擬）",
        "Individual Number card (simulated)",
        "有効（",
        "valid (",
        "あと 3 回入力できます",
        "3 tries left",
        "no card",
    ] {
        assert!(said.contains(words), "{words}: {said}{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(evidence::found_in(&said, &scene.data), Vec::<&str>::new());
}
