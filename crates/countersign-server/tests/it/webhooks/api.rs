//! Webhooks by the management API, and what follows from deliveries that fail or succeed.

use countersign_model::id::WebhookId;
use countersign_server::{
    limits::WEBHOOKS_MAX, ops::webhooks::deliver, outcome::SendOutcome, webhooks::Policy,
};
use countersign_store::{DeliveryFilter, PageAsk};
use serde_json::{Value, json};

use super::listener::Listener;
use crate::harness::{ADMINISTRATOR, Client, World, newest_entry, user_id};

const URL: &str = "https://hooks.example.com/countersign";

/// An account with its administrator, who may have webhooks on this machine.
async fn stage(ports: Vec<u16>) -> (World, String, Client) {
    let mut world = World::with(|settings| {
        settings.webhooks = Policy {
            plain_http: true,
            ports,
            allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
            ..settings.webhooks.clone()
        };
    })
    .await;
    world.found().await;
    let account = world.account("one").await;
    let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    (world, account, ada)
}

fn path(account: &str) -> String {
    format!("/api/v1/accounts/{account}/webhooks")
}

async fn made(client: &Client, path: &str, new: Value) -> (WebhookId, Value) {
    let answer = client.post(path, new).await.expect(201).json();
    (answer["webhook"]["id"].as_str().unwrap().parse().unwrap(), answer)
}

async fn shown(client: &Client, path: &str, id: WebhookId) -> Value {
    client.get(&format!("{path}/{id}")).await.expect(200).json()
}

/// Event, channel and target of all deliveries, newest first.
async fn deliveries(world: &World) -> Vec<(String, String, String)> {
    let page = PageAsk { after: None, limit: 100 };
    let found = world.app.store.deliveries(&DeliveryFilter::default(), &page).await.unwrap();
    found
        .rows
        .into_iter()
        .map(|one| (one.event.code().to_owned(), one.channel.as_str().to_owned(), one.target))
        .collect()
}

#[tokio::test]
async fn a_webhook_is_made_shown_changed_and_deleted() {
    let (world, account, ada) = stage(vec![443]).await;
    let path = path(&account);
    let new = json!({ "url": "https://HOOKS.example.com:443/countersign?key=abc", "description": "ours",
        "events": ["token.reset", "token.created", "token.reset"] });
    let (id, answer) = made(&ada, &path, new).await;
    let secret = answer["signing_secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"), "{secret}");
    let webhook = &answer["webhook"];
    assert_eq!(webhook["url"], "https://hooks.example.com/countersign?key=abc");
    assert_eq!(webhook["events"], json!(["token.created", "token.reset"]));
    assert_eq!(webhook["enabled"], true);
    assert_eq!(webhook["created_by"], user_id(&ada).await);
    let entry = newest_entry(&world).await;
    assert_eq!(entry.action, "webhook.create");
    let told = format!("{entry:?}");
    assert!(!told.contains("whsec_") && !told.contains("key=abc"), "{told}");

    let list = ada.get(&path).await.expect(200);
    assert!(!list.text().contains("secret\":\"") && list.text().contains("hooks.example.com"));
    assert_eq!(shown(&ada, &path, id).await, *webhook);

    let one = format!("{path}/{id}");
    ada.request("PATCH", &one).json(&json!({ "enabled": false })).send().await.expect(428);
    let off = ada.patch(&one, 1, json!({ "enabled": false, "events": [] })).await.expect(200);
    assert_eq!(off.header("etag"), "\"2\"");
    assert_eq!(off.json()["enabled"], false);
    assert_eq!(off.json()["events"], json!([]));
    assert_eq!(off.json()["description"], "ours");
    ada.patch(&one, 1, json!({ "enabled": true })).await.expect_problem(412, "stale");
    ada.patch(&one, 2, json!({})).await.expect_problem(422, "field_invalid");
    ada.request("POST", &format!("{one}/test")).send().await.expect_problem(409, "webhook_disabled");
    ada.delete(&one).await.expect(204);
    ada.get(&one).await.expect_problem(404, "not_found");
    assert_eq!(ada.get(&path).await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_url_that_may_not_be_is_refused_with_words() {
    let (world, account, ada) = stage(vec![443, 8443]).await;
    for (url, words) in [
        ("hooks.example.com", "is not a URL"),
        ("ftp://hooks.example.com", "must begin with https://"),
        ("https://me:pw@hooks.example.com", "user name or a password"),
        ("https://hooks.example.com/#x", "behind `#`"),
        ("https://hooks.example.com:25/", "port 25 is not allowed; use one of 443, 8443"),
        ("https://10.0.0.7/", "not one of the public internet"),
        ("https://[::ffff:10.0.0.7]/", "not one of the public internet"),
        ("https://hooks.internal.example/", "leads to no address of the public internet"),
        ("https://nowhere.example/", "leads to no address of the public internet"),
    ] {
        let answer = ada.post(&path(&account), json!({ "url": url })).await;
        let problem = answer.expect_problem(422, "field_invalid").json();
        assert_eq!(problem["field"], "url", "{url}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{url}: {problem}");
    }
    for (field, new) in [
        ("events[0]", json!({ "url": URL, "events": ["token.exploded"] })),
        ("description", json!({ "url": URL, "description": "x".repeat(501) })),
        ("url", json!({ "description": "without" })),
    ] {
        let problem = ada.post(&path(&account), new).await.expect(422).json();
        assert_eq!(problem["field"], field, "{problem}");
    }
    let (id, _) = made(&ada, &path(&account), json!({ "url": URL })).await;
    let one = format!("{}/{id}", path(&account));
    let moved = ada.patch(&one, 1, json!({ "url": "https://hooks.internal.example/" })).await;
    assert_eq!(moved.expect(422).json()["field"], "url");
    assert_eq!(world.app.store.webhook(id).await.unwrap().unwrap().url, URL);
}

#[tokio::test]
async fn an_account_has_so_many_and_each_has_its_own() {
    let (world, account, ada) = stage(vec![443]).await;
    let other = world.account("two").await;
    let tom = world.member(&other, "tom@example.com", ADMINISTRATOR).await;
    let platform = "/api/v1/webhooks";
    let mut first = None;
    for _ in 0..WEBHOOKS_MAX {
        let (id, _) = made(&ada, &path(&account), json!({ "url": URL })).await;
        first = Some(id);
        made(&world.operator, platform, json!({ "url": URL })).await;
    }
    ada.post(&path(&account), json!({ "url": URL })).await.expect_problem(409, "webhook_limit");
    world.operator.post(platform, json!({ "url": URL })).await.expect_problem(409, "webhook_limit");
    let (theirs, _) = made(&tom, &path(&other), json!({ "url": URL })).await;
    let first = first.unwrap();
    for (client, path) in [
        (&ada, format!("{}/{theirs}", path(&account))),
        (&tom, format!("{}/{first}", path(&other))),
        (&world.operator, format!("{platform}/{first}")),
    ] {
        client.get(&path).await.expect_problem(404, "not_found");
        client.patch(&path, 1, json!({ "enabled": false })).await.expect_problem(404, "not_found");
        client.request("POST", &format!("{path}/rotate")).send().await.expect_problem(404, "not_found");
        client.request("POST", &format!("{path}/test")).send().await.expect_problem(404, "not_found");
        client.get(&format!("{path}/deliveries")).await.expect_problem(404, "not_found");
        client.delete(&path).await.expect_problem(404, "not_found");
    }
    assert_eq!(tom.get(&path(&other)).await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_secret_is_sealed_where_it_is_kept() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    let (world, account, ada) = stage(vec![443]).await;
    let (id, answer) = made(&ada, &path(&account), json!({ "url": URL })).await;
    let text = answer["signing_secret"].as_str().unwrap().strip_prefix("whsec_").unwrap();
    let bytes = STANDARD.decode(text).unwrap();
    assert_eq!(bytes.len(), 32);
    let kept = world.app.store.webhook(id).await.unwrap().unwrap().secret;
    assert!(!kept.windows(bytes.len()).any(|window| window == bytes));
    assert!(!kept.windows(text.len()).any(|window| window == text.as_bytes()));
    let (second, _) = made(&ada, &path(&account), json!({ "url": URL })).await;
    let moved = world.app.store.webhook(second).await.unwrap().unwrap();
    let moved = countersign_store::Webhook { secret: kept, ..moved };
    let entry = world.app.store.audit_from(1, 1).await.unwrap().remove(0);
    let draft = countersign_store::AuditDraft {
        at: entry.at,
        actor: entry.actor,
        actor_label: String::new(),
        client_address: String::new(),
        request_id: None,
        account: None,
        action: "test",
        subject: String::new(),
        subject_label: String::new(),
        outcome: entry.outcome,
        before: Value::Null,
        after: Value::Null,
    };
    world.app.commit(countersign_store::Write::new(draft).update_webhook(&moved)).await.unwrap();
    let outcome = deliver(&world.app, second, "ntc_1", &json!({})).await;
    assert_eq!(outcome.unwrap_err().code, "internal", "a secret moved to another row does not open");
}

#[tokio::test]
async fn while_a_secret_is_replaced_both_sign() {
    let listener = Listener::with_status(204);
    let (world, account, ada) = stage(vec![listener.port]).await;
    let url = format!("http://127.0.0.1:{}/", listener.port);
    let (id, answer) = made(&ada, &path(&account), json!({ "url": url })).await;
    let rotate = format!("{}/{id}/rotate", path(&account));
    let payload = json!({ "type": "webhook.test" });
    let signatures = async || {
        deliver(&world.app, id, "ntc_1", &payload).await.unwrap();
        listener.received().last().unwrap().header("webhook-signature").to_owned()
    };
    let alone = signatures().await;
    assert_eq!(alone.split(' ').count(), 1);
    let rotated = ada.request("POST", &rotate).send().await.expect(200).json();
    assert_ne!(rotated["signing_secret"], answer["signing_secret"]);
    assert_eq!(rotated["webhook"]["former_secret_ends_at"], "2026-06-16T12:00:00Z");
    let both = signatures().await;
    assert_eq!(both.split(' ').count(), 2);
    assert_eq!(both.split(' ').nth(1), Some(alone.as_str()), "the former one signs as before");
    world.clock.advance_secs(24 * 3_600 - 1);
    assert_eq!(signatures().await.split(' ').count(), 2);
    world.clock.advance_secs(1);
    let after = signatures().await;
    assert_eq!(after.split(' ').count(), 1);
    assert_ne!(after, alone);
}

#[tokio::test]
async fn one_that_is_gone_is_switched_off_and_its_people_are_told() {
    let listener = Listener::with_status(410);
    let (world, account, ada) = stage(vec![listener.port]).await;
    let url = format!("http://127.0.0.1:{}/x?key=abc", listener.port);
    let (id, _) = made(&ada, &path(&account), json!({ "url": url })).await;
    let outcome = deliver(&world.app, id, "ntc_1", &json!({})).await.unwrap();
    assert!(matches!(outcome, SendOutcome::Refused { code: Some(410), .. }));
    assert_eq!(shown(&ada, &path(&account), id).await["enabled"], false);
    let entry = newest_entry(&world).await;
    assert_eq!((entry.action.as_str(), entry.actor_label.as_str()), ("webhook.switch_off", "countersign"));
    assert!(!format!("{entry:?}").contains("key=abc"));
    let told = deliveries(&world).await;
    let mail = ("webhook.disabled".to_owned(), "mail".to_owned(), "ada@example.com".to_owned());
    assert!(told.contains(&mail), "{told:?}");
    let outcome = deliver(&world.app, id, "ntc_2", &json!({})).await.unwrap();
    assert!(matches!(outcome, SendOutcome::Refused { code: None, .. }));
    assert_eq!(listener.connections(), 1, "a disabled webhook is left alone");
    world.app.store.webhook(id).await.unwrap().unwrap();
}

#[tokio::test]
async fn one_at_which_nothing_arrives_for_days_is_switched_off() {
    let listener = Listener::with_status(500);
    let (world, _, _) = stage(vec![listener.port]).await;
    let platform = "/api/v1/webhooks";
    let url = format!("http://127.0.0.1:{}/", listener.port);
    let (id, _) = made(&world.operator, platform, json!({ "url": url })).await;
    let attempt = async || deliver(&world.app, id, "ntc_1", &json!({})).await.unwrap();
    attempt().await;
    let failing = "2026-06-15T12:00:00Z";
    assert_eq!(shown(&world.cli(), platform, id).await["failing_since"], failing);
    world.clock.advance_secs(5 * 86_400 - 1);
    attempt().await;
    let still = shown(&world.cli(), platform, id).await;
    assert_eq!((&still["enabled"], &still["failing_since"]), (&json!(true), &json!(failing)));
    world.clock.advance_secs(1);
    attempt().await;
    let off = shown(&world.cli(), platform, id).await;
    assert_eq!((&off["enabled"], &off["failing_since"]), (&json!(false), &json!(failing)));
    let mail = ("webhook.disabled".to_owned(), "mail".to_owned(), "operator@example.com".to_owned());
    assert!(deliveries(&world).await.contains(&mail), "operators are told of the platform's");
    let edit = off["edit"].as_u64().unwrap();
    let on =
        world.cli().patch(&format!("{platform}/{id}"), edit, json!({ "enabled": true })).await.expect(200);
    assert_eq!(on.json()["failing_since"], Value::Null);
}

#[tokio::test]
async fn a_success_forgets_what_failed() {
    let (bad, good) = (Listener::with_status(500), Listener::with_status(200));
    let (world, account, ada) = stage(vec![bad.port, good.port]).await;
    let url = |listener: &Listener| format!("http://127.0.0.1:{}/", listener.port);
    let (id, _) = made(&ada, &path(&account), json!({ "url": url(&bad) })).await;
    deliver(&world.app, id, "ntc_1", &json!({})).await.unwrap();
    assert_ne!(shown(&ada, &path(&account), id).await["failing_since"], Value::Null);
    let one = format!("{}/{id}", path(&account));
    ada.patch(&one, 1, json!({ "url": url(&good) })).await.expect(200);
    assert_ne!(shown(&ada, &path(&account), id).await["failing_since"], Value::Null);
    deliver(&world.app, id, "ntc_1", &json!({})).await.unwrap();
    assert_eq!(shown(&ada, &path(&account), id).await["failing_since"], Value::Null);
}

#[tokio::test]
async fn a_test_goes_to_one_webhook_whatever_it_hears() {
    let (world, account, ada) = stage(vec![443]).await;
    let (id, _) = made(&ada, &path(&account), json!({ "url": URL, "events": ["token.reset"] })).await;
    made(&ada, &path(&account), json!({ "url": URL })).await;
    made(&world.operator, "/api/v1/webhooks", json!({ "url": URL })).await;
    ada.request("POST", &format!("{}/{id}/test", path(&account))).send().await.expect(202);
    let told = deliveries(&world).await;
    let to_webhooks: Vec<_> = told.iter().filter(|(_, channel, _)| channel == "webhook").collect();
    assert_eq!(to_webhooks, [&("webhook.test".to_owned(), "webhook".to_owned(), id.to_string())]);
    let listed = ada.get(&format!("{}/{id}/deliveries", path(&account))).await.expect(200).json();
    let [one] = listed["items"].as_array().unwrap().as_slice() else { panic!("{listed}") };
    assert_eq!(one["event"], "webhook.test");
    assert_eq!(one["state"], "waiting");
}
