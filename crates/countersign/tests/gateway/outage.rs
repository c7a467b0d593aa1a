//! Gateways when Countersign itself is hung, killed and back again, and when it does not know them. What a broken process
//! in its place may say is in `failures`.

use std::{fs, net::SocketAddr, sync::Arc, time::Duration};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{
    client,
    countersign::Token,
    gateways::{self, Between, Running},
    stack::{Stack, beside_each_other, each_with_its_own, record},
};

/// Looks at a process that is to stop, 20 ms apart.
const LOOKS: usize = 500;

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

const ALLOW: &str =
    "HTTP/1.1 200 OK\r\nX-Request-Id: req_0123456789abcdefghjkmnpqrs\r\nContent-Length: 0\r\n\r\n";

/// nginx asks again on a new connection, and then has two statuses to tell of.
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_connection_that_was_closed_changes_no_answer() {
    let limited = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
    for (then, status, reached) in [(ALLOW, 404, 2), (limited, 429, 1)] {
        let (back_end, address) = record().await;
        let data_plane = restarting(then).await;
        let between = Between { data_plane, back_end: address, name: "edge", credential: "csgate_test" };
        let nginx = gateways::ALL.into_iter().find(|gateway| gateway.name == "nginx").unwrap();
        let nginx = Running::start(nginx, None, &between).await;
        // On one connection, so that one worker of nginx has both.
        let ask = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
        let last = "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let answer = client::raw(nginx.address, format!("{ask}{last}").as_bytes()).await;
        assert_eq!(client::statuses(&answer), [404, status], "{answer}");
        assert_eq!(answer.contains("Retry-After: 7"), status == 429, "{answer}");
        assert_eq!(back_end.take_recorded().len(), reached);
    }
}

/// Waits until a process that was told to stop has: each of its threads does at its next turn.
async fn until_every_thread_stands(process: u32) {
    for _ in 0..LOOKS {
        let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
        let stands = |thread: fs::DirEntry| {
            let status = fs::read_to_string(thread.path().join("stat")).unwrap();
            status.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
        };
        if threads.map(Result::unwrap).all(stands) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await; // poll
    }
    panic!("the process goes on");
}

/// Both what Countersign decides and what it answers itself are an outage now.
async fn is_out(stack: &Stack, target: &str, token: &Token) {
    let outage = &stack.gateway.outage;
    for target in [target, "/whoami"] {
        let reply = stack.get(target, token).await;
        assert!(outage.statuses.contains(&reply.status), "{target}: {reply:?}");
        assert!(!outage.retry_after || reply.header("retry-after") == "1", "{target}: {reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn countersign_stopped_hung_and_killed_and_back_again() {
    each_with_its_own(async |mut stack: Stack| {
        let brand = stack.account("brand").await;
        let token = stack.countersign.token(&brand, "Reader", &["brand.actions.list"]).await;
        let target = format!("/Advertisers/{}/Actions", token.sid);
        assert_eq!(stack.get(&target, &token).await.status, 200);
        assert_eq!(stack.reached().len(), 1);

        stack.countersign.server.signal("STOP");
        until_every_thread_stands(stack.countersign.server.id()).await;
        is_out(&stack, &target, &token).await;
        stack.countersign.server.signal("CONT");
        assert_eq!(stack.get(&target, &token).await.status, 200, "going on");
        assert_eq!(stack.reached().len(), 1);

        stack.countersign.operator(&format!("POST {}/disable", token.path), &json!({})).await;
        Arc::get_mut(&mut stack.countersign).unwrap().server.kill();
        is_out(&stack, &target, &token).await;
        let misplaced = format!("{target}?token={}", token.secret);
        let status = stack.get(&misplaced, &token).await.status;
        assert!(stack.gateway.outage.statuses.contains(&status), "{status}");
        assert!(stack.reached().is_empty());
        assert!(
            !stack.running.logs().contains(&token.secret),
            "not even while there are failures to write down"
        );

        // What was answered before it was killed still holds.
        let address = stack.countersign.server.data_plane.to_string();
        let countersign = Arc::get_mut(&mut stack.countersign).unwrap();
        countersign.server = countersign.installation.serve_with(&["--listen-data-plane", &address]);
        assert_eq!(stack.get(&target, &token).await.status, 403, "disabled before it was killed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_not_known_is_an_outage_and_not_a_denial() {
    beside_each_other(async |stack| {
        let brand = stack.account("brand").await;
        let token = stack.countersign.token(&brand, "Reader", &["brand.actions.list"]).await;
        let target = format!("/Advertisers/{}/Actions", token.sid);
        let reset = format!("POST /api/v1/gateways/{}/reset", stack.name);
        stack.countersign.operator(&reset, &serde_json::Value::Null).await;
        is_out(stack, &target, &token).await;
        assert!(stack.reached().is_empty());
        let (data_plane, good) = (
            stack.countersign.server.data_plane,
            stack.countersign.operator(&reset, &serde_json::Value::Null).await,
        );
        let good = good["credential"].as_str().unwrap();
        for (name, credentials) in [
            (stack.name.as_str(), vec![]),
            (stack.name.as_str(), vec![stack.countersign.credential.as_str()]),
            (stack.name.as_str(), vec![good, good]),
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
        let reply = client::send(
            data_plane,
            client::request(&format!("GET /v1/forward-auth/{}", stack.name), &headers),
        )
        .await;
        assert_eq!((reply.status, reply.json()["code"].as_str()), (503, Some("gateway_misconfigured")));
    })
    .await;
}
