//! T-22: clients that say what only the gateway and Countersign may say, in every spelling that some server takes for
//! it, twice, folded, hidden behind another header, or named in `Connection`.

use super::{Case, People};

/// What a client must never be able to say.
pub const IDENTITY: [&str; 8] = [
    "X-Countersign-Account",
    "X-Countersign-Account-Kind",
    "X-Countersign-Sid",
    "X-Countersign-Scope",
    "X-Countersign-Api-Version",
    "X-Countersign-Request-Id",
    "X-Countersign-Assertion",
    "X-Countersign-Gateway",
];
/// What the question is made of, and what some back ends take for method or path.
pub const PROFILE: [&str; 9] = [
    "X-Original-Method",
    "X-Original-URI",
    "X-Original-Address",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "X-HTTP-Method",
    "X-Method-Override",
    "X-Forwarded-Prefix",
];
/// In every value a client makes up.
pub const LIE: &str = "spoofed";

/// Every spelling of a name that some server somewhere takes for it.
pub fn spellings(name: &str) -> Vec<String> {
    let separators = ["_", ".", "~", "!", "|", "+", "`", "^"];
    let mut spellings = vec![name.to_owned(), name.to_ascii_lowercase(), name.to_ascii_uppercase()];
    for separator in separators {
        spellings.push(name.replace('-', separator));
        spellings.push(name.replacen('-', separator, 1));
        spellings.push(name.to_ascii_lowercase().replace('-', separator));
    }
    spellings.push(format!("{name} "));
    spellings.push(format!("{name}\t"));
    spellings.push(format!(" {name}"));
    spellings.push(format!("HTTP_{}", name.to_ascii_uppercase().replace('-', "_")));
    spellings
}

/// Header lines that lie, one request each; the ends of lines between them, not behind them.
pub fn corpus() -> Vec<String> {
    let mut corpus = Vec::new();
    for name in IDENTITY.iter().chain(&PROFILE) {
        for spelling in spellings(name) {
            corpus.push(format!("{spelling}: {LIE}"));
        }
        corpus.push(format!("{name}: {LIE}\r\n{name}: {LIE} twice"));
        corpus.push(format!("{name}:{LIE}\r\n{}: {LIE}", name.to_ascii_lowercase()));
        corpus.push(format!("{name}:\r\n {LIE}"));
        corpus.push(format!("X-Other: a\r\n {name}: {LIE}"));
        corpus.push(format!("X-Other: a\r{name}: {LIE}"));
        corpus.push(format!("X-Other: a\n{name}: {LIE}"));
        corpus.push(format!("X-Other: a%0d%0a{name}: {LIE}"));
        corpus.push(format!("Connection: close, {name}"));
        corpus.push(format!("Connection: {name}\r\n{name}: {LIE}"));
        corpus.push(format!("Keep-Alive: {name}\r\nTE: trailers\r\nTrailer: {name}\r\n{name}: {LIE}"));
        corpus.push(format!("Proxy-Connection: {name}\r\n{name}: {LIE}"));
    }
    corpus.push(format!("X-Forwarded-For: {LIE}\r\nX-Forwarded-Host: {LIE}\r\nForwarded: for={LIE}"));
    corpus
}

/// Lies beside an allowed request, which goes on without them; and lies that would make a denied one an allowed one.
pub fn cases(people: &People) -> Vec<Case> {
    let good = people.reader.basic();
    let (allowed, denied) = (format!("GET {}", people.allowed()), format!("GET {}", people.denied()));
    let mut cases: Vec<Case> = corpus()
        .iter()
        .map(|lie| Case::new("a lie beside what is allowed", &allowed, Some(&good)).with(lie).or_refused())
        .collect();
    for name in IDENTITY.iter().chain(&PROFILE) {
        for value in [people.allowed().as_str(), "GET", &people.reader.sid, "127.0.0.1"] {
            let lie = format!("{name}: {value}");
            cases.push(Case::new("a lie to be allowed", &denied, Some(&good)).with(&lie).or_refused());
            cases.push(Case::new("a lie to be somebody", &allowed, None).with(&lie).or_refused());
        }
    }
    cases
}
