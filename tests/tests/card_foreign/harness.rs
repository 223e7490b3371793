//! Cards that leave, and cards that break, as a foreign client sees them.

use std::time::Duration;

use hibiki_simcard::CardFile;
use hibiki_simcard::applet::{Applet, Atr, GoodCard};
use hibiki_tests::card_reader::{Fault, Faulty, InProcessCard, InsertedCard, SampleCard, When};
use hibiki_tests::clock;

use crate::bench::{Bench, Said, module, skipped};

/// pcscd looks for a card every 400 ms.
const NOTICED: Duration = Duration::from_secs(20);

#[test]
fn pcscd_sees_a_card_leave_and_return() {
    let Some(bench) = Bench::new("pcscd_sees_a_card_leave_and_return", &["opensc-tool"]) else { return };
    let (card, mut inserted) = bench.with_card(&[]);
    let name = bench.reader.reader_name(0);
    let is_in = || {
        let said = bench.must("", "opensc-tool", &["--list-readers"]);
        let line = said.lines().find(|line| line.contains(&name)).expect("the reader").to_owned();
        line.contains(" Yes ")
    };
    assert!(is_in());
    inserted.remove().unwrap();
    assert!(clock::wait_until(NOTICED, || !is_in()), "removed");
    inserted.insert().unwrap();
    assert!(clock::wait_until(NOTICED, is_in), "inserted again");
    inserted.kill();
    assert!(clock::wait_until(NOTICED, || !is_in()), "torn out");
    let beside = InsertedCard::run(&bench.reader, 0, &card.file, &["--removed"]).unwrap();
    assert!(!is_in());
    beside.insert().unwrap();
    assert!(clock::wait_until(NOTICED, is_in), "from beside the reader");
    assert!(beside.end(), "SIGTERM is a clean exit");
}

#[test]
fn a_card_that_breaks_fails_the_client_and_the_next_card_works() {
    let test = "a_card_that_breaks_fails_the_client_and_the_next_card_works";
    let Some(bench) = Bench::new(test, &["pkcs11-tool"]) else { return };
    let Some(module) = module() else { return skipped(test, "opensc-pkcs11 is not installed") };
    let card = SampleCard::make(bench.folder.path(), "breaking").unwrap();
    std::fs::write(bench.path("message"), b"message").unwrap();
    let plastic = || GoodCard::new(Applet::new(CardFile::open(&card.file).unwrap()), Atr::contact());
    let sign = || -> Said {
        let open =
            ["--module", &module, "--slot", "0", "--login", "--pin", "env:PIN", "--sign", "--id", "01"];
        let what =
            ["--mechanism", "SHA256-RSA-PKCS", "--input-file", "message", "--output-file", "signature"];
        bench.run(SampleCard::PIN, "pkcs11-tool", &[&open[..], &what].concat())
    };
    for (when, fault) in [
        (When::Instruction(0x2A), Fault::Pulled),
        (When::Instruction(0x2A), Fault::Garbage(vec![0x6F, 0x00])),
        (When::Instruction(0x20), Fault::Pulled),
        (When::Command(1), Fault::Garbage(vec![0xFF])),
    ] {
        let broken =
            InProcessCard::insert(&bench.reader, 0, Faulty::new(plastic(), when, fault.clone())).unwrap();
        let said = sign();
        assert!(!said.success, "{when:?} {fault:?}: {}", said.text);
        drop(broken);
        let _good = InProcessCard::insert(&bench.reader, 0, plastic()).unwrap();
        let said = sign();
        assert!(said.success, "after {when:?} {fault:?}: {}", said.text);
    }
}

#[test]
fn a_frozen_card_holds_the_client_until_it_is_taken_away() {
    let test = "a_frozen_card_holds_the_client_until_it_is_taken_away";
    let Some(bench) = Bench::new(test, &["opensc-tool"]) else { return };
    let card = SampleCard::make(bench.folder.path(), "frozen").unwrap();
    let plastic = GoodCard::new(Applet::new(CardFile::open(&card.file).unwrap()), Atr::contact());
    let frozen =
        InProcessCard::insert(&bench.reader, 0, Faulty::new(plastic, When::Command(1), Fault::Frozen));
    let mut client = bench.reader.client("opensc-tool");
    client.arg("--name").stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut client = client.spawn().unwrap();
    let ended = clock::wait_until(Duration::from_secs(2), || client.try_wait().unwrap().is_some());
    assert!(!ended, "nothing answers, and nothing in the driver runs out of time");
    drop(frozen.unwrap());
    assert!(clock::wait_until(NOTICED, || client.try_wait().unwrap().is_some()), "released");
}
