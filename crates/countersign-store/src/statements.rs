//! For tests: every statement of the crate, read from its source so that none can be forgotten. Every one is prepared
//! against the schema; every predicate that keeps accounts apart is taken away once, to prove that it is missed.

use std::{fs, path::Path};

use countersign_model::{
    grant::{Access, AccessKind},
    name::EmailAddress,
};
use rusqlite::Connection;

use crate::{
    AuditFilter, Conflict, Error, Invitation, Member, Store, Token, TokenFilter, Write,
    db::mutation,
    world::{
        ADMINISTRATOR, account, account_id, at, digest, draft, first, id, person, token, token_id, token_of,
        user_id, write,
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
    drop(Store::open_sqlite(&path).unwrap());
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

/// The statement with each of its predicates on the account taken away in turn.
fn mutants(sql: &str) -> Vec<String> {
    let mut mutants = Vec::new();
    for test in ["account_id = $1", "account_id is not distinct from $1"] {
        for (start, _) in sql.match_indices(test) {
            let front = sql[..start].trim_end_matches("m.");
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
        "audit::OF_ACCOUNT",
        "audit::OF_ACCOUNT_AND_SUBJECT",
        "invitations::LIST",
        "members::CONTACT_TOKENS",
        "members::LIST",
        "members::ONE",
        "tokens::BY_ID",
        "tokens::BY_NAME",
        "tokens::LEGACY",
        "tokens::LIST",
    ] {
        assert_eq!(mutants(&reached(name).1).len(), 1, "{name}");
    }
}

/// Two accounts, and everything account 1 should not get or change of account 2. Answers what it did.
async fn leaks(swap: mutation::Swap) -> Vec<&'static str> {
    let directory = tempfile::tempdir().unwrap();
    mutation::install(swap);
    let store = Store::open_sqlite(&directory.path().join("countersign.db")).unwrap();
    mutation::install(None);
    if seed(&store).await.is_err() {
        return vec!["what belongs to nobody else was refused"];
    }
    let mut found = reads(&store).await;
    found.extend(writes(&store).await);
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
        ("member", within.member(user_id(2)).await.unwrap().is_some()),
        ("members", members.rows.iter().any(|member| member.person.id == user_id(2))),
        ("tokens_of_contact", !within.tokens_of_contact(user_id(2)).await.unwrap().is_empty()),
        ("invitations", !within.invitations(&page).await.unwrap().rows.is_empty()),
        ("audit", entries.rows.iter().any(|entry| entry.account != Some(account_id(1)))),
        ("audit of a subject", !within.audit(&subject, &page).await.unwrap().rows.is_empty()),
    ];
    checks.into_iter().filter(|(_, leaked)| *leaked).map(|(what, _)| what).collect()
}

async fn writes(store: &Store) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut expect = |what, outcome: Result<crate::Committed, Error>, expected: Option<Conflict>| {
        let got = match outcome {
            Ok(_) => None,
            Err(Error::Conflict(conflict)) => Some(conflict),
            Err(other) => panic!("{what}: {other}"),
        };
        if got != expected {
            found.push(what);
        }
    };
    let stale = Some(Conflict::Stale);
    let theirs = Token { account: account_id(1), primary_contact: Some(user_id(1)), ..token(2) };
    expect("update_token", store.commit(write("token.update").update_token(&theirs)).await, stale);
    expect("delete_token", store.commit(write("token.delete").delete_token(&theirs)).await, stale);
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
