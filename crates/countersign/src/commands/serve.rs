//! `countersign serve`: takes the lock of the data directory, opens the installation, listens, tells systemd, and stops
//! in order when asked to. A second signal ends it at once.

use std::{
    fs, io,
    net::{self, IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use countersign_server::{
    app::App,
    ops,
    run::{self, Listeners},
};
use sd_notify::NotifyState;
use tokio::{
    net::{TcpListener, TcpSocket, UnixListener},
    signal::unix::{Signal, SignalKind, signal},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, ConfigError},
    connection::open_app,
    failure::Failure,
    hardening,
    lock::DataLock,
    logging::LogLevel,
    output,
};

/// Connections that wait to be accepted on one listener, as the kernel keeps them.
const BACKLOG: u32 = 1_024;

/// A server that runs in this process.
pub struct Server {
    /// Ends the listeners.
    doors: CancellationToken,
    /// Ends the tasks beside the requests.
    tasks: CancellationToken,
    running: JoinHandle<Result<(), countersign_server::error::Error>>,
    socket: PathBuf,
    bootstrap_code: Option<String>,
    _lock: DataLock,
}

/// Serves until told to stop.
pub async fn run(config: &Config, reread: impl Fn() -> Result<Config, ConfigError>) -> Result<(), Failure> {
    let level = LogLevel::start(config);
    hardening::quiet_panics();
    hardening::harden();
    let mut signals = Signals::listen()?;
    let server = Server::start(config).await?;
    if let Some(code) = server.bootstrap_code() {
        tell_bootstrap_code(config, code);
    }
    tell_systemd(&[NotifyState::Ready]);
    let watchdog = keep_watchdog();
    while let Asked::Reload = signals.next().await {
        match reread() {
            Ok(config) => level.change(&config.log_level),
            Err(error) => tracing::warn!(%error, "the configuration was not read again"),
        }
    }
    tracing::info!("stopping; a second signal stops at once");
    tell_systemd(&[NotifyState::Stopping]);
    let done = tokio::select! {
        done = server.stop() => done,
        () = signals.stop_again() => Err(Failure::unavailable("stopped at once; what was answered is on disk")),
    };
    if let Some(watchdog) = watchdog {
        watchdog.abort();
    }
    done
}

impl Server {
    /// Takes the lock and the ports, opens the installation and begins to answer.
    pub async fn start(config: &Config) -> Result<Self, Failure> {
        let lock = DataLock::take(config)?;
        let data_plane = data_plane(config.data_plane, config.threads).await?;
        let health = tcp("listen.health", config.health).await?;
        let socket = Some(unix(&config.socket())?);
        let (doors, tasks) = (CancellationToken::new(), CancellationToken::new());
        let app = open_app(config, tasks.clone()).await?;
        let bootstrap_code = leave_bootstrap_code(config, &app).await?;
        let management = management(config, bootstrap_code.is_some()).await?;
        let listeners = Listeners { management, data_plane, health, socket };
        for (what, address) in [
            ("management", listeners.management.local_addr()),
            ("data_plane", listeners.data_plane[0].local_addr()),
            ("health", listeners.health.local_addr()),
        ] {
            let address = address.map(|address| address.to_string()).unwrap_or_default();
            tracing::info!(what, address, "listening");
        }
        let running = tokio::spawn(run::run(app, listeners, doors.clone()));
        Ok(Self { doors, tasks, running, socket: config.socket(), bootstrap_code, _lock: lock })
    }

    /// The one-time code for the first operator, where there is none yet.
    pub fn bootstrap_code(&self) -> Option<&str> {
        self.bootstrap_code.as_deref()
    }

    /// Refuses new requests, finishes those in flight, and closes the store.
    pub async fn stop(self) -> Result<(), Failure> {
        self.doors.cancel();
        let ran = self.running.await;
        self.tasks.cancel();
        let _ = fs::remove_file(&self.socket);
        match ran {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Failure::unavailable(error)),
            Err(error) => Err(Failure::unavailable(format!("the server ended unexpectedly: {error}"))),
        }
    }
}

/// The management listener. While there is no operator it is on loopback whatever is configured, so that nobody on the
/// network races the owner of the machine for the one-time code.
async fn management(config: &Config, waits_for_operator: bool) -> Result<TcpListener, Failure> {
    let configured = config.management;
    if !waits_for_operator || configured.ip().is_loopback() {
        return tcp("listen.management", configured).await;
    }
    let loopback: IpAddr =
        if configured.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
    let until_then = SocketAddr::new(loopback, configured.port());
    output::note(format!(
        "Until the first operator is made, management listens on {until_then} only; start again afterwards for {configured}."
    ));
    tcp("listen.management", until_then).await
}

/// A listener for each thread of the data plane, all of one address.
async fn data_plane(address: SocketAddr, threads: usize) -> Result<Vec<net::TcpListener>, Failure> {
    // Listeners that share a port share it with every process of this user, so whether it is free is found out alone.
    let alone = tcp("listen.data_plane", address).await?;
    let failed = |cause| cannot_listen("listen.data_plane", address, &cause);
    if threads == 1 {
        return Ok(vec![alone.into_std().map_err(failed)?]);
    }
    let address = alone.local_addr().map_err(failed)?;
    drop(alone);
    let share = |_| {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.set_reuseport(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)?.into_std()
    };
    (0..threads).map(share).collect::<io::Result<_>>().map_err(failed)
}

async fn tcp(key: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|cause| cannot_listen(key, address, &cause))
}

fn cannot_listen(key: &str, address: SocketAddr, cause: &io::Error) -> Failure {
    let flag = format!("--{}", key.replace(['.', '_'], "-"));
    let advice = match cause.kind() {
        io::ErrorKind::AddrInUse => {
            format!("another program has it; end that one, or choose a port with {flag}")
        }
        io::ErrorKind::PermissionDenied => {
            format!("this user may not; choose a port above 1023 with {flag}")
        }
        _ => format!("choose another address with {flag}"),
    };
    Failure::unavailable(format!("cannot listen on {address}: {cause}; {advice}"))
}

/// The caller holds the lock, so a socket that is there was left by a process that is gone.
fn unix(path: &Path) -> Result<UnixListener, Failure> {
    let failed = |cause: io::Error| {
        Failure::unavailable(format!("cannot make the socket {}: {cause}", path.display()))
    };
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(failed(cause)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

/// Leaves the one-time code for the first operator where only this user can read it; `None` where there is one already.
async fn leave_bootstrap_code(config: &Config, app: &App) -> Result<Option<String>, Failure> {
    let path = config.bootstrap_file();
    let Some(code) = ops::bootstrap::issue(app).await.map_err(Failure::unavailable)? else {
        let _ = fs::remove_file(&path);
        return Ok(None);
    };
    output::private_file(&path, &code)?;
    Ok(Some(code.as_str().to_owned()))
}

fn tell_bootstrap_code(config: &Config, code: &str) {
    output::note(format!(
        "There is no operator yet. This code makes the first one, once, within an hour (also in {}):\n\n    {code}\n",
        config.bootstrap_file().display(),
    ));
}

enum Asked {
    Stop,
    Reload,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|cause| Failure::unavailable(format!("cannot listen for signals: {cause}")))
        };
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.hang_up.recv() => Asked::Reload,
        }
    }

    async fn stop_again(&mut self) {
        while !matches!(self.next().await, Asked::Stop) {}
    }
}

/// Waits for the signal that ends a demonstration.
pub async fn asked_to_stop() -> Result<(), Failure> {
    Signals::listen()?.stop_again().await;
    Ok(())
}

fn tell_systemd(states: &[NotifyState<'_>]) {
    if let Err(cause) = sd_notify::notify(states) {
        tracing::warn!(%cause, "systemd was not told");
    }
}

/// Tells systemd's watchdog that this process lives, twice as often as it asks for.
fn keep_watchdog() -> Option<JoinHandle<()>> {
    let every = sd_notify::watchdog_enabled()? / 2;
    Some(tokio::spawn(async move {
        let mut ticks = tokio::time::interval(every.max(Duration::from_millis(100)));
        loop {
            ticks.tick().await;
            tell_systemd(&[NotifyState::Watchdog]);
        }
    }))
}
