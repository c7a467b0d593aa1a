//! The sending as a job: in batches, in everybody's language, once to each, whoever else sends at the same time and
//! whatever stops it.

use std::{collections::BTreeMap, sync::Arc};

use countersign_model::{
    id::AccountId,
    name::{EmailAddress, PersonName},
};
use countersign_server::{limits::ANNOUNCEMENT_BATCH_MAX, ops::announcements::post_batch};
use countersign_store::{AuditDraft, Delivery, DeliveryFilter, Outcome, PageAsk, Person, Write};
use serde_json::{Value, json};

use super::{drafted, path_of, send};
use crate::harness::{ADMINISTRATOR, World};

/// More people than fit into two batches.
const PEOPLE: usize = 1_234;

/// An account without tokens, and so many administrators of it; every third reads Chinese.
async fn stage() -> World {
    let world = World::new().await;
    let account: AccountId = world.account("one").await.parse().unwrap();
    let now = world.clock.wall();
    let draft = AuditDraft {
        at: now,
        actor: countersign_model::actor::Actor::System,
        actor_label: "test".to_owned(),
        client_address: String::new(),
        request_id: None,
        account: None,
        action: "test.seed",
        subject: String::new(),
        subject_label: String::new(),
        outcome: Outcome::Done,
        before: Value::Null,
        after: Value::Null,
    };
    let mut write = Write::new(draft);
    for number in 0..PEOPLE {
        let person = Person {
            id: world.app.random.id(now).unwrap(),
            email: EmailAddress::parse(&format!("p{number}@example.com")).unwrap(),
            name: PersonName::parse("Somebody").unwrap(),
            language: if number % 3 == 0 { "zh-CN" } else { "en" }.to_owned(),
            password: None,
            operator: false,
            active: true,
            generation: 1,
            failed_sign_ins: 0,
            failed_at: None,
            edit: 1,
            created_at: now,
        };
        write = write.insert_person(&person).insert_member(account, person.id, ADMINISTRATOR, now);
    }
    world.app.commit(write).await.unwrap();
    world
}

/// Every delivery of the platform, and how often each address has one.
async fn delivered(world: &World) -> (Vec<Delivery>, BTreeMap<String, usize>) {
    let (mut all, mut page) = (Vec::new(), PageAsk { after: None, limit: 1_000 });
    loop {
        let found = world.app.store.deliveries(&DeliveryFilter::default(), &page).await.unwrap();
        all.extend(found.rows.into_iter().filter(|one| one.event.code() == "announcement"));
        if found.next.is_none() {
            break;
        }
        page.after = found.next;
    }
    let mut counts = BTreeMap::new();
    for one in &all {
        *counts.entry(one.target.clone()).or_default() += 1;
    }
    (all, counts)
}

async fn finished(world: &World, draft: &Value) {
    let now = world.operator.get(&path_of(draft)).await.expect(200).json();
    assert_eq!((&now["state"], &now["posted"]), (&json!("sent"), &json!(PEOPLE)));
    let (all, counts) = delivered(world).await;
    assert_eq!((all.len(), counts.len()), (PEOPLE, PEOPLE), "each once");
    let shown =
        world.operator.get(&format!("{}/deliveries?limit=200", path_of(draft))).await.expect(200).json();
    assert_eq!(shown["counts"], json!({ "waiting": PEOPLE }));
    assert_eq!(shown["items"].as_array().unwrap().len(), 200);
    assert!(shown["next"].is_string());
}

#[tokio::test]
async fn everybody_gets_it_once_in_their_language() {
    let world = stage().await;
    let draft = drafted(&world, json!({ "subject_zh": "版本 15", "body_zh": "请升级。" })).await;
    assert!(!post_batch(&world.app).await.unwrap(), "a draft is not sent");
    send(&world, &draft).await;
    let mut batches = 0;
    while post_batch(&world.app).await.unwrap() {
        batches += 1;
        assert!(batches < 10);
    }
    assert_eq!(batches, PEOPLE.div_ceil(ANNOUNCEMENT_BATCH_MAX as usize));
    finished(&world, &draft).await;
    let (all, _) = delivered(&world).await;
    for one in &all {
        let number: usize = one.target[1..].split('@').next().unwrap().parse().unwrap();
        assert_eq!(one.language, if number.is_multiple_of(3) { "zh-CN" } else { "en" });
    }
}

#[tokio::test]
async fn two_who_send_at_once_do_not_send_twice() {
    let world = stage().await;
    let draft = drafted(&world, json!({})).await;
    send(&world, &draft).await;
    let hands: Vec<_> = (0..4)
        .map(|_| {
            let app = Arc::clone(&world.app);
            tokio::spawn(async move { while post_batch(&app).await.unwrap() {} })
        })
        .collect();
    for hand in hands {
        hand.await.unwrap();
    }
    finished(&world, &draft).await;
}

#[tokio::test]
async fn what_was_cut_off_goes_on_behind_the_last() {
    let world = stage().await;
    let draft = drafted(&world, json!({})).await;
    send(&world, &draft).await;
    assert!(post_batch(&world.app).await.unwrap());
    let between = world.operator.get(&path_of(&draft)).await.expect(200).json();
    assert_eq!((&between["state"], &between["posted"]), (&json!("sending"), &json!(ANNOUNCEMENT_BATCH_MAX)));
    // A hand that is let go in the middle of its batch leaves all of it or nothing.
    for _ in 0..20 {
        let hand = post_batch(&world.app);
        let _ = tokio::time::timeout(std::time::Duration::ZERO, hand).await;
    }
    while post_batch(&world.app).await.unwrap() {}
    finished(&world, &draft).await;
}
