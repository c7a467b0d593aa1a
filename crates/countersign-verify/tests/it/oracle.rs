//! The decision once more, written the long way round: lists instead of maps, secrets in the clear instead of digests,
//! operations by hand instead of a catalog, every admission remembered instead of a formula. It shares no code with
//! the verifier but the words.

use std::net::IpAddr;

use countersign_model::{
    api_version::ApiVersion,
    change::{AccountRecord, TokenRecord},
    grant::Access,
    id::TokenId,
    rate::RateLimit,
    time::{Now, Timestamp},
};

/// Kind, scope, method, path, first and last version, enforced group.
type Row = (&'static str, &'static str, &'static str, &'static str, u16, u16, Option<&'static str>);

const OPERATIONS: [Row; 11] = [
    ("brand", "brand.ads.list", "GET", "/advertisers/{}/Ads", 0, 9, None),
    ("brand", "brand.ads.create", "POST", "/advertisers/{}/Ads", 0, 9, None),
    ("brand", "brand.ads.get", "GET", "/advertisers/{}/Ads/{}", 0, 9, None),
    ("brand", "brand.ads.search", "GET", "/advertisers/{}/Ads/Search", 0, 9, None),
    ("brand", "brand.ads.search", "POST", "/advertisers/{}/Ads/Search", 0, 9, None),
    ("brand", "brand.ads.delete", "DELETE", "/advertisers/{}/Ads/{}", 3, 9, None),
    ("brand", "brand.ads.replace", "PUT", "/advertisers/{}/Ads/{}", 0, 2, None),
    ("brand", "brand.reports.list", "GET", "/advertisers/{}/Reports", 0, 9, Some("reports")),
    ("brand", "brand.status.get", "GET", "/advertiserstatus", 0, 9, Some("reports")),
    ("partner", "partner.ads.list", "GET", "/mediapartners/{}/Ads", 0, 99, None),
    ("partner", "partner.ads.create", "POST", "/mediapartners/{}/Ads", 0, 99, None),
];
const MANAGEMENT: [&str; 2] = ["brand.tokens.view", "brand.tokens.disable"];

/// How many days the second catalog lets tokens of brands live.
pub const BRAND_DAYS: Option<i64> = Some(3);

/// The scope that the second catalog lacks.
pub const RETIRED: &str = "brand.ads.create";

/// A credential, as the oracle understands it.
#[derive(Clone, Debug)]
pub enum Presented {
    Nothing,
    Twice,
    Garbage,
    Basic(String, String),
    Bearer(String),
}

/// A query and all that the oracle needs to know of it.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    pub text: &'static str,
    pub versions: &'static [&'static str],
    pub method: Option<&'static str>,
    pub has_secret: bool,
}

/// A target and all that the oracle needs to know of it.
#[derive(Clone, Debug)]
pub enum Wish {
    Request { method: &'static str, path: String, flaw: Option<&'static str>, query: Query },
    Scope(&'static str),
    Identity,
}

#[derive(Clone, Debug)]
pub struct Question {
    pub presented: Presented,
    pub wish: Wish,
    pub headers: Vec<&'static str>,
    pub address: Option<IpAddr>,
    pub min_seq: Option<u64>,
}

/// A token with its secrets in the clear: text, generation, end.
#[derive(Clone)]
pub struct Known {
    pub record: TokenRecord,
    pub scopes: Vec<&'static str>,
    pub secrets: Vec<(String, u32, Option<Timestamp>)>,
}

struct Admissions<K> {
    of: K,
    limit: RateLimit,
    at: Vec<u64>,
}

pub struct Oracle {
    pub seq: u64,
    pub is_leased: bool,
    pub has_second_catalog: bool,
    pub accounts: Vec<AccountRecord>,
    pub tokens: Vec<Known>,
    own: Vec<Admissions<TokenId>>,
    groups: Vec<Admissions<(TokenId, &'static str)>>,
    failures: Vec<(IpAddr, Vec<u64>)>,
    pub uses: Vec<(TokenId, u32, Option<u16>)>,
}

/// What an allow tells: scope, version, generation, and what is left of the tighter limit.
pub type Answer = (Option<&'static str>, u16, u32, Option<Left>);

/// A limit, the requests left of it, and the seconds until all of it is there again.
pub type Left = (RateLimit, u32, u64);

/// Why not: a code, and the limit and the seconds to wait where there are such.
pub type Refusal = (&'static str, Option<u64>);

impl Oracle {
    pub fn new() -> Self {
        Self {
            seq: 1,
            is_leased: true,
            has_second_catalog: false,
            accounts: Vec::new(),
            tokens: Vec::new(),
            own: Vec::new(),
            groups: Vec::new(),
            failures: Vec::new(),
            uses: Vec::new(),
        }
    }

    pub fn put(&mut self, token: Known) {
        let id = token.record.id;
        let same = self
            .tokens
            .iter()
            .any(|old| old.record.id == id && old.record.rate_limit == token.record.rate_limit);
        if !same {
            self.own.retain(|one| one.of != id);
        }
        self.tokens.retain(|old| old.record.id != id);
        self.tokens.push(token);
    }

    pub fn remove(&mut self, id: TokenId) {
        self.tokens.retain(|old| old.record.id != id);
        self.own.retain(|one| one.of != id);
        self.groups.retain(|one| one.of.0 != id);
    }

    pub fn decide(&mut self, question: &Question, now: Now) -> Result<Answer, Refusal> {
        let plain = |code| Err((code, None));
        if !self.is_leased {
            return plain("lease_lost");
        }
        if question.min_seq.is_some_and(|seq| seq > self.seq) {
            return plain("behind_min_seq");
        }
        if let Wish::Request { flaw, query, method, .. } = &question.wish {
            let overrides =
                query.method.is_some_and(|to| *method != "POST" || !["PUT", "DELETE"].contains(&to));
            if let Some(flaw) = flaw {
                return plain(flaw);
            }
            if overrides {
                return plain("request_malformed");
            }
            if query.has_secret {
                return plain("credentials_misplaced");
            }
        }
        let (sid, secret) = match &question.presented {
            Presented::Nothing => return plain("credentials_missing"),
            Presented::Twice | Presented::Garbage => return plain("credentials_malformed"),
            Presented::Basic(sid, secret) => (Some(sid.as_str()), secret),
            Presented::Bearer(secret) => (None, secret),
        };
        let found = self.tokens.iter().find_map(|token| {
            let (_, generation, _) = token.secrets.iter().find(|(text, _, end)| {
                text == secret && end.is_none_or(|end| now.wall.unix_millis() < end.unix_millis())
            })?;
            let right = sid.is_none_or(|sid| sid == token.record.sid.as_str());
            right.then(|| (token.clone(), *generation))
        });
        let Some((token, generation)) = found else { return Err(self.fail(question.address, now)) };
        let Some(account) = self.accounts.iter().find(|account| account.id == token.record.account).cloned()
        else {
            return plain("loading");
        };
        let platform_days = if self.has_second_catalog { BRAND_DAYS } else { None };
        if let Some(code) = dead(&token.record, &account, platform_days, question.address, now) {
            return plain(code);
        }
        let (scope, version, rate) = match &question.wish {
            Wish::Identity => (None, token.record.api_version.0, None),
            wish => {
                let (scope, version, group) = self.place(wish, &question.headers, &token, &account)?;
                (Some(scope), version, self.limit(&token, group, now.boot_nanos)?)
            }
        };
        self.uses.push((token.record.id, generation, scope.map(|_| version)));
        Ok((scope, version, generation, rate))
    }

    /// Checks 8 to 10: scope, version and group.
    fn place(
        &self,
        wish: &Wish,
        headers: &[&'static str],
        token: &Known,
        account: &AccountRecord,
    ) -> Result<(&'static str, u16, Option<&'static str>), Refusal> {
        let mut named: Vec<&str> = headers.to_vec();
        let (rows, reads, has_method) = match wish {
            Wish::Request { method, path, query, .. } => {
                named.extend(query.versions);
                let method = query.method.unwrap_or(method);
                let rows = self.rows_at(path);
                if rows.iter().any(|row| {
                    row.0 != account.kind
                        || sid_of(path, row).is_some_and(|sid| sid != token.record.sid.as_str())
                }) {
                    return Err(("account_mismatch", None));
                }
                let asked = if method == "HEAD" { "GET" } else { method };
                let rows: Vec<Row> = rows.into_iter().filter(|row| row.2 == asked).collect();
                (rows, asked == "GET", true)
            }
            Wish::Scope(id) => {
                let rows: Vec<Row> = self.live().filter(|row| row.1 == *id).collect();
                if !rows.is_empty() && rows[0].0 != account.kind
                    || MANAGEMENT.contains(id) && account.kind != "brand"
                {
                    return Err(("account_mismatch", None));
                }
                let reads = rows.iter().all(|row| row.2 == "GET");
                (rows, reads, false)
            }
            Wish::Identity => unreachable!("nothing is wanted"),
        };
        let version = effective_version(&named, token.record.api_version, &account.kind)?;
        let exists = |row: &&Row| row.4 <= version && version <= row.5;
        let management = MANAGEMENT
            .into_iter()
            .find(|id| !has_method && matches!(wish, Wish::Scope(scope) if scope == id));
        let (scope, group) = match (management, rows.iter().find(exists)) {
            (Some(id), _) => (id, None),
            (None, Some(row)) => (row.1, row.6),
            (None, None) => return Err(("operation_unknown", None)),
        };
        match &token.record.access {
            Access::Scoped(_) if !token.scopes.contains(&scope) => Err(("scope_missing", None)),
            Access::ReadWrite | Access::ReadOnly if management.is_some() => Err(("scope_missing", None)),
            Access::ReadOnly if !reads => Err(("write_not_allowed", None)),
            _ => Ok((scope, version, group)),
        }
    }

    /// Operations of the catalog in force.
    fn live(&self) -> impl Iterator<Item = Row> + '_ {
        OPERATIONS.into_iter().filter(|row| !(self.has_second_catalog && row.1 == RETIRED))
    }

    /// Operations of every method at the best template of a path: the one with the earliest literals.
    fn rows_at(&self, path: &str) -> Vec<Row> {
        let matching: Vec<Row> = self.live().filter(|row| matches_template(path, row.3)).collect();
        let literals = |row: &Row| row.3.split('/').map(|segment| segment == "{}").collect::<Vec<bool>>();
        let best = matching.iter().map(literals).min();
        matching.into_iter().filter(|row| Some(literals(row)) == best).collect()
    }

    fn limit(
        &mut self,
        token: &Known,
        group: Option<&'static str>,
        now: u64,
    ) -> Result<Option<Left>, Refusal> {
        let id = token.record.id;
        let group_requests = if self.has_second_catalog { 3 } else { 2 };
        let group = group.map(|group| ((id, group), RateLimit::new(group_requests, 100).unwrap()));
        let own = token.record.rate_limit.map(|limit| current(&mut self.own, id, limit));
        let group = group.map(|(key, limit)| current(&mut self.groups, key, limit));
        let mut both: Vec<(RateLimit, &mut Vec<u64>)> = own.into_iter().chain(group).collect();
        let wait = both.iter().map(|(limit, at)| wait_nanos(at, *limit, now)).max().unwrap_or(0);
        if wait > 0 {
            return Err(("rate_limited", Some(wait.div_ceil(1_000_000_000))));
        }
        for (_, at) in &mut both {
            at.push(now);
        }
        Ok(both
            .iter()
            .map(|(limit, at)| left(at, *limit, now))
            .min_by_key(|(_, left, reset)| (*left, u64::MAX - reset)))
    }

    fn fail(&mut self, address: Option<IpAddr>, now: Now) -> Refusal {
        let Some(address) = address else { return ("credentials_invalid", None) };
        if !self.failures.iter().any(|(known, _)| *known == address) {
            self.failures.push((address, Vec::new()));
        }
        let (_, at) = self.failures.iter_mut().find(|(known, _)| *known == address).unwrap();
        match wait_nanos(at, RateLimit::new(5, 60).unwrap(), now.boot_nanos) {
            0 => {
                at.push(now.boot_nanos);
                ("credentials_invalid", None)
            }
            wait => ("too_many_failures", Some(wait.div_ceil(1_000_000_000))),
        }
    }
}

fn dead(
    token: &TokenRecord,
    account: &AccountRecord,
    platform_days: Option<i64>,
    address: Option<IpAddr>,
    now: Now,
) -> Option<&'static str> {
    let legacy = !matches!(token.access, Access::Scoped(_));
    let inside = token.addresses.networks().is_empty()
        || address.is_some_and(|address| {
            token.addresses.networks().iter().any(|network| network.contains(&address))
        });
    let age_millis = now.wall.unix_millis() - token.created_at.unix_millis();
    let account_days = account.token_lifetime.map(|lifetime| i64::from(lifetime.days()));
    let platform_days = platform_days.filter(|_| account.kind == "brand");
    let too_old =
        [account_days, platform_days].into_iter().flatten().any(|days| age_millis >= days * 86_400_000);
    let checks = [
        (token.enabled, "token_disabled"),
        (
            token.expires_at.is_none_or(|expiry| now.wall.unix_millis() < expiry.unix_millis()),
            "token_expired",
        ),
        (legacy || !too_old, "token_expired"),
        (account.active, "account_suspended"),
        (account.api_access, "api_access_off"),
        (account.legacy_tokens || !legacy, "legacy_tokens_off"),
        (inside, "address_not_allowed"),
    ];
    checks.into_iter().find(|(holds, _)| !holds).map(|(_, code)| code)
}

fn effective_version(named: &[&str], own: ApiVersion, kind: &str) -> Result<u16, Refusal> {
    let version = match named {
        [] => own.0.to_string(),
        [first, rest @ ..] if rest.iter().all(|other| other == first) => (*first).to_owned(),
        _ => return Err(("api_version_conflict", None)),
    };
    match (kind, version.as_str()) {
        ("brand", "1") => Err(("api_version_retired", None)),
        ("brand", "2" | "3") | ("partner", "2" | "15") => Ok(version.parse().unwrap()),
        _ => Err(("api_version_unknown", None)),
    }
}

fn matches_template(path: &str, template: &str) -> bool {
    let (path, template): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), template.split('/').collect());
    path.len() == template.len()
        && path.iter().zip(&template).enumerate().all(|(index, (segment, pattern))| match *pattern {
            "{}" => !segment.is_empty(),
            literal if index == 1 => segment.to_lowercase() == literal,
            literal => *segment == literal,
        })
}

fn sid_of<'p>(path: &'p str, row: &Row) -> Option<&'p str> {
    row.3.contains("{}").then(|| path.split('/').nth(2)).flatten()
}

/// The admissions under a limit; another limit begins with none.
fn current<K: PartialEq>(
    all: &mut Vec<Admissions<K>>,
    of: K,
    limit: RateLimit,
) -> (RateLimit, &mut Vec<u64>) {
    all.retain(|one| one.of != of || one.limit == limit);
    if !all.iter().any(|one| one.of == of) {
        all.push(Admissions { of, limit, at: Vec::new() });
        return (limit, &mut all.last_mut().unwrap().at);
    }
    let index = all.iter().position(|one| one.of == of).unwrap();
    (limit, &mut all[index].at)
}

/// How long until no stretch of time holds more admissions than it may.
fn wait_nanos(at: &[u64], limit: RateLimit, now: u64) -> u64 {
    let interval = interval(limit);
    let capacity = interval * u64::from(limit.requests());
    let over = |(index, start): (usize, &u64)| {
        ((at.len() - index + 1) as u64 * interval).saturating_sub(capacity + (now - start))
    };
    at.iter().enumerate().map(over).max().unwrap_or(0)
}

fn left(at: &[u64], limit: RateLimit, now: u64) -> Left {
    let mut more = at.to_vec();
    while wait_nanos(&more, limit, now) == 0 {
        more.push(now);
    }
    let owed = |(index, start): (usize, &u64)| {
        ((at.len() - index) as u64 * interval(limit)).saturating_sub(now - start)
    };
    let reset_nanos = at.iter().enumerate().map(owed).max().unwrap_or(0);
    (limit, u32::try_from(more.len() - at.len()).unwrap(), reset_nanos.div_ceil(1_000_000_000))
}

fn interval(limit: RateLimit) -> u64 {
    (u64::from(limit.window_secs()) * 1_000_000_000).div_ceil(limit.requests().into())
}
