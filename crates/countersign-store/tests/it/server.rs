//! A real PostgreSQL for tests: one server for each set of tests, started when the first database is asked for, and ended
//! with the process, however that ends. Each test has a database of its own, copied from one that is new and opened once.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
    mpsc,
};
use std::{path::PathBuf, time::Duration};

use countersign_store::Store;
use rusqlite::types::Value;
use tokio_postgres::{Client, NoTls, types::Type};

pub use super::cluster::Server;

const TRIES: u32 = 600;

static SERVER: OnceLock<Server> = OnceLock::new();
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A database of one test.
pub struct Database {
    name: String,
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
        server().socket()
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
