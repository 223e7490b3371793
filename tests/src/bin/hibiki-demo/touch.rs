//! Where the guardian's card lies: in a reader of the demo's own, or, where there can be none, in its file.

use hibiki_tests::card_reader::{InsertedCard, PrivateReader, SOCKET_VARIABLE};
use hibiki_tests::town::{Card, Town};
use tempfile::TempDir;

use crate::narrator::step;
use crate::story::Trouble;

/// A reader with the card in it.
pub(crate) struct Touched {
    inserted: InsertedCard,
    reader: PrivateReader,
    // Beside the town's folder, whose path may be too long for a socket. Dropped last.
    _folder: TempDir,
}

impl Touched {
    /// Starts a private pcscd and puts the card into its virtual reader; says plainly why not, where that
    /// cannot be.
    pub(crate) fn put(card: &Card) -> Option<Self> {
        let put = || {
            let folder = tempfile::Builder::new().prefix("hibiki-demo-").tempdir();
            let folder = folder.map_err(|error| error.to_string())?;
            let reader = PrivateReader::start(folder.path()).map_err(|error| error.to_string())?;
            let inserted = InsertedCard::run(&reader, 0, &card.file, &[]);
            let inserted = inserted.map_err(|error| error.to_string())?;
            Ok::<_, String>(Self { inserted, reader, _folder: folder })
        };
        match put() {
            Ok(touched) => {
                step(
                    "模擬カードを本物の pcscd のリーダーに置きました / the simulated card lies in a reader of a real pcscd",
                );
                Some(touched)
            }
            Err(why) => {
                step(&format!("カードリーダーを用意できません。ファイルのカードで続けます：{why}"));
                step("no card reader can be had on this machine: going on with the card as a file");
                None
            }
        }
    }

    /// The card as the terminal finds it.
    pub(crate) fn card(&self, card: &Card) -> Card {
        card.in_reader(&self.reader.reader_name(0), self.reader.socket(), 30)
    }

    /// What the person at the reader sees of it.
    pub(crate) fn look(&self, town: &Town) -> Result<(), Trouble> {
        let terminal = town.programs().path("hibiki-terminal");
        let seen = self.reader.client(&terminal.display().to_string()).arg("card").output();
        let seen = seen.map_err(|source| Trouble::Folder { path: terminal, source })?;
        String::from_utf8_lossy(&seen.stdout).lines().for_each(step);
        Ok(())
    }

    /// The guardian logs in, stays, and takes the card away; it is put back afterwards.
    pub(crate) fn lift(&self, town: &Town, card: &Card) -> Result<(), Trouble> {
        let failed = |error: &dyn std::fmt::Display| Trouble::Wrong(error.to_string());
        let mut staying = town.stay(&self.card(card))?;
        staying.lines(1)?;
        self.inserted.remove().map_err(|error| failed(&error))?;
        let said = staying.wait()?.json;
        let ended: serde_json::Value = serde_json::from_str(&said).map_err(|error| failed(&error))?;
        if ended["ended"] != "card_removed" {
            return Err(Trouble::Wrong(format!("the card was taken away, but the terminal says {said}")));
        }
        let (confirmed, outstanding) = (&ended["confirmed"], &ended["outstanding"]);
        step(&format!(
            "終了を確認した施設 {confirmed}、未確認 {outstanding} / {confirmed} institutions have confirmed the end, {outstanding} not yet"
        ));
        self.inserted.insert().map_err(|error| failed(&error))
    }

    /// What stands before a command that shall find this reader.
    pub(crate) fn environment(&self) -> String {
        format!("{SOCKET_VARIABLE}={} ", self.reader.socket().display())
    }
}
