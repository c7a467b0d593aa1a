//! The catalog: what the operator declares of account kinds, API versions, categories, scopes, roles and rate-limit
//! groups, checked and numbered. A `Catalog` is complete and consistent; there is no half-valid one.

mod check;
mod check_paths;
mod compile;
mod difference;
mod entry;
mod file;
mod numbering;
mod parse;
mod section;
mod standard;

use std::collections::HashMap;

pub use compile::compile;
pub use difference::{Difference, Fate, Subject, diff};
pub use numbering::Numbering;
pub use parse::{CatalogFile, Problem, parse};
pub use standard::{standard, standard_source};

use crate::{
    actor::{ManagementRight, PermissionSet},
    api_version::{ApiVersion, VersionPlan},
    lifetime::Lifetime,
    rate::RateLimit,
    route::RouteTable,
    scope::{Scope, ScopeSet},
    time::Timestamp,
};

/// The index of an account kind in its catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KindIndex(pub u8);

/// A name in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    pub zh_cn: String,
}

/// A checked catalog with its numbers.
#[derive(Debug)]
pub struct Catalog {
    /// Account kinds in file order.
    pub kinds: Vec<AccountKind>,
    /// The header that names a version, in lower case.
    pub version_header: String,
    /// The query parameter that names a version, in lower case; it is compared ignoring case.
    pub version_parameter: String,
    /// Whether `_method=PUT|DELETE` in the query of a POST is the effective method.
    pub method_override: bool,
    /// Every scope that ever had a number, by number; retired ones too.
    pub scopes: Vec<ScopeInfo>,
    /// Paths to operations.
    pub routes: RouteTable,
    pub(crate) by_id: HashMap<String, Scope>,
}

/// One account kind.
#[derive(Debug, Clone)]
pub struct AccountKind {
    /// Stable id: `brand`.
    pub id: String,
    /// Two letters at the front of minted SIDs: `BR`.
    pub code: [u8; 2],
    /// Its name.
    pub label: Label,
    /// The label of its token page.
    pub page_label: Label,
    /// Where the token page is, outermost first.
    pub menu_path: Vec<Label>,
    /// Versions, lowest first; at least one.
    pub versions: Vec<VersionPlan>,
    /// Categories in file order.
    pub categories: Vec<Category>,
    /// Roles in file order; the first holds every permission.
    pub roles: Vec<Role>,
    /// Rate-limit groups in file order.
    pub rate_groups: Vec<RateGroup>,
    /// Presets in file order.
    pub presets: Vec<Preset>,
    /// Accounts from before this moment may have a legacy pair; `None`: no legacy tokens for this kind.
    pub legacy_cut_over: Option<Timestamp>,
    /// The longest life of a token; legacy credentials are not bound by it. `None`: no bound.
    pub token_lifetime: Option<Lifetime>,
    /// Where the API of this kind is reached, without a slash at the end: `https://api.example.com`.
    pub base_url: Option<String>,
}

/// A named group of scopes with one switch.
#[derive(Debug, Clone)]
pub struct Category {
    /// Stable id within the kind.
    pub id: String,
    /// Its name.
    pub label: Label,
    /// Whether its scopes manage tokens. Such scopes are in no preset and no switch.
    pub management: bool,
    /// Its live scopes in file order.
    pub scopes: Vec<Scope>,
}

/// One scope.
#[derive(Debug, Clone)]
pub struct ScopeInfo {
    /// Its number.
    pub number: Scope,
    /// Stable id: `brand.actions.list`.
    pub id: String,
    /// Its name. A retired scope keeps its id as its name.
    pub label: Label,
    /// Its account kind; `None` when retired.
    pub kind: Option<KindIndex>,
    /// Index of its category in the kind.
    pub category: usize,
    /// What it lets one call; empty for management scopes and retired ones.
    pub operations: Vec<Operation>,
    /// First version it exists in; `None`: from the first.
    pub since: Option<ApiVersion>,
    /// Last version it exists in; `None`: to the last.
    pub until: Option<ApiVersion>,
    /// Index of its rate-limit group in the kind.
    pub rate_group: Option<usize>,
    /// The management right it stands for, if any.
    pub management: Option<ManagementRight>,
}

/// One method and path template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Upper-case method. HEAD is asked as GET.
    pub method: String,
    /// Path template: `/Advertisers/{AccountSID}/Ads/{AdId}`.
    pub path: String,
}

/// A named set of permissions of people.
#[derive(Debug, Clone)]
pub struct Role {
    /// Stable id within the kind: `account_administrator`.
    pub id: String,
    /// Its name.
    pub label: Label,
    /// What it may do.
    pub permissions: PermissionSet,
}

/// A rate limit shared by scopes, counted per token.
#[derive(Debug, Clone)]
pub struct RateGroup {
    /// Stable id within the kind.
    pub id: String,
    /// The limit.
    pub limit: RateLimit,
    /// Whether it is enforced; off in the default catalog.
    pub enforced: bool,
}

/// A choice of scopes to start from.
#[derive(Debug, Clone)]
pub struct Preset {
    /// Stable id within the kind: `all_reads`.
    pub id: String,
    /// Its name.
    pub label: Label,
    /// Its scopes; never a management scope.
    pub scopes: ScopeSet,
}

impl Catalog {
    /// The kind with this id.
    pub fn kind(&self, id: &str) -> Option<(KindIndex, &AccountKind)> {
        let index = self.kinds.iter().position(|kind| kind.id == id)?;
        Some((KindIndex(u8::try_from(index).ok()?), &self.kinds[index]))
    }

    /// The kind at this index.
    pub fn kind_at(&self, index: KindIndex) -> &AccountKind {
        &self.kinds[usize::from(index.0)]
    }

    /// The scope with this number.
    pub fn scope(&self, scope: Scope) -> Option<&ScopeInfo> {
        self.scopes.get(usize::from(scope.0))
    }

    /// The scope with this id, live or retired.
    pub fn scope_by_id(&self, id: &str) -> Option<&ScopeInfo> {
        self.by_id.get(id).and_then(|scope| self.scope(*scope))
    }
}

impl ScopeInfo {
    /// Whether the present catalog no longer has it: it stays listed, and grants nothing.
    pub fn is_retired(&self) -> bool {
        self.kind.is_none()
    }

    /// Whether it exists in this version.
    pub fn exists_in(&self, version: ApiVersion) -> bool {
        self.since.is_none_or(|since| since <= version) && self.until.is_none_or(|until| version <= until)
    }

    /// Whether every operation of it only reads: GET (and so HEAD). A management scope reads when it only views.
    pub fn only_reads(&self) -> bool {
        self.operations.iter().all(|operation| operation.method == "GET")
            && self.management.is_none_or(|right| right == ManagementRight::View)
    }
}

impl AccountKind {
    /// The plan of a version, if the kind has it.
    pub fn version(&self, number: ApiVersion) -> Option<&VersionPlan> {
        self.versions.iter().find(|plan| plan.number == number)
    }

    /// The highest version.
    pub fn latest(&self) -> ApiVersion {
        self.versions.last().map_or(ApiVersion(0), |plan| plan.number)
    }

    /// The role with this id.
    pub fn role(&self, id: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == id)
    }
}
