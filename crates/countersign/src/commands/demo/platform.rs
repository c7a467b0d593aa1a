//! The demonstration platform: a brand, an agency and a partner account with people, scoped tokens, and one legacy pair.
//! Everything is made through the management API, found again by name on a second run, and reset where its secret is
//! not known any more.

use countersign_model::secret::{SecretFormat, SecretPrefix};
use countersign_server::random::Random;
use http::Method;
use serde_json::{Value, json};

use super::{
    super::{Desk, listing::text},
    record::{Credentials, Record},
};
use crate::{connection::Ask, failure::Failure};

/// The token the lines to paste use, by its name in the record.
pub const BRAND_TOKEN: &str = "brand: Action reader";
/// The name of the gateway.
pub const GATEWAY: &str = "demo";

/// Somebody of the demonstration.
pub struct DemoPerson {
    /// Their address.
    pub email: &'static str,
    /// Their name.
    pub name: &'static str,
    /// What they are, for the list that is printed.
    pub is: &'static str,
    /// Account and role; `None`: the operator.
    membership: Option<(&'static str, &'static str)>,
}

struct DemoAccount {
    external_id: &'static str,
    name: &'static str,
    kind: &'static str,
    legacy: bool,
}

/// One half of a legacy pair, in the words of paths, answers and people.
struct LegacyHalf {
    path: &'static str,
    member: &'static str,
    words: &'static str,
}

struct DemoToken {
    account: &'static str,
    name: &'static str,
    contact: &'static str,
    scopes: &'static [&'static str],
}

const ACCOUNTS: [DemoAccount; 3] = [
    DemoAccount { external_id: "demo-brand", name: "Demo Brand", kind: "brand", legacy: false },
    DemoAccount { external_id: "demo-agency", name: "Demo Agency", kind: "agency", legacy: false },
    DemoAccount { external_id: "demo-partner", name: "Demo Partner", kind: "partner", legacy: true },
];

const PEOPLE: [DemoPerson; 6] = [
    DemoPerson {
        email: "operator@demo.example",
        name: "Operator",
        is: "operator of the platform",
        membership: None,
    },
    DemoPerson {
        email: "brand-administrator@demo.example",
        name: "Brand Administrator",
        is: "Account Administrator of Demo Brand",
        membership: Some(("demo-brand", "account_administrator")),
    },
    DemoPerson {
        email: "brand-analyst@demo.example",
        name: "Brand Analyst",
        is: "Analyst of Demo Brand: may not see tokens",
        membership: Some(("demo-brand", "analyst")),
    },
    DemoPerson {
        email: "agency-administrator@demo.example",
        name: "Agency Administrator",
        is: "Account Administrator of Demo Agency",
        membership: Some(("demo-agency", "account_administrator")),
    },
    DemoPerson {
        email: "partner-administrator@demo.example",
        name: "Partner Administrator",
        is: "Account Administrator of Demo Partner",
        membership: Some(("demo-partner", "account_administrator")),
    },
    DemoPerson {
        email: "partner-technical@demo.example",
        name: "Partner Technical",
        is: "Technical role of Demo Partner: tokens, not members",
        membership: Some(("demo-partner", "technical")),
    },
];

const LEGACY: [LegacyHalf; 2] = [
    LegacyHalf { path: "read-write", member: "read_write", words: "read/write" },
    LegacyHalf { path: "read-only", member: "read_only", words: "read-only" },
];

const TOKENS: [DemoToken; 4] = [
    DemoToken {
        account: "demo-brand",
        name: "Action reader",
        contact: "brand-administrator@demo.example",
        scopes: &["brand.actions.list", "brand.actions.get"],
    },
    DemoToken {
        account: "demo-brand",
        name: "Catalog upload",
        contact: "brand-administrator@demo.example",
        scopes: &["brand.catalogs.list", "brand.catalogs.upload"],
    },
    DemoToken {
        account: "demo-agency",
        name: "Agency reports",
        contact: "agency-administrator@demo.example",
        scopes: &["agency.reports.list", "agency.reports.get"],
    },
    DemoToken {
        account: "demo-partner",
        name: "Product search",
        contact: "partner-technical@demo.example",
        scopes: &["partner.catalogs.list", "partner.catalog_items.search"],
    },
];

/// Who can sign in.
pub fn people() -> &'static [DemoPerson] {
    &PEOPLE
}

/// Makes what is missing. `bootstrap`: the code for the first operator, where there is none yet.
pub async fn fill(desk: &Desk, record: &mut Record, bootstrap: Option<&str>) -> Result<(), Failure> {
    for account in &ACCOUNTS {
        ensure_account(desk, account).await?;
    }
    for person in &PEOPLE {
        ensure_person(desk, record, person, bootstrap).await?;
        record.write()?;
    }
    for token in &TOKENS {
        ensure_token(desk, record, token).await?;
        record.write()?;
    }
    for account in ACCOUNTS.iter().filter(|account| account.legacy) {
        ensure_legacy_pair(desk, record, account).await?;
    }
    ensure_gateway(desk, record).await
}

async fn ensure_account(desk: &Desk, account: &DemoAccount) -> Result<(), Failure> {
    let found = desk.list(&format!("/api/v1/accounts?search={}", account.external_id)).await?;
    if found.iter().any(|found| text(found, "external_id") == account.external_id) {
        return Ok(());
    }
    let body = json!({
        "external_id": account.external_id,
        "name": account.name,
        "kind": account.kind,
        "api_access": true,
    });
    desk.ask(Ask::new(Method::POST, "/api/v1/accounts").json(&body)).await.map(drop)
}

async fn ensure_person(
    desk: &Desk,
    record: &mut Record,
    person: &DemoPerson,
    bootstrap: Option<&str>,
) -> Result<(), Failure> {
    let people = desk.list(&format!("/api/v1/people?search={}", person.email)).await?;
    let found = people.iter().find(|found| text(found, "email") == person.email);
    let password = record.passwords.get(person.email).cloned();
    let (password, link) = match (found, password, person.membership) {
        (Some(_), Some(_), _) => return Ok(()),
        (Some(found), None, _) => (new_password()?, reset_link(desk, found).await?),
        (None, _, Some((account, role))) => {
            (new_password()?, invitation_link(desk, person.email, account, role).await?)
        }
        (None, _, None) => {
            let password = new_password()?;
            if let Some(code) = bootstrap {
                let body =
                    json!({ "code": code, "email": person.email, "name": person.name, "password": password });
                desk.ask(Ask::new(Method::POST, "/api/v1/bootstrap").json(&body)).await?;
                record.passwords.insert(person.email.to_owned(), password);
                return Ok(());
            }
            let issued = desk
                .ask(Ask::new(Method::POST, "/api/v1/people").json(&json!({ "email": person.email })))
                .await?;
            (password, text(&issued, "link").to_owned())
        }
    };
    let code = link.rsplit_once('#').map_or("", |(_, code)| code);
    let body = json!({ "code": code, "name": person.name, "password": password });
    desk.ask(Ask::new(Method::POST, "/api/v1/invitations/accept").json(&body)).await?;
    record.passwords.insert(person.email.to_owned(), password);
    Ok(())
}

async fn invitation_link(desk: &Desk, email: &str, account: &str, role: &str) -> Result<String, Failure> {
    let path = format!("/api/v1/accounts/{}/invitations", desk.account_id(account).await?);
    let issued =
        desk.ask(Ask::new(Method::POST, path).json(&json!({ "email": email, "role": role }))).await?;
    Ok(text(&issued, "link").to_owned())
}

async fn reset_link(desk: &Desk, person: &Value) -> Result<String, Failure> {
    let path = format!("/api/v1/people/{}/password-reset", text(person, "id"));
    Ok(text(&desk.ask(Ask::new(Method::POST, path)).await?, "link").to_owned())
}

async fn ensure_token(desk: &Desk, record: &mut Record, token: &DemoToken) -> Result<(), Failure> {
    let known = format!("{}: {}", token.account.trim_start_matches("demo-"), token.name);
    let tokens = format!("/api/v1/accounts/{}/tokens", desk.account_id(token.account).await?);
    let rows = desk.list(&tokens).await?;
    let found = rows.iter().find(|found| text(found, "name") == token.name);
    let answer = match (found, record.tokens.contains_key(&known)) {
        (Some(found), true) => {
            // A run before may have ended with the line that disables it.
            let path = format!("{tokens}/{}/enable", text(found, "id"));
            return if text(found, "state") == "disabled" {
                desk.ask(Ask::new(Method::POST, path).json(&json!({}))).await.map(drop)
            } else {
                Ok(())
            };
        }
        (Some(found), false) => {
            let path = format!("{tokens}/{}/reset", text(found, "id"));
            desk.ask(Ask::new(Method::POST, path).json(&json!({ "confirm": true }))).await?
        }
        (None, _) => {
            let members = desk.list(&format!("{}/members", tokens.trim_end_matches("/tokens"))).await?;
            let contact = members
                .iter()
                .find(|member| text(member, "email") == token.contact)
                .map_or("", |member| text(member, "user_id"));
            let body = json!({ "name": token.name, "primary_contact": contact, "scopes": token.scopes });
            desk.ask(Ask::new(Method::POST, tokens).json(&body)).await?
        }
    };
    let sid = answer.pointer("/token/sid").and_then(Value::as_str).unwrap_or_default().to_owned();
    let credentials = Credentials { sid, secret: text(&answer, "secret").to_owned() };
    record.tokens.insert(known, credentials);
    Ok(())
}

async fn ensure_legacy_pair(desk: &Desk, record: &mut Record, account: &DemoAccount) -> Result<(), Failure> {
    let path = format!("/api/v1/accounts/{}/legacy-tokens", desk.account_id(account.external_id).await?);
    let pair = desk.ask(Ask::get(path.as_str())).await?;
    let known = LEGACY.iter().all(|half| record.tokens.contains_key(&half.known(account)));
    if pair.get("enabled").and_then(Value::as_bool) == Some(true) {
        if known {
            return Ok(());
        }
        for half in &LEGACY {
            let ask = Ask::new(Method::POST, format!("{path}/{}/reset", half.path))
                .json(&json!({ "confirm": true }));
            half.note(record, account, &desk.ask(ask).await?);
        }
        return record.write();
    }
    let made = desk.ask(Ask::new(Method::POST, path)).await?;
    for half in &LEGACY {
        half.note(record, account, &made);
    }
    record.write()
}

impl LegacyHalf {
    fn known(&self, account: &DemoAccount) -> String {
        format!("{}: Legacy, {}", account.external_id.trim_start_matches("demo-"), self.words)
    }

    fn note(&self, record: &mut Record, account: &DemoAccount, answer: &Value) {
        let sid = answer.pointer(&format!("/legacy_tokens/{}/sid", self.member)).and_then(Value::as_str);
        let secret = answer.get(format!("{}_secret", self.member)).and_then(Value::as_str);
        if let (Some(sid), Some(secret)) = (sid, secret) {
            let credentials = Credentials { sid: sid.to_owned(), secret: secret.to_owned() };
            record.tokens.insert(self.known(account), credentials);
        }
    }
}

async fn ensure_gateway(desk: &Desk, record: &mut Record) -> Result<(), Failure> {
    let gateways = desk.list("/api/v1/gateways").await?;
    let exists = gateways.iter().any(|gateway| text(gateway, "name") == GATEWAY);
    let ask = match (exists, record.gateway.is_some()) {
        (true, true) => return Ok(()),
        (true, false) => Ask::new(Method::POST, format!("/api/v1/gateways/{GATEWAY}/reset")),
        (false, _) => Ask::new(Method::POST, "/api/v1/gateways").json(&json!({ "name": GATEWAY })),
    };
    let made = desk.ask(ask).await?;
    record.gateway = Some(text(&made, "credential").to_owned());
    Ok(())
}

/// A password nobody else has: a secret of the same kind as an Auth Token.
fn new_password() -> Result<String, Failure> {
    let prefix = SecretPrefix::parse("demopw_").map_err(Failure::unavailable)?;
    let mut failed = None;
    let secret = SecretFormat::new(prefix, Vec::new()).mint(&mut |buffer| {
        if let Err(error) = Random::System.fill(buffer) {
            failed = Some(error);
        }
    });
    match failed {
        Some(error) => Err(Failure::unavailable(error)),
        None => Ok(secret.expose().chars().take(24).collect()),
    }
}
