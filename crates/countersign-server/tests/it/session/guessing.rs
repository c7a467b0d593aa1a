//! Guessing passwords, and finding out who exists (T-2, T-4).

use countersign_server::ops::attempts;
use serde_json::json;

use crate::harness::{ADMINISTRATOR, Answer, PASSWORD, World, user_id};

fn told(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let headers = answer.headers.iter().filter(|(name, _)| *name != "x-request-id");
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let mut body = answer.json();
    body.as_object_mut().unwrap().remove("request_id");
    (answer.status.as_u16(), headers, body.to_string())
}

#[tokio::test]
async fn unknown_wrong_locked_and_switched_off_are_one_answer() {
    let world = World::new().await;
    let account = world.account("one").await;
    for email in ["wrong@example.com", "locked@example.com", "off@example.com"] {
        world.member(&account, email, ADMINISTRATOR).await;
    }
    let people = world.operator.get("/api/v1/people").await.expect(200).json();
    let id = |email: &str| {
        let all = people["items"].as_array().unwrap();
        all.iter().find(|person| person["email"] == email).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let locked = id("locked@example.com").parse().unwrap();
    for _ in 0..100 {
        world.app.store.count_failed_sign_in(locked, Some(world.clock.wall())).await.unwrap();
    }
    let off = format!("/api/v1/people/{}", id("off@example.com"));
    world.operator.patch(&off, 1, json!({ "active": false })).await.expect(200);
    let mut answers = Vec::new();
    for (email, password) in [
        ("nobody@example.com", PASSWORD),
        ("wrong@example.com", "not the password at all"),
        ("locked@example.com", PASSWORD),
        ("off@example.com", PASSWORD),
        ("no address", PASSWORD),
    ] {
        answers.push((email, told(&world.sign_in(email, password).await)));
    }
    assert_eq!(answers[0].1.0, 401);
    for (email, answer) in &answers {
        assert_eq!(answer, &answers[0].1, "{email}");
    }
}

#[tokio::test]
async fn ten_thousand_guesses_from_five_hundred_addresses_get_at_most_a_hundred_tries() {
    let world = World::new().await;
    let account = world.account("one").await;
    let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    let user = user_id(&ada).await.parse().unwrap();
    let body = json!({ "email": "ada@example.com", "password": "not the password at all" });
    let count = if std::env::var_os("COUNTERSIGN_TEST_FULL").is_some() { 10_000 } else { 2_000 };
    for number in 0..count {
        let address = format!("10.0.{}.{}", number % 2, number % 500 / 2);
        let address: &'static str = Box::leak(address.into_boxed_str());
        let guess = world.browser().at_address(address).post("/api/v1/session", body.clone()).await;
        assert!(matches!(guess.status.as_u16(), 401 | 429), "{}", guess.text());
        world.clock.advance_secs(5);
    }
    let person = world.app.store.person(user).await.unwrap().unwrap();
    assert!(person.failed_sign_ins > 100, "the guesser reached the limit");
    let right = json!({ "email": "ada@example.com", "password": PASSWORD });
    world.clock.advance_secs(3_600);
    world.browser().post("/api/v1/session", right.clone()).await.expect_problem(401, "sign_in_refused");
    // The same person, from the browser they signed in from before.
    let answer = ada.post("/api/v1/session", right).await.expect(201);
    assert!(answer.cookie("__Host-countersign").is_some());
    println!(
        "T-2: {count} guesses from 500 addresses; after 100 failures not even the right password is compared"
    );
}

#[tokio::test]
async fn strangers_wait_and_a_known_device_does_not() {
    let world = World::new().await;
    let body = json!({ "email": "operator@example.com", "password": "not the password at all" });
    let mut refused = 0;
    for _ in 0..20 {
        let answer = world.browser().post("/api/v1/session", body.clone()).await;
        if answer.status == 429 {
            assert_eq!(answer.code(), "too_many_sign_ins");
            assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
            refused += 1;
        }
    }
    assert_eq!(refused, 10);
    let right = json!({ "email": "operator@example.com", "password": PASSWORD });
    world.browser().post("/api/v1/session", right.clone()).await.expect(429);
    world.operator.post("/api/v1/session", right).await.expect(201);
    // Somebody nobody knows waits just the same.
    let nobody = json!({ "email": "nobody@example.com", "password": "not the password at all" });
    let mut refused = 0;
    for _ in 0..20 {
        let answer =
            world.browser().at_address("198.51.100.77").post("/api/v1/session", nobody.clone()).await;
        refused += usize::from(answer.status == 429);
    }
    assert_eq!(refused, 10);
}

#[tokio::test]
async fn failed_sign_ins_are_summed_by_address_and_minute() {
    let world = World::new().await;
    for number in 0..300 {
        let address = format!("10.0.{}.{}", number / 250, number % 250);
        let address: &'static str = Box::leak(address.into_boxed_str());
        let body = json!({ "email": format!("n{number}@example.com"), "password": PASSWORD });
        world.browser().at_address(address).post("/api/v1/session", body).await.expect(401);
    }
    attempts::flush(&world.app, false).await.unwrap();
    let path = "/api/v1/audit?action=session.refused&limit=200";
    assert_eq!(
        world.operator.get(path).await.expect(200).json()["items"].as_array().unwrap().len(),
        0,
        "the minute is not over"
    );
    world.clock.advance_secs(60);
    attempts::flush(&world.app, false).await.unwrap();
    let entries = world.operator.get(path).await.expect(200).json();
    let entries = entries["items"].as_array().unwrap();
    assert!((2..=100).contains(&entries.len()), "{}", entries.len());
    let sum: u64 = entries.iter().map(|entry| entry["after"]["attempts"].as_u64().unwrap()).sum();
    assert_eq!(sum, 300);
    assert!(
        entries.iter().all(|entry| entry["outcome"] == "refused" && entry["actor"]["kind"] == "anonymous")
    );
}
