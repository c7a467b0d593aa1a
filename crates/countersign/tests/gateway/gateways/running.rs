//! A gateway that runs: its recipe filled in, perhaps spoiled, and started in a directory of its own.

use std::{
    fs::{self, File},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use super::{Edit, Fault, Gateway, Habit, Http2};
use crate::client;

/// Looks for a listening gateway, 20 ms apart.
const LOOKS: usize = 1_000;

/// A running gateway; ended when dropped.
pub struct Running {
    directory: TempDir,
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it speaks HTTP/2 with TLS, if that is another place, and the certificate it has there.
    pub with_tls: Option<(SocketAddr, PathBuf)>,
    _place: TcpListener,
}

/// Between whom it stands.
pub struct Between<'a> {
    /// Where it asks.
    pub data_plane: SocketAddr,
    /// Where allowed requests go.
    pub back_end: SocketAddr,
    /// Its name in Countersign.
    pub name: &'a str,
    /// Its credential.
    pub credential: &'a str,
}

/// A place that nobody else takes while it is held, and the same port on other addresses of this machine, which stay
/// free even while what listens there is stopped.
pub fn place() -> (TcpListener, impl Fn(u8) -> SocketAddr) {
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port();
    (held, move |which| SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 1, which)), port))
}

impl Running {
    /// Starts a gateway, with its recipe as it is or with a fault.
    pub async fn start(gateway: &Gateway, fault: Option<&Fault>, between: &Between<'_>) -> Self {
        let (held, at) = place();
        let (address, second) = (at(1), at(2));
        let directory = tempfile::tempdir().unwrap();
        // Where tests run as root, some gateways give their workers to somebody else, who puts large bodies here.
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(directory.path().join("temporary")).unwrap();
        fill(gateway, directory.path(), address, between);
        let mut with_tls = None;
        if let Http2::Tls(edit) = &gateway.http2 {
            certificate(directory.path());
            apply(directory.path(), edit, second, between.back_end);
            with_tls = Some((second, directory.path().join("tls.crt")));
        }
        for edit in fault.into_iter().flat_map(|fault| fault.edits) {
            apply(directory.path(), edit, second, between.back_end);
        }
        let told = File::create(directory.path().join("told.log")).unwrap();
        let within = |text: &&str| text.replace("@DIRECTORY@", directory.path().to_str().unwrap());
        let child = Command::new(program(gateway))
            .args(gateway.arguments.iter().map(within))
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(told.try_clone().unwrap())
            .stderr(told)
            .spawn()
            .unwrap();
        let mut running = Self { directory, child, address, with_tls, _place: held };
        running.listens(gateway).await;
        running
    }

    /// Everything it wrote into its logs.
    pub fn logs(&self) -> String {
        let files = fs::read_dir(self.directory.path()).unwrap().map(|entry| entry.unwrap().path());
        let logs = files.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
        logs.map(|path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()).collect()
    }

    async fn listens(&mut self, gateway: &Gateway) {
        for _ in 0..LOOKS {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{} ends with {status}: {}", gateway.name, self.logs());
            }
            if tokio::net::TcpStream::connect(self.address).await.is_ok() && self.is_settled(gateway).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await; // poll
        }
        panic!("{} does not listen: {}", gateway.name, self.logs());
    }

    async fn is_settled(&self, gateway: &Gateway) -> bool {
        if !gateway.has(Habit::Settles) {
            return true;
        }
        let answer =
            client::raw(self.address, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        !matches!(client::statuses(&answer).as_slice(), [] | [404])
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Most end workers of their own at this signal; killed outright they would leave them.
        let _ = Command::new("kill").args(["-s", "TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn program(gateway: &Gateway) -> PathBuf {
    let places = gateway.program.iter().map(|place| root().join(place));
    places.into_iter().find(|place| place.exists()).unwrap_or_else(|| {
        panic!(
            "{} is not installed; run scripts/install-debian-packages and scripts/install-gateways",
            gateway.name
        )
    })
}

/// Fills the recipe in.
fn fill(gateway: &Gateway, directory: &Path, listen: SocketAddr, between: &Between<'_>) {
    let (credential, says) = gateway.credential;
    let credential = directory.join(credential);
    fs::create_dir_all(credential.parent().unwrap()).unwrap();
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(&credential).unwrap();
    std::io::Write::write_all(&mut &file, says.replace("@VALUE@", between.credential).as_bytes()).unwrap();
    let below = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let mut values = vec![
        ("@DIRECTORY@".to_owned(), directory.to_str().unwrap().to_owned()),
        ("@GATEWAY@".to_owned(), between.name.to_owned()),
        ("@CREDENTIAL@".to_owned(), credential.to_str().unwrap().to_owned()),
        ("@ACCESS_LOG@".to_owned(), below("access.log")),
        ("@ERROR_LOG@".to_owned(), below("error.log")),
    ];
    for (name, address) in
        [("LISTEN", listen), ("DATA_PLANE", between.data_plane), ("BACK_END", between.back_end)]
    {
        values.push((format!("@{name}@"), address.to_string()));
        values.push((format!("@{name}_HOST@"), address.ip().to_string()));
        values.push((format!("@{name}_PORT@"), address.port().to_string()));
    }
    for file in gateway.files {
        let mut text = fs::read_to_string(root().join("gateways").join(gateway.name).join(file)).unwrap();
        for (name, value) in &values {
            text = text.replace(name, value);
        }
        let path = directory.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn apply(directory: &Path, edit: &Edit, second: SocketAddr, back_end: SocketAddr) {
    let path = directory.join(edit.file);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches(edit.find).count(), 1, "{} has once {:?}", edit.file, edit.find);
    let replace = edit
        .replace
        .replace("@SECOND@", &second.to_string())
        .replace("@DIRECTORY@", directory.to_str().unwrap())
        .replace("@BACK_END@", &back_end.to_string());
    fs::write(path, text.replace(edit.find, &replace)).unwrap();
}

/// A certificate that nobody has to trust.
fn certificate(directory: &Path) {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "tls.key", "-out", "tls.crt"])
        .current_dir(directory)
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success());
}
