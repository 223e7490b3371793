//! `hibiki-node inspect`: a stopped node laid open for an inspector.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use hibiki_protocol::tlog::{KeyAlgorithm, VerifierKey};
use hibiki_protocol::trust::Member;

use super::CliError;
use super::connect::CONFIG_FILE;
use super::init::{KEYRING, NODE_KEY};
use super::output::complain;
use super::progress::Reporter;
use crate::admin::Progress;
use crate::config::Config;
use crate::env::SystemEntropy;
use crate::inspection::{self, PrivateCopy, Tally};
use crate::keyring::{self, KeyRing};
use crate::keys::NodeKeys;
use crate::ledger;

/// Arguments of `inspect`.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "The node must be stopped: `systemctl stop hibiki-node`. Nothing in its folder is changed; beside the \
        outputs there must be room for a copy of the store. The outputs hold personal data in the clear: hand them \
        to the inspector alone and remove them afterwards.\n\n\
        Example:\n  hibiki-node inspect --config /etc/hibiki/node.toml --openings openings.ndjson \
        --store store.ndjson --ledger ledger\n\n\
        Exit status 1: something cannot be explained, or cannot be read."
)]
pub struct Arguments {
    /// The node's configuration.
    #[arg(long, value_name = "FILE", default_value = CONFIG_FILE)]
    config: PathBuf,
    /// Write every entry of the ledger, opened, to this new file.
    #[arg(long, value_name = "FILE")]
    openings: Option<PathBuf>,
    /// Write every row of the store, attributed and opened, to this new file.
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Copy the public part of the ledger to this new folder.
    #[arg(long, value_name = "DIR")]
    ledger: Option<PathBuf>,
}

/// Inspects.
///
/// # Errors
/// The node is running, something cannot be read or written, or cannot be explained.
pub fn run(arguments: &Arguments) -> Result<(), CliError> {
    let config = Config::load(&arguments.config)?.config;
    let node = &config.node;
    // Opened first: a running node holds it.
    let node_key = keyring::load_node_key(&node.keys_dir.join(NODE_KEY)).map_err(refuse)?;
    let file = node.keys_dir.join(KEYRING);
    if !file.exists() {
        return Err(refuse(format!(
            "{}: there is no keyring; the node was never started, or this is not its whole folder",
            file.display()
        )));
    }
    let keys = KeyRing::open(&file, &node_key, Arc::new(SystemEntropy)).map_err(|error| {
        refuse(format!("ノードを停止してから実行してください / stop the node first: {error}"))
    })?;
    let keys = Arc::new(keys);
    complain(
        "注意：出力には個人情報がそのまま含まれます。検査員だけに渡し、用が済んだら消してください。\n\
         Note: the outputs hold personal data in the clear; hand them to the inspector alone and remove them afterwards.",
    );
    let mut wrong = 0;
    if let Some(folder) = &arguments.ledger {
        publish(&config.ledger.path, folder)?;
    }
    let own = NodeKeys::open(&node.keys_dir).map_err(refuse)?;
    let (name, public) = (Member::ledger_origin(&node.id), own.ledger().verifying_key());
    let key = VerifierKey::from_bytes(&name, KeyAlgorithm::Ed25519, &public.0).map_err(refuse)?;
    if let Some(path) = &arguments.openings {
        wrong += written(path, "台帳 / ledger", |out, told| {
            inspection::entries(&config.ledger.path, &key, &keys, out, told)
        })?;
    }
    if let Some(path) = &arguments.store {
        // Without the ledger nobody is known to be erased, and what their keys sealed is not explained.
        let gone = ledger::subjects(&config.ledger.path, &key).unwrap_or_else(|error| {
            complain(&format!("台帳 / ledger: {error}"));
            BTreeSet::new()
        });
        let scratch = path.with_extension("copy");
        let copy = PrivateCopy::make(&config.store.path, &scratch)
            .map_err(|source| CliError::File { path: scratch.clone(), source })?;
        wrong += written(path, "記録庫 / store", |out, told| {
            inspection::rows(copy.folder(), &keys, &gone, out, told)
        })?;
    }
    if wrong == 0 { Ok(()) } else { Err(CliError::Said) }
}

/// Writes one output, its progress shown and its sum said. Returns how much is wrong with it: whatever it is, the next
/// output is written all the same.
fn written(
    path: &Path,
    what: &str,
    write: impl FnOnce(&mut dyn io::Write, &mut dyn FnMut(u64)) -> Result<Tally, inspection::InspectionError>,
) -> Result<u64, CliError> {
    let file = |source| CliError::File { path: path.to_owned(), source };
    let mut out = BufWriter::new(create(path).map_err(file)?);
    let mut reporter = Reporter::new();
    let mut told = |done| {
        reporter.progress(&Progress { stage: what.to_owned(), done, total: None, unit: "lines".to_owned() });
    };
    let tally = write(&mut out, &mut told);
    out.flush().map_err(file)?;
    Ok(match tally {
        Ok(tally) => {
            complain(&inspection::summary(what, tally));
            tally.wrong
        }
        Err(error) => {
            complain(&format!("{what}: 最後まで読めません / cannot be read to its end: {error}"));
            1
        }
    })
}

/// A new file that only its owner may read.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// The part of a ledger that anybody may have: heads, hashes, leaves; never the journal.
fn publish(from: &Path, to: &Path) -> Result<(), CliError> {
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source| CliError::File { path, source }
    };
    DirBuilder::new().mode(0o700).create(to).map_err(file(to))?;
    for name in ["checkpoint", "checkpoints", "cosigned"] {
        let source = from.join(name);
        if source.exists() {
            fs::copy(&source, to.join(name)).map_err(file(&source))?;
        }
    }
    copy_tree(&from.join("tile"), &to.join("tile"))
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), CliError> {
    let file = |source| CliError::File { path: from.to_owned(), source };
    if !from.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(to).map_err(file)?;
    for entry in fs::read_dir(from).map_err(file)? {
        let entry = entry.map_err(file)?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().map_err(file)?.is_dir() {
            copy_tree(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(file)?;
        }
    }
    Ok(())
}

fn refuse(what: impl std::fmt::Display) -> CliError {
    complain(&what.to_string());
    CliError::Said
}
