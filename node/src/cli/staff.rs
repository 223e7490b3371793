//! `hibiki-node staff`: accounts for the staff's page.

use std::io::{self, IsTerminal as _, Read as _};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::CliError;
use super::connect::Connection;
use super::output::{print, printable};
use crate::staff::{Role, commands};

/// Arguments of `staff`.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// 職員を加える / make an account. The password is asked for, or read from standard input where there is no terminal.
    #[command(
        after_help = "Example:\n  hibiki-node staff add tanaka --display \"田中（栄養教諭）\" --role nutritionist --staff sato"
    )]
    Add {
        /// The account's name: letters, digits, '-', '_', '.'.
        name: String,
        /// What others read.
        #[arg(long)]
        display: Option<String>,
        /// What it may do; repeat it for several.
        #[arg(long = "role", value_enum, required = true)]
        roles: Vec<Role>,
        #[command(flatten)]
        connection: Connection,
    },
    /// 職員の一覧 / list the accounts.
    #[command(after_help = "Example:\n  hibiki-node staff list")]
    List {
        #[command(flatten)]
        connection: Connection,
    },
    /// 合言葉を変える / give an account another password.
    #[command(after_help = "Example:\n  hibiki-node staff password tanaka --staff sato")]
    Password {
        /// The account's name.
        name: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// 職員を外す / remove an account; whoever uses it is logged out at once.
    #[command(after_help = "Example:\n  hibiki-node staff remove tanaka --staff sato")]
    Remove {
        /// The account's name.
        name: String,
        #[command(flatten)]
        connection: Connection,
    },
}

/// Asks and prints.
///
/// # Errors
/// The node cannot be asked, or refuses.
pub fn run(arguments: &Arguments) -> Result<(), CliError> {
    match &arguments.action {
        Action::Add { name, display, roles, connection } => {
            let arguments = json!({ "name": name, "display": display, "roles": roles });
            let reply = connection.send_bytes(commands::ADD, arguments, password()?)?;
            Ok(print(connection.format, &reply.result, |_| "加えました / added\n".to_owned())?)
        }
        Action::List { connection } => {
            let reply = connection.call(commands::LIST, json!({}))?;
            Ok(print(connection.format, &reply.result, list)?)
        }
        Action::Password { name, connection } => {
            let reply = connection.send_bytes(commands::PASSWORD, json!({ "name": name }), password()?)?;
            Ok(print(connection.format, &reply.result, |_| "変えました / changed\n".to_owned())?)
        }
        Action::Remove { name, connection } => {
            let reply = connection.call(commands::REMOVE, json!({ "name": name }))?;
            Ok(print(connection.format, &reply.result, |_| "外しました / removed\n".to_owned())?)
        }
    }
}

/// Asks twice at a terminal; otherwise the first line of standard input.
fn password() -> Result<Zeroizing<Vec<u8>>, CliError> {
    if !io::stdin().is_terminal() {
        let mut text = Zeroizing::new(Vec::new());
        io::stdin().take(4_096).read_to_end(&mut text)?;
        return Ok(text);
    }
    let ask = |prompt: &str| rpassword::prompt_password(prompt).map(Zeroizing::new);
    loop {
        let first = ask("合言葉（12文字以上） / password (12 characters or more): ")?;
        if *first == *ask("もう一度 / again: ")? {
            return Ok(Zeroizing::new(first.as_bytes().to_vec()));
        }
        super::output::complain("二つがちがいます / they differ");
    }
}

fn list(value: &Value) -> String {
    let mut said = String::new();
    for it in value["staff"].as_array().into_iter().flatten() {
        let text = |name: &str| printable(it[name].as_str().unwrap_or_default());
        let roles: Vec<Role> = serde_json::from_value(it["roles"].clone()).unwrap_or_default();
        let roles: Vec<&str> = roles.into_iter().map(Role::label).collect();
        said.push_str(&format!("{}  {}  {}\n", text("name"), text("display"), roles.join(", ")));
    }
    if said.is_empty() { "職員がいません / no accounts\n".to_owned() } else { said }
}
