//! What operators keep: gateways, platform credentials, the first code, catalogs, and a copy of it all.

use std::sync::Arc;

use countersign_model::{
    catalog::{self, Numbering},
    change::{Record, Seq},
};
use countersign_store::{
    Bootstrap, Conflict, Error, Gateway, PersonFilter, PlatformCredential, Store, StoredCatalog,
};

use crate::world::{Place, World, at, digest, first, id, opening, person, write};

fn gateway(n: u64) -> Gateway {
    Gateway {
        id: id(n),
        name: format!("gateway-{n}"),
        credential: digest(&format!("gateway {n}")),
        root: 1,
        last4: "abcd".to_owned(),
        peers: vec!["10.0.0.0/8".parse().unwrap()],
        profile: "{}".to_owned(),
        assertion_audience: Some("orders".to_owned()),
        created_at: at(0),
        edit: 1,
    }
}

#[tokio::test]
async fn gateways() {
    let world = World::new();
    world.commit(write("gateway.create").insert_gateway(&gateway(1)).insert_gateway(&gateway(2))).await;
    let read = world.store.gateways().await.unwrap();
    assert_eq!(format!("{:?}", read[0]), format!("{:?}", gateway(1)));
    let double = Gateway { name: gateway(1).name, ..gateway(3) };
    assert_eq!(
        world.conflict(write("gateway.create").insert_gateway(&double)).await,
        Conflict::GatewayNameTaken
    );
    let double = Gateway { credential: gateway(1).credential, ..gateway(3) };
    assert_eq!(world.conflict(write("gateway.create").insert_gateway(&double)).await, Conflict::SecretTaken);
    world.commit(write("gateway.update").update_gateway(&gateway(1))).await;
    assert_eq!(world.conflict(write("gateway.update").update_gateway(&gateway(1))).await, Conflict::Stale);
    assert_eq!(world.conflict(write("gateway.delete").delete_gateway(&gateway(1))).await, Conflict::Stale);
    world.commit(write("gateway.delete").delete_gateway(&gateway(2))).await;
    assert_eq!(world.store.gateways().await.unwrap().len(), 1);
}

#[tokio::test]
async fn platform_credentials() {
    let world = World::new();
    let one = PlatformCredential {
        id: id(1),
        name: "deploy".to_owned(),
        credential: digest("platform"),
        root: 1,
        last4: "abcd".to_owned(),
        created_at: at(0),
        expires_at: Some(at(9)),
    };
    world.commit(write("platform_credential.create").insert_platform_credential(&one)).await;
    let read = world.store.platform_credential(digest("platform")).await.unwrap().unwrap();
    assert_eq!(format!("{read:?}"), format!("{one:?}"));
    let double = PlatformCredential { id: id(2), credential: digest("other"), ..one.clone() };
    let insert = write("platform_credential.create").insert_platform_credential(&double);
    assert_eq!(world.conflict(insert).await, Conflict::GatewayNameTaken);
    world.commit(write("platform_credential.delete").delete_platform_credential(one.id)).await;
    let delete = write("platform_credential.delete").delete_platform_credential(one.id);
    assert_eq!(world.conflict(delete).await, Conflict::Stale);
    assert!(world.store.platform_credentials().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_at_once_one_uses_the_first_code() {
    let world = World::new();
    assert!(!world.store.has_operator().await.unwrap());
    for code in ["older", "newer"] {
        let issued = Bootstrap { code: digest(code), expires_at: at(10) };
        world.commit(write("bootstrap.issue").issue_bootstrap(&issued)).await;
    }
    assert_eq!(world.store.bootstrap().await.unwrap().unwrap().code, digest("newer"));
    assert_eq!(
        world.conflict(write("bootstrap.spend").spend_bootstrap(digest("older"))).await,
        Conflict::CodeSpent
    );
    let racing: Vec<_> = (0..100)
        .map(|n| {
            let store = world.store.clone();
            let first = write("bootstrap.spend").spend_bootstrap(digest("newer")).insert_person(&person(n));
            tokio::spawn(async move { store.commit(first).await.is_ok() })
        })
        .collect();
    let mut winners = 0;
    for racer in racing {
        winners += u32::from(racer.await.unwrap());
    }
    assert_eq!(winners, 1);
    assert_eq!(world.store.people(&PersonFilter::default(), &first(200)).await.unwrap().rows.len(), 1);
    let late = Bootstrap { code: digest("late"), expires_at: at(1) };
    world.commit(write("bootstrap.issue").issue_bootstrap(&late)).await;
    assert_eq!(
        world.conflict(write("bootstrap.spend").spend_bootstrap(digest("late"))).await,
        Conflict::CodeSpent
    );
}

fn stored(number: u64, numbering: &Numbering) -> StoredCatalog {
    let source = catalog::standard_source();
    let file = catalog::parse(source).unwrap();
    let (catalog, numbering) = catalog::compile(&file, numbering).unwrap();
    StoredCatalog {
        number,
        source: source.to_owned(),
        numbering,
        catalog: Arc::new(catalog),
        loaded_at: at(0),
    }
}

#[tokio::test]
async fn catalogs_follow_one_another() {
    let world = World::new();
    assert!(world.store.catalog().await.unwrap().is_none());
    let one = stored(1, &Numbering::default());
    world.commit(write("catalog.load").insert_catalog(&one)).await;
    assert_eq!(world.conflict(write("catalog.load").insert_catalog(&one)).await, Conflict::Stale);
    let gap = stored(3, &one.numbering);
    assert_eq!(world.conflict(write("catalog.load").insert_catalog(&gap)).await, Conflict::Stale);
    let two = stored(2, &one.numbering);
    world.commit(write("catalog.load").insert_catalog(&two)).await;
    let read = world.store.catalog().await.unwrap().unwrap();
    assert_eq!(
        (read.number, &read.numbering, read.source.as_str()),
        (2, &two.numbering, two.source.as_str())
    );
    let scopes: Vec<_> = read.catalog.scopes.iter().map(|scope| scope.id.as_str()).collect();
    assert_eq!(scopes, two.catalog.scopes.iter().map(|scope| scope.id.as_str()).collect::<Vec<_>>());
    let changes = world.store.changes(Seq(0), 10).await.unwrap();
    assert!(changes.iter().all(|change| matches!(change.record, Record::Catalog(_))) && changes.len() == 2);
    assert!(matches!(world.store.snapshot().await.unwrap().records[..], [Record::Catalog(_)]));
}

#[tokio::test]
async fn a_copy_is_whole() {
    let world = World::with_account().await;
    let Place::Directory(directory) = &world.place else {
        let elsewhere = std::env::temp_dir().join("countersign-copy-of-a-server.db");
        let refused = world.store.backup_to(&elsewhere).await;
        assert!(matches!(&refused, Err(Error::Unavailable(told)) if told.contains("pg_dump")), "{refused:?}");
        assert!(!elsewhere.exists());
        return;
    };
    let target = directory.path().join("copy.db");
    world.store.backup_to(&target).await.unwrap();
    world.add_account(2).await;
    assert!(world.store.backup_to(&target).await.is_err(), "nothing is overwritten");
    let copy = Store::open_sqlite(&target, &opening()).unwrap();
    assert!(copy.account(id(1)).await.unwrap().is_some());
    assert!(copy.account(id(2)).await.unwrap().is_none());
    assert_eq!(copy.schema_version(), world.store.schema_version());
}
