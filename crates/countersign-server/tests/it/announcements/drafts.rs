//! A draft can be changed until it is sent, and is checked like everything that is stored.

use serde_json::{Value, json};

use super::{PATH, drafted, path_of, send};
use crate::harness::{ADMINISTRATOR, World, newest_entry};

#[tokio::test]
async fn a_draft_is_made_shown_changed_and_deleted() {
    let world = World::new().await;
    let draft = drafted(
        &world,
        json!({ "subject_zh": "版本 15", "link": "https://example.com/15", "kinds": ["brand", "agency", "brand"],
            "versions": [14, 13, 14] }),
    )
    .await;
    assert_eq!(draft["state"], "draft");
    assert_eq!(draft["kinds"], json!(["agency", "brand"]));
    assert_eq!(draft["versions"], json!([13, 14]));
    assert_eq!(draft["created_by"], "operator@example.com");
    let path = path_of(&draft);
    assert_eq!(world.operator.get(&path).await.expect(200).json(), draft);
    let patch = json!({ "body": "Other words.", "link": null, "kinds": [] });
    let changed = world.operator.patch(&path, 1, patch).await.expect(200);
    assert_eq!(changed.header("etag"), "\"2\"");
    let changed = changed.json();
    assert_eq!((&changed["body"], &changed["link"]), (&json!("Other words."), &Value::Null));
    assert_eq!((&changed["kinds"], &changed["versions"]), (&json!([]), &json!([13, 14])));
    assert_eq!(changed["subject"], draft["subject"]);
    world.operator.patch(&path, 1, json!({ "body": "Late." })).await.expect_problem(412, "stale");
    let listed = world.operator.get(PATH).await.expect(200).json();
    assert_eq!(listed["items"], json!([changed]));
    world.operator.delete(&path).await.expect(204);
    world.operator.get(&path).await.expect_problem(404, "not_found");
    assert_eq!(newest_entry(&world).await.action, "announcement.delete");
}

#[tokio::test]
async fn what_cannot_be_sent_cannot_be_written() {
    let world = World::new().await;
    let good = json!({ "subject": "S", "body": "B" });
    for (field, value, at) in [
        ("subject", json!(""), "subject"),
        ("subject", json!(" \n "), "subject"),
        ("subject", json!("two\nlines"), "subject"),
        ("subject", json!("x".repeat(201)), "subject"),
        ("body", json!(""), "body"),
        ("body", json!("x".repeat(10_001)), "body"),
        ("body", json!("turned \u{202e}around"), "body"),
        ("link", json!("http://example.com"), "link"),
        ("link", json!("javascript:alert(1)"), "link"),
        ("link", json!("https://me@example.com"), "link"),
        ("kinds", json!(["brand", "nobody"]), "kinds[1]"),
        ("versions", json!([14, 9]), "versions[1]"),
        ("versions", json!([-1]), "versions[0]"),
    ] {
        let mut new = good.clone();
        new[field] = value.clone();
        let problem = world.operator.post(PATH, new).await.expect(422).json();
        assert_eq!(problem["field"], at, "{value}: {problem}");
    }
    let mut apart = good.clone();
    apart["kinds"] = json!(["agency"]);
    apart["versions"] = json!([14]);
    let problem = world.operator.post(PATH, apart).await.expect(422).json();
    assert_eq!(problem["field"], "versions[0]", "agencies have no version 14: {problem}");
    world.operator.post(PATH, good).await.expect(201);
    let whole = json!({ "subject": "x".repeat(200), "body": "版".repeat(10_000) });
    world.operator.post(PATH, whole).await.expect(201);
}

#[tokio::test]
async fn what_was_sent_stays_as_it_is() {
    let world = World::new().await;
    let draft = drafted(&world, json!({})).await;
    let path = path_of(&draft);
    let send_it = || world.operator.request("POST", &format!("{path}/send")).header("if-match", "\"1\"");
    send_it().send().await.expect_problem(409, "announcement_reaches_nobody");
    let account = world.account("one").await;
    world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    world.operator.request("POST", &format!("{path}/send")).send().await.expect(428);
    let changed = world.operator.patch(&path, 1, json!({ "body": "Newer." })).await.expect(200).json();
    send_it().send().await.expect_problem(412, "stale");
    send(&world, &changed).await;
    assert_eq!(newest_entry(&world).await.action, "announcement.send");
    for answer in [
        world.operator.patch(&path, 3, json!({ "body": "Too late." })).await,
        world.operator.delete(&path).await,
        world.operator.request("POST", &format!("{path}/send")).header("if-match", "\"3\"").send().await,
    ] {
        answer.expect_problem(409, "announcement_sent");
    }
    assert_eq!(world.operator.get(&path).await.json()["body"], "Newer.");
}
