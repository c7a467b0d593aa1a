//! The configuration with its types: what every command works with. A value that cannot be meant is refused with the
//! place it came from.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    thread,
};

use countersign_model::secret::{SecretFormat, SecretPrefix};
use countersign_server::{app, limits::DATA_PLANE_THREADS_MAX, mail::MailSettings, webhooks};
use countersign_store::DatabaseUrl;
use ipnet::IpNet;
use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;

use super::{
    ConfigError, KEYS, Source,
    layers::{self, Flags, Values},
    mail,
};

/// Longest a session may live, in seconds: 90 days.
const SESSION_SECS_MAX: i64 = 90 * 24 * 3600;
/// Shortest a session may live, in seconds.
const SESSION_SECS_MIN: i64 = 60;
/// Shortest time entries of the audit trail are kept, in days.
const RETENTION_DAYS_MIN: u32 = 30;
/// Longest time that can be set, in days; who wants longer keeps them for ever.
const RETENTION_DAYS_MAX: u32 = 36_500;
/// What is shown in place of a secret.
const REDACTED: &str = "[redacted]";
/// Most entries of a list.
const LIST_MAX: usize = 100;

/// Everything configured.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the console and the management API listen.
    pub management: SocketAddr,
    /// Where verify, forward-auth and whoami listen.
    pub data_plane: SocketAddr,
    /// Whether the data plane speaks HTTP/2 beside HTTP/1.1.
    pub http2: bool,
    /// Threads of the data plane.
    pub threads: usize,
    /// Where health checks and metrics listen.
    pub health: SocketAddr,
    /// What people type, without a slash at the end.
    pub public_url: String,
    /// Where the database is, unless it is on a server, and what belongs to the process.
    pub data_dir: PathBuf,
    /// The database on a PostgreSQL server.
    pub database_url: Option<DatabaseUrl>,
    /// Where the keys are.
    pub keys_dir: PathBuf,
    /// The prefixes of secrets.
    pub format: SecretFormat,
    /// Whether stored secrets can be shown again.
    pub reveal: RevealDefault,
    /// Proxies in front of the management listener.
    pub trusted_proxies: Vec<IpNet>,
    /// Seconds without use after which a session ends.
    pub session_idle_secs: i64,
    /// Seconds after which a session ends.
    pub session_secs: i64,
    /// Where webhooks may lead.
    pub webhooks: webhooks::Policy,
    /// Where signed checkpoints of the audit trail are added.
    pub checkpoint_file: Option<PathBuf>,
    /// Days after which entries of the audit trail are removed.
    pub audit_retention_days: Option<u32>,
    /// The mail server; `None` where there is none.
    pub mail: Option<MailSettings>,
    /// The filter of the log.
    pub log_level: String,
    /// The form of the log.
    pub log_format: LogFormat,
    values: Values,
}

/// Whether stored secrets can be shown again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevealDefault {
    /// The account decides.
    Recoverable,
    /// No account's can.
    Once,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A JSON object a line.
    Json,
    /// For reading.
    Text,
}

/// One line of `config print`.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The key.
    pub name: &'static str,
    /// The value in force.
    pub value: String,
    /// Where it came from.
    pub source: Source,
    /// What it is.
    pub meaning: &'static str,
}

impl Shown {
    /// As an object of a list.
    pub fn as_json(&self) -> Value {
        json!({ "key": self.name, "value": self.value, "source": self.source.to_string(), "meaning": self.meaning })
    }
}

impl Config {
    /// Lays the layers and reads every value. Tells everything that is wrong at once.
    pub fn resolve(flags: &Flags, environment: &[(String, String)]) -> Result<Self, ConfigError> {
        let values = layers::lay(flags, environment)?;
        let mut reading = Reading { values: &values, problems: Vec::new() };
        let data_dir = PathBuf::from(reading.text("data_dir"));
        let keys_dir = match reading.text("keys_dir") {
            "" => beside(&data_dir),
            named => PathBuf::from(named),
        };
        let format = reading.format();
        let management = reading.address("listen.management");
        let public_url = reading.public_url(management.port());
        let mail = mail::read(&mut reading, &public_url);
        let config = Self {
            management,
            data_plane: reading.address("listen.data_plane"),
            http2: reading.chosen("listen.http2", [("yes", true), ("no", false)]),
            threads: reading.threads(),
            health: reading.address("listen.health"),
            public_url,
            data_dir,
            database_url: reading.database_url(),
            keys_dir,
            format,
            reveal: reading.chosen(
                "reveal",
                [("recoverable", RevealDefault::Recoverable), ("once", RevealDefault::Once)],
            ),
            trusted_proxies: reading.networks("trusted_proxies"),
            session_idle_secs: reading.seconds("session.idle_secs"),
            session_secs: reading.seconds("session.absolute_secs"),
            webhooks: reading.webhooks(),
            checkpoint_file: reading.path("audit.checkpoint_file"),
            audit_retention_days: reading.retention(),
            mail,
            log_level: reading.level(),
            log_format: reading.chosen("log.format", [("json", LogFormat::Json), ("text", LogFormat::Text)]),
            values: Values::new(),
        };
        let problems = reading.problems;
        if problems.is_empty() {
            Ok(Self { values: without_secrets(values), ..config })
        } else {
            Err(ConfigError { problems })
        }
    }

    /// What the server is told.
    pub fn app_settings(&self) -> app::Settings {
        app::Settings {
            public_url: self.public_url.clone(),
            http2: self.http2,
            format: self.format.clone(),
            reveal_once: self.reveal == RevealDefault::Once,
            trusted_proxies: self.trusted_proxies.clone(),
            session_idle_secs: self.session_idle_secs,
            session_secs: self.session_secs,
            mail: self.mail.clone(),
            checkpoint_file: self.checkpoint_file.clone(),
            audit_retention_days: self.audit_retention_days,
            webhooks: webhooks::Policy {
                own: vec![self.management, self.data_plane, self.health],
                ..self.webhooks.clone()
            },
        }
    }

    /// Where a value came from.
    pub fn source(&self, name: &str) -> Source {
        self.values.get(name).map_or(Source::Default, |value| value.source.clone())
    }

    /// Every key with its value in force and where it came from.
    pub fn shown(&self) -> Vec<Shown> {
        KEYS.iter()
            .map(|key| {
                let text = self.values.get(key.name).map(|value| value.text.clone()).unwrap_or_default();
                let value = match key.name {
                    "keys_dir" => self.keys_dir.display().to_string(),
                    "public_url" => self.public_url.clone(),
                    _ => text,
                };
                Shown { name: key.name, value, source: self.source(key.name), meaning: key.meaning }
            })
            .collect()
    }

    /// The lock of the data directory.
    pub fn lock_file(&self) -> PathBuf {
        self.data_dir.join("countersign.lock")
    }

    /// The socket commands talk to a running server through.
    pub fn socket(&self) -> PathBuf {
        self.data_dir.join("countersign.sock")
    }

    /// Where the one-time code for the first operator is left.
    pub fn bootstrap_file(&self) -> PathBuf {
        self.data_dir.join("bootstrap-code")
    }
}

/// The values as they may be shown.
fn without_secrets(mut values: Values) -> Values {
    if let Some(password) = values.get_mut("mail.password").filter(|password| !password.text.is_empty()) {
        REDACTED.clone_into(&mut password.text);
    }
    if let Some(url) = values.get_mut("database_url").filter(|url| !url.text.is_empty()) {
        // One that is not understood was refused before this is shown to anybody.
        url.text = DatabaseUrl::parse(&url.text).map_or_else(|_| REDACTED.to_owned(), |url| url.to_string());
    }
    values
}

/// Where keys are when nobody says: beside the data, so that a copy of the data directory never holds them.
fn beside(data_dir: &Path) -> PathBuf {
    match data_dir.file_name().and_then(|name| name.to_str()) {
        Some("data") | None => data_dir.with_file_name("keys"),
        Some(name) => data_dir.with_file_name(format!("{name}-keys")),
    }
}

/// Reads values and gathers what is wrong with them.
pub(super) struct Reading<'v> {
    values: &'v Values,
    problems: Vec<String>,
}

impl<'v> Reading<'v> {
    pub(super) fn text(&self, name: &str) -> &'v str {
        self.values.get(name).map_or("", |value| value.text.as_str())
    }

    pub(super) fn refuse(&mut self, name: &str, wanted: &str) {
        let (text, source) = self
            .values
            .get(name)
            .map_or(("", &Source::Default), |value| (value.text.as_str(), &value.source));
        self.problems.push(format!("{name} = {text:?} (from {source}) is not {wanted}"));
    }

    /// The address of a database, of which nothing that is refused is printed: it may hold a password.
    fn database_url(&mut self) -> Option<DatabaseUrl> {
        let value = self.values.get("database_url").filter(|value| !value.text.is_empty())?;
        match DatabaseUrl::parse(&value.text) {
            Ok(url) if url.has_password() && matches!(value.source, Source::Flag(_)) => {
                self.problems.push(
                    "database_url: every user of the machine can list the flags of a process; put an address with a \
                     password into the configuration file or into COUNTERSIGN__DATABASE_URL"
                        .to_owned(),
                );
                None
            }
            Ok(url) => Some(url),
            Err(cause) => {
                self.problems.push(format!("database_url (from {}): {cause}", value.source));
                None
            }
        }
    }

    /// Threads of the data plane.
    fn threads(&mut self) -> usize {
        let available = || thread::available_parallelism().map_or(1, usize::from).min(DATA_PLANE_THREADS_MAX);
        match self.text("listen.threads").parse() {
            Ok(0) => available(),
            Ok(threads) if threads <= DATA_PLANE_THREADS_MAX => threads,
            _ => {
                self.refuse(
                    "listen.threads",
                    &format!("a number of threads up to {DATA_PLANE_THREADS_MAX}, or 0"),
                );
                1
            }
        }
    }

    /// A listener's address. What is answered beside a noted problem is never used.
    fn address(&mut self, name: &str) -> SocketAddr {
        self.text(name).parse().unwrap_or_else(|_| {
            self.refuse(name, "an address and a port, such as 127.0.0.1:8470 or [::1]:8470");
            SocketAddr::from(([127, 0, 0, 1], 0))
        })
    }

    pub(super) fn chosen<T: Copy, const N: usize>(&mut self, name: &str, choices: [(&str, T); N]) -> T {
        let text = self.text(name);
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text) {
            return *value;
        }
        let words: Vec<String> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
        self.refuse(name, &words.join(" or "));
        choices[0].1
    }

    fn entries(&mut self, name: &str) -> Vec<&'v str> {
        let entries: Vec<&str> =
            self.text(name).split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
        if entries.len() > LIST_MAX {
            self.refuse(name, &format!("a list of at most {LIST_MAX}"));
            return Vec::new();
        }
        entries
    }

    fn networks(&mut self, name: &str) -> Vec<IpNet> {
        let read: Result<Vec<IpNet>, ()> = self.entries(name).into_iter().map(network).collect();
        read.unwrap_or_else(|()| {
            self.refuse(name, "a list of networks, such as 10.0.0.0/8,fd00::/8");
            Vec::new()
        })
    }

    fn seconds(&mut self, name: &str) -> i64 {
        let seconds = self.text(name).parse().unwrap_or(0);
        if !(SESSION_SECS_MIN..=SESSION_SECS_MAX).contains(&seconds) {
            self.refuse(name, &format!("a number of seconds from {SESSION_SECS_MIN} to {SESSION_SECS_MAX}"));
        }
        seconds
    }

    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        Some(self.text(name)).filter(|path| !path.is_empty()).map(PathBuf::from)
    }

    fn retention(&mut self) -> Option<u32> {
        let name = "audit.retention_days";
        match self.text(name).parse() {
            Ok(0) => None,
            Ok(days) if (RETENTION_DAYS_MIN..=RETENTION_DAYS_MAX).contains(&days) => Some(days),
            _ => {
                let wanted =
                    format!("0, or a number of days from {RETENTION_DAYS_MIN} to {RETENTION_DAYS_MAX}");
                self.refuse(name, &wanted);
                None
            }
        }
    }

    fn webhooks(&mut self) -> webhooks::Policy {
        let name = "webhooks.ports";
        let ports: Result<Vec<u16>, _> = self.entries(name).into_iter().map(str::parse).collect();
        let ports = ports.ok().filter(|ports| !ports.is_empty() && !ports.contains(&0));
        let ports = ports.unwrap_or_else(|| {
            self.refuse(name, "a list of ports, such as 443,8443");
            Vec::new()
        });
        webhooks::Policy {
            plain_http: self.chosen("webhooks.plain_http", [("no", false), ("yes", true)]),
            ports,
            allow_networks: self.networks("webhooks.allow_networks"),
            ..webhooks::Policy::default()
        }
    }

    fn level(&mut self) -> String {
        let level = self.text("log.level");
        if EnvFilter::try_new(level).is_err() {
            self.refuse("log.level", "a level (error, warn, info, debug, trace) or a filter");
        }
        level.to_owned()
    }

    /// Where people reach the console; who only moved the listener reaches it on the listener's port.
    fn public_url(&mut self, port: u16) -> String {
        let is_default = self.values.get("public_url").is_none_or(|value| value.source == Source::Default);
        if is_default && port != 0 {
            return format!("http://localhost:{port}");
        }
        let url = self.text("public_url").trim_end_matches('/');
        let parsed = url.parse::<http::Uri>().ok().filter(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some()
                && uri.path() == "/"
                && uri.query().is_none()
        });
        if parsed.is_none() || url.contains('@') {
            self.refuse("public_url", "an address such as https://tokens.example.com, without a path");
        }
        url.to_owned()
    }

    fn format(&mut self) -> SecretFormat {
        let wanted = "a lower-case letter, 4 to 14 lower-case letters or digits, and an underscore";
        let former: Result<Vec<SecretPrefix>, _> =
            self.entries("former_prefixes").into_iter().map(SecretPrefix::parse).collect();
        let current = SecretPrefix::parse(self.text("secret_prefix"));
        if former.is_err() {
            self.refuse("former_prefixes", &format!("a list of prefixes, each {wanted}"));
        }
        match (current, former) {
            (Ok(current), Ok(former)) => SecretFormat::new(current, former),
            (Ok(current), Err(_)) => SecretFormat::new(current, Vec::new()),
            (Err(_), _) => {
                self.refuse("secret_prefix", wanted);
                SecretFormat::standard()
            }
        }
    }
}

fn network(text: &str) -> Result<IpNet, ()> {
    let whole = || text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| whole()).map_err(|_| ())
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "json",
            Self::Text => "text",
        })
    }
}
