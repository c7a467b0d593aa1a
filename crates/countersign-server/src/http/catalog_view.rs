//! The catalog on the wire: everything a console needs to show a kind, in both languages.

use countersign_model::{
    actor::Permission,
    api_version::VersionPlan,
    catalog::{AccountKind, Catalog, Category, Label, Preset, RateGroup, Role, ScopeInfo},
    lifetime::Lifetime,
    scope::Scope,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Moment, words};

/// The catalog in force.
#[derive(Serialize, ToSchema)]
pub(super) struct CatalogView {
    /// The header that names an API version.
    version_header: String,
    /// The query parameter that names an API version.
    version_parameter: String,
    /// Account kinds in file order.
    kinds: Vec<KindView>,
}

/// A name in both languages.
#[derive(Serialize, ToSchema)]
struct LabelView {
    /// English.
    en: String,
    /// Simplified Chinese.
    #[serde(rename = "zh-CN")]
    zh_cn: String,
}

/// One account kind.
#[derive(Serialize, ToSchema)]
struct KindView {
    /// Stable id: `brand`.
    #[schema(value_type = words::CatalogId)]
    id: String,
    /// Two letters at the front of minted SIDs.
    code: String,
    /// Its name.
    label: LabelView,
    /// The label of its token page.
    page_label: LabelView,
    /// Where the token page is, outermost first.
    menu_path: Vec<LabelView>,
    /// The latest API version.
    #[schema(value_type = words::ApiVersion)]
    latest_version: u16,
    /// API versions, lowest first.
    versions: Vec<VersionView>,
    /// Categories in file order.
    categories: Vec<CategoryView>,
    /// Roles in file order; the first holds every permission.
    roles: Vec<RoleView>,
    /// Rate-limit groups in file order.
    rate_groups: Vec<RateGroupView>,
    /// Presets in file order.
    presets: Vec<PresetView>,
    /// Accounts from before this moment may have legacy tokens; `null`: none may.
    legacy_cut_over: Option<Moment>,
    /// The platform's longest life of a token, in days from its creation; `null`: no bound.
    token_lifetime_days: Option<u16>,
    /// Where the API of this kind is reached, without a slash at the end; `null`: not said.
    base_url: Option<String>,
}

/// One API version.
#[derive(Serialize, ToSchema)]
struct VersionView {
    /// Its number.
    #[schema(value_type = words::ApiVersion)]
    number: u16,
    /// When it was published.
    released_at: Option<Moment>,
    /// From when callers are told to move on.
    deprecated_at: Option<Moment>,
    /// From when it is refused.
    sunset_at: Option<Moment>,
    /// Where the change notes are.
    notes_url: Option<String>,
}

/// A named group of scopes with one switch.
#[derive(Serialize, ToSchema)]
struct CategoryView {
    /// Stable id within the kind.
    #[schema(value_type = words::CatalogId)]
    id: String,
    /// Its name.
    label: LabelView,
    /// Whether its scopes manage tokens; such scopes are in no preset and no switch.
    management: bool,
    /// Its scopes in file order.
    scopes: Vec<ScopeView>,
}

/// The right to call one operation.
#[derive(Serialize, ToSchema)]
struct ScopeView {
    /// Stable id: `brand.actions.list`.
    #[schema(value_type = words::CatalogId)]
    id: String,
    /// Its name.
    label: LabelView,
    /// What it lets one call.
    operations: Vec<OperationView>,
    /// First version it exists in; `null`: from the first.
    #[schema(value_type = Option<words::ApiVersion>)]
    since: Option<u16>,
    /// Last version it exists in; `null`: to the last.
    #[schema(value_type = Option<words::ApiVersion>)]
    until: Option<u16>,
    /// The id of its rate-limit group.
    #[schema(value_type = Option<words::CatalogId>)]
    rate_group: Option<String>,
    /// The management right it stands for.
    #[schema(value_type = Option<words::ManagementRight>)]
    management: Option<&'static str>,
    /// Whether it only reads.
    reads: bool,
}

/// One method and path template.
#[derive(Serialize, ToSchema)]
struct OperationView {
    /// The method.
    method: String,
    /// The path template.
    path: String,
}

/// A named set of permissions of people.
#[derive(Serialize, ToSchema)]
struct RoleView {
    /// Stable id within the kind.
    #[schema(value_type = words::CatalogId)]
    id: String,
    /// Its name.
    label: LabelView,
    /// What it may do.
    #[schema(value_type = Vec<words::Permission>)]
    permissions: Vec<&'static str>,
}

/// A rate limit shared by scopes, counted per token.
#[derive(Serialize, ToSchema)]
struct RateGroupView {
    /// Stable id within the kind.
    #[schema(value_type = words::CatalogId)]
    id: String,
    /// So many requests.
    requests: u32,
    /// In so many seconds.
    window_secs: u32,
    /// Whether it is enforced.
    enforced: bool,
}

/// A choice of scopes to start from.
#[derive(Serialize, ToSchema)]
struct PresetView {
    /// Stable id within the kind.
    #[schema(value_type = words::CatalogId)]
    id: String,
    /// Its name.
    label: LabelView,
    /// The ids of its scopes.
    #[schema(value_type = Vec<words::CatalogId>)]
    scopes: Vec<String>,
}

impl CatalogView {
    /// Renders the kinds for which `shown` answers yes to their id.
    pub(super) fn of(catalog: &Catalog, shown: &dyn Fn(&str) -> bool) -> Self {
        let kinds = catalog.kinds.iter().filter(|kind| shown(&kind.id));
        Self {
            version_header: catalog.version_header.clone(),
            version_parameter: catalog.version_parameter.clone(),
            kinds: kinds.map(|kind| kind_view(catalog, kind)).collect(),
        }
    }
}

fn label(label: &Label) -> LabelView {
    LabelView { en: label.en.clone(), zh_cn: label.zh_cn.clone() }
}

fn kind_view(catalog: &Catalog, kind: &AccountKind) -> KindView {
    KindView {
        id: kind.id.clone(),
        code: kind.code.map(char::from).iter().collect(),
        label: label(&kind.label),
        page_label: label(&kind.page_label),
        menu_path: kind.menu_path.iter().map(label).collect(),
        latest_version: kind.latest().0,
        versions: kind.versions.iter().map(version).collect(),
        categories: kind.categories.iter().map(|one| category(catalog, kind, one)).collect(),
        roles: kind.roles.iter().map(role).collect(),
        rate_groups: kind.rate_groups.iter().map(rate_group).collect(),
        presets: kind.presets.iter().map(|one| preset(catalog, one)).collect(),
        legacy_cut_over: kind.legacy_cut_over.map(Moment),
        token_lifetime_days: kind.token_lifetime.map(Lifetime::days),
        base_url: kind.base_url.clone(),
    }
}

fn version(plan: &VersionPlan) -> VersionView {
    VersionView {
        number: plan.number.0,
        released_at: plan.released_at.map(Moment),
        deprecated_at: plan.deprecated_at.map(Moment),
        sunset_at: plan.sunset_at.map(Moment),
        notes_url: plan.notes_url.clone(),
    }
}

fn category(catalog: &Catalog, kind: &AccountKind, category: &Category) -> CategoryView {
    let infos = category.scopes.iter().filter_map(|number| catalog.scope(*number));
    CategoryView {
        id: category.id.clone(),
        label: label(&category.label),
        management: category.management,
        scopes: infos.map(|info| scope(kind, info)).collect(),
    }
}

fn scope(kind: &AccountKind, info: &ScopeInfo) -> ScopeView {
    let operations = info.operations.iter();
    ScopeView {
        id: info.id.clone(),
        label: label(&info.label),
        operations: operations
            .map(|one| OperationView { method: one.method.clone(), path: one.path.clone() })
            .collect(),
        since: info.since.map(|version| version.0),
        until: info.until.map(|version| version.0),
        rate_group: info
            .rate_group
            .and_then(|index| kind.rate_groups.get(index))
            .map(|group| group.id.clone()),
        management: info.management.map(countersign_model::actor::ManagementRight::as_str),
        reads: info.only_reads(),
    }
}

fn role(role: &Role) -> RoleView {
    RoleView {
        id: role.id.clone(),
        label: label(&role.label),
        permissions: role.permissions.iter().map(Permission::as_str).collect(),
    }
}

fn rate_group(group: &RateGroup) -> RateGroupView {
    RateGroupView {
        id: group.id.clone(),
        requests: group.limit.requests(),
        window_secs: group.limit.window_secs(),
        enforced: group.enforced,
    }
}

fn preset(catalog: &Catalog, preset: &Preset) -> PresetView {
    let id = |scope: Scope| catalog.scope(scope).map(|info| info.id.clone());
    PresetView {
        id: preset.id.clone(),
        label: label(&preset.label),
        scopes: preset.scopes.iter().filter_map(id).collect(),
    }
}
