//! For tests: every statement of the crate, read from its source so that none can be forgotten. Every one is prepared
//! against the schema; every predicate that keeps accounts apart is taken away once, to prove that it is missed.

mod addressing;
mod telling;

use std::{fs, path::Path};

use countersign_model::{
    grant::{Access, AccessKind},
    name::EmailAddress,
};
use rusqlite::Connection;

use crate::{
    AuditFilter, Conflict, Error, Invitation, Member, Secret, Store, Token, TokenFilter, Webhook,
    WebhookState, WrappedKey, Write,
    db::{mutation, planned},
    world::{
        ADMINISTRATOR, account, account_id, at, digest, draft, first, id, opening, person,
        server::{self, Database},
        token, token_id, token_of, user_id, write,
    },
};

/// Name and text of every statement.
fn all() -> Vec<(String, String)> {
    let mut statements = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut statements);
    statements
}

fn collect(directory: &Path, statements: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, statements);
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        for constant in source.split("pub(crate) const ").skip(1) {
            let Some((name, rest)) = constant.split_once(": &str =") else { continue };
            let Some((_, rest)) = rest.split_once('"') else { continue };
            let Some((text, _)) = rest.split_once('"') else { continue };
            let is_statement = ["select ", "insert ", "update ", "delete "]
                .into_iter()
                .any(|verb| text.trim_start().starts_with(verb));
            if is_statement && name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_') {
                let file = path.file_stem().unwrap().to_string_lossy().into_owned();
                statements.push((format!("{file}::{name}"), text.to_owned()));
            }
        }
    }
}

#[test]
fn every_statement_is_prepared() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("countersign.db");
    drop(Store::open_sqlite(&path, &opening()).unwrap());
    let connection = Connection::open(&path).unwrap();
    let statements = all();
    assert!(statements.len() > 60, "only {} statements were found", statements.len());
    for (name, sql) in statements {
        let prepared = connection.prepare(&sql).unwrap_or_else(|error| panic!("{name}: {error}"));
        for index in 1..=prepared.parameter_count() {
            let parameter = prepared.parameter_name(index).unwrap_or_default();
            assert!(parameter.starts_with('$'), "{name}: {parameter:?} is not of both dialects");
        }
        for word in ["insert or", "rowid", "strftime", "datetime(", "ifnull", "glob ", " is ?"] {
            assert!(!sql.contains(word), "{name}: `{word}` is of one dialect");
        }
    }
}

/// Every one, also where it is made from another: what asks for the rows before, and what answers those after.
#[test]
fn every_statement_is_prepared_on_a_server() {
    let database = Database::new();
    let mut prepared = 0;
    for (name, sql) in all() {
        for (number, sql) in planned(&sql).into_iter().enumerate() {
            let text = format!("prepare s{prepared} as {sql}");
            server::run(&database.url(), &text)
                .unwrap_or_else(|error| panic!("{name} {number}: {error}: {sql}"));
            prepared += 1;
        }
    }
    assert!(prepared > 200, "only {prepared} statements were prepared");
}

/// The statement with each of its predicates on the account taken away in turn.
fn mutants(sql: &str) -> Vec<String> {
    let mut mutants = Vec::new();
    for test in ["account_id = $1", "account_id is not distinct from $1"] {
        for (start, _) in sql.match_indices(test) {
            // An alias in front of the column goes with it.
            let front = &sql[..start];
            let front = front.strip_suffix('.').map_or(front, |alias| &alias[..alias.len() - 1]);
            let weaker = test.replace("account_id", "$1");
            mutants.push(format!("{front}{weaker}{}", &sql[start + test.len()..]));
        }
    }
    mutants
}

#[tokio::test]
async fn no_predicate_on_the_account_can_be_lost() {
    assert_eq!(leaks(None).await, Vec::<&str>::new(), "accounts are apart as it stands");
    let mut tried = 0;
    for (name, sql) in all() {
        for mutant in mutants(&sql) {
            tried += 1;
            let found = leaks(Some((sql.clone(), mutant))).await;
            assert!(!found.is_empty(), "{name} lost `account_id = $1` and nobody noticed");
        }
    }
    assert!(tried >= 20, "only {tried} predicates were tried");
}

#[test]
fn what_is_reached_within_an_account_names_it() {
    let statements = all();
    let reached =
        |name: &str| statements.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("{name}"));
    for name in [
        "accounts::TOKEN_COUNT",
        "addresses::CONFIRM",
        "addresses::COUNTS",
        "addresses::LIST",
        "addresses::MEMBER",
        "addresses::ONE",
        "ends::COUNTS",
        "audit::OF_ACCOUNT",
        "audit::OF_ACCOUNT_AND_SUBJECT",
        "deliveries::LIST",
        "deliveries::ONE",
        "deliveries::RETRY",
        "hearing::ADDRESSES",
        "hearing::MEMBERS",
        "invitations::LIST",
        "members::CONTACT_TOKENS",
        "members::LIST",
        "members::ONE",
        "notices::TO_MEMBERS",
        "tokens::BY_ID",
        "tokens::BY_NAME",
        "tokens::LEGACY",
        "tokens::LIST",
        "webhooks::DELETE",
        "webhooks::LIST",
        "webhooks::ONE",
        "webhooks::UPDATE",
        "webhooks::WITHIN_LIMIT",
    ] {
        assert_eq!(mutants(&reached(name).1).len(), 1, "{name}");
    }
}

/// Two accounts, and everything account 1 should not get or change of account 2. Answers what it did.
async fn leaks(swap: mutation::Swap) -> Vec<&'static str> {
    let directory = tempfile::tempdir().unwrap();
    mutation::install(swap);
    let store = Store::open_sqlite(&directory.path().join("countersign.db"), &opening()).unwrap();
    mutation::install(None);
    if seed(&store).await.is_err() {
        return vec!["what belongs to nobody else was refused"];
    }
    let mut found = reads(&store).await;
    found.extend(writes(&store).await);
    found.extend(telling::told_wrongly(&store).await);
    found.extend(addressing::learns(&store).await);
    found.extend(addressing::confirms(&store).await);
    found
}

/// Account 1 has token 1, account 2 tokens 2 and 3 and a legacy credential. Person 5 is in both, an administrator of
/// neither in account 1, and the contact of token 3.
async fn seed(store: &Store) -> Result<(), Error> {
    for n in [1, 2] {
        let mut limited = account(n);
        limited.token_limit = if n == 1 { 2 } else { 100 };
        store.commit(write("seed").insert_account(&limited).insert_person(&person(n))).await?;
        store.commit(write("seed").insert_member(account_id(n), user_id(n), ADMINISTRATOR, at(0))).await?;
    }
    store
        .commit(
            write("seed")
                .insert_person(&person(5))
                .insert_member(account_id(1), user_id(5), "analyst", at(0))
                .insert_member(account_id(2), user_id(5), "analyst", at(0)),
        )
        .await?;
    for (owner, n) in [(1, 1), (2, 2), (2, 3)] {
        let mut token = token_of(owner, n);
        if n == 3 {
            token.primary_contact = Some(user_id(5));
        }
        store.commit(Write::new(foreign("token.create", owner)).insert_token(&token)).await?;
    }
    let legacy = Token { access: Access::ReadOnly, primary_contact: None, ..token_of(2, 4) };
    store.commit(Write::new(foreign("legacy.enable", 2)).insert_token(&legacy)).await?;
    store.commit(Write::new(foreign("member.invite", 2)).insert_invitation(&invitation(2))).await?;
    telling::seed(store).await?;
    addressing::seed(store).await?;
    for (owner, n) in [(1, 1), (2, 2), (2, 3)] {
        store
            .commit(Write::new(foreign("webhook.create", owner)).insert_webhook(&webhook(owner, n), 2))
            .await?;
    }
    Ok(())
}

fn foreign(action: &'static str, owner: u64) -> crate::AuditDraft {
    crate::AuditDraft {
        account: Some(account_id(owner)),
        subject: format!("subject {owner}"),
        ..draft(action)
    }
}

fn invitation(owner: u64) -> Invitation {
    Invitation {
        id: id(owner),
        account: Some(account_id(owner)),
        email: EmailAddress::parse("new@example.com").unwrap(),
        role: None,
        code: digest(&format!("code {owner}")),
        expires_at: at(100),
        created_at: at(0),
        created_by: None,
    }
}

fn webhook(owner: u64, n: u64) -> Webhook {
    Webhook {
        id: id(n),
        account: Some(account_id(owner)),
        url: "https://hooks.example.com/".to_owned(),
        description: String::new(),
        events: Vec::new(),
        state: WebhookState::Enabled,
        secret: vec![1],
        former: None,
        failing_since: None,
        edit: 1,
        created_at: at(0),
        created_by: None,
    }
}

async fn reads(store: &Store) -> Vec<&'static str> {
    let (within, page) = (store.within(account_id(1)), first(100));
    let subject = AuditFilter { subject: Some("subject 2".to_owned()), ..AuditFilter::default() };
    let tokens = within.tokens(&TokenFilter::default(), &page).await.unwrap();
    let entries = within.audit(&AuditFilter::default(), &page).await.unwrap();
    let members = within.members(&page).await.unwrap();
    let checks = [
        ("token", within.token(token_id(2)).await.unwrap().is_some()),
        ("tokens", tokens.rows.iter().any(|token| token.account != account_id(1))),
        ("token_by_name", within.token_by_name(&token(2).name).await.unwrap().is_some()),
        ("legacy", within.legacy(AccessKind::ReadOnly).await.unwrap().is_some()),
        ("token_count", within.token_count().await.unwrap() != 1),
        ("token_counts", within.token_counts(at(0), at(0), None).await.unwrap().total != 1),
        ("member", within.member(user_id(2)).await.unwrap().is_some()),
        ("members", members.rows.iter().any(|member| member.person.id == user_id(2))),
        ("tokens_of_contact", !within.tokens_of_contact(user_id(2)).await.unwrap().is_empty()),
        ("invitations", !within.invitations(&page).await.unwrap().rows.is_empty()),
        ("webhooks", store.webhooks(Some(account_id(1))).await.unwrap().len() != 1),
        ("webhook_of", store.webhook_of(Some(account_id(1)), id(2)).await.unwrap().is_some()),
        ("deliveries", telling::lists_another(store).await),
        ("delivery", telling::finds_another(store).await),
        ("audit", entries.rows.iter().any(|entry| entry.account != Some(account_id(1)))),
        ("audit of a subject", !within.audit(&subject, &page).await.unwrap().rows.is_empty()),
    ];
    let mut found: Vec<_> = checks.into_iter().filter(|(_, leaked)| *leaked).map(|(what, _)| what).collect();
    let sealed = store.sealed_under_other_keys(account_id(1), 9, 100).await.unwrap();
    if sealed.iter().any(|secret| secret.account != account_id(1)) {
        found.push("sealed secrets");
    }
    found
}

/// Notes a write that came out otherwise than it should.
fn note(
    found: &mut Vec<&'static str>,
    what: &'static str,
    outcome: Result<crate::Committed, Error>,
    expected: Option<Conflict>,
) {
    let got = match outcome {
        Ok(_) => None,
        Err(Error::Conflict(conflict)) => Some(conflict),
        Err(other) => panic!("{what}: {other}"),
    };
    if got != expected {
        found.push(what);
    }
}

async fn writes(store: &Store) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut expect = |what, outcome, expected| note(&mut found, what, outcome, expected);
    let stale = Some(Conflict::Stale);
    let theirs = Token { account: account_id(1), primary_contact: Some(user_id(1)), ..token(2) };
    expect("update_token", store.commit(write("token.update").update_token(&theirs)).await, stale);
    expect("delete_token", store.commit(write("token.delete").delete_token(&theirs)).await, stale);
    let ended = write("token.end_access_tokens").end_access_tokens(account_id(1), token_id(2), at(1));
    expect("end_access_tokens", store.commit(ended).await, stale);
    expect("disable_token", store.commit(write("token.disable").disable_token(&theirs)).await, stale);
    let secrets = vec![Secret { digest: digest("new"), generation: 2, ..theirs.secrets[0].clone() }];
    let renewed = Token { secrets, ..theirs.clone() };
    expect("reset_token", store.commit(write("token.reset").reset_token(&renewed)).await, stale);
    let gone = write("token.delete").delete_token_whatever_its_edit(&theirs);
    expect("delete_token_whatever_its_edit", store.commit(gone).await, stale);
    let enabled = store.commit(write("token.create").require_enabled(account_id(1), token_id(2))).await;
    expect("require_enabled", enabled, stale);
    let stranger = Token { primary_contact: Some(user_id(2)), ..token(6) };
    let insert = store.commit(write("token.create").insert_token(&stranger)).await;
    expect("a contact elsewhere", insert, Some(Conflict::ContactNotMember));
    let insert = store.commit(write("token.create").insert_token(&token(7))).await;
    expect("a limit reached elsewhere", insert, None);
    let other = store.within(account_id(2)).member(user_id(2)).await.unwrap();
    if let Some(other) = other {
        let forged = Member { account: account_id(1), role: "analyst".to_owned(), ..other };
        let update =
            store.commit(write("member.update").update_member(&forged, "finance", ADMINISTRATOR)).await;
        expect("update_member", update, stale);
        let remove = store.commit(write("member.remove").remove_member(&forged, None, ADMINISTRATOR)).await;
        expect("remove_member", remove, stale);
    }
    let hook = webhook(1, 2);
    expect("update_webhook", store.commit(write("webhook.update").update_webhook(&hook)).await, stale);
    expect("delete_webhook", store.commit(write("webhook.delete").delete_webhook(&hook)).await, stale);
    let insert = store.commit(write("webhook.create").insert_webhook(&webhook(1, 4), 2)).await;
    expect("webhooks counted elsewhere", insert, None);
    expect("retry_delivery", telling::retry_another(store).await, stale);
    // A secret of account 2 is under another key, which says nothing about account 1.
    let reseal = write("keys.move").reseal_secret((token_id(2), 1), vec![7; 40], (1, 2));
    expect("a secret sealed anew", store.commit(reseal).await, None);
    let drop_key = write("keys.move").drop_former_data_key(account_id(1), 1);
    expect("a former data key", store.commit(drop_key).await, None);
    let key = WrappedKey { root: 1, generation: 2, wrapped: vec![4, 5] };
    expect(
        "erase",
        store.commit(write("account.update").erase_sealed_secrets(account_id(1), &key)).await,
        None,
    );
    let theirs = store.within(account_id(2)).token(token_id(2)).await.unwrap();
    if theirs.is_some_and(|token| token.secrets.iter().any(|secret| secret.sealed.is_none())) {
        expect("a sealed secret elsewhere", Err(Error::Conflict(Conflict::Stale)), None);
    }
    found.extend(writes_of_members(store).await);
    found
}

async fn writes_of_members(store: &Store) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut expect = |what, outcome, expected| note(&mut found, what, outcome, expected);
    let spend = store.commit(write("invitation.accept").spend_invitation(id(2), Some(account_id(1)))).await;
    expect("spend_invitation", spend, Some(Conflict::CodeSpent));
    store.commit(write("member.invite").insert_invitation(&invitation(1))).await.unwrap();
    let kept = store.invitation_by_code(digest("code 2")).await.unwrap().is_some();
    let within = store.within(account_id(1));
    if let Some(one) = within.member(user_id(1)).await.unwrap() {
        let step_down =
            store.commit(write("member.update").update_member(&one, "analyst", ADMINISTRATOR)).await;
        expect("an administrator elsewhere", step_down, Some(Conflict::LastAdministrator));
    }
    let five = |member: Option<Member>| Member {
        account: account_id(1),
        role: "analyst".to_owned(),
        ..member.unwrap()
    };
    let member = five(within.member(user_id(5)).await.unwrap());
    let remove = |successor| write("member.remove").remove_member(&member, successor, ADMINISTRATOR);
    expect("a contact of tokens elsewhere", store.commit(remove(None)).await, None);
    // Where the removal was refused they are a member still; what comes next is the same.
    let _ =
        store.commit(write("member.add").insert_member(account_id(1), user_id(5), "analyst", at(0))).await;
    expect("a removal with a successor", store.commit(remove(Some(user_id(1)))).await, None);
    let theirs = store.token_by_sid(&token(3).sid).await.unwrap().unwrap();
    if theirs.primary_contact != Some(user_id(5)) {
        found.push("a successor elsewhere");
    }
    if !kept {
        found.push("an invitation elsewhere");
    }
    found
}
