//! The demonstration, as a stranger meets it: started, its lines pasted, ended; and all of it again on the same data.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use crate::installation::Installation;

/// The last words of a demonstration that runs.
const RUNS: &str = "Ctrl-C stops all of it";

struct Demo {
    child: Child,
    lines: Vec<String>,
}

impl Demo {
    fn start(installation: &Installation, ports: &[String; 5], flags: &[&str]) -> Self {
        let sample_api =
            PathBuf::from(env!("CARGO_BIN_EXE_countersign")).with_file_name("examples").join("sample_api");
        let mut command = installation.command();
        command.arg("demo").args(flags).arg("--sample-api").arg(sample_api);
        let listeners = [
            "--listen-management",
            "--listen-data-plane",
            "--listen-health",
            "--listen-nginx",
            "--listen-sample",
        ];
        for (listener, address) in listeners.iter().zip(ports) {
            command.args([listener, address.as_str()]);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            lines.push(line.unwrap());
            if lines.last().unwrap().contains(RUNS) {
                return Self { child, lines };
            }
        }
        panic!("the demonstration ended: {:?}: {lines:#?}", child.wait());
    }

    /// The three lines to paste.
    fn pasted(&self) -> Vec<String> {
        self.lines.iter().filter(|line| line.contains("curl -i")).map(|line| line.trim().to_owned()).collect()
    }

    fn end(mut self) {
        let sent = Command::new("kill").args(["-s", "INT", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        assert!(self.child.wait().unwrap().success());
    }
}

fn free_ports() -> [String; 5] {
    let listeners: [TcpListener; 5] = std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().to_string())
}

/// What a pasted line prints.
fn paste(line: &str) -> String {
    let output = Command::new("bash").args(["-c", line]).stdin(Stdio::null()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_lines_of_the_demonstration_show_what_they_say_twice() {
    let (installation, ports) = (Installation::empty(), free_ports());
    let mut passwords = Vec::new();
    for round in 0..2 {
        let demo = Demo::start(&installation, &ports, &[]);
        assert!(demo.lines.iter().any(|line| line.contains("through nginx")), "{:#?}", demo.lines);
        let (_, port) = ports[0].rsplit_once(':').unwrap();
        let console = format!("http://localhost:{port}");
        assert!(demo.lines.iter().any(|line| line.ends_with(&console)), "{console}: {:#?}", demo.lines);
        let lines = demo.pasted();
        assert_eq!(lines.len(), 3, "{:#?}", demo.lines);
        for (line, status) in
            lines.iter().zip(["HTTP/1.1 200 OK", "HTTP/1.1 403 Forbidden", "HTTP/1.1 403 Forbidden"])
        {
            let printed = paste(line);
            assert!(printed.contains(status), "round {round}: {line}\n{printed}");
        }
        passwords
            .push(demo.lines.iter().find(|line| line.contains("operator@demo.example")).unwrap().clone());
        demo.end();
        for address in &ports {
            assert!(TcpListener::bind(address).is_ok(), "{address} is still taken after the end");
        }
    }
    assert_eq!(passwords[0], passwords[1], "the second run knows the passwords of the first");
}

#[test]
fn a_taken_port_costs_the_demonstration_only_nginx() {
    let (installation, ports) = (Installation::empty(), free_ports());
    let _taken = TcpListener::bind(&ports[3]).unwrap();
    let demo = Demo::start(&installation, &ports, &[]);
    let lines = demo.pasted();
    for (line, answer) in lines.iter().zip(["\"allowed\":true", "scope_missing", "token_disabled"]) {
        let printed = paste(line);
        assert!(printed.contains(answer), "{line}\n{printed}");
    }
    demo.end();
}
