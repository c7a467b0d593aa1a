//! Sessions and devices, remembered answers, and the sweep that lets old rows go.

use countersign_model::id::SessionId;
use countersign_store::{Conflict, Device, Remembered, RememberedKey, Session};

use crate::world::{World, at, digest, id, person, token_id, user_id, write};

fn session(n: u64) -> Session {
    Session {
        id: id(n),
        tag: digest(&format!("cookie {n}")),
        user: user_id(1),
        user_generation: 1,
        created_at: at(i64::try_from(n).unwrap()),
        seen_at: at(10),
        expires_at: at(100),
        password_at: at(10),
        client_address: "203.0.113.7".to_owned(),
        user_agent: "a browser".to_owned(),
    }
}

async fn ids(world: &World) -> Vec<SessionId> {
    world.store.sessions_of(user_id(1)).await.unwrap().into_iter().map(|session| session.id).collect()
}

#[tokio::test]
async fn a_session_begins_renews_and_ends() {
    let world = World::new();
    world.commit(write("person.create").insert_person(&person(1))).await;
    for n in 1..=4 {
        world.commit(write("session.create").insert_session(&session(n))).await;
    }
    let read = world.store.session(digest("cookie 2")).await.unwrap().unwrap();
    assert_eq!(format!("{read:?}"), format!("{:?}", session(2)));
    world.store.touch_session(id(2), at(30)).await.unwrap();
    world.store.touch_session(id(2), at(20)).await.unwrap();
    world.commit(write("session.renew").renew_session(id(2), digest("another"), at(40))).await;
    assert!(world.store.session(digest("cookie 2")).await.unwrap().is_none());
    let renewed = world.store.session(digest("another")).await.unwrap().unwrap();
    assert_eq!((renewed.seen_at, renewed.password_at), (at(30), at(40)));
    let gone = write("session.renew").renew_session(id(9), digest("none"), at(40));
    assert_eq!(world.conflict(gone).await, Conflict::Stale);
    assert_eq!(ids(&world).await, [id(4), id(3), id(2), id(1)]);
    assert_eq!(world.conflict(write("session.end").end_session(id(1), user_id(2))).await, Conflict::Stale);
    world.commit(write("session.end").end_session(id(1), user_id(1))).await;
    assert_eq!(world.conflict(write("session.end").end_session(id(1), user_id(1))).await, Conflict::Stale);
    world.commit(write("session.end_others").end_other_sessions(user_id(1), Some(id(3)))).await;
    assert_eq!(ids(&world).await, [id(3)]);
    world.commit(write("session.end_others").end_other_sessions(user_id(1), None)).await;
    assert!(ids(&world).await.is_empty());
}

#[tokio::test]
async fn an_answer_is_remembered_once_and_for_its_time() {
    let world = World::new();
    let key =
        RememberedKey { actor: "a".to_owned(), operation: "token.create".to_owned(), key: "k".to_owned() };
    let answer = Remembered {
        key: key.clone(),
        request_hash: [7; 32],
        token: token_id(1),
        secret_generation: 1,
        expires_at: at(100),
    };
    world.commit(write("token.create").remember(&answer)).await;
    let read = world.store.remembered(&key, at(99)).await.unwrap().unwrap();
    assert_eq!(format!("{read:?}"), format!("{answer:?}"));
    assert!(world.store.remembered(&key, at(100)).await.unwrap().is_none());
    let other = RememberedKey { actor: "b".to_owned(), ..key.clone() };
    assert!(world.store.remembered(&other, at(0)).await.unwrap().is_none());
    assert_eq!(world.conflict(write("token.create").remember(&answer)).await, Conflict::IdempotencyKeyTaken);
    let expired = Remembered { key: other, expires_at: at(0), ..answer };
    for _ in 0..2 {
        // The moment of this write is after the expiry, so the second takes the place of the first.
        world.commit(write("token.create").remember(&expired)).await;
    }
}

#[tokio::test]
async fn the_sweep_takes_what_is_over() {
    let world = World::new();
    world.commit(write("person.create").insert_person(&person(1))).await;
    let device = |tag, seen_at| Device { tag: digest(tag), user: user_id(1), seen_at };
    world
        .commit(
            write("session.create")
                .insert_session(&session(1))
                .insert_session(&Session { expires_at: at(200), ..session(2) })
                .remember_device(&device("old", at(0)))
                .remember_device(&device("new", at(0)))
                .remember_device(&device("new", at(50))),
        )
        .await;
    assert_eq!(world.store.sweep(at(100)).await.unwrap(), 1);
    assert_eq!(ids(&world).await, [id(2)]);
    assert!(world.store.knows_device(user_id(1), digest("old")).await.unwrap());
    let later = at(countersign_store::limits::DEVICE_KEPT_SECS);
    assert_eq!(world.store.sweep(later).await.unwrap(), 2);
    assert!(!world.store.knows_device(user_id(1), digest("old")).await.unwrap());
    assert!(world.store.knows_device(user_id(1), digest("new")).await.unwrap());
}
