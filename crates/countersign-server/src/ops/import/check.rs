//! The rules of a row, and the token it becomes.

use std::{collections::HashSet, sync::Arc};

use countersign_model::{
    address::AddressList,
    api_version::ApiVersion,
    catalog::Catalog,
    digest::LookupKey,
    grant::{Access, AccessKind},
    id::{TokenId, UserId},
    name::{Description, EmailAddress, TokenName},
    secret::{Secret, Shape},
    sid::Sid,
    time::Timestamp,
};
use countersign_store::{Secret as KeptSecret, Token, TokenState};
use futures_util::future::try_join_all;

use super::{
    ImportReport, Refusal,
    lines::{Batch, Fields},
    place::{Place, Places},
};
use crate::{
    app::App,
    error::Error,
    ops::tokens::draft::read_scopes,
    rights::Operator,
    sealing::{self, DataKey},
};

/// A column and what is wrong in it.
struct Fault(&'static str, String);

/// Why a row becomes no token: a fault of the row, or a failure of ours.
enum Stop {
    Row(Fault),
    Failure(Error),
}

/// Checks rows one after the other; each knows those before it.
pub(super) struct Checker<'a> {
    app: &'a App,
    actor: countersign_model::actor::Actor,
    now: Timestamp,
    catalog: Arc<Catalog>,
    lookup: LookupKey,
    sids: HashSet<Sid>,
    digests: HashSet<[u8; 32]>,
    pub(super) accounts: Places,
    pub(super) tokens: Vec<Token>,
    pub(super) report: ImportReport,
}

impl<'a> Checker<'a> {
    pub(super) fn new(app: &'a App, operator: &Operator) -> Result<Self, Error> {
        Ok(Self {
            app,
            actor: operator.caller.actor(true),
            now: app.clock.wall(),
            catalog: app.catalog()?,
            lookup: app.keys.lookup(),
            sids: HashSet::new(),
            digests: HashSet::new(),
            accounts: Places::default(),
            tokens: Vec::new(),
            report: ImportReport::default(),
        })
    }

    /// Checks a batch. SIDs are looked up together, because each look-up waits for the store.
    pub(super) async fn check(&mut self, batch: Batch) -> Result<(), Error> {
        let known = try_join_all(batch.iter().map(|line| sid_is_known(self.app, &line.fields))).await?;
        for (line, sid_known) in batch.into_iter().zip(known) {
            self.report.rows += 1;
            let fields = match &line.fields {
                Ok(fields) => fields,
                Err(reason) => {
                    let refusal = Refusal { row: line.row, column: "", reason: (*reason).to_owned() };
                    self.report.refuse(refusal);
                    continue;
                }
            };
            match self.token(fields, sid_known).await {
                Ok(token) => self.tokens.push(token),
                Err(Stop::Row(Fault(column, reason))) => {
                    self.report.refuse(Refusal { row: line.row, column, reason });
                }
                Err(Stop::Failure(error)) => return Err(error),
            }
        }
        Ok(())
    }

    async fn token(&mut self, fields: &Fields, sid_known: bool) -> Result<Token, Stop> {
        let sid = fields.get("sid").parse::<Sid>().map_err(|error| fault("sid", error.to_string()))?;
        if sid_known || self.sids.contains(&sid) {
            return Err(fault("sid", "this Account SID is in use, by another token or another row"));
        }
        let app = self.app;
        let found = self.accounts.find(app, &self.catalog, fields.get("account_external_id")).await?;
        let place =
            found.ok_or_else(|| fault("account_external_id", "there is no such account; create it first"))?;
        if fields.get("kind") != place.account.kind {
            return Err(fault("kind", format!("the account is of the kind {}", place.account.kind)));
        }
        let name = TokenName::parse(fields.get("name")).map_err(|error| fault("name", error.to_string()))?;
        if place.names.contains(&name.key()) {
            return Err(fault("name", "another token or another row of the account has this name"));
        }
        let created_at = read_created_at(fields, self.now)?;
        let access = read_access(fields, &self.catalog, place, created_at)?;
        let api_version = read_version(fields, &self.catalog, place)?;
        let primary_contact = read_contact(app, fields, place, access.kind()).await?;
        let state = match fields.get("state") {
            "enabled" => TokenState::Enabled,
            "disabled" => TokenState::Disabled,
            _ => return Err(fault("state", "it is `enabled` or `disabled`")),
        };
        let id = app.random.id(self.now)?;
        let secret = read_secret(app, fields, &self.lookup, (place, id, self.now))?;
        if !self.digests.insert(*secret.digest.as_bytes()) {
            return Err(fault(secret_column(fields), "another row has the same secret"));
        }
        place.names.insert(name.key());
        if access.kind().is_legacy() {
            place.legacy.insert(access.kind());
            place.gets_legacy = true;
        } else {
            place.tokens += 1;
        }
        self.sids.insert(sid);
        Ok(Token {
            id,
            account: place.account.id,
            sid,
            name,
            description: Description::default(),
            access,
            api_version,
            primary_contact,
            developer_emails: Vec::new(),
            state,
            expires_at: None,
            addresses: AddressList::default(),
            rate_limit: None,
            access_tokens_from: None,
            secrets: vec![secret],
            made_by: None,
            edit: 1,
            created_at,
            created_by: self.actor,
            updated_at: self.now,
            updated_by: self.actor,
            last_used_at: None,
            last_used_from: None,
        })
    }
}

async fn sid_is_known(app: &App, fields: &Result<Fields, &'static str>) -> Result<bool, Error> {
    let sid = fields.as_ref().ok().and_then(|fields| fields.get("sid").parse::<Sid>().ok());
    match sid {
        Some(sid) => Ok(app.store.token_by_sid(&sid).await?.is_some()),
        None => Ok(false),
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failure(error)
    }
}

fn fault(column: &'static str, reason: impl Into<String>) -> Stop {
    Stop::Row(Fault(column, reason.into()))
}

fn read_created_at(fields: &Fields, now: Timestamp) -> Result<Timestamp, Stop> {
    let text = fields.get("created_at");
    let moment = Timestamp::parse_rfc3339(text).or_else(|| Timestamp::parse_date(text));
    let moment =
        moment.ok_or_else(|| fault("created_at", "it is a date such as 2024-05-31, or an RFC 3339 time"))?;
    if moment > now { Err(fault("created_at", "it lies in the future")) } else { Ok(moment) }
}

fn read_access(
    fields: &Fields,
    catalog: &Catalog,
    place: &Place,
    created_at: Timestamp,
) -> Result<Access, Stop> {
    let kind = AccessKind::parse(fields.get("access"))
        .ok_or_else(|| fault("access", "it is `scoped`, `read_write` or `read_only`"))?;
    let cut_over = catalog.kind_at(place.kind).legacy_cut_over;
    if kind.is_legacy() {
        if cut_over.is_none() {
            return Err(fault("access", "accounts of this kind have no legacy tokens; use `scoped`"));
        }
        if place.legacy.contains(&kind) {
            return Err(fault("access", format!("the account has its {} credential already", kind.as_str())));
        }
        if !fields.get("scopes").is_empty() {
            return Err(fault("scopes", "a legacy credential has no scopes; leave it empty"));
        }
        return Ok(if kind == AccessKind::ReadWrite { Access::ReadWrite } else { Access::ReadOnly });
    }
    if let Some(cut_over) = cut_over.filter(|cut_over| created_at < *cut_over) {
        let reason =
            format!("it was created before {} and so is `read_write` or `read_only`", cut_over.to_date());
        return Err(fault("access", reason));
    }
    if place.tokens >= place.account.token_limit {
        let reason = format!("the account may have {} tokens, and has them", place.account.token_limit);
        return Err(fault("account_external_id", reason));
    }
    let ids: Vec<String> =
        fields.get("scopes").split([' ', ';']).filter(|id| !id.is_empty()).map(str::to_owned).collect();
    let scopes =
        read_scopes(catalog, place.kind, &ids, None).map_err(|error| fault("scopes", error.detail))?;
    let manages =
        scopes.iter().filter_map(|scope| catalog.scope(scope)).find(|info| info.management.is_some());
    match manages {
        Some(info) => Err(fault(
            "scopes",
            format!("{} manages tokens, and such scopes are given by hand only", info.id),
        )),
        None => Ok(Access::Scoped(scopes)),
    }
}

fn read_version(fields: &Fields, catalog: &Catalog, place: &Place) -> Result<ApiVersion, Stop> {
    let version = ApiVersion::parse(fields.get("api_version"));
    let kind = catalog.kind_at(place.kind);
    version.filter(|number| kind.version(*number).is_some()).ok_or_else(|| {
        let known: Vec<String> = kind.versions.iter().map(|plan| plan.number.to_string()).collect();
        fault("api_version", format!("it is one of {}", known.join(", ")))
    })
}

async fn read_contact(
    app: &App,
    fields: &Fields,
    place: &mut Place,
    access: AccessKind,
) -> Result<Option<UserId>, Stop> {
    let text = fields.get("primary_contact");
    if text.is_empty() && access.is_legacy() {
        return Ok(None);
    }
    let email = EmailAddress::parse(text).map_err(|error| fault("primary_contact", error.to_string()))?;
    match place.member(app, &email).await? {
        Some(member) => Ok(Some(member)),
        None => Err(fault("primary_contact", "this is not the e-mail address of a member of the account")),
    }
}

fn secret_column(fields: &Fields) -> &'static str {
    if fields.get("secret").is_empty() { "secret_sha256" } else { "secret" }
}

fn read_secret(
    app: &App,
    fields: &Fields,
    lookup: &LookupKey,
    (place, token, now): (&Place, TokenId, Timestamp),
) -> Result<KeptSecret, Stop> {
    let kept = |digest, sealed, last4, weak| KeptSecret {
        digest,
        pepper: lookup.generation(),
        layered_over: None,
        generation: 1,
        data_key: place.data_key.as_ref().filter(|_| Option::is_some(&sealed)).map(DataKey::generation),
        sealed,
        last4,
        weak,
        created_at: now,
        ends_at: None,
        last_used_at: None,
        last_used_from: None,
        uses: 0,
    };
    match (fields.get("secret"), fields.get("secret_sha256")) {
        ("", "") => Err(fault("secret", "give the secret, or its SHA-256 in secret_sha256")),
        ("", sha256) => {
            let sha256 = read_sha256(sha256)
                .ok_or_else(|| fault("secret_sha256", "it is 64 hexadecimal characters"))?;
            // Of a secret that is not known nobody can say how strong it is.
            Ok(kept(lookup.digest_of_imported(sha256), None, String::new(), false))
        }
        (text, "") => {
            let secret =
                Secret::parse(text.to_owned()).map_err(|error| fault("secret", error.to_string()))?;
            let shape = app.settings.format.shape(text.as_bytes());
            let broken =
                "it has the prefix of our own secrets and a wrong checksum, so a character of it is wrong";
            let digest = lookup.digest(text.as_bytes(), shape).ok_or_else(|| fault("secret", broken))?;
            let spot = sealing::Place { account: place.account.id, token, generation: 1 };
            let sealed =
                place.data_key.as_ref().map(|key| key.seal(&app.random, spot, &secret)).transpose()?;
            let weak = shape != Shape::Minted && !secret.is_strong();
            Ok(kept(digest, sealed, secret.last4(), weak))
        }
        _ => Err(fault("secret", "give the secret or its SHA-256, not both")),
    }
}

fn read_sha256(text: &str) -> Option<[u8; 32]> {
    blake3::Hash::from_hex(text.to_ascii_lowercase()).ok().map(|hash| *hash.as_bytes())
}
