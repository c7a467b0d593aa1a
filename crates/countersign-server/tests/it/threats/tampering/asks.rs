//! What is asked of every database: what each secret may do at the doors, and what each caller may see of the
//! management API. A decision is wider where something is allowed, or seen, that was not before.

use std::{collections::BTreeSet, net::IpAddr};

use axum::Router;
use countersign_model::{
    credential::Authorization,
    decision::{Ask, Decision, Target},
};
use countersign_server::app::App;
use serde_json::Value;

use crate::harness::Client;

/// Somebody who asks the management API.
pub struct Caller {
    pub name: &'static str,
    pub client: Client,
}

/// Everything that is asked.
#[derive(Default)]
pub struct Asks {
    pub callers: Vec<Caller>,
    pub secrets: Vec<(&'static str, String)>,
    pub accounts: Vec<String>,
}

const SCOPES: [&str; 5] = [
    "brand.actions.list",
    "brand.actions.get",
    "brand.actions.update",
    "brand.actions.delete",
    "brand.company_information.update",
];
const ADDRESSES: [&str; 2] = ["203.0.113.9", "198.51.100.9"];
const VERSIONS: [&[&[u8]]; 3] = [&[], &[b"12"], &[b"15"]];
const PLATFORM: [&str; 2] = ["session", "people"];
const OF_ACCOUNT: [&str; 2] = ["/tokens", "/members"];

impl Asks {
    /// Everything that is allowed.
    pub async fn allowed(&self, app: &App, router: Router) -> BTreeSet<String> {
        let mut allowed = BTreeSet::new();
        for (name, secret) in &self.secrets {
            at_the_doors(app, name, secret, &mut allowed);
        }
        for caller in &self.callers {
            let client = caller.client.through(router.clone());
            let of_accounts = self
                .accounts
                .iter()
                .flat_map(|account| OF_ACCOUNT.iter().map(move |rest| format!("accounts/{account}{rest}")));
            for path in PLATFORM.iter().map(|path| (*path).to_owned()).chain(of_accounts) {
                let answer = client.get(&format!("/api/v1/{path}")).await;
                if answer.status.is_success() {
                    allowed.insert(format!("{} reads {path}", caller.name));
                    seen(&answer.json(), &mut |id| {
                        allowed.insert(format!("{} sees {id} in {path}", caller.name));
                    });
                }
            }
        }
        allowed
    }
}

fn at_the_doors(app: &App, name: &str, secret: &str, allowed: &mut BTreeSet<String>) {
    let header = format!("Bearer {secret}");
    let targets = SCOPES.map(Target::Scope).into_iter().chain([Target::Identity]);
    for (place, target) in targets.enumerate() {
        for address in ADDRESSES {
            for (version, version_headers) in VERSIONS.into_iter().enumerate() {
                let client_address: Option<IpAddr> = Some(address.parse().unwrap());
                let ask = Ask {
                    authorization: Authorization::One(header.as_bytes()),
                    target,
                    version_headers,
                    client_address,
                    min_seq: None,
                };
                if let Decision::Allow(_) = app.verifier.decide(&ask, app.clock.now()) {
                    allowed.insert(format!("`{name}` may {place} from {address} in version {version}"));
                }
            }
        }
    }
}

/// Hears every id in an answer, and everything it says of rights.
fn seen(value: &Value, hear: &mut dyn FnMut(String)) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| seen(one, hear)),
        Value::Object(fields) => {
            for (name, field) in fields {
                if matches!(name.as_str(), "id" | "sid" | "role" | "operator" | "permissions" | "peers") {
                    hear(format!("{name} {field}"));
                }
                seen(field, hear);
            }
        }
        _ => {}
    }
}
