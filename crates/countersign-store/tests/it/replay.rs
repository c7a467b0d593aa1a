//! Random sequences of token operations against a naive model: the store answers the same, and at the end the snapshot
//! is what the changes add up to.

use std::collections::{BTreeMap, BTreeSet};

use countersign_model::{
    change::{AccountRecord, Record, Seq, TokenRecord},
    id::{AccountId, TokenId},
    name::TokenName,
    time::Timestamp,
};
use countersign_store::{AuditFinding, Committed, Conflict, Error, Store, Token, TokenState};
use proptest::prelude::*;

use crate::world::{World, secret, token, token_id, write};

/// Few ids, names and SIDs, so that they meet often.
#[derive(Debug, Clone)]
enum Step {
    Insert { id: u64, name: u64, sid: u64 },
    Rename { id: u64, name: u64, edit: u64 },
    Switch { id: u64, edit: u64 },
    Reset { id: u64, edit: u64, overlap: bool },
    Delete { id: u64, edit: u64 },
    EndAccessTokens { id: u64, until: i64 },
    Override { id: u64, deed: Deed },
}

/// What is written whatever the edit number.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Disable,
    Reset,
    Delete,
}

fn step() -> impl Strategy<Value = Step> {
    let (few, edit) = (1..6_u64, 1..4_u64);
    prop_oneof![
        3 => (few.clone(), few.clone(), few.clone()).prop_map(|(id, name, sid)| Step::Insert { id, name, sid }),
        2 => (few.clone(), few.clone(), edit.clone()).prop_map(|(id, name, edit)| Step::Rename { id, name, edit }),
        2 => (few.clone(), edit.clone()).prop_map(|(id, edit)| Step::Switch { id, edit }),
        2 => (few.clone(), edit.clone(), any::<bool>()).prop_map(|(id, edit, overlap)| Step::Reset { id, edit, overlap }),
        1 => (few.clone(), edit).prop_map(|(id, edit)| Step::Delete { id, edit }),
        2 => (few.clone(), 0..9_i64).prop_map(|(id, until)| Step::EndAccessTokens { id, until }),
        2 => (few, prop_oneof![Just(Deed::Disable), Just(Deed::Reset), Just(Deed::Delete)])
            .prop_map(|(id, deed)| Step::Override { id, deed }),
    ]
}

/// What the store should hold, kept the simplest way.
#[derive(Default)]
struct Model {
    tokens: BTreeMap<TokenId, Token>,
    spent: BTreeSet<String>,
}

impl Model {
    fn name_taken(&self, token: &Token) -> bool {
        self.tokens.values().any(|other| other.id != token.id && other.name.key() == token.name.key())
    }

    fn insert(&mut self, token: Token) -> Option<Conflict> {
        let sid = token.sid.as_str();
        if self.spent.contains(sid) {
            return Some(Conflict::SidTaken);
        }
        // The store looks at its indexes in an order of its own; the caller of this only compares what is certain.
        if self.tokens.values().any(|other| other.sid == token.sid) {
            return Some(Conflict::SidTaken);
        }
        if self.name_taken(&token) {
            return Some(Conflict::NameTaken);
        }
        self.tokens.insert(token.id, token);
        None
    }

    fn update(&mut self, token: &Token) -> Option<Conflict> {
        if self.tokens.get(&token.id).is_none_or(|kept| kept.edit != token.edit) {
            return Some(Conflict::Stale);
        }
        if self.name_taken(token) {
            return Some(Conflict::NameTaken);
        }
        let ended = (token.state == TokenState::Disabled).then_some(token.updated_at);
        let before = self.tokens.get(&token.id).and_then(|kept| kept.access_tokens_from);
        let access_tokens_from = before.max(ended.or(token.access_tokens_from));
        let kept = Token { edit: token.edit + 1, access_tokens_from, ..token.clone() };
        self.tokens.insert(token.id, kept);
        None
    }

    fn end_access_tokens(&mut self, id: TokenId, until: Timestamp) -> Option<Conflict> {
        let Some(kept) = self.tokens.get_mut(&id) else { return Some(Conflict::Stale) };
        kept.access_tokens_from = kept.access_tokens_from.max(Some(until));
        None
    }

    /// The same deed as an edit by somebody who saw the newest state.
    fn overriding(&mut self, token: &Token, deed: Deed) -> Option<Conflict> {
        let Some(kept) = self.tokens.get(&token.id).cloned() else { return Some(Conflict::Stale) };
        let ended = Some(token.updated_at);
        match deed {
            // It is written once, whoever comes second.
            Deed::Disable if kept.state == TokenState::Disabled => Some(Conflict::Stale),
            Deed::Disable => self.update(&Token { state: TokenState::Disabled, ..kept }),
            Deed::Reset => {
                let secrets = token.secrets.clone();
                self.update(&Token { secrets, access_tokens_from: ended, ..kept })
            }
            Deed::Delete => self.delete(&kept),
        }
    }

    fn delete(&mut self, token: &Token) -> Option<Conflict> {
        if self.tokens.get(&token.id).is_none_or(|kept| kept.edit != token.edit) {
            return Some(Conflict::Stale);
        }
        self.spent.insert(token.sid.as_str().to_owned());
        self.tokens.remove(&token.id);
        None
    }
}

fn named(number: u64) -> TokenName {
    // Two spellings of the same name.
    let text = if number == 1 { "tOKEN 2".to_owned() } else { format!("Token {number}") };
    TokenName::parse(&text).unwrap()
}

/// Runs a step on both and answers what each said.
async fn run(store: &Store, model: &mut Model, step: Step) -> (Result<Committed, Error>, Option<Conflict>) {
    let known =
        |model: &Model, id: u64| model.tokens.get(&token_id(id)).cloned().unwrap_or_else(|| token(id));
    match step {
        Step::Insert { id, name, sid } => {
            if model.tokens.contains_key(&token_id(id)) {
                return (store.commit(write("nothing")).await, None);
            }
            let token = Token { name: named(name), sid: format!("SID{sid}").parse().unwrap(), ..token(id) };
            (store.commit(write("token.create").insert_token(&token)).await, model.insert(token))
        }
        Step::Rename { id, name, edit } => {
            let token = Token { name: named(name), edit, ..known(model, id) };
            (store.commit(write("token.update").update_token(&token)).await, model.update(&token))
        }
        Step::Switch { id, edit } => {
            let mut token = Token { edit, ..known(model, id) };
            token.state = match token.state {
                TokenState::Enabled => TokenState::Disabled,
                TokenState::Disabled => TokenState::Enabled,
            };
            (store.commit(write("token.switch").update_token(&token)).await, model.update(&token))
        }
        Step::Reset { id, edit, overlap } => {
            let mut token = Token { edit, ..known(model, id) };
            let mut old = token.secrets.remove(0);
            token.secrets = vec![secret(id, old.generation + 1)];
            if overlap {
                old.ends_at = Some(crate::world::at(9));
                token.secrets.push(old);
            }
            (store.commit(write("token.reset").update_token(&token)).await, model.update(&token))
        }
        Step::Delete { id, edit } => {
            let token = Token { edit, ..known(model, id) };
            (store.commit(write("token.delete").delete_token(&token)).await, model.delete(&token))
        }
        Step::EndAccessTokens { id, until } => {
            let (token, until) = (token(id), crate::world::at(until));
            let write = write("token.end_access_tokens").end_access_tokens(token.account, token.id, until);
            (store.commit(write).await, model.end_access_tokens(token.id, until))
        }
        Step::Override { id, deed } => {
            // As it was read long before: only what the deed is about is as it is now.
            let kept = known(model, id);
            let newest = kept.secrets[0].generation;
            let mut read = Token { edit: 0, sid: kept.sid, updated_at: kept.updated_at, ..token(id) };
            if let Deed::Reset = deed {
                read.secrets = vec![secret(id, newest + 1)];
            }
            let write = match deed {
                Deed::Disable => write("token.disable").disable_token(&read),
                Deed::Reset => write("token.reset").reset_token(&read),
                Deed::Delete => write("token.delete").delete_token_whatever_its_edit(&read),
            };
            (store.commit(write).await, model.overriding(&read, deed))
        }
    }
}

type Replayed = (BTreeMap<AccountId, AccountRecord>, BTreeMap<TokenId, TokenRecord>);

fn replay(records: impl IntoIterator<Item = Record>) -> Replayed {
    let mut replayed = Replayed::default();
    for record in records {
        match record {
            Record::Token(token) => drop(replayed.1.insert(token.id, TokenRecord::clone(&token))),
            Record::TokenGone(sid) => replayed.1.retain(|_, token| token.sid != sid),
            Record::Account(account) => drop(replayed.0.insert(account.id, AccountRecord::clone(&account))),
            Record::Catalog(_) => {}
        }
    }
    replayed
}

async fn check(steps: Vec<Step>) {
    let world = World::with_account().await;
    let (mut model, mut accepted) = (Model::default(), 3);
    for step in steps {
        let told = format!("{step:?}");
        match run(&world.store, &mut model, step).await {
            (Ok(_), None) => accepted += 1,
            (Err(Error::Conflict(got)), Some(expected)) if got == expected => {}
            // Where a name and a SID are both taken, either may be told.
            (Err(Error::Conflict(Conflict::NameTaken)), Some(Conflict::SidTaken)) => {}
            (got, expected) => panic!("{told}: {got:?} instead of {expected:?}"),
        }
    }
    for token in model.tokens.values() {
        let kept = world.store.within(token.account).token(token.id).await.unwrap().unwrap();
        assert_eq!(format!("{kept:?}"), format!("{token:?}"));
    }
    let snapshot = world.store.snapshot().await.unwrap();
    let changes = world.store.changes(Seq(0), u32::MAX).await.unwrap();
    assert_eq!(changes.last().map(|change| change.seq), Some(snapshot.head));
    let replayed = replay(changes.into_iter().map(|change| change.record));
    assert_eq!(replayed.1.len(), model.tokens.len());
    assert_eq!(replay(snapshot.records), replayed);
    let found = world.store.verify_audit(&mut |_, _| ()).await.unwrap();
    assert_eq!(found, AuditFinding::Whole { entries: accepted - 2 });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_its_model(steps in prop::collection::vec(step(), 1..40)) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(check(steps));
    }
}
