//! A redirect is an answer like any other: nobody follows it, wherever it points.

use countersign_model::time::Timestamp;
use countersign_server::{
    outcome::SendOutcome,
    webhooks::{Message, Policy, Sender},
};
use serde_json::json;

use super::listener::Listener;

#[tokio::test]
async fn no_redirect_is_followed() {
    let target = Listener::with_status(200);
    let port = target.port;
    let places = [
        format!("http://127.0.0.1:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("//127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "/elsewhere".to_owned(),
    ];
    let mut tried = 0;
    for status in [300, 301, 302, 303, 305, 307, 308] {
        for place in &places {
            let answer = format!(
                "HTTP/1.1 {status} x\r\nlocation: {place}\r\nrefresh: 0; url={place}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            let first = Listener::answering(answer);
            let policy = Policy {
                plain_http: true,
                ports: vec![first.port, port],
                allow_networks: vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
                ..Policy::default()
            };
            let payload = json!({ "type": "webhook.test" });
            let message = Message { id: "ntc_1", at: Timestamp::from_unix_secs(1), payload: &payload };
            let url = format!("http://127.0.0.1:{}/", first.port);
            let outcome = Sender::new(policy).send(&url, &[], &message).await;
            let SendOutcome::Later { code, reason, .. } = outcome else { panic!("{status}: {outcome:?}") };
            assert_eq!(code, Some(status));
            assert!(reason.contains("redirect"), "{reason}");
            assert_eq!(first.connections(), 1, "{status} {place}");
            tried += 1;
        }
    }
    assert_eq!(target.connections(), 0, "{tried} redirects");
}
