//! T-37: what people type into search costs little, however much there is and however the text is made to be costly.
#![allow(clippy::print_stdout, reason = "the counts are part of what is proved")]

use countersign_model::{
    actor::Actor,
    address::AddressList,
    api_version::ApiVersion,
    digest::Digest,
    grant::Access,
    id::{AccountId, Id, UserId},
    name::{Description, EmailAddress, PersonName, TokenName},
    scope::ScopeSet,
    sid::Sid,
    time::Timestamp,
};
use countersign_store::{AuditDraft, Outcome, Person, Secret, Token, TokenState, Write};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};
use serde_json::Value;

use super::effort::{is_full, millis};
use crate::harness::{ADMINISTRATOR, Client, World, user_id};

/// Tokens of an account, which is what an account may have.
const TOKENS_EACH: u64 = 1_000;
const P99_MILLIS: f64 = 200.0;

fn draft(world: &World) -> AuditDraft {
    AuditDraft {
        at: world.clock.wall(),
        actor: Actor::System,
        actor_label: "test".to_owned(),
        client_address: String::new(),
        request_id: None,
        account: None,
        action: "test.prepare",
        subject: String::new(),
        subject_label: String::new(),
        outcome: Outcome::Done,
        before: Value::Null,
        after: Value::Null,
    }
}

fn id<K: countersign_model::id::Kind>(number: u64) -> Id<K> {
    Id::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | u128::from(number))
}

/// Names that search has something to do with: long, alike, with what `like` takes for a sign.
fn name(number: u64) -> String {
    match number % 5 {
        0 => format!("{}{number}", "a".repeat(90)),
        1 => format!("Warehouse sync {number}"),
        2 => format!("100%_of_{number}\\{}", "%_".repeat(30)),
        3 => format!("\u{5317}\u{4eac} \u{5546}\u{5e97} {number}"),
        _ => format!("{}b {number}", "ab".repeat(40)),
    }
}

fn token(account: AccountId, contact: UserId, number: u64, now: Timestamp) -> Token {
    let digest = Digest::from_bytes(*blake3::hash(&number.to_be_bytes()).as_bytes());
    let secret = Secret {
        digest,
        pepper: 1,
        layered_over: None,
        generation: 1,
        sealed: None,
        data_key: None,
        last4: "0000".to_owned(),
        weak: false,
        created_at: now,
        ends_at: None,
        last_used_at: None,
        last_used_from: None,
        uses: 0,
    };
    Token {
        id: id(number),
        account,
        sid: format!("BR{number:026}").parse::<Sid>().unwrap(),
        name: TokenName::parse(&name(number)).unwrap(),
        description: Description::parse("").unwrap(),
        access: Access::Scoped(ScopeSet::new()),
        api_version: ApiVersion(14),
        primary_contact: Some(contact),
        developer_emails: Vec::new(),
        state: if number.is_multiple_of(7) { TokenState::Disabled } else { TokenState::Enabled },
        expires_at: None,
        addresses: AddressList::default(),
        rate_limit: None,
        access_tokens_from: None,
        secrets: vec![secret],
        made_by: None,
        edit: 1,
        created_at: now,
        created_by: Actor::System,
        updated_at: now,
        updated_by: Actor::System,
        last_used_at: None,
        last_used_from: None,
    }
}

fn person(number: u64, now: Timestamp) -> Person {
    Person {
        id: id(1 << 40 | number),
        email: EmailAddress::parse(&format!("{}.{number}@example.com", "ab".repeat(20))).unwrap(),
        name: PersonName::parse(&name(number)).unwrap(),
        language: "en".to_owned(),
        password: None,
        operator: false,
        active: true,
        generation: 1,
        failed_sign_ins: 0,
        failed_at: None,
        edit: 1,
        created_at: now,
    }
}

/// What somebody may type. At most 100 characters, so that it is looked for and not refused.
fn typed(random: &mut ChaCha20Rng) -> String {
    let mut repeat = |part: &str| part.repeat(1 + random.next_u32() as usize % (100 / part.len()));
    let text = match repeat("x").len() % 12 {
        0 => repeat("%"),
        1 => repeat("_"),
        2 => repeat("\\"),
        3 => repeat("%_"),
        4 => repeat("a%"),
        5 => format!("{}!", repeat("a")),
        6 => repeat("ab"),
        7 => "(?:a+)+$".to_owned(),
        8 => repeat("\u{5317}"),
        9 => "100%".to_owned(),
        10 => repeat("'"),
        _ => "sync 9".to_owned(),
    };
    text.chars().take(100).collect()
}

/// The address with the text percent-encoded.
fn with(path: &str, name: &str, text: &str) -> String {
    let encoded: Vec<String> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("{path}?{name}={}", encoded.concat())
}

async fn p99(what: &str, client: &Client, path: &str, name: &str, searches: usize) {
    let mut random = ChaCha20Rng::seed_from_u64(37);
    let (mut took, mut found) = (Vec::new(), 0);
    for _ in 0..searches {
        let address = with(path, name, &typed(&mut random));
        let (millis, answer) = millis(client.get(&address)).await;
        let answer = answer.expect(200).json();
        found += usize::from(!answer["items"].as_array().unwrap().is_empty());
        took.push(millis);
    }
    took.sort_by(f64::total_cmp);
    let p99 = took[searches * 99 / 100];
    println!(
        "T-37: {searches} searches {what}, {found} found something; p99 {p99:.1} ms, longest {:.1} ms",
        took[searches - 1]
    );
    assert!(found > 0 && found < searches, "{what}: the searches tell nothing apart");
    assert!(p99 < P99_MILLIS, "{what}: p99 {p99} ms");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searching_costs_little() {
    let (accounts, searches) = if is_full() { (1_000_u64, 2_000) } else { (10, 300) };
    let world = World::new().await;
    let first = world.account("first").await;
    let member = world.member(&first, "ada@example.com", ADMINISTRATOR).await;
    let contact: UserId = user_id(&member).await.parse().unwrap();
    let now = world.clock.wall();
    let mut last = first;
    for number in 0..accounts {
        last = world.account(&format!("100%_of_{number}_{}", "ab".repeat(20))).await;
        let account: AccountId = last.parse().unwrap();
        let tokens: Vec<Token> = (number * TOKENS_EACH..(number + 1) * TOKENS_EACH)
            .map(|number| token(account, contact, number, now))
            .collect();
        let write = Write::new(draft(&world)).insert_person(&person(number, now));
        let write = write.insert_member(account, contact, ADMINISTRATOR, now).insert_tokens(&tokens);
        world.app.store.commit(write).await.unwrap();
    }
    println!("T-37: {} tokens in {accounts} accounts", accounts * TOKENS_EACH);
    p99("inside an account of 1,000", &member, &format!("/api/v1/accounts/{last}/tokens"), "name", searches)
        .await;
    p99("over all accounts", &world.operator, "/api/v1/accounts", "search", searches).await;
    p99("over all people", &world.operator, "/api/v1/people", "search", searches).await;
    world
        .operator
        .get(&with("/api/v1/accounts", "search", &"x".repeat(101)))
        .await
        .expect_problem(400, "query_invalid");
}
