//! The first operator: a code only the owner of the machine has seen, and exactly one winner (T-36).

use http::Method;
use serde_json::json;

use crate::{client::Client, installation::Installation, platform::PASSWORD};

const CLIENTS: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_clients_with_the_code_exactly_one_becomes_the_operator() {
    let installation = Installation::empty();
    let server = installation.serve();
    let code = std::fs::read_to_string(installation.path("data/bootstrap-code")).unwrap().trim().to_owned();
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let mut client = Client::connect(server.management).await.with("sec-fetch-site", "same-origin");
        let body = json!({
            "code": code, "email": format!("number-{number}@race.example"), "name": "Racer", "password": PASSWORD,
        });
        clients.push(tokio::spawn(async move {
            client.ask(Method::POST, "/api/v1/bootstrap", Some(&body)).await
        }));
    }
    let mut won = 0;
    for client in clients {
        let answer = client.await.unwrap();
        match answer.status.as_u16() {
            201 => won += 1,
            403 | 429 | 503 => {}
            other => panic!("{other}: {:?}", answer.body),
        }
    }
    assert_eq!(won, 1);
    let operators = installation.json(&["person", "list"]);
    assert_eq!(operators.as_array().unwrap().len(), 1, "{operators}");
    let mut client = Client::connect(server.management).await;
    assert_eq!(client.ask(Method::GET, "/api/v1/bootstrap", None).await.body["open"], false);
}

#[tokio::test]
async fn a_wrong_code_makes_nobody_an_operator() {
    let installation = Installation::empty();
    let server = installation.serve();
    let mut client = Client::connect(server.management).await.with("sec-fetch-site", "same-origin");
    let body = json!({ "code": "guess", "email": "a@race.example", "name": "Racer", "password": PASSWORD });
    assert_eq!(client.ask(Method::POST, "/api/v1/bootstrap", Some(&body)).await.status, 403);
    assert_eq!(client.ask(Method::GET, "/api/v1/bootstrap", None).await.body["open"], true);
}

#[tokio::test]
async fn the_network_reaches_management_only_once_there_is_an_operator() {
    let installation = Installation::empty();
    let server = installation.serve_on("0.0.0.0:0", &[]);
    assert!(server.management.ip().is_loopback(), "{}", server.management);
    let code = std::fs::read_to_string(installation.path("data/bootstrap-code")).unwrap().trim().to_owned();
    let mut client = Client::connect(server.management).await.with("sec-fetch-site", "same-origin");
    let body = json!({ "code": code, "email": "a@first.example", "name": "First", "password": PASSWORD });
    assert_eq!(client.ask(Method::POST, "/api/v1/bootstrap", Some(&body)).await.status, 201);
    server.terminate();
    let server = installation.serve_on("0.0.0.0:0", &[]);
    assert!(server.management.ip().is_unspecified(), "{}", server.management);
}
