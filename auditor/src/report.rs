//! The report: every strand, the leaking nodes as a control, what was not shown, and the verdict. Canonical
//! JSON (RFC 8785: sorted keys, whole numbers only), so that two audits of the same artefacts are the same bytes.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::artefacts::Artefacts;
use crate::strand::Strand;
use crate::{canary, holds, identifiers, ledgers, locality, reconcile, traffic};

/// Fewest leaking nodes that must be caught.
const MUTANTS_MIN: usize = 10;

/// One leaking node, run as a control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mutant {
    /// Its name.
    pub name: String,
    /// What it does.
    pub what: String,
    /// The strand that must catch it.
    pub strand: String,
    /// What that strand said; nothing if it was not caught.
    pub caught: Option<String>,
}

/// An audit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The form of this report.
    pub format: String,
    /// Whether every strand passed, and every leaking node was caught.
    pub passed: bool,
    /// What was run: `run.json`, as it is.
    pub run: Value,
    /// The strands.
    pub strands: Vec<Strand>,
    /// The leaking nodes.
    pub mutants: Vec<Mutant>,
    /// What was not shown.
    pub limits: Vec<String>,
}

/// What no such audit can show.
const LIMITS: [&str; 4] = [
    "Encrypted bytes hide everything from a search. Encrypted hoards are met by the questions about rows, files and \
     volume only.",
    "Whoever could read a record at its own institution could copy it by other means; this audit is about what the \
     software keeps.",
    "Timing: who was asked at the same moment can be correlated by institutions that collude.",
    "Compressed streams other than gzip, zlib and deflate, and secrets split over several places, are not searched.",
];

const NO_RECEIPTS: &str = "No receipts of guardians were among the artefacts: whether what they were promised was kept was not asked.";

/// Audits everything there is.
pub fn audit(artefacts: &Artefacts, told: &mut dyn FnMut(&str)) -> Report {
    let mut run = Strand::new("run", "何を動かしたか。", "What was run?");
    let described = run.need(artefacts.json("run.json")).unwrap_or_default();
    if described["views"].as_u64().unwrap_or_default() == 0 {
        run.missing("run.json says of no view: nothing was run");
    }
    run.count("views", described["views"].as_u64().unwrap_or_default());
    run.count("faults", described["faults"].as_u64().unwrap_or_default());
    let mut strands = vec![run.done()];
    let mut mutants = Vec::new();
    match artefacts.federation() {
        Ok(list) => {
            told("log");
            let (log, ledgers) = ledgers::read(artefacts, &list);
            strands.push(log);
            told("reconcile, identifiers, holds");
            strands.push(reconcile::reconcile(artefacts, &ledgers));
            strands.push(identifiers::look(artefacts, &list, &ledgers));
            strands.push(holds::look(&ledgers));
            strands.push(canary::check(artefacts, &ledgers));
            told("canaries");
            let search = locality::search_for(artefacts);
            strands.push(locality::canaries(artefacts, &list, &search));
            told("traffic");
            strands.push(traffic::look(artefacts, &list, &ledgers, &search));
            told("rows, files, volume");
            if artefacts.has("second-opinion.json") {
                strands.push(locality::second_opinion(artefacts));
            }
            strands.push(locality::rows(artefacts, &list, &ledgers));
            strands.push(locality::files(artefacts, &list));
            strands.push(locality::volume(artefacts, &list));
            for name in artefacts.names("mutants") {
                told(&format!("leaking node: {name}"));
                let place = format!("mutants/{name}");
                let story = artefacts.json(&format!("{place}/mutant.json")).unwrap_or_default();
                let strand = locality::described(&story, "strand");
                let caught = locality::catches(artefacts, &place, strand, &list, &search);
                let what = locality::described(&story, "what").to_owned();
                mutants.push(Mutant { name, what, strand: strand.to_owned(), caught });
            }
        }
        Err(why) => strands.push(untrusted(why)),
    }
    strands.push(control(&mutants));
    let more = described["limits"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let unasked = artefacts.names("receipts").is_empty().then_some(NO_RECEIPTS);
    Report {
        format: "hibiki-audit-report/1".to_owned(),
        passed: strands.iter().all(|strand| strand.passed),
        limits: LIMITS.into_iter().chain(unasked).chain(more).map(str::to_owned).collect(),
        run: described,
        strands,
        mutants,
    }
}

/// Without the council's lists nothing can be verified.
pub fn untrusted(why: String) -> Strand {
    let mut trust = Strand::new("trust", "名簿の連鎖は正しいか。", "Is the chain of trust lists right?");
    trust.missing(why);
    trust.done()
}

/// The leaking nodes as a strand: enough of them, and all caught.
fn control(mutants: &[Mutant]) -> Strand {
    let mut strand = Strand::new(
        "mutants",
        "わざと漏らすように作ったノードは、すべて見つかったか。",
        "Was every deliberately leaking node caught by the question named for it?",
    );
    strand.count("leaking nodes", mutants.len() as u64);
    strand.count("caught", mutants.iter().filter(|mutant| mutant.caught.is_some()).count() as u64);
    if mutants.len() < MUTANTS_MIN {
        strand.missing(format!("at least {MUTANTS_MIN} leaking nodes; there are {}", mutants.len()));
    }
    for mutant in mutants.iter().filter(|mutant| mutant.caught.is_none()) {
        strand.problem(format!("`{}` ({}) was not caught by `{}`", mutant.name, mutant.what, mutant.strand));
    }
    strand.done()
}

/// Canonical JSON.
///
/// # Errors
/// Something cannot be written as JSON.
pub fn canonical(report: &Report) -> Result<String, String> {
    // A map of this crate's JSON is sorted; numbers are whole; so its compact form is the canonical one.
    serde_json::to_value(report).map(|value| value.to_string()).map_err(|error| error.to_string())
}

/// Where two reports differ, as paths with both values.
pub fn differences(claimed: &Value, found: &Value) -> Vec<String> {
    let mut all = Vec::new();
    differ(claimed, found, "", &mut all);
    all
}

fn differ(claimed: &Value, found: &Value, path: &str, all: &mut Vec<String>) {
    match (claimed, found) {
        (Value::Object(claims), Value::Object(finds)) => {
            let names: std::collections::BTreeSet<_> = claims.keys().chain(finds.keys()).collect();
            for name in names {
                let value = |map: &serde_json::Map<_, Value>| map.get(name).cloned().unwrap_or_default();
                differ(&value(claims), &value(finds), &format!("{path}/{name}"), all);
            }
        }
        (Value::Array(claims), Value::Array(finds)) if claims.len() == finds.len() => {
            for (number, (claim, find)) in claims.iter().zip(finds).enumerate() {
                differ(claim, find, &format!("{path}/{number}"), all);
            }
        }
        _ if claimed == found => {}
        _ => all.push(format!("{path}: the report says {claimed}, the artefacts say {found}")),
    }
}
