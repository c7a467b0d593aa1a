//! What an operator may set, each value with the place it came from: flags over environment over one TOML file over
//! defaults. It parses into typed settings and refuses what it does not know; it opens nothing but the file.

mod layers;
mod mail;
mod settings;

pub use layers::{Flags, Source};
pub use settings::{Config, LogFormat};

/// The file that is read when no other is named and this one exists.
pub const DEFAULT_FILE: &str = "/etc/countersign/countersign.toml";
/// What names of variables start with.
pub const ENVIRONMENT_PREFIX: &str = "COUNTERSIGN__";
/// Largest configuration file, in bytes.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// How a value is written in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// A whole number.
    Number,
    /// An array of strings; separated by commas in flags and environment.
    List,
}

/// One thing that can be set.
#[derive(Debug)]
pub struct Key {
    /// Its name in the file, with its section: `listen.management`.
    pub name: &'static str,
    /// How it is written.
    pub shape: Shape,
    /// What holds when nobody says anything; empty where it follows from another value.
    pub default: &'static str,
    /// What it is, in a sentence.
    pub meaning: &'static str,
}

impl Key {
    /// The variable that sets it: `COUNTERSIGN__LISTEN__MANAGEMENT`.
    pub fn variable(&self) -> String {
        format!("{ENVIRONMENT_PREFIX}{}", self.name.replace('.', "__").to_ascii_uppercase())
    }

    /// The flag that sets it: `--listen-management`.
    pub fn flag(&self) -> String {
        format!("--{}", self.name.replace(['.', '_'], "-"))
    }
}

/// Everything that can be set. The book's table is checked against this one.
pub const KEYS: [Key; 32] = [
    key("listen.management", Shape::Text, "127.0.0.1:8470", "Address of the console and the management API."),
    key("listen.data_plane", Shape::Text, "127.0.0.1:8471", "Address of verify, forward-auth and whoami."),
    key(
        "listen.http2",
        Shape::Text,
        "yes",
        "`yes`: the data plane speaks HTTP/2 without TLS beside HTTP/1.1; `no`: HTTP/1.1 only.",
    ),
    key("listen.threads", Shape::Number, "0", "Threads of the data plane; 0: one for each processor."),
    key("listen.health", Shape::Text, "127.0.0.1:8472", "Address of health checks and metrics."),
    key(
        "public_url",
        Shape::Text,
        "http://localhost:8470",
        "What people type to reach the console; cookies, Origin checks and links use it. The port follows \
         `listen.management`.",
    ),
    key("data_dir", Shape::Text, "./data", "Directory of the database, the lock and the socket."),
    key(
        "database_url",
        Shape::Text,
        "",
        "Address postgres://… of a PostgreSQL that keeps the data; in data_dir unless set. Its password is never printed.",
    ),
    key("keys_dir", Shape::Text, "", "Directory of the keys; beside data_dir unless set."),
    key("secret_prefix", Shape::Text, "csign_", "What new Auth Tokens start with."),
    key("former_prefixes", Shape::List, "", "Prefixes of Auth Tokens from before, still accepted."),
    key(
        "reveal",
        Shape::Text,
        "recoverable",
        "`recoverable`: a stored Auth Token can be shown again; `once`: no account's can.",
    ),
    key(
        "trusted_proxies",
        Shape::List,
        "",
        "Networks whose X-Forwarded-For the management listener believes.",
    ),
    key(
        "session.idle_secs",
        Shape::Number,
        "1800",
        "A console session ends after so many seconds without use.",
    ),
    key(
        "session.absolute_secs",
        Shape::Number,
        "43200",
        "A console session ends after so many seconds, used or not.",
    ),
    key("webhooks.ports", Shape::List, "443,8443", "Ports that webhooks may lead to."),
    key(
        "webhooks.plain_http",
        Shape::Text,
        "no",
        "`yes`: webhooks may lead to http:// too, where everybody on the way reads what is sent.",
    ),
    key(
        "webhooks.allow_networks",
        Shape::List,
        "",
        "Networks that webhooks may lead to although they are not of the public internet.",
    ),
    key(
        "audit.checkpoint_file",
        Shape::Text,
        "",
        "File that signed checkpoints of the audit trail are added to, best on a disk of its own.",
    ),
    key(
        "audit.retention_days",
        Shape::Number,
        "0",
        "Days after which entries of the audit trail are removed; 0 keeps them for ever.",
    ),
    key(
        "mail.server",
        Shape::Text,
        "",
        "Mail server, as host:port; without one nothing is mailed, and all of it is kept.",
    ),
    key(
        "mail.tls",
        Shape::Text,
        "starttls",
        "`starttls`: required, a server without it gets nothing; `tls`: from the first byte; `none`: only to a server on this machine.",
    ),
    key(
        "mail.insecure",
        Shape::Text,
        "no",
        "`yes`: `none` is also allowed to other machines, and everybody on the way reads along.",
    ),
    key("mail.user", Shape::Text, "", "Who signs in to the mail server; empty where it asks nobody."),
    key("mail.password", Shape::Text, "", "The password of mail.user; never printed. Better in a file."),
    key(
        "mail.password_file",
        Shape::Text,
        "",
        "File whose first line is the password of mail.user, read for each letter.",
    ),
    key(
        "mail.ca_file",
        Shape::Text,
        "",
        "Certificates (PEM) to trust beside those of the system when talking to the mail server.",
    ),
    key("mail.from", Shape::Text, "", "Who letters are from: an address, or a name and an address."),
    key("mail.reply_to", Shape::Text, "", "Where answers to letters go; to the sender unless set."),
    key(
        "mail.timeout_secs",
        Shape::Number,
        "30",
        "Seconds the mail server may take to connect, and for each answer.",
    ),
    key(
        "log.level",
        Shape::Text,
        "info",
        "What is logged: error, warn, info, debug, trace, or a filter such as `info,countersign_store=debug`.",
    ),
    key("log.format", Shape::Text, "json", "`json` or `text`; both to standard error."),
];

const fn key(name: &'static str, shape: Shape, default: &'static str, meaning: &'static str) -> Key {
    Key { name, shape, default, meaning }
}

/// Everything wrong with a configuration, a sentence each.
#[derive(Debug, thiserror::Error)]
#[error("{}", .problems.join("\n"))]
pub struct ConfigError {
    /// The sentences; never empty.
    pub problems: Vec<String>,
}
