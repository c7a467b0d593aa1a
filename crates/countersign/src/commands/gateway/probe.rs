//! `countersign gateway probe`: asks the doctor what a live gateway lets through. Exit codes for scripts: 0 all that could
//! be checked is shut, 1 something was found, 2 usage, 3 it could not be checked.

use std::{
    fs::File,
    io::{self, Read as _},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::atomic::AtomicUsize,
};

use clap::{Args, builder::PossibleValuesParser};
use countersign_model::probe::{ProbeCheck, ProbeVerdict};
use countersign_server::{clock::Clock, random::Random};
use http::Method;
use serde_json::Value;
use tokio::signal::unix::{Signal, SignalKind, signal};
use zeroize::Zeroizing;

use crate::{
    commands::Desk,
    config::Config,
    connection::{Ask, Connection},
    failure::Failure,
    output::{self, Format},
    probe::{Checked, Doctor, KINDS, Platform, Recorder, Relay, Report, Target},
    progress, recipe,
};

/// Most that is read of a file that should hold one Auth Token, in bytes.
const TOKEN_FILE_BYTES_MAX: u64 = 1024;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The gateway's plain listener, such as <http://127.0.0.1:8080>
    url: String,
    /// A path the token may call by GET; {sid} in it stands for the token's Account SID
    #[arg(long)]
    path: String,
    /// The file with the Auth Token to call with; - reads standard input
    #[arg(long, value_name = "FILE", required_unless_present = "account")]
    token_file: Option<PathBuf>,
    /// Make tokens in this account for the probe, and delete them after it
    #[arg(long, conflicts_with = "token_file", requires = "scopes")]
    account: Option<String>,
    /// A scope of those tokens, which the path needs; can be given many times
    #[arg(long = "scope", requires = "account")]
    scopes: Vec<String>,
    /// Stand here as the back end: the address the gateway sends allowed requests to
    #[arg(long, value_name = "ADDRESS")]
    back_end_at: Option<SocketAddr>,
    /// Stand here as Countersign, in front of the real data plane: the address the gateway asks
    #[arg(long, value_name = "ADDRESS", requires = "data_plane")]
    ask_at: Option<SocketAddr>,
    /// The real data plane
    #[arg(long, value_name = "HOST:PORT", requires = "ask_at")]
    data_plane: Option<recipe::Endpoint>,
    /// The back end is to get the Auth Token
    #[arg(long)]
    back_end_needs_credential: bool,
    /// Another path nobody may call without a credential; can be given many times
    #[arg(long = "closed-path", value_name = "PATH")]
    closed_paths: Vec<String>,
    /// The gateway's name in Countersign, whose page shows the result
    #[arg(long, value_parser = recipe::gateway_name, required_unless_present = "no_store")]
    gateway: Option<String>,
    /// Which gateway it is, for advice in its own words
    #[arg(long, value_parser = PossibleValuesParser::new(KINDS))]
    kind: Option<String>,
    /// Keep the result nowhere
    #[arg(long)]
    no_store: bool,
    /// Fail with 3 when something could not be checked
    #[arg(long)]
    complete: bool,
}

/// Runs it. It needs an installation only where it makes tokens or stores the result.
pub async fn run(config: &Config, arguments: Arguments, format: Format) -> Result<(), Failure> {
    let needs_platform = arguments.account.is_some() || !arguments.no_store;
    let mut connection = if needs_platform { Some(Connection::open(config).await?) } else { None };
    let mark = format!("countersign-probe-{}", nonce()?);
    // Read before signals are, so that who is asked for it can still say no.
    let secret = match &arguments.account {
        Some(_) => Zeroizing::new(String::new()),
        None => read_token(arguments.token_file.as_deref())?,
    };
    // Heard from before tokens are made, so that no signal leaves them behind.
    let mut interruptions = Interruptions::listen()?;
    let mut doctor = prepare(&arguments, &mut connection, &mark, secret, format).await?;
    let checked = tokio::select! {
        biased;
        () = interruptions.next() => Err(Failure::unavailable("interrupted; nothing is kept")),
        checked = watched(&doctor) => checked,
    };
    if let Some(platform) = doctor.platform.take() {
        connection = Some(platform.end().await);
    }
    let (url, kind) = (arguments.url.clone(), doctor.kind.take());
    let told = checked.map(|checks| Report { url, kind, checks });
    let kept = match (&told, &connection) {
        (Ok(report), Some(connection)) => keep(connection, &arguments, report).await,
        _ => Ok(()),
    };
    if let Some(connection) = connection {
        connection.close().await;
    }
    let report = told?;
    report.show(format);
    kept?;
    judged(&report, arguments.complete)
}

/// The signals that end a probe in order: of a person, of a service manager, of a terminal that goes away.
struct Interruptions {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Interruptions {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|cause| Failure::unavailable(format!("cannot listen for signals: {cause}")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
        }
    }
}

/// Everything the doctor works with.
async fn prepare(
    arguments: &Arguments,
    connection: &mut Option<Connection>,
    mark: &str,
    secret: Zeroizing<String>,
    format: Format,
) -> Result<Doctor, Failure> {
    let recorder = match arguments.back_end_at {
        Some(address) => Some(Recorder::listen(address, mark).await?),
        None => None,
    };
    let relay = match (arguments.ask_at, &arguments.data_plane) {
        (Some(address), Some(data_plane)) => Some(Relay::listen(address, data_plane.written()).await?),
        _ => None,
    };
    // The path is read before anything is made, so that a wrong one costs nothing.
    let target = |sid: &str| {
        let path = arguments.path.replace("{sid}", sid);
        Target::parse(&arguments.url, &path, &arguments.closed_paths).map_err(Failure::usage)
    };
    let mut doctor = Doctor {
        target: target("sid")?,
        secret,
        mark: mark.to_owned(),
        recorder,
        relay,
        platform: None,
        kind: kind_of(arguments, connection.as_ref()).await?,
        forwards_credential: arguments.back_end_needs_credential,
        sent: AtomicUsize::new(0),
    };
    match (&arguments.account, connection.take()) {
        (Some(account), Some(open)) => {
            let desk = Desk { connection: open, format };
            let account = desk.account_id(account).await?;
            let now = Clock::system().wall();
            let platform =
                Platform::prepare(desk.connection, &account, &arguments.scopes, &arguments.path, mark, now)
                    .await?;
            doctor.secret.clone_from(&platform.guest.secret);
            doctor.target = target(&platform.guest.sid)?;
            doctor.platform = Some(platform);
        }
        (_, kept) => {
            *connection = kept;
            if arguments.path.contains("{sid}") {
                return Err(Failure::usage("{sid} in --path needs --account; write the Account SID there"));
            }
        }
    }
    Ok(doctor)
}

/// What kind of gateway it is: as said, or as its profile says.
async fn kind_of(arguments: &Arguments, connection: Option<&Connection>) -> Result<Option<String>, Failure> {
    match (&arguments.kind, &arguments.gateway, connection) {
        (None, Some(name), Some(connection)) => {
            let body = connection.ask(Ask::get(format!("{}/{name}", super::PATH))).await?.body;
            let made_for = body.pointer("/profile/recipe").and_then(Value::as_str);
            Ok(made_for.map(|recipe| recipe.replace('_', "-")))
        }
        (said, _, _) => Ok(said.clone()),
    }
}

/// Runs the checks, with a bar where a terminal is there to see it.
async fn watched(doctor: &Doctor) -> Result<Vec<Checked>, Failure> {
    let bar = progress::count(ProbeCheck::ALL.len() as u64);
    let mut hear = |check: ProbeCheck| {
        bar.set_message(check.as_str());
        bar.inc(1);
    };
    let checked = doctor.run(&mut hear).await;
    bar.finish_and_clear();
    checked
}

/// Puts the result where the operator's page shows it.
async fn keep(connection: &Connection, arguments: &Arguments, report: &Report) -> Result<(), Failure> {
    let Some(name) = arguments.gateway.as_ref().filter(|_| !arguments.no_store) else { return Ok(()) };
    let ask = Ask::new(Method::PUT, format!("{}/{name}/probe", super::PATH)).json(&report.stored());
    connection.ask(ask).await.map(drop)
}

/// The exit code of a report.
fn judged(report: &Report, complete: bool) -> Result<(), Failure> {
    let (found, unchecked) = (report.count(ProbeVerdict::Found), report.count(ProbeVerdict::NotChecked));
    if found > 0 {
        return Err(Failure::refused(format!("{found} checks found something; mend it and probe again")));
    }
    let some =
        format!("{unchecked} of {} checks were not made; each line says what to give", report.checks.len());
    match (unchecked, complete) {
        (0, _) => output::note("Everything is shut."),
        (_, true) => return Err(Failure::unavailable(some)),
        (_, false) => output::note(format!("Everything that was checked is shut; {some}.")),
    }
    Ok(())
}

/// The Auth Token of a file or of standard input: its first line, alone or behind the Account SID and a colon.
fn read_token(file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    let read = match file {
        Some(path) if path != Path::new("-") => {
            File::open(path).and_then(|file| file.take(TOKEN_FILE_BYTES_MAX).read_to_string(&mut text))
        }
        _ => io::stdin().take(TOKEN_FILE_BYTES_MAX).read_to_string(&mut text),
    };
    read.map_err(|cause| Failure::unavailable(format!("cannot read the Auth Token: {cause}")))?;
    let line = text.lines().next().unwrap_or_default();
    let secret = line.rsplit_once(':').map_or(line, |(_, secret)| secret);
    let plain = !secret.is_empty() && secret.bytes().all(|byte| byte.is_ascii_graphic());
    if plain {
        Ok(Zeroizing::new(secret.to_owned()))
    } else {
        Err(Failure::usage("that is no Auth Token; `countersign token create --out FILE` writes one"))
    }
}

/// What keeps this probe apart from others.
fn nonce() -> Result<String, Failure> {
    let bytes = Random::System.bytes().map_err(Failure::unavailable)?;
    Ok(format!("{:016x}", u64::from_be_bytes(bytes)))
}
