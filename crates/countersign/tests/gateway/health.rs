//! The health listener of the real binary, from its start to its end.

use std::net::SocketAddr;

use crate::{
    client::{self, Reply},
    countersign::Countersign,
};

async fn get(address: SocketAddr, path: &str) -> Reply {
    client::send(address, client::request(&format!("GET {path}"), &[])).await
}

fn text(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_node_is_alive_ready_and_counts() {
    let countersign = Countersign::start().await;
    let brand = countersign.account("brand").await;
    let token = countersign.token(&brand, "Reader", &["brand.actions.list"]).await;
    let health = countersign.server.health;
    for path in ["/livez", "/readyz", "/startupz"] {
        let reply = get(health, path).await;
        assert_eq!((reply.status, text(&reply).as_str()), (200, "ok\n"), "{path}");
        assert_eq!(reply.header("cache-control"), "no-store");
    }
    let verbose = text(&get(health, "/readyz?verbose").await);
    for check in ["started", "not_draining", "verifier", "catalog", "keys", "store"] {
        assert!(verbose.contains(&format!("[+] {check} ok")), "{verbose}");
    }
    assert_eq!(get(health, "/version").await.json()["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(get(health, "/nothing").await.status, 404);
    assert_eq!(client::send(health, client::request("POST /livez", &[])).await.status, 405);

    let line = format!("GET /Advertisers/{}/Actions", token.sid);
    let denied = format!("GET /Advertisers/{}/Ads", token.sid);
    for _ in 0..3 {
        assert_eq!(countersign.forward_auth(&line, Some(&token.basic())).await.status, 200);
        assert_eq!(countersign.forward_auth(&denied, Some(&token.basic())).await.status, 403);
    }
    let metrics = get(health, "/metrics").await;
    assert!(metrics.header("content-type").starts_with("application/openmetrics-text"));
    let metrics = text(&metrics);
    for expected in [
        "countersign_decisions_total{door=\"forward_auth\",code=\"allowed\"} 3",
        "countersign_decisions_total{door=\"forward_auth\",code=\"scope_missing\"} 3",
        "countersign_requests_total{door=\"forward_auth\",status=\"200\"} 3",
        "countersign_connections{listener=\"data_plane\"}",
        "countersign_feed_behind 0",
        "# EOF",
    ] {
        assert!(metrics.contains(expected), "{expected} is not in {metrics}");
    }
    for secret in [&token.secret, &token.sid, &brand.id] {
        assert!(!metrics.contains(secret.as_str()), "metrics name nobody");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_asked_to_stop_says_so_while_it_finishes() {
    let countersign = Countersign::start().await;
    let (health, data_plane) = (countersign.server.health, countersign.server.data_plane);
    countersign.server.signal("TERM");
    countersign.server.wait_for_log("not ready from now on");
    let reply = get(health, "/readyz").await;
    assert_eq!(reply.status, 503);
    assert!(text(&reply).contains("[-] not_draining failed"), "{}", text(&reply));
    assert_eq!(get(health, "/livez").await.status, 200, "it lives");
    // Load balancers still send requests for a moment; they are answered.
    assert_eq!(client::send(data_plane, client::request("GET /whoami", &[])).await.status, 401);
    // A second signal would end it at once, so this one waits for the first.
    countersign.server.wait_for_log("\"stopped\"");
    assert!(tokio::net::TcpStream::connect(data_plane).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_use_is_written_before_the_end() {
    let countersign = Countersign::start().await;
    let brand = countersign.account("brand").await;
    let token = countersign.token(&brand, "Reader", &["brand.actions.list"]).await;
    let line = format!("GET /Advertisers/{}/Actions", token.sid);
    assert_eq!(countersign.forward_auth(&line, Some(&token.basic())).await.status, 200);
    let Countersign { installation, server, credential } = countersign;
    assert!(server.terminate().0.success());
    let again = Countersign { server: installation.serve(), installation, credential };
    let kept = again.operator(&format!("GET {}", token.path), &serde_json::Value::Null).await;
    assert_eq!(kept["last_used_from"], "203.0.113.5");
    assert!(kept["last_used_at"].is_string(), "{kept}");
}
