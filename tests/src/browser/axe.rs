//! axe-core, the accessibility checker of Deque Systems, run inside the page.
//!
//! It is fetched by `.ci/setup` and never shipped (MPL-2.0). It runs through the driver, so that the page's own
//! policy against foreign scripts stays as it is.

use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Browser, BrowserError};
use crate::skip::skipped;

/// Where it is in the virtual environment, below the folder of its Python.
const FILE: &str = "site-packages/axe_playwright_python/axe.min.js";

const RUN: &str = "
    const done = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ['violations'] })
        .then(found => done({ violations: found.violations, passes: found.passes.length }),
              error => done({ error: String(error) }));";

/// A rule that is broken somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule's name, such as `color-contrast`.
    pub rule: String,
    /// How bad: `minor`, `moderate`, `serious`, `critical`.
    pub impact: String,
    /// What the rule asks for.
    pub help: String,
    /// Where, as CSS selectors.
    pub places: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, impact, help, places } = self;
        write!(f, "{rule} ({impact}): {help}: {}", places.join(", "))
    }
}

impl Browser {
    /// What axe-core finds wrong with the page as it is now, by all its rules.
    ///
    /// # Errors
    /// [`BrowserError::Missing`] where axe-core is not installed.
    pub fn axe(&self) -> Result<Vec<Violation>, BrowserError> {
        let file = axe_file().ok_or(BrowserError::Missing("axe-core"))?;
        if self.script("return typeof window.axe", &[])? != "object" {
            let axe = std::fs::read_to_string(file)
                .map_err(|error| BrowserError::System("reading axe-core", error))?;
            self.script(&axe, &[])?;
        }
        let found = self.script_that_waits(RUN, &[])?;
        if let Some(said) = found["error"].as_str() {
            return Err(BrowserError::Program { program: "axe-core", said: said.to_owned() });
        }
        // No rule applied: it did not run on this page.
        if found["passes"].as_u64().unwrap_or_default() == 0 && found["violations"] == json!([]) {
            return Err(BrowserError::Answer("what axe-core finds"));
        }
        Ok(found["violations"].as_array().into_iter().flatten().map(violation).collect())
    }

    /// The same for a test, as lines; `None`, said aloud, where axe-core is not installed.
    ///
    /// # Errors
    /// It cannot be run.
    pub fn axe_or_skip(&self, test: &str) -> Result<Option<Vec<String>>, BrowserError> {
        match self.axe() {
            Ok(found) => Ok(Some(found.iter().map(ToString::to_string).collect())),
            Err(missing @ BrowserError::Missing(_)) => {
                skipped(test, &missing.to_string());
                Ok(None)
            }
            Err(failed) => Err(failed),
        }
    }
}

fn violation(found: &Value) -> Violation {
    let word = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    let place = |node: &Value| {
        let path = node["target"].as_array().into_iter().flatten();
        path.map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(" ")
    };
    Violation {
        rule: word("id"),
        impact: word("impact"),
        help: word("help"),
        places: found["nodes"].as_array().into_iter().flatten().map(place).collect(),
    }
}

/// Beside the programs, where `.ci/setup` put it: `target/axe/lib/python3.*/…`.
fn axe_file() -> Option<PathBuf> {
    let me = std::env::current_exe().ok()?;
    me.ancestors().skip(1).find_map(|folder| in_environment(&folder.join("axe/lib")))
}

fn in_environment(libraries: &Path) -> Option<PathBuf> {
    let pythons = std::fs::read_dir(libraries).ok()?.flatten();
    pythons.map(|python| python.path().join(FILE)).find(|file| file.is_file())
}
