//! Tokens: what is written is read, every conflict, every filter, every page.

use countersign_model::{
    actor::Actor,
    change::{Record, Seq},
    grant::{Access, AccessKind},
    name::TokenName,
    rate::RateLimit,
};
use countersign_store::{
    Account, Conflict, CreatedWithin, KeyGeneration, KeyKind, KeyState, LastUse, NewDigest, PageAsk,
    RevealPolicy, Secret, Token, TokenFilter, TokenState, UsePlace, WrappedKey,
};

use crate::world::{
    ADMINISTRATOR, World, account, account_id, at, digest, first, person, secret, token, token_id, token_of,
    user_id, write,
};

fn legacy(n: u64, access: Access) -> Token {
    Token { access, primary_contact: None, ..token(n) }
}

async fn names(world: &World, filter: TokenFilter) -> Vec<String> {
    let page = world.store.within(account_id(1)).tokens(&filter, &first(100)).await.unwrap();
    page.rows.iter().map(|token| token.name.as_str().to_owned()).collect()
}

#[tokio::test]
async fn what_is_written_is_read() {
    let world = World::with_account().await;
    let written = Token {
        expires_at: Some(at(99)),
        rate_limit: Some(RateLimit::new(10, 60).unwrap()),
        made_by: Some(token_id(77)),
        created_by: Actor::Token(token_id(77)),
        updated_by: Actor::System,
        ..token(5)
    };
    world.commit(write("token.create").insert_token(&written)).await;
    assert_eq!(format!("{:?}", world.token(5).await), format!("{written:?}"));
    let by_name = TokenName::parse("tOKEN 5").unwrap();
    let within = world.store.within(account_id(1));
    assert_eq!(within.token_by_name(&by_name).await.unwrap().unwrap().id, written.id);
    assert_eq!(world.store.token_by_sid(&written.sid).await.unwrap().unwrap().id, written.id);
    assert!(within.token(token_id(6)).await.unwrap().is_none());
}

#[tokio::test]
async fn inserting_meets_what_is_there() {
    let world = World::with_account().await;
    world.add_account(2).await;
    world.commit(write("token.create").insert_token(&token(1))).await;
    world.commit(write("token.create").insert_token(&legacy(2, Access::ReadOnly))).await;
    let same_name = TokenName::parse("TOKEN 1").unwrap();
    let cases = [
        (Token { name: same_name.clone(), ..token(9) }, Conflict::NameTaken),
        (Token { sid: token(1).sid, ..token(9) }, Conflict::SidTaken),
        (Token { secrets: vec![secret(1, 1)], ..token(9) }, Conflict::SecretTaken),
        (legacy(9, Access::ReadOnly), Conflict::LegacyExists),
        (Token { primary_contact: Some(user_id(2)), ..token(9) }, Conflict::ContactNotMember),
        (Token { account: account_id(99), primary_contact: None, ..token(9) }, Conflict::Stale),
    ];
    let before = world.store.snapshot().await.unwrap().head;
    for (token, conflict) in cases {
        assert_eq!(world.conflict(write("token.create").insert_token(&token)).await, conflict);
    }
    assert_eq!(world.store.snapshot().await.unwrap().head, before, "a conflict writes nothing");
    let elsewhere = Token { name: same_name, ..token_of(2, 9) };
    world.commit(write("token.create").insert_token(&elsewhere)).await;
}

#[tokio::test]
async fn the_limit_is_the_accounts_own() {
    let world = World::with_account().await;
    let mut small = account(1);
    small.token_limit = 2;
    world.commit(write("account.update").update_account(&small)).await;
    world.commit(write("token.create").insert_token(&legacy(8, Access::ReadWrite))).await;
    for n in [1, 2] {
        world.commit(write("token.create").insert_token(&token(n))).await;
    }
    assert_eq!(world.conflict(write("token.create").insert_token(&token(3))).await, Conflict::TokenLimit);
    assert_eq!(world.store.within(account_id(1)).token_count().await.unwrap(), 2);
}

#[tokio::test]
async fn of_two_writers_who_saw_the_same_row_one_is_late() {
    let world = World::with_account().await;
    world.commit(write("token.create").insert_token(&token(1))).await;
    world.commit(write("token.create").insert_token(&token(2))).await;
    let seen = world.token(1).await;
    let renamed = Token { name: TokenName::parse("Renamed").unwrap(), ..seen.clone() };
    world.commit(write("token.update").update_token(&renamed)).await;
    let now = world.token(1).await;
    assert_eq!((now.name.as_str(), now.edit), ("Renamed", 2));
    assert_eq!(world.conflict(write("token.update").update_token(&seen)).await, Conflict::Stale);
    assert_eq!(world.conflict(write("token.delete").delete_token(&seen)).await, Conflict::Stale);
    let same_name = Token { name: TokenName::parse("TOKEN 2").unwrap(), ..now.clone() };
    assert_eq!(world.conflict(write("token.update").update_token(&same_name)).await, Conflict::NameTaken);
    let taken = Secret { generation: 2, ..secret(2, 1) };
    let same_secret = Token { secrets: vec![taken], ..now.clone() };
    assert_eq!(world.conflict(write("token.update").update_token(&same_secret)).await, Conflict::SecretTaken);
    let stranger = Token { primary_contact: Some(user_id(9)), ..now };
    assert_eq!(
        world.conflict(write("token.update").update_token(&stranger)).await,
        Conflict::ContactNotMember
    );
}

/// Digest and ciphertext belong to the rotations of keys: whoever edits a token read it a moment before.
#[tokio::test]
async fn an_edit_brings_no_old_digest_back() {
    let world = World::with_account().await;
    world.commit(write("token.create").insert_token(&token(1))).await;
    let seen = world.token(1).await;
    let new =
        NewDigest { before: seen.secrets[0].digest, after: digest("anew"), pepper: 2, layered_over: None };
    world.commit(write("keys.move").renew_digest((token_id(1), 1), &new)).await;
    world.commit(write("keys.move").reseal_secret((token_id(1), 1), vec![7; 40], (1, 2))).await;
    let committed = world.commit(write("token.update").update_token(&seen)).await;
    let kept = &world.token(1).await.secrets[0];
    assert_eq!((kept.digest, kept.pepper, kept.data_key), (digest("anew"), 2, Some(2)));
    assert_eq!(kept.sealed, Some(vec![7; 40]));
    let change = world.store.changes(Seq(committed.seq.0 - 1), 9).await.unwrap().remove(0);
    let Record::Token(record) = change.record else { panic!("no token") };
    assert_eq!(record.secrets[0].digest, digest("anew"), "the feed says what the table says");
    // A digest that is no longer there is not replaced, and a pepper that is gone makes no new secret.
    world.commit(write("keys.move").renew_digest((token_id(1), 1), &new)).await;
    assert_eq!(world.token(1).await.secrets[0].digest, digest("anew"));
    let retired = KeyGeneration {
        kind: KeyKind::Pepper,
        generation: 1,
        state: KeyState::Layered,
        root: Some(1),
        proof: [0; 32],
        made_at: at(0),
    };
    world.commit(write("keys.move").put_key_generation(&retired)).await;
    assert_eq!(world.conflict(write("token.create").insert_token(&token(2))).await, Conflict::KeyReplaced);
    let late = Token { secrets: vec![secret(1, 2)], ..world.token(1).await };
    assert_eq!(world.conflict(write("token.reset").update_token(&late)).await, Conflict::KeyReplaced);
}

/// What was sealed meanwhile under a policy that no longer holds, or a key that is gone, is not kept.
#[tokio::test]
async fn nothing_is_sealed_against_the_policy() {
    let world = World::with_account().await;
    world.commit(write("token.create").insert_token(&token(1))).await;
    let key = WrappedKey { root: 1, generation: 2, wrapped: vec![4, 5] };
    world.commit(write("account.update").erase_sealed_secrets(account_id(1), &key)).await;
    assert_eq!(world.token(1).await.secrets[0].sealed, None);
    assert_eq!(world.conflict(write("token.create").insert_token(&token(2))).await, Conflict::KeyReplaced);
    let sealed_anew = |n| Token { secrets: vec![Secret { data_key: Some(2), ..secret(n, 1) }], ..token(n) };
    world.commit(write("token.create").insert_token(&sealed_anew(3))).await;
    let account = world.store.account(account_id(1)).await.unwrap().unwrap();
    let once = Account { reveal: RevealPolicy::Once, ..account };
    world.commit(write("account.update").update_account(&once)).await;
    assert_eq!(
        world.conflict(write("token.create").insert_token(&sealed_anew(4))).await,
        Conflict::KeyReplaced
    );
}

#[tokio::test]
async fn deleted_is_for_ever() {
    let world = World::with_account().await;
    world.commit(write("token.create").insert_token(&token(1))).await;
    world.commit(write("token.delete").delete_token(&token(1))).await;
    assert!(world.store.within(account_id(1)).token(token_id(1)).await.unwrap().is_none());
    assert_eq!(world.conflict(write("token.delete").delete_token(&token(1))).await, Conflict::Stale);
    let again = Token { sid: token(1).sid, ..token(2) };
    assert_eq!(world.conflict(write("token.create").insert_token(&again)).await, Conflict::SidTaken);
    // Its secret is gone with it, so the digest is free.
    let same_secret = Token { secrets: vec![secret(1, 1)], ..token(3) };
    world.commit(write("token.create").insert_token(&same_secret)).await;
}

const PLACE: UsePlace = UsePlace { file: [7; 32], report: 1, recovered: 0 };
const NEXT: UsePlace = UsePlace { report: 2, ..PLACE };

#[tokio::test]
async fn an_overlap_keeps_what_is_known_of_the_old_secret() {
    let world = World::with_account().await;
    world.commit(write("token.create").insert_token(&token(1))).await;
    let used = |generation, secs, uses| LastUse {
        sid: token(1).sid,
        generation,
        at: at(secs),
        from: Some(format!("203.0.113.{secs}")),
        uses,
        versions: Vec::new(),
    };
    world.store.note_use(&[used(1, 50, 7)], &PLACE).await.unwrap();
    let mut token = world.token(1).await;
    assert_eq!((token.edit, token.secrets[0].uses, token.last_used_at), (1, 7, Some(at(50))));
    token.secrets[0].ends_at = Some(at(3_600));
    token.secrets.insert(0, secret(1, 2));
    world.commit(write("token.reset").update_token(&token)).await;
    // Late, early and unknown: the newest moment stays, uses add up, nobody is missed.
    let stranger = LastUse { sid: "nobody".parse().unwrap(), ..used(1, 70, 1) };
    world.store.note_use(&[used(1, 60, 2), used(1, 40, 3), used(2, 55, 1), stranger], &NEXT).await.unwrap();
    assert_eq!(world.store.use_place().await.unwrap(), Some(NEXT));
    let token = world.token(1).await;
    let [new, old] = &token.secrets[..] else { panic!("two secrets: {token:?}") };
    assert_eq!((new.generation, new.uses, new.ends_at), (2, 1, None));
    assert_eq!((old.uses, old.last_used_at), (5, Some(at(60))), "counted from the beginning of the overlap");
    assert_eq!(old.last_used_from.as_deref(), Some("203.0.113.60"));
    assert_eq!(token.last_used_at, Some(at(60)));
    let ended = Token { secrets: vec![new.clone()], ..token.clone() };
    world.commit(write("token.update").update_token(&ended)).await;
    assert_eq!(world.token(1).await.secrets.len(), 1);
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let world = World::with_account().await;
    for n in 1..=4 {
        world.commit(write("token.create").insert_token(&token(n))).await;
    }
    let odd = Token {
        name: TokenName::parse("100%_Straße\\").unwrap(),
        state: TokenState::Disabled,
        made_by: Some(token_id(1)),
        ..token(5)
    };
    world.commit(write("token.create").insert_token(&odd)).await;
    world.commit(write("token.create").insert_token(&legacy(6, Access::ReadOnly))).await;
    let named = |name: &str| TokenFilter { name: Some(name.to_owned()), ..TokenFilter::default() };
    for (part, expected) in [
        ("token", 4),
        ("TOKEN 3", 1),
        ("", 5),
        ("%", 1),
        ("_", 1),
        ("0%_", 1),
        ("STRASSE", 1),
        ("\\", 1),
        ("'", 0),
        ("sid4", 1),
        // Three characters are in too many SIDs to mean one.
        ("SID", 0),
    ] {
        assert_eq!(names(&world, named(part)).await.len(), expected, "{part}");
    }
    let all = TokenFilter::default();
    let newest_first = ["100%_Straße\\", "Token 4", "Token 3", "Token 2", "Token 1"];
    assert_eq!(names(&world, all.clone()).await, newest_first);
    let created = |created| TokenFilter { created: Some(created), ..TokenFilter::default() };
    assert_eq!(names(&world, created(CreatedWithin::Since(at(4)))).await, newest_first[..2]);
    assert_eq!(names(&world, created(CreatedWithin::Before(at(4)))).await, newest_first[2..]);
    let disabled = TokenFilter { state: Some(TokenState::Disabled), ..TokenFilter::default() };
    assert_eq!(names(&world, disabled).await, newest_first[..1]);
    let made = TokenFilter { made_by: Some(token_id(1)), ..TokenFilter::default() };
    assert_eq!(names(&world, made).await, newest_first[..1]);
}

#[tokio::test]
async fn pages_neither_repeat_nor_skip() {
    let world = World::with_account().await;
    let all: Vec<Token> =
        (1..=25).map(|n| Token { created_at: at(n / 10), ..token(n.unsigned_abs()) }).collect();
    world.commit(write("token.import").insert_tokens(&all)).await;
    for limit in [1, 7, 24, 25, 26] {
        let (mut ask, mut seen) = (first(limit), Vec::new());
        loop {
            let page = world.store.within(account_id(1)).tokens(&TokenFilter::default(), &ask).await.unwrap();
            assert!(page.rows.len() <= limit as usize);
            seen.extend(page.rows.into_iter().map(|token| token.id));
            let Some(next) = page.next else { break };
            ask = PageAsk { after: Some(next), limit };
        }
        let mut distinct = seen.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!((seen.len(), distinct.len()), (25, 25), "pages of {limit}");
    }
    for nonsense in ["", "x", "/", "/x", "tok_1/99999999999999999999", "\0", "'; drop table tokens"] {
        let ask = PageAsk { after: Some(nonsense.to_owned()), limit: 9 };
        let page = world.store.within(account_id(1)).tokens(&TokenFilter::default(), &ask).await.unwrap();
        assert!(page.rows.is_empty() && page.next.is_none(), "{nonsense}");
    }
}

#[tokio::test]
async fn a_legacy_pair_is_apart() {
    let world = World::with_account().await;
    let same_name = TokenName::parse("Same").unwrap();
    for (n, access) in [(1, Access::ReadWrite), (2, Access::ReadOnly)] {
        let half = Token { name: same_name.clone(), ..legacy(n, access) };
        world.commit(write("legacy.enable").insert_token(&half)).await;
    }
    let within = world.store.within(account_id(1));
    assert_eq!(within.legacy(AccessKind::ReadWrite).await.unwrap().unwrap().id, token_id(1));
    assert_eq!(within.legacy(AccessKind::ReadOnly).await.unwrap().unwrap().id, token_id(2));
    assert!(within.legacy(AccessKind::Scoped).await.unwrap().is_none());
    assert!(within.token_by_name(&same_name).await.unwrap().is_none(), "names are of tokens");
    assert!(names(&world, TokenFilter::default()).await.is_empty());
    assert_eq!(world.token(1).await.access, Access::ReadWrite);
    let half = world.token(1).await;
    world.commit(write("legacy.delete").delete_token(&half)).await;
    assert!(within.legacy(AccessKind::ReadWrite).await.unwrap().is_none());
}

#[tokio::test]
async fn an_import_is_all_or_nothing_with_one_entry() {
    let world = World::with_account().await;
    world.commit(write("person.create").insert_person(&person(2))).await;
    world.commit(write("member.add").insert_member(account_id(1), user_id(2), ADMINISTRATOR, at(0))).await;
    let mut tokens: Vec<Token> = (1..=500).map(token).collect();
    tokens[250].primary_contact = Some(user_id(2));
    tokens[499].name = tokens[0].name.clone();
    assert_eq!(world.conflict(write("token.import").insert_tokens(&tokens)).await, Conflict::NameTaken);
    assert_eq!(world.store.within(account_id(1)).token_count().await.unwrap(), 0);
    tokens.pop();
    let before = world.commit(write("nothing")).await;
    let after = world.commit(write("token.import").insert_tokens(&tokens)).await;
    assert_eq!(after.audit_number, before.audit_number + 1);
    assert_eq!(after.seq.0, before.seq.0 + 499);
    let many: Vec<Token> = (1_000..1_502).map(token).collect();
    assert_eq!(world.conflict(write("token.import").insert_tokens(&many)).await, Conflict::TokenLimit);
}

#[tokio::test]
async fn a_maker_that_is_off_makes_nothing() {
    let world = World::with_account().await;
    world.commit(write("token.create").insert_token(&token(1))).await;
    let make = |n| write("token.create").require_enabled(account_id(1), token_id(1)).insert_token(&token(n));
    world.commit(make(2)).await;
    let off = Token { state: TokenState::Disabled, ..world.token(1).await };
    world.commit(write("token.disable").update_token(&off)).await;
    assert_eq!(world.conflict(make(3)).await, Conflict::Stale);
}
