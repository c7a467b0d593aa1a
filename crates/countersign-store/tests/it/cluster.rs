//! A real PostgreSQL server for tests, in a directory of its own, ended with the process, however that ends.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Who a server runs as where the tests run as root, which PostgreSQL refuses: `nobody`.
const NOBODY: u32 = 65_534;
const TRIES: u32 = 1_200;

/// A server. It ends when the pipe to the shell beside it is closed, which happens however this process ends.
pub struct Server {
    directory: PathBuf,
    keeper: Child,
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
            if server.tool("pg_isready").arg("--quiet").status().unwrap().success() {
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

    /// A program of PostgreSQL that is to speak to it.
    pub fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(programs().join(name));
        command.env("PGHOST", &self.directory).env("PGUSER", "countersign").current_dir("/");
        command
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.directory.join(".s.PGSQL.5432")
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
