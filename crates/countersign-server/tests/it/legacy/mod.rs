//! `/api/v1/accounts/{account_id}/legacy-tokens`.

use ::http::Method;
use serde_json::{Value, json};

use crate::tokens::world::{Home, Reply, Who, World, path_of};

async fn enable(world: &World, home: &Home) -> Reply {
    world.call(&home.who, Method::POST, &card(home), &[], None).await
}

fn card(home: &Home) -> String {
    format!("/accounts/{}/legacy-tokens", home.account)
}

fn secrets(reply: &Reply) -> (String, String) {
    let text = |name: &str| reply.json[name].as_str().unwrap().to_owned();
    (text("read_write_secret"), text("read_only_secret"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_life_of_a_pair() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let empty = world.get(&home.who, &card(&home)).await.expect(200);
    assert_eq!(
        empty.json,
        json!({ "enabled": false, "available": true, "read_write": null, "read_only": null })
    );
    world
        .post(&home.who, &format!("{}/disable", card(&home)), json!({}))
        .await
        .expect_code(404, "legacy_tokens_off");
    let made = enable(&world, &home).await.expect(201);
    let (read_write, read_only) = secrets(&made);
    assert_eq!((world.decide(&read_write), world.decide(&read_only)), ("allowed", "allowed"));
    assert_ne!(
        made.json["legacy_tokens"]["read_write"]["sid"],
        made.json["legacy_tokens"]["read_only"]["sid"]
    );
    enable(&world, &home).await.expect_code(409, "legacy_exists");
    let listed = world.get(&home.who, &format!("/accounts/{}/tokens", home.account)).await.expect(200);
    assert_eq!(listed.json["items"], json!([]));
    let off = world.post(&home.who, &format!("{}/disable", card(&home)), json!({})).await.expect(200);
    assert_eq!(off.json["legacy_tokens"]["read_only"]["state"], "disabled");
    assert_eq!((world.decide(&read_write), world.decide(&read_only)), ("token_disabled", "token_disabled"));
    world.post(&home.who, &format!("{}/enable", card(&home)), json!({})).await.expect(200);
    assert_eq!((world.decide(&read_write), world.decide(&read_only)), ("allowed", "allowed"));
    let path = card(&home);
    world.call(&home.who, Method::DELETE, &path, &[], None).await.expect(400);
    world
        .call(&home.who, Method::DELETE, &format!("{path}?confirm=false"), &[], None)
        .await
        .expect_code(422, "confirmation_missing");
    let gone =
        world.call(&home.who, Method::DELETE, &format!("{path}?confirm=true"), &[], None).await.expect(200);
    assert_eq!(gone.json["legacy_tokens"], empty.json);
    assert_eq!(
        (world.decide(&read_write), world.decide(&read_only)),
        ("credentials_invalid", "credentials_invalid")
    );
    let again = enable(&world, &home).await.expect(201);
    assert_eq!(world.decide(&secrets(&again).0), "allowed");
    for (action, count) in
        [("legacy.enable", 2), ("legacy.disable", 1), ("legacy.switch_on", 1), ("legacy.delete", 1)]
    {
        assert_eq!(world.audit(action).await.len(), count, "{action}");
    }
    let everything = format!("{:?}", world.audit("legacy.").await);
    assert!(!everything.contains(&read_write) && !everything.contains(&read_only));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_half_is_reset_and_revealed_by_itself() {
    let world = World::new().await;
    let home = world.home("partner", "acme").await;
    let (read_write, read_only) = secrets(&enable(&world, &home).await.expect(201));
    let reset = |half: &str| format!("{}/{half}/reset", card(&home));
    world.post(&home.who, &reset("read-write"), json!({})).await.expect_code(422, "field_invalid");
    world.post(&home.who, &reset("write"), json!({ "confirm": true })).await.expect_code(404, "not_found");
    let headers = [("idempotency-key", "k")];
    let body = json!({ "confirm": true });
    let reply = world
        .call(&home.who, Method::POST, &reset("read-write"), &headers, Some(body.clone()))
        .await
        .expect(200);
    let new = reply.json["read_write_secret"].as_str().unwrap().to_owned();
    assert_eq!(reply.json["read_only_secret"], Value::Null);
    assert_eq!((world.decide(&read_write), world.decide(&new)), ("credentials_invalid", "allowed"));
    assert_eq!(world.decide(&read_only), "allowed");
    let again = world
        .call(&home.who, Method::POST, &reset("read-write"), &headers, Some(body.clone()))
        .await
        .expect(200);
    assert_eq!(again.json["read_write_secret"], json!(new));
    let other = world.call(&home.who, Method::POST, &reset("read-only"), &headers, Some(body)).await;
    other.expect_code(422, "idempotency_key_reused");
    let reveal = |half: &str| format!("{}/{half}/reveal", card(&home));
    let shown = world.call(&home.who, Method::POST, &reveal("read-write"), &[], None).await.expect(200);
    assert_eq!(shown.json["secret"], json!(new));
    let shown = world.call(&home.who, Method::POST, &reveal("read-only"), &[], None).await.expect(200);
    assert_eq!(shown.json["secret"], json!(read_only));
    world
        .call(&Who::Operator, Method::POST, &reveal("read-only"), &[], None)
        .await
        .expect_code(403, "not_for_operators");
    let overlap = json!({ "confirm": true, "overlap": "1h" });
    world.post(&home.who, &reset("read-only"), overlap).await.expect(200);
    assert_eq!(world.decide(&read_only), "allowed");
    world.app.clock.advance_secs(3_600);
    assert_eq!(world.decide(&read_only), "credentials_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legacy_credential_is_no_token_and_manages_nothing() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let made = enable(&world, &home).await.expect(201);
    let (read_write, _) = secrets(&made);
    let path = path_of(&home, &made.json["legacy_tokens"]["read_write"]);
    world.get(&home.who, &path).await.expect_code(404, "not_found");
    world.post(&home.who, &format!("{path}/disable"), json!({})).await.expect_code(404, "not_found");
    world.post(&home.who, &format!("{path}/duplicate"), json!({})).await.expect_code(404, "not_found");
    let list = format!("/accounts/{}/tokens", home.account);
    world.get(&Who::Bearer(read_write.clone()), &list).await.expect_code(403, "scope_missing");
    let body = json!({ "name": "One", "primary_contact": home.admin });
    world.post(&Who::Bearer(read_write), &list, body).await.expect_code(403, "scope_missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_out_is_a_token_with_every_scope_but_management() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    enable(&world, &home).await.expect(201);
    let path = format!("{}/duplicate", card(&home));
    let reply = world.post(&home.who, &path, json!({})).await.expect(201);
    let token = &reply.json["token"];
    assert_eq!(
        (&token["name"], &token["api_version"]),
        (&json!("Copy of Legacy account tokens"), &json!(14))
    );
    assert_eq!(token["primary_contact"]["id"], json!(home.admin));
    let scopes = token["scopes"].as_array().unwrap();
    assert_eq!(scopes.len(), 113);
    assert!(scopes.iter().all(|scope| !scope.as_str().unwrap().starts_with("brand.tokens.")));
    assert_eq!(world.decide(reply.json["secret"].as_str().unwrap()), "allowed");
    let reply = world.post(&home.who, &path, json!({})).await.expect(201);
    assert_eq!(reply.json["token"]["name"], "Copy 2 of Legacy account tokens");
    world.post(&Who::Operator, &path, json!({})).await.expect_code(422, "field_invalid");
    let named = json!({ "name": "Ours", "primary_contact": home.admin });
    world.post(&Who::Operator, &path, named).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_of_a_pair_only_goes_up() {
    let world = World::new().await;
    let home = world.home("agency", "acme").await;
    enable(&world, &home).await.expect(201);
    let path = format!("{}/upgrade", card(&home));
    world.post(&home.who, &path, json!({})).await.expect_code(409, "api_version_latest");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_pair_is_raised_together() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let file = "account_external_id,kind,name,sid,secret,access,scopes,api_version,primary_contact,state,created_at\n\
        acme,brand,Old writer,OLD-1,an-old-secret-1,read_write,,11,,enabled,2019-01-01\n\
        acme,brand,Old reader,OLD-2,an-old-secret-2,read_only,,13,,enabled,2019-01-01\n";
    let request = ::http::Request::post("/api/v1/import?apply=true").header("content-type", "text/csv");
    let imported = world.send(&Who::Operator, request.body(file.into()).unwrap()).await.expect(200);
    assert_eq!(imported.json["applied"], true, "{}", imported.text);
    let path = format!("{}/upgrade", card(&home));
    world.post(&home.who, &path, json!({ "api_version": 11 })).await.expect_code(422, "field_invalid");
    let versions = |reply: &Reply| {
        ["read_write", "read_only"]
            .map(|half| reply.json["legacy_tokens"][half]["api_version"].as_u64().unwrap())
    };
    let raised = world.post(&home.who, &path, json!({ "api_version": 12 })).await.expect(200);
    assert_eq!(versions(&raised), [12, 13], "one that is newer already is not taken back");
    let copy = world.post(&home.who, &format!("{}/duplicate", card(&home)), json!({})).await.expect(201);
    assert_eq!(copy.json["token"]["api_version"], 12);
    let raised = world.post(&home.who, &path, json!({})).await.expect(200);
    assert_eq!(versions(&raised), [14, 14]);
    world.post(&home.who, &path, json!({})).await.expect_code(409, "api_version_latest");
    assert_eq!((world.decide("an-old-secret-1"), world.decide("an-old-secret-2")), ("allowed", "allowed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_does_not_stop_the_pair() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    world.token(&home, "legacy READ/WRITE", json!({})).await;
    let made = enable(&world, &home).await.expect(201);
    assert_eq!(made.json["legacy_tokens"]["read_write"]["name"], "Legacy read/write 2");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_enables_at_once_one_makes_the_pair() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let replies = futures_util::future::join_all((0..10).map(|_| enable(&world, &home))).await;
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(made, 1, "{:?}", replies.iter().map(|reply| &reply.text).collect::<Vec<_>>());
    assert!(replies.iter().all(|reply| reply.status == 201 || reply.code() == "legacy_exists"));
}
