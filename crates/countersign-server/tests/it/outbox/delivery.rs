//! Deliveries to a real mail server and a real HTTP receiver.

use std::{sync::Arc, time::Duration};

use countersign_server::{
    mail::{MailSettings, Password, Sender, TlsMode},
    node::{deliver, deliver_due},
    webhooks::Policy,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::Stage;
use crate::{
    harness::{SPECIALIST, World, code_of},
    mail::post_office::PostOffice,
    webhooks::listener::Listener,
};

async fn with_mail(office: &PostOffice) -> Stage {
    let port = office.port;
    let mut world = World::with(|settings| {
        settings.mail = Some(MailSettings {
            host: "localhost".to_owned(),
            port,
            tls: TlsMode::None,
            user: None,
            password: Password::None,
            from: Sender::parse("Example Tokens <tokens@example.com>").unwrap(),
            reply_to: None,
            ca_file: None,
            hello: "tokens.example.com".to_owned(),
            timeout_secs: 20,
        });
    })
    .await;
    world.found().await;
    Stage::at(world).await
}

async fn with_webhooks(ports: &[u16]) -> Stage {
    let mut world = World::with(|settings| {
        settings.webhooks = Policy {
            plain_http: true,
            ports: ports.to_vec(),
            allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
            ..settings.webhooks.clone()
        };
    })
    .await;
    world.found().await;
    Stage::at(world).await
}

impl Stage {
    /// What the list says of the deliveries of an event.
    async fn listed(&self, query: &str) -> Vec<Value> {
        // The command line needs no session, which ends while the clock is moved.
        let path = self.path(&format!("/deliveries?{query}"));
        let page = self.world.cli().get(&path).await.expect(200).json();
        page["items"].as_array().unwrap().clone()
    }

    async fn deliver(&self) -> usize {
        deliver_due(&self.world.app).await.unwrap()
    }

    async fn webhook(&self, port: u16) -> String {
        let new =
            json!({ "url": format!("http://127.0.0.1:{port}/hook?key=abc"), "events": ["token.disabled"] });
        let made = self.ada.post(&self.path("/webhooks"), new).await.expect(201).json();
        made["webhook"]["id"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_letter_arrives_with_what_was_done_and_where_to_act() {
    let office = PostOffice::open(&[]);
    let stage = with_mail(&office).await;
    let path = stage.token("Sync", json!({ "developer_emails": ["ADA@example.com"] })).await;
    assert_eq!(stage.deliver().await, 1, "contact and developer are one person");
    let letter = office.letter();
    let text = letter.to_string();
    let page = path.replace("/api/v1", "https://tokens.example.com");
    assert!(text.contains("ada@example.com") && text.contains(&page), "{text}");
    let sent = &stage.listed("event=token.created").await[0];
    assert_eq!((&sent["state"], &sent["code"], &sent["tries"]), (&json!("sent"), &json!(250), &json!(1)));
    assert_eq!(stage.deliver().await, 0, "once is enough");
}

#[tokio::test]
async fn an_invitation_travels_with_the_link_the_console_shows_unless_it_was_withdrawn() {
    let office = PostOffice::open(&[]);
    let stage = with_mail(&office).await;
    let invite = async |email: &str| {
        let new = json!({ "email": email, "role": SPECIALIST });
        stage.ada.post(&stage.path("/invitations"), new).await.expect(201).json()
    };
    let invited = invite("new@example.com").await;
    assert_eq!(stage.deliver().await, 1);
    let letter = office.letter().to_string().replace("=\\r\\n", "").replace("=\\n", "");
    assert!(letter.contains(&code_of(&invited)), "{letter}");
    let gone = invite("gone@example.com").await;
    let id = gone["invitation"]["id"].as_str().unwrap();
    stage.ada.delete(&stage.path(&format!("/invitations/{id}"))).await;
    let replaced = invite("twice@example.com").await;
    let newest = invite("twice@example.com").await;
    assert_ne!(code_of(&replaced), code_of(&newest));
    assert_eq!(stage.deliver().await, 3);
    let letter = office.letter().to_string();
    assert!(letter.contains("twice@example.com"), "{letter}");
    assert!(office.so_far().iter().all(|event| event["event"] != "mail"), "only the newest of two is sent");
    let states: Vec<_> = stage.listed("event=invitation&state=dead").await;
    assert_eq!(states.len(), 2, "{states:?}");
    assert!(states[0]["reason"].as_str().unwrap().contains("withdrawn"), "{}", states[0]);
    let old = json!({ "code": code_of(&replaced), "name": "Old", "password": crate::harness::PASSWORD });
    stage.world.browser().post("/api/v1/invitations/accept", old).await.expect(403);
}

#[tokio::test]
async fn without_a_mail_server_letters_wait_untried() {
    let stage = Stage::new().await;
    stage.token("Sync", json!({})).await;
    assert_eq!(stage.deliver().await, 0);
    let waiting = &stage.listed("event=token.created").await[0];
    assert_eq!(
        (&waiting["state"], &waiting["tries"], &waiting["waits_for"]),
        (&json!("waiting"), &json!(0), &json!("no_mail_server"))
    );
}

#[tokio::test]
async fn a_refused_address_is_marked_and_given_up_at_once_and_a_hesitant_server_is_tried_again() {
    let office = PostOffice::open(&["--refuse", "ben@example.com", "--later", "1"]);
    let stage = with_mail(&office).await;
    let ben = stage.world.member(&stage.account, "ben@example.com", SPECIALIST).await;
    let ben = crate::harness::user_id(&ben).await;
    super::told(&stage.world).await;
    let path = stage.token("Sync", json!({})).await;
    assert_eq!(stage.deliver().await, 1);
    let waiting = &stage.listed("event=token.created").await[0];
    assert_eq!((&waiting["state"], &waiting["code"]), (&json!("waiting"), &json!(450)));
    assert_eq!(stage.deliver().await, 0, "not before its time");
    stage.world.clock.advance_secs(45);
    assert_eq!(stage.deliver().await, 1);
    assert_eq!(stage.listed("event=token.created").await[0]["state"], "sent");
    let edit = stage.ada.get(&path).await.expect(200).json()["edit"].as_u64().unwrap();
    stage.ada.patch(&path, edit, json!({ "primary_contact": ben })).await.expect(200);
    stage.deliver().await;
    let dead = &stage.listed("state=dead").await[0];
    assert_eq!(
        (&dead["address"], &dead["tries"], &dead["code"]),
        (&json!("ben@example.com"), &json!(1), &json!(550))
    );
    let token = stage.ada.get(&path).await.expect(200).json();
    assert_eq!(token["told"][0]["state"], "bounced", "{token}");
}

#[tokio::test]
async fn what_is_never_taken_is_given_up_after_twenty_tries_and_can_be_tried_again() {
    let (bad, good) = (Listener::with_status(500), Listener::with_status(204));
    let stage = with_webhooks(&[bad.port, good.port]).await;
    let hook = stage.webhook(bad.port).await;
    let path = stage.token("Sync", json!({})).await;
    stage.ada.post(&format!("{path}/disable"), json!({})).await.expect(200);
    let mut tries = 0;
    let mut seconds: u32 = 0;
    loop {
        let now = stage.deliver().await;
        tries += now;
        let row = stage.listed("channel=webhook").await.remove(0);
        if row["state"] == "dead" {
            break;
        }
        assert_eq!(row["tries"], tries, "{row}");
        assert!(seconds < 5 * 24 * 3600, "it is never given up");
        // Half an hour at a time: the switching off of a webhook that fails for days is another story.
        stage.world.clock.advance_secs(600);
        seconds += 600;
    }
    assert_eq!((tries, bad.received().len()), (20, 20));
    let ids: std::collections::BTreeSet<_> =
        bad.received().iter().map(|request| request.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 1, "the same id on every try");
    let dead = stage.listed("channel=webhook").await.remove(0);
    let one = stage.path(&format!("/deliveries/{}", dead["id"].as_str().unwrap()));
    let shown = stage.world.cli().get(&one).await.expect(200).json();
    let attempts = shown["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 20);
    assert!(attempts.iter().all(|attempt| attempt["code"] == 500), "{shown}");
    assert_eq!(
        (&attempts[0]["number"], &shown["address"]),
        (&json!(20), &json!(format!("http://127.0.0.1:{}/hook", bad.port)))
    );
    let url = json!({ "url": format!("http://127.0.0.1:{}/hook", good.port) });
    let at_hook = stage.path(&format!("/webhooks/{hook}"));
    let cli = stage.world.cli();
    let seen = cli.get(&at_hook).await.expect(200);
    cli.request("PATCH", &at_hook)
        .header("if-match", seen.header("etag"))
        .json(&url)
        .send()
        .await
        .expect(200);
    assert_eq!(stage.deliver().await, 0, "what was given up is not tried by itself");
    cli.request("POST", &format!("{one}/retry")).send().await.expect(200);
    assert_eq!(stage.deliver().await, 1);
    assert_eq!(stage.listed("channel=webhook").await[0]["state"], "sent");
    let message: Value = serde_json::from_slice(&good.received()[0].body).unwrap();
    assert_eq!((&message["type"], &message["data"]["token"]), (&json!("token.disabled"), &json!("Sync")));
    assert_eq!(message["data"]["account_id"], stage.account);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_wakes_at_once_and_ends_in_order() {
    let listener = Listener::with_status(204);
    let stage = with_webhooks(&[listener.port]).await;
    stage.webhook(listener.port).await;
    let path = stage.token("Sync", json!({})).await;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(deliver(Arc::clone(&stage.world.app), stop.clone()));
    stage.ada.post(&format!("{path}/disable"), json!({})).await.expect(200);
    // Well below the half minute after which it would look by itself.
    let arrived = async {
        while listener.received().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), arrived).await.expect("it does not wake");
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(20), worker).await.expect("it does not end").unwrap();
    assert_eq!(stage.listed("channel=webhook").await[0]["state"], "sent", "what was on its way is settled");
}
