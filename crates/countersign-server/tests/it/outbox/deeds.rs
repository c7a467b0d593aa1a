//! Which deed is told to whom, and what is said of it.

use std::fs;

use countersign_store::Due;
use serde_json::{Value, json};

use super::{Stage, lines, told};
use crate::harness::{ADMINISTRATOR, SPECIALIST, World, code_of, user_id};

fn facts<'d>(told: &'d [Due], event: &str) -> &'d Value {
    &told.iter().find(|due| due.delivery.event.code() == event).unwrap_or_else(|| panic!("{event}")).facts
}

#[tokio::test]
#[allow(clippy::too_many_lines, clippy::type_complexity, reason = "one story, told in its order")]
async fn every_deed_to_a_token_is_told_to_those_who_answer_for_it() {
    let stage = Stage::new().await;
    let ben = stage.world.member(&stage.account, "ben@example.com", SPECIALIST).await;
    told(&stage.world).await;
    let new = json!({ "developer_emails": ["ben@example.com", "dev@example.com"], "api_version": 13 });
    let path = stage.token("Sync", new).await;
    let made = told(&stage.world).await;
    let both = |event: &str| vec![format!("{event} ada@example.com"), format!("{event} ben@example.com")];
    let mut expected = vec!["address.confirm dev@example.com".to_owned()];
    expected.extend(both("token.created"));
    assert_eq!(lines(&made), expected, "whoever did not say yes is asked, and told nothing else");
    let created = facts(&made, "token.created");
    for (name, value) in [
        ("token", json!("Sync")),
        ("account", json!("Account one")),
        ("actor", json!("ada@example.com")),
        ("at", json!("2026-06-15T12:00:00Z")),
        ("api_version", json!(13)),
    ] {
        assert_eq!(created[name], value, "{name}");
    }
    assert_eq!(created.get("by_operator"), None);

    let deeds: [(&str, &str, Value, &str, &[(&str, Value)]); 6] = [
        ("PATCH", "", json!({ "name": "Sync 2", "description": "words" }), "", &[]),
        (
            "PATCH",
            "",
            json!({ "scopes": ["brand.actions.list"], "addresses": ["203.0.113.0/24"] }),
            "token.changed",
            &[("changed", json!(["scopes", "addresses"])), ("scopes_added", json!(["brand.actions.list"]))],
        ),
        (
            "POST",
            "/upgrade",
            json!({ "api_version": 14 }),
            "token.changed",
            &[("changed", json!(["api_version"])), ("from_version", json!(13)), ("to_version", json!(14))],
        ),
        (
            "POST",
            "/reset",
            json!({ "confirm": true, "overlap": "1h" }),
            "token.reset",
            &[("overlap_ends_at", json!("2026-06-15T13:00:00Z"))],
        ),
        ("POST", "/disable", json!({}), "token.disabled", &[]),
        ("POST", "/enable", json!({ "reset": true }), "token.enabled", &[("reset", json!(true))]),
    ];
    for (method, below, body, event, expected) in deeds {
        let edit = stage.ada.get(&path).await.expect(200).json()["edit"].clone();
        let request = stage.ada.request(method, &format!("{path}{below}")).json(&body);
        let request =
            if method == "PATCH" { request.header("if-match", &format!("\"{edit}\"")) } else { request };
        request.send().await.expect(200);
        let heard = told(&stage.world).await;
        if event.is_empty() {
            assert!(heard.is_empty(), "another name is nobody's business: {:?}", lines(&heard));
            continue;
        }
        assert_eq!(lines(&heard), both(event), "{method} {below}");
        for (name, value) in expected {
            assert_eq!(facts(&heard, event)[name], *value, "{event}: {name}");
        }
    }
    stage.ada.post(&format!("{path}/disable"), json!({})).await.expect(200);
    told(&stage.world).await;
    stage.ada.post(&format!("{path}/disable"), json!({})).await.expect(200);
    assert!(told(&stage.world).await.is_empty(), "what is off already is not switched off");
    stage.ada.post(&format!("{path}/reveal"), json!(null)).await;
    stage.ada.request("POST", &format!("{path}/reveal")).send().await.expect(200);
    assert_eq!(lines(&told(&stage.world).await), both("secret.shown"));
    // Who answered for it before hears that they no longer do.
    let edit = stage.ada.get(&path).await.expect(200).json()["edit"].as_u64().unwrap();
    let hand_over = json!({ "primary_contact": user_id(&ben).await, "developer_emails": [] });
    stage.ada.patch(&path, edit, hand_over).await.expect(200);
    assert_eq!(lines(&told(&stage.world).await), both("token.changed"));
    let gone = format!("{path}?confirm_name=Sync%202");
    stage
        .ada
        .request("DELETE", &gone)
        .header("if-match", &format!("\"{}\"", edit + 1))
        .send()
        .await
        .expect(200);
    assert_eq!(lines(&told(&stage.world).await), ["token.deleted ben@example.com"]);
}

#[tokio::test]
async fn an_operator_is_told_of_as_the_platform_and_a_refusal_is_told_to_nobody() {
    let stage = Stage::new().await;
    let path = stage.token("Sync", json!({})).await;
    told(&stage.world).await;
    stage.world.operator.post(&format!("{path}/reset"), json!({ "confirm": true })).await.expect(200);
    let heard = told(&stage.world).await;
    assert_eq!(lines(&heard), ["token.reset ada@example.com"]);
    let reset = facts(&heard, "token.reset");
    assert_eq!((&reset["by_operator"], reset.get("actor")), (&json!(true), None));
    for (method, path, body) in [
        ("POST", format!("{path}/reset"), json!({ "confirm": false })),
        ("POST", format!("{path}/upgrade"), json!({ "api_version": 99 })),
        (
            "POST",
            stage.path("/tokens"),
            json!({ "name": "Sync", "primary_contact": user_id(&stage.ada).await }),
        ),
        ("DELETE", format!("{path}?confirm_name=Other"), json!({})),
    ] {
        let answer = stage.ada.request(method, &path).header("if-match", "\"2\"").json(&body).send().await;
        assert!(answer.status.is_client_error(), "{method} {path}: {}", answer.text());
    }
    stage.ada.patch(&path, 1, json!({ "scopes": ["brand.actions.list"] })).await.expect(412);
    assert!(told(&stage.world).await.is_empty());
}

#[tokio::test]
async fn what_a_token_had_made_is_told_of_with_it() {
    let stage = Stage::new().await;
    let ben = user_id(&stage.world.member(&stage.account, "ben@example.com", SPECIALIST).await).await;
    let scopes = ["brand.tokens.create", "brand.tokens.view", "brand.actions.list"];
    let new = json!({ "name": "Maker", "primary_contact": user_id(&stage.ada).await, "scopes": scopes });
    let made = stage.ada.post(&stage.path("/tokens"), new).await.expect(201).json();
    let maker = stage.world.bearer(made["secret"].as_str().unwrap());
    let child = json!({ "name": "Child", "primary_contact": ben, "scopes": ["brand.actions.list"] });
    maker.post(&stage.path("/tokens"), child).await.expect(201);
    let heard = told(&stage.world).await;
    let by_token = heard.iter().find(|due| due.label == "Child").unwrap();
    assert_eq!(by_token.facts["actor"], made["token"]["sid"], "a token acts under its SID");
    let id = made["token"]["id"].as_str().unwrap();
    stage.ada.post(&stage.path(&format!("/tokens/{id}/disable")), json!({})).await.expect(200);
    let heard = told(&stage.world).await;
    assert_eq!(lines(&heard), ["token.disabled ada@example.com", "token.disabled ben@example.com"]);
    let child = heard.iter().find(|due| due.label == "Child").unwrap();
    assert_eq!(child.facts["maker_id"], id);
}

#[tokio::test]
async fn switching_the_account_off_is_told_once_to_every_contact() {
    let stage = Stage::new().await;
    let ben = user_id(&stage.world.member(&stage.account, "ben@example.com", SPECIALIST).await).await;
    stage.world.member(&stage.account, "carl@example.com", ADMINISTRATOR).await;
    for (name, contact) in [("A", user_id(&stage.ada).await), ("B", ben.clone()), ("C", ben)] {
        let new = json!({ "name": name, "primary_contact": contact });
        stage.ada.post(&stage.path("/tokens"), new).await.expect(201);
    }
    told(&stage.world).await;
    stage.ada.post(&stage.path("/api-access"), json!({ "enabled": false })).await.expect(200);
    assert_eq!(
        lines(&told(&stage.world).await),
        ["access.off ada@example.com", "access.off ben@example.com"]
    );
    stage.ada.post(&stage.path("/api-access"), json!({ "enabled": true })).await.expect(200);
    assert!(told(&stage.world).await.is_empty());
    let edit = stage.ada.get(&stage.path("")).await.expect(200).json()["edit"].as_u64().unwrap();
    stage.world.operator.patch(&stage.path(""), edit, json!({ "state": "suspended" })).await.expect(200);
    let heard = told(&stage.world).await;
    assert_eq!(lines(&heard), ["account.suspended ada@example.com", "account.suspended ben@example.com"]);
    assert_eq!(facts(&heard, "account.suspended")["by_operator"], true);
}

#[tokio::test]
async fn legacy_credentials_have_no_contact_and_are_told_to_the_administrators() {
    let stage = Stage::new().await;
    stage.world.member(&stage.account, "ben@example.com", SPECIALIST).await;
    told(&stage.world).await;
    let at = |below: &str| stage.path(&format!("/legacy-tokens{below}"));
    let deeds = [
        ("POST", "", Value::Null, 201, "token.created"),
        ("POST", "/read-only/reset", json!({ "confirm": true }), 200, "token.reset"),
        ("POST", "/read-write/reveal", Value::Null, 200, "secret.shown"),
        ("POST", "/disable", Value::Null, 200, "token.disabled"),
        ("POST", "/enable", Value::Null, 200, "token.enabled"),
        ("DELETE", "?confirm=true", Value::Null, 200, "token.deleted"),
    ];
    for (method, below, body, status, event) in deeds {
        let request = stage.ada.request(method, &at(below));
        let request = if body.is_null() { request } else { request.json(&body) };
        request.send().await.expect(status);
        let heard = told(&stage.world).await;
        assert_eq!(lines(&heard), [format!("{event} ada@example.com")], "one letter for both halves");
        let credential = facts(&heard, event).get("credential").and_then(Value::as_str);
        let expected = match event {
            "token.reset" => Some("read_only"),
            "secret.shown" => Some("read_write"),
            _ => None,
        };
        assert_eq!(credential, expected, "{event}");
    }
}

#[tokio::test]
async fn invitations_and_password_resets_are_told_without_their_codes() {
    let stage = Stage::new().await;
    let invite = json!({ "email": "new@example.com", "role": SPECIALIST });
    let invited = stage.ada.post(&stage.path("/invitations"), invite).await.expect(201).json();
    let ada = user_id(&stage.ada).await;
    let reset = stage.world.operator.post(&format!("/api/v1/people/{ada}/password-reset"), json!(null)).await;
    let reset = if reset.status.is_success() {
        reset
    } else {
        stage.world.operator.request("POST", &format!("/api/v1/people/{ada}/password-reset")).send().await
    };
    let reset = reset.json();
    let secret = stage.token_with_secret().await;
    let heard = told(&stage.world).await;
    assert_eq!(
        lines(&heard),
        ["invitation new@example.com", "password.reset ada@example.com", "token.created ada@example.com"]
    );
    let accounts: Vec<bool> = heard.iter().map(|due| due.delivery.account.is_some()).collect();
    assert_eq!(accounts, [true, false, true], "a password is no account's business");
    for hidden in [code_of(&invited), code_of(&reset), secret] {
        assert!(hidden.len() >= 43, "{hidden}");
        let mut files = 0;
        for entry in fs::read_dir(&stage.world.app.data_dir).unwrap() {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            let found = bytes.windows(hidden.len()).any(|window| window == hidden.as_bytes());
            assert!(!found, "a code or secret is in the database or its log");
            files += 1;
        }
        assert!(files >= 2, "database and log were not where they are looked for");
    }
}

impl Stage {
    async fn token_with_secret(&self) -> String {
        let new = json!({ "name": "Hidden", "primary_contact": user_id(&self.ada).await });
        let made = self.ada.post(&self.path("/tokens"), new).await.expect(201).json();
        made["secret"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_webhook_of_the_platform_hears_what_accounts_do_not_see() {
    let stage = Stage::new().await;
    let hook = json!({ "url": "https://hooks.example.com/platform", "events": ["token.disabled"] });
    stage.world.operator.post("/api/v1/webhooks", hook).await.expect(201);
    let path = stage.token("Sync", json!({})).await;
    stage.ada.post(&format!("{path}/disable"), json!({})).await.expect(200);
    let listed = stage.ada.get(&stage.path("/deliveries")).await.expect(200).json();
    let channels: Vec<_> = listed["items"].as_array().unwrap().iter().map(|row| &row["channel"]).collect();
    assert!(channels.iter().all(|channel| **channel == "mail"), "{listed}");
    let all = stage.world.operator.get("/api/v1/deliveries?channel=webhook").await.expect(200).json();
    assert_eq!(all["items"].as_array().unwrap().len(), 1, "{all}");
    assert_eq!(all["items"][0]["event"], "token.disabled");
    assert_eq!(all["items"][0]["account_id"], Value::Null);
}

#[tokio::test]
async fn nothing_that_is_told_names_a_secret() {
    let world = World::new().await;
    let stage = Stage::at(world).await;
    let path = stage.token("Sync", json!({})).await;
    let reset = stage.ada.post(&format!("{path}/reset"), json!({ "confirm": true })).await.expect(200).json();
    let secret = reset["secret"].as_str().unwrap();
    let heard = told(&stage.world).await;
    let text = format!("{heard:?}");
    assert!(text.contains("TokenReset") && !text.contains(secret) && !text.contains("csign_"), "{text}");
}
