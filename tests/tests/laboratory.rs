//! Only the laboratory node can write the secrets of TLS down: the programs that people use have nothing in them that could.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;

use hibiki_tests::town::Programs;

/// What the laboratory says of itself; a program that cannot open one does not know these words.
const WORDS: [&str; 2] =
    ["the laboratory of this process is open already", "the laboratory's key log is not written"];

#[test]
fn no_program_that_people_use_can_log_the_secrets_of_tls() {
    let programs = Programs::find().unwrap();
    let knows = |program: &str| {
        let bytes = fs::read(programs.path(program)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        WORDS.map(|words| text.contains(words))
    };
    assert_eq!(knows("examples/hibiki-laboratory"), [true, true], "the search finds what is there");
    for program in ["hibiki-node", "hibiki-terminal", "hibiki-certs", "hibiki-audit", "hibiki-simcard"] {
        assert_eq!(knows(program), [false, false], "{program}");
    }
}
