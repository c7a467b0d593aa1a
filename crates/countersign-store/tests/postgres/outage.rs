//! What is only of a server: it goes away in the middle of things and comes back, others change what is in it, and it is
//! not always fit for what we need.

use countersign_model::change::Seq;
use countersign_store::{AuditFinding, Conflict, Error, Opening, RowKey, Store, TokenFilter, TokenState};

use crate::{
    evidence::{closed, open, told, world_token},
    world::{
        Place, World, account_id, digest, first, opening, person, secret,
        server::{self, Database, Line, Server},
        token, user_id, write,
    },
};

fn database(world: &World) -> &Database {
    match &world.place {
        Place::Server(database) => database,
        Place::Directory(_) => panic!("these run on a server"),
    }
}

fn unavailable(outcome: Result<impl Sized, Error>) -> String {
    match outcome {
        Err(Error::Unavailable(told)) => told,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("nothing was wrong"),
    }
}

#[tokio::test]
async fn connections_that_end_are_made_anew() {
    let world = World::with_account().await;
    for n in 1..=5 {
        database(&world).let_go();
        let committed = world.commit(write("token.create").insert_token(&token(n))).await;
        assert_eq!(committed.seq, Seq(n + 1));
        database(&world).let_go();
        assert_eq!(world.token(n).await.id, token(n).id);
    }
    assert_eq!(world.store.verify_audit(&mut |_, _| ()).await.unwrap(), AuditFinding::Whole { entries: 6 });
    world.store.snapshot().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_lost_at_any_moment_is_told_as_it_is() {
    let world = World::with_account().await;
    let mut roomy = crate::world::account(1);
    roomy.token_limit = 100_000;
    world.commit(write("account.update").update_account(&roomy)).await;
    let (stop, mut stopped) = (tokio::sync::watch::Sender::new(false), Vec::new());
    for writer in 0..8_u64 {
        let (store, stop) = (world.store.clone(), stop.subscribe());
        stopped.push(tokio::spawn(async move {
            let (mut kept, mut lost, mut doubtful) = (Vec::new(), Vec::new(), 0_u64);
            for n in 0.. {
                if *stop.borrow() {
                    break;
                }
                let number = 1 + writer + n * 8;
                match store.commit(write("token.create").insert_token(&token(number))).await {
                    Ok(committed) => kept.push((committed.seq, number)),
                    Err(Error::Unavailable(told)) if told.contains("may have happened") => doubtful += 1,
                    Err(Error::Unavailable(_) | Error::Busy) => lost.push(number),
                    Err(other) => panic!("{other}"),
                }
            }
            (kept, lost, doubtful)
        }));
    }
    for _ in 0..12 {
        let url = database(&world).url();
        tokio::task::spawn_blocking(move || {
            let sql = "select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid() and query <> ''";
            server::run(&url, sql).unwrap();
        })
        .await
        .unwrap();
        // Enough for some writes in between, whatever the machine does.
        let mut head = world.store.watch_head();
        head.mark_unchanged();
        head.changed().await.unwrap();
    }
    stop.send(true).unwrap();
    let (mut kept, mut lost, mut doubtful) = (Vec::new(), Vec::new(), 0);
    for writer in stopped {
        let (more_kept, more_lost, more_doubtful) = writer.await.unwrap();
        kept.extend(more_kept);
        lost.extend(more_lost);
        doubtful += more_doubtful;
    }
    println!("{} answered, {} told as not written, {doubtful} told as doubtful", kept.len(), lost.len());
    for (_, number) in &kept {
        assert_eq!(world.token(*number).await.id, token(*number).id, "token {number} was answered");
    }
    for number in &lost {
        let found = world.store.within(account_id(1)).token(token(*number).id).await.unwrap();
        assert!(found.is_none(), "token {number} was told as not written");
    }
    kept.sort_unstable();
    kept.dedup_by_key(|(seq, _)| *seq);
    let count = u64::from(world.store.within(account_id(1)).token_count().await.unwrap());
    assert!(kept.len() as u64 <= count && count <= kept.len() as u64 + doubtful, "{count} tokens");
    assert_eq!(world.store.snapshot().await.unwrap().head, Seq(count + 2), "and no number is left out");
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_and_no_conflict() {
    let server = Server::start(&[]);
    let url = server.url("postgres");
    let store = Store::open_postgres(&url, &opening()).unwrap();
    store.commit(write("person.create").insert_person(&person(1))).await.unwrap();
    assert!(matches!(
        store.commit(write("person.create").insert_person(&person(1))).await,
        Err(Error::Unavailable(_) | Error::Conflict(Conflict::EmailTaken))
    ));
    server.stop();
    let told = unavailable(store.commit(write("person.create").insert_person(&person(2))).await);
    assert!(told.contains("PostgreSQL"), "{told}");
    unavailable(store.person(user_id(1)).await);
    unavailable(store.ping().await);
    assert!(unavailable(Store::open_postgres(&url, &opening())).contains("cannot be reached"));
}

#[tokio::test]
async fn a_foreign_change_is_found_in_its_row_and_never_stamped_as_ours() {
    let world = closed().await;
    let store = open(&world).unwrap();
    world
        .raw()
        .run("update people set operator = 1; update tokens set state = 'disabled' where sid = 'SID1'");
    assert!(told(store.person(user_id(1)).await).contains("table people"));
    let mut tampered = world_token(&store).await;
    tampered.state = TokenState::Enabled;
    let refused = told(store.commit(write("token.update").update_token(&tampered)).await);
    assert!(refused.contains("of the table tokens is not as Countersign wrote it"), "{refused}");
    assert!(told(store.snapshot().await).contains("is not as Countersign wrote it"));
    // The row of the cluster is looked at by every write.
    world.raw().run("update cluster set floor = floor + 1");
    let refused = told(store.commit(write("person.create").insert_person(&person(9))).await);
    assert!(refused.contains("another program wrote to the database"), "{refused}");
    assert!(told(store.person(user_id(2)).await).contains("another program"), "nothing is believed any more");
}

/// A trigger that gives everybody the rights of an operator would have us stamp what it made of our rows.
#[tokio::test]
async fn code_of_others_does_not_write_in_our_name() {
    for (kind, table) in [("before", "people"), ("after", "audit")] {
        let world = World::with_account().await;
        world.raw().run(&format!(
            "create function f() returns trigger language plpgsql as
               $f$ begin if tg_table_name = 'people' then new.operator = 1; end if; return new; end $f$;
             create trigger t {kind} insert or update on {table} for each row execute function f()"
        ));
        let renamed = countersign_store::Person { operator: false, ..person(1) };
        let refused = told(world.store.commit(write("person.update").update_person(&renamed)).await);
        assert!(refused.contains("not Countersign's"), "{kind} {table}: {refused}");
        world.raw().run(&format!("drop trigger t on {table}"));
        assert!(!world.store.person(user_id(1)).await.unwrap().unwrap().operator);
        world.commit(write("person.update").update_person(&renamed)).await;
    }
}

#[tokio::test]
async fn a_newer_schema_and_another_migration_are_refused() {
    for (sql, named) in [
        ("insert into migrations values (99, 'later', '', 0)", "use the newer Countersign"),
        ("update migrations set checksum = '' where number = 3", "was another one"),
    ] {
        let world = closed().await;
        world.raw().run(sql);
        let refused = open(&world).err().unwrap().to_string();
        assert!(refused.contains(named), "{refused}");
    }
}

#[tokio::test]
async fn an_empty_database_is_made_and_one_that_is_not_there_is_not() {
    let empty = Database::empty();
    let store = Store::open_postgres(&empty.url(), &Opening::new(RowKey::new([3; 32]))).unwrap();
    assert!(
        store.within(account_id(1)).tokens(&TokenFilter::default(), &first(1)).await.unwrap().rows.is_empty()
    );
    let nowhere = empty.url().replace("test_", "nowhere_");
    assert!(unavailable(Store::open_postgres(&nowhere, &opening())).contains("does not exist"));
}

#[tokio::test]
async fn a_server_that_may_lose_what_it_wrote_is_refused() {
    let careless = Server::start(&["fsync=off"]);
    let refused = unavailable(Store::open_postgres(&careless.url("postgres"), &opening()));
    assert!(refused.contains("power cut"), "{refused}");
    careless.stop();
}

#[tokio::test]
async fn a_lock_somebody_holds_is_busy_and_passes() {
    let world = World::with_account().await;
    let other = Line::to(&database(&world).url());
    other.ask("begin; lock table secrets in share mode").unwrap();
    let mut waiting = token(1);
    waiting.secrets = vec![secret(1, 1)];
    let outcome = world.store.commit(write("token.create").insert_token(&waiting)).await;
    assert!(matches!(outcome, Err(Error::Busy)), "{outcome:?}");
    other.ask("rollback").unwrap();
    world.commit(write("token.create").insert_token(&waiting)).await;
    assert_eq!(world.store.session(digest("none")).await.unwrap().map(|found| found.user), None);
}
