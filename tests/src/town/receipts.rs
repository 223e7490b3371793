//! A guardian's folder of receipts: proofs fetched with the card, and all of it judged without.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::terminal::run;
use super::{Card, Town, TownError};

/// What a command about receipts said.
#[derive(Debug)]
pub struct Said {
    /// What it printed as JSON; null if it printed none.
    pub json: Value,
    /// Its exit status.
    pub status: Option<i32>,
    /// What the person was told.
    pub told: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            json: serde_json::from_slice(&output.stdout).unwrap_or_default(),
            status: output.status.code(),
            told: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Town {
    /// `hibiki-terminal receipts prove`.
    ///
    /// # Errors
    /// The terminal cannot be run.
    pub fn prove_receipts(&self, card: &Card, folder: &Path) -> Result<Said, TownError> {
        Ok(run(self.terminal("receipts prove", card).args(["--format", "json"]).arg(folder))?.into())
    }

    /// `hibiki-terminal receipts verify`, by the terminal's own settings.
    ///
    /// # Errors
    /// The terminal cannot be run.
    pub fn verify_receipts(&self, folder: &Path) -> Result<Said, TownError> {
        let mut terminal = Command::new(self.programs().path("hibiki-terminal"));
        terminal.args(["receipts", "verify", "--format", "json", "--config"]);
        terminal.arg(self.folder().join("terminal.toml")).arg(folder);
        Ok(run(&mut terminal)?.into())
    }
}
