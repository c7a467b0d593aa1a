//! The database that is changed: every kind of row, a history of earlier states, and the anchor beside the keys.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use countersign_server::{
    app::{App, Settings},
    clock::Clock,
    http::{Door, management},
    keys::KeyFiles,
    node::AnchorFile,
    open::{DATABASE_FILE, OpenOptions},
    ops::passwords::PasswordCost,
    random::Random,
};
use countersign_store::{Opening, RowKey, Store};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::asks::{Asks, Caller};
use crate::harness::{ADMINISTRATOR, ANALYST, Client, PASSWORD, SPECIALIST, World, user_id};

/// A closed installation, and what may be asked of it.
pub struct Scene {
    /// The database as it was closed, and as it was before, oldest first.
    pub database: Vec<u8>,
    pub history: Vec<PathBuf>,
    /// The covered tables with their columns, primary key first.
    pub tables: Vec<Table>,
    asks: Asks,
    settings: Settings,
    clock: Clock,
    row_keys: Vec<RowKey>,
    anchored: Opening,
    directory: TempDir,
}

/// A table of the database.
pub struct Table {
    pub name: String,
    pub key: Vec<String>,
    pub columns: Vec<String>,
    pub rows: i64,
}

/// A copy of the database, in a data directory of its own.
pub struct Copy {
    directory: TempDir,
}

impl Copy {
    pub fn path(&self) -> PathBuf {
        self.directory.path().join(DATABASE_FILE)
    }
}

impl Scene {
    pub async fn make() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let world = World::new().await;
        let mut history = Vec::new();
        let mut remember = async |world: &World| {
            let path = directory.path().join(format!("history-{}.db", history.len()));
            world.app.store.backup_to(&path).await.unwrap();
            history.push(path);
        };
        let mut asks = Asks::default();
        remember(&world).await;
        let account = people(&world, &mut asks).await;
        remember(&world).await;
        let tokens = tokens(&world, &account, &mut asks).await;
        remember(&world).await;
        changes(&world, &account, &tokens, &mut asks).await;
        asks.accounts.push(account);
        world.app.close().await.unwrap();
        Self::of(&world, directory, history, asks)
    }

    fn of(world: &World, directory: TempDir, history: Vec<PathBuf>, asks: Asks) -> Self {
        let (data, keys) = (world.directory().join("data"), directory.path().join("keys"));
        copy_directory(&world.directory().join("keys"), &keys);
        let files = KeyFiles::open(&keys, &data, false, &Random::seeded(1)).unwrap();
        let row_keys = files.row_keys().unwrap();
        let anchor = AnchorFile::beside(&keys).read(&row_keys).unwrap();
        assert!(anchor.is_some(), "an anchor lies beside the keys");
        let path = data.join(DATABASE_FILE);
        Self {
            database: fs::read(&path).unwrap(),
            tables: tables(&Connection::open(&path).unwrap()),
            history,
            asks,
            settings: world.app.settings.clone(),
            clock: world.clock.clone(),
            anchored: Opening::with_keys(row_keys.clone()).held_to(anchor),
            row_keys,
            directory,
        }
    }

    /// A copy that may be changed.
    pub fn copy(&self) -> Copy {
        // In memory, where there is such a place: thousands of copies wait for no disk.
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let directory = tempfile::tempdir_in(place).unwrap();
        fs::write(directory.path().join(DATABASE_FILE), &self.database).unwrap();
        Copy { directory }
    }

    /// Runs statements on a copy past the store; answers how many rows they changed.
    pub fn sql(&self, copy: &Copy, sql: &str) -> rusqlite::Result<u64> {
        let connection = Connection::open(copy.path())?;
        connection.execute_batch(
            "pragma synchronous = off; pragma foreign_keys = off; pragma ignore_check_constraints = on",
        )?;
        for (place, path) in self.history.iter().enumerate() {
            connection.execute_batch(&format!("attach '{}' as history{place}", path.display()))?;
        }
        let before = connection.total_changes();
        connection.execute_batch(sql)?;
        Ok(connection.total_changes() - before)
    }

    /// Whether the check at start refuses the copy.
    pub fn is_refused(&self, copy: &Copy) -> bool {
        Store::inspect_sqlite(&copy.path(), &self.anchored).is_err()
    }

    /// Opens a copy as a server does and asks everything; `Err` where it does not open.
    pub async fn allowed(&self, copy: &Copy) -> Result<BTreeSet<String>, String> {
        let stop = CancellationToken::new();
        let _stop = stop.clone().drop_guard();
        let opened = App::open(OpenOptions {
            data_dir: copy.directory.path().to_owned(),
            database_url: None,
            keys_dir: self.directory.path().join("keys"),
            settings: self.settings.clone(),
            clock: self.clock.clone(),
            random: Random::seeded(11),
            password_cost: PasswordCost { memory_kib: 8, passes: 1 },
            accept_rollback: false,
            stop,
        });
        let app = opened.await.map_err(|error| error.to_string())?;
        Ok(self.asks.allowed(&app, management(Arc::clone(&app), Door::Public)).await)
    }

    /// Stamps a copy with the key, as if all of it were ours.
    pub fn stamp(&self, copy: &Copy) {
        self.sql(copy, "update cluster set mac = null").unwrap();
        drop(Store::open_sqlite(&copy.path(), &Opening::with_keys(self.row_keys.clone())).unwrap());
    }
}

/// An operator, machines, and an account with people of three roles; answers the account.
async fn people(world: &World, asks: &mut Asks) -> String {
    let account = world.account("crm-1").await;
    let other = world.account("crm-2").await;
    let off = json!({ "external_id": "crm-3", "kind": "brand", "name": "Access off", "api_access": true });
    let off = world.operator.post("/api/v1/accounts", off).await.expect(201).json();
    let administrator = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    let specialist = world.member(&account, "sam@example.com", SPECIALIST).await;
    let analyst = world.member(&account, "ann@example.com", ANALYST).await;
    let neighbour = world.member(&other, "ned@example.com", ADMINISTRATOR).await;
    let closed_id = off["account"]["id"].as_str().unwrap().to_owned();
    let closed = world.member(&closed_id, "cleo@example.com", ADMINISTRATOR).await;
    let platform = world.platform("billing").await;
    let gateway = json!({ "name": "edge-1", "peers": ["10.0.0.0/24"] });
    world.operator.post("/api/v1/gateways", gateway).await.expect(201);
    let invitation = json!({ "email": "ivy@example.com", "role": ANALYST });
    world.operator.post(&format!("/api/v1/accounts/{account}/invitations"), invitation).await.expect(201);
    let contact = user_id(&closed).await;
    let token =
        json!({ "name": "Behind a switch", "primary_contact": contact, "scopes": ["brand.actions.list"] });
    let path = format!("/api/v1/accounts/{closed_id}");
    let made = closed.post(&format!("{path}/tokens"), token).await.expect(201).json();
    asks.secrets.push(("behind a switch", made["secret"].as_str().unwrap().to_owned()));
    world.operator.post(&format!("{path}/api-access"), json!({ "enabled": false })).await.expect(200);
    asks.callers = [
        ("operator", &world.operator),
        ("administrator", &administrator),
        ("specialist", &specialist),
        ("analyst", &analyst),
        ("neighbour", &neighbour),
        ("platform", &platform),
    ]
    .map(|(name, client)| Caller { name, client: client.clone() })
    .into();
    asks.accounts.push(other);
    asks.accounts.push(closed_id);
    account
}

/// Tokens of every state; answers them by name.
async fn tokens(world: &World, account: &str, asks: &mut Asks) -> Vec<Value> {
    let administrator = administrator(asks);
    let contact = user_id(&administrator).await;
    let path = format!("/api/v1/accounts/{account}/tokens");
    let mut made = Vec::new();
    for (name, more) in [
        ("plain", json!({ "scopes": ["brand.actions.list", "brand.actions.get"] })),
        ("disabled", json!({ "scopes": ["brand.actions.list", "brand.actions.update"] })),
        ("at home", json!({ "scopes": ["brand.actions.list"], "addresses": ["203.0.113.0/24"] })),
        ("ending", json!({ "scopes": ["brand.actions.list"], "expires_at": "2026-06-15T12:30:00Z" })),
        ("old", json!({ "scopes": ["brand.actions.list"], "api_version": 12 })),
        ("manager", json!({ "scopes": ["brand.tokens.view"] })),
        ("reset", json!({ "scopes": ["brand.actions.list"] })),
        ("deleted", json!({ "scopes": ["brand.actions.list"] })),
    ] {
        let mut new = more;
        new["name"] = json!(name);
        new["primary_contact"] = json!(contact);
        let answer = administrator.post(&path, new).await.expect(201).json();
        asks.secrets.push((name, answer["secret"].as_str().unwrap().to_owned()));
        if name == "manager" {
            let client = world.bearer(answer["secret"].as_str().unwrap());
            asks.callers.push(Caller { name: "manager", client });
        }
        made.push(answer);
    }
    made
}

/// What came later: some are disabled, one is reset, one is gone, somebody is no operator any more.
async fn changes(world: &World, account: &str, tokens: &[Value], asks: &mut Asks) {
    let path = |name: &str, deed: &str| {
        let token = tokens.iter().find(|made| made["token"]["name"] == *name).unwrap();
        format!("/api/v1/accounts/{account}/tokens/{}{deed}", token["token"]["id"].as_str().unwrap())
    };
    world.operator.post(&path("disabled", "/disable"), json!({})).await.expect(200);
    world.operator.post(&path("reset", "/reset"), json!({ "confirm": true })).await.expect(200);
    let gone = path("deleted", "");
    let edit = world.operator.get(&gone).await.expect(200);
    let etag = edit.headers.get("etag").unwrap().to_str().unwrap().to_owned();
    let deleted = world
        .operator
        .request("DELETE", &format!("{gone}?confirm_name=deleted"))
        .header("if-match", &etag)
        .send()
        .await;
    assert!(deleted.status.is_success(), "{}", deleted.text());
    // Time goes on: a token ended, and everybody signs in anew.
    world.clock.advance_secs(3_600);
    for caller in &mut asks.callers {
        let email = match caller.name {
            "operator" => "operator@example.com",
            "administrator" => "ada@example.com",
            "specialist" => "sam@example.com",
            "analyst" => "ann@example.com",
            "neighbour" => "ned@example.com",
            _ => continue,
        };
        caller.client = world.signed_in(&world.sign_in(email, PASSWORD).await.expect(201));
    }
}

fn administrator(asks: &Asks) -> Client {
    asks.callers.iter().find(|caller| caller.name == "administrator").unwrap().client.clone()
}

fn copy_directory(from: &Path, to: &Path) {
    use std::os::unix::fs::DirBuilderExt as _;

    fs::DirBuilder::new().mode(0o700).create(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// The tables whose rows carry a MAC.
fn tables(connection: &Connection) -> Vec<Table> {
    let names = |sql: &str| -> Vec<String> {
        let mut prepared = connection.prepare(sql).unwrap();
        prepared.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let all = names("select name from sqlite_schema where type = 'table' order by name");
    let mut tables = Vec::new();
    for name in all.into_iter().filter(|name| name != "cluster") {
        let columns = names(&format!("select name from pragma_table_info('{name}')"));
        if columns.iter().any(|column| column == "mac") {
            let key =
                names(&format!("select name from pragma_table_info('{name}') where pk > 0 order by pk"));
            let rows = connection.query_row(&format!("select count(*) from {name}"), [], |row| row.get(0));
            tables.push(Table { name, key, columns, rows: rows.unwrap() });
        }
    }
    tables
}
