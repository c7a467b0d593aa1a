//! What a client says about itself in headers, and what of it reaches the back end.

use std::net::IpAddr;

use super::{
    super::{Doctor, Outcome, Question, Unchecked, With, platform::NOBODYS_ADDRESS},
    Found, LIE, careless, said,
};

/// What only Countersign and the gateway may say.
const IDENTITY: [&str; 8] = [
    "X-Countersign-Account",
    "X-Countersign-Account-Kind",
    "X-Countersign-Sid",
    "X-Countersign-Scope",
    "X-Countersign-Api-Version",
    "X-Countersign-Request-Id",
    "X-Countersign-Assertion",
    "X-Countersign-Gateway",
];
/// Those of them that are the same in every request of one token.
const STEADY: [&str; 4] =
    ["x-countersign-account", "x-countersign-account-kind", "x-countersign-sid", "x-countersign-scope"];
/// By which some back ends take another method or path.
const OVERRIDES: [(&str, &str); 5] = [
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-HTTP-Method", "DELETE"),
    ("X-Method-Override", "DELETE"),
    ("X-Original-URL", "/spoofed-by-the-client"),
    ("X-Rewrite-URL", "/spoofed-by-the-client"),
];
/// In which clients, and proxies before us, name an address.
const ADDRESS_HEADERS: [&str; 13] = [
    "X-Forwarded-For",
    "X_Forwarded_For",
    "X-Real-IP",
    "X-Original-Address",
    "X-Client-IP",
    "Client-IP",
    "X-Cluster-Client-IP",
    "X-Envoy-External-Address",
    "True-Client-IP",
    "CF-Connecting-IP",
    "Fastly-Client-IP",
    "X-Countersign-Address",
    "X-Remote-Addr",
];

/// Header sections that lie about who calls.
fn identity_lies() -> Vec<String> {
    let mut lies = Vec::new();
    for name in IDENTITY {
        let lower = name.to_ascii_lowercase();
        let spellings = [
            name.to_owned(),
            lower.clone(),
            name.to_ascii_uppercase(),
            name.replace('-', "_"),
            lower.replace('-', "_"),
            name.replacen('-', "_", 1),
            name.replace('-', "."),
            name.replace('-', "~"),
            format!("{name} "),
            format!(" {name}"),
            format!("HTTP_{}", name.to_ascii_uppercase().replace('-', "_")),
        ];
        lies.extend(spellings.iter().map(|spelling| format!("{spelling}: {LIE}\r\n")));
        lies.push(format!("{name}: {LIE}\r\n{lower}: {LIE}\r\n"));
        lies.push(format!("{name}:\r\n {LIE}\r\n"));
        lies.push(format!("X-Other: a\n{name}: {LIE}\r\n"));
        lies.push(format!("X-Other: a\r{name}: {LIE}\r\n"));
        lies.push(format!("Connection: close, {name}\r\n"));
        lies.push(format!("Connection: {name}\r\n{name}: {LIE}\r\n"));
    }
    lies
}

/// Nothing a client says about who it is reaches the back end, and nothing the decision says is lost.
pub async fn identity(doctor: &Doctor) -> Found {
    doctor.needs_back_end()?;
    let path = doctor.target.path.as_str();
    let honest = doctor.send(Question::get(path, With::Good)).await?;
    let mut found = Vec::new();
    let steady = |outcome: &Outcome| -> Vec<String> {
        let reached = outcome.reached.first();
        STEADY.iter().map(|name| reached.map_or("", |reached| reached.header(name)).to_owned()).collect()
    };
    let expected = steady(&honest);
    if expected.iter().any(String::is_empty) {
        let question = Question::get(path, With::Good);
        found.push(doctor.finding(said(question), format!("back end: {} = {expected:?}", STEADY.join(", "))));
    }
    for headers in identity_lies() {
        let question = Question { headers: &headers, ..Question::get(path, With::Good) };
        let outcome = doctor.send(question).await?;
        for reached in &outcome.reached {
            let lied = reached.headers.iter().find(|(name, value)| name != "x-other" && value.contains(LIE));
            if let Some((name, value)) = lied {
                found.push(doctor.finding(said(question), format!("back end: {name}: {value}")));
            }
        }
        if !outcome.reached.is_empty() && steady(&outcome) != expected {
            let happened = format!("back end: {} = {:?}", STEADY.join(", "), steady(&outcome));
            found.push(doctor.finding(said(question), happened));
        }
    }
    Ok(found)
}

/// Headers that make some back ends see another method do not reach it.
pub async fn method_override(doctor: &Doctor) -> Found {
    doctor.needs_back_end()?;
    let mut found = Vec::new();
    for (name, value) in OVERRIDES {
        let spellings = [
            name.to_owned(),
            name.to_ascii_lowercase(),
            name.replace('-', "_"),
            name.replace('-', "."),
            name.replace('-', "~"),
        ];
        for spelling in spellings {
            let headers = format!("{spelling}: {value}\r\n");
            let question = Question { headers: &headers, ..Question::get(&doctor.target.path, With::Good) };
            let outcome = doctor.send(question).await?;
            for reached in &outcome.reached {
                let kept = reached
                    .headers
                    .iter()
                    .find(|(known, value)| careless(known) == careless(name) && !value.is_empty());
                if let Some((known, value)) = kept {
                    found.push(doctor.finding(said(question), format!("back end: {known}: {value}")));
                }
            }
        }
    }
    Ok(found)
}

/// What a client claims its address to be is believed by nobody.
pub async fn client_address(doctor: &Doctor) -> Found {
    let mut found = Vec::new();
    let claims = claims();
    for headers in &claims {
        if let Some(platform) = &doctor.platform {
            let question = Question { headers, ..Question::get(&platform.elsewhere_path, With::Elsewhere) };
            doctor.must_not_pass(question, &mut found).await?;
        }
        let question = Question { headers, ..Question::get(&doctor.target.path, With::Good) };
        let outcome = doctor.send(question).await?;
        for reached in &outcome.reached {
            if let Some(believed) = believed(&reached.headers) {
                found.push(doctor.finding(said(question), format!("back end: {believed}")));
            }
        }
    }
    if found.is_empty() && doctor.platform.is_none() {
        return Err(Unchecked::Needs("give --account and --scope".to_owned()));
    }
    Ok(found)
}

fn claims() -> Vec<String> {
    let mut claims: Vec<String> =
        ADDRESS_HEADERS.iter().map(|name| format!("{name}: {NOBODYS_ADDRESS}\r\n")).collect();
    claims.push(format!("X-Forwarded-For: {NOBODYS_ADDRESS}, {NOBODYS_ADDRESS}\r\n"));
    claims.push(format!("X-Forwarded-For: {NOBODYS_ADDRESS}, 127.0.0.1\r\n"));
    claims.push(format!("X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-For: {NOBODYS_ADDRESS}\r\n"));
    claims.push(format!("Forwarded: for={NOBODYS_ADDRESS}\r\n"));
    claims.push(format!("Forwarded: for=\"{NOBODYS_ADDRESS}\";proto=https, for=127.0.0.1\r\n"));
    claims
}

/// The header by which the back end would take the claim for the client's address: the right-most of a list counts.
fn believed(headers: &[(String, String)]) -> Option<String> {
    let claim: Option<IpAddr> = NOBODYS_ADDRESS.parse().ok();
    let lines = |name: &'static str| headers.iter().filter(move |(known, _)| known == name);
    let last = lines("x-forwarded-for").next_back().and_then(|(_, value)| value.rsplit(',').next());
    if last.is_some_and(|last| last.trim().parse().ok() == claim) {
        return last.map(|last| format!("X-Forwarded-For: …{last}"));
    }
    let forwarded = lines("forwarded").next_back().and_then(|(_, value)| value.rsplit(',').next());
    forwarded.filter(|last| last.contains(NOBODYS_ADDRESS)).map(|last| format!("Forwarded: …{last}"))
}

/// The Auth Token reaches the back end where that was chosen and nowhere else; the gateway's credential never does.
pub async fn credential_forwarded(doctor: &Doctor) -> Found {
    doctor.needs_back_end()?;
    let question = Question::get(&doctor.target.path, With::Good);
    let outcome = doctor.send(question).await?;
    let mut found = Vec::new();
    for reached in &outcome.reached {
        let has = |wanted: &str| reached.headers.iter().find(|(_, value)| value.contains(wanted));
        match (has(&doctor.secret), doctor.forwards_credential) {
            (Some((name, _)), false) => {
                found.push(doctor.finding(said(question), format!("back end: {name}: [Auth Token]")));
            }
            (None, true) => found.push(doctor.finding(said(question), "back end: Authorization is missing")),
            _ => {}
        }
        let of_gateway =
            |name: &str, value: &str| careless(name) == "x-countersign-gateway" && !value.is_empty();
        if reached.headers.iter().any(|(name, value)| of_gateway(name, value)) {
            found.push(doctor.finding(said(question), "back end: X-Countersign-Gateway: [credential]"));
        }
    }
    Ok(found)
}
