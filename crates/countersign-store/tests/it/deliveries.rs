//! How deliveries are claimed, settled, retried, let go and pruned.

use std::collections::BTreeSet;

use countersign_model::{event::Event, name::EmailAddress, time::Timestamp};
use countersign_store::{
    Audience, Channel, Claim, Conflict, Delivery, DeliveryFilter, DeliveryState, Due, Notice, PageAsk,
    Settled, Token,
};

use crate::{
    notices::{all, notice},
    world::{World, account_id, at, first, id, token, write},
};

const MAIL: Channel = Channel::Mail;

fn claim(number: i64, until: i64) -> Claim {
    Claim { number, until: at(until) }
}

async fn claimed(world: &World, number: i64, now: i64) -> Vec<Due> {
    world.store.claim_deliveries(MAIL, (claim(number, now + 60), 50), at(now)).await.unwrap()
}

fn settled(state: DeliveryState, next_at: Timestamp) -> Settled {
    let reason = (state != DeliveryState::Sent).then(|| "try later".to_owned());
    Settled {
        state,
        next_at,
        code: Some(421),
        reason,
        began_at: at(100),
        ended_at: at(101),
        rests_until: None,
    }
}

fn to(address: &str) -> EmailAddress {
    EmailAddress::parse(address).unwrap()
}

/// `count` mails to addresses of their own, due from second 1 on.
async fn with_mails(count: u64) -> World {
    let world = World::with_account().await;
    for n in 1..=count {
        let email = to(&format!("reader{n:03}@example.com"));
        let audience = Audience::Address { email: &email, language: "en" };
        world.commit(write("x").post(&notice(n, Event::Invitation), audience)).await;
    }
    world
}

#[tokio::test]
async fn what_is_claimed_is_nobody_elses_until_the_claim_is_void() {
    let world = with_mails(3).await;
    assert!(claimed(&world, 1, 0).await.is_empty(), "nothing is due before it was posted");
    let first = claimed(&world, 1, 10).await;
    assert_eq!(first.len(), 3);
    assert!(first.iter().all(|due| due.delivery.tries == 1), "a try is counted when it begins");
    assert!(claimed(&world, 2, 69).await.is_empty(), "they are on their way");
    let again = claimed(&world, 2, 70).await;
    assert_eq!(again.len(), 3, "whoever held them is gone");
    assert!(again.iter().all(|due| due.delivery.tries == 2));
    let (late, now) = (&first[0].delivery, settled(DeliveryState::Sent, at(71)));
    world.store.settle_delivery(late, claim(1, 70), &now).await.unwrap();
    assert_eq!(all(&world.store).await[0].state, DeliveryState::Waiting, "a void claim settles nothing");
    world.store.settle_delivery(&again[0].delivery, claim(2, 130), &now).await.unwrap();
    assert_eq!(all(&world.store).await[0].state, DeliveryState::Sent);
    let attempts = world.store.attempts(&again[0].delivery).await.unwrap();
    let numbers: Vec<u32> = attempts.iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [2, 1], "what went out is known even where the claim was void");
    assert_eq!(
        (attempts[0].code, attempts[0].reason.as_deref(), attempts[0].millis),
        (Some(421), None, 1_000)
    );
}

#[tokio::test]
async fn one_target_does_not_hold_up_the_others() {
    let world = with_mails(3).await;
    let (busy, audience) = (to("busy@example.com"), |email| Audience::Address { email, language: "en" });
    for n in 11..=30 {
        let early = Notice { at: at(0), ..notice(n, Event::Invitation) };
        world.commit(write("x").post(&early, audience(&busy))).await;
    }
    let room = |room| (claim(1, 60), room);
    let due = world.store.claim_deliveries(MAIL, room(6), at(10)).await.unwrap();
    let busy_ones = due.iter().filter(|due| due.delivery.target == "busy@example.com").count();
    assert_eq!((due.len(), busy_ones), (6, 4), "the oldest first, and a few of each");
    let due = world.store.claim_deliveries(MAIL, (claim(2, 60), 6), at(10)).await.unwrap();
    let targets: Vec<_> = due.iter().map(|due| due.delivery.target.as_str()).collect();
    assert_eq!(targets, ["reader003@example.com"], "none to one that has some on their way");
    // One that does not answer rests.
    let mut later = settled(DeliveryState::Waiting, at(40));
    later.rests_until = Some(at(70));
    let first = &world
        .store
        .deliveries(
            &DeliveryFilter { target: Some("busy@example.com".to_owned()), ..DeliveryFilter::default() },
            &first(50),
        )
        .await
        .unwrap()
        .rows;
    let on_its_way = first.iter().find(|one| one.tries == 1).unwrap();
    world.store.settle_delivery(on_its_way, claim(1, 60), &later).await.unwrap();
    let resting: BTreeSet<_> = all(&world.store)
        .await
        .into_iter()
        .filter(|one| one.target == "busy@example.com" && one.tries == 0)
        .map(|one| one.next_at)
        .collect();
    assert_eq!(resting, BTreeSet::from([at(70)]));
}

#[tokio::test]
async fn what_could_not_be_tried_is_no_try() {
    let world = with_mails(1).await;
    let due = claimed(&world, 1, 10).await.remove(0);
    world.store.put_back_delivery(&due.delivery, claim(1, 70), at(40), "ours").await.unwrap();
    let found = all(&world.store).await.remove(0);
    assert_eq!((found.tries, found.next_at, found.reason.as_deref()), (0, at(40), Some("ours")));
    assert!(world.store.attempts(&found).await.unwrap().is_empty());
    assert_eq!(world.store.next_delivery_at(MAIL).await.unwrap(), Some(at(40)));
    assert_eq!(world.store.next_delivery_at(Channel::Webhook).await.unwrap(), None);
}

#[tokio::test]
async fn claims_of_a_process_that_is_gone_are_due_at_once() {
    let world = with_mails(2).await;
    claimed(&world, 1, 10).await;
    assert_eq!(world.store.release_claims(at(11)).await.unwrap(), 2);
    assert_eq!(claimed(&world, 2, 11).await.len(), 2);
}

#[tokio::test]
async fn a_dead_delivery_is_retried_and_a_sent_or_held_one_is_not() {
    let world = with_mails(2).await;
    let due = claimed(&world, 1, 10).await;
    for (due, state) in due.iter().zip([DeliveryState::Dead, DeliveryState::Sent]) {
        world.store.settle_delivery(&due.delivery, claim(1, 70), &settled(state, at(20))).await.unwrap();
    }
    let developer = Token { developer_emails: vec![to("dev@example.com")], ..token(1) };
    world.commit(write("x").post(&notice(3, Event::TokenReset), Audience::Token(&developer))).await;
    let found = all(&world.store).await;
    let [dead, sent, _, held] = found.as_slice() else { panic!("{found:?}") };
    let states: Vec<_> = [dead, sent, held].map(|one| one.state).into();
    assert_eq!(states, [DeliveryState::Dead, DeliveryState::Sent, DeliveryState::Held]);
    let retry = |one: &Delivery, account| write("delivery.retry").retry_delivery(one.id, account);
    assert_eq!(world.conflict(retry(dead, Some(account_id(2)))).await, Conflict::Stale, "another account's");
    assert_eq!(world.conflict(retry(sent, None)).await, Conflict::Stale);
    assert_eq!(world.conflict(retry(held, Some(account_id(1)))).await, Conflict::Stale);
    world.commit(retry(dead, Some(account_id(1)))).await;
    let again = world.store.delivery(dead.id).await.unwrap().unwrap();
    assert_eq!((again.state, again.tries, again.tries_max), (DeliveryState::Waiting, 1, 21));
    assert_eq!(again.settled_at, None);
    assert_eq!(claimed(&world, 2, 10).await.len(), 2, "it and the contact's");
}

#[tokio::test]
async fn lists_are_filtered_and_paged_without_gaps() {
    let world = with_mails(7).await;
    let mut page = PageAsk { after: None, limit: 3 };
    let mut seen = Vec::new();
    loop {
        let rows =
            world.store.within(account_id(1)).deliveries(&DeliveryFilter::default(), &page).await.unwrap();
        seen.extend(rows.rows.into_iter().map(|one| one.id));
        match rows.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    let mut expected: Vec<_> = all(&world.store).await.into_iter().map(|one| one.id).collect();
    expected.reverse();
    assert_eq!(seen, expected, "newest first");
    let count =
        async |filter: DeliveryFilter| world.store.deliveries(&filter, &first(100)).await.unwrap().rows.len();
    let none = DeliveryFilter::default;
    assert_eq!(count(DeliveryFilter { state: Some(DeliveryState::Waiting), ..none() }).await, 7);
    assert_eq!(count(DeliveryFilter { state: Some(DeliveryState::Dead), ..none() }).await, 0);
    assert_eq!(count(DeliveryFilter { channel: Some(Channel::Webhook), ..none() }).await, 0);
    assert_eq!(count(DeliveryFilter { event: Some(Event::Invitation), ..none() }).await, 7);
    assert_eq!(count(DeliveryFilter { event: Some(Event::TokenReset), ..none() }).await, 0);
    assert_eq!(count(DeliveryFilter { token: Some(id(1)), ..none() }).await, 0);
    assert_eq!(count(DeliveryFilter { target: Some("reader003@example.com".to_owned()), ..none() }).await, 1);
    let strange = PageAsk { after: Some("no place/1".to_owned()), limit: 3 };
    assert!(world.store.deliveries(&none(), &strange).await.unwrap().rows.is_empty());
}

#[tokio::test]
async fn what_no_longer_waits_is_let_go_after_ninety_days_and_keys_after_four_hundred() {
    const DAY: i64 = 86_400;
    let world = with_mails(2).await;
    let once = Notice { once: Some("once".to_owned()), ..notice(3, Event::TokenExpiring) };
    world.commit(write("x").post(&once, Audience::Role(account_id(1), "nobody has it"))).await;
    let due = claimed(&world, 1, 10).await;
    let sent = settled(DeliveryState::Sent, at(20));
    world.store.settle_delivery(&due[0].delivery, claim(1, 70), &sent).await.unwrap();
    let prune = async |day: i64| world.store.prune_deliveries(at(10 + day * DAY)).await.unwrap();
    assert_eq!(prune(89).await, 0);
    assert_eq!(prune(90).await, 2, "the delivery that was sent, and its notice");
    let left = all(&world.store).await;
    assert_eq!(left.len(), 1, "what waits is never let go");
    let attempts = world.raw().number("select count(*) from attempts");
    assert_eq!(attempts, 0, "the log of tries goes with it");
    assert!(world.store.is_posted("once").await.unwrap());
    assert_eq!(prune(400).await, 1);
    assert!(!world.store.is_posted("once").await.unwrap());
}

#[tokio::test]
async fn how_the_channels_stand() {
    let world = with_mails(3).await;
    assert_eq!(world.store.outbox_standing().await.unwrap()[0].waiting, 3);
    let due = claimed(&world, 1, 10).await;
    for (due, state) in due.iter().zip([DeliveryState::Dead, DeliveryState::Sent]) {
        world.store.settle_delivery(&due.delivery, claim(1, 70), &settled(state, at(20))).await.unwrap();
    }
    let standing = world.store.outbox_standing().await.unwrap();
    let [mail] = standing.as_slice() else { panic!("{standing:?}") };
    assert_eq!((mail.channel, mail.waiting, mail.dead), (MAIL, 1, 1));
    assert_eq!((mail.oldest, mail.next_at), (Some(at(3)), Some(at(70))));
}
