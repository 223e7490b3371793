//! A node's own request, checked before it enters a draft.

use hibiki_protocol::ids::FederationId;
use hibiki_protocol::limits;
use hibiki_protocol::signing::{Signed, VerifyingKey};
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{Member, MemberRequest, Role, TrustList};

use super::error::RequestFault;

const DAY_MILLIS: u64 = 24 * 3600 * 1000;
const AGE_MILLIS_MAX: u64 = 30 * DAY_MILLIS;

/// What the council decided about a request.
#[derive(Clone, Debug, Default)]
pub struct Decision<'a> {
    /// Roles it may have beyond answering, witnessing and observing.
    pub allow: &'a [Role],
    /// Whether it may take the place of the member's present entry.
    pub replace: bool,
}

impl Decision<'_> {
    /// Allows every role and replacing: for rehearsals, where nobody can be fooled.
    pub const ANYTHING: Decision<'static> = Decision { allow: Role::ALL, replace: true };
}

/// Roles that give no power over others and need no explicit decision.
const HARMLESS: [Role; 3] = [Role::Responder, Role::Witness, Role::Observer];

/// The member a request proposes, if it may stand in `draft`.
pub(crate) fn check(
    signed: &Signed<MemberRequest>,
    federation: &FederationId,
    draft: &TrustList,
    decision: &Decision<'_>,
    now: Timestamp,
) -> Result<Member, RequestFault> {
    let request = MemberRequest::verify(signed).map_err(RequestFault::Possession)?;
    if &request.federation != federation {
        return Err(RequestFault::OtherFederation { asked: request.federation, here: federation.clone() });
    }
    if now.since(request.issued) > AGE_MILLIS_MAX || request.issued.since(now) > limits::CLOCK_SKEW_MILLIS {
        return Err(RequestFault::Date);
    }
    let member = request.member;
    check_words(&member, federation)?;
    check_roles(&member, decision.allow)?;
    let lasts = |not_after: Timestamp| not_after >= now.plus(DAY_MILLIS);
    if !member.sealing_keys.iter().any(|key| lasts(key.not_after)) {
        return Err(RequestFault::NoSealingKey);
    }
    check_keys(&member, draft)?;
    if draft.member(&member.id).is_some() && !decision.replace {
        return Err(RequestFault::Member(member.id));
    }
    Ok(member)
}

fn check_words(member: &Member, federation: &FederationId) -> Result<(), RequestFault> {
    if member.id.as_str().split('/').next() != Some(federation.as_str()) {
        return Err(RequestFault::ForeignName(member.id.clone()));
    }
    if ![&member.name_ja, &member.name_en].into_iter().all(|name| is_name(name)) {
        return Err(RequestFault::Name);
    }
    match member.addresses.iter().find(|address| !is_address(address)) {
        Some(bad) => Err(RequestFault::Address(bad.escape_debug().take(80).collect())),
        None => Ok(()),
    }
}

fn check_roles(member: &Member, allow: &[Role]) -> Result<(), RequestFault> {
    let mut roles = member.roles.clone();
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() || roles.len() != member.roles.len() {
        return Err(RequestFault::Roles);
    }
    if let Some(role) = roles.iter().find(|role| !HARMLESS.contains(role) && !allow.contains(role)) {
        return Err(RequestFault::RoleNotAllowed(*role));
    }
    if member.has_role(Role::Gateway) && member.addresses.is_empty() {
        return Err(RequestFault::Unreachable);
    }
    match &member.registry_area {
        None if member.has_role(Role::Registry) => Err(RequestFault::NoArea),
        Some(area) if !is_name(area) => Err(RequestFault::NoArea),
        _ => Ok(()),
    }
}

/// No key of the request may be somebody else's: two nodes with one key are one node, or a theft.
fn check_keys(member: &Member, draft: &TrustList) -> Result<(), RequestFault> {
    let shared = |kind, owner: &str| Err(RequestFault::SharedKey { kind, owner: owner.to_owned() });
    let ed25519 = |of: &Member| -> Vec<VerifyingKey> {
        [of.signing_key, of.ledger_key].into_iter().chain(of.witness_key).collect()
    };
    let is_root = |key: &VerifyingKey| draft.root.keys.contains(key);
    if member.witness_key.is_some_and(|key| key == member.signing_key || key == member.ledger_key) {
        // One key, one purpose: what it signs for one must never be taken for another.
        return shared("witness", member.id.as_str());
    }
    if ed25519(member).iter().any(is_root) {
        return shared("witness, signing or ledger", "the council");
    }
    for other in draft.members.iter().filter(|other| other.id != member.id) {
        let owner = other.id.as_str();
        let tls = |of: &Member| [Some(of.tls_key), of.tls_key_next];
        if tls(member).iter().flatten().any(|key| tls(other).contains(&Some(*key))) {
            return shared("TLS", owner);
        }
        if ed25519(member).iter().any(|key| ed25519(other).contains(key)) {
            return shared("witness, signing or ledger", owner);
        }
        let sealing = |key: &_| other.sealing_keys.iter().any(|theirs| &theirs.public == key);
        if member.sealing_keys.iter().any(|key| sealing(&key.public)) {
            return shared("sealing", owner);
        }
    }
    Ok(())
}

/// Whether text can stand as a display name.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=limits::NAME_BYTES_MAX).contains(&text.len())
        && !text.chars().any(char::is_control)
        && !text.trim().is_empty()
}

/// Whether text is `host:port`, the host a name, an IPv4 address, or an IPv6 address in brackets.
pub(crate) fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let port_fits = port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p != 0);
    let host_fits = match host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            (1..=253).contains(&host.len())
                && host.split('.').all(|label| {
                    (1..=63).contains(&label.len())
                        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                        && !label.starts_with('-')
                        && !label.ends_with('-')
                })
        }
    };
    port_fits && host_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_host_and_port() {
        for good in ["node.example.jp:4433", "127.0.0.1:1", "[::1]:65535", "localhost:4433"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "",
            "node",
            "node:",
            ":4433",
            "node:0",
            "node:65536",
            "node:+1",
            "::1:4433",
            "[::1]",
            "a b:1",
            "-a:1",
            "a..b:1",
            "https://node:4433",
            "node:4433/x",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn names_are_printable() {
        assert!(is_name("中央病院") && is_name("Chuo Hospital"));
        for bad in ["", "  ", "a\nb", "\u{1b}[31m", &"あ".repeat(86)] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }
}
