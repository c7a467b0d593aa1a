//! What two programs could read differently: paths, and where a request ends.

use super::{
    super::{Doctor, Question, With},
    Found, said,
};

/// Ways to say how long a body is, none of them honest together with another.
const FRAMINGS: [&str; 26] = [
    "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Content-Length: 0\r\n",
    "Content-Length: 4\r\nContent-Length: 0\r\n",
    "Content-Length: 0\r\nContent-Length: 4\r\n",
    "Content-Length: 0, 4\r\n",
    "Content-Length: +0\r\n",
    "Content-Length: 0x0\r\n",
    "Content-Length: -1\r\n",
    "Content-Length : 0\r\n",
    "Content_Length: 4\r\n",
    "Transfer-Encoding: xchunked\r\n",
    "Transfer-Encoding: \u{b}chunked\r\n",
    "Transfer-Encoding: chunked, identity\r\n",
    "Transfer-Encoding: identity, chunked\r\n",
    "Transfer-Encoding: identity\r\nContent-Length: 4\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "Transfer-Encoding : chunked\r\n",
    "Transfer-Encoding:\r\n chunked\r\n",
    "Transfer-Encoding:\tchunked\r\n",
    "X: y\nTransfer-Encoding: chunked\r\n",
    "X: y\rTransfer-Encoding: chunked\r\n",
    "Transfer_Encoding: chunked\r\n",
    "Expect: 100-continue\r\nContent-Length: 0\r\n",
    "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
];
/// What stands before the hidden request.
const CHUNKS: [&str; 4] = ["", "0\r\n\r\n", "1;x=\"y\"\r\na\r\n0\r\n\r\n", "0\n\n"];

/// Targets that Countersign refuses whatever the token may do, made from one it may call.
fn refused(path: &str) -> Vec<String> {
    let (front, last) = path.rsplit_once('/').unwrap_or(("", path));
    let mut tricks: Vec<String> =
        ["/x/..", "/x/%2e%2e", "/x/%2E.", "/x/..;", "/x/..%3b", "/.", "/%2e", "/", "/;", "/%2f", "/x%2f.."]
            .iter()
            .map(|before| format!("{before}{path}"))
            .collect();
    let ends = [
        "/.",
        "/%2e",
        "/x/..",
        "/x/%2e%2e",
        "/..;/x",
        ";x=y",
        ";",
        "%00",
        "%2f",
        "%5c",
        "\\",
        "/..%5cx",
        "%ff",
        "%",
        "%2",
    ];
    tricks.extend(ends.iter().map(|end| format!("{path}{end}")));
    let between =
        ["//", "%2f", "%2F", "%5c", "\\", "/./", "/%2e/", "/x/../", "/x/%2e%2e/", "/x/..;/", ";x/", "/;x/"];
    tricks.extend(between.iter().map(|between| format!("{front}{between}{last}")));
    tricks
}

/// Targets that may pass, but only as they are.
fn kept(path: &str) -> Vec<String> {
    let first = path.chars().nth(1).unwrap_or('x');
    let escaped = format!("/%{:02x}{}", u32::from(first), path.chars().skip(2).collect::<String>());
    vec![
        path.to_ascii_lowercase(),
        path.to_ascii_uppercase(),
        escaped,
        format!("{path}?a=%2f..%2f&b=//;c\\"),
        format!("{path}?"),
        format!("{path}?a=1&a=2&&=x"),
        format!("{path}?%61=%7e~"),
        format!("{path}/"),
        format!("{path}%20"),
        format!("{path}%252f"),
    ]
}

/// Ambiguous paths do not pass, and what passes is what was decided about: as it came, or, where that can be seen, as the
/// gateway asked about it.
pub async fn paths(doctor: &Doctor) -> Found {
    let mut found = Vec::new();
    let path = doctor.target.bare_path();
    for target in refused(path) {
        doctor.must_not_pass(Question::get(&target, With::Good), &mut found).await?;
    }
    for target in kept(path) {
        let question = Question::get(&target, With::Good);
        let outcome = doctor.send(question).await?;
        let is_known = |other: &str| doctor.relay.as_ref().is_some_and(|relay| relay.was_asked_about(other));
        if outcome.reached.iter().any(|reached| reached.target != target && !is_known(&reached.target)) {
            found.push(doctor.finding(said(question), outcome.told()));
        }
    }
    Ok(found)
}

/// No request hides in another.
pub async fn framing(doctor: &Doctor) -> Found {
    let mut found = Vec::new();
    let hidden = format!("/{}/hidden", doctor.mark);
    let inner = format!(
        "GET {hidden} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\n\r\n",
        doctor.target.authority, doctor.mark
    );
    for framing in FRAMINGS {
        for chunks in CHUNKS {
            let rest = format!("{chunks}{inner}");
            // The connection must stay open for what hides, so nothing asks to close it.
            let headers = format!("Connection: keep-alive\r\n{framing}");
            let headers = if framing.contains("Connection:") { framing } else { headers.as_str() };
            let question =
                Question { headers, rest: &rest, ..Question::get(&doctor.target.path, With::Good) };
            let outcome = doctor.send(question).await?;
            let passed = outcome.answers.iter().filter(|answer| (200..300).contains(&answer.status)).count();
            let slipped = outcome.reached.iter().any(|reached| reached.target == hidden);
            if slipped || passed > 1 || outcome.reached.len() > 1 {
                let happened =
                    format!("{passed} answers of 200; back end: {} requests", outcome.reached.len());
                found.push(
                    doctor.finding(format!("{} + {chunks:?} + GET {hidden}", said(question)), happened),
                );
            }
        }
    }
    Ok(found)
}
