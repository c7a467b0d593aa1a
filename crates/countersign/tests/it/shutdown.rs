//! Ending a server: in order when asked once, at once when asked twice.

use http::Method;

use crate::{client::Client, installation::Installation};

#[test]
fn a_server_that_is_asked_to_end_says_so_and_ends_well() {
    let installation = Installation::empty();
    let server = installation.serve();
    let (status, log) = server.terminate();
    assert!(status.success(), "{log:#?}");
    assert!(log.iter().any(|line| line.contains("stopping")), "{log:#?}");
}

#[tokio::test]
async fn it_is_ready_while_it_runs_and_alive() {
    let installation = Installation::empty();
    let server = installation.serve();
    let mut health = Client::connect(server.health).await;
    // The listeners are there a moment before the server says that it started.
    while health.ask(Method::GET, "/startupz", None).await.status == 503 {}
    for path in ["/livez", "/startupz", "/readyz"] {
        assert_eq!(health.ask(Method::GET, path, None).await.status, 200, "{path}");
    }
}

#[test]
fn hanging_up_sets_the_log_level_of_the_file() {
    let installation = Installation::empty();
    let file = installation.write("countersign.toml", "[log]\nlevel = \"info\"\n");
    let server = installation.serve_with(&["--config", file.to_str().unwrap()]);
    installation.write("countersign.toml", "[log]\nlevel = \"debug\"\n");
    server.signal("HUP");
    let line = server.wait_for_log("log level set");
    assert!(line.contains("debug"), "{line}");
}
