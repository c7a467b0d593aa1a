//! Announcements through power cuts: whenever the server is killed, it goes on where it was, and everybody has each
//! announcement once.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use crate::{
    client::Client,
    installation::{Installation, Server},
    platform::{accept, brand_account, operating, platform_credential},
};

const MEMBERS: usize = 4;
const ANNOUNCEMENTS: usize = 60;
const CUTS: usize = 3;
const PATH: &str = "/api/v1/announcements";

/// Four more administrators of an account without tokens: with its first one, five who hear.
async fn members(installation: &Installation, server: &Server) {
    for number in 0..MEMBERS {
        let email = format!("member{number}@brand.example");
        let invited =
            installation.json(&["member", "invite", "brand", &email, "--role", "account_administrator"]);
        accept(server, invited["link"].as_str().unwrap()).await;
    }
}

async fn drafted(client: &mut Client, number: usize) -> String {
    let new = json!({ "subject": format!("Update {number}"), "body": "Please read." });
    let made = client.ask(Method::POST, PATH, Some(&new)).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    made.body["id"].as_str().unwrap().to_owned()
}

async fn shown(client: &mut Client, path: &str) -> Value {
    let answer = client.ask(Method::GET, path, None).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    answer.body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_has_each_announcement_once_after_power_cuts() {
    let installation = Installation::empty();
    let mut server = installation.serve();
    brand_account(&installation, &server).await;
    members(&installation, &server).await;
    let credential = platform_credential(&installation);
    let mut all = Vec::new();
    let mut client = operating(&server, &credential).await;
    for number in 0..ANNOUNCEMENTS {
        all.push(drafted(&mut client, number).await);
    }
    let mut interrupted = 0;
    for part in all.chunks(ANNOUNCEMENTS / CUTS) {
        let mut sending = operating(&server, &credential).await.with("if-match", "\"1\"");
        for id in part {
            let answer = sending.ask(Method::POST, &format!("{PATH}/{id}/send"), None).await;
            assert_eq!(answer.status, 202, "{:?}", answer.body);
        }
        server.kill();
        server = installation.serve();
        let mut client = operating(&server, &credential).await;
        for id in part {
            let path = format!("{PATH}/{id}");
            let mut now = shown(&mut client, &path).await;
            interrupted += usize::from(now["state"] == "sending");
            while now["state"] != "sent" {
                now = shown(&mut client, &path).await;
            }
        }
    }
    let mut client = operating(&server, &credential).await;
    for id in &all {
        let told = shown(&mut client, &format!("{PATH}/{id}/deliveries")).await;
        let items = told["items"].as_array().unwrap();
        let addresses: BTreeSet<&str> = items.iter().map(|one| one["address"].as_str().unwrap()).collect();
        assert_eq!((items.len(), addresses.len()), (MEMBERS + 1, MEMBERS + 1), "{told}");
    }
    assert_eq!(installation.json(&["audit", "verify"])["whole"], true);
    println!(
        "{ANNOUNCEMENTS} announcements, {CUTS} power cuts, {interrupted} were still to be sent after one"
    );
    assert!(interrupted > 0, "every cut came too late to interrupt anything");
}
