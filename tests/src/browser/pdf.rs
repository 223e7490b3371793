//! A printed page, read by a program of somebody else (poppler).

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::BrowserError;

/// A PDF file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pdf {
    bytes: Vec<u8>,
}

impl Pdf {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// The file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Writes it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, file: &Path) -> Result<(), BrowserError> {
        std::fs::write(file, &self.bytes).map_err(|error| BrowserError::System("writing the PDF", error))
    }

    /// Its text, page after page with a form feed between, in the order it is laid out.
    ///
    /// # Errors
    /// `pdftotext` is missing, or cannot read it.
    pub fn text(&self) -> Result<String, BrowserError> {
        self.read("pdftotext", &["-layout", "-enc", "UTF-8", "-", "-"])
    }

    /// How many sheets it has.
    ///
    /// # Errors
    /// `pdfinfo` is missing, or cannot read it.
    pub fn sheets(&self) -> Result<u32, BrowserError> {
        let said = self.read("pdfinfo", &["-"])?;
        let count = said.lines().find_map(|line| line.strip_prefix("Pages:")?.trim().parse().ok());
        count.ok_or(BrowserError::Program { program: "pdfinfo", said })
    }

    fn read(&self, program: &'static str, arguments: &[&str]) -> Result<String, BrowserError> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|_| BrowserError::Missing("poppler-utils"))?;
        let mut input = child.stdin.take();
        let output = std::thread::scope(|scope| {
            scope.spawn(move || input.take().map(|mut input| input.write_all(&self.bytes)));
            child.wait_with_output()
        });
        let output = output.map_err(|error| BrowserError::System("running poppler", error))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(BrowserError::Program { program, said: String::from_utf8_lossy(&output.stderr).into_owned() })
    }
}
