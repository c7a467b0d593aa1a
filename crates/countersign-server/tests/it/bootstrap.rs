//! The first operator.

use countersign_server::ops::bootstrap;
use serde_json::{Value, json};

use crate::harness::{PASSWORD, World};

const PATH: &str = "/api/v1/bootstrap";

fn first(code: &str, number: usize) -> Value {
    json!({ "code": code, "email": format!("first{number}@example.com"), "name": "Fay First", "password": PASSWORD })
}

#[tokio::test]
async fn of_a_hundred_at_once_exactly_one_becomes_the_operator() {
    let world = World::empty().await;
    let code = bootstrap::issue(&world.app).await.unwrap().unwrap();
    assert_eq!(world.anonymous().get(PATH).await.expect(200).json(), json!({ "open": true }));
    let racers: Vec<_> = (0..100)
        .map(|number| {
            let (browser, body) = (world.browser(), first(&code, number));
            tokio::spawn(async move { browser.post(PATH, body).await })
        })
        .collect();
    let mut statuses = Vec::new();
    for racer in racers {
        statuses.push(racer.await.unwrap().status.as_u16());
    }
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(statuses[1..].iter().all(|status| *status == 403), "{statuses:?}");
    assert!(bootstrap::issue(&world.app).await.unwrap().is_none());
    assert_eq!(world.anonymous().get(PATH).await.expect(200).json(), json!({ "open": false }));
    world.browser().post(PATH, first(&code, 200)).await.expect_problem(403, "code_spent");
}

#[tokio::test]
async fn a_code_that_is_wrong_old_or_replaced_makes_nobody() {
    let world = World::empty().await;
    let code = bootstrap::issue(&world.app).await.unwrap().unwrap();
    world.browser().post(PATH, first("nonsense", 1)).await.expect_problem(403, "code_spent");
    world.anonymous().post(PATH, first(&code, 1)).await.expect_problem(403, "cross_site");
    let newer = bootstrap::issue(&world.app).await.unwrap().unwrap();
    world.browser().post(PATH, first(&code, 1)).await.expect_problem(403, "code_spent");
    world.clock.advance_secs(3_600);
    world.browser().post(PATH, first(&newer, 1)).await.expect_problem(403, "code_spent");
    let latest = bootstrap::issue(&world.app).await.unwrap().unwrap();
    let mut weak = first(&latest, 1);
    weak["password"] = json!("passwordpassword");
    world.browser().post(PATH, weak).await.expect_problem(422, "password_refused");
    let answer = world.browser().post(PATH, first(&latest, 1)).await.expect(201);
    assert_eq!(answer.json()["operator"], true);
    world.signed_in(&answer).get("/api/v1/people").await.expect(200);
}
