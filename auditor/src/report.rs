//! The report: every strand, the leaking nodes as a control, what was not shown, and the verdict. Canonical
//! JSON (RFC 8785: sorted keys, whole numbers only), so that two audits of the same artefacts are the same bytes.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::artefacts::Artefacts;
use crate::evidence::Evidence;
use crate::strand::Strand;
use crate::{canary, holds, identifiers, locality, reconcile, traffic};

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

/// For people, line by line.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.strands.iter().try_for_each(|strand| strand.fmt(f))?;
        for Mutant { name, strand, caught, .. } in &self.mutants {
            let said = caught.as_deref().unwrap_or("NOT CAUGHT");
            writeln!(f, "mutant   {name:<10} by {strand:<10} {said}")?;
        }
        self.limits.iter().try_for_each(|limit| writeln!(f, "not shown: {limit}"))?;
        writeln!(f, "{}", if self.passed { "合格 / PASSED" } else { "不合格 / NOT PASSED" })
    }
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

/// What looks for the answer to a question.
type Question = fn(&Evidence, &mut Strand);

/// The questions, beside those about the run, the ledgers and the leaking nodes, in the order of the report.
const QUESTIONS: [(&str, Question); 10] = [
    ("reconcile", reconcile::reconcile),
    ("identifiers", identifiers::look),
    ("holds", holds::look),
    ("commitment", canary::check),
    ("canaries", locality::canaries),
    ("traffic", traffic::look),
    ("second-opinion", locality::second_opinion),
    ("rows", locality::rows),
    ("files", locality::files),
    ("volume", locality::volume),
];

/// Asks one of the questions.
pub fn ask(evidence: &Evidence, name: &str) -> Strand {
    let mut strand = Strand::new(name);
    let question = QUESTIONS.iter().find(|(own, _)| *own == name);
    question.into_iter().for_each(|(_, look)| look(evidence, &mut strand));
    strand.done()
}

/// Audits everything there is.
pub fn audit(artefacts: &Artefacts, told: &mut dyn FnMut(&str)) -> Report {
    let mut run = Strand::new("run");
    let described = run.need(artefacts.json("run.json")).unwrap_or_default();
    let [views, faults] = ["views", "faults"].map(|what| described[what].as_u64().unwrap_or_default());
    run.wants(views > 0, || "run.json says of no view: nothing was run".to_owned());
    run.count("views", views);
    run.count("faults", faults);
    told("log");
    let (log, evidence) = Evidence::gather(artefacts.clone());
    let (mut strands, mut mutants) = (vec![run.done(), log], Vec::new());
    if let Some(evidence) = evidence {
        // Nobody must have asked other scanners.
        let asked = |name: &str| name != "second-opinion" || artefacts.has("second-opinion.json");
        for (name, _) in QUESTIONS.iter().filter(|(name, _)| asked(name)) {
            told(name);
            strands.push(ask(&evidence, name));
        }
        for name in artefacts.names("mutants") {
            told(&format!("leaking node: {name}"));
            mutants.push(leaking(&evidence, name));
        }
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

/// Looks for what a leaking node left, by the strand that its own description names.
fn leaking(evidence: &Evidence, name: String) -> Mutant {
    let place = format!("mutants/{name}");
    let story = evidence.artefacts.json(&format!("{place}/mutant.json")).unwrap_or_default();
    let [strand, what] = ["strand", "what"].map(|field| story[field].as_str().unwrap_or_default().to_owned());
    let caught = locality::catches(evidence, &place, &strand);
    Mutant { name, what, strand, caught }
}

/// The leaking nodes as a strand: enough of them, and all caught.
fn control(mutants: &[Mutant]) -> Strand {
    let mut strand = Strand::new("mutants");
    let ran = mutants.len();
    strand.count("leaking nodes", ran as u64);
    strand.count("caught", mutants.iter().filter(|mutant| mutant.caught.is_some()).count() as u64);
    strand.wants(ran >= MUTANTS_MIN, || format!("at least {MUTANTS_MIN} leaking nodes; there are {ran}"));
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
    match (claimed, found) {
        (Value::Object(claims), Value::Object(finds)) => {
            let names: BTreeSet<_> = claims.keys().chain(finds.keys()).collect();
            names.into_iter().flat_map(|name| below(name, &claimed[name], &found[name])).collect()
        }
        (Value::Array(claims), Value::Array(finds)) if claims.len() == finds.len() => {
            let pairs = claims.iter().zip(finds).enumerate();
            pairs.flat_map(|(number, (claim, find))| below(&number.to_string(), claim, find)).collect()
        }
        _ if claimed == found => Vec::new(),
        _ => vec![format!(": the report says {claimed}, the artefacts say {found}")],
    }
}

fn below(name: &str, claimed: &Value, found: &Value) -> Vec<String> {
    differences(claimed, found).iter().map(|difference| format!("/{name}{difference}")).collect()
}
