//! The programs a town runs: those built beside this one.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::TownError;

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Finds them beside the running program, or beside the folder it is in (tests run from `deps/`).
    ///
    /// # Errors
    /// One is missing.
    pub fn find() -> Result<Self, TownError> {
        let folder = folder_with("hibiki-node")?;
        for program in ["hibiki-node", "hibiki-terminal"] {
            if !folder.join(program).is_file() {
                return Err(TownError::NoProgram(folder.join(program)));
            }
        }
        Ok(Self { folder })
    }

    /// A program's path.
    pub fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    /// Runs `hibiki-node` to its end; its standard output.
    ///
    /// # Errors
    /// It ends with another status than 0.
    pub fn node(&self, arguments: &[&str]) -> Result<String, TownError> {
        succeeded("hibiki-node", arguments, self.run("hibiki-node", arguments)?)
    }

    /// The same, its output read as JSON.
    ///
    /// # Errors
    /// It ends with another status than 0, or prints something else.
    pub fn node_json(&self, arguments: &[&str]) -> Result<Value, TownError> {
        let text = self.node(arguments)?;
        serde_json::from_str(&text)
            .map_err(|_| TownError::Answer { command: words("hibiki-node", arguments), output: text })
    }

    /// Runs a program to its end, whatever comes of it.
    ///
    /// # Errors
    /// It cannot be run.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Result<Output, TownError> {
        let path = self.path(program);
        let run = Command::new(&path).args(arguments).stdin(Stdio::null()).output();
        run.map_err(|source| TownError::file(&path, source))
    }
}

/// The folder a program of ours is in: that of the running program, or the one above.
///
/// # Errors
/// It is in neither.
pub fn folder_with(program: &str) -> Result<PathBuf, TownError> {
    let me =
        std::env::current_exe().map_err(|source| TownError::file(Path::new("/proc/self/exe"), source))?;
    let near = me.ancestors().skip(1).take(2).find(|folder| folder.join(program).is_file());
    Ok(near.ok_or_else(|| TownError::NoProgram(me.with_file_name(program)))?.to_owned())
}

fn words(program: &str, arguments: &[&str]) -> String {
    format!("{program} {}", arguments.join(" "))
}

fn succeeded(program: &str, arguments: &[&str], output: Output) -> Result<String, TownError> {
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(said(&output.stdout));
    }
    let output = format!("{}{}", said(&output.stdout), said(&output.stderr));
    Err(TownError::Command { command: words(program, arguments), output })
}
