//! A reader, a card in it, and the tools to hold against it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use hibiki_tests::card_reader::{InsertedCard, PrivateReader, SampleCard};
pub(crate) use hibiki_tests::skip::skipped;

/// Seconds any foreign program may take: a reader that hangs must not hang the tests.
const SECONDS: &str = "90";

/// The reader and its folder.
pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) reader: PrivateReader,
}

impl Bench {
    /// A reader; `None`, said aloud, where pcscd or one of these programs is not installed.
    pub(crate) fn new(test: &str, programs: &[&str]) -> Option<Self> {
        for program in programs {
            let here = Command::new(program).arg("--help").stdin(Stdio::null()).output().is_ok();
            if !here {
                skipped(test, &format!("{program} is not installed; run `make setup`"));
                return None;
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let reader = PrivateReader::start_or_skip(test, folder.path())?;
        Some(Self { folder, reader })
    }

    /// A new card in the first slot.
    pub(crate) fn with_card(&self, more: &[&str]) -> (SampleCard, InsertedCard) {
        self.with_card_in(0, more)
    }

    /// A new card in a slot.
    pub(crate) fn with_card_in(&self, slot: usize, more: &[&str]) -> (SampleCard, InsertedCard) {
        let card = SampleCard::make(self.folder.path(), &format!("card-{slot}")).unwrap();
        let inserted = InsertedCard::run(&self.reader, slot, &card.file, more).unwrap();
        (card, inserted)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a program against this reader, in its folder, the PIN or password in the variable PIN.
    pub(crate) fn run(&self, pin: &str, program: &str, arguments: &[&str]) -> Said {
        let mut command = self.reader.client("timeout");
        command.arg(SECONDS).arg(program).args(arguments);
        command.env("PIN", pin).env("HOME", self.folder.path()).current_dir(self.folder.path());
        Said::of(&command.stdin(Stdio::null()).output().unwrap())
    }

    /// The same, and it must succeed.
    pub(crate) fn must(&self, pin: &str, program: &str, arguments: &[&str]) -> String {
        let said = self.run(pin, program, arguments);
        assert!(said.success, "{program} {arguments:?}:\n{}", said.text);
        said.text
    }

    /// Writes a certificate's public key as PEM and returns the file's name.
    pub(crate) fn public_key(&self, name: &str, certificate: &[u8]) -> String {
        fs::write(self.path(&format!("{name}.der")), certificate).unwrap();
        let file = format!("{name}.pem");
        let certificate = format!("{name}.der");
        self.must(
            "",
            "openssl",
            &["x509", "-inform", "DER", "-in", &certificate, "-pubkey", "-noout", "-out", &file],
        );
        file
    }
}

/// What a program said, and whether it succeeded.
pub(crate) struct Said {
    pub(crate) success: bool,
    pub(crate) text: String,
}

impl Said {
    pub(crate) fn of(output: &Output) -> Self {
        let both = [output.stdout.as_slice(), &output.stderr].concat();
        Self { success: output.status.success(), text: String::from_utf8_lossy(&both).into_owned() }
    }
}

/// OpenSC's PKCS#11 module.
pub(crate) fn module() -> Option<String> {
    let folders = fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    let found = folders.chain([Path::new("/usr/lib").into()]).map(|folder| folder.join("opensc-pkcs11.so"));
    found.into_iter().find(|module| module.is_file()).map(|module| module.display().to_string())
}
