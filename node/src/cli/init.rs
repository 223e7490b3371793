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
use hibiki_protocol::signing::{Signed, SigningKey, VerifyingKey};
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{Member, MemberRequest, Role, TlsKey};
use serde_json::json;

use super::CliError;
use super::output::{Format, print};
use crate::config::Config;
use crate::env::Env;
use crate::hardening::harden;
use crate::keyring;
use crate::keys::{self, KeysError, LEDGER_KEY, NodeKeys};
use crate::secret_file;

/// File of the key everything at rest hangs on, in the keys' folder.
pub const NODE_KEY: &str = "node.key";

/// File of the wrapped keys of the subjects, in the keys' folder: apart from the data, because erasing a
/// subject must reach every backup of the data.
pub const KEYRING: &str = "subjects.keys";

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
    /// The key of everything at rest is gone while the others are there.
    #[error("{path} is missing although the other keys are there; restore it from your backup")]
    Lost {
        /// The file.
        path: PathBuf,
    },
    /// A ledger lies there that the present key has signed.
    #[error(
        "{path} holds a ledger, and a new key would make it unreadable as one; move the folder aside whole first, and \
         keep it as evidence"
    )]
    Ledger {
        /// Its folder.
        path: PathBuf,
    },
    /// The key cannot be moved aside.
    #[error("{path}: {source}")]
    Key {
        /// The file.
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
    Run it as the account the node runs as. Makes the node's folder and its keys. Existing keys are never touched;\n\
    run again, it makes only what a role added since then needs. Next: hibiki-node request.\n\n\
    A ledger that is lost for good, or whose key is in other hands, begins anew under another key:\n  \
    hibiki-node init --config /etc/hibiki/node.toml --new-ledger-key")]
pub struct InitArguments {
    /// Configuration of the node.
    #[arg(long, value_name = "FILE", default_value = super::connect::CONFIG_FILE)]
    config: PathBuf,
    /// Make a new key for the ledger; the present one is kept beside it. The ledger's folder must have been moved aside.
    #[arg(long)]
    new_ledger_key: bool,
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
    harden()?;
    let config = Config::load(&arguments.config)?.config;
    let mut made = Vec::new();
    if arguments.new_ledger_key {
        made.push(renew_ledger_key(&config, &Env::system())?);
    }
    made.extend(make(&config, &Env::system())?);
    let value = json!({
        "id": config.node.id.as_str(), "data_dir": config.node.data_dir, "keys_dir": config.node.keys_dir, "made": made,
    });
    Ok(print(arguments.format, &value, |_| next_step(&config, &arguments.config, &made))?)
}

fn next_step(config: &Config, file: &Path, made: &[PathBuf]) -> String {
    let id = &config.node.id;
    if made.is_empty() {
        return format!(
            "{id} の鍵は既にあります。何も変えていません。\n{id} has all its keys; nothing was changed."
        );
    }
    format!(
        "{id} の鍵を {keys} に作りました。次は hibiki-node request です。\n\
         Keys of {id} are in {keys}. Next: hibiki-node request --config {config} --out {name}.request\n\
         Back {keys} up apart from the data: without it nothing of this node can be read again.",
        keys = config.node.keys_dir.display(),
        config = file.display(),
        name = id.as_str().replace('/', "-"),
    )
}

/// Makes what is missing; returns the paths of what was made. What does not open whole is not overwritten:
/// making keys refuses then, and says why.
///
/// # Errors
/// A file cannot be written, or a key is gone that the others hang on.
pub fn make(config: &Config, env: &Env) -> Result<Vec<PathBuf>, InitError> {
    let (data, keys) = (&config.node.data_dir, &config.node.keys_dir);
    let master = &config.registry.master_key;
    let mut made = Vec::new();
    private_folder(data)?;
    private_folder(keys)?;
    if NodeKeys::open(keys).is_err() {
        NodeKeys::create(keys, env)?;
        keyring::create_node_key(&keys.join(NODE_KEY), env.entropy().as_ref())?;
        made.push(keys.clone());
    } else if !keys.join(NODE_KEY).exists() {
        // A fresh one would not open what the lost one closed.
        return Err(InitError::Lost { path: keys.join(NODE_KEY) });
    }
    let witness = keys.join(keys::WITNESS_KEY);
    if config.roles.witness && !witness.exists() {
        secret_file::create(&witness, &keys::fresh(env)).map_err(KeysError::from)?;
        made.push(witness);
    }
    if config.roles.registry && !master.exists() {
        if let Some(folder) = master.parent() {
            private_folder(folder)?;
        }
        secret_file::create(master, &keys::fresh(env)).map_err(KeysError::from)?;
        made.push(master.clone());
    }
    Ok(made)
}

/// Puts a new ledger key in the place of the present one, which stays beside it under another name.
fn renew_ledger_key(config: &Config, env: &Env) -> Result<PathBuf, InitError> {
    let ledger = &config.ledger.path;
    if fs::read_dir(ledger).is_ok_and(|mut files| files.next().is_some()) {
        return Err(InitError::Ledger { path: ledger.clone() });
    }
    let path = config.node.keys_dir.join(LEDGER_KEY);
    // Cut off in the middle, the former one has gone and there is none: then only the new one is made.
    if path.exists() {
        let seed = secret_file::read(&path).map_err(KeysError::from)?;
        let public = hex::encode(SigningKey::from_seed(&seed).verifying_key().0);
        let aside = path.with_extension(format!("key.former-{}", public.get(..8).unwrap_or(&public)));
        fs::rename(&path, aside).map_err(|source| InitError::Key { path: path.clone(), source })?;
    }
    secret_file::create(&path, &keys::fresh(env)).map_err(KeysError::from)?;
    Ok(path)
}

fn private_folder(path: &Path) -> Result<(), InitError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| InitError::Folder { path: path.to_owned(), source })
}

/// Writes the request.
///
/// # Errors
/// There are no keys yet, or the file cannot be written.
pub fn request(arguments: &RequestArguments) -> Result<(), CliError> {
    harden()?;
    let config = Config::load(&arguments.config)?.config;
    let keys = NodeKeys::open(&config.node.keys_dir).map_err(InitError::from)?;
    let signed = sign(&config, &keys, Timestamp(Env::system().now()))?;
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

/// The node's signed request to stand in the trust list.
///
/// # Errors
/// The member id names no federation.
pub fn sign(config: &Config, keys: &NodeKeys, now: Timestamp) -> Result<Signed<MemberRequest>, InitError> {
    let federation = config.node.id.as_str().split('/').next().and_then(FederationId::new);
    let federation = federation.ok_or_else(|| InitError::Id(config.node.id.to_string()))?;
    Ok(keys.request(federation, proposed(config), now))
}

/// The entry this node proposes; its public keys are filled in by [`NodeKeys::request`].
fn proposed(config: &Config) -> Member {
    let roles = [
        (config.roles.responder, Role::Responder),
        (config.roles.gateway, Role::Gateway),
        (config.roles.registry, Role::Registry),
        (config.roles.witness, Role::Witness),
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
        witness_key: None,
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn config(folder: &Path, roles: &str) -> Config {
        let text = format!(
            "[node]\nid = \"maebashi/city-hall\"\nname-ja = \"前橋市役所\"\nname-en = \"City Hall\"\n\
             kind = \"city-hall\"\ndata-dir = \"data\"\n[roles]\n{roles}\n\
             [listen]\nadvertise = \"city.example:4433\"\n[registry]\narea = \"maebashi\"\n\
             [federation]\nroot = \"root.cbor\"\ntrust-list = \"list.cbor\"\n"
        );
        Config::from_text(&text, folder).unwrap().config
    }

    #[test]
    fn keys_are_made_once_and_a_new_role_brings_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let (plain, env) = (config(folder.path(), ""), Env::system());
        let keys = plain.node.keys_dir.clone();
        assert_eq!(make(&plain, &env).unwrap(), std::slice::from_ref(&keys));
        let all = || {
            ["tls.pem", "signing.key", "ledger.key", NODE_KEY].map(|name| fs::read(keys.join(name)).unwrap())
        };
        let before = all();
        assert!(make(&plain, &env).unwrap().is_empty());
        // A node from before there were witnesses is given the key it lacks.
        fs::remove_file(keys.join(keys::WITNESS_KEY)).unwrap();
        assert!(make(&config(folder.path(), "witness = false"), &env).unwrap().is_empty());
        assert_eq!(make(&plain, &env).unwrap(), [keys.join(keys::WITNESS_KEY)]);
        let registry = config(folder.path(), "registry = true");
        assert_eq!(make(&registry, &env).unwrap(), [keys.join("registry-master.key")]);
        assert!(make(&registry, &env).unwrap().is_empty());
        assert_eq!(all(), before);
        for private in [&plain.node.data_dir, &keys] {
            assert_eq!(fs::metadata(private).unwrap().permissions().mode() & 0o077, 0);
        }
    }

    #[test]
    fn a_ledger_key_is_renewed_only_where_no_ledger_is_and_the_former_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (config, env) = (config(folder.path(), ""), Env::system());
        make(&config, &env).unwrap();
        let path = config.node.keys_dir.join(LEDGER_KEY);
        let before = fs::read(&path).unwrap();
        fs::create_dir_all(&config.ledger.path).unwrap();
        fs::write(config.ledger.path.join("checkpoint"), "a note").unwrap();
        assert!(matches!(renew_ledger_key(&config, &env), Err(InitError::Ledger { .. })));
        assert_eq!(fs::read(&path).unwrap(), before);

        fs::rename(&config.ledger.path, folder.path().join("evidence")).unwrap();
        assert_eq!(renew_ledger_key(&config, &env).unwrap(), path);
        assert_ne!(fs::read(&path).unwrap(), before);
        let names = fs::read_dir(&config.node.keys_dir).unwrap().map(|file| file.unwrap().path());
        let former: Vec<_> = names.filter(|path| path.to_string_lossy().contains(".former-")).collect();
        assert_eq!(former.len(), 1);
        assert_eq!(fs::read(&former[0]).unwrap(), before);
        assert!(NodeKeys::open(&config.node.keys_dir).is_ok());
        // A crash between the two steps is mended by doing it again.
        fs::remove_file(&path).unwrap();
        renew_ledger_key(&config, &env).unwrap();
        assert!(NodeKeys::open(&config.node.keys_dir).is_ok());
    }

    #[test]
    fn half_a_set_of_keys_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (config, env) = (config(folder.path(), ""), Env::system());
        make(&config, &env).unwrap();
        let path = |name: &str| config.node.keys_dir.join(name);
        let tls = fs::read(path("tls.pem")).unwrap();

        fs::rename(path(NODE_KEY), path("elsewhere")).unwrap();
        assert!(matches!(make(&config, &env), Err(InitError::Lost { .. })));
        assert!(!path(NODE_KEY).exists());
        fs::rename(path("elsewhere"), path(NODE_KEY)).unwrap();

        fs::remove_file(path("signing.key")).unwrap();
        assert!(matches!(make(&config, &env), Err(InitError::Keys(_))));
        assert!(!path("signing.key").exists());
        assert_eq!(fs::read(path("tls.pem")).unwrap(), tls);
    }

    #[test]
    fn the_request_says_what_the_configuration_says_and_proves_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), "registry = true\ngateway = true");
        make(&config, &Env::system()).unwrap();
        let keys = NodeKeys::open(&config.node.keys_dir).unwrap();
        let signed = sign(&config, &keys, Timestamp(5)).unwrap();
        let read: Signed<MemberRequest> = cbor::decode(&cbor::encode(&signed)).unwrap();
        let proved = MemberRequest::verify(&read).unwrap();
        assert_eq!((proved.federation.as_str(), proved.issued), ("maebashi", Timestamp(5)));
        let member = proved.member;
        assert_eq!(member.roles, [Role::Responder, Role::Gateway, Role::Registry, Role::Witness]);
        assert_eq!(member.witness_key, keys.witness().map(|key| key.verifying_key()));
        assert!(member.witness_verifier().is_some());
        assert_eq!(member.addresses, ["city.example:4433"]);
        assert_eq!(member.registry_area.as_deref(), Some("maebashi"));
        assert_eq!(member.sealing_keys.len(), 1);
        assert_eq!(member.signing_key, keys.signing().verifying_key());
    }

    #[test]
    fn a_request_never_replaces_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_new(&path, b"first").unwrap();
        assert!(matches!(write_new(&path, b"second"), Err(CliError::Init(InitError::Exists { .. }))));
        assert_eq!(fs::read(&path).unwrap(), b"first");
    }
}
