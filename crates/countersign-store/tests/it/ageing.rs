//! The ends of tokens' lives in lists and counts, and who uses which API version.

use countersign_model::{
    api_version::ApiVersion,
    grant::{Access, AccessKind},
    lifetime::{Lifetime, Lifetimes},
    time::Timestamp,
};
use countersign_store::{
    Account, AfterToken, EndsWithin, LastUse, Token, TokenFilter, TokenState, UsePlace, VersionCount,
};

use crate::world::{World, account, account_id, at, first, token, token_id, token_of, write};

const DAY: i64 = 24 * 3_600;

fn days(days: i64) -> Timestamp {
    at(days * DAY)
}

#[tokio::test]
async fn lists_and_counts_agree_with_the_rule() {
    let world = World::with_account().await;
    let mut tokens = Vec::new();
    for (born, own) in [-40, -10, -1].into_iter().flat_map(|born| {
        [None, Some(-5), Some(0), Some(1), Some(29), Some(30), Some(31)].map(|own| (born, own))
    }) {
        let n = tokens.len() as u64 + 1;
        let state = if n.is_multiple_of(5) { TokenState::Disabled } else { TokenState::Enabled };
        let token = Token { created_at: days(born), expires_at: own.map(days), state, ..token(n) };
        world.commit(write("token.create").insert_token(&token)).await;
        tokens.push(token);
    }
    let within = world.store.within(account_id(1));
    let (now, soon) = (days(0), days(30));
    for lifetime in [None, Some(5), Some(10), Some(30), Some(41), Some(90)] {
        let lifetime = lifetime.map(|days| Lifetime::new(days).unwrap());
        let lifetimes = Lifetimes { account: lifetime, platform: None };
        let end = |token: &Token| {
            lifetimes.expiry(token.expires_at, token.created_at).map_or(i64::MAX, |end| end.at.unix_millis())
        };
        let on = |token: &&Token| token.state == TokenState::Enabled;
        let expired: Vec<_> = tokens.iter().filter(on).filter(|one| end(one) <= now.unix_millis()).collect();
        let expiring: Vec<_> = tokens
            .iter()
            .filter(on)
            .filter(|one| (now.unix_millis() + 1..=soon.unix_millis()).contains(&end(one)))
            .collect();
        let live: Vec<_> = tokens.iter().filter(on).filter(|one| end(one) > now.unix_millis()).collect();
        for (ends, expected) in [
            (EndsWithin { after: None, until: Some(now), lifetime }, &expired),
            (EndsWithin { after: Some(now), until: Some(soon), lifetime }, &expiring),
            (EndsWithin { after: Some(now), until: None, lifetime }, &live),
        ] {
            let filter = TokenFilter { state: Some(TokenState::Enabled), ends, ..TokenFilter::default() };
            let found = within.tokens(&filter, &first(100)).await.unwrap().rows;
            let mut ids: Vec<_> = found.iter().map(|token| token.id).collect();
            ids.sort_unstable();
            assert_eq!(ids, expected.iter().map(|token| token.id).collect::<Vec<_>>(), "{ends:?}");
        }
        let counts = within.token_counts(now, soon, lifetime).await.unwrap();
        let disabled = tokens.iter().filter(|one| !on(one)).count();
        let counted =
            [counts.total, counts.disabled, counts.expired, counts.expiring].map(|count| count as usize);
        assert_eq!(counted, [tokens.len(), disabled, expired.len(), expiring.len()], "{lifetime:?}");
    }
}

#[tokio::test]
async fn what_is_due_soon_is_found_by_the_rule_page_by_page() {
    let world = World::with_account().await;
    let lifetime = |days: i64| u16::try_from(days).ok().and_then(|days| Lifetime::new(days).ok());
    let mut tokens = Vec::new();
    // Accounts without a maximum and with two.
    for (owner, of_account) in [(11, None), (12, lifetime(20)), (13, lifetime(45))] {
        let bound = Account { token_lifetime: of_account, ..account(owner) };
        world.commit(write("account.create").insert_account(&bound)).await;
        for (born, own) in [-40, -10, -1]
            .into_iter()
            .flat_map(|born| [None, Some(0), Some(1), Some(30), Some(31)].map(|own| (born, own)))
        {
            let n = 100 + tokens.len() as u64;
            let state = if n.is_multiple_of(4) { TokenState::Disabled } else { TokenState::Enabled };
            let (created_at, expires_at) = (days(born), own.map(days));
            let primary_contact = None;
            let token = Token { created_at, expires_at, state, primary_contact, ..token_of(owner, n) };
            world.commit(write("token.create").insert_token(&token)).await;
            tokens.push((token, of_account));
        }
    }
    let (now, until) = (days(0), days(30));
    for platform in [None, lifetime(15), lifetime(41), lifetime(60)] {
        let ends = |token: &Token, account| {
            let lifetimes = Lifetimes { account, platform };
            let end = lifetimes.expiry(token.expires_at, token.created_at).map(|end| end.at);
            end.is_some_and(|end| now < end && end <= until)
        };
        let on = tokens.iter().filter(|(token, _)| token.state == TokenState::Enabled);
        let expected: Vec<_> =
            on.filter(|(token, account)| ends(token, *account)).map(|(token, _)| token.id).collect();
        let mut found = Vec::new();
        let mut page = AfterToken { after: None, limit: 3 };
        loop {
            let rows = world.store.tokens_ending(("brand", platform), (now, until), page).await.unwrap();
            found.extend(rows.iter().map(|token| token.id));
            page.after = rows.last().map(|token| token.id);
            if rows.len() < 3 {
                break;
            }
        }
        assert_eq!(found, expected, "{platform:?}");
        assert!(!expected.is_empty());
        let none = world.store.tokens_ending(("partner", platform), (now, until), page).await.unwrap();
        assert!(none.is_empty());
    }
}

fn used(n: u64, secs: i64, versions: &[u16]) -> LastUse {
    let versions = versions.iter().map(|version| ApiVersion(*version)).collect();
    LastUse { sid: token(n).sid, generation: 1, at: at(secs), from: None, uses: 1, versions }
}

#[tokio::test]
async fn versions_know_who_is_on_them() {
    let world = World::with_account().await;
    world.commit(write("account.create").insert_account(&account(2))).await;
    for (owner, n, version, access) in [
        (1, 1, 14, Access::ReadOnly),
        (1, 2, 13, token(1).access),
        (2, 3, 13, token(1).access),
        (2, 4, 14, token(1).access),
    ] {
        let contact = (owner == 1).then_some(token(1).primary_contact).flatten();
        let token = Token {
            api_version: ApiVersion(version),
            access,
            primary_contact: contact,
            ..token_of(owner, n)
        };
        world.commit(write("token.create").insert_token(&token)).await;
    }
    // Token 1 is on 14 and used in 12 and 13; token 2 in its own; token 4 long ago. Token 9 is gone.
    let place = UsePlace { file: [7; 32], report: 1, recovered: 0 };
    let uses = [used(1, 100, &[12, 13]), used(2, 90, &[13]), used(4, 10, &[12]), used(9, 100, &[12])];
    world.store.note_use(&uses, &place).await.unwrap();
    // An older moment never replaces a newer one.
    world.store.note_use(&[used(1, 60, &[12])], &place).await.unwrap();
    let count = |api_version, tokens, own, used, accounts| VersionCount {
        kind: "brand".to_owned(),
        api_version: ApiVersion(api_version),
        tokens,
        own,
        used,
        accounts,
    };
    let counts = world.store.version_counts(at(50)).await.unwrap();
    assert_eq!(counts, [count(12, 1, 0, 1, 1), count(13, 3, 2, 2, 2), count(14, 2, 2, 0, 2)]);
    let counts = world.store.version_counts(at(10)).await.unwrap();
    assert_eq!(counts[0], count(12, 2, 0, 2, 2));

    let mut found = Vec::new();
    let mut page = first(1);
    loop {
        let rows = world.store.version_users("brand", ApiVersion(13), at(50), &page).await.unwrap();
        found.extend(rows.rows);
        page.after = rows.next;
        if page.after.is_none() {
            break;
        }
    }
    let told: Vec<_> = found
        .iter()
        .map(|user| (user.token, user.account_name.as_str(), user.access, user.used_at))
        .collect();
    assert_eq!(
        told,
        [
            (token_id(1), "Account 1", AccessKind::ReadOnly, Some(at(100))),
            (token_id(2), "Account 1", AccessKind::Scoped, Some(at(90))),
            (token_id(3), "Account 2", AccessKind::Scoped, None),
        ]
    );
    assert_eq!(found[0].contact.as_ref().map(|contact| contact.0), token(1).primary_contact);
    assert!(found[2].contact.is_none());
    assert_eq!(found[0].developer_emails, token(1).developer_emails);
    let none = world.store.version_users("partner", ApiVersion(13), at(0), &first(9)).await.unwrap();
    assert!(none.rows.is_empty());
    world.commit(write("token.delete").delete_token(&token_of(1, 2))).await;
    let counts = world.store.version_counts(at(50)).await.unwrap();
    assert_eq!(counts[1], count(13, 2, 1, 1, 2), "uses go with their token");
}
