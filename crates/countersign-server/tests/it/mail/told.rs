//! From the deed to the letter: who gets which, in which language, and what becomes of those that are not taken. The
//! clock is ours, the mail server is real.

use countersign_model::{actor::Actor, event::Event};
use countersign_server::{mail::TlsMode, node::deliver_due};
use countersign_store::{Audience, AuditDraft, Notice, Outcome, Write};
use serde_json::{Value, json};

use super::{post_office::PostOffice, settings};
use crate::harness::{ADMINISTRATOR, Client, World, user_id};

struct Stage {
    world: World,
    office: PostOffice,
    account: String,
    ada: Client,
}

impl Stage {
    /// A platform with this mail server, and an account whose administrator reads Chinese.
    async fn new(options: &[&str]) -> Self {
        let office = PostOffice::open(options);
        let mut world = World::with(|app| app.mail = Some(settings(&office, TlsMode::None))).await;
        world.found().await;
        let account = world.account("one").await;
        let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
        let profile = ada.get("/api/v1/profile").await.expect(200);
        let request = ada.request("PATCH", "/api/v1/profile").header("if-match", profile.header("etag"));
        request.json(&json!({ "language": "zh-CN" })).send().await.expect(200);
        Self { world, office, account, ada }
    }

    async fn token(&self, name: &str, developers: &[&str]) -> String {
        let contact = user_id(&self.ada).await;
        let new = json!({ "name": name, "primary_contact": contact, "developer_emails": developers });
        let made = self.ada.post(&format!("/api/v1/accounts/{}/tokens", self.account), new).await.expect(201);
        made.json()["token"]["id"].as_str().unwrap().to_owned()
    }

    async fn reset(&self, token: &str) {
        let path = format!("/api/v1/accounts/{}/tokens/{token}/reset", self.account);
        self.ada.post(&path, json!({ "confirm": true })).await.expect(200);
    }

    /// Delivers what is due; answers the letters that arrived, by recipient.
    async fn delivered(&self) -> Vec<(String, Value)> {
        deliver_due(&self.world.app).await.unwrap();
        let recipient = |letter: &Value| letter["to"][0].as_str().unwrap().to_owned();
        let seen = self.office.so_far();
        let mut letters: Vec<_> = seen
            .into_iter()
            .filter(|event| event["event"] == "mail")
            .map(|letter| (recipient(&letter), letter))
            .collect();
        letters.sort_by(|one, other| one.0.cmp(&other.0));
        letters
    }

    async fn announce(&self, token: &str) {
        let (app, account) = (&self.world.app, self.account.parse().unwrap());
        let (now, token) = (app.clock.wall(), token.parse().unwrap());
        let token = app.store.within(account).token(token).await.unwrap().unwrap();
        let notice = Notice {
            id: app.random.id(now).unwrap(),
            at: now,
            account: Some(account),
            event: Event::Announcement,
            token: Some(token.id),
            label: "Update".to_owned(),
            facts: json!({ "title": "Version 15 is near", "body": "First.\n\nSecond.", "account": "Account one" }),
            once: None,
        };
        let audit = AuditDraft {
            at: now,
            actor: Actor::System,
            actor_label: "test".to_owned(),
            client_address: String::new(),
            request_id: None,
            account: Some(account),
            action: "announcement.send",
            subject: String::new(),
            subject_label: String::new(),
            outcome: Outcome::Done,
            before: Value::Null,
            after: Value::Null,
        };
        app.commit(Write::new(audit).post(&notice, Audience::Token(&token))).await.unwrap();
    }
}

fn recipients(letters: &[(String, Value)]) -> Vec<&str> {
    letters.iter().map(|(to, _)| to.as_str()).collect()
}

/// The code of the link to this page in a letter's text.
fn code(letter: &Value, page: &str) -> String {
    let text = letter["text"].as_str().unwrap();
    let (_, rest) = text.split_once(&format!("https://tokens.example.com/{page}#")).unwrap();
    rest.split_whitespace().next().unwrap().to_owned()
}

#[tokio::test]
async fn the_contact_hears_at_once_and_a_developer_after_saying_yes() {
    let stage = Stage::new(&[]).await;
    let token = stage.token("报表", &["dev@example.com"]).await;
    let first = stage.delivered().await;
    assert_eq!(recipients(&first), ["ada@example.com", "dev@example.com"]);
    let (contact, question) = (&first[0].1, &first[1].1);
    assert_eq!(contact["subject"], "新的访问令牌“报表”");
    let text = contact["text"].as_str().unwrap();
    for told in ["帐户 SID: BR", "操作者: ada@example.com", "帐户: Account one", "时间: 2026-06-15 12:00 UTC"]
    {
        assert!(text.contains(told), "{told} is not in {text}");
    }
    assert!(text.contains(&format!("/accounts/{}/tokens/{token}", stage.account)), "{text}");
    assert!(!text.contains("csign_"), "{text}");
    assert_eq!(question["subject"], "您希望收到 Account one 的 API 令牌消息吗？");
    assert!(!question["text"].as_str().unwrap().contains("报表"), "a stranger is told no more than needed");

    stage.reset(&token).await;
    assert_eq!(recipients(&stage.delivered().await), ["ada@example.com"]);

    let confirm = json!({ "code": code(question, "confirm") });
    let answer = stage.world.browser().post("/api/v1/addresses/confirm", confirm).await.expect(200);
    assert_eq!(answer.json()["account"], "Account one");
    assert_eq!(recipients(&stage.delivered().await), Vec::<&str>::new(), "what was before is not told");

    stage.reset(&token).await;
    let both = stage.delivered().await;
    assert_eq!(recipients(&both), ["ada@example.com", "dev@example.com"]);
    assert_eq!(both[1].1["subject"], "访问令牌“报表”已重置");
}

#[tokio::test]
async fn who_is_contact_and_developer_gets_one_letter() {
    let stage = Stage::new(&[]).await;
    let token = stage.token("Reports", &["ADA@example.com", "ada@EXAMPLE.com"]).await;
    assert_eq!(recipients(&stage.delivered().await), ["ada@example.com"]);
    stage.reset(&token).await;
    assert_eq!(recipients(&stage.delivered().await), ["ada@example.com"]);
}

#[tokio::test]
async fn a_letter_that_is_not_taken_now_is_taken_later() {
    let stage = Stage::new(&["--later", "2"]).await;
    stage.token("Reports", &[]).await;
    for wait in [60, 180] {
        assert_eq!(stage.delivered().await.len(), 0);
        stage.world.clock.advance_secs(wait);
    }
    let letters = stage.delivered().await;
    assert_eq!(recipients(&letters), ["ada@example.com"]);
    let filter = countersign_store::DeliveryFilter::default();
    let page = countersign_store::PageAsk { after: None, limit: 100 };
    let within = stage.world.app.store.within(stage.account.parse().unwrap());
    let deliveries = within.deliveries(&filter, &page).await.unwrap().rows;
    let delivery = deliveries.iter().find(|delivery| delivery.event == Event::TokenCreated).unwrap();
    assert_eq!((delivery.tries, delivery.code), (3, Some(250)));
    let headers = letters[0].1["headers"].as_array().unwrap();
    let id = headers.iter().find(|pair| pair[0] == "Message-ID").unwrap();
    assert_eq!(id[1], format!("<{}@example.com>", delivery.id), "the same on every try");
}

#[tokio::test]
async fn a_refused_address_is_shown_and_not_told_again() {
    let stage = Stage::new(&["--refuse", "dev@example.com", "--refuse", "ada@example.com"]).await;
    let token = stage.token("Reports", &["dev@example.com"]).await;
    assert_eq!(stage.delivered().await.len(), 0);
    let path = format!("/api/v1/accounts/{}/addresses", stage.account);
    let row = stage.ada.get(&path).await.expect(200).json()["items"][0].clone();
    assert_eq!((&row["email"], &row["state"]), (&json!("dev@example.com"), &json!("bounced")));
    assert!(row["reason"].as_str().unwrap().contains("550 5.1.1 nobody has this address"), "{row}");
    assert!(stage.world.app.store.bounce("ada@example.com").await.unwrap().is_some());

    // A member is tried again with the next letter, a stranger is not.
    stage.reset(&token).await;
    deliver_due(&stage.world.app).await.unwrap();
    let tried: Vec<Value> =
        stage.office.so_far().into_iter().filter(|event| event["event"] == "recipient").collect();
    assert_eq!(tried.len(), 1, "{tried:?}");
    assert_eq!(tried[0]["address"], "ada@example.com");
}

#[tokio::test]
async fn a_mail_server_that_lets_nobody_in_harms_no_address() {
    let stage = Stage::new(&["--relay-denied"]).await;
    stage.token("Reports", &["dev@example.com"]).await;
    assert_eq!(stage.delivered().await.len(), 0);
    assert!(stage.world.app.store.bounce("ada@example.com").await.unwrap().is_none());
    let path = format!("/api/v1/accounts/{}/addresses", stage.account);
    assert_eq!(stage.ada.get(&path).await.expect(200).json()["items"][0]["state"], "unconfirmed");
}

#[tokio::test]
async fn unsubscribing_ends_updates_and_never_what_is_about_security() {
    let stage = Stage::new(&[]).await;
    let token = stage.token("Reports", &[]).await;
    let security = stage.delivered().await;
    let has =
        |letter: &Value, name: &str| letter["headers"].as_array().unwrap().iter().any(|pair| pair[0] == name);
    assert!(!has(&security[0].1, "List-Unsubscribe"));
    assert!(!security[0].1["text"].as_str().unwrap().contains("unsubscribe"));

    stage.announce(&token).await;
    let update = stage.delivered().await.remove(0).1;
    assert_eq!(update["subject"], "Version 15 is near");
    assert!(has(&update, "List-Unsubscribe"));
    let code = json!({ "code": code(&update, "unsubscribe") });
    let browser = stage.world.browser();
    let ended = browser.post("/api/v1/addresses/unsubscribe", code.clone()).await.expect(200).json();
    assert_eq!(ended, json!({ "email": "ada@example.com", "subscribed": false }));

    stage.announce(&token).await;
    assert_eq!(stage.delivered().await.len(), 0, "an update goes to nobody who ended them");
    stage.reset(&token).await;
    assert_eq!(recipients(&stage.delivered().await), ["ada@example.com"]);

    browser.post("/api/v1/addresses/resubscribe", code).await.expect(200);
    stage.announce(&token).await;
    assert_eq!(recipients(&stage.delivered().await), ["ada@example.com"]);
}
