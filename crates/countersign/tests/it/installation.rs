//! An installation of a test: a temporary directory, commands in it, and a server over it.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, mpsc},
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

/// How long a server may take to listen: generous, because machines are slow when they are busy.
const STARTS_WITHIN: Duration = Duration::from_mins(1);

/// A directory with (or without yet) an installation.
pub struct Installation {
    directory: TempDir,
    /// What goes in front of every command: a way into a namespace.
    inside: Vec<String>,
    program: PathBuf,
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    /// The management listener.
    pub management: SocketAddr,
    /// The data plane.
    pub data_plane: SocketAddr,
    /// The health listener.
    pub health: SocketAddr,
    log: Mutex<mpsc::Receiver<String>>,
}

impl Installation {
    /// An empty directory.
    pub fn empty() -> Self {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_countersign"));
        Self { directory: tempfile::tempdir().unwrap(), inside: Vec::new(), program }
    }

    /// A path in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file into the directory.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs the binary behind another command from now on.
    pub fn run_inside(&mut self, enter: &[String]) {
        self.inside = enter.to_vec();
    }

    /// Runs this copy of the binary from now on.
    pub fn run_program(&mut self, program: PathBuf) {
        self.program = program;
    }

    /// The binary, in the directory, without the environment of whoever runs the tests.
    pub fn command(&self) -> Command {
        let mut words = self.inside.iter().map(OsStr::new).chain([self.program.as_os_str()]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words);
        command.current_dir(self.directory.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars() {
            if name.starts_with("COUNTERSIGN__") {
                command.env_remove(name);
            }
        }
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// Runs a command that must succeed; answers its JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["-o", "json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", errors(&output));
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", text(&output)))
    }

    /// Starts a server on ports of its own.
    pub fn serve(&self) -> Server {
        self.serve_on("127.0.0.1:0", &[])
    }

    /// Starts a server with further flags.
    pub fn serve_with(&self, flags: &[&str]) -> Server {
        self.serve_on("127.0.0.1:0", flags)
    }

    /// Starts a server whose management listener is to be at this address.
    pub fn serve_on(&self, management: &str, flags: &[&str]) -> Server {
        let mut command = self.command();
        command.args(["--listen-management", management]);
        for listener in ["--listen-data-plane", "--listen-health"] {
            command.args([listener, "127.0.0.1:0"]);
        }
        let mut child = command.arg("serve").args(flags).stderr(Stdio::piped()).spawn().unwrap();
        let (lines, log) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    return;
                }
            }
        });
        let mut told = Vec::new();
        let mut listener = |what: &str| -> SocketAddr {
            loop {
                let line = log
                    .recv_timeout(STARTS_WITHIN)
                    .unwrap_or_else(|_| panic!("no listener {what}: {told:#?}"));
                let event: Value = serde_json::from_str(&line).unwrap_or_default();
                told.push(line);
                if event["message"] == "listening" && event["what"] == what {
                    return event["address"].as_str().unwrap().parse().unwrap();
                }
            }
        };
        let (management, data_plane, health) =
            (listener("management"), listener("data_plane"), listener("health"));
        Server { child, management, data_plane, health, log: Mutex::new(log) }
    }
}

impl Server {
    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it the way power cuts do.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }

    /// Asks it to end, and waits until it has.
    pub fn terminate(mut self) -> (std::process::ExitStatus, Vec<String>) {
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        (status, self.log.get_mut().unwrap().iter().collect())
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for a line of the log that holds a text.
    pub fn wait_for_log(&self, text: &str) -> String {
        let log = self.log.lock().unwrap();
        loop {
            let line =
                log.recv_timeout(STARTS_WITHIN).unwrap_or_else(|_| panic!("the log never says {text:?}"));
            if line.contains(text) {
                return line;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Standard output as text.
pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Standard error as text.
pub fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
