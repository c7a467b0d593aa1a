//! Who is told: against a table of cases, and against a naive oracle for random audiences.

use std::collections::BTreeSet;

use countersign_model::{
    event::Event,
    id::{Id, NoticeId, OfNotice},
    name::EmailAddress,
};
use countersign_store::{
    AddressAsk, Audience, Channel, Conflict, Delivery, DeliveryFilter, DeliveryState, Notice, Person, Store,
    Token, Webhook, WebhookState, Write,
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::json;

use crate::world::{
    ADMINISTRATOR, World, account_id, at, digest, first, id, person, token, token_of, user_id, write,
};

/// Notice `n`, of account 1.
pub fn notice(n: u64, event: Event) -> Notice {
    Notice {
        id: notice_id(n),
        at: at(i64::try_from(n).unwrap()),
        account: Some(account_id(1)),
        event,
        token: None,
        label: "Token".to_owned(),
        facts: json!({ "token": "Token" }),
        once: None,
    }
}

/// Random ids differ beyond the bits that number deliveries; ids made from small numbers have to be moved there.
fn notice_id(n: u64) -> NoticeId {
    Id::from_u128(id::<OfNotice>(n).as_u128() << 20)
}

pub async fn all(store: &Store) -> Vec<Delivery> {
    let mut rows = store.deliveries(&DeliveryFilter::default(), &first(1_000)).await.unwrap().rows;
    rows.sort_by_key(|delivery| delivery.id);
    rows
}

fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

/// Names address `key` in accounts and brings it where it is to be in each.
async fn set_address(world: &World, key: &str, states: &[(u64, &str)]) {
    let ask = |account: u64| AddressAsk {
        account: account_id(account),
        email: email(key),
        language: "zh-CN".to_owned(),
        code: digest(&format!("{key} of {account}")),
        asked_at: at(0),
        code_expires_at: at(100),
    };
    for (account, _) in states {
        world.commit(write("address.ask").ask_address(&ask(*account))).await;
    }
    // A bounce is one of the address, in whatever account; who asks anew afterwards begins anew.
    if states.iter().any(|(_, state)| *state == "bounced") {
        world.commit(write("address.bounce").bounce_address(key, at(1), "no such mailbox")).await;
    }
    for (account, state) in states {
        if *state == "bounced" {
            continue;
        }
        world.commit(write("address.ask").ask_address(&ask(*account))).await;
        if *state == "confirmed" {
            let asked = world.store.within(account_id(*account)).address(&email(key)).await.unwrap().unwrap();
            let code = asked.code.unwrap();
            world.commit(write("address.confirm").confirm_address(&asked, code, at(2))).await;
        }
    }
}

async fn unsubscribe(world: &World, key: &str) {
    world.commit(write("address.unsubscribe").unsubscribe(key, at(1))).await;
}

fn webhook(n: u64, account: Option<u64>, events: &[Event], state: WebhookState) -> Webhook {
    Webhook {
        id: id(n),
        account: account.map(account_id),
        url: format!("https://hooks.example.com/{n}"),
        description: String::new(),
        events: events.to_vec(),
        state,
        secret: vec![1],
        former: None,
        failing_since: None,
        edit: 1,
        created_at: at(0),
        created_by: None,
    }
}

fn told(deliveries: &[Delivery]) -> Vec<String> {
    let line = |one: &Delivery| {
        let (kind, state) = (one.kind.as_str(), one.state.as_str());
        format!("{kind} {} {} {state}", one.target, one.language)
    };
    deliveries.iter().map(line).collect()
}

/// Account 1 with person 1, its administrator and contact of tokens, and person 2, a Chinese reader without a role that
/// matters; account 2 with person 3.
async fn peopled() -> World {
    let world = World::with_account().await;
    let second = Person { language: "zh-CN".to_owned(), ..person(2) };
    let joins = write("member.add").insert_person(&second);
    world.commit(joins.insert_member(account_id(1), user_id(2), "analyst", at(0))).await;
    world.add_account(3).await;
    world
}

fn with_developers(emails: &[&str]) -> Token {
    Token { developer_emails: emails.iter().map(|text| email(text)).collect(), ..token(1) }
}

/// In which accounts a developer address stands how, and who unsubscribed.
type Before = (&'static [(u64, &'static str)], &'static str);

#[tokio::test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
async fn everybody_concerned_hears_once_and_nobody_else() {
    let contact = "contact person1@example.com en waiting".to_owned();
    let (nothing, dev) = ((&[][..], ""), "dev@example.com");
    let second = "person2@example.com";
    let cases: [(&str, Before, Event, Token, Vec<&str>); 10] = [
        ("contact alone", nothing, Event::TokenReset, with_developers(&[]), vec![]),
        (
            "contact and developer are one person",
            nothing,
            Event::TokenReset,
            with_developers(&["PERSON1@example.com"]),
            vec![],
        ),
        (
            "a developer nobody knows is held, in the contact's language",
            nothing,
            Event::TokenReset,
            with_developers(&["Dev@example.com"]),
            vec!["developer dev@example.com en held"],
        ),
        (
            "a developer who confirmed hears, in the language of the address",
            (&[(1, "confirmed")], ""),
            Event::TokenReset,
            with_developers(&["dev@example.com"]),
            vec!["developer dev@example.com zh-CN waiting"],
        ),
        (
            "one that bounced is held",
            (&[(1, "bounced")], ""),
            Event::TokenReset,
            with_developers(&["dev@example.com"]),
            vec!["developer dev@example.com zh-CN held"],
        ),
        (
            "one that another account confirmed is held",
            (&[(3, "confirmed")], ""),
            Event::TokenReset,
            with_developers(&["dev@example.com"]),
            vec!["developer dev@example.com en held"],
        ),
        (
            "a developer who is a member needs no confirmation",
            nothing,
            Event::TokenReset,
            with_developers(&["person2@example.com"]),
            vec!["developer person2@example.com zh-CN waiting"],
        ),
        (
            "a member of another account does",
            nothing,
            Event::TokenReset,
            with_developers(&["person3@example.com"]),
            vec!["developer person3@example.com en held"],
        ),
        (
            "who unsubscribed hears what is about security",
            (&[], second),
            Event::TokenDeleted,
            with_developers(&["person2@example.com"]),
            vec!["developer person2@example.com zh-CN waiting"],
        ),
        (
            "and nothing else",
            (&[], second),
            Event::TokenExpiring,
            with_developers(&["person2@example.com"]),
            vec![],
        ),
    ];
    for (what, (states, unsubscribed), event, token, others) in cases {
        let world = peopled().await;
        set_address(&world, dev, states).await;
        if !unsubscribed.is_empty() {
            unsubscribe(&world, unsubscribed).await;
        }
        world.commit(write("token.reset").post(&notice(1, event), Audience::Token(&token))).await;
        let mut expected = vec![contact.clone()];
        expected.extend(others.into_iter().map(str::to_owned));
        assert_eq!(told(&all(&world.store).await), expected, "{what}");
    }
}

#[tokio::test]
async fn who_left_or_was_switched_off_hears_nothing() {
    let world = peopled().await;
    let theirs = Token { primary_contact: Some(user_id(2)), ..with_developers(&[]) };
    let member = world.store.within(account_id(1)).member(user_id(2)).await.unwrap().unwrap();
    world.commit(write("member.remove").remove_member(&member, None, ADMINISTRATOR)).await;
    world.commit(write("x").post(&notice(1, Event::TokenReset), Audience::Token(&theirs))).await;
    assert_eq!(told(&all(&world.store).await), Vec::<String>::new(), "a member who left");
    let off = Person { active: false, ..world.store.person(user_id(1)).await.unwrap().unwrap() };
    world.commit(write("person.update").update_person(&off)).await;
    world
        .commit(write("x").post(&notice(2, Event::TokenReset), Audience::Token(&with_developers(&[]))))
        .await;
    world.commit(write("x").post(&notice(3, Event::PasswordReset), Audience::Person(user_id(1)))).await;
    assert_eq!(told(&all(&world.store).await), Vec::<String>::new(), "a person who may not sign in");
}

#[tokio::test]
async fn contacts_roles_people_and_addresses() {
    let world = peopled().await;
    world.commit(write("token.create").insert_token(&token(1))).await;
    world.commit(write("token.create").insert_token(&token(2))).await;
    let third = Token { primary_contact: Some(user_id(2)), ..token(3) };
    world.commit(write("token.create").insert_token(&third)).await;
    let outsider = email("new@example.com");
    let cases: [(Audience<'_>, Vec<&str>); 6] = [
        (
            Audience::Contacts(account_id(1)),
            vec!["contact person1@example.com en waiting", "contact person2@example.com zh-CN waiting"],
        ),
        (Audience::Role(account_id(1), ADMINISTRATOR), vec!["contact person1@example.com en waiting"]),
        (Audience::Role(account_id(1), "finance"), vec![]),
        (Audience::Person(user_id(3)), vec!["person person3@example.com en waiting"]),
        (
            Audience::Address { email: &outsider, language: "zh-CN" },
            vec!["address new@example.com zh-CN waiting"],
        ),
        (Audience::Operators, vec![]),
    ];
    for (n, (audience, expected)) in (1..).zip(cases) {
        world.commit(write("x").post(&notice(n, Event::AccountSuspended), audience)).await;
        let all = all(&world.store).await;
        let of_this: Vec<_> = all.into_iter().filter(|one| one.notice == notice_id(n)).collect();
        assert_eq!(told(&of_this), expected, "{audience:?}");
    }
}

#[tokio::test]
async fn webhooks_hear_what_they_asked_for() {
    let world = peopled().await;
    for hook in [
        webhook(1, Some(1), &[], WebhookState::Enabled),
        webhook(2, Some(1), &[Event::TokenReset], WebhookState::Enabled),
        webhook(3, Some(1), &[Event::TokenDeleted], WebhookState::Enabled),
        webhook(4, Some(1), &[], WebhookState::Disabled),
        webhook(5, Some(3), &[], WebhookState::Enabled),
        webhook(6, None, &[], WebhookState::Enabled),
    ] {
        world.commit(write("webhook.create").insert_webhook(&hook, 100)).await;
    }
    let audience = with_developers(&[]);
    world.commit(write("x").post(&notice(1, Event::TokenReset), Audience::Token(&audience))).await;
    let found = all(&world.store).await;
    let hooks: Vec<_> = found.iter().filter(|one| one.channel == Channel::Webhook).collect();
    let ids: Vec<String> = hooks.iter().map(|one| one.target.clone()).collect();
    let expected: Vec<String> =
        [1, 2, 6].map(|n| webhook(n, None, &[], WebhookState::Enabled).id.to_string()).into();
    assert_eq!(ids, expected);
    let accounts: Vec<_> = hooks.iter().map(|one| one.account).collect();
    assert_eq!(
        accounts,
        [Some(account_id(1)), Some(account_id(1)), None],
        "the account does not see the platform's"
    );
    world.commit(write("x").post(&notice(2, Event::WebhookTest), Audience::Webhook(id(4)))).await;
    let test: Vec<_> = all(&world.store).await.into_iter().filter(|one| one.notice == notice_id(2)).collect();
    assert_eq!(test.len(), 1, "a test goes to the one it tries, and nowhere else");
}

#[tokio::test]
async fn one_notice_over_several_audiences_is_one_mail_and_a_key_is_used_once() {
    let world = peopled().await;
    let (one, two) = (with_developers(&["dev@example.com"]), with_developers(&["other@example.com"]));
    let both = notice(1, Event::TokenChanged);
    world.commit(write("x").post(&both, Audience::Token(&one)).post(&both, Audience::Token(&two))).await;
    let found = told(&all(&world.store).await);
    assert_eq!(
        found,
        [
            "contact person1@example.com en waiting",
            "developer dev@example.com en held",
            "developer other@example.com en held"
        ]
    );
    let once = |n| Notice { once: Some("expiring/30".to_owned()), ..notice(n, Event::TokenExpiring) };
    assert!(!world.store.is_posted("expiring/30").await.unwrap());
    world.commit(write("x").post(&once(2), Audience::Token(&one))).await;
    assert!(world.store.is_posted("expiring/30").await.unwrap());
    world.commit(write("x").post(&once(3), Audience::Token(&two))).await;
    assert_eq!(all(&world.store).await.len(), 3 + 2, "the second was not posted at all");
}

#[tokio::test]
async fn nobody_is_told_of_what_did_not_happen() {
    let world = peopled().await;
    world.commit(write("token.create").insert_token(&token(1))).await;
    let tells =
        |token: &Token| write("token.update").post(&notice(1, Event::TokenReset), Audience::Token(token));
    let stale = Token { edit: 7, ..token(1) };
    assert_eq!(world.conflict(tells(&stale).update_token(&stale)).await, Conflict::Stale);
    let taken = Token { name: token(1).name, ..token(2) };
    assert_eq!(world.conflict(tells(&taken).insert_token(&taken)).await, Conflict::NameTaken);
    let stranger = Token { primary_contact: Some(user_id(3)), ..token(2) };
    assert_eq!(world.conflict(tells(&stranger).insert_token(&stranger)).await, Conflict::ContactNotMember);
    assert_eq!(told(&all(&world.store).await), Vec::<String>::new());
    let gone = world.token(1).await;
    world.commit(tells(&gone).delete_token(&gone)).await;
    assert_eq!(all(&world.store).await.len(), 2, "who is to hear of a deletion is found before it");
}

/// One thing that is so before somebody is told.
#[derive(Debug, Clone)]
struct Scene {
    /// Persons 1 to 4: member of account 1, of account 2, active, unsubscribed.
    people: Vec<(bool, bool, bool, bool)>,
    /// The state of address `n` in account 1 and 2.
    addresses: Vec<(Option<&'static str>, Option<&'static str>)>,
    contact: Option<u64>,
    /// Developer addresses: persons 1 to 4, addresses 5 and 6.
    developers: Vec<u64>,
    security: bool,
}

fn scenes() -> impl Strategy<Value = Scene> {
    let states = || select(vec![None, Some("unconfirmed"), Some("confirmed"), Some("bounced")]);
    let people = vec(any::<(bool, bool, bool, bool)>(), 4);
    let addresses = vec((states(), states()), 2);
    let developers = proptest::sample::subsequence(vec![1_u64, 2, 3, 4, 5, 6], 0..=6);
    (people, addresses, proptest::option::of(1_u64..=4), developers, any::<bool>()).prop_map(
        |(people, addresses, contact, developers, security)| Scene {
            people,
            addresses,
            contact,
            developers,
            security,
        },
    )
}

fn address_of(n: u64) -> String {
    if n <= 4 { format!("person{n}@example.com") } else { format!("address{n}@example.com") }
}

/// Who is told, in the plainest words: target and whether it waits.
fn oracle(scene: &Scene) -> BTreeSet<(String, bool)> {
    let known = |n: u64| scene.people.get(usize::try_from(n - 1).unwrap());
    let mut told: Vec<(String, bool)> = Vec::new();
    let mut tell = |n: u64, waits: bool| {
        let unsubscribed = known(n).is_some_and(|person| person.3);
        let already = told.iter().any(|(target, _)| *target == address_of(n));
        if !already && (scene.security || !unsubscribed) {
            told.push((address_of(n), waits));
        }
    };
    let reads = |n: u64| known(n).is_some_and(|(member, _, active, _)| *member && *active);
    if let Some(contact) = scene.contact
        && reads(contact)
    {
        tell(contact, true);
    }
    for &n in &scene.developers {
        let confirmed = n > 4 && scene.addresses[usize::try_from(n - 5).unwrap()].0 == Some("confirmed");
        tell(n, reads(n) || confirmed);
    }
    told.into_iter().collect()
}

async fn posted(scene: &Scene) -> BTreeSet<(String, bool)> {
    let world = World::new();
    world.commit(write("x").insert_account(&crate::world::account(1))).await;
    world.commit(write("x").insert_account(&crate::world::account(2))).await;
    for (n, (one, two, active, unsubscribed)) in (1..).zip(&scene.people) {
        let mut add: Write = write("x").insert_person(&Person { active: *active, ..person(n) });
        for (account, member) in [(1, one), (2, two)] {
            if *member {
                add = add.insert_member(account_id(account), user_id(n), "analyst", at(0));
            }
        }
        world.commit(add).await;
        if *unsubscribed {
            unsubscribe(&world, &address_of(n)).await;
        }
    }
    for (n, (one, two)) in (5..).zip(&scene.addresses) {
        let states: Vec<_> = [(1, one), (2, two)]
            .into_iter()
            .filter_map(|(account, state)| Some((account, (*state)?)))
            .collect();
        set_address(&world, &address_of(n), &states).await;
    }
    let audience = Token {
        primary_contact: scene.contact.map(user_id),
        developer_emails: scene.developers.iter().map(|n| email(&address_of(*n))).collect(),
        ..token_of(1, 1)
    };
    let event = if scene.security { Event::TokenReset } else { Event::TokenExpiring };
    world.commit(write("x").post(&notice(1, event), Audience::Token(&audience))).await;
    let found = all(&world.store).await;
    found.into_iter().map(|one| (one.target, one.state == DeliveryState::Waiting)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn as_a_naive_oracle_says(scene in scenes()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        prop_assert_eq!(runtime.block_on(posted(&scene)), oracle(&scene));
    }
}
