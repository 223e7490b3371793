//! Lists, drafts and roots in words and as JSON.

use hibiki_certs::council::{Council, CouncilError, CouncilFolder};
use hibiki_protocol::cbor;
use hibiki_protocol::ids::Digest;
use hibiki_protocol::time::Timestamp;
use hibiki_protocol::trust::{CardAuthority, Member, Role, RootAnchor, SignedTrustList, TrustList};
use serde_json::{Value, json};

use super::output::time;

/// Text from a file, for a terminal: nothing in it can move the cursor.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

fn roles(member: &Member) -> Vec<&'static str> {
    member.roles.iter().copied().map(Role::as_str).collect()
}

pub(crate) fn root_digest(anchor: &RootAnchor) -> String {
    Digest::of(&[&cbor::encode(anchor)]).hex()
}

pub(crate) fn root_in_words(anchor: &RootAnchor) -> String {
    let root = &anchor.root;
    let mut lines = vec![
        format!("federation: {}", anchor.federation),
        format!(
            "root:       {} of {} keys sign a list, {} a removal",
            root.threshold,
            root.keys.len(),
            root.removal_threshold
        ),
    ];
    lines.extend(
        root.keys.iter().enumerate().map(|(i, key)| format!("root key {}: {}", i + 1, hex::encode(key.0))),
    );
    lines.push(format!("digest:     {}", root_digest(anchor)));
    lines.join("\n")
}

pub(crate) fn root_json(anchor: &RootAnchor) -> Value {
    json!({
        "federation": anchor.federation.as_str(),
        "keys": anchor.root.keys.iter().map(|key| hex::encode(key.0)).collect::<Vec<_>>(),
        "threshold": anchor.root.threshold,
        "removal_threshold": anchor.root.removal_threshold,
        "digest": root_digest(anchor),
    })
}

pub(crate) fn member_in_words(member: &Member) -> String {
    let area = member.registry_area.as_deref().map(|area| format!(" of {}", plain(area))).unwrap_or_default();
    let addresses = match member.addresses.as_slice() {
        [] => "dials out".to_owned(),
        some => some.iter().map(|address| plain(address)).collect::<Vec<_>>().join(", "),
    };
    let sealing: Vec<_> = member
        .sealing_keys
        .iter()
        .map(|key| format!("{} until {}", hex::encode(key.public.id().0), time(key.not_after)))
        .collect();
    format!(
        "{}  {} / {}\n  kind {}, roles {}{area}\n  address {addresses}\n  TLS key {}\n  signing {}\n  ledger  {}\n  witness {}\n  sealing {}",
        member.id,
        plain(&member.name_ja),
        plain(&member.name_en),
        member.kind,
        roles(member).join(" "),
        hex::encode(member.tls_key.0),
        hex::encode(member.signing_key.0),
        hex::encode(member.ledger_key.0),
        member.witness_key.map_or_else(|| "none".to_owned(), |key| hex::encode(key.0)),
        sealing.join(", ")
    )
}

fn member_json(member: &Member) -> Value {
    let sealing: Vec<_> = member
        .sealing_keys
        .iter()
        .map(|key| {
            json!({
                "id": hex::encode(key.public.id().0), "suite": key.suite.as_str(),
                "public": hex::encode(key.public.0),
                "not_before": time(key.not_before), "not_after": time(key.not_after),
            })
        })
        .collect();
    json!({
        "id": member.id.as_str(), "kind": member.kind.as_str(),
        "name": { "ja": member.name_ja, "en": member.name_en },
        "roles": roles(member), "addresses": member.addresses,
        "tls_key": hex::encode(member.tls_key.0),
        "tls_key_next": member.tls_key_next.map(|key| hex::encode(key.0)),
        "signing_key": hex::encode(member.signing_key.0),
        "sealing_keys": sealing,
        "ledger_key": hex::encode(member.ledger_key.0),
        "witness_key": member.witness_key.map(|key| hex::encode(key.0)),
        "registry_area": member.registry_area,
    })
}

pub(crate) fn card_authority_in_words(authority: &CardAuthority) -> String {
    let simulated = if authority.simulated { "  (SIMULATED)" } else { "" };
    format!("{}  policy {}{simulated}", plain(&authority.name), plain(&authority.policy))
}

fn card_authority_json(authority: &CardAuthority) -> Value {
    json!({
        "name": authority.name, "policy": authority.policy, "simulated": authority.simulated,
        "certificate_sha256": Digest::of(&[&authority.certificate]).hex(),
    })
}

fn contents_in_words(list: &TrustList) -> Vec<String> {
    let mut lines = vec![format!("members: {}", list.members.len())];
    lines.extend(list.members.iter().map(member_in_words));
    lines.push(format!("card authorities: {}", list.card_authorities.len()));
    lines.extend(list.card_authorities.iter().map(|ca| format!("  {}", card_authority_in_words(ca))));
    lines
}

pub(crate) fn list_in_words(list: &TrustList, signed: &SignedTrustList) -> String {
    let mut lines = vec![
        format!("federation {}, epoch {}", list.federation, list.epoch),
        format!("issued {}, expires {}", time(list.issued), time(list.expires)),
        format!("digest   {}", signed.digest().hex()),
        format!("previous {}", list.previous.hex()),
        format!(
            "signatures: {} by the root keys it names ({} of {} needed; {} for a removal)",
            signed.valid_signatures(&list.root),
            list.root.threshold,
            list.root.keys.len(),
            list.root.removal_threshold
        ),
    ];
    lines.extend(contents_in_words(list));
    lines.join("\n")
}

pub(crate) fn list_json(list: &TrustList, signed: &SignedTrustList) -> Value {
    json!({
        "federation": list.federation.as_str(), "epoch": list.epoch,
        "issued": time(list.issued), "expires": time(list.expires),
        "digest": signed.digest().hex(), "previous": list.previous.hex(),
        "root": {
            "keys": list.root.keys.iter().map(|key| hex::encode(key.0)).collect::<Vec<_>>(),
            "threshold": list.root.threshold, "removal_threshold": list.root.removal_threshold,
        },
        "valid_signatures": signed.valid_signatures(&list.root),
        "members": list.members.iter().map(member_json).collect::<Vec<_>>(),
        "card_authorities": list.card_authorities.iter().map(card_authority_json).collect::<Vec<_>>(),
    })
}

pub(crate) fn changes_in_words(council: &Council) -> String {
    let changes = council.changes();
    if changes.is_empty() {
        return "the draft changes nothing (signing it renews the list)".to_owned();
    }
    let lines: Vec<_> = changes.iter().map(|change| format!("  {}", plain(&change.to_string()))).collect();
    format!("the draft of epoch {} changes:\n{}", council.draft().epoch, lines.join("\n"))
}

/// Signatures the draft has and needs. Before it is dated, they are counted on a trial date.
fn signatures(folder: &CouncilFolder, now: Timestamp) -> Result<(u64, u64), CouncilError> {
    match folder.proposal() {
        Some(proposal) => folder.council().signatures(proposal, now),
        None => folder.council().signatures(&folder.council().propose(1, now)?, now),
    }
}

pub(crate) fn draft_in_words(folder: &CouncilFolder, now: Timestamp) -> Result<String, CouncilError> {
    let (valid, needed) = signatures(folder, now)?;
    let mut lines = vec![changes_in_words(folder.council())];
    lines.extend(contents_in_words(folder.council().draft()));
    lines.push(match folder.proposal() {
        None => format!("not signed yet; {needed} signature(s) needed"),
        Some(proposal) => format!("signed: {valid} of {needed} (digest {})", proposal.digest().hex()),
    });
    Ok(lines.join("\n"))
}

pub(crate) fn draft_json(folder: &CouncilFolder, now: Timestamp) -> Result<Value, CouncilError> {
    let (valid, needed) = signatures(folder, now)?;
    let draft = folder.council().draft();
    let changes: Vec<_> = folder.council().changes().iter().map(ToString::to_string).collect();
    Ok(json!({
        "federation": draft.federation.as_str(), "epoch": draft.epoch, "changes": changes,
        "signatures": valid, "signatures_needed": needed,
        "members": draft.members.iter().map(member_json).collect::<Vec<_>>(),
        "card_authorities": draft.card_authorities.iter().map(card_authority_json).collect::<Vec<_>>(),
    }))
}
