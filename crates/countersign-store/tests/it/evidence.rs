//! What is noticed of changes past the store: while it is open, when rows are read one by one, when it is opened again,
//! and against an anchor. The many thousand mutations are in the server's tests of threats, where decisions are made.

use countersign_store::{Anchor, Error, Opening, RowKey, Session, Store, TokenState};

use crate::world::{
    Engine, World, account_id, at, digest, id, opening, person, token, token_id, user_id, write,
};

pub fn told(outcome: Result<impl Sized, Error>) -> String {
    match outcome {
        Err(Error::Corrupt(told)) => told,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("nothing was noticed"),
    }
}

pub fn session(tag: &str, user: u64) -> Session {
    Session {
        id: id(user),
        tag: digest(tag),
        user: user_id(user),
        user_generation: 1,
        created_at: at(0),
        seen_at: at(0),
        expires_at: at(100),
        password_at: at(0),
        client_address: "203.0.113.7".to_owned(),
        user_agent: "a browser".to_owned(),
    }
}

/// A closed database with two accounts, tokens, members and sessions.
pub async fn closed() -> World {
    let world = World::with_account().await;
    world.add_account(2).await;
    for n in 1..=3 {
        world.commit(write("token.create").insert_token(&token(n))).await;
    }
    world.commit(write("session.create").insert_session(&session("mine", 1))).await;
    world.commit(write("session.create").insert_session(&session("yours", 2))).await;
    world.store.clone().close().await.unwrap();
    world
}

pub fn open(world: &World) -> Result<Store, Error> {
    world.open(&opening())
}

#[tokio::test]
async fn what_is_whole_opens_again_and_again() {
    let world = closed().await;
    for round in 0..3 {
        let store = open(&world).unwrap();
        store.snapshot().await.unwrap();
        let mut changed = store.within(account_id(1)).token(token_id(1)).await.unwrap().unwrap();
        changed.state = TokenState::Disabled;
        store.commit(write("token.disable").update_token(&changed)).await.unwrap();
        if round == 0 {
            store.commit(write("session.end").end_session(id(2), user_id(2))).await.unwrap();
        }
        store.touch_session(id(1), at(10 + round)).await.unwrap();
        store.count_failed_sign_in(user_id(1), Some(at(1))).await.unwrap();
        store.sweep(at(0)).await.unwrap();
        store.snapshot().await.unwrap();
        store.close().await.unwrap();
        assert!(world.inspect(&opening()).unwrap().is_some());
    }
}

/// Code of somebody else that would run in our name.
const TRIGGER: &str = match crate::ENGINE {
    Engine::Sqlite => "create trigger t after insert on audit begin update people set operator = 1; end",
    Engine::Postgres => {
        "create function f() returns trigger language plpgsql as 'begin update people set operator = 1; return new; end';
         create trigger t after insert on audit for each row execute function f()"
    }
};

#[tokio::test]
async fn a_changed_row_is_named_with_its_table() {
    for (sql, named) in [
        ("update tokens set state = 'disabled' where sid = 'SID2'", "of the table tokens is not as"),
        ("update secrets set ends_at = 5", "of the table secrets is not as"),
        ("update people set operator = 1", "of the table people is not as"),
        ("update members set role = 'owner'", "of the table members is not as"),
        ("update sessions set user_id = (select max(id) from people)", "of the table sessions is not as"),
        (
            "delete from secrets where token_id = (select id from tokens where sid = 'SID2');
             delete from tokens where sid = 'SID2'",
            "the table secrets has 2 rows where Countersign left 3",
        ),
        ("delete from sessions", "the table sessions has 0 rows where Countersign left 2"),
        ("update change_log set record = replace(record, 'true', 'false')", "of the log"),
        ("delete from change_log where seq = 3", "change 3 of the log"),
        (
            "delete from audit where number = (select max(number) from audit)",
            "the audit trail ends with entry",
        ),
        ("update cluster set head = head - 1", "the row of the cluster"),
        ("update cluster set mac = null", "no evidence"),
        ("delete from evidence where name = 'tokens'", "the row of the cluster"),
        ("update evidence set row_count = row_count + 1", "the row of the cluster"),
        (TRIGGER, "a table, index, view or trigger"),
        ("drop index tokens_sid", "a table, index, view or trigger"),
    ] {
        let world = closed().await;
        let raw = world.raw();
        raw.run(sql);
        drop(raw);
        // Without an anchor, a database without evidence is one from before there was any.
        let held = opening().held_to(Some(Anchor::from_text(&anchor(&world), &[key()]).unwrap()));
        let refused = match world.open(&held) {
            Ok(store) => told(store.snapshot().await),
            Err(error) => told(Err::<(), _>(error)),
        };
        assert!(refused.contains(named), "{sql}: {refused}");
        assert!(refused.contains("countersign restore"), "{sql}: {refused}");
        assert!(world.inspect(&held).is_err(), "{sql}");
    }
}

fn key() -> RowKey {
    RowKey::new([7; 32])
}

/// The anchor of the closed database of these tests, as a keeper would have written it.
fn anchor(world: &World) -> String {
    let position = world.store.watch_position().borrow().clone();
    position.to_text(&key())
}

#[tokio::test]
async fn what_is_put_back_is_behind_its_anchor() {
    let world = closed().await;
    let earlier = world.keep();
    let store = open(&world).unwrap();
    let disabled = countersign_store::Token { state: TokenState::Disabled, ..world_token(&store).await };
    store.commit(write("token.disable").update_token(&disabled)).await.unwrap();
    let anchor = store.watch_position().borrow().clone();
    store.close().await.unwrap();
    let held = opening().held_to(Some(anchor.clone()));
    drop(world.open(&held).unwrap());
    let later = world.keep();
    world.put_back(&earlier);
    let refused = told(world.open(&held));
    assert!(refused.contains("put back to an earlier state"), "{refused}");
    assert!(refused.contains("countersign anchor accept"), "{refused}");
    assert!(world.inspect(&held).is_err());
    // Another way from the same beginning, just as far.
    let store = open(&world).unwrap();
    let renamed = countersign_store::Token { edit: 1, ..world_token(&store).await };
    store.commit(write("token.update").update_token(&renamed)).await.unwrap();
    store.close().await.unwrap();
    let refused = told(world.open(&held));
    assert!(refused.contains("another way"), "{refused}");
    // Somebody wants it all the same: from then on the later state is the one that is behind.
    let accepted = held.clone().accepting_rollback(true);
    let store = world.open(&accepted).unwrap();
    store.commit(write("anchor.accept").raise_epoch(anchor.epoch)).await.unwrap();
    let position = store.watch_position().borrow().clone();
    assert_eq!(position.epoch, anchor.epoch + 1);
    store.close().await.unwrap();
    drop(world.open(&held).unwrap());
    world.put_back(&later);
    let refused = told(world.open(&opening().held_to(Some(position))));
    assert!(refused.contains("from before restore"), "{refused}");
}

pub async fn world_token(store: &Store) -> countersign_store::Token {
    store.within(account_id(1)).token(token_id(1)).await.unwrap().unwrap()
}

#[tokio::test]
async fn another_key_opens_nothing() {
    let world = closed().await;
    let other = RowKey::new([8; 32]);
    assert!(told(world.open(&Opening::new(other.clone()))).contains("another installation"));
    drop(world.open(&Opening::with_keys(vec![other, key()])).unwrap());
}

#[tokio::test]
async fn a_row_is_held_to_its_mac_when_it_is_read() {
    let world = closed().await;
    let store = open(&world).unwrap();
    let found = store.session(digest("mine")).await.unwrap().unwrap();
    assert_eq!(found.user, user_id(1));
    let raw = world.raw();
    let victim = person(2).id.to_string();
    raw.run(&format!("update sessions set user_id = '{victim}' where id = '{}'", found.id));
    assert!(told(store.session(digest("mine")).await).contains("table sessions"));
    raw.run("update people set operator = 1; update members set role = 'owner';");
    assert!(told(store.person(user_id(1)).await).contains("table people"));
    assert!(told(store.memberships(user_id(1)).await).contains("table members"));
    assert!(told(store.within(account_id(1)).member(user_id(1)).await).contains("table people"));
    // The feed is what the verifier believes.
    raw.run("update change_log set record = replace(record, 'Token 1', 'Token 9')");
    let changes = store.changes(countersign_model::change::Seq(0), 100).await;
    assert!(told(changes).contains("is not as Countersign wrote it"));
}

/// Past SQLite, so that only the row itself tells.
#[tokio::test]
async fn a_row_changed_in_the_file_is_not_laundered_by_a_partial_update() {
    let world = closed().await;
    let raw = world.raw();
    raw.run("update tokens set state = 'disabled', edit = 7 where sid = 'SID1'");
    drop(raw);
    let store = open(&world).unwrap();
    let mut tampered = world_token(&store).await;
    assert_eq!((tampered.state, tampered.edit), (TokenState::Disabled, 7));
    tampered.state = TokenState::Enabled;
    let refused = told(store.commit(write("token.update").update_token(&tampered)).await);
    assert!(refused.contains("of the table tokens is not as Countersign wrote it"), "{refused}");
    let refused = told(store.commit(write("token.delete").delete_token(&tampered)).await);
    assert!(refused.contains("of the table tokens"), "{refused}");
    // Others go on.
    let other = store.within(account_id(1)).token(token_id(2)).await.unwrap().unwrap();
    store.commit(write("token.update").update_token(&other)).await.unwrap();
    assert!(told(store.snapshot().await).contains("table tokens"));
}

#[tokio::test]
async fn rows_are_stamped_anew_with_another_key() {
    let world = closed().await;
    let store = open(&world).unwrap();
    let new = RowKey::new([9; 32]);
    store.restamp(new.clone()).await.unwrap();
    assert_eq!(store.session(digest("mine")).await.unwrap().unwrap().user, user_id(1));
    store.commit(write("token.create").insert_token(&token(9))).await.unwrap();
    store.snapshot().await.unwrap();
    assert!(!store.changes(countersign_model::change::Seq(0), 100).await.unwrap().is_empty());
    store.close().await.unwrap();
    assert!(open(&world).is_err(), "the old key opens nothing any more");
    let store = world.open(&Opening::new(new)).unwrap();
    store.snapshot().await.unwrap();
    store.close().await.unwrap();
    // What is not whole is not stamped.
    world.raw().run("update people set operator = 1");
    let store = world.open(&Opening::new(RowKey::new([9; 32]))).unwrap();
    assert!(told(store.restamp(key()).await).contains("table people"));
    assert!(told(store.snapshot().await).contains("table people"), "and the key is the one it was");
}
