//! One decision, many doors: every ask of `docs/vectors.json` goes through the library, `/v1/verify`, forward-auth with each
//! profile, `ext_authz` over gRPC, and introspection, and all must give the answer of the file. What a vector says is in the book's page about
//! OAuth.

mod cast;
mod doors;
mod ext_authz;

use std::{collections::BTreeSet, fs, path::Path};

use serde::Deserialize;

use self::{
    cast::Cast,
    doors::{Doors, Told},
};

/// An ask, and what every door answers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    credential: String,
    method: String,
    uri: String,
    version: Option<u16>,
    address: Option<String>,
    code: String,
    status: u16,
    scope: Option<String>,
    api_version: Option<u16>,
    /// What introspection says of the credential, where it is one token.
    active: Option<bool>,
}

/// Every code of the decision that a vector can bring about.
const CODES: [&str; 22] = [
    "allowed",
    "request_malformed",
    "path_not_canonical",
    "credentials_missing",
    "credentials_malformed",
    "credentials_misplaced",
    "credentials_invalid",
    "too_many_failures",
    "token_disabled",
    "token_expired",
    "account_suspended",
    "api_access_off",
    "legacy_tokens_off",
    "address_not_allowed",
    "account_mismatch",
    "api_version_unknown",
    "api_version_conflict",
    "api_version_retired",
    "operation_unknown",
    "scope_missing",
    "write_not_allowed",
    "rate_limited",
];

fn vectors() -> Vec<Vector> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/vectors.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_door_gives_the_same_answer() {
    let cast = Cast::gather().await;
    let doors = Doors::open(&cast).await;
    let all = vectors();
    let (mut asked, mut problems) = (0, Vec::new());
    for (number, vector) in all.iter().enumerate() {
        let ask = cast.ask(vector, number);
        let expected = Told {
            code: vector.code.clone(),
            status: vector.status,
            scope: vector.scope.clone(),
            api_version: vector.api_version,
        };
        for (door, told) in doors.ask(&ask).await {
            asked += 1;
            if told != expected {
                problems.push(format!("{}: {door} says {told:?}, not {expected:?}", vector.name));
            }
        }
        if let (Some(expected), Some(token)) = (vector.active, &ask.token) {
            asked += 1;
            let active = doors.introspect(token, &ask.address);
            if active != expected {
                problems.push(format!("{}: introspection says active={active}", vector.name));
            }
        }
    }
    assert!(problems.is_empty(), "{} of {asked}:\n{}", problems.len(), problems.join("\n"));
    println!("{} vectors, {asked} answers of {} doors", all.len(), doors.count());
    assert!(all.len() >= 150, "{} vectors", all.len());
    let codes: BTreeSet<&str> = all.iter().map(|vector| vector.code.as_str()).collect();
    assert_eq!(codes, CODES.into_iter().collect(), "every code has a vector");
}
