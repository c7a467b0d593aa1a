//! A gateway that was started by the line its user is told.

use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Looks for a listening gateway, 20 ms apart.
const LOOKS: usize = 500;

/// What a printed command started; ended when dropped.
pub struct Started(Child);

impl Started {
    /// Starts it, and waits until it listens.
    pub async fn by(command: &str, listens: SocketAddr) -> Self {
        // Debian has some gateways where people do not look, and scripts/install-gateways has the others.
        let tools = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/tools/gateways/bin");
        // The shell becomes the gateway, so that the one is ended with the other.
        let (before, program) = command.rsplit_once("&& ").unwrap_or(("true", command));
        let command = format!("PATH={tools}:$PATH:/usr/sbin; {before} && exec {program}");
        let started = Self(Command::new("sh").args(["-c", &command]).stderr(Stdio::null()).spawn().unwrap());
        for _ in 0..LOOKS {
            if tokio::net::TcpStream::connect(listens).await.is_ok() {
                return started;
            }
            tokio::time::sleep(Duration::from_millis(20)).await; // poll
        }
        panic!("{command} does not listen");
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-s", "TERM", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}
