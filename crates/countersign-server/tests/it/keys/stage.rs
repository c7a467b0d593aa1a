//! An installation with secrets of every kind, and what must be true of it whatever is done to its keys.

use std::{fmt::Write as _, fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use countersign_model::{
    credential::Authorization,
    decision::{Ask, Decision, Target},
    id::{AccountId, TokenId},
};
use countersign_server::{
    app::{App, Settings},
    open::{OpenError, OpenOptions},
    ops::{
        keys::{self, Stepped},
        passwords::PasswordCost,
        secrets,
    },
    random::Random,
};
use countersign_store::{KeyKind, KeyState};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::harness::{ADMINISTRATOR, Client, World, user_id};

/// A secret and where it is.
#[derive(Clone)]
pub struct Known {
    pub account: AccountId,
    pub token: Option<TokenId>,
    pub secret: String,
    pub recoverable: bool,
}

pub struct Stage {
    pub world: World,
    pub account: String,
    pub ada: Client,
    pub known: Vec<Known>,
    pub gateway: String,
    pub platform: Client,
}

/// An installation opened on a copy of the files of another one, as a crash left them.
pub struct Copied {
    pub app: Arc<App>,
    pub directory: TempDir,
    stop: CancellationToken,
}

impl Drop for Copied {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Stage {
    /// Tokens that are recoverable, tokens of an account that shows secrets once, and imported digests.
    pub async fn new() -> Self {
        let world = World::new().await;
        let account = world.account("one").await;
        let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
        let quiet = json!({ "external_id": "two", "kind": "brand", "name": "Two", "api_access": true, "reveal": "once" });
        let quiet = world.operator.post("/api/v1/accounts", quiet).await.expect(201).json();
        let quiet = quiet["account"]["id"].as_str().unwrap().to_owned();
        let bea = world.member(&quiet, "bea@example.com", ADMINISTRATOR).await;
        let edge = world.operator.post("/api/v1/gateways", json!({ "name": "edge" })).await.expect(201);
        let gateway = edge.json()["credential"].as_str().unwrap().to_owned();
        let platform = world.platform("deploy").await;
        let mut stage = Self { world, account: account.clone(), ada, known: Vec::new(), gateway, platform };
        for number in 0..6 {
            stage.create(&account, &stage.ada.clone(), &format!("Recoverable {number}"), true).await;
            stage.create(&quiet, &bea, &format!("Once {number}"), false).await;
        }
        stage.import().await;
        stage
    }

    /// Makes a token and remembers its secret.
    pub async fn create(&mut self, account: &str, administrator: &Client, name: &str, recoverable: bool) {
        let new = json!({ "name": name, "primary_contact": user_id(administrator).await });
        let made = administrator.post(&format!("/api/v1/accounts/{account}/tokens"), new).await.expect(201);
        self.known.push(known(account, &made.json(), recoverable));
    }

    async fn import(&mut self) {
        let header = "account_external_id,kind,name,sid,secret_sha256,access,scopes,api_version,primary_contact,state,created_at";
        let mut file = format!("{header}\n");
        for (sid, access) in [("OLD-1", "read_write"), ("OLD-2", "read_only")] {
            let secret = format!("an-old-secret-that-is-long-{sid}");
            let digest = hexadecimal(&Sha256::digest(secret.as_bytes()));
            writeln!(file, "one,brand,Old {sid},{sid},{digest},{access},,13,,enabled,2019-01-01").unwrap();
            let account = self.account.parse().unwrap();
            self.known.push(Known { account, token: None, secret, recoverable: false });
        }
        let request = self.world.operator.request("POST", "/api/v1/import?apply=true");
        request.header("content-type", "text/csv").body(file).send().await.expect(200);
    }

    /// Begins a rotation through the API.
    pub async fn begin(&self, key: &str) {
        let asked = json!({ "key": key });
        self.world.cli().post("/api/v1/keys/rotations", asked).await.expect(202);
    }

    pub async fn keys(&self) -> Value {
        self.world.cli().get("/api/v1/keys").await.expect(200).json()
    }

    /// A copy of all files as they are now, opened. Nothing else writes meanwhile.
    pub async fn copied(&self, change: impl FnOnce(&mut Settings, &Path)) -> Result<Copied, OpenError> {
        let directory = tempfile::tempdir().unwrap();
        for name in ["data", "keys"] {
            let (from, to) = (self.world.directory().join(name), directory.path().join(name));
            fs::create_dir(&to).unwrap();
            fs::set_permissions(&to, fs::Permissions::from_mode(0o700)).unwrap();
            for entry in fs::read_dir(from).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_file() {
                    fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
                }
            }
        }
        // A row of the log that a reader maps is no part of what a crash leaves.
        let _ = fs::remove_file(directory.path().join("data/countersign.db-shm"));
        let mut settings = self.world.app.settings.clone();
        change(&mut settings, directory.path());
        let stop = CancellationToken::new();
        let app = App::open(OpenOptions {
            data_dir: directory.path().join("data"),
            database_url: None,
            keys_dir: directory.path().join("keys"),
            settings,
            clock: self.world.clock.clone(),
            random: Random::seeded(11),
            password_cost: PasswordCost { memory_kib: 8, passes: 1 },
            accept_rollback: false,
            stop: stop.clone(),
        })
        .await?;
        Ok(Copied { app, directory, stop })
    }

    /// Every secret verifies, every recoverable one opens, and nothing made up does.
    pub async fn check(&self, app: &App) {
        for known in &self.known {
            assert!(verifies(app, &known.secret), "{:?} is refused", known.token);
            if known.recoverable {
                assert_eq!(opened(app, known).await, known.secret);
            }
        }
        assert!(!verifies(app, "csign_0000000000000000000000000000000000000"));
        assert!(!verifies(app, "an-old-secret-that-is-long-OLD-3"));
    }
}

pub fn known(account: &str, made: &Value, recoverable: bool) -> Known {
    Known {
        account: account.parse().unwrap(),
        token: Some(made["token"]["id"].as_str().unwrap().parse().unwrap()),
        secret: made["secret"].as_str().unwrap().to_owned(),
        recoverable,
    }
}

/// What the store has of a recoverable secret, opened.
pub async fn opened(app: &App, known: &Known) -> String {
    let account = app.store.account(known.account).await.unwrap().unwrap();
    let token = app.store.within(account.id).token(known.token.unwrap()).await.unwrap().unwrap();
    secrets::open(app, &account, &token).unwrap().expose().to_owned()
}

pub fn verifies(app: &App, secret: &str) -> bool {
    let header = format!("Bearer {secret}");
    let ask = Ask {
        authorization: Authorization::One(header.as_bytes()),
        target: Target::Identity,
        version_headers: &[],
        client_address: None,
        min_seq: None,
    };
    matches!(app.verifier.decide(&ask, app.clock.now()), Decision::Allow(_))
}

/// Works until the rotation is over; answers how many steps it took.
pub async fn finish(app: &App) -> u32 {
    let mut steps = 0;
    while keys::step(app).await.unwrap() == Stepped::More {
        steps += 1;
        assert!(steps < 10_000, "it does not end");
    }
    steps
}

/// The generations of a key by their states, newest first.
pub async fn states(app: &App, kind: KeyKind) -> Vec<(u16, KeyState)> {
    let table = app.store.key_table().await.unwrap();
    let of_kind = table.generations.iter().filter(|one| one.kind == kind);
    of_kind.map(|one| (one.generation, one.state)).collect()
}

/// All bytes of all files of a directory.
pub fn bytes_in(directory: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(bytes_in(&path));
        } else if let Ok(bytes) = fs::read(&path) {
            all.extend(bytes);
        }
    }
    all
}

/// Whether these bytes hold those.
pub fn holds(all: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && memchr::memmem::find(all, part).is_some()
}

/// Bytes as digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
