//! A year of reminders on a clock that the tests move: each once, none twice, none for what was missed.

use std::sync::Arc;

use countersign_model::event::Event;
use countersign_server::ops::reminders::{remind_of_expiry, remind_of_overlaps, remind_of_versions};
use countersign_store::{Channel, Claim, DeliveryFilter, PageAsk};
use serde_json::json;

use super::{
    limit_account, load_catalog,
    versions::{call, flush},
};
use crate::tokens::world::{World, path_of};

const HOUR: u32 = 3_600;
const DAY: u32 = 24 * HOUR;

/// Runs everything that the node runs every hour, and answers how many reminders were posted.
async fn run(world: &World) -> u64 {
    let app = &world.app;
    remind_of_overlaps(app).await.unwrap()
        + remind_of_expiry(app).await.unwrap()
        + remind_of_versions(app).await.unwrap()
}

/// Every delivery there is of these events: when it was posted, the event, the token, the address.
async fn told(world: &World) -> Vec<(String, &'static str, String, String)> {
    let page = PageAsk { after: None, limit: 1_000 };
    let all = world.app.store.deliveries(&DeliveryFilter::default(), &page).await.unwrap().rows;
    let events = [Event::TokenExpiring, Event::OverlapEnding, Event::VersionDeprecated, Event::VersionEnding];
    let mut rows = Vec::new();
    for one in all.into_iter().filter(|one| events.contains(&one.event)) {
        let of_account = world.app.store.within(one.account.unwrap());
        let token = of_account.token(one.token.unwrap()).await.unwrap().unwrap();
        rows.push((one.created_at.to_string(), one.event.code(), token.name.to_string(), one.address));
    }
    rows.sort();
    rows
}

fn of<'r>(rows: &'r [(String, &'static str, String, String)], token: &str) -> Vec<(&'r str, &'static str)> {
    rows.iter().filter(|row| row.2 == token).map(|row| (row.0.as_str(), row.1)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_posts_each_reminder_once() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    load_catalog(&world, &[("number = 12\n", "number = 12\ndeprecated = 2026-09-01\nsunset = 2027-02-01\n")])
        .await;
    world.token(&home, "Own end", json!({ "expires_at": "2026-12-24T12:00:00Z" })).await;
    world.token(&home, "Short", json!({ "expires_at": "2026-07-04T12:00:00Z" })).await;
    world.token(&home, "No end", json!({})).await;
    let (off, _) = world.token(&home, "Off", json!({ "expires_at": "2026-12-24T12:00:00Z" })).await;
    world.post(&home.who, &format!("{}/disable", path_of(&home, &off)), json!({})).await.expect(200);
    world.token(&home, "On 12", json!({ "api_version": 12 })).await;
    let scopes = json!({ "scopes": ["brand.actions.list"] });
    let (by_header, secret) = world.token(&home, "By header", scopes).await;
    let other = world.home("brand", "zeta").await;
    world.token(&other, "Bound", json!({})).await;
    limit_account(&world, &other, json!(200)).await.expect(200);

    let mut posted = 0;
    for hour in 0..365 * 24 {
        if hour % (24 * 20) == 0 && hour < 200 * 24 {
            // It names 12 now and then, whatever its own version.
            call(&world, by_header["sid"].as_str().unwrap(), &secret, Some("12"));
            flush(&world).await;
        }
        posted += run(&world).await;
        if hour % 97 == 0 {
            // A restart, or another node: nothing is posted twice.
            assert_eq!(run(&world).await, 0);
        }
        world.app.clock.advance_secs(HOUR);
    }
    let rows = told(&world).await;
    let ends = |days: [&'static str; 3]| days.map(|day| (day, "token.expiring")).to_vec();
    assert_eq!(
        of(&rows, "Own end"),
        ends(["2026-11-24T12:00:00Z", "2026-12-17T12:00:00Z", "2026-12-23T12:00:00Z"])
    );
    // Made for three days: a month and a week before were over when it was made.
    assert_eq!(of(&rows, "Short"), [("2026-07-03T12:00:00Z", "token.expiring")]);
    assert_eq!(
        of(&rows, "Bound"),
        ends(["2026-12-18T12:00:00Z", "2027-01-10T12:00:00Z", "2027-01-16T12:00:00Z"])
    );
    let ages = [
        ("2026-09-01T00:00:00Z", "version.deprecated"),
        ("2026-11-03T00:00:00Z", "version.ending"),
        ("2027-01-02T00:00:00Z", "version.ending"),
        ("2027-01-25T00:00:00Z", "version.ending"),
        ("2027-01-31T00:00:00Z", "version.ending"),
    ];
    assert_eq!(of(&rows, "On 12"), ages);
    // It was last used in 12 on day 180, at the end of December, so 30 days later nobody writes about it.
    assert_eq!(of(&rows, "By header"), ages[..4]);
    for silent in ["No end", "Off"] {
        assert_eq!(of(&rows, silent), [], "{silent}");
    }
    assert_eq!(posted, rows.len() as u64, "one recipient each");
    let entries: u64 = world
        .audit("reminder.post")
        .await
        .iter()
        .map(|entry| entry.after["reminders"].as_u64().unwrap())
        .sum();
    assert_eq!(entries, posted);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_only_the_last_step_is_told() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    load_catalog(&world, &[("number = 12\n", "number = 12\ndeprecated = 2026-07-10\nsunset = 2026-10-10\n")])
        .await;
    world.token(&home, "Ends", json!({ "expires_at": "2026-09-01T12:00:00Z" })).await;
    world.token(&home, "On 12", json!({ "api_version": 12 })).await;
    assert_eq!(run(&world).await, 0);
    // Down from the first of July to the 27th of August.
    world.app.clock.advance_secs(57 * DAY);
    assert_eq!(run(&world).await, 2);
    let rows = told(&world).await;
    assert_eq!(of(&rows, "Ends"), [("2026-08-27T12:00:00Z", "token.expiring")]);
    assert_eq!(of(&rows, "On 12"), [("2026-08-27T12:00:00Z", "version.ending")]);
    // Down over the last step, the end and beyond: an end that is over is not announced.
    world.app.clock.advance_secs(60 * DAY);
    assert_eq!(run(&world).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_end_is_announced_anew() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (token, _) = world.token(&home, "Ends", json!({ "expires_at": "2026-09-01T12:00:00Z" })).await;
    world.app.clock.advance_secs(40 * DAY);
    assert_eq!(run(&world).await, 1);
    let later = json!({ "expires_at": "2026-12-01T12:00:00Z" });
    world.patch(&home.who, &path_of(&home, &token), 1, later).await.expect(200);
    assert_eq!(run(&world).await, 0);
    world.app.clock.advance_secs(83 * DAY);
    assert_eq!(run(&world).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_at_one_moment_post_one_reminder() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    for n in 0..40 {
        world.token(&home, &format!("Token {n}"), json!({ "expires_at": "2026-08-01T12:00:00Z" })).await;
    }
    world.app.clock.advance_secs(2 * DAY);
    let nodes: Vec<_> = (0..4)
        .map(|_| {
            let app = Arc::clone(&world.app);
            tokio::spawn(async move { remind_of_expiry(&app).await.unwrap() })
        })
        .collect();
    for node in nodes {
        node.await.unwrap();
    }
    assert_eq!(told(&world).await.len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlap_in_use_is_told_before_it_ends() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let mut secrets = Vec::new();
    for (name, overlap) in [("Week", "7d"), ("Day", "24h"), ("Hour", "1h"), ("Unused", "24h")] {
        let (token, old) = world.token(&home, name, json!({})).await;
        let reset = json!({ "confirm": true, "overlap": overlap });
        world.post(&home.who, &format!("{}/reset", path_of(&home, &token)), reset).await.expect(200);
        secrets.push((name, old));
    }
    world.app.clock.advance_secs(60);
    for (_, old) in secrets.iter().filter(|(name, _)| *name != "Unused") {
        assert_eq!(world.decide(old), "allowed");
    }
    flush(&world).await;
    for _ in 0..8 * 24 * 12 {
        world.app.clock.advance_secs(300);
        remind_of_overlaps(&world.app).await.unwrap();
    }
    let rows = told(&world).await;
    let expected = [
        // 15 minutes, six hours, a day before the end, at the next five minutes.
        ("Hour", "2026-07-01T12:46:00Z"),
        ("Day", "2026-07-02T06:01:00Z"),
        ("Week", "2026-07-07T12:01:00Z"),
    ];
    for (name, at) in expected {
        assert_eq!(of(&rows, name), [(at, "overlap.ending")], "{name}");
    }
    assert_eq!(rows.len(), 3, "who is not used is not told of");
}

#[tokio::test(flavor = "multi_thread")]
async fn legacy_credentials_are_told_to_the_administrators() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    world
        .call(&home.who, http::Method::POST, &format!("/accounts/{}/legacy-tokens", home.account), &[], None)
        .await
        .expect(201);
    load_catalog(&world, &[("number = 14\n", "number = 14\ndeprecated = 2026-07-01\n")]).await;
    assert_eq!(run(&world).await, 2);
    let rows = told(&world).await;
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| (row.1, row.3.as_str()) == ("version.deprecated", "admin@acme.example")));
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_tell_what_to_do_and_hold_no_secret() {
    let world = World::new().await;
    let home = world.home("brand", "acme").await;
    let (token, secret) = world.token(&home, "Ends", json!({ "expires_at": "2026-08-01T12:00:00Z" })).await;
    world.app.clock.advance_secs(2 * DAY);
    assert_eq!(run(&world).await, 1);
    let now = world.app.clock.wall();
    let claim = Claim { number: 1, until: now.plus_secs(60) };
    let due = world.app.store.claim_deliveries(Channel::Mail, (claim, 10), now).await.unwrap();
    let due = due.iter().find(|due| due.delivery.event == Event::TokenExpiring).unwrap();
    let facts = &due.facts;
    assert_eq!(facts["expires_at"], "2026-08-01T12:00:00Z");
    assert_eq!((&facts["days"], &facts["expiry_set_by"]), (&json!(29), &json!("token")));
    let successor = format!(
        "https://tokens.example.com/accounts/{}/tokens/new?from={}",
        home.account,
        token["id"].as_str().unwrap()
    );
    assert_eq!(facts["successor_url"], json!(successor));
    assert!(!facts.to_string().contains(&secret));
}
