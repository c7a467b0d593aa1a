//! Developer addresses say yes before they are told of anything, and say no whenever they want.

use countersign_model::name::EmailAddress;
use countersign_server::{
    limits::{ADDRESS_ASKED_AGAIN_SECS, ADDRESS_CODE_SECS, ADDRESSES_ASKED_PER_DAY, TIMES_ASKED_PER_DAY},
    ops::addresses,
};
use serde_json::{Value, json};

use crate::harness::{ADMINISTRATOR, Client, World, user_id};

const DAY: u32 = 25 * 3600;

struct Stage {
    world: World,
    account: String,
    ada: Client,
}

impl Stage {
    async fn new() -> Self {
        let world = World::new().await;
        let account = world.account("one").await;
        let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
        Self { world, account, ada }
    }

    /// A token that names these developers.
    async fn token(&self, name: &str, developers: &[&str]) {
        let contact = user_id(&self.ada).await;
        let new = json!({ "name": name, "primary_contact": contact, "developer_emails": developers });
        self.ada.post(&format!("/api/v1/accounts/{}/tokens", self.account), new).await.expect(201);
    }

    /// Address, state and whether it was asked, as the command line sees them: it needs no session.
    async fn listed(&self) -> Vec<(String, String, bool)> {
        let path = format!("/api/v1/accounts/{}/addresses?limit=200", self.account);
        let page = self.world.cli().get(&path).await.expect(200).json();
        let read = |row: &Value| {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            (text("email"), text("state"), !row["asked_at"].is_null())
        };
        page["items"].as_array().unwrap().iter().map(read).collect()
    }

    async fn link(&self, email: &str) -> Option<String> {
        let email = EmailAddress::parse(email).unwrap();
        addresses::confirm_link(&self.world.app, self.account.parse().unwrap(), &email).await.unwrap()
    }

    async fn code(&self, email: &str) -> String {
        let link = self.link(email).await.unwrap();
        let (page, code) = link.split_once('#').unwrap();
        assert_eq!(page, "https://tokens.example.com/confirm");
        code.to_owned()
    }

    async fn confirm(&self, code: &str) -> crate::harness::Answer {
        self.world.browser().post("/api/v1/addresses/confirm", json!({ "code": code })).await
    }

    async fn ask(&self, email: &str) -> crate::harness::Answer {
        let path = format!("/api/v1/accounts/{}/addresses/ask", self.account);
        self.world.cli().post(&path, json!({ "email": email })).await
    }

    /// How many letters that ask were posted.
    async fn questions(&self) -> usize {
        let filter = countersign_store::DeliveryFilter::default();
        let page = countersign_store::PageAsk { after: None, limit: 1_000 };
        let all = self.world.app.store.deliveries(&filter, &page).await.unwrap();
        all.rows
            .iter()
            .filter(|delivery| delivery.event == countersign_model::event::Event::AddressConfirm)
            .count()
    }
}

#[tokio::test]
async fn an_address_is_asked_once_and_says_yes_once() {
    let stage = Stage::new().await;
    stage.token("First", &["dev@example.com", "Ada@Example.com"]).await;
    stage.token("Second", &["DEV@example.com"]).await;
    assert_eq!(stage.questions().await, 1, "a member is not asked, and nobody twice");
    let unconfirmed = ("dev@example.com".to_owned(), "unconfirmed".to_owned(), true);
    assert_eq!(stage.listed().await, [unconfirmed]);

    let code = stage.code("dev@example.com").await;
    let confirmed = stage.confirm(&code).await.expect(200).json();
    assert_eq!(confirmed, json!({ "email": "dev@example.com", "account": "Account one" }));
    assert_eq!(stage.listed().await[0].1, "confirmed");
    assert_eq!(stage.link("dev@example.com").await, None, "there is nothing to ask any more");
    stage.token("Third", &["dev@example.com"]).await;
    assert_eq!(stage.questions().await, 1);
}

#[tokio::test]
async fn the_database_has_no_code() {
    let stage = Stage::new().await;
    stage.token("First", &["dev@example.com"]).await;
    let code = stage.code("dev@example.com").await;
    let (mut seen, wanted) = (0, code.as_bytes());
    for file in std::fs::read_dir(&stage.world.app.data_dir).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
        seen += bytes.windows(15).filter(|window| window == b"dev@example.com").count();
        assert!(!bytes.windows(wanted.len()).any(|window| window == wanted));
    }
    assert!(seen > 0, "the search finds what is there");
}

#[tokio::test]
async fn a_code_that_does_not_work_gets_one_answer() {
    let stage = Stage::new().await;
    stage.token("First", &["dev@example.com", "late@example.com"]).await;
    let (spent, late) = (stage.code("dev@example.com").await, stage.code("late@example.com").await);
    stage.confirm(&spent).await.expect(200);
    let mut answers = Vec::new();
    for code in [spent.as_str(), "", "unknown", &"x".repeat(101), "dev@example.com"] {
        answers.push(stage.confirm(code).await.expect_problem(403, "code_spent").text());
    }
    stage.world.clock.advance_secs(u32::try_from(ADDRESS_CODE_SECS).unwrap() - 1);
    stage.confirm(&late).await.expect(200);
    stage.ask("dev@example.com").await.expect_problem(409, "address_confirmed");
    let other = Stage::new().await;
    other.token("First", &["dev@example.com"]).await;
    let late = other.code("dev@example.com").await;
    other.world.clock.advance_secs(u32::try_from(ADDRESS_CODE_SECS).unwrap());
    answers.push(other.confirm(&late).await.expect_problem(403, "code_spent").text());
    let without_id = |text: &String| {
        let mut problem: Value = serde_json::from_str(text).unwrap();
        problem["request_id"].take();
        problem
    };
    let first = without_id(&answers[0]);
    assert!(answers.iter().all(|answer| without_id(answer) == first), "{answers:#?}");
}

#[tokio::test]
async fn only_our_own_pages_confirm_and_end() {
    let stage = Stage::new().await;
    stage.token("First", &["dev@example.com"]).await;
    let code = stage.code("dev@example.com").await;
    let elsewhere = stage.world.anonymous().with("sec-fetch-site", "cross-site");
    for path in ["confirm", "unsubscribe", "resubscribe"] {
        let path = format!("/api/v1/addresses/{path}");
        elsewhere.post(&path, json!({ "code": code })).await.expect(403);
        stage.world.anonymous().post(&path, json!({ "code": code })).await.expect(403);
    }
    assert_eq!(stage.listed().await[0].1, "unconfirmed");
    stage.confirm(&code).await.expect(200);
}

#[tokio::test]
async fn asking_again_takes_a_day_and_makes_the_first_link_void() {
    let stage = Stage::new().await;
    stage.token("First", &["dev@example.com"]).await;
    let first = stage.code("dev@example.com").await;
    let refused = stage.ask("dev@example.com").await.expect_problem(429, "address_asked");
    assert_eq!(refused.header("retry-after"), ADDRESS_ASKED_AGAIN_SECS.to_string());
    stage.ask("nobody@example.com").await.expect_problem(404, "not_found");
    stage.world.clock.advance_secs(DAY);
    assert_eq!(stage.ask("DEV@example.com").await.expect(200).json()["state"], "unconfirmed");
    assert_eq!(stage.questions().await, 2);
    stage.confirm(&first).await.expect_problem(403, "code_spent");
    stage.confirm(&stage.code("dev@example.com").await).await.expect(200);
}

#[tokio::test]
async fn an_edit_asks_those_it_names_anew() {
    let stage = Stage::new().await;
    stage.token("First", &["dev@example.com"]).await;
    let tokens = format!("/api/v1/accounts/{}/tokens", stage.account);
    let id = stage.ada.get(&tokens).await.expect(200).json()["items"][0]["id"].as_str().unwrap().to_owned();
    let change = json!({ "developer_emails": ["dev@example.com", "new@example.com"] });
    stage.ada.patch(&format!("{tokens}/{id}"), 1, change).await.expect(200);
    assert_eq!(stage.questions().await, 2);
    let emails: Vec<String> = stage.listed().await.into_iter().map(|(email, ..)| email).collect();
    assert_eq!(emails, ["dev@example.com", "new@example.com"]);
    stage.ada.post(&format!("{tokens}/{id}/duplicate"), json!({})).await.expect(201);
    assert_eq!(stage.questions().await, 2);
}

#[tokio::test]
async fn nobody_is_flooded_with_questions() {
    let stage = Stage::new().await;
    let per_token = 20;
    let all = usize::try_from(ADDRESSES_ASKED_PER_DAY).unwrap() + per_token;
    let addresses: Vec<String> = (0..all).map(|n| format!("dev{n:03}@example.com")).collect();
    for (n, some) in addresses.chunks(per_token).enumerate() {
        let some: Vec<&str> = some.iter().map(String::as_str).collect();
        stage.token(&format!("Token {n}"), &some).await;
    }
    let asked = stage.listed().await.iter().filter(|(.., asked)| *asked).count();
    assert_eq!(asked, usize::try_from(ADDRESSES_ASKED_PER_DAY).unwrap());
    assert_eq!(stage.listed().await.len(), all, "those that were not asked are shown all the same");
    stage.ask(&addresses[all - 1]).await.expect_problem(429, "address_limit");
    stage.world.clock.advance_secs(DAY);
    stage.ask(&addresses[all - 1]).await.expect(200);

    // One address, many accounts.
    let stage = Stage::new().await;
    for n in 0..=TIMES_ASKED_PER_DAY {
        let account = stage.world.account(&format!("more{n}")).await;
        let ada = stage.world.member(&account, &format!("ada{n}@example.com"), ADMINISTRATOR).await;
        let new = json!({ "name": "Token", "primary_contact": user_id(&ada).await,
            "developer_emails": ["victim@example.org"] });
        ada.post(&format!("/api/v1/accounts/{account}/tokens"), new).await.expect(201);
    }
    assert_eq!(stage.questions().await, usize::try_from(TIMES_ASKED_PER_DAY).unwrap());
}

#[tokio::test]
async fn a_refused_address_is_marked_and_can_be_asked_again() {
    let stage = Stage::new().await;
    stage.token("First", &["dev@example.com"]).await;
    let app = &stage.world.app;
    let code = stage.code("dev@example.com").await;
    stage.confirm(&code).await.expect(200);
    addresses::bounced(app, "DEV@example.com", "550 5.1.1 nobody").await.unwrap();
    let path = format!("/api/v1/accounts/{}/addresses", stage.account);
    let row = stage.ada.get(&path).await.expect(200).json()["items"][0].clone();
    assert_eq!((&row["state"], &row["reason"]), (&json!("bounced"), &json!("550 5.1.1 nobody")));
    assert_eq!(app.store.bounce("dev@example.com").await.unwrap().unwrap().reason, "550 5.1.1 nobody");
    assert_eq!(stage.link("dev@example.com").await, None);
    stage.world.clock.advance_secs(DAY);
    stage.ask("dev@example.com").await.expect(200);
    assert!(app.store.bounce("dev@example.com").await.unwrap().is_none());
    stage.confirm(&stage.code("dev@example.com").await).await.expect(200);

    addresses::bounced(app, "ada@example.com", "full").await.unwrap();
    addresses::arrived(app, "ada@example.com").await.unwrap();
    addresses::arrived(app, "ada@example.com").await.unwrap();
    assert!(app.store.bounce("ada@example.com").await.unwrap().is_none());
}

#[tokio::test]
async fn whoever_has_the_link_ends_letters_and_lets_them_come_again() {
    let stage = Stage::new().await;
    let app = &stage.world.app;
    let link = addresses::unsubscribe_link(app, "Ada@Example.com");
    let (page, code) = link.split_once('#').unwrap();
    assert_eq!(page, "https://tokens.example.com/unsubscribe");
    let ask = async |path: &str, code: &str| {
        let path = format!("/api/v1/addresses/{path}");
        stage.world.browser().post(&path, json!({ "code": code })).await
    };
    for _ in 0..2 {
        let ended = ask("unsubscribe", code).await.expect(200).json();
        assert_eq!(ended, json!({ "email": "ada@example.com", "subscribed": false }));
        assert!(app.store.is_unsubscribed("ada@example.com").await.unwrap());
    }
    for _ in 0..2 {
        assert_eq!(ask("resubscribe", code).await.expect(200).json()["subscribed"], true);
        assert!(!app.store.is_unsubscribed("ada@example.com").await.unwrap());
    }
    let other = addresses::unsubscribe_link(app, "ben@example.com");
    let (address, _) = code.split_once('.').unwrap();
    let (_, proof) = other.rsplit_once('.').unwrap();
    let cut = &code[..code.len() - 1];
    let grown = format!("{code}A");
    let long = "x".repeat(501);
    let crossed = format!("{address}.{proof}");
    for wrong in [crossed.as_str(), cut, &grown, address, "", ".", &long, "!.!"] {
        ask("unsubscribe", wrong).await.expect_problem(403, "code_spent");
    }
    assert!(!app.store.is_unsubscribed("ada@example.com").await.unwrap());
}
