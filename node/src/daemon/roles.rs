//! Takes the roles the configuration names: responder, registry, gateway.

use std::sync::Arc;
use std::time::Duration;

use hibiki_protocol::policy::AgeGate;
use hibiki_protocol::trust::Role;

use super::books::Books;
use super::carriers::HoldCarrier;
use super::foundations::Ground;
use super::{cannot, grace_millis, school, witnesses};
use crate::admin;
use crate::cli::run::{Host, StartError};
use crate::config::Config;
use crate::consent::{self, Consents};
use crate::exit::ExitStatus;
use crate::gateway::{self, Attester, Gateway, LedgerAccount};
use crate::holds::Holds;
use crate::ingest::{self, Importer, Inbox};
use crate::linkage::{self, Linkage, Persons};
use crate::links::{self, Links};
use crate::membership;
use crate::registry::card::RevocationFolder;
use crate::registry::card::revocation::GRACE_MILLIS;
use crate::registry::{self, Registry};
use crate::responder::{
    ChoiceKeeper, Foundation, HoldKeeper, InstitutionResponder, Policy, RegistrationKeeper,
};
use crate::school::School;
use crate::secret_file;
use crate::services;
use crate::session_ends::EndedSessions;
use crate::witness::Asking;

/// Folder of revocation lists, beside the registry's master key.
const REVOCATION_LISTS: &str = "revocation";

/// Number of the policy rules in force; raised when the meaning of the rules changes.
const POLICY_VERSION: u64 = 1;

/// The ledger signs its head for a guardian's proof once in this time at most: she waits no longer, and the
/// ten flushes it takes are noticed by nobody else.
const HEAD_PERIOD: Duration = Duration::from_secs(1);

/// How often answers that could not be logged are tried to be entered.
const ENTERED_EVERY: Duration = Duration::from_secs(2);

/// How links are kept, by the configuration.
pub(super) fn link_settings(config: &Config) -> links::Settings {
    links::Settings {
        own: config.node.id.clone(),
        dial_members: (config.roles.gateway && config.gateway.dial_members) || config.roles.registry,
        dial: config.links.dial.clone(),
        back_off_min: Duration::from_millis(config.links.back_off_min_ms),
        back_off_max: Duration::from_millis(config.links.back_off_max_ms),
        grace_millis: grace_millis(config.federation.grace_days),
    }
}

/// The roles this node has taken.
pub(super) struct Taken {
    /// What others may ask of it.
    pub(super) services: links::Services,
    /// Its gateway, to be told when the node stops.
    pub(super) gateway: Option<Gateway>,
    /// The asking of its witnesses, to be told the same.
    pub(super) asking: Asking,
}

/// Builds the services of the configured roles and registers their commands.
pub(super) async fn take(host: &mut Host, ground: &Ground, links: &Links) -> Result<Taken, StartError> {
    warn_of_missing_roles(host, ground);
    let mut services = links::Services::default();
    let persons: Arc<dyn Persons> = Arc::clone(&ground.book) as Arc<dyn Persons>;
    let linkage = Arc::new(Linkage::new(ground.means.clone(), Arc::clone(&persons)));
    let consents = Arc::new(Consents::new(ground.means.clone(), persons, Arc::clone(&linkage)));
    let holds = Arc::new(Holds::new(ground.means.clone()));
    register_commands(host, ground, &linkage, &consents)?;
    let school = school::open(host, ground, &holds)?;
    if host.config.roles.responder {
        services.responder = Some(responder(host, ground, &linkage, &holds, &consents, school)?);
    }
    if host.config.roles.registry {
        services.registry = Some(registry(host, ground, links, &holds)?);
    }
    let mut gateway = None;
    if host.config.roles.gateway {
        let taken = take_gateway(host, ground, links, &services)?;
        services.guests = Some(Arc::new(taken.clone()));
        gateway = Some(taken);
    }
    let witnesses::Witnesses { service, asking } = witnesses::open(host, ground, links)?;
    services.witness = Some(service);
    school::serve_staff(host, ground).await?;
    Ok(Taken { services, gateway, asking })
}

/// The commands that every node has, and the watched inbox.
fn register_commands(
    host: &mut Host,
    ground: &Ground,
    linkage: &Arc<Linkage>,
    consents: &Arc<Consents>,
) -> Result<(), StartError> {
    let (ledger, env) = (&ground.means.ledger, &ground.means.env);
    let importer = Importer::new(Arc::clone(&ground.book), ledger.clone(), env.clone());
    let router = &mut host.router;
    membership::register(router, ground.membership.clone());
    ingest::register(router, importer.clone());
    admin::ledger::register(router, ledger, env);
    let deps =
        admin::records::Deps { book: Arc::clone(&ground.book), ledger: ledger.clone(), env: env.clone() };
    admin::records::register(router, deps);
    linkage::commands::register(router, linkage);
    consent::commands::register(router, consents);
    if let Some(folder) = &host.config.inbox {
        let inbox = Inbox::open(folder.clone(), importer, env.clone(), host.board.clone());
        let inbox = inbox.map_err(|error| cannot(&format!("the inbox {}", folder.display()), &error))?;
        host.env.spawn(inbox.watch(host.shutdown.clone()));
    }
    Ok(())
}

/// What the configuration asks for and the trust list does not give is said, not hidden.
fn warn_of_missing_roles(host: &Host, ground: &Ground) {
    let current = ground.membership.current();
    let Some(member) = current.list().member(&host.config.node.id) else {
        host.board.raise(
            "membership",
            "this node does not stand in the trust list; bring its request to the council",
        );
        return;
    };
    let roles = &host.config.roles;
    let asked = [
        (roles.responder, Role::Responder),
        (roles.gateway, Role::Gateway),
        (roles.registry, Role::Registry),
        (roles.witness, Role::Witness),
    ];
    for (_, role) in asked.into_iter().filter(|(plays, role)| *plays && !member.has_role(*role)) {
        host.board.raise("membership", format!("the trust list does not give this node the role {role}"));
    }
}

fn responder(
    host: &Host,
    ground: &Ground,
    linkage: &Arc<Linkage>,
    holds: &Arc<Holds>,
    consents: &Arc<Consents>,
    school: Option<School>,
) -> Result<Arc<dyn services::Responder>, StartError> {
    let (policy, means) = (&host.config.policy, &ground.means);
    let store = Arc::clone(&ground.store);
    let registrations =
        school.as_ref().map(|school| Arc::clone(&school.registrations) as Arc<dyn RegistrationKeeper>);
    let ended = EndedSessions::open(means.clone(), host.board.clone());
    let ended = Arc::new(ended.map_err(|error| cannot("the table of ended sessions", &error))?);
    host.env.spawn(Arc::clone(&ended).keep_tidy(host.shutdown.clone()));
    let responder = Arc::new(InstitutionResponder::new(Foundation {
        own: means.own.clone(),
        env: means.env.clone(),
        keys: means.keys.clone(),
        trust: means.trust.clone(),
        ledger: means.ledger.clone(),
        local: Arc::new(Books {
            linkage: Arc::clone(linkage),
            holds: Arc::clone(holds),
            consents: Arc::clone(consents),
            records: Arc::clone(&ground.book),
            school: school.map(|school| (school, means.env.clone())),
        }),
        choices: Arc::clone(consents) as Arc<dyn ChoiceKeeper>,
        registrations,
        holds: Arc::clone(holds) as Arc<dyn HoldKeeper>,
        ended,
        low_space: Arc::new(move || store.low_space()),
        policy: Policy {
            answer_floor: Duration::from_millis(policy.answer_floor_ms),
            ages: AgeGate {
                adult_years: u16::from(policy.adult_age),
                sensitive_years: u16::from(policy.sensitive_from_age),
                sensitive: policy.sensitive_categories.clone(),
            },
            version: POLICY_VERSION,
            head_period: HEAD_PERIOD,
            kept_since: host.config.records.kept_since.clone(),
            queries_at_once: usize::try_from(host.config.limits.queries_at_once).unwrap_or(usize::MAX),
        },
    }));
    host.env.spawn(Arc::clone(&responder).keep_entering(ENTERED_EVERY, host.shutdown.clone()));
    Ok(responder)
}

fn registry(
    host: &mut Host,
    ground: &Ground,
    links: &Links,
    holds: &Arc<Holds>,
) -> Result<Arc<dyn services::Registry>, StartError> {
    let path = &host.config.registry.master_key;
    let master = secret_file::read(path).map_err(|error| cannot("the registry's master key", &error))?;
    let revocation = host.config.node.data_dir.join(REVOCATION_LISTS);
    let setup = registry::Setup {
        master,
        revocations: Arc::new(RevocationFolder::new(revocation, GRACE_MILLIS)),
        grace_millis: grace_millis(host.config.federation.grace_days),
    };
    let registry = Arc::new(Registry::new(ground.means.clone(), setup));
    registry::commands::register(&mut host.router, &registry);
    let carrier = HoldCarrier {
        own: ground.means.own.clone(),
        here: Arc::clone(holds) as Arc<dyn HoldKeeper>,
        links: links.clone(),
    };
    host.env.spawn(registry::delivery::run(
        Arc::clone(&registry),
        Arc::new(carrier),
        host.board.clone(),
        host.shutdown.clone(),
    ));
    Ok(registry)
}

fn take_gateway(
    host: &Host,
    ground: &Ground,
    links: &Links,
    services: &links::Services,
) -> Result<Gateway, StartError> {
    let config = &host.config.gateway;
    let attester = match (&services.registry, &config.registry) {
        (Some(own), Some(member)) if member == &ground.means.own => Attester::Own(Arc::clone(own)),
        (_, Some(member)) if member != &ground.means.own => Attester::Member(member.clone()),
        (Some(own), None) => Attester::Own(Arc::clone(own)),
        _ => {
            let what = "[gateway] registry names this node, which is none; set [roles] registry, or name the registry";
            return Err(StartError::new(ExitStatus::Config, what));
        }
    };
    Ok(Gateway::new(gateway::Foundation {
        env: host.env.clone(),
        board: host.board.clone(),
        links: links.clone(),
        signing: Arc::clone(ground.means.keys.signing()),
        attester,
        responder: services.responder.clone(),
        log: Arc::new(LedgerAccount(ground.means.ledger.clone())),
        deadline: Duration::from_millis(config.deadline_ms),
        grace_millis: grace_millis(host.config.federation.grace_days),
    }))
}
