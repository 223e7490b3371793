//! `hibiki-node check`: is this configuration usable, and what would it run?

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use hibiki_protocol::ids::MemberId;
use serde_json::{Value, json};

use super::CliError;
use super::output::{Format, complain, print};
use crate::config::{Config, Engine, Loaded, Problem, Problems};

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hibiki-node check /etc/hibiki/node.toml")]
pub struct Arguments {
    /// The configuration.
    #[arg(value_name = "FILE", default_value = super::connect::CONFIG_FILE)]
    file: PathBuf,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Checks and prints.
///
/// # Errors
/// The configuration cannot be used; as JSON that was said on stdout already.
pub fn run(arguments: &Arguments) -> Result<(), CliError> {
    match (Config::load(&arguments.file), arguments.format) {
        (Ok(Loaded { config, warnings }), format) => {
            if format == Format::Human {
                for warning in &warnings {
                    complain(&format!("warning: {}: {warning}", arguments.file.display()));
                }
            }
            let value = json!({ "ok": true, "config": config, "warnings": warnings });
            Ok(print(format, &value, |_| describe(&arguments.file, &config))?)
        }
        (Err(problems), Format::Json) => {
            print(Format::Json, &refused(&problems), Value::to_string)?;
            Err(CliError::Said)
        }
        (Err(problems), Format::Human) => Err(problems.into()),
    }
}

fn refused(problems: &Problems) -> Value {
    let list: Vec<&Problem> = problems.problems.iter().collect();
    json!({ "ok": false, "file": problems.file, "problems": list })
}

fn describe(file: &Path, config: &Config) -> String {
    let mut text = format!("{} is fine. It runs\n", file.display());
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "  {name:<12}{value}");
    };
    let node = &config.node;
    line("member", format!("{} ({})", node.id, node.kind));
    line("name", format!("{} / {}", node.name_ja, node.name_en));
    line("roles", config.role_names().join(", "));
    let advertised = config.listen.advertise.as_ref().map_or_else(
        || "advertised nowhere: others cannot dial it".to_owned(),
        |address| format!("advertised as {address}"),
    );
    line("listens", format!("UDP {}, {advertised}", config.listen.address));
    if !config.links.dial.is_empty() {
        let members: Vec<&str> = config.links.dial.iter().map(MemberId::as_str).collect();
        line("dials", members.join(", "));
    }
    if config.roles.gateway {
        let registry = config.gateway.registry.as_ref().map_or("", MemberId::as_str);
        let dials = if config.gateway.dial_members { ", dials every member" } else { "" };
        line("gateway", format!("registry {registry}, deadline {} ms{dials}", config.gateway.deadline_ms));
    }
    if let (true, Some(area)) = (config.roles.registry, &config.registry.area) {
        line("registry", format!("area {area}, master key {}", config.registry.master_key.display()));
    }
    let federation = &config.federation;
    line("root", federation.root.display().to_string());
    line("trust list", format!("{}, grace {} days", federation.trust_list.display(), federation.grace_days));
    line("keys", node.keys_dir.display().to_string());
    line(
        "store",
        match config.store.engine {
            Engine::Sled => {
                format!("sled in {}, cache {} MiB", config.store.path.display(), config.store.cache_mib)
            }
            Engine::Memory => "memory: forgets everything when it ends".to_owned(),
        },
    );
    let ledger = &config.ledger;
    line("ledger", format!("{}, checkpoint every {} s", ledger.path.display(), ledger.checkpoint_seconds));
    if let Some(publish) = &ledger.publish {
        let token = if publish.token_file.is_some() { "with a token" } else { "by anybody on this machine" };
        line("published", format!("http://{}/checkpoint, read {token}", publish.address));
    }
    if let Some(inbox) = &config.inbox {
        line("inbox", inbox.display().to_string());
    }
    line("admin", config.admin_socket.display().to_string());
    line(
        "metrics",
        config.metrics.map_or_else(|| "off".to_owned(), |address| format!("http://{address}/metrics")),
    );
    line("log", format!("{} and above, {:?}", config.log.level, config.log.format).to_lowercase());
    text
}
