//! The layers of configuration and which of them won for each key. Values are still text here; `settings` gives them
//! their meaning.

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use super::{ConfigError, DEFAULT_FILE, ENVIRONMENT_PREFIX, FILE_BYTES_MAX, KEYS, Key, Shape};

/// The flags that set configuration; they may stand behind every command.
#[derive(Debug, Default, Clone, clap::Args)]
#[command(next_help_heading = "Configuration (see the book for the file and the environment)")]
pub struct Flags {
    /// The configuration file [default: /etc/countersign/countersign.toml where it exists]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Directory of the database, the lock and the socket [default: ./data]
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// Address of a PostgreSQL that keeps the data, without a password [default: a file in the data directory]
    #[arg(long, global = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Directory of the keys [default: beside the data directory]
    #[arg(long, global = true, value_name = "DIR")]
    pub keys_dir: Option<String>,
    /// Address of the console and the management API [default: 127.0.0.1:8470]
    #[arg(long, global = true, value_name = "ADDRESS", hide_short_help = true)]
    pub listen_management: Option<String>,
    /// Address of verify, forward-auth and whoami [default: 127.0.0.1:8471]
    #[arg(long, global = true, value_name = "ADDRESS", hide_short_help = true)]
    pub listen_data_plane: Option<String>,
    /// Whether the data plane speaks HTTP/2 beside HTTP/1.1: yes or no [default: yes]
    #[arg(long, global = true, value_name = "YES_OR_NO", hide_short_help = true)]
    pub listen_http2: Option<String>,
    /// Threads of the data plane [default: 0, one for each processor]
    #[arg(long, global = true, value_name = "NUMBER", hide_short_help = true)]
    pub listen_threads: Option<String>,
    /// Address of health checks and metrics [default: 127.0.0.1:8472]
    #[arg(long, global = true, value_name = "ADDRESS", hide_short_help = true)]
    pub listen_health: Option<String>,
    /// What people type to reach the console [default: http://localhost:8470]
    #[arg(long, global = true, value_name = "URL", hide_short_help = true)]
    pub public_url: Option<String>,
    /// What new Auth Tokens start with [default: csign_]
    #[arg(long, global = true, value_name = "PREFIX", hide_short_help = true)]
    pub secret_prefix: Option<String>,
    /// Prefixes of Auth Tokens from before, separated by commas
    #[arg(long, global = true, value_name = "PREFIXES", hide_short_help = true)]
    pub former_prefixes: Option<String>,
    /// Whether stored Auth Tokens can be shown again: recoverable or once [default: recoverable]
    #[arg(long, global = true, value_name = "POLICY", hide_short_help = true)]
    pub reveal: Option<String>,
    /// Networks whose X-Forwarded-For is believed, separated by commas
    #[arg(long, global = true, value_name = "NETWORKS", hide_short_help = true)]
    pub trusted_proxies: Option<String>,
    /// Seconds without use after which a console session ends [default: 1800]
    #[arg(long, global = true, value_name = "SECONDS", hide_short_help = true)]
    pub session_idle_secs: Option<String>,
    /// Seconds after which a console session ends [default: 43200]
    #[arg(long, global = true, value_name = "SECONDS", hide_short_help = true)]
    pub session_absolute_secs: Option<String>,
    /// Ports that webhooks may lead to, separated by commas [default: 443,8443]
    #[arg(long, global = true, value_name = "PORTS", hide_short_help = true)]
    pub webhooks_ports: Option<String>,
    /// Whether webhooks may lead to http:// too: yes or no [default: no]
    #[arg(long, global = true, value_name = "YES_OR_NO", hide_short_help = true)]
    pub webhooks_plain_http: Option<String>,
    /// Networks that webhooks may lead to although they are not of the public internet [default: none]
    #[arg(long, global = true, value_name = "NETWORKS", hide_short_help = true)]
    pub webhooks_allow_networks: Option<String>,
    /// File that signed checkpoints of the audit trail are added to [default: none]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub audit_checkpoint_file: Option<String>,
    /// Days after which entries of the audit trail are removed [default: 0, never]
    #[arg(long, global = true, value_name = "DAYS", hide_short_help = true)]
    pub audit_retention_days: Option<String>,
    /// Mail server, as host:port [default: none]
    #[arg(long, global = true, value_name = "HOST:PORT", hide_short_help = true)]
    pub mail_server: Option<String>,
    /// How the mail server is talked to: starttls, tls or none [default: starttls]
    #[arg(long, global = true, value_name = "MODE", hide_short_help = true)]
    pub mail_tls: Option<String>,
    /// Whether `--mail-tls none` may reach another machine: yes or no [default: no]
    #[arg(long, global = true, value_name = "YES_OR_NO", hide_short_help = true)]
    pub mail_insecure: Option<String>,
    /// Who signs in to the mail server
    #[arg(long, global = true, value_name = "USER", hide_short_help = true)]
    pub mail_user: Option<String>,
    /// File with the password of that user
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub mail_password_file: Option<String>,
    /// Certificates to trust beside those of the system when talking to the mail server
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub mail_ca_file: Option<String>,
    /// Who letters are from
    #[arg(long, global = true, value_name = "ADDRESS", hide_short_help = true)]
    pub mail_from: Option<String>,
    /// Where answers to letters go
    #[arg(long, global = true, value_name = "ADDRESS", hide_short_help = true)]
    pub mail_reply_to: Option<String>,
    /// Seconds the mail server may take for each answer [default: 30]
    #[arg(long, global = true, value_name = "SECONDS", hide_short_help = true)]
    pub mail_timeout_secs: Option<String>,
    /// What is logged [default: info]
    #[arg(long, global = true, value_name = "LEVEL", hide_short_help = true)]
    pub log_level: Option<String>,
    /// How it is logged: json or text [default: json]
    #[arg(long, global = true, value_name = "FORMAT", hide_short_help = true)]
    pub log_format: Option<String>,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nobody said anything.
    Default,
    /// This file.
    File(PathBuf),
    /// This variable.
    Environment(String),
    /// This flag.
    Flag(String),
}

/// A value and where it came from.
#[derive(Debug, Clone)]
pub struct Layered {
    /// The value as text; the entries of a list are separated by commas.
    pub text: String,
    /// Where it came from.
    pub source: Source,
}

/// The winning value of every key, by name.
pub type Values = BTreeMap<&'static str, Layered>;

/// Lays flags over environment over file over defaults.
pub fn lay(flags: &Flags, environment: &[(String, String)]) -> Result<Values, ConfigError> {
    let mut problems = Vec::new();
    let mut values: Values = KEYS
        .iter()
        .map(|key| (key.name, Layered { text: key.default.to_owned(), source: Source::Default }))
        .collect();
    if let Some((path, table)) = read_file(flags.config.as_deref(), &mut problems) {
        for (key, text) in from_table(&path, &table, &mut problems) {
            values.insert(key.name, Layered { text, source: Source::File(path.clone()) });
        }
    }
    for (variable, text) in environment.iter().filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX)) {
        match KEYS.iter().find(|key| key.variable() == *variable) {
            Some(key) => {
                let source = Source::Environment(variable.clone());
                values.insert(key.name, Layered { text: text.clone(), source });
            }
            None => problems.push(unknown_variable(variable)),
        }
    }
    for key in &KEYS {
        if let Some(text) = flags.value(key.name) {
            let source = Source::Flag(key.flag());
            values.insert(key.name, Layered { text: text.clone(), source });
        }
    }
    if problems.is_empty() { Ok(values) } else { Err(ConfigError { problems }) }
}

impl Flags {
    fn value(&self, key: &str) -> Option<&String> {
        match key {
            "listen.management" => self.listen_management.as_ref(),
            "listen.data_plane" => self.listen_data_plane.as_ref(),
            "listen.http2" => self.listen_http2.as_ref(),
            "listen.threads" => self.listen_threads.as_ref(),
            "listen.health" => self.listen_health.as_ref(),
            "public_url" => self.public_url.as_ref(),
            "data_dir" => self.data_dir.as_ref(),
            "database_url" => self.database_url.as_ref(),
            "keys_dir" => self.keys_dir.as_ref(),
            "secret_prefix" => self.secret_prefix.as_ref(),
            "former_prefixes" => self.former_prefixes.as_ref(),
            "reveal" => self.reveal.as_ref(),
            "trusted_proxies" => self.trusted_proxies.as_ref(),
            "session.idle_secs" => self.session_idle_secs.as_ref(),
            "session.absolute_secs" => self.session_absolute_secs.as_ref(),
            "webhooks.ports" => self.webhooks_ports.as_ref(),
            "webhooks.plain_http" => self.webhooks_plain_http.as_ref(),
            "webhooks.allow_networks" => self.webhooks_allow_networks.as_ref(),
            "audit.checkpoint_file" => self.audit_checkpoint_file.as_ref(),
            "audit.retention_days" => self.audit_retention_days.as_ref(),
            "mail.server" => self.mail_server.as_ref(),
            "mail.tls" => self.mail_tls.as_ref(),
            "mail.insecure" => self.mail_insecure.as_ref(),
            "mail.user" => self.mail_user.as_ref(),
            "mail.password_file" => self.mail_password_file.as_ref(),
            "mail.ca_file" => self.mail_ca_file.as_ref(),
            "mail.from" => self.mail_from.as_ref(),
            "mail.reply_to" => self.mail_reply_to.as_ref(),
            "mail.timeout_secs" => self.mail_timeout_secs.as_ref(),
            "log.level" => self.log_level.as_ref(),
            "log.format" => self.log_format.as_ref(),
            // `mail.password` has no flag: it must not stand where every user of the machine can list it.
            _ => None,
        }
    }
}

fn read_file(named: Option<&Path>, problems: &mut Vec<String>) -> Option<(PathBuf, Table)> {
    let path = match named {
        Some(path) => path.to_owned(),
        None if Path::new(DEFAULT_FILE).exists() => PathBuf::from(DEFAULT_FILE),
        None => return None,
    };
    let mut text = String::new();
    let read = fs::File::open(&path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text));
    let shown = path.display();
    match read {
        Err(cause) => {
            problems.push(format!("{shown}: {cause}; name an existing file with --config, or none"));
        }
        Ok(_) if text.len() as u64 > FILE_BYTES_MAX => {
            problems.push(format!(
                "{shown}: larger than {FILE_BYTES_MAX} bytes; this is not a configuration file"
            ));
        }
        Ok(_) => match text.parse::<Table>() {
            Ok(table) => return Some((path, table)),
            Err(error) => {
                let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
                problems.push(format!("{shown}:{line}: this is not TOML: {}", error.message()));
            }
        },
    }
    None
}

/// The keys a file sets. One level of sections is all there is.
fn from_table(path: &Path, table: &Table, problems: &mut Vec<String>) -> Vec<(&'static Key, String)> {
    let mut found = Vec::new();
    let mut take = |name: String, value: &Value, problems: &mut Vec<String>| {
        let Some(key) = KEYS.iter().find(|key| key.name == name) else {
            problems.push(format!("{}: unknown key `{name}`; {}", path.display(), nearest(&name)));
            return;
        };
        match text_of(key.shape, value) {
            Some(text) => found.push((key, text)),
            None => problems.push(format!("{}: `{name}` must be {}", path.display(), wanted(key.shape))),
        }
    };
    for (name, value) in table {
        match value {
            Value::Table(section) => {
                section.iter().for_each(|(inner, value)| take(format!("{name}.{inner}"), value, problems));
            }
            value => take(name.clone(), value, problems),
        }
    }
    found
}

fn text_of(shape: Shape, value: &Value) -> Option<String> {
    match (shape, value) {
        (Shape::Text, Value::String(text)) => Some(text.clone()),
        (Shape::Number, Value::Integer(number)) => Some(number.to_string()),
        (Shape::List, Value::Array(entries)) => {
            let entries: Option<Vec<&str>> = entries.iter().map(Value::as_str).collect();
            entries.map(|entries| entries.join(","))
        }
        _ => None,
    }
}

fn wanted(shape: Shape) -> &'static str {
    match shape {
        Shape::Text => "a string in quotes",
        Shape::Number => "a whole number",
        Shape::List => "an array of strings, such as [\"10.0.0.0/8\"]",
    }
}

fn unknown_variable(variable: &str) -> String {
    let name = variable.trim_start_matches(ENVIRONMENT_PREFIX).replace("__", ".").to_ascii_lowercase();
    format!("the environment has {variable}, which sets nothing; {}", nearest(&name))
}

/// Names the keys that share a section or a last word with what was written, else where to look.
fn nearest(name: &str) -> String {
    let (section, last) = name.rsplit_once('.').unwrap_or(("", name));
    let alike: Vec<&str> = KEYS
        .iter()
        .map(|key| key.name)
        .filter(|key| {
            let (other_section, other_last) = key.rsplit_once('.').unwrap_or(("", key));
            other_last == last || (!section.is_empty() && section == other_section)
        })
        .collect();
    if alike.is_empty() {
        "`countersign config print` lists every key there is".to_owned()
    } else {
        format!("did you mean {}?", alike.join(" or "))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(variable) => f.write_str(variable),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}
