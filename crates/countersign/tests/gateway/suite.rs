//! The suite: what every gateway has to do, asked of one that runs. It answers what it found wrong, so that the same
//! suite shows that the recipes are right and that it would notice if they were not.

use std::fmt;

use serde_json::Value;

use crate::{
    client::{self, Open},
    countersign::Countersign,
    gateways::{Class, Habit},
    stack::Stack,
    table::{Case, Meaning, People, identity::LIE, table},
};

/// Asks of one call of `/v1/verify`.
const ASKS_MAX: usize = 100;
/// From one row of the table to the next that is sent: a prime, so that every row has its turn.
const STRIDE: usize = 397;

/// Something that is wrong.
pub struct Finding {
    pub class: Class,
    pub told: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.class, self.told)
    }
}

/// The table, with the status the library decides for every request that means something.
pub struct Decided {
    pub people: People,
    pub cases: Vec<(Case, Option<u16>)>,
}

impl Decided {
    /// Makes the tokens, and asks the library about every request of the table.
    pub async fn make(countersign: &Countersign, name: &str) -> Self {
        let people = People::make(countersign, name).await;
        let cases = table(&people);
        let mut decided = Vec::with_capacity(cases.len());
        for some in cases.chunks(ASKS_MAX) {
            let asks: Vec<&Value> = some.iter().filter_map(|case| case.ask()).collect();
            let verdicts = if asks.is_empty() {
                Vec::new()
            } else {
                let reply = countersign.verify(&serde_json::json!({ "asks": asks })).await;
                assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
                reply.json()["verdicts"].as_array().unwrap().clone()
            };
            let mut verdicts = verdicts.iter();
            for case in some {
                let status = case.ask().map(|_| verdict_status(verdicts.next().unwrap()));
                decided.push((case.clone(), status));
            }
        }
        Self { people, cases: decided }
    }

    /// How many requests have this status.
    pub fn count(&self, status: u16) -> usize {
        self.cases.iter().filter(|(_, decided)| *decided == Some(status)).count()
    }
}

fn verdict_status(verdict: &Value) -> u16 {
    if verdict["allowed"] == true { 200 } else { verdict["status"].as_u64().unwrap().try_into().unwrap() }
}

impl Case {
    fn ask(&self) -> Option<&Value> {
        match &self.means {
            Meaning::Asks(ask) | Meaning::AsksOrRefused(ask) => Some(ask),
            Meaning::Refused => None,
        }
    }

    /// Whether a gateway may refuse it for its form.
    fn may_be_refused(&self) -> bool {
        !matches!(self.means, Meaning::Asks(_))
    }
}

/// How far a run goes.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// To its end.
    TheEnd,
    /// To the first finding of this class: more of the same says nothing more about a recipe that is known to be broken.
    Found(Class),
}

impl Until {
    /// Whether a run with these findings may end.
    pub fn is_reached(self, findings: &[Finding]) -> bool {
        match self {
            Self::TheEnd => false,
            Self::Found(class) => findings.iter().any(|finding| finding.class == class),
        }
    }
}

/// The rows of a table as a run visits them: all of them, and neighbours, which are about the same, far from each other.
fn visits(rows: usize) -> impl Iterator<Item = usize> {
    assert_ne!(rows % STRIDE, 0, "{rows} rows would not all be visited");
    (0..rows).map(move |visit| visit * STRIDE % rows)
}

/// Sends the table over HTTP/1, one connection each.
pub async fn over_http1(stack: &Stack, decided: &Decided, until: Until) -> Vec<Finding> {
    let mut findings = Vec::new();
    for row in visits(decided.cases.len()) {
        let (case, status) = &decided.cases[row];
        let answer = client::raw_from(case.from, stack.running.address, &case.bytes()).await;
        let statuses = client::statuses(&answer);
        findings.extend(judge(stack, decided, case, *status, &statuses).into_iter().map(|(class, told)| {
            Finding { class, told: format!("{} {:?}: {told}: {answer}", case.about, first_line(case)) }
        }));
        if until.is_reached(&findings) {
            break;
        }
    }
    findings
}

/// Sends what of the table can be said in HTTP/2, all on one connection.
pub async fn over_http2(stack: &Stack, decided: &Decided) -> (usize, Vec<Finding>) {
    let mut open = Open::http2(&stack.running).await;
    let (mut sent, mut findings) = (0, Vec::new());
    for (case, status) in &decided.cases {
        let Some(request) = client::as_http2(case) else { continue };
        sent += 1;
        // What a gateway refuses by ending the stream is refused.
        let answered: Vec<u16> = open.try_send(request).await.map(|reply| reply.status).into_iter().collect();
        if answered.is_empty() {
            open = Open::http2(&stack.running).await;
        }
        findings.extend(judge(stack, decided, case, *status, &answered).into_iter().map(|(class, told)| {
            Finding {
                class,
                told: format!("HTTP/2: {} {:?}: {told}: {answered:?}", case.about, first_line(case)),
            }
        }));
    }
    (sent, findings)
}

fn first_line(case: &Case) -> String {
    format!("{} {} {}", case.method, case.target, case.version)
}

/// What is wrong with an answer and with what reached the back end.
fn judge(
    stack: &Stack,
    decided: &Decided,
    case: &Case,
    expected: Option<u16>,
    statuses: &[u16],
) -> Vec<(Class, String)> {
    let (reached, bytes) = (stack.reached(), stack.taken.take_passed());
    let mut wrong = Vec::new();
    let is_4xx =
        statuses.first().is_none_or(|status| (400..500).contains(status) || [501, 505].contains(status));
    let refused = case.may_be_refused() && is_4xx;
    match expected {
        Some(200) if reached.len() > 1 => {
            wrong.push((Class::Open, format!("reached {} times", reached.len())));
        }
        Some(200) if reached.is_empty() && !refused => {
            wrong.push((Class::Untrue, "allowed, but did not arrive".to_owned()));
        }
        Some(200) => {}
        _ if !reached.is_empty() => wrong.push((Class::Open, format!("{expected:?} arrived: {reached:?}"))),
        Some(status) if statuses.first() != Some(&status) && !refused => {
            wrong.push((Class::Untrue, format!("is {status}")));
        }
        None if !is_4xx => wrong.push((Class::Untrue, "is to be refused".to_owned())),
        _ => {}
    }
    for one in &reached {
        let ask = case.ask().unwrap_or(&Value::Null);
        let uri = ask["uri"].as_str().unwrap_or_default();
        let is_same =
            one.uri == uri || (stack.gateway.has(Habit::DecodesLetters) && one.uri == without_needless(uri));
        if !is_same || ask["method"] != one.method {
            wrong.push((Class::Rewritten, format!("arrived as {} {}", one.method, one.uri)));
        }
        wrong.extend(lies(&one.headers));
    }
    let text = String::from_utf8_lossy(&bytes);
    if decided.people.secrets().iter().any(|secret| text.contains(secret)) || names(&text, "authorization") {
        wrong.push((Class::Credential, "the credential arrived".to_owned()));
    }
    wrong
}

/// A target with escapes of letters and digits decoded.
fn without_needless(uri: &str) -> String {
    let mut parts = uri.split('%');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let letter = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).map(char::from);
        match letter.filter(char::is_ascii_alphanumeric) {
            Some(letter) => decoded.extend([letter.to_string().as_str(), &part[2..]]),
            None => decoded.extend(["%", part]),
        }
    }
    decoded
}

/// Whether a line of a header section has this name.
fn names(text: &str, name: &str) -> bool {
    text.lines().any(|line| line.split(':').next().is_some_and(|found| found.eq_ignore_ascii_case(name)))
}

/// What of the headers that arrived was said by a client.
fn lies(headers: &[(String, String)]) -> Vec<(Class, String)> {
    let mut wrong = Vec::new();
    for (name, value) in headers {
        let plain: String =
            name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '-' }).collect();
        let is_alias = plain != *name && plain.contains("countersign");
        if (value.contains(LIE) && name != "x-other") || is_alias {
            wrong.push((Class::Spoofed, format!("{name}: {value:?} arrived")));
        }
        let twice = headers.iter().filter(|(other, _)| other == name).count() > 1;
        if twice && name.starts_with("x-countersign") {
            wrong.push((Class::Spoofed, format!("{name} arrived twice")));
        }
        // Only what has an honest token arrives at all, and who it is of is known.
        if name == "x-countersign-sid" && !value.starts_with("BR") {
            wrong.push((Class::Spoofed, format!("{name}: {value:?} arrived")));
        }
    }
    let has = |name: &str| headers.iter().any(|(found, value)| found == name && !value.is_empty());
    for name in
        ["x-countersign-sid", "x-countersign-account", "x-countersign-request-id", "x-countersign-scope"]
    {
        if !has(name) {
            wrong.push((Class::Untold, format!("{name} did not arrive")));
        }
    }
    wrong
}
