//! nginx when Countersign is gone, hangs, fails or talks nonsense: never the back end, always 503.

use std::net::SocketAddr;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{
    client,
    nginx::Nginx,
    stack::{Stack, record},
};

/// A Countersign that answers the first question on a connection it keeps, closes it on the second, and answers that on
/// a new connection: what a gateway sees of a restart.
async fn restarting(then: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut question = [0; 4096];
        let (mut first, _) = listener.accept().await.unwrap();
        assert!(first.read(&mut question).await.unwrap() > 0);
        first.write_all(ALLOW.as_bytes()).await.unwrap();
        assert!(first.read(&mut question).await.unwrap() > 0);
        drop(first);
        let (mut second, _) = listener.accept().await.unwrap();
        assert!(second.read(&mut question).await.unwrap() > 0);
        second.write_all(then.as_bytes()).await.unwrap();
    });
    address
}

/// What a broken process on Countersign's port does with a question.
#[derive(Debug, Clone, Copy)]
enum Broken {
    /// Says these bytes and closes.
    Says(&'static str),
    /// Closes without a word.
    Closes,
    /// Never says anything.
    Hangs,
}

async fn broken(how: Broken) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut hanging = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            match how {
                Broken::Hangs => hanging.push(stream),
                Broken::Closes => {}
                Broken::Says(bytes) => {
                    let mut question = [0; 4096];
                    let _ = stream.read(&mut question).await;
                    let _ = stream.write_all(bytes.as_bytes()).await;
                }
            }
        }
    });
    address
}

const ALLOW: &str =
    "HTTP/1.1 200 OK\r\nX-Request-Id: req_0123456789abcdefghjkmnpqrs\r\nContent-Length: 0\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_never_an_allow() {
    let (back_end, address) = record().await;
    let ask = client::request("GET /Advertisers/BR1/Actions", &[("authorization", "Bearer x")]);
    // That an allow would reach the back end: else nothing here would prove anything.
    let nginx = Nginx::start(broken(Broken::Says(ALLOW)).await, address, "csgate_test").await;
    client::send(nginx.address, ask.clone()).await;
    assert_eq!(back_end.take_recorded().len(), 1);

    for how in [
        Broken::Closes,
        Broken::Hangs,
        Broken::Says("garbage"),
        Broken::Says("garbage\r\n\r\n"),
        Broken::Says("200 OK\r\n\r\n"),
        Broken::Says("SSH-2.0-OpenSSH_9.2\r\n"),
        Broken::Says("X-Request-Id: req_0123456789abcdefghjkmnpqrs\r\n\r\n"),
        Broken::Says("HTTP/1.1 200"),
        Broken::Says("HTTP/1.1 200 OK\r\nX-Request-Id: req_0123456789abcd"),
        Broken::Says("HTTP/1.1 200 OK\r\n\r\n"),
        Broken::Says("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        Broken::Says("HTTP/1.1 200 OK\r\nX-Request-Id: other\r\nContent-Length: 0\r\n\r\n"),
        Broken::Says("HTTP/1.1 200 OK\r\nX-Request-Id: req_a b\r\nContent-Length: 0\r\n\r\n"),
        Broken::Says(
            "HTTP/1.1 201 Created\r\nX-Request-Id: req_0123456789abcdefghjkmnpqrs\r\nContent-Length: 0\r\n\r\n",
        ),
        Broken::Says("HTTP/1.1 204 No Content\r\nX-Request-Id: req_0123456789abcdefghjkmnpqrs\r\n\r\n"),
        Broken::Says("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"),
        Broken::Says("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        Broken::Says("HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\n\r\n"),
        Broken::Says("HTTP/1.1 431 Too Large\r\nContent-Length: 0\r\n\r\n"),
        Broken::Says("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"),
        Broken::Says("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
        Broken::Says("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"),
        Broken::Says("HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n"),
        Broken::Says("HTTP/2 200 OK\r\nX-Request-Id: req_0123456789abcdefghjkmnpqrs\r\n\r\n"),
        Broken::Says("\0\0\0\0"),
    ] {
        let nginx = Nginx::start(broken(how).await, address, "csgate_test").await;
        let reply = client::send(nginx.address, ask.clone()).await;
        assert_eq!(reply.status, 503, "{how:?}: {reply:?}");
        assert_eq!(reply.header("retry-after"), "1", "{how:?}");
        assert!(back_end.take_recorded().is_empty(), "{how:?}");
    }
}

/// nginx asks again on a new connection, and then has two statuses to tell of.
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_connection_that_was_closed_changes_no_answer() {
    let limited = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
    for (then, status, reached) in [(ALLOW, 404, 2), (limited, 429, 1)] {
        let (back_end, address) = record().await;
        let nginx = Nginx::start(restarting(then).await, address, "csgate_test").await;
        // On one connection, so that one worker of nginx has both.
        let ask = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
        let last = "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let answer = client::raw(nginx.address, format!("{ask}{last}").as_bytes()).await;
        assert_eq!(client::statuses(&answer), [404, status], "{answer}");
        assert_eq!(answer.contains("Retry-After: 7"), status == 429, "{answer}");
        assert_eq!(back_end.take_recorded().len(), reached);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn countersign_stopped_hung_and_killed_and_back_again() {
    let mut stack = Stack::start().await;
    let brand = stack.countersign.account("brand").await;
    let token = stack.countersign.token(&brand, "Reader", &["brand.actions.list"]).await;
    let target = format!("/Advertisers/{}/Actions", token.sid);
    assert_eq!(stack.get(&target, &token).await.status, 200);
    assert_eq!(stack.reached().len(), 1);

    stack.countersign.server.signal("STOP");
    for target in [target.as_str(), "/whoami"] {
        let reply = stack.get(target, &token).await;
        assert_eq!((reply.status, reply.header("retry-after")), (503, "1"), "hung: {target}");
    }
    stack.countersign.server.signal("CONT");
    assert_eq!(stack.get(&target, &token).await.status, 200, "going on");
    assert_eq!(stack.reached().len(), 1);

    stack.countersign.operator(&format!("POST {}/disable", token.path), &json!({})).await;
    stack.countersign.server.kill();
    for target in [target.as_str(), "/whoami"] {
        let reply = stack.get(target, &token).await;
        assert_eq!((reply.status, reply.header("retry-after")), (503, "1"), "killed: {target}");
    }
    let misplaced = format!("{target}?token={}", token.secret);
    assert_eq!(stack.get(&misplaced, &token).await.status, 503);
    assert!(stack.reached().is_empty());
    assert!(!stack.nginx.logs().contains(&token.secret), "not even while nginx has failures to write down");

    // What was answered before it was killed still holds.
    let address = stack.countersign.server.data_plane.to_string();
    stack.countersign.server = stack.countersign.installation.serve_with(&["--listen-data-plane", &address]);
    assert_eq!(stack.get(&target, &token).await.status, 403, "disabled before it was killed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_not_known_is_an_outage_and_not_a_denial() {
    let stack = Stack::start().await;
    let brand = stack.countersign.account("brand").await;
    let token = stack.countersign.token(&brand, "Reader", &["brand.actions.list"]).await;
    let target = format!("/Advertisers/{}/Actions", token.sid);
    stack.countersign.operator("POST /api/v1/gateways/edge/reset", &serde_json::Value::Null).await;
    assert_eq!(stack.get(&target, &token).await.status, 503);
    assert_eq!(stack.get("/whoami", &token).await.status, 503);
    assert!(stack.reached().is_empty());
    let (data_plane, good) = (
        stack.countersign.server.data_plane,
        stack.countersign.operator("POST /api/v1/gateways/edge/reset", &serde_json::Value::Null).await,
    );
    let good = good["credential"].as_str().unwrap();
    for (name, credentials) in [
        ("edge", vec![]),
        ("edge", vec![stack.countersign.credential.as_str()]),
        ("edge", vec![good, good]),
        ("other", vec![good]),
        ("", vec![good]),
        ("edge/", vec![good]),
        ("%65dge", vec![good]),
    ] {
        let mut headers = vec![("authorization", "Bearer x")];
        headers.extend(credentials.iter().map(|credential| ("x-countersign-gateway", *credential)));
        let reply =
            client::send(data_plane, client::request(&format!("GET /v1/forward-auth/{name}"), &headers))
                .await;
        assert_eq!(reply.status, 503, "{name} {credentials:?}");
        assert_eq!(reply.json()["code"], "gateway_untrusted");
        assert_eq!(reply.header("retry-after"), "1");
    }
    // Only a gateway that is known is told what it forgot.
    let headers = [("x-countersign-gateway", good)];
    let reply = client::send(data_plane, client::request("GET /v1/forward-auth/edge", &headers)).await;
    assert_eq!((reply.status, reply.json()["code"].as_str()), (503, Some("gateway_misconfigured")));
}
