//! The programs a demonstration starts beside itself: the sample API, and nginx in front of it. Children are known by
//! their process ids, told to end when the demonstration ends, and ended by the kernel should it be killed.

use std::{
    ffi::OsStr,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    sync::Mutex,
};

use super::{Arguments, platform::GATEWAY, record::Record};
use crate::{
    config::Config,
    failure::Failure,
    output,
    recipe::{self, Endpoint, GatewayCredential, Values},
};

/// How long a child may take to listen.
const LISTENS_WITHIN: Duration = Duration::from_secs(10);
/// The pause between two looks at whether it listens.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How long a child may take to end before it is killed.
const ENDS_WITHIN: Duration = Duration::from_secs(5);
/// Where nginx is on Debian; it is often not in the path of people.
const NGINX: [&str; 3] = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"];

/// The running children.
pub struct Children {
    sample_api: Option<Running>,
    nginx: Option<Running>,
}

struct Running {
    what: &'static str,
    id: Option<Pid>,
    child: Mutex<Child>,
}

impl Children {
    /// Starts what can be started. What cannot is told in a sentence, and the demonstration goes on without.
    pub async fn start(config: &Config, arguments: &Arguments, record: &Record) -> Result<Self, Failure> {
        let mut children = Self { sample_api: None, nginx: None };
        if let Err(failure) = children.start_all(config, arguments, record).await {
            output::note(format!("Going on without nginx: {failure}"));
            children.end_all().await;
        }
        Ok(children)
    }

    async fn start_all(
        &mut self,
        config: &Config,
        arguments: &Arguments,
        record: &Record,
    ) -> Result<(), Failure> {
        if arguments.without_nginx {
            return Err(Failure::usage("--without-nginx was given"));
        }
        let missing = || Failure::usage("run `make demo`, which builds the sample API");
        let sample_api = arguments.sample_api.as_ref().ok_or_else(missing)?;
        let nginx = find_nginx(arguments).await?;
        let main = fill_recipe(config, arguments, record)?;
        refuse_taken("nginx", "--listen-nginx", arguments.listen_nginx).await?;
        refuse_taken("the sample API", "--listen-sample", arguments.listen_sample).await?;
        let listen = arguments.listen_sample.to_string();
        let sample = Running::spawn("the sample API", sample_api, &["--listen".as_ref(), listen.as_ref()])?;
        self.sample_api = Some(sample.listening(arguments.listen_sample).await?);
        let folder = main.parent().unwrap_or(Path::new("."));
        // Started by root, nginx would give its workers to a user who cannot reach the data directory.
        let globals = if geteuid().is_root() { "daemon off; user root;" } else { "daemon off;" };
        let flags: [&OsStr; 8] = [
            "-e".as_ref(),
            "stderr".as_ref(),
            "-p".as_ref(),
            folder.as_os_str(),
            "-c".as_ref(),
            main.as_os_str(),
            "-g".as_ref(),
            globals.as_ref(),
        ];
        self.nginx = Some(Running::spawn("nginx", &nginx, &flags)?.listening(arguments.listen_nginx).await?);
        Ok(())
    }

    /// Whether nginx answers.
    pub fn has_nginx(&self) -> bool {
        self.nginx.is_some()
    }

    /// Waits until a child ends by itself, which it should not.
    pub async fn one_ended(&self) -> Failure {
        let ended = |child: &'static str| Failure::unavailable(format!("{child} ended by itself"));
        match (&self.sample_api, &self.nginx) {
            (Some(sample_api), Some(nginx)) => tokio::select! {
                () = sample_api.ended() => ended(sample_api.what),
                () = nginx.ended() => ended(nginx.what),
            },
            _ => std::future::pending().await,
        }
    }

    /// Ends the children and waits for them.
    pub async fn stop(mut self) {
        self.end_all().await;
    }

    async fn end_all(&mut self) {
        for child in [self.nginx.take(), self.sample_api.take()].into_iter().flatten() {
            child.end().await;
        }
    }
}

impl Running {
    /// Starts a program that the kernel ends with this process; `setpriv` is part of every Debian. It has a process
    /// group of its own, so that Ctrl-C reaches this process only, and this process ends it in order.
    fn spawn(what: &'static str, program: &Path, arguments: &[&OsStr]) -> Result<Self, Failure> {
        let setpriv = Path::new("/usr/bin/setpriv");
        let mut command = if setpriv.exists() {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "TERM", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let spawned = command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .process_group(0)
            .spawn();
        let child = spawned.map_err(|cause| {
            Failure::unavailable(format!("cannot start {what} ({}): {cause}", program.display()))
        })?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Self { what, id, child: Mutex::new(child) })
    }

    /// Waits until it listens.
    async fn listening(self, address: SocketAddr) -> Result<Self, Failure> {
        let mut look = tokio::time::interval(LOOK_AGAIN);
        let waited = tokio::time::timeout(LISTENS_WITHIN, async {
            loop {
                look.tick().await;
                if let Ok(Some(status)) = self.child.lock().await.try_wait() {
                    return Err(Failure::unavailable(format!("{} ended at once: {status}", self.what)));
                }
                if TcpStream::connect(address).await.is_ok() {
                    return Ok(());
                }
            }
        });
        let silent = |_| Failure::unavailable(format!("{} does not listen on {address}", self.what));
        waited.await.map_err(silent)??;
        Ok(self)
    }

    async fn ended(&self) {
        let _ = self.child.lock().await.wait().await;
    }

    async fn end(self) {
        let mut child = self.child.into_inner();
        if let Some(id) = self.id.filter(|_| matches!(child.try_wait(), Ok(None))) {
            let _ = kill_process(id, Signal::TERM);
        }
        if tokio::time::timeout(ENDS_WITHIN, child.wait()).await.is_err() {
            output::note(format!("{} does not end; killing it.", self.what));
            let _ = child.kill().await;
        }
    }
}

async fn find_nginx(arguments: &Arguments) -> Result<PathBuf, Failure> {
    if let Some(nginx) = installed_nginx() {
        return Ok(nginx);
    }
    let not_there =
        "nginx is not installed; install it (on Debian: apt-get install nginx-light) and start again";
    let installer = arguments.installer.as_ref().ok_or_else(|| Failure::unavailable(not_there))?;
    output::note("Installing nginx-light from Debian.");
    let ran = Command::new(installer).arg("nginx-light").stdin(Stdio::null()).status().await;
    match (ran, installed_nginx()) {
        (Ok(status), Some(nginx)) if status.success() => Ok(nginx),
        _ => Err(Failure::unavailable(not_there)),
    }
}

fn installed_nginx() -> Option<PathBuf> {
    NGINX.iter().map(PathBuf::from).find(|path| path.exists())
}

async fn refuse_taken(what: &str, flag: &str, address: SocketAddr) -> Result<(), Failure> {
    match tokio::net::TcpListener::bind(address).await {
        Ok(_) => Ok(()),
        Err(cause) => Err(Failure::unavailable(format!(
            "{what} cannot listen on {address}: {cause}; choose another with {flag}"
        ))),
    }
}

/// Fills the recipe in below the data; answers the main file.
fn fill_recipe(config: &Config, arguments: &Arguments, record: &Record) -> Result<PathBuf, Failure> {
    let nginx =
        recipe::of_kind("nginx").ok_or_else(|| Failure::unavailable("there is no recipe of nginx"))?;
    let credential = record.gateway.as_deref().and_then(GatewayCredential::parse);
    let endpoint = |address: SocketAddr| Endpoint { host: address.ip().to_string(), port: address.port() };
    let filled = nginx.fill(&Values {
        gateway: GATEWAY.to_owned(),
        listen: endpoint(arguments.listen_nginx),
        data_plane: endpoint(config.data_plane),
        back_end: endpoint(arguments.listen_sample),
        directory: config.data_dir.join("demo-nginx"),
        credential: credential.ok_or_else(|| Failure::unavailable("the gateway has no credential"))?,
    })?;
    Ok(filled.directory.join("nginx.conf"))
}
