//! `countersign doctor`: what is configured, from where, and what is wrong. It looks and changes nothing.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use countersign_server::open::DATABASE_FILE;
use serde_json::{Value, json};

use crate::{
    config::Config,
    connection::{Ask, Connection},
    failure::Failure,
    lock::DataLock,
    output::{self, Format},
};

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
    let running = is_running(config, &mut findings);
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
    let database = config.data_dir.join(DATABASE_FILE);
    findings.push(if database.exists() {
        Finding::fine("data", format!("{} is there", database.display()))
    } else {
        Finding::warning(
            "data",
            format!("{} is not there yet; `countersign serve` makes it", database.display()),
        )
    });
    let keys = config.keys_dir.display();
    for name in ["root-verify", "root-reveal"] {
        let path = config.keys_dir.join(name);
        findings.push(match (fs::metadata(&path), database.exists()) {
            (Ok(metadata), _) if metadata.mode() & 0o077 != 0 => Finding::wrong(
                "keys",
                format!("{} can be read by others; run `chmod 400` on it", path.display()),
            ),
            (Ok(_), _) => Finding::fine("keys", format!("{} is there and private", path.display())),
            (Err(_), true) => Finding::wrong(
                "keys",
                format!("{} is missing; restore {keys} from its own backup", path.display()),
            ),
            (Err(_), false) => Finding::warning(
                "keys",
                format!("{} is not there yet; `countersign serve` makes it", path.display()),
            ),
        });
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
