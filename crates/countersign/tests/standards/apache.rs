//! Introspection asked by a client that is not ours: Apache with `mod_oauth2`, as Debian packages them, in front of a file.

use std::{
    fs::Permissions,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use serde_json::json;
use tempfile::TempDir;

use crate::{
    client,
    scene::{GATEWAY, Scene},
};

/// How long Apache may take to listen.
const STARTS_WITHIN: Duration = Duration::from_secs(20);

/// Apache in the foreground; ended when dropped.
struct Apache {
    child: Child,
    address: SocketAddr,
    /// Its configuration, log and the file it serves; others may read it, because Apache becomes another user.
    directory: TempDir,
}

impl Apache {
    async fn start(scene: &Scene) -> Self {
        let address = {
            let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            free.local_addr().unwrap()
        };
        let shared = Permissions::from_mode(0o755);
        let directory = tempfile::Builder::new().permissions(shared).tempdir().unwrap();
        let place = directory.path();
        std::fs::create_dir(place.join("htdocs")).unwrap();
        std::fs::write(place.join("htdocs/orders"), "the orders\n").unwrap();
        let file = place.join("apache.conf");
        std::fs::write(&file, configuration(address, &place.display().to_string(), scene)).unwrap();
        let child = Command::new("/usr/sbin/apache2")
            .args(["-D", "FOREGROUND", "-f"])
            .arg(file)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let started = Self { child, address, directory };
        let begin = Instant::now();
        while tokio::net::TcpStream::connect(address).await.is_err() {
            assert!(begin.elapsed() < STARTS_WITHIN, "Apache does not listen: {}", started.log());
            tokio::time::sleep(Duration::from_millis(50)).await; // poll
        }
        started
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("error.log")).unwrap_or_default()
    }

    async fn get(&self, authorization: Option<&str>) -> u16 {
        let headers: Vec<(&str, &str)> =
            authorization.map(|value| ("authorization", value)).into_iter().collect();
        client::send(self.address, client::request("GET /orders", &headers, Bytes::new())).await.status
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args(["-s", "TERM", &id]).status();
        let _ = self.child.wait();
    }
}

/// The part between the marks is what the book shows.
fn configuration(address: SocketAddr, directory: &str, scene: &Scene) -> String {
    let book = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/book/oauth.md"),
    )
    .unwrap();
    let block = book.split("```apache\n").nth(1).unwrap().split("```").next().unwrap();
    let shown = block
        .replace("http://127.0.0.1:8471", &format!("http://{}", scene.server.data_plane))
        .replace("client_id=edge", &format!("client_id={GATEWAY}"))
        .replace("CREDENTIAL", &scene.credential);
    let modules = ["mpm_event", "authn_core", "authz_core", "authz_user", "oauth2"]
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
        .concat();
    // Apache does not serve as root.
    let user = if rustix::process::geteuid().is_root() { "User nobody\nGroup nogroup\n" } else { "" };
    format!(
        "{user}ServerRoot {directory}\nServerName localhost\nListen {address}\nPidFile {directory}/pid\n\
         ErrorLog {directory}/error.log\nDefaultRuntimeDir {directory}\nMutex fcntl:{directory} default\n{modules}\
         DocumentRoot {directory}/htdocs\n{shown}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn apache_asks_what_a_token_is() {
    let scene = Scene::start().await;
    let brand = scene.account("brand", "acme").await;
    let token = scene.token(&brand, "Reader", &["brand.actions.list"], &json!({})).await;
    let other = scene.token(&brand, "Other", &["brand.actions.list"], &json!({})).await;
    let access = format!("Bearer {}", scene.access_token(&token, "").await);
    scene.act(&other, "disable").await;
    let apache = Apache::start(&scene).await;
    for (what, authorization, status) in [
        ("an Auth Token", Some(token.bearer()), 200),
        ("an access token", Some(access.clone()), 200),
        ("nothing", None, 401),
        ("a token of nobody", Some("Bearer unknown".to_owned()), 401),
        ("a disabled token", Some(other.bearer()), 401),
    ] {
        let told = apache.get(authorization.as_deref()).await;
        assert_eq!(told, status, "{what}: {}", apache.log());
    }
    // Nothing is kept: the next request after a disable is refused.
    scene.act(&token, "disable").await;
    assert_eq!(apache.get(Some(&token.bearer())).await, 401);
    assert_eq!(apache.get(Some(&access)).await, 401);
}
