//! Every operation of the OpenAPI document that changes something leaves exactly one entry when it succeeds. An operation
//! that cannot be prepared here fails the test: whoever adds one says here how it is done. Refusals are in `rights`.

use countersign_model::name::EmailAddress;
use countersign_server::{
    http::document,
    ops::{addresses, bootstrap},
};
use countersign_store::Outcome;
use serde_json::{Value, json};

use crate::harness::{
    ADMINISTRATOR, ANALYST, Answer, Client, PASSWORD, Request, SPECIALIST, World, code_of, newest_entry,
    user_id,
};

const NEW_PASSWORD: &str = "kettle-harbour-plum-cyclone";
/// These take a POST and change nothing.
const ONLY_READ: [&str; 3] = ["POST /catalog/check", "POST /audit/verify", "POST /audit/checkpoints/check"];

/// An account with an administrator who has just entered her password, and a token.
struct Stage {
    world: World,
    account: String,
    ada: Client,
    token: String,
}

impl Stage {
    async fn new() -> Self {
        let world = World::new().await;
        let account = world.account("one").await;
        let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
        let new = json!({ "name": "Sync", "primary_contact": user_id(&ada).await, "api_version": 13 });
        let made = ada.post(&format!("/api/v1/accounts/{account}/tokens"), new).await.expect(201).json();
        let token = text(&made, "/token/id");
        Self { world, account, ada, token }
    }

    /// A request of the operator.
    fn by_operator(&self, method: &str, path: &str) -> Request {
        self.world.operator.request(method, &format!("/api/v1{path}"))
    }

    /// A request of the administrator to something of the account.
    fn at_account(&self, method: &str, path: &str) -> Request {
        self.ada.request(method, &format!("/api/v1/accounts/{}{path}", self.account))
    }

    fn at_token(&self, method: &str, path: &str) -> Request {
        self.at_account(method, &format!("/tokens/{}{path}", self.token))
    }

    /// Something that waits to be told: that the token was made.
    async fn delivery(&self) -> String {
        let found = self.at_account("GET", "/deliveries?event=token.created").send().await.expect(200);
        text(&found.json(), "/items/0/id")
    }

    async fn invitation(&self) -> Value {
        let invite = json!({ "email": "ben@example.com", "role": ANALYST });
        self.at_account("POST", "/invitations").json(&invite).send().await.expect(201).json()
    }

    async fn with_gateway(&self) {
        self.by_operator("POST", "/gateways").json(&json!({ "name": "edge" })).send().await.expect(201);
    }

    /// A file with the read/write half of a pair, on an old version.
    fn import(&self) -> Request {
        let file = "account_external_id,kind,name,sid,secret,access,scopes,api_version,primary_contact,state,created_at\n\
                    one,brand,Old writer,OLD-1,an-old-secret-1,read_write,,13,,enabled,2019-01-01\n\
                    one,brand,Old reader,OLD-2,an-old-secret-2,read_only,,13,,enabled,2019-01-01\n";
        self.by_operator("POST", "/import?apply=true").header("content-type", "text/csv").body(file)
    }
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap().to_owned()
}

async fn of_people(stage: &Stage, operation: &str) -> Option<Request> {
    let me = |method: &str, path: &str| stage.ada.request(method, &format!("/api/v1{path}"));
    let another = || stage.world.sign_in("ada@example.com", PASSWORD);
    let person = format!("/people/{}", user_id(&stage.ada).await);
    Some(match operation {
        "POST /session" => {
            let asked = json!({ "email": "ada@example.com", "password": PASSWORD });
            stage.world.browser().request("POST", "/api/v1/session").json(&asked)
        }
        "DELETE /session" => me("DELETE", "/session"),
        "POST /session/password" => me("POST", "/session/password").json(&json!({ "password": PASSWORD })),
        "DELETE /sessions" => {
            another().await.expect(201);
            me("DELETE", "/sessions")
        }
        "DELETE /sessions/{session_id}" => {
            let other = text(&another().await.expect(201).json(), "/session/id");
            me("DELETE", &format!("/sessions/{other}"))
        }
        "PATCH /profile" => me("PATCH", "/profile").json(&json!({ "language": "zh-CN" })),
        "PUT /profile/password" => {
            me("PUT", "/profile/password").json(&json!({ "current": PASSWORD, "new": NEW_PASSWORD }))
        }
        "POST /people" => {
            stage.by_operator("POST", "/people").json(&json!({ "email": "second@example.com" }))
        }
        "PATCH /people/{user_id}" => {
            let seen = stage.by_operator("GET", &person).send().await.expect(200);
            let request = stage.by_operator("PATCH", &person).header("if-match", seen.header("etag"));
            request.json(&json!({ "name": "Ada L." }))
        }
        "POST /people/{user_id}/password-reset" => {
            stage.by_operator("POST", &format!("{person}/password-reset"))
        }
        _ => return None,
    })
}

async fn of_accounts(stage: &Stage, operation: &str) -> Option<Request> {
    let world = &stage.world;
    Some(match operation {
        "POST /accounts" => {
            stage.by_operator("POST", "/accounts").json(&json!({ "external_id": "two", "kind": "brand",
            "name": "Two", "administrator": { "email": "tom@example.com" } }))
        }
        "PATCH /accounts/{account_id}" => {
            stage.at_account("PATCH", "").header("if-match", "\"1\"").json(&json!({ "name": "Renamed" }))
        }
        "POST /accounts/{account_id}/api-access" => {
            stage.at_account("POST", "/api-access").json(&json!({ "enabled": false }))
        }
        "PATCH /accounts/{account_id}/members/{user_id}" => {
            let ben = user_id(&world.member(&stage.account, "ben@example.com", ANALYST).await).await;
            stage.at_account("PATCH", &format!("/members/{ben}")).json(&json!({ "role": SPECIALIST }))
        }
        "DELETE /accounts/{account_id}/members/{user_id}" => {
            let ben = user_id(&world.member(&stage.account, "ben@example.com", ANALYST).await).await;
            stage.at_account("DELETE", &format!("/members/{ben}"))
        }
        "POST /accounts/{account_id}/invitations" => stage
            .at_account("POST", "/invitations")
            .json(&json!({ "email": "ben@example.com", "role": ANALYST })),
        "DELETE /accounts/{account_id}/invitations/{invitation_id}" => {
            let id = text(&stage.invitation().await, "/invitation/id");
            stage.at_account("DELETE", &format!("/invitations/{id}"))
        }
        "POST /invitations/accept" => {
            let code = code_of(&stage.invitation().await);
            let accept = json!({ "code": code, "name": "Ben", "password": NEW_PASSWORD });
            world.browser().request("POST", "/api/v1/invitations/accept").json(&accept)
        }
        _ => return None,
    })
}

/// An address that is asked, with the link that confirms it.
async fn asked(stage: &Stage) -> (EmailAddress, String) {
    let email = EmailAddress::parse("dev@example.com").unwrap();
    let seen = stage.at_token("GET", "").send().await.expect(200);
    let change = json!({ "developer_emails": [email.as_str()] });
    let edit = stage.at_token("PATCH", "").header("if-match", seen.header("etag")).json(&change);
    edit.send().await.expect(200);
    let account = stage.account.parse().unwrap();
    let link = addresses::confirm_link(&stage.world.app, account, &email).await.unwrap().unwrap();
    (email, link.split_once('#').unwrap().1.to_owned())
}

async fn of_addresses(stage: &Stage, operation: &str) -> Option<Request> {
    let browser = stage.world.browser();
    let link = addresses::unsubscribe_link(&stage.world.app, "dev@example.com");
    let ends = json!({ "code": link.split_once('#')?.1 });
    Some(match operation {
        "POST /accounts/{account_id}/addresses/ask" => {
            let (email, _) = asked(stage).await;
            stage.world.clock.advance_secs(25 * 3600);
            let path = format!("/api/v1/accounts/{}/addresses/ask", stage.account);
            // By then every session of a browser has ended.
            stage.world.cli().request("POST", &path).json(&json!({ "email": email.as_str() }))
        }
        "POST /addresses/confirm" => {
            let (_, code) = asked(stage).await;
            browser.request("POST", "/api/v1/addresses/confirm").json(&json!({ "code": code }))
        }
        "POST /addresses/unsubscribe" => browser.request("POST", "/api/v1/addresses/unsubscribe").json(&ends),
        "POST /addresses/resubscribe" => browser.request("POST", "/api/v1/addresses/resubscribe").json(&ends),
        _ => return None,
    })
}

async fn of_tokens(stage: &Stage, operation: &str) -> Option<Request> {
    Some(match operation.strip_prefix("POST /accounts/{account_id}/tokens/{token_id}") {
        Some("/duplicate") => stage.at_token("POST", "/duplicate").json(&json!({})),
        Some("/upgrade") => stage.at_token("POST", "/upgrade").json(&json!({})),
        Some("/reset") => stage.at_token("POST", "/reset").json(&json!({ "confirm": true })),
        Some("/reveal") => stage.at_token("POST", "/reveal"),
        Some("/overlap/end") => {
            let reset = json!({ "confirm": true, "overlap": "1h" });
            stage.at_token("POST", "/reset").json(&reset).send().await.expect(200);
            stage.at_token("POST", "/overlap/end").json(&json!({ "confirm": true }))
        }
        Some("/disable") => stage.at_token("POST", "/disable").json(&json!({})),
        Some("/enable") => {
            stage.at_token("POST", "/disable").json(&json!({})).send().await.expect(200);
            stage.at_token("POST", "/enable").json(&json!({ "reset": true }))
        }
        _ => match operation {
            "POST /accounts/{account_id}/tokens" => {
                let contact = user_id(&stage.ada).await;
                stage
                    .at_account("POST", "/tokens")
                    .json(&json!({ "name": "More", "primary_contact": contact }))
            }
            "PATCH /accounts/{account_id}/tokens/{token_id}" => {
                stage.at_token("PATCH", "").header("if-match", "\"1\"").json(&json!({ "name": "Renamed" }))
            }
            "DELETE /accounts/{account_id}/tokens/{token_id}" => {
                stage.at_token("DELETE", "?confirm_name=Sync").header("if-match", "\"1\"")
            }
            _ => return None,
        },
    })
}

async fn of_legacy_tokens(stage: &Stage, operation: &str) -> Option<Request> {
    let (method, path) = operation.split_once(" /accounts/{account_id}/legacy-tokens")?;
    let at = |path: &str| stage.at_account(method, &format!("/legacy-tokens{path}"));
    match (method, path) {
        ("POST", "") => return Some(at("")),
        ("POST", "/upgrade") => stage.import().send().await.expect(200),
        _ => stage.at_account("POST", "/legacy-tokens").send().await.expect(201),
    };
    Some(match (method, path) {
        ("DELETE", "") => at("?confirm=true"),
        ("POST", "/upgrade" | "/duplicate") => at(path).json(&json!({})),
        ("POST", "/disable") => at(path),
        ("POST", "/enable") => {
            stage.at_account("POST", "/legacy-tokens/disable").send().await.expect(200);
            at(path)
        }
        ("POST", "/{half}/reset") => at("/read-only/reset").json(&json!({ "confirm": true })),
        ("POST", "/{half}/reveal") => at("/read-write/reveal"),
        _ => return None,
    })
}

/// The same deeds at an account's webhook and at the platform's.
async fn of_webhooks(stage: &Stage, operation: &str) -> Option<Request> {
    let (method, path) = operation.split_once(' ')?;
    let (prefix, below) = match path.strip_prefix("/accounts/{account_id}/webhooks") {
        Some(below) => (format!("/accounts/{}/webhooks", stage.account), below),
        None => ("/webhooks".to_owned(), path.strip_prefix("/webhooks")?),
    };
    let new = json!({ "url": "https://hooks.example.com/" });
    let create = stage.by_operator("POST", &prefix).json(&new);
    if below.is_empty() {
        return Some(create);
    }
    let id = text(&create.send().await.expect(201).json(), "/webhook/id");
    let request = stage.by_operator(method, &format!("{prefix}{}", below.replace("{webhook_id}", &id)));
    Some(match method {
        "PATCH" => request.header("if-match", "\"1\"").json(&json!({ "enabled": false })),
        _ => request,
    })
}

async fn of_announcements(stage: &Stage, operation: &str) -> Option<Request> {
    let (method, path) = operation.split_once(' ')?;
    let below = path.strip_prefix("/announcements")?;
    let new = json!({ "subject": "Version 15", "body": "It is here." });
    let create = stage.by_operator("POST", "/announcements").json(&new);
    if below.is_empty() {
        return Some(create);
    }
    let id = text(&create.send().await.expect(201).json(), "/id");
    let request =
        stage.by_operator(method, &format!("/announcements{}", below.replace("{announcement_id}", &id)));
    Some(match method {
        "PATCH" => request.header("if-match", "\"1\"").json(&json!({ "body": "It is here now." })),
        _ => request.header("if-match", "\"1\""),
    })
}

async fn of_the_platform(stage: &Stage, operation: &str) -> Option<Request> {
    let source =
        text(&stage.by_operator("GET", "/catalog/source").send().await.expect(200).json(), "/source");
    Some(match operation {
        "PUT /catalog" => {
            let changed = source.replacen("\"analyst\"", "\"reader\"", 1);
            stage.by_operator("PUT", "/catalog").json(&json!({ "source": changed }))
        }
        "POST /catalog/check" => {
            stage.by_operator("POST", "/catalog/check").json(&json!({ "source": source }))
        }
        "POST /gateways" => stage.by_operator("POST", "/gateways").json(&json!({ "name": "edge" })),
        "PATCH /gateways/{name}" => {
            stage.with_gateway().await;
            let request = stage.by_operator("PATCH", "/gateways/edge").header("if-match", "\"1\"");
            request.json(&json!({ "peers": ["10.0.0.1"] }))
        }
        "DELETE /gateways/{name}" => {
            stage.with_gateway().await;
            stage.by_operator("DELETE", "/gateways/edge")
        }
        "POST /gateways/{name}/reset" => {
            stage.with_gateway().await;
            stage.by_operator("POST", "/gateways/edge/reset")
        }
        "PUT /gateways/{name}/probe" => {
            stage.with_gateway().await;
            let report = json!({ "url": "http://127.0.0.1:8080", "kind": "nginx", "checks": [] });
            stage.by_operator("PUT", "/gateways/edge/probe").json(&report)
        }
        "POST /platform-credentials" => {
            stage.by_operator("POST", "/platform-credentials").json(&json!({ "name": "machine" }))
        }
        "DELETE /platform-credentials/{platform_credential_id}" => {
            let new = json!({ "name": "machine" });
            let made = stage.by_operator("POST", "/platform-credentials").json(&new).send().await.expect(201);
            let id = text(&made.json(), "/platform_credential/id");
            stage.by_operator("DELETE", &format!("/platform-credentials/{id}"))
        }
        "POST /accounts/{account_id}/deliveries/{delivery_id}/retry" => {
            let path = format!("/deliveries/{}/retry", stage.delivery().await);
            stage.at_account("POST", &path)
        }
        "POST /deliveries/{delivery_id}/retry" => {
            stage.by_operator("POST", &format!("/deliveries/{}/retry", stage.delivery().await))
        }
        "POST /import" => stage.import(),
        "POST /audit/verify" => stage.by_operator("POST", "/audit/verify"),
        "POST /audit/checkpoints/check" => {
            stage.by_operator("POST", "/audit/checkpoints/check").json(&json!({ "checkpoints": [] }))
        }
        "POST /backup" => stage.by_operator("POST", "/backup"),
        "POST /keys/rotations" => {
            stage.by_operator("POST", "/keys/rotations").json(&json!({ "key": "pepper" }))
        }
        _ => return None,
    })
}

async fn prepared(stage: &Stage, operation: &str) -> Option<Request> {
    if let Some(request) = of_people(stage, operation).await {
        return Some(request);
    }
    if let Some(request) = of_accounts(stage, operation).await {
        return Some(request);
    }
    if let Some(request) = of_tokens(stage, operation).await {
        return Some(request);
    }
    if let Some(request) = of_legacy_tokens(stage, operation).await {
        return Some(request);
    }
    if let Some(request) = of_addresses(stage, operation).await {
        return Some(request);
    }
    if let Some(request) = of_announcements(stage, operation).await {
        return Some(request);
    }
    if let Some(request) = of_webhooks(stage, operation).await {
        return Some(request);
    }
    of_the_platform(stage, operation).await
}

/// Sends a request and answers the outcomes of the entries that came with it.
async fn outcomes(world: &World, request: Request) -> (Answer, Vec<(String, Outcome)>) {
    let before = newest_entry(world).await.number;
    let answer = request.send().await;
    let entries = world.app.store.audit_from(before + 1, 500).await.unwrap();
    (answer, entries.into_iter().map(|entry| (entry.action, entry.outcome)).collect())
}

/// Headers that mean something to a caller and are not on every answer.
const TELLING: [&str; 3] = ["ETag", "Location", "Set-Cookie"];

fn sent_headers(answer: &Answer) -> Vec<&'static str> {
    TELLING.into_iter().filter(|name| answer.headers.contains_key(*name)).collect()
}

fn documented_headers(operation: &str, answer: &Answer) -> Vec<&'static str> {
    let document = serde_json::to_value(document()).unwrap();
    let (method, path) = operation.split_once(' ').unwrap();
    let described = &document["paths"][format!("/api/v1{path}")][method.to_lowercase()];
    let headers = &described["responses"][answer.status.as_str()]["headers"];
    TELLING.into_iter().filter(|name| headers[*name].is_object()).collect()
}

fn mutating() -> Vec<String> {
    let document = serde_json::to_value(document()).unwrap();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|method| *method != "get") {
            found.push(format!("{} {}", method.to_uppercase(), path.strip_prefix("/api/v1").unwrap()));
        }
    }
    found
}

#[tokio::test]
async fn every_change_leaves_exactly_one_entry() {
    let mut unknown = Vec::new();
    for operation in mutating().iter().filter(|operation| *operation != "POST /bootstrap") {
        let stage = Stage::new().await;
        let Some(request) = prepared(&stage, operation).await else {
            unknown.push(operation.clone());
            continue;
        };
        let (answer, entries) = outcomes(&stage.world, request).await;
        assert!(answer.status.is_success(), "{operation}: {} {}", answer.status, answer.text());
        let expected = usize::from(!ONLY_READ.contains(&operation.as_str()));
        assert_eq!(entries.len(), expected, "{operation}: {entries:?}");
        assert!(entries.iter().all(|(_, outcome)| *outcome == Outcome::Done), "{operation}: {entries:?}");
        assert_eq!(sent_headers(&answer), documented_headers(operation, &answer), "{operation}");
    }
    assert_eq!(unknown, Vec::<String>::new(), "nobody says here how these are done");
}

#[tokio::test]
async fn the_first_operator_leaves_exactly_one_entry() {
    let world = World::empty().await;
    let code = bootstrap::issue(&world.app).await.unwrap().unwrap();
    let first = json!({ "code": code.as_str(), "email": "operator@example.com", "name": "Olga", "password": PASSWORD });
    let (answer, entries) =
        outcomes(&world, world.browser().request("POST", "/api/v1/bootstrap").json(&first)).await;
    answer.expect(201);
    assert_eq!(entries, [("bootstrap.redeem".to_owned(), Outcome::Done)]);
}
