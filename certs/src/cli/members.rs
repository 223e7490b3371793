//! Commands that change the draft: members and card authorities.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use hibiki_certs::council::{CouncilFolder, Decision, Enrolled, RequestFault};
use hibiki_protocol::ids::MemberId;
use hibiki_protocol::signing::Signed;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{MemberRequest, Role};

use super::CliError;
use super::output::{self, say};
use super::present;

#[derive(Debug, Args)]
#[command(after_help = "Example: hibiki-certs enrol council/ --request hospital.cbor
         hibiki-certs enrol council/ --request city-hall.cbor --allow gateway --allow registry
Before it counts, compare the digest with the institution by telephone; --expect-digest does it here.")]
pub(crate) struct Enrol {
    /// The council's folder.
    dir: PathBuf,
    /// The member's request, made and signed by the node itself.
    #[arg(long)]
    request: PathBuf,
    /// Roles with power over others that the council decided to give.
    #[arg(long, value_name = "ROLE", value_parser = PossibleValuesParser::new(["gateway", "registry"]))]
    allow: Vec<String>,
    /// Let the request take the place of the member's present entry.
    #[arg(long)]
    replace: bool,
    /// The digest the institution told; the request is refused if it has another.
    #[arg(long, value_name = "HEX")]
    expect_digest: Option<String>,
}

pub(crate) fn enrol(arguments: &Enrol, now: Timestamp) -> Result<(), CliError> {
    let bytes = output::read(&arguments.request)?;
    let signed: Signed<MemberRequest> =
        hibiki_protocol::cbor::decode(&bytes).map_err(RequestFault::Unreadable)?;
    let found = signed.digest().hex();
    if arguments.expect_digest.as_ref().is_some_and(|expected| !expected.eq_ignore_ascii_case(&found)) {
        return Err(RequestFault::Digest { found }.into());
    }
    let allow: Vec<Role> = arguments.allow.iter().filter_map(|name| Role::from_name(name)).collect();
    let decision = Decision { allow: &allow, replace: arguments.replace };
    let mut folder = CouncilFolder::open(&arguments.dir)?;
    let (enrolled, dropped) = folder.edit(|council| council.enrol(&signed, &decision, now))?;
    let (verb, id) = match &enrolled {
        Enrolled::Added(id) => ("added", id),
        Enrolled::Replaced(id) => ("replaced", id),
    };
    let member = folder.council().draft().member(id).map(present::member_in_words).unwrap_or_default();
    say(&format!("{verb} in the draft:\n{member}\ndigest of the request: {found}"))?;
    tell_next(&folder, arguments.dir.display(), dropped)
}

#[derive(Debug, Args)]
#[command(after_help = "Example: hibiki-certs remove council/ maebashi/chuo-hospital")]
pub(crate) struct Remove {
    /// The council's folder.
    dir: PathBuf,
    /// The member, such as maebashi/chuo-hospital.
    member: MemberId,
}

pub(crate) fn remove(arguments: &Remove) -> Result<(), CliError> {
    let mut folder = CouncilFolder::open(&arguments.dir)?;
    let ((), dropped) = folder.edit(|council| council.remove(&arguments.member))?;
    tell_next(&folder, arguments.dir.display(), dropped)
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example: hibiki-certs rename council/ maebashi/chuo-hospital --ja 中央病院 --en 'Chuo Hospital'"
)]
pub(crate) struct Rename {
    /// The council's folder.
    dir: PathBuf,
    /// The member, such as maebashi/chuo-hospital.
    member: MemberId,
    /// Its Japanese display name.
    #[arg(long, required_unless_present = "en")]
    ja: Option<String>,
    /// Its English display name.
    #[arg(long)]
    en: Option<String>,
}

pub(crate) fn rename(arguments: &Rename) -> Result<(), CliError> {
    let mut folder = CouncilFolder::open(&arguments.dir)?;
    let (ja, en) = (arguments.ja.as_deref(), arguments.en.as_deref());
    let ((), dropped) = folder.edit(|council| council.rename(&arguments.member, ja, en))?;
    tell_next(&folder, arguments.dir.display(), dropped)
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example: hibiki-certs address council/ maebashi/chuo-hospital --set node.chuo.example.jp:4433
         hibiki-certs address council/ maebashi/chuo-hospital --none    (it only dials out)"
)]
pub(crate) struct Address {
    /// The council's folder.
    dir: PathBuf,
    /// The member, such as maebashi/chuo-hospital.
    member: MemberId,
    /// Where it is reached, host:port; may be given several times.
    #[arg(long, value_name = "HOST:PORT", required_unless_present = "none")]
    set: Vec<String>,
    /// It cannot be reached; it dials out.
    #[arg(long, conflicts_with = "set")]
    none: bool,
}

pub(crate) fn address(arguments: Address) -> Result<(), CliError> {
    let mut folder = CouncilFolder::open(&arguments.dir)?;
    let ((), dropped) = folder.edit(|council| council.readdress(&arguments.member, arguments.set))?;
    tell_next(&folder, arguments.dir.display(), dropped)
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example: hibiki-certs accept-card-ca council/ --certificate ca/ca.crt     (simulated: its certificate says so)
         hibiki-certs accept-card-ca council/ --certificate authca03.cer --name '公的個人認証 利用者証明用認証局' --policy 1.2.392.200149.8.5.1.3.30"
)]
pub(crate) struct AcceptCardCa {
    /// The council's folder.
    dir: PathBuf,
    /// The authority's certificate (PEM or DER).
    #[arg(long)]
    certificate: PathBuf,
    /// Its name for people [default: the certificate's common name].
    #[arg(long)]
    name: Option<String>,
    /// The policy its cards must assert; needed unless the authority is simulated.
    #[arg(long, value_name = "OID")]
    policy: Option<String>,
}

pub(crate) fn accept_card_ca(arguments: &AcceptCardCa) -> Result<(), CliError> {
    let certificate = output::read(&arguments.certificate)?;
    let (name, policy) = (arguments.name.as_deref(), arguments.policy.as_deref());
    let mut folder = CouncilFolder::open(&arguments.dir)?;
    let (authority, dropped) =
        folder.edit(|council| council.accept_card_certificate(&certificate, name, policy))?;
    say(&format!("accepted in the draft: {}", present::card_authority_in_words(&authority)))?;
    tell_next(&folder, arguments.dir.display(), dropped)
}

#[derive(Debug, Args)]
#[command(after_help = "Example: hibiki-certs drop-card-ca council/ --name 'Simulated card authority'")]
pub(crate) struct DropCardCa {
    /// The council's folder.
    dir: PathBuf,
    /// The authority's name, as `draft show` prints it.
    #[arg(long)]
    name: String,
}

pub(crate) fn drop_card_ca(arguments: &DropCardCa) -> Result<(), CliError> {
    let mut folder = CouncilFolder::open(&arguments.dir)?;
    let ((), dropped) = folder.edit(|council| council.drop_card_authority(&arguments.name))?;
    tell_next(&folder, arguments.dir.display(), dropped)
}

fn tell_next(folder: &CouncilFolder, dir: std::path::Display<'_>, dropped: usize) -> Result<(), CliError> {
    say(&present::changes_in_words(folder.council()))?;
    if dropped > 0 {
        say(&format!("{dropped} signature(s) under the earlier draft no longer count: sign again"))?;
    }
    Ok(say(&format!("next: hibiki-certs sign {dir} --key root-1.key"))?)
}
