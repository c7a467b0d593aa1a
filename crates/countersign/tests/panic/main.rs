//! T-18, secrets in panics: the library of the server with the panic hook of the binary, made to panic while it holds a
//! secret: in a request, in a task, in a thread, with the secret in the message. Nothing it writes holds the secret, and
//! it goes on answering. Without the hook the same panics do tell it, so the search would find it. This program is both:
//! the test, and with a first argument the server that panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "../../src/hardening.rs"]
mod hardening;

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use countersign_model::{secret::SecretFormat, time::Timestamp};
use countersign_server::{
    app::{App, Settings},
    clock::Clock,
    open::OpenOptions,
    ops::passwords::PasswordCost,
    random::Random,
    run::{Listeners, run},
    webhooks::{Names, Policy},
};
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;

const CANARY: &str = "csign_PanicCanary0123456789abcdefghijklmnopqr";
const HOOKED: &str = "hooked";
const BARE: &str = "bare";
/// Machines are slow when they are busy.
const WITHIN: Duration = Duration::from_mins(1);

fn main() {
    match (env::args().nth(1).as_deref(), env::args().nth(2)) {
        (Some(HOOKED), Some(place)) => serve(Path::new(&place), true),
        (Some(BARE), Some(place)) => serve(Path::new(&place), false),
        _ => test(),
    }
}

/// A secret that shows itself, as one of ours would if its `Debug` were derived by mistake.
#[derive(Debug)]
#[allow(dead_code, reason = "what is in it is shown by a panic")]
struct Careless(String);

fn careless() -> Result<(), Careless> {
    Err(Careless(CANARY.to_owned()))
}

/// The server. Its names are looked up by a function that panics with the secret.
fn serve(place: &Path, hooked: bool) {
    tracing_subscriber::fmt().json().with_writer(std::io::stderr).init();
    if hooked {
        hardening::quiet_panics();
        hardening::harden();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let stop = CancellationToken::new();
        let app = App::open(options(place, stop.clone())).await.unwrap();
        let local = async || TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listeners = Listeners {
            management: local().await,
            data_plane: vec![local().await.into_std().unwrap()],
            health: local().await,
            socket: Some(UnixListener::bind(place.join("socket")).unwrap()),
        };
        // Other ways to panic than in a request.
        assert!(tokio::spawn(async { panic!("{CANARY}") }).await.is_err());
        assert!(tokio::task::spawn_blocking(|| careless().unwrap()).await.is_err());
        assert!(thread::spawn(|| panic!("{}", CANARY.to_owned())).join().is_err());
        println!("{}", listeners.health.local_addr().unwrap());
        run(app, listeners, stop).await.unwrap();
    });
}

fn options(place: &Path, stop: CancellationToken) -> OpenOptions {
    let lookup = |_: &str| panic!("the name could not be looked up with {CANARY}");
    OpenOptions {
        data_dir: place.join("data"),
        database_url: None,
        keys_dir: place.join("keys"),
        settings: Settings {
            public_url: "https://tokens.example.com".to_owned(),
            http2: true,
            format: SecretFormat::standard(),
            reveal_once: false,
            trusted_proxies: Vec::new(),
            session_idle_secs: 1_800,
            session_secs: 12 * 3_600,
            checkpoint_file: None,
            audit_retention_days: None,
            mail: None,
            webhooks: Policy { names: Names::Told(Arc::new(lookup)), ..Policy::default() },
        },
        clock: Clock::fixed(Timestamp::parse_rfc3339("2026-06-15T12:00:00Z").unwrap()),
        random: Random::seeded(7),
        password_cost: PasswordCost { memory_kib: 8, passes: 1 },
        accept_rollback: false,
        stop,
    }
}

/// A server that runs; killed when dropped.
struct Running {
    child: Child,
    place: PathBuf,
    health: String,
}

impl Running {
    fn start(place: &Path, how: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([how, place.to_str().unwrap()])
            .env("RUST_BACKTRACE", "1")
            .stdout(Stdio::piped())
            .stderr(fs::File::create(place.join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut health = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut health).unwrap();
        let running = Self { child, place: place.to_owned(), health: health.trim().to_owned() };
        assert!(!running.health.is_empty(), "the server does not start: {}", running.log());
        running
    }

    fn log(&self) -> String {
        fs::read_to_string(self.place.join("log")).unwrap()
    }

    /// Has a name looked up, in a request. Answers what came back; nothing where the connection broke.
    fn request(&self) -> String {
        let body = r#"{"url":"https://hooks.example.com/"}"#;
        let length = body.len();
        let request = format!(
            "POST /api/v1/webhooks HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let mut stream = UnixStream::connect(self.place.join("socket")).unwrap();
        stream.set_read_timeout(Some(WITHIN)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// What the health listener answers.
    fn health(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.health).unwrap();
        stream.set_read_timeout(Some(WITHIN)).unwrap();
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").as_bytes())
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Everything it wrote, as text.
    fn written(&self) -> String {
        let mut all = self.log();
        for directory in ["data", "keys"] {
            for entry in fs::read_dir(self.place.join(directory)).unwrap() {
                let path = entry.unwrap().path();
                all += &fs::read(path)
                    .map_or_else(|_| String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        all
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn test() {
    let place = tempfile::tempdir().unwrap();
    let server = Running::start(place.path(), HOOKED);
    let answers = [server.request(), server.request()];
    assert!(server.health("/livez").starts_with("HTTP/1.1 200"), "it goes on answering");
    let metrics = server.health("/metrics");
    assert!(metrics.contains("countersign"), "{metrics}");
    let log = server.log();
    let told: Vec<&str> = log.lines().filter(|line| line.contains("a task panicked")).collect();
    assert_eq!(told.len(), 5, "each panic is told: {log}");
    assert!(told.iter().all(|line| line.contains("main.rs:")), "with its place: {told:#?}");
    let written = format!("{}{metrics}{}", answers.concat(), server.written());
    assert!(!written.contains(CANARY) && !written.contains(&CANARY[6..]), "a panic told the secret: {log}");
    drop(server);

    let place = tempfile::tempdir().unwrap();
    let bare = Running::start(place.path(), BARE);
    bare.request();
    let shown = bare.log().matches(CANARY).count();
    assert!(shown >= 4, "without the hook the secret is told {shown} times");
    println!(
        "T-18: 5 panics with a secret in hand, told by their place alone; without the hook it is told {shown} times"
    );
}
