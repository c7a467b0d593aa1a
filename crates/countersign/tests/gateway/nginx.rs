//! The real nginx with the configuration we ship, filled in by the script we ship.

use std::{
    fs,
    io::Write as _,
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

/// Where Debian has it; often not in the path of people.
const PLACES: [&str; 3] = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"];
/// Ports tried, because one that was free may be taken when nginx binds it.
const PORTS_TRIED: usize = 5;
/// Looks for a listening nginx, 20 ms apart.
const LOOKS: usize = 500;

/// A running nginx; ended when dropped.
pub struct Nginx {
    directory: TempDir,
    master: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Nginx {
    /// Starts nginx between clients and this back end, asking this data plane.
    pub async fn start(data_plane: SocketAddr, back_end: SocketAddr, credential: &str) -> Self {
        let program = PLACES.into_iter().find(|place| Path::new(place).exists());
        let program =
            program.expect("nginx is not installed; run scripts/install-debian-packages nginx-light");
        for _ in 0..PORTS_TRIED {
            let directory = tempfile::tempdir().unwrap();
            // Where tests run as root, the workers are somebody else and put large bodies here.
            fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
            let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            fill(directory.path(), address, data_plane, back_end, credential);
            let configuration = directory.path().join("nginx.conf");
            let mut master = Command::new(program)
                .args(["-e", "stderr", "-g", "daemon off;", "-p"])
                .arg(directory.path())
                .arg("-c")
                .arg(&configuration)
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            if listens(&mut master, address).await {
                return Self { directory, master, address };
            }
            let _ = master.kill();
            let _ = master.wait();
        }
        panic!("nginx does not start with the configuration we ship");
    }

    /// Everything it wrote into its logs.
    pub fn logs(&self) -> String {
        let read = |name: &str| fs::read_to_string(self.directory.path().join(name)).unwrap_or_default();
        read("access.log") + &read("error.log")
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master ends its workers; killed outright it would leave them.
        let _ = Command::new("kill").args(["-s", "TERM", &self.master.id().to_string()]).status();
        let _ = self.master.wait();
    }
}

fn fill(
    directory: &Path,
    listen: SocketAddr,
    data_plane: SocketAddr,
    back_end: SocketAddr,
    credential: &str,
) {
    let recipe: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../gateways/nginx/fill");
    let mut script = Command::new(recipe)
        .arg(directory)
        .args([listen.to_string(), data_plane.to_string(), back_end.to_string(), "edge".to_owned()])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    script.stdin.take().unwrap().write_all(credential.as_bytes()).unwrap();
    assert!(script.wait().unwrap().success());
    let mode = fs::metadata(directory.join("credential.conf")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the credential is nobody else's");
}

async fn listens(master: &mut Child, address: SocketAddr) -> bool {
    for _ in 0..LOOKS {
        if master.try_wait().unwrap().is_some() {
            return false;
        }
        if tokio::net::TcpStream::connect(address).await.is_ok() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await; // poll
    }
    false
}

#[test]
fn the_script_refuses_what_would_mean_something_to_nginx() {
    let run = |arguments: &[&str], credential: &str| {
        let directory = tempfile::tempdir().unwrap();
        let mut script =
            Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../gateways/nginx/fill"))
                .arg(directory.path())
                .args(arguments)
                .stdin(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
        // It may be gone before it reads.
        let _ = script.stdin.take().unwrap().write_all(credential.as_bytes());
        let filled = directory.path().join("countersign.conf");
        (script.wait().unwrap().code(), fs::read_to_string(filled).unwrap_or_default())
    };
    let good = ["[::1]:8080", "127.0.0.1:8471", "back-end.example:80", "edge"];
    let (code, filled) = run(&good, "csgate_x\n");
    assert_eq!(code, Some(0));
    assert!(filled.contains("listen [::1]:8080;") && !filled.contains("@LISTEN@"), "{filled}");
    assert!(!filled.contains("csgate_x"), "the credential has a file of its own");
    for (place, bad) in
        [(0, "80;x"), (1, ""), (2, "a b"), (3, "edge$x"), (3, "e|x"), (0, "x\ny"), (1, "a{b}")]
    {
        let mut arguments = good;
        arguments[place] = bad;
        assert_eq!(run(&arguments, "csgate_x").0, Some(2), "{bad:?}");
    }
    for credential in ["", "\n", "a\"; }", "a b"] {
        assert_eq!(run(&good, credential).0, Some(2), "{credential:?}");
    }
    assert_eq!(run(&good[..3], "csgate_x").0, Some(2));
}
