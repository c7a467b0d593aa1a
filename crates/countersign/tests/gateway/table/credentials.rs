//! Credentials in every form a client may think of; two of them are right. T-24: none of them is taken from a URL, a
//! cookie, a body or another header.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE},
};

use super::{Case, People};
use crate::client::basic;

/// Names under which secrets come in URLs.
pub const PARAMETERS: [&str; 20] = [
    "token",
    "access_token",
    "api_key",
    "apikey",
    "key",
    "auth",
    "auth_token",
    "Authorization",
    "password",
    "secret",
    "pass",
    "pwd",
    "t",
    "code",
    "credential",
    "AuthToken",
    "x",
    "sid",
    "_m",
    "%74oken",
];

pub fn cases(people: &People) -> Vec<Case> {
    let mut cases = values(people);
    cases.extend(elsewhere(people));
    cases.into_iter().enumerate().map(|(index, case)| case.at_place(index)).collect()
}

/// Values of `Authorization`, each for what its token may do and for what it may not.
fn values(people: &People) -> Vec<Case> {
    let good = people.reader.basic();
    let mut cases = vec![Case::new("no credential", &format!("GET {}", people.allowed()), None)];
    for value in bearers(people, &good).iter().chain(&basics(people, &good)) {
        for target in [people.allowed(), people.denied()] {
            cases.push(Case::new("a value", &format!("GET {target}"), Some(value)));
        }
    }
    cases
}

/// The scheme spelled in many ways, and the secret alone.
fn bearers(people: &People, good: &str) -> Vec<String> {
    let (sid, secret) = (people.reader.sid.as_str(), people.reader.secret.as_str());
    let pair = format!("{sid}:{secret}");
    let turned: String = secret.chars().rev().collect();
    vec![
        good.to_owned(),
        format!("Bearer {secret}"),
        good.replacen("Basic", "basic", 1),
        good.replacen("Basic", "BASIC", 1),
        format!("bearer {secret}"),
        format!("BEARER {secret}"),
        good.replacen(' ', "  ", 1),
        format!("Bearer  {secret}"),
        good.replacen(' ', "\t", 1),
        good.replacen(' ', "", 1),
        format!("Bearer {secret} {secret}"),
        format!("Bearer {sid}"),
        format!("Bearer {pair}"),
        format!("Bearer {}", STANDARD.encode(secret)),
        format!("Bearer \"{secret}\""),
        format!("Bearer token={secret}"),
        format!("Bearer {secret};"),
        format!("Bearer {secret}="),
        format!("Bearer {}", secret.to_uppercase()),
        format!("Bearer {}", &secret[..secret.len() - 1]),
        format!("Bearer {secret}x"),
        format!("Bearer {turned}"),
        "Bearer".to_owned(),
        "Bearer null".to_owned(),
    ]
}

/// Pairs, encoded rightly and wrongly, and other schemes.
fn basics(people: &People, good: &str) -> Vec<String> {
    let (sid, secret) = (people.reader.sid.as_str(), people.reader.secret.as_str());
    let pair = format!("{sid}:{secret}");
    vec![
        "Basic".to_owned(),
        "Basic Og==".to_owned(),
        "Basic !!!!".to_owned(),
        format!("Basic {secret}"),
        format!("Basic {pair}"),
        format!("Basic {}", STANDARD_NO_PAD.encode(&pair)),
        format!("Basic {}", URL_SAFE.encode(&pair)),
        format!("Basic {}=", STANDARD.encode(&pair)),
        basic(sid, ""),
        basic("", secret),
        basic(secret, sid),
        basic(sid, "wrong"),
        basic(sid, &format!("{secret}:")),
        basic(sid, &format!(" {secret}")),
        basic(sid, &format!("{secret}\n")),
        basic(sid, &format!("{secret}\0")),
        basic(&sid.to_lowercase(), secret),
        basic(&people.writer.sid, secret),
        basic(&people.partner.sid, secret),
        basic(sid, &people.writer.secret),
        basic("BR00000000", "csign_00000000000000000000000000000000000000"),
        people.disabled.basic(),
        format!("Bearer {}", people.disabled.secret),
        people.writer.basic(),
        people.partner.basic(),
        format!("Digest username=\"{sid}\", response=\"{secret}\""),
        format!("Negotiate {}", STANDARD.encode(&pair)),
        format!("Token {secret}"),
        format!("ApiKey {secret}"),
        format!("DPoP {secret}"),
        secret.to_owned(),
        pair.clone(),
        format!("{good}, {good}"),
        format!("{good}, Bearer {secret}"),
        format!("{good},"),
        format!("Basic {}", "QUFB".repeat(200)),
    ]
}

/// The right secret in the wrong place.
fn elsewhere(people: &People) -> Vec<Case> {
    let (secret, good) = (people.reader.secret.as_str(), people.reader.basic());
    let line = format!("GET {}", people.allowed());
    let mut cases = Vec::new();
    for header in [
        format!("Proxy-Authorization: {good}"),
        format!("X-Authorization: {good}"),
        format!("X-Api-Key: {secret}"),
        format!("X-Auth-Token: {secret}"),
        format!("Cookie: token={secret}"),
        format!("Cookie: Authorization={good}"),
        format!("WWW-Authenticate: {good}"),
        format!("X-Countersign-Token: {secret}"),
        format!("Sec-WebSocket-Protocol: {secret}"),
    ] {
        cases.push(Case::new("elsewhere", &line, None).with(&header));
    }
    for header in [
        format!("Authorization : {good}"),
        format!(" Authorization: {good}"),
        format!("Authorization_: {good}"),
        format!("HTTP_AUTHORIZATION: {good}"),
        format!("Authorization.: {good}"),
        format!("X-Other: a\r\n Authorization: {good}"),
        format!("X-Other: a\nAuthorization: {good}"),
        format!("X-Other: a\rAuthorization: {good}"),
    ] {
        // A line that ends in a bare line feed is a line to some; then it is the right credential in the right place.
        let case = Case::new("no such header", &line, None).with(&header).or_refused();
        let is_line = header.contains("a\nAuthorization");
        cases.push(if is_line { Case::new("bare line feed", &line, Some(&good)).or_refused() } else { case });
    }
    for (first, second) in [(good.as_str(), good.as_str()), (&good, "Bearer x"), ("Basic x", &good)] {
        let both = Case::new("two lines", &line, Some(first)).with(&format!("Authorization: {second}"));
        cases.push(both.refused());
    }
    for name in PARAMETERS {
        let line = format!("GET {}?first=1&{name}={secret}", people.allowed());
        cases.push(Case::new("in the query", &line, None));
        cases.push(Case::new("in the query too", &line, Some(&good)));
    }
    let mut form = Case::new("in a form", &line.replacen("GET", "POST", 1), None);
    form.body = format!("access_token={secret}");
    form.lines.push("Content-Type: application/x-www-form-urlencoded".to_owned());
    form.lines.push(format!("Content-Length: {}", form.body.len()));
    cases.push(form);
    cases
}
