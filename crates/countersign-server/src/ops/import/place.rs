//! What rows are checked against: accounts with their names, legacy halves and limits, and the people in them. Each is
//! read once, when the first row names it, and then also knows the rows before.

use std::collections::{HashMap, HashSet};

use countersign_model::{
    catalog::{Catalog, KindIndex},
    grant::AccessKind,
    id::UserId,
    name::EmailAddress,
};
use countersign_store::{Account, PageAsk, TokenFilter};

use crate::{app::App, error::Error, limits::PAGE_ROWS_MAX, ops::secrets, sealing::DataKey};

/// An account and what is in it by now.
pub(super) struct Place {
    pub(super) account: Account,
    pub(super) kind: KindIndex,
    /// The key that seals secrets; `None` where only digests are kept.
    pub(super) data_key: Option<DataKey>,
    /// Keys of names that are taken.
    pub(super) names: HashSet<String>,
    /// Legacy halves that are there.
    pub(super) legacy: HashSet<AccessKind>,
    /// Tokens of today, counted.
    pub(super) tokens: u32,
    /// Whether rows brought a legacy credential in.
    pub(super) gets_legacy: bool,
    people: HashMap<String, Option<UserId>>,
}

/// All accounts that were named, by the operator's id; `None` for one that there is not.
#[derive(Default)]
pub(super) struct Places(HashMap<String, Option<Place>>);

impl Places {
    /// The account with this id.
    pub(super) async fn find(
        &mut self,
        app: &App,
        catalog: &Catalog,
        external_id: &str,
    ) -> Result<Option<&mut Place>, Error> {
        if !self.0.contains_key(external_id) {
            let place = match app.store.account_by_external_id(external_id).await? {
                Some(account) => Place::load(app, catalog, account).await?,
                None => None,
            };
            self.0.insert(external_id.to_owned(), place);
        }
        Ok(self.0.get_mut(external_id).and_then(Option::as_mut))
    }

    /// Accounts that get legacy credentials and do not have legacy tokens on, with that switched on.
    pub(super) fn into_accounts_to_switch_on(self) -> impl Iterator<Item = Account> {
        let places = self.0.into_values().flatten();
        places.filter(|place| place.gets_legacy && !place.account.legacy_tokens).map(|place| {
            let mut account = place.account;
            account.legacy_tokens = true;
            account
        })
    }
}

impl Place {
    async fn load(app: &App, catalog: &Catalog, account: Account) -> Result<Option<Self>, Error> {
        let Some((kind, _)) = catalog.kind(&account.kind) else { return Ok(None) };
        let data_key = if secrets::is_recoverable(app, &account) {
            Some(DataKey::unwrap(&app.keys, account.id, &account.data_key.wrapped)?)
        } else {
            None
        };
        let mut place = Self {
            kind,
            data_key,
            names: HashSet::new(),
            legacy: HashSet::new(),
            tokens: 0,
            gets_legacy: false,
            people: HashMap::new(),
            account,
        };
        let rows = app.store.within(place.account.id);
        for half in [AccessKind::ReadWrite, AccessKind::ReadOnly] {
            if let Some(credential) = rows.legacy(half).await? {
                place.names.insert(credential.name.key());
                place.legacy.insert(half);
            }
        }
        let mut page = PageAsk { after: None, limit: PAGE_ROWS_MAX };
        loop {
            let found = rows.tokens(&TokenFilter::default(), &page).await?;
            for token in found.rows {
                place.names.insert(token.name.key());
                place.tokens = place.tokens.saturating_add(1);
            }
            match found.next {
                Some(next) => page.after = Some(next),
                None => return Ok(Some(place)),
            }
        }
    }

    /// The member with this address.
    pub(super) async fn member(&mut self, app: &App, email: &EmailAddress) -> Result<Option<UserId>, Error> {
        let key = email.key();
        if let Some(known) = self.people.get(&key) {
            return Ok(*known);
        }
        let member = match app.store.person_by_email(email).await? {
            Some(person) => {
                app.store.within(self.account.id).member(person.id).await?.map(|member| member.person.id)
            }
            None => None,
        };
        self.people.insert(key, member);
        Ok(member)
    }
}
