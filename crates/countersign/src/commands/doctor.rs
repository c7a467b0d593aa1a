//! `countersign doctor`: what is configured, from where, and what is wrong. It looks and changes nothing.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use countersign_server::{
    clock::Clock,
    mail::Mailer,
    node::{ANCHOR_FILE, Inspection},
    open::{DATABASE_FILE, inspect},
};
use countersign_store::{Anchor, Store};
use serde_json::{Value, json};

use crate::{
    config::Config,
    connection::{Ask, Connection},
    failure::Failure,
    lock::DataLock,
    output::{self, Format},
};

/// An anchor is renewed within a second; one that is behind for longer is not renewed.
const ANCHOR_LATE_AFTER_SECS: i64 = 10;

/// One thing looked at.
struct Finding {
    what: &'static str,
    verdict: Verdict,
    detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fine,
    Warning,
    Wrong,
}

/// Runs it. Refused when something is wrong; warnings are only told.
pub async fn run(config: &Config, format: Format) -> Result<(), Failure> {
    let mut findings = Vec::new();
    look_at_directories(config, &mut findings);
    look_at_addresses(config, &mut findings);
    look_at_mail(config, &mut findings).await;
    let running = is_running(config, &mut findings);
    look_at_evidence(config, running, &mut findings);
    if running {
        look_at_server(config, &mut findings).await;
    } else {
        look_at_ports(config, &mut findings);
    }
    let settings: Vec<Value> = config.shown().into_iter().map(|shown| shown.as_json()).collect();
    let rows: Vec<Value> = findings
        .iter()
        .map(|finding| json!({ "what": finding.what, "verdict": finding.verdict.as_str(), "detail": finding.detail }))
        .collect();
    match format {
        Format::Json => output::line(output::pretty(&json!({ "configuration": settings, "findings": rows }))),
        Format::Table => {
            output::rows(format, &[("KEY", "/key"), ("VALUE", "/value"), ("FROM", "/source")], &settings);
            output::line("");
            output::rows(
                format,
                &[("LOOKED AT", "/what"), ("VERDICT", "/verdict"), ("DETAIL", "/detail")],
                &rows,
            );
        }
    }
    match findings.iter().filter(|finding| finding.verdict == Verdict::Wrong).count() {
        0 => Ok(()),
        wrong => Err(Failure::refused(format!("{wrong} of these must be mended"))),
    }
}

fn look_at_directories(config: &Config, findings: &mut Vec<Finding>) {
    let has_data = look_at_database(config, findings);
    for name in ["root-verify", "root-reveal"] {
        look_at_roots(config, name, has_data, findings);
    }
    if is_inside(&config.keys_dir, &config.data_dir) {
        findings.push(Finding::wrong(
            "keys",
            "the keys are inside the data directory, so every copy of the data holds them; set keys_dir"
                .to_owned(),
        ));
    }
    if let Ok(metadata) = fs::metadata(&config.data_dir)
        && metadata.mode() & 0o077 != 0
    {
        let detail = format!("{} can be read by others; run `chmod 700` on it", config.data_dir.display());
        findings.push(Finding::warning("data", detail));
    }
}

/// Whether there is a database of an installation, in a file or on a server.
fn look_at_database(config: &Config, findings: &mut Vec<Finding>) -> bool {
    let file = config.data_dir.join(DATABASE_FILE);
    let (place, is_new) = match &config.database_url {
        Some(url) => (url.to_string(), Store::is_new_postgres(url.reveal())),
        None => (file.display().to_string(), Ok(!file.exists())),
    };
    findings.push(match &is_new {
        Ok(false) => Finding::fine("data", format!("{place} is there")),
        Ok(true) => {
            Finding::warning("data", format!("{place} is not there yet; `countersign serve` makes it"))
        }
        Err(cause) => Finding::wrong("data", format!("{place}: {cause}")),
    });
    is_new.is_ok_and(|is_new| !is_new)
}

/// The generations of one root. Which of them are needed the database says, and a start checks it.
fn look_at_roots(config: &Config, name: &str, has_data: bool, findings: &mut Vec<Finding>) {
    let entries = fs::read_dir(&config.keys_dir).into_iter().flatten().flatten();
    let is_root = |file: &str| {
        let rest = file.strip_prefix(name);
        rest.is_some_and(|rest| {
            rest.is_empty() || rest.strip_prefix('.').is_some_and(|end| end.parse::<u16>().is_ok())
        })
    };
    let mut files: Vec<_> = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_root))
        .map(|entry| entry.path())
        .collect();
    files.sort();
    let path = config.keys_dir.join(name);
    if files.is_empty() {
        findings.push(if has_data {
            let keys = config.keys_dir.display();
            Finding::wrong(
                "keys",
                format!("{} is missing; restore {keys} from its own backup", path.display()),
            )
        } else {
            let detail = format!("{} is not there yet; `countersign serve` makes it", path.display());
            Finding::warning("keys", detail)
        });
    }
    for file in files {
        let private = fs::metadata(&file).is_ok_and(|metadata| metadata.mode().trailing_zeros() >= 6);
        findings.push(if private {
            Finding::fine("keys", format!("{} is there and private", file.display()))
        } else {
            let detail = format!("{} can be read by others; run `chmod 400` on it", file.display());
            Finding::wrong("keys", detail)
        });
    }
}

/// Checks every row, and how far the database has come against the anchor beside the keys.
fn look_at_evidence(config: &Config, running: bool, findings: &mut Vec<Finding>) {
    let is_there = match &config.database_url {
        Some(url) => Store::is_new_postgres(url.reveal()).is_ok_and(|is_new| !is_new),
        None => config.data_dir.join(DATABASE_FILE).exists(),
    };
    if !is_there {
        return;
    }
    findings.push(match inspect(&config.data_dir, config.database_url.as_ref(), &config.keys_dir) {
        Err(error) => Finding::wrong("evidence", error.to_string()),
        Ok(Inspection { database: None, .. }) => Finding::warning(
            "evidence",
            "the database is from before there was evidence; `countersign serve` makes it".to_owned(),
        ),
        Ok(Inspection { database: Some(here), anchor }) => {
            let detail = format!("every row is as Countersign wrote it, up to change {}", here.head.0);
            match anchor {
                Some(anchor) if running && is_late(config, &here, &anchor) => Finding::warning(
                    "evidence",
                    format!(
                        "{detail}; but the anchor in {} is not renewed: see the log of the server, and make that directory \
                         writable for it",
                        config.keys_dir.display()
                    ),
                ),
                Some(_) => Finding::fine("evidence", detail),
                None => Finding::warning("evidence", format!("{detail}; there is no anchor yet")),
            }
        }
    });
}

/// Whether the anchor is behind, and for longer than it takes to renew it.
fn is_late(config: &Config, here: &Anchor, anchor: &Anchor) -> bool {
    let written = fs::metadata(config.keys_dir.join(ANCHOR_FILE)).map(|metadata| metadata.mtime());
    let now = Clock::system().wall().unix_millis() / 1_000;
    here != anchor && written.is_ok_and(|written| now - written > ANCHOR_LATE_AFTER_SECS)
}

fn is_inside(inner: &Path, outer: &Path) -> bool {
    match (fs::canonicalize(inner), fs::canonicalize(outer)) {
        (Ok(inner), Ok(outer)) => inner.starts_with(outer),
        _ => inner.starts_with(outer),
    }
}

fn look_at_addresses(config: &Config, findings: &mut Vec<Finding>) {
    let insecure = config.public_url.starts_with("http://");
    let local = ["http://localhost", "http://127.", "http://[::1]"]
        .iter()
        .any(|start| config.public_url.starts_with(start));
    if insecure && !local {
        let detail =
            format!("{} is not https; browsers keep no session there and sign-in refuses", config.public_url);
        findings.push(Finding::wrong("public_url", detail));
    }
    if !config.management.ip().is_loopback() && insecure {
        let detail = format!(
            "the management API listens on {} without https in front; set public_url to the https address people use",
            config.management
        );
        findings.push(Finding::warning("listen.management", detail));
    }
    for (what, address) in listeners(config) {
        if what != "listen.management" && !address.ip().is_loopback() {
            let detail = format!("{what} is open on {address}; only gateways and probes should reach it");
            findings.push(Finding::warning(what, detail));
        }
    }
}

async fn look_at_mail(config: &Config, findings: &mut Vec<Finding>) {
    let Some(settings) = &config.mail else {
        let detail = "there is no mail server; letters are kept and shown, and nobody gets one until mail.server is set";
        findings.push(Finding::warning("mail", detail.to_owned()));
        return;
    };
    let server = format!("{} port {}", settings.host, settings.port);
    findings.push(match Mailer::from_settings(settings.clone()).look().await {
        Ok(reached) => {
            let signed_in = if reached.signed_in { ", and lets us sign in" } else { "" };
            let protected = if reached.encrypted { "over TLS" } else { "in the clear" };
            Finding::fine("mail", format!("{server} answers {protected}{signed_in}"))
        }
        Err(reason) => Finding::wrong("mail", format!("{server}: {reason}")),
    });
}

fn is_running(config: &Config, findings: &mut Vec<Finding>) -> bool {
    if !config.data_dir.exists() {
        return false;
    }
    match DataLock::try_take(config, false) {
        Ok(Some(_)) => {
            findings.push(Finding::fine("server", "not running on this data directory".to_owned()));
            false
        }
        Ok(None) => true,
        Err(failure) => {
            findings.push(Finding::wrong("server", failure.to_string()));
            false
        }
    }
}

async fn look_at_server(config: &Config, findings: &mut Vec<Finding>) {
    let connection = Connection::Running { socket: config.socket() };
    findings.push(match connection.ask(Ask::get("/api/v1/catalog")).await {
        Ok(_) => Finding::fine("server", format!("running and answering on {}", config.socket().display())),
        Err(failure) => Finding::wrong("server", failure.to_string()),
    });
    let bootstrap =
        connection.ask(Ask::get("/api/v1/bootstrap")).await.map(|answer| answer.body["open"] == true);
    if bootstrap.unwrap_or(false) {
        let file = config.bootstrap_file();
        let detail = format!("there is no operator yet; the code in {} makes the first one", file.display());
        findings.push(Finding::warning("operator", detail));
    }
}

fn look_at_ports(config: &Config, findings: &mut Vec<Finding>) {
    for (what, address) in listeners(config) {
        findings.push(match TcpListener::bind(address) {
            Ok(_) => Finding::fine(what, format!("{address} is free")),
            Err(cause) => {
                Finding::wrong(what, format!("{address} cannot be used: {cause}; set {what} to another"))
            }
        });
    }
}

fn listeners(config: &Config) -> [(&'static str, SocketAddr); 3] {
    [
        ("listen.management", config.management),
        ("listen.data_plane", config.data_plane),
        ("listen.health", config.health),
    ]
}

impl Finding {
    fn fine(what: &'static str, detail: String) -> Self {
        Self { what, verdict: Verdict::Fine, detail }
    }

    fn warning(what: &'static str, detail: String) -> Self {
        Self { what, verdict: Verdict::Warning, detail }
    }

    fn wrong(what: &'static str, detail: String) -> Self {
        Self { what, verdict: Verdict::Wrong, detail }
    }
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }
}
