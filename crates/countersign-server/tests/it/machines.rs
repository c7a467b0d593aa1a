//! Gateways and platform credentials.

use serde_json::json;

use crate::harness::World;

#[tokio::test]
async fn a_gateway_is_made_changed_reset_and_deleted() {
    let world = World::new().await;
    let path = "/api/v1/gateways";
    let made = world
        .operator
        .post(path, json!({ "name": "edge-1", "peers": ["10.0.0.9/24"] }))
        .await
        .expect(201)
        .json();
    let first = made["credential"].as_str().unwrap().to_owned();
    assert!(first.starts_with("csgate_"));
    assert_eq!(made["gateway"]["peers"], json!(["10.0.0.0/24"]));
    assert_eq!(made["gateway"]["profile"]["uri_header"], "x-original-uri");
    assert!(world.app.gateways.find("edge-1").is_some(), "the doors know it on the answer");
    assert!(!world.operator.get(path).await.expect(200).text().contains(&first));
    world.operator.post(path, json!({ "name": "edge-1" })).await.expect_problem(409, "name_taken");
    assert_eq!(made["gateway"]["profile"]["recipe"], "nginx");
    let custom = json!({ "method_header": "x-m", "uri_header": "x-u", "host_header": "x-h", "address_header": "x-a",
        "address_hops": 2 });
    let changed = world
        .operator
        .patch("/api/v1/gateways/edge-1", 1, json!({ "profile": custom }))
        .await
        .expect(200)
        .json();
    let mut expected = custom;
    expected["recipe"] = serde_json::Value::Null;
    assert_eq!(changed["profile"], expected);
    assert_eq!(world.app.gateways.find("edge-1").unwrap().profile.address_hops, 2);
    world
        .operator
        .patch("/api/v1/gateways/edge-1", 1, json!({ "peers": [] }))
        .await
        .expect_problem(412, "stale");
    let reset =
        world.operator.request("POST", "/api/v1/gateways/edge-1/reset").send().await.expect(200).json();
    assert_ne!(reset["credential"], json!(first));
    world.operator.delete("/api/v1/gateways/edge-1").await.expect(204);
    assert!(world.app.gateways.find("edge-1").is_none());
    world.operator.get("/api/v1/gateways/edge-1").await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_gateway_that_cannot_be_is_refused() {
    let world = World::new().await;
    let custom = |field: &str, value| {
        let mut profile = json!({ "method_header": "x-m", "uri_header": "x-u", "address_header": "x-a", "address_hops": 1 });
        profile[field] = value;
        json!({ "name": "g", "profile": profile })
    };
    for bad in [
        json!({ "name": "" }),
        json!({ "name": "Edge" }),
        json!({ "name": "a/b" }),
        json!({ "name": "x".repeat(41) }),
        json!({ "name": "g", "peers": ["everywhere"] }),
        json!({ "name": "g", "peers": vec!["10.0.0.0/8"; 51] }),
        json!({ "name": "g", "profile": "gopher" }),
        custom("uri_header", json!("X-U")),
        custom("uri_header", json!("authorization")),
        custom("uri_header", json!("x-m")),
        custom("uri_header", json!("a b")),
        custom("host_header", json!("host")),
        custom("host_header", json!("x-u")),
        custom("method_header", json!("x-countersign-sid")),
        custom("address_header", json!("connection")),
        custom("address_hops", json!(0)),
        custom("address_hops", json!(11)),
    ] {
        world.operator.post("/api/v1/gateways", bad.clone()).await.expect(422);
    }
    let profile = json!({ "address_header": "x-a", "address_hops": 1, "recipe": "nginx" });
    let unknown = world.operator.post("/api/v1/gateways", json!({ "name": "g", "profile": profile })).await;
    unknown.expect_problem(400, "field_unknown");
    assert_eq!(world.operator.get("/api/v1/gateways").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_platform_credential_works_until_it_expires_or_is_removed() {
    let world = World::new().await;
    let path = "/api/v1/platform-credentials";
    let new = json!({ "name": "billing", "expires_at": "2026-06-15T13:00:00+00:00" });
    let made = world.operator.post(path, new.clone()).await.expect(201).json();
    let secret = made["credential"].as_str().unwrap();
    assert!(secret.starts_with("csplat_"));
    let machine = world.bearer(secret);
    machine.get("/api/v1/people").await.expect(200);
    machine.get("/api/v1/profile").await.expect_problem(403, "people_only");
    world.operator.post(path, new).await.expect_problem(409, "name_taken");
    let past = json!({ "name": "late", "expires_at": "2026-06-15T12:00:00Z" });
    world.operator.post(path, past).await.expect_problem(422, "field_invalid");
    world.clock.advance_secs(3_600);
    machine.get("/api/v1/people").await.expect_problem(401, "credentials_invalid");
    let other =
        world.signed_in(&world.sign_in("operator@example.com", crate::harness::PASSWORD).await.expect(201));
    let made = other.post(path, json!({ "name": "forever" })).await.expect(201).json();
    let machine = world.bearer(made["credential"].as_str().unwrap());
    machine.get("/api/v1/people").await.expect(200);
    let id = made["platform_credential"]["id"].as_str().unwrap();
    other.delete(&format!("{path}/{id}")).await.expect(204);
    machine.get("/api/v1/people").await.expect_problem(401, "credentials_invalid");
    other.delete(&format!("{path}/{id}")).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn failing_credentials_are_counted_by_address_and_right_ones_are_not_slowed() {
    let world = World::new().await;
    let machine = world.platform("billing").await;
    let wrong = world.bearer("csplat_nonsense");
    let mut limited = 0;
    for _ in 0..80 {
        let answer = wrong.get("/api/v1/people").await;
        if answer.status == 429 {
            assert_eq!(answer.code(), "too_many_failures");
            assert!(!answer.header("retry-after").is_empty());
            limited += 1;
        } else {
            answer.expect_problem(401, "credentials_invalid");
        }
        machine.get("/api/v1/gateways").await.expect(200);
    }
    assert!(limited > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn gateways_made_at_the_same_time_are_all_known() {
    const AT_ONCE: usize = 16;
    let world = World::new().await;
    for round in 0..4 {
        let name = |number: usize| format!("edge-{round}-{number}");
        let makes = (0..AT_ONCE).map(|number| {
            let world = &world;
            async move {
                world.operator.post("/api/v1/gateways", json!({ "name": name(number) })).await.expect(201);
                assert!(world.app.gateways.find(&name(number)).is_some(), "{number}: known on the answer");
            }
        });
        futures_util::future::join_all(makes).await;
        assert!((0..AT_ONCE).all(|number| world.app.gateways.find(&name(number)).is_some()));
    }
}
