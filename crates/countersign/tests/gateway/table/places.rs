//! Places that people like to leave open, asked without a credential; and what hides in the body of an allowed request.

use super::{Case, People};

pub fn cases(people: &People) -> Vec<Case> {
    let mut cases = Vec::new();
    for target in [
        "/favicon.ico",
        "/robots.txt",
        "/health",
        "/healthz",
        "/metrics",
        "/status",
        "/server-status",
        "/static/app.js",
        "/static/../Advertisers",
        "/assets/a.css",
        "/.well-known/acme-challenge/x",
        "/.git/config",
        "/index.html",
        "/login",
        "/public",
        "/docs",
        "/openapi.json",
        "/ping",
        "/internal",
        "/admin",
        "/_recorded",
        "/stub_status",
        "/config/",
        "/debug/pprof/",
    ] {
        let line = format!("GET {target}");
        cases.push(Case::new("a place without a credential", &line, None).or_refused());
        let good = people.reader.basic();
        cases.push(Case::new("a place that is no operation", &line, Some(&good)).or_refused());
    }
    let deals = format!("POST /Advertisers/{}/Deals", people.writer.sid);
    for (lines, body) in [
        (vec!["Content-Length: 3"], "a=b"),
        (vec!["Transfer-Encoding: chunked"], "3\r\na=b\r\n0\r\n\r\n"),
        (vec!["Transfer-Encoding: chunked"], "3;x=\"y\"\r\na=b\r\n0\r\nTrailer: x\r\n\r\n"),
        (vec!["Content-Length: 39"], "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\nxxxxxx"),
        (vec!["Content-Length: 3", "Transfer-Encoding: chunked"], "3\r\na=b\r\n0\r\n\r\n"),
        (vec!["Content-Length: 0", "Content-Length: 3"], "a=b"),
        (vec!["Content-Length: 3, 3"], "a=b"),
        (vec!["Content-Length: +3"], "a=b"),
        (vec!["Content-Length: 0x3"], "a=b"),
        (vec!["Content-Length: -3"], "a=b"),
        (vec!["Transfer-Encoding: xchunked"], "3\r\na=b\r\n0\r\n\r\n"),
        (vec!["Transfer-Encoding: identity"], ""),
        (vec!["Transfer-Encoding: chunked, chunked"], "3\r\na=b\r\n0\r\n\r\n"),
        (vec!["Transfer-Encoding: chunked", "Transfer-Encoding: x"], "3\r\na=b\r\n0\r\n\r\n"),
    ] {
        let mut case = Case::new("a body", &deals, Some(&people.writer.basic()));
        body.clone_into(&mut case.body);
        case.about = format!("a body {lines:?} {body:?}");
        case.lines.extend(lines.iter().map(|line| (*line).to_owned()));
        cases.push(case.or_refused());
    }
    cases
}
