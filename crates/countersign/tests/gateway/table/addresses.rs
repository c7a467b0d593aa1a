//! T-38: the address a token is used from is the one the gateway sees, whatever a client says of itself.

use super::{Case, People};

/// Headers in which proxies and clients claim an address.
const CLAIMS: [&str; 15] = [
    "X-Forwarded-For",
    "x-forwarded-for",
    "X_Forwarded_For",
    "X-Original-Address",
    "x-original-address",
    "X_Original_Address",
    "X-Real-IP",
    "Forwarded",
    "X-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "X-Envoy-External-Address",
    "X-Envoy-Original-Path",
    "X-Cluster-Client-IP",
    "Via",
];

pub fn cases(people: &People) -> Vec<Case> {
    let mut cases = Vec::new();
    for (token, lie) in [(&people.elsewhere, "203.0.113.5"), (&people.here, "198.51.100.9")] {
        let line = format!("GET /Advertisers/{}/Actions", token.sid);
        let honest = || Case::new("an address", &line, Some(&token.basic()));
        cases.push(honest());
        for claim in CLAIMS {
            for value in [
                lie.to_owned(),
                format!("{lie}, 10.0.0.1"),
                format!("for={lie}"),
                format!("127.0.0.1, {lie}"),
                format!("[{lie}]:1"),
            ] {
                cases.push(honest().with(&format!("{claim}: {value}")).or_refused_if_alias(claim));
            }
            let twice = honest().with(&format!("{claim}: {lie}")).with(&format!("{claim}: {lie}"));
            cases.push(twice.or_refused_if_alias(claim));
        }
    }
    cases
}

impl Case {
    /// The same; a name that some servers take for another may be refused.
    fn or_refused_if_alias(self, name: &str) -> Self {
        if name.contains('_') { self.or_refused() } else { self }
    }
}
