//! T-4 over loopback: whoever does not hold a secret cannot tell by answer or time which SIDs, which secrets of deleted
//! tokens and which people there are.

use std::net::Ipv4Addr;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};
use serde_json::json;
use tokio::runtime::Handle;

use super::{
    effort::nanos,
    live::{Line, Live, post},
    welch::{Count, hold_equal},
};
use crate::harness::{ADMINISTRATOR, PASSWORD, World, code_of, user_id};

/// Credentials of each class. Every class has as many, and each is tried as often: one has its place in a table, and its
/// time, by chance, and only many together show the time of their class.
const SIDS: usize = 256;

/// SID and secret of credentials nobody holds: of unknown SIDs, with wrong secrets, and of deleted tokens.
type Guesses = [Vec<(String, String)>; 3];

async fn guesses(world: &World) -> Guesses {
    let account = world.account("one").await;
    let ada = world.member(&account, "ada@example.com", ADMINISTRATOR).await;
    let contact = user_id(&ada).await;
    let path = format!("/api/v1/accounts/{account}/tokens");
    let mut made = Vec::new();
    for number in 0..2 * SIDS {
        let new = json!({ "name": format!("Token {number}"), "primary_contact": contact });
        let answer = ada.post(&path, new).await.expect(201).json();
        let text = |pointer: &str| answer.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        made.push((text("/token/id"), text("/token/sid"), text("/secret")));
    }
    let gone = made.split_off(SIDS);
    for (number, (id, _, _)) in gone.iter().enumerate() {
        let name = SIDS + number;
        let deleted = ada
            .request("DELETE", &format!("{path}/{id}?confirm_name=Token%20{name}"))
            .header("if-match", "\"1\"")
            .send()
            .await;
        assert!(deleted.status.is_success(), "{}", deleted.text());
    }
    let mut random = ChaCha20Rng::seed_from_u64(40);
    let mut wrong = |(_, sid, _): &(String, String, String)| (sid.clone(), minted(&mut random));
    let known: Vec<_> = made.iter().map(&mut wrong).collect();
    // The same letters turned around: no SID anybody has.
    let turned = |sid: &str| format!("BR{}", sid[2..].chars().rev().collect::<String>());
    let unknown = made.iter().map(&mut wrong).map(|(sid, secret)| (turned(&sid), secret)).collect();
    [unknown, known, gone.into_iter().map(|(_, sid, secret)| (sid, secret)).collect()]
}

/// A secret of our form with a right checksum that nobody has.
fn minted(random: &mut ChaCha20Rng) -> String {
    let format = countersign_model::secret::SecretFormat::standard();
    format.mint(&mut |bytes| random.fill_bytes(bytes)).expose().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guess_at_a_token_tells_nothing() {
    let live = Live::start(World::new().await).await;
    let guesses = guesses(&live.world).await;
    let credential = live.gateway("edge").await;
    let mut line = Line::to(live.data_plane);
    let mut random = ChaCha20Rng::seed_from_u64(4);
    let mut first = None;
    let mut measure = |class: usize| {
        // The address is a new one each time, so that no counter of failures fills.
        let [_, b, c, d] = random.next_u32().to_be_bytes();
        let (sid, secret) = &guesses[class][random.next_u32() as usize % SIDS];
        let authorization = format!("Basic {}", STANDARD.encode(format!("{sid}:{secret}")));
        let ask = json!({
            "authorization": authorization,
            "method": "GET",
            "uri": "/Advertisers",
            "client_address": Ipv4Addr::new(10, b, c, d).to_string(),
        });
        let ask = ask.to_string();
        let request = post("/v1/verify", &[("X-Countersign-Gateway", &credential)], &ask);
        let (took, raw) = nanos(|| line.ask(&request));
        let told = raw.told();
        assert!(told.1.contains("credentials_invalid"), "{ask} {raw:?}");
        assert_eq!(first.get_or_insert_with(|| told.clone()), &told, "class {class}");
        took
    };
    let count = Count { pilot: 2_000, full_per_class: 100_000, secs: 8 };
    tokio::task::block_in_place(|| {
        hold_equal(
            "verify over loopback",
            &["unknown SID", "wrong secret", "deleted token"],
            &count,
            &mut measure,
        );
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_sign_in_tells_nothing() {
    let live = Live::start(World::new().await).await;
    let world = &live.world;
    let account = world.account("one").await;
    let mut people = Vec::new();
    for email in ["wrong@example.com", "locks@example.com", "offed@example.com"] {
        let member = world.member(&account, email, ADMINISTRATOR).await;
        people.push(user_id(&member).await);
    }
    let (wrong, locked) = (people[0].parse().unwrap(), people[1].parse().unwrap());
    for _ in 0..100 {
        world.app.store.count_failed_sign_in(locked, Some(world.clock.wall())).await.unwrap();
    }
    let off = format!("/api/v1/people/{}", people[2]);
    world.operator.patch(&off, 1, json!({ "active": false })).await.expect(200);
    // Somebody who was invited and has no password yet.
    let invited = json!({ "email": "yet@example.com", "role": ADMINISTRATOR });
    let issued = world.operator.post(&format!("/api/v1/accounts/{account}/invitations"), invited).await;
    assert!(!code_of(&issued.expect(201).json()).is_empty());
    let (mut line, handle) = (Line::to(live.management), Handle::current());
    let mut random = ChaCha20Rng::seed_from_u64(5);
    let mut first = None;
    let mut measure = |class: usize| {
        // Forgives what was counted, so that every attempt gets as far as the password; alike for every class.
        world.clock.advance_secs(60);
        handle.block_on(world.app.store.count_failed_sign_in(wrong, None)).unwrap();
        let email =
            ["nobod@example.com", "wrong@example.com", "locks@example.com", "offed@example.com"][class];
        let password = if class == 1 { "not the password at all, surely" } else { PASSWORD };
        let body = json!({ "email": email, "password": password }).to_string();
        // A device cookie nobody has, half of the time, drawn for every class alike.
        let device = format!("__Host-countersign-device={}", "A".repeat(43));
        let mut headers = vec![("Sec-Fetch-Site", "same-origin")];
        if random.next_u32() % 2 == 0 {
            headers.push(("Cookie", &device));
        }
        let request = post("/api/v1/session", &headers, &body);
        let (took, raw) = nanos(|| line.ask(&request));
        assert_eq!(raw.status(), 401, "{email}: {raw:?}");
        let told = raw.told();
        assert_eq!(first.get_or_insert_with(|| told.clone()), &told, "{email}");
        took
    };
    let count = Count { pilot: 500, full_per_class: 20_000, secs: 8 };
    tokio::task::block_in_place(|| {
        hold_equal(
            "refused sign-ins over loopback",
            &["unknown", "wrong", "locked", "switched off"],
            &count,
            &mut measure,
        );
    });
}
