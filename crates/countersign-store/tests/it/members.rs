//! Members: roles, the last administrator, successors of primary contacts, invitations.

use countersign_model::name::EmailAddress;
use countersign_store::{Conflict, Invitation, Member, Person};

use crate::world::{
    ADMINISTRATOR, World, account_id, at, digest, first, id, person, token, token_id, token_of, user_id,
    write,
};

const ANALYST: &str = "analyst";

async fn member(world: &World, n: u64) -> Member {
    world.store.within(account_id(1)).member(user_id(n)).await.unwrap().unwrap()
}

async fn add(world: &World, n: u64, role: &str) {
    world.commit(write("person.create").insert_person(&person(n))).await;
    world.commit(write("member.add").insert_member(account_id(1), user_id(n), role, at(5))).await;
}

#[tokio::test]
async fn what_is_written_is_read() {
    let world = World::with_account().await;
    add(&world, 2, ANALYST).await;
    let two = member(&world, 2).await;
    assert_eq!((two.role.as_str(), two.edit, two.created_at, two.person.id), (ANALYST, 1, at(5), user_id(2)));
    let page = world.store.within(account_id(1)).members(&first(1)).await.unwrap();
    assert_eq!((page.rows[0].person.id, page.next.is_some()), (user_id(1), true));
    let memberships = world.store.memberships(user_id(2)).await.unwrap();
    assert_eq!((memberships[0].account.id, memberships[0].role.as_str()), (account_id(1), ANALYST));
    let twice = write("member.add").insert_member(account_id(1), user_id(2), ANALYST, at(5));
    assert_eq!(world.conflict(twice).await, Conflict::AlreadyMember);
    let nobody = write("member.add").insert_member(account_id(1), user_id(99), ANALYST, at(5));
    assert_eq!(world.conflict(nobody).await, Conflict::Stale);
}

#[tokio::test]
async fn an_administrator_always_remains() {
    let world = World::with_account().await;
    add(&world, 2, ANALYST).await;
    let one = member(&world, 1).await;
    let step_down = || write("member.update").update_member(&one, ANALYST, ADMINISTRATOR);
    assert_eq!(world.conflict(step_down()).await, Conflict::LastAdministrator);
    let leave = write("member.remove").remove_member(&one, None, ADMINISTRATOR);
    assert_eq!(world.conflict(leave).await, Conflict::LastAdministrator);
    let two = member(&world, 2).await;
    world.commit(write("member.update").update_member(&two, ADMINISTRATOR, ADMINISTRATOR)).await;
    assert_eq!(
        world.conflict(write("member.update").update_member(&two, ANALYST, ADMINISTRATOR)).await,
        Conflict::Stale
    );
    let idle = Person { active: false, ..person(2) };
    world.commit(write("person.update").update_person(&idle)).await;
    assert_eq!(
        world.conflict(step_down()).await,
        Conflict::LastAdministrator,
        "who cannot sign in does not count"
    );
    let back = Person { edit: 2, ..person(2) };
    world.commit(write("person.update").update_person(&back)).await;
    world.commit(step_down()).await;
    assert_eq!(member(&world, 1).await.role, ANALYST);
}

#[tokio::test]
async fn a_primary_contact_leaves_a_successor() {
    let world = World::with_account().await;
    world.add_account(3).await;
    add(&world, 2, ADMINISTRATOR).await;
    world.commit(write("token.create").insert_token(&token(1))).await;
    world.commit(write("token.create").insert_token(&token_of(3, 9))).await;
    let one = member(&world, 1).await;
    let remove = |successor| write("member.remove").remove_member(&one, successor, ADMINISTRATOR);
    let within = world.store.within(account_id(1));
    assert_eq!(within.tokens_of_contact(user_id(1)).await.unwrap(), ["Token 1"]);
    assert_eq!(world.conflict(remove(None)).await, Conflict::PrimaryContact);
    for nobody in [1, 3] {
        assert_eq!(world.conflict(remove(Some(user_id(nobody)))).await, Conflict::ContactNotMember);
    }
    world.commit(remove(Some(user_id(2)))).await;
    assert!(within.member(user_id(1)).await.unwrap().is_none());
    let handed = within.token(token_id(1)).await.unwrap().unwrap();
    assert_eq!((handed.primary_contact, handed.edit), (Some(user_id(2)), 2));
    assert_eq!(world.conflict(remove(Some(user_id(2)))).await, Conflict::Stale);
}

#[tokio::test]
async fn an_invitation_is_used_once() {
    let world = World::with_account().await;
    let invitation = |n: u64, account| Invitation {
        id: id(n),
        account,
        email: EmailAddress::parse("New@example.com").unwrap(),
        role: Some(ANALYST.to_owned()),
        code: digest(&format!("code {n}")),
        expires_at: at(100),
        created_at: at(0),
        created_by: Some(user_id(1)),
    };
    let ours = Some(account_id(1));
    for n in [1, 2] {
        world.commit(write("member.invite").insert_invitation(&invitation(n, ours))).await;
    }
    world.commit(write("operator.invite").insert_invitation(&invitation(3, None))).await;
    assert!(world.store.invitation_by_code(digest("code 1")).await.unwrap().is_none(), "replaced");
    let open = world.store.invitation_by_code(digest("code 2")).await.unwrap().unwrap();
    assert_eq!(format!("{open:?}"), format!("{:?}", invitation(2, ours)));
    let listed = world.store.within(account_id(1)).invitations(&first(9)).await.unwrap();
    assert_eq!(listed.rows.iter().map(|row| row.id).collect::<Vec<_>>(), [id(2)]);
    let spend = |account| write("invitation.accept").spend_invitation(id(2), account);
    for elsewhere in [None, Some(account_id(2))] {
        assert_eq!(world.conflict(spend(elsewhere)).await, Conflict::CodeSpent);
    }
    world.commit(spend(ours)).await;
    assert_eq!(world.conflict(spend(ours)).await, Conflict::CodeSpent);
    world.commit(write("invitation.accept").spend_invitation(id(3), None)).await;
}
