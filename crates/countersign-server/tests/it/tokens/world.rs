//! A whole installation in a directory of its own, with a clock that stands still, and callers of every kind that ask
//! it over its router.

use std::{net::IpAddr, sync::Arc};

use ::http::{HeaderMap, Method, Request, StatusCode};
use axum::{Router, body::Body};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_model::{
    actor::Actor,
    catalog,
    credential::Authorization,
    decision::{Ask, Decision, Target},
    id::{AccountId, Id, UserId},
    limits::TOKENS_PER_ACCOUNT,
    name::{EmailAddress, PersonName},
    secret::SecretFormat,
    time::Timestamp,
};
use countersign_server::{
    app::{App, Settings},
    clock::Clock,
    http::{self, Door, Peer},
    keys::Purpose,
    open::OpenOptions,
    ops::passwords::PasswordCost,
    random::Random,
    sealing::DataKey,
    webhooks,
};
use countersign_store::{
    Account, AccountState, AuditDraft, AuditEntry, AuditFilter, Outcome, PageAsk, Person, RevealPolicy,
    Session, Write,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Where every caller calls from unless it says otherwise.
pub const HOME: &str = "10.1.2.3";

pub struct World {
    pub app: Arc<App>,
    public: Router,
    local: Router,
    stop: CancellationToken,
    _directory: TempDir,
}

/// Who calls.
#[derive(Clone)]
pub enum Who {
    Anonymous,
    Operator,
    Person { cookie: String },
    Bearer(String),
}

/// An account with an administrator.
pub struct Home {
    pub account: AccountId,
    pub admin: UserId,
    pub who: Who,
}

pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub json: Value,
    pub text: String,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self::open(directory, change, 7).await
    }

    async fn open(directory: TempDir, change: impl FnOnce(&mut Settings), seed: u64) -> Self {
        let stop = CancellationToken::new();
        let mut settings = Settings {
            public_url: "https://tokens.example.com".to_owned(),
            http2: true,
            format: SecretFormat::standard(),
            reveal_once: false,
            trusted_proxies: Vec::new(),
            session_idle_secs: 400 * 86_400,
            session_secs: 7 * 86_400,
            checkpoint_file: None,
            audit_retention_days: None,
            mail: None,
            webhooks: webhooks::Policy::default(),
        };
        change(&mut settings);
        let app = App::open(OpenOptions {
            data_dir: directory.path().join("data"),
            database_url: None,
            keys_dir: directory.path().join("keys"),
            settings,
            clock: Clock::fixed(Timestamp::parse_rfc3339("2026-07-01T12:00:00Z").unwrap()),
            random: Random::seeded(seed),
            password_cost: PasswordCost { memory_kib: 8, passes: 1 },
            accept_rollback: false,
            stop: stop.clone(),
        })
        .await
        .unwrap();
        let public = http::management(Arc::clone(&app), Door::Public);
        let local = http::management(Arc::clone(&app), Door::LocalSocket);
        Self { app, public, local, stop, _directory: directory }
    }

    fn draft(&self) -> AuditDraft {
        AuditDraft {
            at: self.app.clock.wall(),
            actor: Actor::System,
            actor_label: "test".to_owned(),
            client_address: String::new(),
            request_id: None,
            account: None,
            action: "test.prepare",
            subject: String::new(),
            subject_label: String::new(),
            outcome: Outcome::Done,
            before: Value::Null,
            after: Value::Null,
        }
    }

    pub fn id<K: countersign_model::id::Kind>(&self) -> Id<K> {
        self.app.random.id(self.app.clock.wall()).unwrap()
    }

    /// An active account with API access and an administrator who is signed in.
    pub async fn home(&self, kind: &str, external_id: &str) -> Home {
        let account = self.account(kind, external_id, |_| {}).await;
        let (admin, who) =
            self.member(account, &format!("admin@{external_id}.example"), "account_administrator").await;
        Home { account, admin, who }
    }

    pub async fn account(
        &self,
        kind: &str,
        external_id: &str,
        change: impl FnOnce(&mut Account),
    ) -> AccountId {
        let (id, now) = (self.id(), self.app.clock.wall());
        let mut account = Account {
            id,
            external_id: external_id.to_owned(),
            kind: kind.to_owned(),
            name: PersonName::parse(&format!("Account {external_id}")).unwrap(),
            state: AccountState::Active,
            api_access: true,
            legacy_tokens: false,
            reveal: RevealPolicy::Recoverable,
            token_limit: TOKENS_PER_ACCOUNT,
            token_lifetime: None,
            data_key: DataKey::make(&self.app.keys, &self.app.random, id, 1).unwrap(),
            former_data_key: None,
            edit: 1,
            created_at: now,
            updated_at: now,
        };
        change(&mut account);
        self.app.commit(Write::new(self.draft()).insert_account(&account)).await.unwrap();
        id
    }

    pub async fn edit_account(&self, id: AccountId, change: impl FnOnce(&mut Account)) {
        let mut account = self.app.store.account(id).await.unwrap().unwrap();
        change(&mut account);
        self.app.commit(Write::new(self.draft()).update_account(&account)).await.unwrap();
    }

    /// A member who is signed in and has just entered their password.
    pub async fn member(&self, account: AccountId, email: &str, role: &str) -> (UserId, Who) {
        let (user, now) = (self.id(), self.app.clock.wall());
        let person = Person {
            id: user,
            email: EmailAddress::parse(email).unwrap(),
            name: PersonName::parse("Some Body").unwrap(),
            language: "en".to_owned(),
            password: None,
            operator: false,
            active: true,
            generation: 1,
            failed_sign_ins: 0,
            failed_at: None,
            edit: 1,
            created_at: now,
        };
        let cookie = URL_SAFE_NO_PAD.encode(self.app.random.bytes::<32>().unwrap());
        let session = Session {
            id: self.id(),
            tag: self.app.keys.tag(Purpose::Session, cookie.as_bytes()),
            user,
            user_generation: 1,
            created_at: now,
            seen_at: now,
            expires_at: now.plus_secs(400 * 86_400),
            password_at: now,
            client_address: HOME.to_owned(),
            user_agent: "test".to_owned(),
        };
        let write = Write::new(self.draft()).insert_person(&person).insert_member(account, user, role, now);
        self.app.commit(write.insert_session(&session)).await.unwrap();
        (user, Who::Person { cookie })
    }

    pub async fn get(&self, who: &Who, path: &str) -> Reply {
        self.call(who, Method::GET, path, &[], None).await
    }

    pub async fn post(&self, who: &Who, path: &str, body: Value) -> Reply {
        self.call(who, Method::POST, path, &[], Some(body)).await
    }

    pub async fn patch(&self, who: &Who, path: &str, edit: u64, body: Value) -> Reply {
        self.call(who, Method::PATCH, path, &[("if-match", &format!("\"{edit}\""))], Some(body)).await
    }

    pub async fn call(
        &self,
        who: &Who,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(who, request.body(body).unwrap()).await
    }

    pub async fn send(&self, who: &Who, mut request: Request<Body>) -> Reply {
        let headers = request.headers_mut();
        match who {
            Who::Person { cookie } => {
                headers.insert("cookie", format!("__Host-countersign={cookie}").parse().unwrap());
                headers.insert("sec-fetch-site", "same-origin".parse().unwrap());
            }
            Who::Bearer(secret) => {
                headers.insert("authorization", format!("Bearer {secret}").parse().unwrap());
            }
            Who::Anonymous | Who::Operator => {}
        }
        request.extensions_mut().insert(Peer(Some(HOME.parse::<IpAddr>().unwrap())));
        let router = if matches!(who, Who::Operator) { &self.local } else { &self.public };
        let response = router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Reply { status: parts.status, headers: parts.headers, json, text }
    }

    /// Creates a token; answers its JSON and its secret.
    pub async fn token(&self, home: &Home, name: &str, more: Value) -> (Value, String) {
        let mut body = json!({ "name": name, "primary_contact": home.admin });
        for (field, value) in more.as_object().into_iter().flatten() {
            body[field] = value.clone();
        }
        let reply =
            self.post(&home.who, &format!("/accounts/{}/tokens", home.account), body).await.expect(201);
        (reply.json["token"].clone(), reply.json["secret"].as_str().unwrap().to_owned())
    }

    /// What the verifier says to a secret: `allowed`, or the code of the denial.
    pub fn decide(&self, secret: &str) -> &'static str {
        let header = format!("Bearer {secret}");
        let ask = Ask {
            authorization: Authorization::One(header.as_bytes()),
            target: Target::Identity,
            version_headers: &[],
            client_address: Some(HOME.parse().unwrap()),
            min_seq: None,
        };
        match self.app.verifier.decide(&ask, self.app.clock.now()) {
            Decision::Allow(_) => "allowed",
            Decision::Deny(denied) => denied.denial.code(),
            Decision::Unavailable(reason) => reason.code(),
        }
    }

    /// Audit entries whose action starts so, newest first.
    pub async fn audit(&self, action: &str) -> Vec<AuditEntry> {
        let filter = AuditFilter { action: Some(action.to_owned()), ..AuditFilter::default() };
        self.app.store.audit(&filter, &PageAsk { after: None, limit: 200 }).await.unwrap().rows
    }

    /// The number of the last entry of all: it grows with everything that is written.
    pub async fn audit_head(&self) -> u64 {
        let page = PageAsk { after: None, limit: 1 };
        let rows = self.app.store.audit(&AuditFilter::default(), &page).await.unwrap().rows;
        rows.first().map_or(0, |entry| entry.number)
    }
}

impl Reply {
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    #[track_caller]
    pub fn expect_code(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status.as_u16(), self.code()), (status, code), "{}", self.text);
        self
    }

    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or("")
    }

    pub fn etag(&self) -> u64 {
        self.headers["etag"].to_str().unwrap().trim_matches('"').parse().unwrap()
    }
}

pub fn path_of(home: &Home, token: &Value) -> String {
    format!("/accounts/{}/tokens/{}", home.account, token["id"].as_str().unwrap())
}

/// The default catalog without one scope: the same file, loaded over the numbering of the whole.
pub async fn retire_scope(world: &World, id: &str) {
    let stored = world.app.store.catalog().await.unwrap().unwrap();
    let source: String = stored
        .source
        .split("[[kind.category.scope]]")
        .filter(|block| !block.starts_with(&format!("\nid = \"{id}\"")))
        .collect::<Vec<_>>()
        .join("[[kind.category.scope]]");
    let file = catalog::parse(&source).unwrap();
    let (compiled, numbering) = catalog::compile(&file, &stored.numbering).unwrap();
    let next = countersign_store::StoredCatalog {
        number: stored.number + 1,
        source,
        numbering,
        catalog: Arc::new(compiled),
        loaded_at: world.app.clock.wall(),
    };
    world.app.commit(Write::new(world.draft()).insert_catalog(&next)).await.unwrap();
}

impl World {
    /// The same administrator with a new session: the clock was moved, and sessions do not last.
    pub async fn re_sign_in(&self, home: Home) -> Home {
        let now = self.app.clock.wall();
        let cookie = URL_SAFE_NO_PAD.encode(self.app.random.bytes::<32>().unwrap());
        let session = Session {
            id: self.id(),
            tag: self.app.keys.tag(Purpose::Session, cookie.as_bytes()),
            user: home.admin,
            user_generation: 1,
            created_at: now,
            seen_at: now,
            expires_at: now.plus_secs(400 * 86_400),
            password_at: now,
            client_address: HOME.to_owned(),
            user_agent: "test".to_owned(),
        };
        self.app.commit(Write::new(self.draft()).insert_session(&session)).await.unwrap();
        Home { who: Who::Person { cookie }, ..home }
    }
}
