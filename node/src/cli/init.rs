//! `hibiki-node init` and `hibiki-node request`: the node makes its keys, and asks the council to join.
//!
//! Both work on files before a node runs. Private keys are made here and stay here.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use clap::Args;
use hibiki_protocol::cbor;
use hibiki_protocol::ids::FederationId;
use hibiki_protocol::signing::VerifyingKey;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{Member, Role, TlsKey};
use serde_json::json;

use super::CliError;
use super::output::{Format, print};
use crate::config::Config;
use crate::env::Env;
use crate::keyring;
use crate::keys::{self, KeysError, NodeKeys};
use crate::secret_file;

/// File of the key everything at rest hangs on, in the keys' folder.
pub const NODE_KEY: &str = "node.key";

/// Why keys were not made or a request not written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The node's keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The key of everything at rest.
    #[error(transparent)]
    Ring(#[from] keyring::KeyError),
    /// A folder cannot be made.
    #[error("{path}: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The member id does not name its federation.
    #[error("the member id `{0}` does not begin with a federation's name")]
    Id(String),
    /// The request file exists.
    #[error("{path} exists already; name another file with --out, or remove it")]
    Exists {
        /// The file.
        path: PathBuf,
    },
}

/// Arguments of `init`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hibiki-node init --config /etc/hibiki/node.toml\n\n\
    Makes the node's folder and its keys, once. Existing keys are never touched. Next: hibiki-node request.")]
pub struct InitArguments {
    /// Configuration of the node.
    #[arg(long, value_name = "FILE", default_value = super::connect::CONFIG_FILE)]
    config: PathBuf,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Arguments of `request`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  hibiki-node request --config /etc/hibiki/node.toml --out chuo-hospital.request\n\n\
    Bring the file to the council of the federation. It holds public keys only."
)]
pub struct RequestArguments {
    /// Configuration of the node.
    #[arg(long, value_name = "FILE", default_value = super::connect::CONFIG_FILE)]
    config: PathBuf,
    /// Where to write the request.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Makes folder and keys.
///
/// # Errors
/// A key exists already, or a file cannot be written.
pub fn init(arguments: &InitArguments) -> Result<(), CliError> {
    let config = Config::load(&arguments.config)?.config;
    make(&config, &Env::system())?;
    let value = json!({ "id": config.node.id.as_str(), "data_dir": config.node.data_dir, "keys_dir": config.node.keys_dir });
    let next = format!(
        "{id} の鍵を {keys} に作りました。次は hibiki-node request です。\n\
         Keys of {id} are in {keys}. Next: hibiki-node request --config {config} --out {name}.request\n\
         Back {keys} up apart from the data: without it nothing of this node can be read again.",
        id = config.node.id,
        keys = config.node.keys_dir.display(),
        config = arguments.config.display(),
        name = config.node.id.as_str().replace('/', "-"),
    );
    Ok(print(arguments.format, &value, |_| next)?)
}

fn make(config: &Config, env: &Env) -> Result<(), InitError> {
    let (data, keys) = (&config.node.data_dir, &config.node.keys_dir);
    for path in [data, keys] {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|source| InitError::Folder { path: path.clone(), source })?;
    }
    NodeKeys::create(keys, env)?;
    keyring::create_node_key(&keys.join(NODE_KEY), env.entropy().as_ref())?;
    if config.roles.registry {
        secret_file::create(&config.registry.master_key, &keys::fresh(env)).map_err(KeysError::from)?;
    }
    Ok(())
}

/// Writes the request.
///
/// # Errors
/// There are no keys yet, or the file cannot be written.
pub fn request(arguments: &RequestArguments) -> Result<(), CliError> {
    let config = Config::load(&arguments.config)?.config;
    let keys = NodeKeys::open(&config.node.keys_dir).map_err(InitError::from)?;
    let federation = config.node.id.as_str().split('/').next().and_then(FederationId::new);
    let federation = federation.ok_or_else(|| InitError::Id(config.node.id.to_string()))?;
    let signed = keys.request(federation, proposed(&config), Timestamp(Env::system().now()));
    write_new(&arguments.out, &cbor::encode(&signed))?;
    let value =
        json!({ "id": config.node.id.as_str(), "request": arguments.out, "digest": signed.digest().hex() });
    let words = format!(
        "申請書 {out} を作りました。運用主体に渡し、電話などで次の要約値を読み合わせてください。\n\
         {digest}\n\
         The request is in {out}. Bring it to the council and compare this digest by voice.",
        out = arguments.out.display(),
        digest = signed.digest().hex(),
    );
    Ok(print(arguments.format, &value, |_| words)?)
}

/// The entry this node proposes; its public keys are filled in by [`NodeKeys::request`].
fn proposed(config: &Config) -> Member {
    let roles = [
        (config.roles.responder, Role::Responder),
        (config.roles.gateway, Role::Gateway),
        (config.roles.registry, Role::Registry),
    ];
    let none = VerifyingKey([0; 32]);
    Member {
        id: config.node.id.clone(),
        kind: config.node.kind,
        name_ja: config.node.name_ja.clone(),
        name_en: config.node.name_en.clone(),
        roles: roles.into_iter().filter_map(|(plays, role)| plays.then_some(role)).collect(),
        addresses: config.listen.advertise.iter().cloned().collect(),
        tls_key: TlsKey([0; 32]),
        tls_key_next: None,
        signing_key: none,
        sealing_keys: Vec::new(),
        ledger_key: none,
        registry_area: config.registry.area.clone().filter(|_| config.roles.registry),
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o644).open(path);
    let mut file = opened.map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => InitError::Exists { path: path.to_owned() }.into(),
        _ => CliError::File { path: path.to_owned(), source },
    })?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(|source| CliError::File { path: path.to_owned(), source })
}
