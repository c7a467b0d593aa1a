//! A disk without space (T-31): what would give somebody something is refused, what takes away works and is audited,
//! and verification goes on. The data directory is a small file system of its own, in a mount namespace of this test.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use http::Method;
use serde_json::json;

use crate::{
    client::Client,
    installation::Installation,
    platform::{
        CONTACT, PASSWORD, Token, ask_of, asking, brand_account, decide, gateway, operating,
        platform_credential, token,
    },
};

const TOKENS: usize = 40;
const DISK: &str = "size=80m,mode=700";

/// A process whose mount namespace has a small disk at a path.
struct SmallDisk {
    holder: Child,
    enter: Vec<String>,
}

impl SmallDisk {
    fn at(path: &str) -> Self {
        let is_root = rustix::process::geteuid().is_root();
        let mut unshare = Command::new("unshare");
        if !is_root {
            unshare.arg("--map-root-user");
        }
        let script = format!("mount -t tmpfs -o {DISK} small {path} && echo ready && exec cat");
        let mut holder = unshare
            .args(["--mount", "sh", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "a file system can be mounted in a namespace of its own");
        let mut enter: Vec<String> =
            ["nsenter", "--mount", "--target"].into_iter().map(str::to_owned).collect();
        enter.push(holder.id().to_string());
        if !is_root {
            enter.extend(["--user".to_owned(), "--preserve-credentials".to_owned()]);
        }
        // The directory as it is in there, not as it is here.
        enter.push(format!("--wdns={}", path.rsplit_once('/').unwrap().0));
        enter.push("--".to_owned());
        Self { holder, enter }
    }

    fn shell(&self, script: &str) -> bool {
        let mut command = Command::new(&self.enter[0]);
        command.args(&self.enter[1..]).args(["sh", "-c", script]).stderr(Stdio::null());
        command.status().unwrap().success()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

async fn deed(client: &mut Client, token: &Token, deed: &str) -> (u16, String) {
    let path = format!("/api/v1/accounts/{}/tokens/{}/{deed}", token.account, token.id);
    let answer = client.ask(Method::POST, &path, Some(&json!({}))).await;
    (answer.status.as_u16(), answer.body.to_string())
}

async fn sign_in(management: std::net::SocketAddr) -> u16 {
    let body = json!({ "email": CONTACT, "password": PASSWORD });
    let mut browser = Client::connect(management).await.with("sec-fetch-site", "same-origin");
    browser.ask(Method::POST, "/api/v1/session", Some(&body)).await.status.as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_denials_still_work_and_nothing_else_does() {
    let mut installation = Installation::empty();
    let data = installation.path("data");
    std::fs::create_dir(&data).unwrap();
    let disk = SmallDisk::at(data.to_str().unwrap());
    installation.run_inside(&disk.enter);
    let server = installation.serve();
    brand_account(&installation, &server).await;
    let credential = platform_credential(&installation);
    let gateway = gateway(&installation);
    let tokens: Vec<Token> =
        (0..TOKENS).map(|number| token(&installation, &format!("Token {number}"))).collect();
    let mut operator = operating(&server, &credential).await;
    let mut gate = asking(&server, &gateway).await;
    assert!(disk.shell("test -f data/countersign.db.reserve"), "space is kept");
    assert!(!disk.shell("head -c 200M /dev/zero > data/filler"), "the disk is full now");

    let (status, body) = deed(&mut operator, &tokens[0], "duplicate").await;
    assert_eq!(status, 503, "{body}");
    assert_eq!(sign_in(server.management).await, 201, "somebody must be able to come in and deny");
    let (last, denied) = tokens.split_last().unwrap();
    for token in denied {
        assert_eq!(decide(&mut gate, &ask_of(token)).await, Ok(()));
        let (status, body) = deed(&mut operator, token, "disable").await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(decide(&mut gate, &ask_of(token)).await, Err("token_disabled".to_owned()));
        let (status, body) = deed(&mut operator, token, "enable").await;
        assert_eq!(status, 503, "{body}");
    }
    assert_eq!(decide(&mut gate, &ask_of(last)).await, Ok(()), "verification goes on");
    let audit = operator.ask(Method::GET, "/api/v1/audit?action=token.disable&limit=200", None).await;
    assert_eq!(audit.body["items"].as_array().unwrap().len(), TOKENS - 1, "each denial has its entry");
    assert!(!disk.shell("test -f data/countersign.db.reserve"), "the space was given up for them");

    assert!(disk.shell("rm data/filler"));
    let (status, body) = deed(&mut operator, &tokens[0], "enable").await;
    assert_eq!(status, 200, "{body}");
    assert!(disk.shell("test -f data/countersign.db.reserve"), "and is kept again");
    drop(server);
    let server = installation.serve();
    let mut gate = asking(&server, &gateway).await;
    assert_eq!(decide(&mut gate, &ask_of(&tokens[0])).await, Ok(()));
    assert_eq!(decide(&mut gate, &ask_of(&tokens[1])).await, Err("token_disabled".to_owned()));
    let finding = installation.json(&["audit", "verify"]);
    assert_eq!(finding["whole"], true, "{finding}");
}
