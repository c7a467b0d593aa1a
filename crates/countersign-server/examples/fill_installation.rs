//! Fills an installation with tokens for a measurement, through the store's own writer, and writes what a load generator
//! needs to use them: a line `SID SECRET` for each, all lines of one length. It measures nothing itself.
//! `cargo run --release -p countersign-server --example fill_installation -- DATA_DIR KEYS_DIR TOKENS LIST`
//!
//! Every check of a decision has something to do: each token has about a dozen scopes, an expiry, an address list and a
//! rate limit of its own (too high to be met), and its secret is kept sealed as by default. A thousand tokens belong to
//! one account, as many as an account may have unless it is set otherwise.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "this prepares a measurement")]

use std::{
    env,
    fs::File,
    io::{BufWriter, Write as _},
    sync::Arc,
};

use countersign_model::{
    actor::Actor,
    address::AddressList,
    api_version::ApiVersion,
    catalog::Catalog,
    digest::LookupKey,
    grant::Access,
    id::{AccountId, Id, Kind, UserId},
    limits::TOKENS_PER_ACCOUNT,
    name::{Description, EmailAddress, PersonName, TokenName},
    rate::RateLimit,
    scope::ScopeSet,
    secret::{SecretFormat, Shape},
    sid::Sid,
    time::Timestamp,
};
use countersign_server::{
    app::{App, Settings},
    clock::Clock,
    open::OpenOptions,
    ops::passwords::PasswordCost,
    random::Random,
    sealing::{DataKey, Place},
    webhooks::Policy,
};
use countersign_store::{
    Account, AccountState, AuditDraft, Outcome, Person, RevealPolicy, Secret, Token, TokenState, Write,
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// The scope that the load generator asks for: `GET /Advertisers/{AccountSID}/Actions`.
const ASKED_SCOPE: &str = "brand.actions.list";
/// The newest version of the kind.
const VERSION: ApiVersion = ApiVersion(14);
/// So many different sets of scopes, address lists and rate limits there are among the tokens.
const SCOPE_SETS: usize = 64;
const ADDRESS_LISTS: u64 = 16;
const RATE_LIMITS: u64 = 4;
/// Tokens between two lines of progress and two sweeps of the feed.
const STEP: u64 = 50_000;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// What every token is made from.
struct Mint {
    app: Arc<App>,
    catalog: Arc<Catalog>,
    lookup: LookupKey,
    scopes: Vec<ScopeSet>,
    now: Timestamp,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [data_dir, keys_dir, tokens, list] = arguments.as_slice() else {
        println!("usage: fill_installation DATA_DIR KEYS_DIR TOKENS LIST");
        return;
    };
    let tokens: u64 = tokens.parse().unwrap();
    let stop = CancellationToken::new();
    let app = App::open(OpenOptions {
        data_dir: data_dir.into(),
        database_url: None,
        keys_dir: keys_dir.into(),
        settings: settings(),
        clock: Clock::system(),
        random: Random::System,
        password_cost: PasswordCost { memory_kib: 8, passes: 1 },
        accept_rollback: false,
        stop: stop.clone(),
    })
    .await
    .unwrap();
    let mint = Mint::new(&app);
    let mut list = BufWriter::new(File::create(list).unwrap());
    let mut made = 0;
    while made < tokens {
        let count = (tokens - made).min(u64::from(TOKENS_PER_ACCOUNT));
        let (write, lines) = mint.account(made, count);
        app.commit(write).await.unwrap();
        list.write_all(lines.as_bytes()).unwrap();
        made += count;
        if made % STEP == 0 {
            app.store.sweep(app.clock.wall()).await.unwrap();
            println!("{made} tokens");
        }
    }
    list.flush().unwrap();
    app.close().await.unwrap();
    stop.cancel();
}

impl Mint {
    fn new(app: &Arc<App>) -> Self {
        let catalog = app.catalog().unwrap();
        let asked = catalog.scopes.iter().find(|scope| scope.id == ASKED_SCOPE).unwrap();
        let others: Vec<_> = catalog
            .scopes
            .iter()
            .filter(|scope| scope.kind == asked.kind && scope.management.is_none())
            .map(|scope| scope.number)
            .collect();
        let scopes = (0..SCOPE_SETS)
            .map(|set| {
                let some = others.iter().copied().skip(set % 7).step_by(3 + set);
                some.chain([asked.number]).collect()
            })
            .collect();
        let (lookup, now) = (app.keys.lookup(), app.clock.wall());
        Self { app: Arc::clone(app), lookup, scopes, now, catalog }
    }

    /// An account with its administrator and its tokens, as one write, and the lines of their credentials.
    fn account(&self, first: u64, count: u64) -> (Write, String) {
        let (account, person) = (self.new_account(first), self.new_person(first));
        let key = DataKey::unwrap(&self.app.keys, account.id, &account.data_key.wrapped).unwrap();
        let mut lines = String::new();
        let tokens: Vec<Token> = (first..first + count)
            .map(|number| {
                let (token, line) = self.token(number, account.id, person.id, &key);
                lines.push_str(&line);
                token
            })
            .collect();
        let write = Write::new(self.deed(account.id))
            .insert_account(&account)
            .insert_person(&person)
            .insert_member(account.id, person.id, "account_administrator", self.now)
            .insert_tokens(&tokens);
        (write, lines)
    }

    fn token(&self, number: u64, account: AccountId, contact: UserId, key: &DataKey) -> (Token, String) {
        let random = &self.app.random;
        let text = SecretFormat::standard().mint(&mut |buffer| random.fill(buffer).unwrap());
        let sid = Sid::mint(self.catalog.kinds[0].code, random.bytes().unwrap());
        let line = format!("{sid} {}\n", text.expose());
        let id = self.id();
        let secret = Secret {
            digest: self.lookup.digest(text.expose().as_bytes(), Shape::Minted).unwrap(),
            pepper: self.lookup.generation(),
            layered_over: None,
            generation: 1,
            sealed: Some(key.seal(random, Place { account, token: id, generation: 1 }, &text).unwrap()),
            data_key: Some(key.generation()),
            last4: text.last4(),
            weak: false,
            created_at: self.now,
            ends_at: None,
            last_used_at: None,
            last_used_from: None,
            uses: 0,
        };
        let own = format!("192.0.2.{}/32", number % ADDRESS_LISTS);
        let scopes = &self.scopes[usize::try_from(number).unwrap() % SCOPE_SETS];
        let requests = 1_000_000 + u32::try_from(number % RATE_LIMITS).unwrap();
        let left = 300 * DAY + i64::try_from(number % 1_000).unwrap() * HOUR;
        let token = Token {
            id,
            account,
            sid,
            name: TokenName::parse(&format!("Report {number}")).unwrap(),
            description: Description::default(),
            access: Access::Scoped(scopes.clone()),
            api_version: VERSION,
            primary_contact: Some(contact),
            developer_emails: Vec::new(),
            state: TokenState::Enabled,
            expires_at: Some(self.now.plus_secs(left)),
            addresses: AddressList::parse(&["10.0.0.0/8", "127.0.0.0/8", &own]).unwrap(),
            rate_limit: Some(RateLimit::new(requests, 60).unwrap()),
            access_tokens_from: None,
            secrets: vec![secret],
            made_by: None,
            edit: 1,
            created_at: self.now,
            created_by: Actor::User(contact),
            updated_at: self.now,
            updated_by: Actor::User(contact),
            last_used_at: None,
            last_used_from: None,
        };
        (token, line)
    }

    fn new_account(&self, number: u64) -> Account {
        let id = self.id();
        Account {
            id,
            external_id: format!("crm-{number}"),
            kind: self.catalog.kinds[0].id.clone(),
            name: PersonName::parse(&format!("Account {number}")).unwrap(),
            state: AccountState::Active,
            api_access: true,
            legacy_tokens: false,
            reveal: RevealPolicy::Recoverable,
            token_limit: TOKENS_PER_ACCOUNT,
            token_lifetime: None,
            data_key: DataKey::make(&self.app.keys, &self.app.random, id, 1).unwrap(),
            former_data_key: None,
            edit: 1,
            created_at: self.now,
            updated_at: self.now,
        }
    }

    fn new_person(&self, number: u64) -> Person {
        Person {
            id: self.id(),
            email: EmailAddress::parse(&format!("administrator-{number}@example.com")).unwrap(),
            name: PersonName::parse("Administrator").unwrap(),
            language: "en".to_owned(),
            password: None,
            operator: false,
            active: true,
            generation: 1,
            failed_sign_ins: 0,
            failed_at: None,
            edit: 1,
            created_at: self.now,
        }
    }

    fn deed(&self, account: AccountId) -> AuditDraft {
        AuditDraft {
            at: self.now,
            actor: Actor::System,
            actor_label: "measurement".to_owned(),
            client_address: String::new(),
            request_id: None,
            account: Some(account),
            action: "import.apply",
            subject: "tokens".to_owned(),
            subject_label: "tokens".to_owned(),
            outcome: Outcome::Done,
            before: Value::Null,
            after: Value::Null,
        }
    }

    fn id<K: Kind>(&self) -> Id<K> {
        self.app.random.id(self.now).unwrap()
    }
}

fn settings() -> Settings {
    Settings {
        public_url: "http://localhost:8470".to_owned(),
        format: SecretFormat::standard(),
        reveal_once: false,
        trusted_proxies: Vec::new(),
        checkpoint_file: None,
        audit_retention_days: None,
        session_idle_secs: 1_800,
        session_secs: 12 * 3_600,
        mail: None,
        http2: true,
        webhooks: Policy::default(),
    }
}
