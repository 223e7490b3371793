//! The arguments by which every command finds its node, and the call itself.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;
use zeroize::Zeroizing;

use super::CliError;
use super::output::Format;
use super::progress::Reporter;
use crate::admin::Event;
use crate::admin::client::{Call, call, upload};
use crate::config::Config;

/// Configuration that is read where none is named.
pub const CONFIG_FILE: &str = "/etc/hibiki/node.toml";

/// Which node is asked, by whom, and how the answer is printed.
#[derive(Debug, Clone, Args)]
pub struct Connection {
    /// Configuration of the node to ask.
    #[arg(long, value_name = "FILE", default_value = CONFIG_FILE, conflicts_with = "socket")]
    pub config: PathBuf,
    /// Admin socket of the node to ask, instead of its configuration.
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Who acts: name or number of the member of staff, for the ledger.
    #[arg(long, value_name = "NAME")]
    pub staff: Option<String>,
}

/// What a node answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The result.
    pub result: Value,
    /// The rows that came before it.
    pub rows: Vec<Value>,
}

impl Connection {
    /// Asks the node to do `command`; progress and warnings go to stderr.
    ///
    /// # Errors
    /// The node cannot be reached or refuses.
    pub fn call(&self, command: &str, arguments: Value) -> Result<Reply, CliError> {
        self.ask(command, arguments, |asked, on_event| call(asked, on_event))
    }

    /// The same with a file, `-` for standard input. The file is read here and streamed, so that the node
    /// need not be able to read it.
    ///
    /// # Errors
    /// The file cannot be opened, or the node cannot be reached or refuses.
    pub fn upload(&self, command: &str, arguments: Value, file: &Path) -> Result<Reply, CliError> {
        let reader: Box<dyn Read + Send> = match file.as_os_str() == "-" {
            true => Box::new(io::stdin()),
            false => Box::new(open(file)?),
        };
        self.ask(command, arguments, |asked, on_event| upload(asked, reader, on_event))
    }

    /// The same with bytes that are no file, such as a password.
    ///
    /// # Errors
    /// The node cannot be reached or refuses.
    pub fn send_bytes(
        &self,
        command: &str,
        arguments: Value,
        bytes: Zeroizing<Vec<u8>>,
    ) -> Result<Reply, CliError> {
        let reader: Box<dyn Read + Send> = Box::new(io::Cursor::new(bytes.to_vec()));
        self.ask(command, arguments, |asked, on_event| upload(asked, reader, on_event))
    }

    fn ask(
        &self,
        command: &str,
        arguments: Value,
        send: impl FnOnce(&Call<'_>, &mut dyn FnMut(&Event)) -> Result<Value, crate::admin::client::CallError>,
    ) -> Result<Reply, CliError> {
        let socket = self.socket()?;
        let asked = Call { socket: &socket, command, arguments, staff: self.staff.as_deref() };
        let (mut reporter, mut rows) = (Reporter::new(), Vec::new());
        let result = send(&asked, &mut |event| match event {
            Event::Progress(progress) => reporter.progress(progress),
            Event::Warning(warning) => match &warning.place {
                Some(place) => reporter.say(&format!("warning: {place}: {}", warning.what)),
                None => reporter.say(&format!("warning: {}", warning.what)),
            },
            Event::Row(row) => rows.push(row.clone()),
            Event::Result(_) | Event::Error(_) => {}
        });
        reporter.finish();
        Ok(Reply { result: result?, rows })
    }

    /// The socket of the node to ask.
    ///
    /// # Errors
    /// It stands in a configuration that cannot be used.
    pub(super) fn socket(&self) -> Result<PathBuf, CliError> {
        match &self.socket {
            Some(socket) => Ok(socket.clone()),
            None => Ok(Config::load(&self.config)?.config.admin_socket),
        }
    }
}

fn open(path: &Path) -> Result<File, CliError> {
    File::open(path).map_err(|source| CliError::File { path: path.to_owned(), source })
}
