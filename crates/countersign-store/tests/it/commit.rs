//! Committing together: nobody disturbs the neighbours, many callers are fast, denials overtake, one process at a time,
//! and what was accepted is finished.

use std::time::Instant;

use countersign_model::change::Seq;
use countersign_store::{AuditFinding, Conflict, Error, TokenFilter, TokenState};

use crate::world::{Engine, World, account_id, at, first, opening, person, token, user_id, write};

#[tokio::test]
async fn a_conflict_takes_only_itself_back() {
    let world = World::with_account().await;
    world.commit(write("token.create").insert_token(&token(1))).await;
    let before = world.store.snapshot().await.unwrap().head;
    let mut waiting = Vec::new();
    for n in 2..=201 {
        let mut token = token(n);
        if n % 2 == 0 {
            token.secrets = vec![crate::world::secret(1, 1)];
        }
        let store = world.store.clone();
        waiting.push(tokio::spawn(
            async move { store.commit(write("token.create").insert_token(&token)).await },
        ));
    }
    let (mut kept, mut refused) = (Vec::new(), 0);
    for outcome in waiting {
        match outcome.await.unwrap() {
            Ok(committed) => kept.push(committed),
            Err(Error::Conflict(Conflict::SecretTaken)) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((kept.len(), refused), (100, 100));
    kept.sort_unstable_by_key(|committed| committed.seq);
    for (committed, expected) in kept.iter().zip(before.0 + 1..) {
        assert_eq!(committed.seq, Seq(expected), "a refused write leaves no gap");
    }
    assert_eq!(world.store.within(account_id(1)).token_count().await.unwrap(), 101);
    let found = world.store.verify_audit(&mut |_, _| ()).await.unwrap();
    assert_eq!(found, AuditFinding::Whole { entries: 102 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::disallowed_methods, reason = "this measures real time")]
async fn many_callers_are_committed_together() {
    const CALLERS: u64 = 64;
    const EACH: u64 = 60;
    let world = World::with_account().await;
    let tokens: Vec<_> = (1..=CALLERS).map(token).collect();
    world.commit(write("token.import").insert_tokens(&tokens)).await;
    let began = Instant::now();
    let callers: Vec<_> = tokens
        .into_iter()
        .map(|mut token| {
            let store = world.store.clone();
            tokio::spawn(async move {
                for edit in 1..=EACH {
                    token.edit = edit;
                    token.state = if edit % 2 == 0 { TokenState::Enabled } else { TokenState::Disabled };
                    store.commit(write("token.update").update_token(&token)).await.unwrap();
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let rate = u128::from(CALLERS * EACH) * 1_000_000 / began.elapsed().as_micros();
    println!("{rate} durable changes a second from {CALLERS} callers");
    match crate::ENGINE {
        Engine::Sqlite => {
            assert!(
                rate > 1_000,
                "{rate} durable changes a second; one commit each would give some hundreds"
            );
        }
        // A server shares the processors with everything else here; it says itself what was committed together.
        Engine::Postgres => {
            let groups = world.raw().number("select count(distinct xmin::text) from audit");
            println!("{groups} groups of {} writes", CALLERS * EACH);
            assert!(groups * 8 < i64::try_from(CALLERS * EACH).unwrap(), "{groups} groups");
        }
    }
    assert_eq!(world.token(1).await.edit, EACH + 1);
}

#[tokio::test]
#[allow(clippy::disallowed_methods, reason = "this measures real time")]
async fn an_import_of_a_hundred_thousand_takes_seconds() {
    let world = World::with_account().await;
    let mut roomy = crate::world::account(1);
    roomy.token_limit = 1_000_000;
    world.commit(write("account.update").update_account(&roomy)).await;
    let tokens: Vec<_> = (1..=100_000).map(token).collect();
    let began = Instant::now();
    let committed = world.commit(write("token.import").insert_tokens(&tokens)).await;
    let elapsed = began.elapsed();
    println!("100,000 tokens in {elapsed:.1?}");
    assert_eq!(committed.seq, Seq(100_002));
    let most = if crate::ENGINE == Engine::Sqlite { 60 } else { 240 };
    assert!(elapsed.as_secs() < most, "{elapsed:?}");
    let began = Instant::now();
    let filter = TokenFilter { name: Some("n 99999".to_owned()), ..TokenFilter::default() };
    let found = world.store.within(account_id(1)).tokens(&filter, &first(10)).await.unwrap();
    println!("one of 100,000 found by part of its name in {:.1?}", began.elapsed());
    assert_eq!(found.rows.len(), 1);
    assert_eq!(world.store.snapshot().await.unwrap().records.len(), 100_001);
}

#[tokio::test]
async fn one_process_at_a_time() {
    let world = World::new();
    let Err(Error::Unavailable(told)) = world.open(&opening()) else { panic!("opened twice") };
    assert!(told.contains("another process"), "{told}");
    world.store.ping().await.unwrap();
}

#[tokio::test]
async fn closing_finishes_what_was_accepted() {
    let world = World::with_account().await;
    let waiting: Vec<_> = (1..=50)
        .map(|n| {
            let store = world.store.clone();
            tokio::spawn(async move { store.commit(write("token.create").insert_token(&token(n))).await })
        })
        .collect();
    tokio::task::yield_now().await;
    world.store.clone().close().await.unwrap();
    let mut accepted = 0;
    for outcome in waiting {
        match outcome.await.unwrap() {
            Ok(_) => accepted += 1,
            Err(Error::Unavailable(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert!(matches!(world.store.ping().await, Err(Error::Unavailable(_))));
    assert!(matches!(world.store.account(account_id(1)).await, Err(Error::Unavailable(_))));
    let again = world.open(&opening()).unwrap();
    assert_eq!(again.within(account_id(1)).token_count().await.unwrap(), accepted);
    again.commit(write("person.create").insert_person(&person(9))).await.unwrap();
    assert_eq!(again.person(user_id(9)).await.unwrap().unwrap().created_at, at(0));
}
