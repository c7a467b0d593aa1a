//! What a probe found: for people, for scripts and for the operator's page. It formats; it judges nothing.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal as _},
    time::Duration,
};

use countersign_model::probe::{ProbeCheck, ProbeVerdict};
use serde_json::{Value, json};

use super::about;
use crate::output::{self, Format};

/// Most findings of one check that are told; the rest is the same again.
pub const FINDINGS_MAX: usize = 10;

/// One thing that must not be.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What was sent, without secrets.
    pub sent: String,
    /// What happened.
    pub happened: String,
}

/// One check and what came of it.
#[derive(Debug)]
pub struct Checked {
    /// Which.
    pub check: ProbeCheck,
    /// What came of it.
    pub verdict: ProbeVerdict,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What must be given for it to be checked.
    pub needs: Option<String>,
    /// How many requests it took.
    pub requests: usize,
    /// How long it took.
    pub took: Duration,
}

/// The report of a probe.
#[derive(Debug)]
pub struct Report {
    /// Where the gateway was asked.
    pub url: String,
    /// What kind it is.
    pub kind: Option<String>,
    /// Every check.
    pub checks: Vec<Checked>,
}

impl Report {
    /// How many checks say this.
    pub fn count(&self, verdict: ProbeVerdict) -> usize {
        self.checks.iter().filter(|one| one.verdict == verdict).count()
    }

    /// As the API keeps it.
    pub fn stored(&self) -> Value {
        let checks: Vec<Value> = self
            .checks
            .iter()
            .map(|one| {
                let findings: Vec<Value> = one
                    .findings
                    .iter()
                    .take(FINDINGS_MAX)
                    .map(|finding| json!({ "sent": finding.sent, "happened": finding.happened }))
                    .collect();
                let mend = about(one.check).of_kind(self.kind.as_deref());
                json!({ "check": one.check, "verdict": one.verdict, "requests": one.requests,
                    "found": one.findings.len(), "findings": findings,
                    "directive": mend.filter(|_| one.verdict == ProbeVerdict::Found) })
            })
            .collect();
        json!({ "url": self.url, "kind": self.kind, "checks": checks })
    }

    /// Shows it.
    pub fn show(&self, format: Format) {
        match format {
            Format::Json => output::line(output::pretty(&self.told())),
            Format::Table => output::line(self.text(io::stdout().is_terminal()).trim_end()),
        }
    }

    /// Everything, with the texts.
    fn told(&self) -> Value {
        let mut told = self.stored();
        let rows = told.get_mut("checks").and_then(Value::as_array_mut).into_iter().flatten();
        for (row, one) in rows.zip(&self.checks) {
            let about = about(one.check);
            row["looks_at"] = about.looks_at.into();
            row["matters"] = about.matters.into();
            row["mend"] = about.mend.into();
            row["needs"] = one.needs.clone().into();
            row["seconds"] = one.took.as_secs_f64().into();
        }
        told
    }

    /// For people: a line for each check, and what to do about each that found something.
    fn text(&self, colours: bool) -> String {
        let mut text = String::new();
        for one in &self.checks {
            let (word, colour) = match one.verdict {
                ProbeVerdict::Shut => ("shut", "32"),
                ProbeVerdict::Found => ("FOUND", "1;31"),
                ProbeVerdict::NotChecked => ("not checked", "33"),
            };
            let word = format!("{word:<11}");
            let word = if colours { format!("\u{1b}[{colour}m{word}\u{1b}[0m") } else { word };
            let rest = one.needs.as_ref().map_or_else(
                || format!("{} requests, {:.1} s", one.requests, one.took.as_secs_f64()),
                Clone::clone,
            );
            // Writing into a string cannot fail.
            let _ = writeln!(text, "{word}  {:<20}  {rest}", one.check.as_str());
        }
        for one in self.checks.iter().filter(|one| one.verdict == ProbeVerdict::Found) {
            self.explain(&mut text, one);
        }
        text
    }

    fn explain(&self, text: &mut String, one: &Checked) {
        let about = about(one.check);
        let _ = writeln!(text, "\n{}: {}", one.check, about.looks_at);
        for finding in one.findings.iter().take(FINDINGS_MAX) {
            let _ = writeln!(text, "  sent      {}\n  happened  {}", finding.sent, finding.happened);
        }
        if let Some(more @ 1..) = one.findings.len().checked_sub(FINDINGS_MAX) {
            let _ = writeln!(text, "  and {more} more");
        }
        let _ = writeln!(text, "  why       {}\n  mend      {}", about.matters, about.mend);
        if let (Some(directive), Some(kind)) = (about.of_kind(self.kind.as_deref()), &self.kind) {
            let _ = writeln!(text, "  {kind:<8}  {directive}");
        }
    }
}
