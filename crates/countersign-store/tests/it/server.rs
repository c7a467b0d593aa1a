//! A real PostgreSQL for tests: one server for each set of tests, started when the first database is asked for, and ended
//! with the process, however that ends. Each test has a database of its own, copied from one that is new and opened once.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};

use countersign_store::Store;
use rusqlite::types::Value;
use tokio_postgres::{Client, NoTls, types::Type};

/// Who a server runs as where the tests run as root, which PostgreSQL refuses: `nobody`.
const NOBODY: u32 = 65_534;
const TRIES: u32 = 600;

static SERVER: OnceLock<Server> = OnceLock::new();
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A server. It ends when the pipe to the shell beside it is closed, which happens however this process ends.
pub struct Server {
    directory: PathBuf,
    keeper: Child,
}

/// A database of one test.
pub struct Database {
    name: String,
}

/// Where the programs of a PostgreSQL server are.
pub fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").exists())
        .collect();
    found.sort();
    let newest = found.pop().map(|(_, bin)| bin);
    newest
        .expect("there is no PostgreSQL here: run scripts/install-debian-packages, or install postgresql-15")
}

impl Server {
    /// Makes and starts a server in a directory of its own, with these settings besides.
    pub fn start(settings: &[&str]) -> Self {
        let directory = tempfile::Builder::new().prefix("countersign-pg-").tempdir().unwrap().keep();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
        let is_root = fs::metadata(&directory).unwrap().uid() == 0;
        if is_root {
            chown(&directory, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let server = Self { keeper: launch(&directory, is_root, settings), directory };
        for _ in 0..TRIES {
            if run(&server.url("postgres"), "select 1").is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(50)); // poll
        }
        let log = fs::read_to_string(server.directory.join("log")).unwrap_or_default();
        panic!("PostgreSQL did not start: {log}");
    }

    pub fn url(&self, database: &str) -> String {
        format!("postgresql:///{database}?host={}&user=countersign", self.directory.display())
    }

    /// Ends it, and waits until it has ended.
    pub fn stop(mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().unwrap();
    }
}

/// A shell that makes the server, starts it, and ends it when we are gone.
fn launch(directory: &Path, is_root: bool, settings: &[&str]) -> Child {
    let settings = settings.iter().fold(String::new(), |text, setting| text + " -c " + setting);
    let script = format!(
        "cd '{at}' && {{ '{bin}/initdb' --no-sync --auth=trust --username=countersign --encoding=UTF8 --locale=C \
         --pgdata=data && '{bin}/postgres' -D data -c listen_addresses= -c unix_socket_directories='{at}' \
         -c max_connections=300 -c wal_level=minimal -c max_wal_senders=0 -c jit=off{settings} & }} >log 2>&1
         server=$!; read -r gone; kill -INT $(head -n 1 data/postmaster.pid); wait $server; rm -rf '{at}'",
        at = directory.display(),
        bin = programs().display(),
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    if is_root {
        command.uid(NOBODY).gid(NOBODY);
    }
    // What a terminal sends to us would end the server before the tests are done with it.
    command.process_group(0);
    command.spawn().unwrap()
}

impl Database {
    pub fn new() -> Self {
        Self::copied("fresh")
    }

    /// A database nobody has opened yet.
    pub fn empty() -> Self {
        Self::copied("template1")
    }

    fn copied(template: &str) -> Self {
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        run(&server().url("postgres"), &format!("create database {name} template {template}")).unwrap();
        Self { name }
    }

    pub fn url(&self) -> String {
        server().url(&self.name)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the server of these databases listens.
    pub fn socket() -> PathBuf {
        server().directory.join(".s.PGSQL.5432")
    }

    pub fn copy(&self) -> Self {
        self.let_go();
        Self::copied(&self.name)
    }

    /// Is as the other one is.
    pub fn become_as(&self, other: &Self) {
        self.drop();
        let sql = format!("create database {} template {}", self.name, other.name);
        run(&server().url("postgres"), &sql).unwrap();
    }

    /// Ends every connection, as a server that is started again does.
    pub fn let_go(&self) {
        let sql =
            format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{}'", self.name);
        run(&server().url("postgres"), &sql).unwrap();
        let left = format!("select count(*) from pg_stat_activity where datname = '{}'", self.name);
        for _ in 0..TRIES {
            if rows(&server().url("postgres"), &left)[0][0] == Value::Integer(0) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5)); // poll
        }
        panic!("connections to {} do not end", self.name);
    }

    fn drop(&self) {
        let sql = format!("drop database if exists {} with (force)", self.name);
        let _ = run(&server().url("postgres"), &sql);
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        Self::drop(self);
    }
}

/// The server of this set of tests.
fn server() -> &'static Server {
    SERVER.get_or_init(|| {
        let server = Server::start(&[]);
        run(&server.url("postgres"), "create database fresh").unwrap();
        drop(Store::open_postgres(&server.url("fresh"), &super::opening()).unwrap());
        server
    })
}

/// Runs statements on a connection of their own.
pub fn run(url: &str, sql: &str) -> Result<(), String> {
    let sql = sql.to_owned();
    on(url, async move |client| client.batch_execute(&sql).await)
}

/// Every row with its columns.
pub fn rows(url: &str, sql: &str) -> Vec<Vec<Value>> {
    let sql = sql.to_owned();
    let rows = on(url, async move |client| client.query(&sql, &[]).await).unwrap();
    rows.iter().map(cells).collect()
}

fn cell(row: &tokio_postgres::Row, index: usize) -> Value {
    let value = match *row.columns()[index].type_() {
        Type::INT8 => row.get::<_, Option<i64>>(index).map(Value::Integer),
        Type::INT4 => row.get::<_, Option<i32>>(index).map(|number| Value::Integer(number.into())),
        Type::BYTEA => row.get::<_, Option<Vec<u8>>>(index).map(Value::Blob),
        _ => row.get::<_, Option<String>>(index).map(Value::Text),
    };
    value.unwrap_or(Value::Null)
}

/// Rows, or what the server says.
type Answer = Result<Vec<Vec<Value>>, String>;

/// A connection that is kept, for many statements one after another. It lives in a thread of its own.
pub struct Line {
    asks: mpsc::Sender<(String, mpsc::Sender<Answer>)>,
}

impl Line {
    pub fn to(url: &str) -> Self {
        let (asks, asked) = mpsc::channel::<(String, mpsc::Sender<Answer>)>();
        let url = url.to_owned();
        std::thread::spawn(move || {
            let _ = on(&url, async move |client| {
                for (sql, reply) in asked {
                    // Only what asks for rows can be asked so that they are answered as they are.
                    let answer = if sql.starts_with("select") {
                        client.query(&sql, &[]).await.map(|rows| rows.iter().map(cells).collect())
                    } else {
                        client.batch_execute(&sql).await.map(|()| Vec::new())
                    };
                    let _ = reply.send(answer.map_err(|error| said(&error)));
                }
                Ok(())
            });
        });
        Self { asks }
    }

    pub fn ask(&self, sql: &str) -> Answer {
        let (reply, answer) = mpsc::channel();
        self.asks.send((sql.to_owned(), reply)).unwrap();
        answer.recv().unwrap()
    }
}

fn cells(row: &tokio_postgres::Row) -> Vec<Value> {
    (0..row.len()).map(|index| cell(row, index)).collect()
}

fn said(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |told| told.message().to_owned())
}

/// A thread of its own, because whoever asks may be part of a runtime.
fn on<T: Send + 'static>(
    url: &str,
    work: impl AsyncFnOnce(Client) -> Result<T, tokio_postgres::Error> + Send + 'static,
) -> Result<T, String> {
    let url = url.to_owned();
    let asking = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
            let driving = tokio::spawn(connection);
            let answer = work(client).await;
            // The client is gone, so the connection says goodbye and ends.
            let _ = driving.await;
            answer
        })
    });
    asking.join().unwrap().map_err(|error| said(&error))
}
