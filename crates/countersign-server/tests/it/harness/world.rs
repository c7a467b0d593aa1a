//! An installation of one test.

use std::{io, net::IpAddr, sync::Arc};

use axum::Router;
use countersign_model::{secret::SecretFormat, time::Timestamp};
use countersign_server::{
    app::{App, Settings},
    clock::Clock,
    http::{Door, management},
    open::OpenOptions,
    ops::{bootstrap, passwords::PasswordCost},
    random::Random,
    webhooks::{Names, Policy},
};
use countersign_store::{AuditEntry, AuditFilter, PageAsk};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Answer, Client};

/// The password of everybody.
pub const PASSWORD: &str = "grumpy-otter-vanilla-lantern";
/// A role with every permission.
pub const ADMINISTRATOR: &str = "account_administrator";
/// A role that works with tokens.
pub const SPECIALIST: &str = "implementation_specialist";
/// A role without permissions.
pub const ANALYST: &str = "analyst";

/// The names of this world. Nothing is asked outside of it.
fn addresses(name: &str) -> io::Result<Vec<IpAddr>> {
    match name {
        "hooks.example.com" => Ok(vec![IpAddr::from([93, 184, 216, 34])]),
        "hooks.internal.example" => Ok(vec![IpAddr::from([10, 0, 0, 7])]),
        _ => Err(io::ErrorKind::NotFound.into()),
    }
}

/// An installation with its first operator.
pub struct World {
    pub app: Arc<App>,
    pub clock: Clock,
    pub operator: Client,
    public: Router,
    socket: Router,
    directory: TempDir,
    _stop: DropGuard,
}

impl World {
    /// An empty installation: nobody is anybody yet.
    pub async fn empty() -> Self {
        Self::with(|_| {}).await
    }

    /// An installation with other settings.
    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(Timestamp::parse_rfc3339("2026-06-15T12:00:00Z").unwrap());
        let mut settings = Settings {
            public_url: "https://tokens.example.com".to_owned(),
            http2: true,
            format: SecretFormat::standard(),
            reveal_once: false,
            trusted_proxies: Vec::new(),
            session_idle_secs: 1_800,
            session_secs: 12 * 3_600,
            checkpoint_file: None,
            audit_retention_days: None,
            mail: None,
            webhooks: Policy { names: Names::Told(Arc::new(addresses)), ..Policy::default() },
        };
        change(&mut settings);
        let stop = CancellationToken::new();
        let options = OpenOptions {
            data_dir: directory.path().join("data"),
            database_url: None,
            keys_dir: directory.path().join("keys"),
            settings,
            clock: clock.clone(),
            random: Random::seeded(7),
            password_cost: PasswordCost { memory_kib: 8, passes: 1 },
            accept_rollback: false,
            stop: stop.clone(),
        };
        let app = App::open(options).await.unwrap();
        let public = management(Arc::clone(&app), Door::Public);
        let socket = management(Arc::clone(&app), Door::LocalSocket);
        let nobody = Client { router: public.clone(), headers: Vec::new(), address: "198.51.100.1" };
        Self { app, clock, operator: nobody, public, socket, directory, _stop: stop.drop_guard() }
    }

    /// An installation whose first operator is `operator@example.com`.
    pub async fn new() -> Self {
        let mut world = Self::empty().await;
        world.found().await;
        world
    }

    /// Makes the first operator.
    pub async fn found(&mut self) {
        let code = bootstrap::issue(&self.app).await.unwrap().unwrap();
        let first = json!({ "code": code.as_str(), "email": "operator@example.com", "name": "Olga Operator", "password": PASSWORD });
        let answer = self.browser().post("/api/v1/bootstrap", first).await.expect(201);
        self.operator = self.signed_in(&answer);
    }

    /// Where its data and its keys are.
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Somebody without any credential.
    pub fn anonymous(&self) -> Client {
        Client { router: self.public.clone(), headers: Vec::new(), address: "203.0.113.5" }
    }

    /// A browser on our own pages that has not signed in.
    pub fn browser(&self) -> Client {
        self.anonymous().with("sec-fetch-site", "same-origin")
    }

    /// The command line, through the unix socket.
    pub fn cli(&self) -> Client {
        Client { router: self.socket.clone(), ..self.anonymous() }
    }

    /// A program with a Bearer credential.
    pub fn bearer(&self, secret: &str) -> Client {
        self.anonymous().with("authorization", &format!("Bearer {secret}"))
    }

    /// The browser that got this answer to a sign-in.
    pub fn signed_in(&self, answer: &Answer) -> Client {
        let cookie = |name: &str| answer.cookie(name).map(|value| format!("{name}={value}"));
        let cookies = [cookie("__Host-countersign"), cookie("__Host-countersign-device")];
        let cookies: Vec<String> = cookies.into_iter().flatten().collect();
        self.browser().with("cookie", &cookies.join("; "))
    }

    /// Signs in with a password, from a browser that is new.
    pub async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.browser().post("/api/v1/session", json!({ "email": email, "password": password })).await
    }

    /// Makes a brand account with API access; answers its id.
    pub async fn account(&self, external_id: &str) -> String {
        let new = json!({ "external_id": external_id, "kind": "brand", "name": format!("Account {external_id}"), "api_access": true });
        let answer = self.operator.post("/api/v1/accounts", new).await.expect(201);
        answer.json()["account"]["id"].as_str().unwrap().to_owned()
    }

    /// Invites somebody into an account, and accepts.
    pub async fn member(&self, account: &str, email: &str, role: &str) -> Client {
        let path = format!("/api/v1/accounts/{account}/invitations");
        let invited = self.operator.post(&path, json!({ "email": email, "role": role })).await.expect(201);
        let accept = json!({ "code": code_of(&invited.json()), "name": "Mia Member", "password": PASSWORD });
        let answer = self.browser().post("/api/v1/invitations/accept", accept).await.expect(201);
        self.signed_in(&answer)
    }

    /// A platform credential.
    pub async fn platform(&self, name: &str) -> Client {
        let answer =
            self.operator.post("/api/v1/platform-credentials", json!({ "name": name })).await.expect(201);
        self.bearer(answer.json()["credential"].as_str().unwrap())
    }

    /// A token of the account with these scopes, made by its administrator; answers its secret.
    pub async fn token(&self, account: &str, administrator: &Client, name: &str, scopes: &[&str]) -> String {
        let contact = user_id(administrator).await;
        let new = json!({ "name": name, "primary_contact": contact, "scopes": scopes });
        let answer = administrator.post(&format!("/api/v1/accounts/{account}/tokens"), new).await.expect(201);
        answer.json()["secret"].as_str().unwrap().to_owned()
    }
}

/// The id of whoever is signed in.
pub async fn user_id(client: &Client) -> String {
    client.get("/api/v1/session").await.expect(200).json()["person"]["id"].as_str().unwrap().to_owned()
}

/// The code of an invitation's link.
pub fn code_of(issued: &Value) -> String {
    issued["link"].as_str().unwrap().split_once('#').unwrap().1.to_owned()
}

/// The last entry of the audit trail.
pub async fn newest_entry(world: &World) -> AuditEntry {
    let page = PageAsk { after: None, limit: 1 };
    let mut rows = world.app.store.audit(&AuditFilter::default(), &page).await.unwrap().rows;
    rows.pop().unwrap()
}
