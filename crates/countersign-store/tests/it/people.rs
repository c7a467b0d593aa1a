//! People: what is written is read, conflicts, the last operator, failed sign-ins.

use countersign_model::name::EmailAddress;
use countersign_store::{Conflict, PageAsk, Person, PersonFilter};

use crate::world::{World, at, first, person, user_id, write};

fn operator(n: u64) -> Person {
    Person { operator: true, ..person(n) }
}

#[tokio::test]
async fn what_is_written_is_read() {
    let world = World::new();
    let written =
        Person { password: Some("$argon2id$…".to_owned()), language: "zh-CN".to_owned(), ..operator(1) };
    world.commit(write("person.create").insert_person(&written)).await;
    let read = world.store.person(user_id(1)).await.unwrap().unwrap();
    assert_eq!(format!("{read:?}"), format!("{written:?}"));
    let shouted = EmailAddress::parse("PERSON1@EXAMPLE.COM").unwrap();
    assert_eq!(world.store.person_by_email(&shouted).await.unwrap().unwrap().id, user_id(1));
    assert_eq!(world.store.person_signing_in(&shouted).await.unwrap().unwrap().id, user_id(1));
    let nobody = EmailAddress::parse("nobody@example.com").unwrap();
    assert!(world.store.person_by_email(&nobody).await.unwrap().is_none());
    assert!(world.store.person_signing_in(&nobody).await.unwrap().is_none(), "another's row is nobody's");
    world.store.count_stranger_sign_in(at(1)).await.unwrap();
    assert_eq!(world.store.person(user_id(1)).await.unwrap().unwrap().failed_sign_ins, 0);
    assert!(world.store.has_operator().await.unwrap());
    let double = Person { email: shouted, ..person(2) };
    assert_eq!(world.conflict(write("person.create").insert_person(&double)).await, Conflict::EmailTaken);
}

#[tokio::test]
async fn an_operator_always_remains() {
    let world = World::new();
    world.commit(write("person.create").insert_person(&operator(1)).insert_person(&person(2))).await;
    for last in [Person { operator: false, ..operator(1) }, Person { active: false, ..operator(1) }] {
        assert_eq!(world.conflict(write("person.update").update_person(&last)).await, Conflict::LastOperator);
    }
    let idle = Person { active: false, ..operator(3) };
    world.commit(write("person.create").insert_person(&idle)).await;
    let last = Person { operator: false, ..operator(1) };
    assert_eq!(world.conflict(write("person.update").update_person(&last)).await, Conflict::LastOperator);
    world.commit(write("person.update").update_person(&operator(2))).await;
    world.commit(write("person.update").update_person(&last)).await;
    assert_eq!(world.conflict(write("person.update").update_person(&last)).await, Conflict::Stale);
    let read = world.store.person(user_id(1)).await.unwrap().unwrap();
    assert_eq!((read.operator, read.edit), (false, 2));
    let taken = Person { email: person(2).email, ..read };
    assert_eq!(world.conflict(write("person.update").update_person(&taken)).await, Conflict::EmailTaken);
}

#[tokio::test]
async fn failed_sign_ins_are_counted_beside_the_row() {
    let world = World::new();
    world.commit(write("person.create").insert_person(&person(1))).await;
    for count in 1..=3 {
        assert_eq!(
            world.store.count_failed_sign_in(user_id(1), Some(at(count))).await.unwrap(),
            u32::try_from(count).unwrap()
        );
    }
    world.commit(write("person.update").update_person(&person(1))).await;
    let read = world.store.person(user_id(1)).await.unwrap().unwrap();
    assert_eq!((read.failed_sign_ins, read.failed_at, read.edit), (3, Some(at(3)), 2));
    assert_eq!(world.store.count_failed_sign_in(user_id(1), None).await.unwrap(), 0);
    assert_eq!(world.store.person(user_id(1)).await.unwrap().unwrap().failed_at, None);
    assert_eq!(world.store.count_failed_sign_in(user_id(9), Some(at(1))).await.unwrap(), 0);
}

#[tokio::test]
async fn lists_are_by_address_in_pages() {
    let world = World::new();
    for n in 1..=5 {
        let row = if n == 4 { operator(n) } else { person(n) };
        world.commit(write("person.create").insert_person(&row)).await;
    }
    let (mut ask, mut seen) = (first(2), Vec::new());
    loop {
        let page = world.store.people(&PersonFilter::default(), &ask).await.unwrap();
        seen.extend(page.rows.into_iter().map(|person| person.id));
        let Some(next) = page.next else { break };
        ask = PageAsk { after: Some(next), limit: 2 };
    }
    assert_eq!(seen, (1..=5).map(user_id).collect::<Vec<_>>());
    for (search, operators, expected) in
        [(Some("PERSON"), false, 5), (Some("person 3"), false, 1), (None, true, 1), (Some("3@"), true, 0)]
    {
        let filter = PersonFilter { search: search.map(str::to_owned), operators };
        assert_eq!(world.store.people(&filter, &first(9)).await.unwrap().rows.len(), expected, "{filter:?}");
    }
}
