//! Maximum lifetimes over the management API: who sets them, what they bind, and what answers say.

use serde_json::{Value, json};

use super::{limit_account, limit_brands};
use crate::tokens::world::{Home, Who, World, path_of};

const DAY: u32 = 86_400;

/// The fields of a token that tell when it ends.
async fn end_of(world: &World, home: &Home, token: &Value) -> [Value; 4] {
    let json = world.get(&home.who, &path_of(home, token)).await.expect(200).json;
    ["state", "expires_at", "effective_expires_at", "expiry_set_by"].map(|field| json[field].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_maximum_binds_tokens_that_exist_and_gives_them_back() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (own, own_secret) = world.token(&home, "Own", json!({ "expires_at": "2026-07-21T12:00:00Z" })).await;
    let (open, open_secret) = world.token(&home, "Open", json!({})).await;
    assert_eq!(end_of(&world, &home, &open).await, [json!("enabled"), json!(null), json!(null), json!(null)]);

    limit_account(&world, &home, json!(30)).await.expect(200);
    let expected = [json!("enabled"), json!(null), json!("2026-07-31T12:00:00Z"), json!("account")];
    assert_eq!(end_of(&world, &home, &open).await, expected);
    let own_end = json!("2026-07-21T12:00:00Z");
    let expected = [json!("enabled"), own_end.clone(), own_end.clone(), json!("token")];
    assert_eq!(end_of(&world, &home, &own).await, expected);

    // The platform's is shorter, and binds although the account says more.
    limit_brands(&world, 10).await;
    for (token, own) in [(&open, Value::Null), (&own, own_end)] {
        let expected = [json!("enabled"), own, json!("2026-07-11T12:00:00Z"), json!("platform")];
        assert_eq!(end_of(&world, &home, token).await, expected);
    }
    world.app.clock.advance_secs(10 * DAY - 1);
    assert_eq!((world.decide(&own_secret), world.decide(&open_secret)), ("allowed", "allowed"));
    world.app.clock.advance_secs(1);
    assert_eq!((world.decide(&own_secret), world.decide(&open_secret)), ("token_expired", "token_expired"));
    assert_eq!(end_of(&world, &home, &open).await[0], json!("expired"));
    // A longer one gives back what the shorter one took.
    limit_brands(&world, 25).await;
    assert_eq!((world.decide(&own_secret), world.decide(&open_secret)), ("allowed", "allowed"));
    world.app.clock.advance_secs(10 * DAY);
    assert_eq!((world.decide(&own_secret), world.decide(&open_secret)), ("token_expired", "allowed"));
    world.app.clock.advance_secs(5 * DAY);
    assert_eq!(world.decide(&open_secret), "token_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_stays_within_the_platform_and_the_audit_trail_tells() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    limit_brands(&world, 90).await;
    for (days, status) in [
        (json!(0), 422),
        (json!(91), 422),
        (json!(4000), 422),
        (json!("x"), 422),
        (json!(90), 200),
        (json!(7), 200),
        (json!(null), 200),
    ] {
        let reply = limit_account(&world, &home, days.clone()).await;
        assert_eq!(reply.status.as_u16(), status, "{days}: {}", reply.text);
        if status == 422 {
            assert_eq!(reply.json["field"], "token_lifetime_days", "{days}: {}", reply.text);
        } else {
            assert_eq!(reply.json["token_lifetime_days"], days);
        }
    }
    let refused = limit_account(&world, &home, json!(91)).await;
    assert!(refused.json["detail"].as_str().unwrap().contains("limit for this kind of account is 90 days"));
    let told: Vec<_> = world
        .audit("account.update")
        .await
        .iter()
        .map(|entry| {
            (entry.before["token_lifetime_days"].clone(), entry.after["token_lifetime_days"].clone())
        })
        .collect();
    assert_eq!(told, [(json!(7), json!(null)), (json!(90), json!(7)), (json!(null), json!(90))]);

    let new = |days: u16| json!({ "external_id": format!("n{days}"), "kind": "brand", "name": "New", "token_lifetime_days": days });
    let made = world.post(&Who::Operator, "/accounts", new(90)).await.expect(201);
    assert_eq!(made.json["account"]["token_lifetime_days"], 90);
    world.post(&Who::Operator, "/accounts", new(91)).await.expect_code(422, "field_invalid");
    let catalog = world.get(&home.who, "/catalog").await.expect(200).json;
    assert_eq!(catalog["kinds"][0]["token_lifetime_days"], 90);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_beyond_the_maximum_is_refused_with_the_limit() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    limit_account(&world, &home, json!(30)).await.expect(200);
    let path = format!("/accounts/{}/tokens", home.account);
    let new = |name: &str, at: &str| json!({ "name": name, "primary_contact": home.admin, "expires_at": at });
    let refused = world.post(&home.who, &path, new("Late", "2026-07-31T12:00:01Z")).await;
    let refused = refused.expect_code(422, "field_invalid");
    assert_eq!(refused.json["field"], "expires_at");
    let detail = refused.json["detail"].as_str().unwrap();
    assert!(detail.contains("this account lets a token live for 30 days"), "{detail}");
    assert!(detail.contains("2026-07-31T12:00:00Z"), "{detail}");
    world.post(&home.who, &path, new("Just", "2026-07-31T12:00:00Z")).await.expect(201);

    let (token, _) = world.token(&home, "Edited", json!({ "expires_at": "2026-07-10T12:00:00Z" })).await;
    let path = path_of(&home, &token);
    world.app.clock.advance_secs(DAY);
    for (at, status) in [
        // Counted from its creation, not from the edit.
        (json!("2026-08-01T12:00:00Z"), 422),
        (json!("2026-07-31T12:00:00Z"), 200),
        // Null is no expiry of its own: the maximum binds.
        (json!(null), 200),
    ] {
        let edit = world.get(&home.who, &path).await.expect(200).etag();
        let reply = world.patch(&home.who, &path, edit, json!({ "expires_at": at })).await;
        assert_eq!(reply.status.as_u16(), status, "{at}: {}", reply.text);
    }
    let expected = [json!("enabled"), json!(null), json!("2026-07-31T12:00:00Z"), json!("account")];
    assert_eq!(end_of(&world, &home, &token).await, expected);
    // The audit trail keeps the token's own.
    let entry = world.audit("token.update").await.remove(0);
    assert_eq!(entry.before["expires_at"], "2026-07-31T12:00:00Z");
    assert_eq!(entry.after["expires_at"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_filter_and_count_by_the_end_in_fact() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    limit_account(&world, &home, json!(100)).await.expect(200);
    world.token(&home, "Old", json!({})).await;
    world.app.clock.advance_secs(80 * DAY);
    let (off, _) = world.token(&home, "Off", json!({})).await;
    world.post(&home.who, &format!("{}/disable", path_of(&home, &off)), json!({})).await.expect(200);
    world.token(&home, "Long", json!({})).await;
    let scopes = ["brand.actions.list", "brand.ads.list", "brand.ads.create"];
    world.token(&home, "Short", json!({ "expires_at": "2026-09-21T12:00:00Z", "scopes": scopes })).await;
    let names = |json: &Value| -> Vec<String> {
        json["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|token| token["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let list = |query: &'static str| {
        let path = format!("/accounts/{}/tokens{query}", home.account);
        let (world, who) = (&world, &home.who);
        async move { world.get(who, &path).await.expect(200).json }
    };
    let all = list("").await;
    let totals = json!({ "all": 4, "enabled": 3, "disabled": 1, "expired": 0, "expiring": 2 });
    assert_eq!(all["totals"], totals);
    let short = all["items"].as_array().unwrap().iter().find(|token| token["name"] == "Short").unwrap();
    assert_eq!(
        (&short["reads"], &short["writes"], &short["scopes_count"]),
        (&json!(2), &json!(1), &json!(3))
    );
    assert_eq!(names(&list("?state=expiring").await), ["Short", "Old"]);
    let effective: Vec<&Value> =
        [&all["items"][3], short].map(|token| &token["effective_expires_at"]).to_vec();
    assert_eq!(effective, [&json!("2026-10-09T12:00:00Z"), &json!("2026-09-21T12:00:00Z")]);
    world.app.clock.advance_secs(20 * DAY);
    let one = list("?limit=1").await;
    let totals = json!({ "all": 4, "enabled": 1, "disabled": 1, "expired": 2, "expiring": 0 });
    assert_eq!((names(&one).len(), &one["totals"]), (1, &totals));
    for (query, expected) in [
        ("?state=enabled", &["Long"][..]),
        ("?state=disabled", &["Off"]),
        ("?state=expired", &["Short", "Old"]),
        ("?state=expiring", &[]),
        ("?state=expired&name=old", &["Old"]),
    ] {
        assert_eq!(names(&list(query).await), expected, "{query}");
    }
    let unknown = format!("/accounts/{}/tokens?state=lost", home.account);
    world.get(&home.who, &unknown).await.expect_code(400, "query_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_makes_none_that_outlives_it() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    limit_account(&world, &home, json!(30)).await.expect(200);
    let scopes = ["brand.actions.list", "brand.tokens.view", "brand.tokens.create", "brand.tokens.edit"];
    let (_, secret) = world.token(&home, "Maker", json!({ "scopes": scopes })).await;
    world.app.clock.advance_secs(DAY);
    let path = format!("/accounts/{}/tokens", home.account);
    let maker = Who::Bearer(secret);
    let new = |name: &str, at: Value| json!({ "name": name, "primary_contact": home.admin, "expires_at": at, "scopes": ["brand.actions.list"] });
    // The maximum would let it live a day longer than its maker.
    let refused = world.post(&maker, &path, new("Open", json!(null))).await;
    assert_eq!(refused.expect_code(403, "beyond_own_rights").json["field"], "expires_at");
    world.post(&maker, &path, new("Later", json!("2026-07-31T12:00:01Z"))).await.expect(403);
    let made = world.post(&maker, &path, new("Same", json!("2026-07-31T12:00:00Z"))).await.expect(201);
    let edit = made.etag();
    let path = path_of(&home, &made.json["token"]);
    world.patch(&maker, &path, edit, json!({ "expires_at": null })).await.expect(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_what_is_too_old_is_born_anew() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (token, secret) = world.token(&home, "Sync", json!({})).await;
    limit_account(&world, &home, json!(30)).await.expect(200);
    world.app.clock.advance_secs(31 * DAY);
    assert_eq!(world.decide(&secret), "token_expired");
    let made =
        world.post(&home.who, &format!("{}/duplicate", path_of(&home, &token)), json!({})).await.expect(201);
    assert_eq!(made.json["token"]["effective_expires_at"], "2026-08-31T12:00:00Z");
    assert_eq!(world.decide(made.json["secret"].as_str().unwrap()), "allowed");
}
