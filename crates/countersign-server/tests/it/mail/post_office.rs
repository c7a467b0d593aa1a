//! A real mail server in a process of its own (`scripts/smtp-server`), which says what it saw.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take: generous, because machines are slow when they are busy, and the first test installs.
const WITHIN: Duration = Duration::from_mins(3);

/// A mail server; ended when dropped.
pub struct PostOffice {
    server: Child,
    events: mpsc::Receiver<Value>,
    directory: TempDir,
    /// Where it listens.
    pub port: u16,
}

impl PostOffice {
    /// Opens one with the options of `scripts/smtp-server`.
    pub fn open(options: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/smtp-server");
        let mut server = Command::new(script)
            .arg(directory.path())
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (said, events) = mpsc::channel();
        let lines = BufReader::new(server.stdout.take().unwrap());
        thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let Ok(event) = serde_json::from_str(&line) else { continue };
                if said.send(event).is_err() {
                    return;
                }
            }
        });
        let mut office = Self { server, events, directory, port: 0 };
        office.port = u16::try_from(office.wait_for("listening")["port"].as_u64().unwrap()).unwrap();
        office
    }

    /// The certificate of the authority that vouches for it, where it speaks TLS.
    pub fn authority(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// The next thing that happens, whatever it is.
    pub fn next(&self) -> Value {
        self.events.recv_timeout(WITHIN).expect("nothing happens at the mail server")
    }

    /// Waits for something, and answers it.
    #[track_caller]
    pub fn wait_for(&self, event: &str) -> Value {
        loop {
            let next = self.next();
            if next["event"] == event {
                return next;
            }
        }
    }

    /// The next letter.
    #[track_caller]
    pub fn letter(&self) -> Value {
        self.wait_for("mail")
    }

    /// What happened so far and was not asked for.
    pub fn so_far(&self) -> Vec<Value> {
        self.events.try_iter().collect()
    }
}

impl Drop for PostOffice {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
