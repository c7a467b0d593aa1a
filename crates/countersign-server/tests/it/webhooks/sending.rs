//! One attempt against a real receiver: what arrives there, and what is made of its answer.

use std::{
    net::{Ipv4Addr, TcpListener},
    time::Instant,
};

use countersign_model::time::Timestamp;
use countersign_server::{
    limits::{WEBHOOK_RETRY_AFTER_SECS_MAX, WEBHOOK_SECS},
    outcome::SendOutcome,
    random::Random,
    webhooks::{Message, Policy, Sender, SigningSecret},
};
use serde_json::{Value, json};

use super::listener::Listener;

fn sender(ports: Vec<u16>) -> Sender {
    let networks = vec!["127.0.0.0/8".parse().unwrap()];
    Sender::new(Policy { plain_http: true, ports, allow_networks: networks, ..Policy::default() })
}

async fn send_to(port: u16) -> SendOutcome {
    let payload = json!({ "type": "webhook.test" });
    let message = Message { id: "ntc_1", at: Timestamp::from_unix_secs(1), payload: &payload };
    sender(vec![port]).send(&format!("http://127.0.0.1:{port}/"), &[], &message).await
}

#[tokio::test]
async fn what_arrives_is_whole_and_signed() {
    let listener = Listener::with_status(204);
    let random = Random::seeded(7);
    let secrets = [SigningSecret::mint(&random).unwrap(), SigningSecret::mint(&random).unwrap()];
    let payload = json!({ "type": "token.reset", "data": { "name": "Lager – 倉庫" } });
    let message =
        Message { id: "ntc_7", at: Timestamp::from_unix_millis(1_700_000_000_999), payload: &payload };
    let url = format!("http://127.0.0.1:{}/a/b?c=d", listener.port);
    let outcome = sender(vec![listener.port]).send(&url, &secrets, &message).await;
    assert_eq!(outcome, SendOutcome::Sent { code: Some(204) });
    let all = listener.received();
    let [request] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(request.line, "POST /a/b?c=d HTTP/1.1");
    assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), payload);
    assert_eq!(request.header("webhook-id"), "ntc_7");
    assert_eq!(request.header("webhook-timestamp"), "1700000000");
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!(request.header("webhook-signature").split(' ').count(), 2);
    assert!(request.header("user-agent").starts_with("Countersign/"));
    for absent in ["authorization", "cookie", "referer", "accept-encoding"] {
        assert_eq!(request.header(absent), "", "{absent}");
    }
}

#[tokio::test]
async fn what_is_made_of_an_answer() {
    for (status, expected) in [
        (200, "sent"),
        (201, "sent"),
        (299, "sent"),
        (304, "later"),
        (400, "later"),
        (401, "later"),
        (404, "later"),
        (410, "refused"),
        (429, "later"),
        (500, "later"),
        (503, "later"),
        (599, "later"),
    ] {
        let listener = Listener::with_status(status);
        let got = match send_to(listener.port).await {
            SendOutcome::Sent { code: Some(code) } if code == status => "sent",
            SendOutcome::Later { code: Some(code), .. } if code == status => "later",
            SendOutcome::Refused { code: Some(code), .. } if code == status => "refused",
            other => panic!("{status}: {other:?}"),
        };
        assert_eq!(got, expected, "{status}");
    }
}

#[tokio::test]
async fn a_wait_that_is_asked_for_is_kept_within_bounds() {
    for (told, due) in [
        ("0", Some(0)),
        ("120", Some(120)),
        ("999999999", Some(WEBHOOK_RETRY_AFTER_SECS_MAX)),
        ("99999999999999999999", None),
        ("-1", None),
        ("soon", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ] {
        let answer = format!(
            "HTTP/1.1 503 x\r\nretry-after: {told}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        let listener = Listener::answering(answer);
        let SendOutcome::Later { after_secs, .. } = send_to(listener.port).await else { panic!("{told}") };
        assert_eq!(after_secs, due, "{told}");
    }
}

#[tokio::test]
async fn a_long_answer_is_not_read_to_its_end() {
    let long = vec![b'x'; 64 * 1024 * 1024];
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", long.len());
    let listener = Listener::answering([head.into_bytes(), long].concat());
    assert_eq!(send_to(listener.port).await, SendOutcome::Sent { code: Some(200) });
}

#[tokio::test]
async fn what_is_no_answer_is_tried_later() {
    let cases: [(&[u8], &str); 3] = [
        (b"", "ended before an answer"),
        (b"this is not HTTP\r\n\r\n", "ended before an answer"),
        (b"HTTP/1.1 20", "ended before an answer"),
    ];
    for (answer, words) in cases {
        let listener = Listener::answering(answer);
        let outcome = send_to(listener.port).await;
        let SendOutcome::Later { code: None, reason, .. } = outcome else { panic!("{outcome:?}") };
        assert!(reason.contains(words), "{answer:?}: {reason}");
    }
    // A port at which nobody listens: it was given to us, and given back.
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let outcome = send_to(free).await;
    let SendOutcome::Later { code: None, reason, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(reason, "the connection was refused");
}

/// The listener takes connections and says nothing; measured with the machine's clock, because that is what is limited.
#[tokio::test]
#[allow(clippy::disallowed_methods, reason = "tests that measure time have no other way")]
async fn nobody_is_waited_for_longer_than_the_limit() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let began = Instant::now();
    let outcome = send_to(silent.local_addr().unwrap().port()).await;
    let SendOutcome::Later { code: None, reason, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(reason, "it did not answer in time");
    assert!(began.elapsed().as_secs() <= WEBHOOK_SECS + 2, "{:?}", began.elapsed());
}
