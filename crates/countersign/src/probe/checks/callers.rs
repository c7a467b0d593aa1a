//! Who may pass at all, what the question is made of, and the ids of decisions.

use super::{
    super::{Doctor, Question, With},
    Found, LIE,
};

/// Methods that some gateways let pass without a question.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];
/// Paths that many gateways have a rule of their own for.
const OPEN_PATHS: [&str; 16] = [
    "/",
    "/favicon.ico",
    "/robots.txt",
    "/health",
    "/healthz",
    "/status",
    "/ping",
    "/metrics",
    "/index.html",
    "/login",
    "/.well-known/security.txt",
    "/static/a.js",
    "/assets/a.css",
    "/docs",
    "/openapi.json",
    "/.git/config",
];
/// Ends of paths that many gateways take for files that everybody may read.
const OPEN_ENDS: [&str; 7] = [".css", ".js", ".json", ".png", ".php", "/", "/x.css"];
/// Headers that questions are made of, at one gateway or another, and what points at another path.
const QUESTION_HEADERS: [&str; 12] = [
    "X-Original-URI",
    "X-Original-URL",
    "X-Original-Path",
    "X-Original-Method",
    "X-Rewrite-URL",
    "X-Forwarded-Uri",
    "X-Forwarded-Method",
    "X-Forwarded-Path",
    "X-Forwarded-Prefix",
    "X-Envoy-Original-Path",
    "X-Envoy-Original-Method",
    "X-HTTP-Method-Override",
];

/// Nobody without a good credential passes.
pub async fn credentials(doctor: &Doctor) -> Found {
    let mut found = Vec::new();
    let (path, bare) = (doctor.target.path.as_str(), doctor.target.bare_path());
    for with in [With::Nothing, With::Wrong] {
        for method in METHODS {
            doctor.must_not_pass(Question { method, ..Question::get(path, with) }, &mut found).await?;
        }
    }
    let broken = [
        "Authorization: Bearer\r\n",
        "Authorization:\r\n",
        "Authorization: Basic Og==\r\n",
        "Authorization: x\r\n",
    ];
    for headers in broken {
        doctor.must_not_pass(Question { headers, ..Question::get(path, With::Nothing) }, &mut found).await?;
    }
    if doctor.recorder.is_some() {
        // A gateway may answer these itself; only who looks at the back end knows.
        let mut paths: Vec<String> = OPEN_PATHS.iter().map(|path| (*path).to_owned()).collect();
        paths.extend(OPEN_ENDS.iter().map(|end| format!("{bare}{end}")));
        paths.extend(
            bare.char_indices()
                .skip(1)
                .filter(|(_, letter)| *letter == '/')
                .map(|(at, _)| bare[..at].to_owned()),
        );
        paths.extend(doctor.target.closed_paths.iter().cloned());
        for target in &paths {
            doctor.must_not_pass(Question::get(target, With::Nothing), &mut found).await?;
        }
    }
    Ok(found)
}

/// A denial is not turned around by what a client says about its request.
pub async fn question_headers(doctor: &Doctor) -> Found {
    let mut found = Vec::new();
    let path = doctor.target.path.as_str();
    let denied = format!("/{}/denied", doctor.mark);
    let posted =
        Question { method: "POST", headers: "Content-Length: 0\r\n", ..Question::get(path, With::Good) };
    let may_post = doctor.send(posted).await?.passed();
    for name in QUESTION_HEADERS {
        for spelling in [name.to_owned(), name.replace('-', "_"), name.replace('-', ".")] {
            let value = if name.ends_with("Method") || name.ends_with("Override") { "GET" } else { path };
            let headers = format!("{spelling}: {value}\r\n");
            let at = |target, with| Question { headers: &headers, ..Question::get(target, with) };
            doctor.must_not_pass(at(&denied, With::Good), &mut found).await?;
            doctor.must_not_pass(at(path, With::Nothing), &mut found).await?;
            if !may_post && value == "GET" {
                let headers = format!("{headers}Content-Length: 0\r\n");
                let question = Question { headers: &headers, ..posted };
                doctor.must_not_pass(question, &mut found).await?;
            }
        }
    }
    Ok(found)
}

/// Caller and back end are told the id of the decision.
pub async fn request_ids(doctor: &Doctor) -> Found {
    let (mut found, mut ids) = (Vec::new(), Vec::new());
    let path = doctor.target.path.as_str();
    let lie = format!("X-Request-Id: req_{LIE}\r\n");
    for headers in ["", "", lie.as_str()] {
        let question = Question { headers, ..Question::get(path, With::Good) };
        let outcome = doctor.send(question).await?;
        let told = outcome.answers.first().map(|answer| answer.header("x-request-id")).unwrap_or_default();
        if !told.starts_with("req_") || told.contains(LIE) || ids.contains(&told) {
            found.push(doctor.finding(super::said(question), format!("X-Request-Id: {told}")));
        }
        if let Some(reached) = outcome.reached.first() {
            let behind = reached.header("x-countersign-request-id");
            if behind != told {
                let happened = format!("X-Request-Id: {told}; back end: X-Countersign-Request-Id: {behind}");
                found.push(doctor.finding(super::said(question), happened));
            }
        }
        ids.push(told);
    }
    Ok(found)
}
