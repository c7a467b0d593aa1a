//! A catalog file as declared: what each table says, with the place where it says it. Reading checks every entry by
//! itself; what entries must be to each other is checked after it.

use toml::Spanned;

use super::{Label, entry, parse::Problems, section::Section};
use crate::{
    actor::{ManagementRight, Permission, PermissionSet},
    api_version::{ApiVersion, VersionPlan},
    lifetime::Lifetime,
    limits::{
        API_VERSIONS_MAX, CATALOG_ENTRIES_MAX, CATALOG_KINDS_MAX, MENU_PATH_MAX, RATE_REQUESTS_MAX,
        RATE_WINDOW_SECS_MAX, ROLES_MAX, SCOPES_MAX, TOKEN_LIFETIME_DAYS_MAX,
    },
    rate::RateLimit,
    route::PathTemplate,
    time::Timestamp,
};

/// A catalog file whose every rule holds.
#[derive(Debug, Clone)]
pub struct CatalogFile {
    pub(super) version_header: String,
    pub(super) version_parameter: String,
    pub(super) method_override: bool,
    pub(super) kinds: Vec<DeclaredKind>,
}

#[derive(Debug, Clone)]
pub(super) struct DeclaredKind {
    pub(super) id: Spanned<String>,
    pub(super) code: Spanned<[u8; 2]>,
    pub(super) label: Label,
    pub(super) page_label: Label,
    pub(super) menu_path: Vec<Label>,
    pub(super) legacy_cut_over: Option<Timestamp>,
    pub(super) token_lifetime: Option<Lifetime>,
    pub(super) base_url: Option<String>,
    pub(super) default_rate_group: Option<Spanned<String>>,
    pub(super) versions: Vec<Spanned<VersionPlan>>,
    pub(super) roles: Vec<DeclaredRole>,
    pub(super) rate_groups: Vec<DeclaredRateGroup>,
    pub(super) presets: Vec<DeclaredPreset>,
    pub(super) categories: Vec<DeclaredCategory>,
}

#[derive(Debug, Clone)]
pub(super) struct DeclaredRole {
    pub(super) id: Spanned<String>,
    pub(super) label: Label,
    pub(super) permissions: PermissionSet,
}

#[derive(Debug, Clone)]
pub(super) struct DeclaredRateGroup {
    pub(super) id: Spanned<String>,
    pub(super) limit: RateLimit,
    pub(super) enforced: bool,
}

#[derive(Debug, Clone)]
pub(super) struct DeclaredPreset {
    pub(super) id: Spanned<String>,
    pub(super) label: Label,
    pub(super) selection: Selection,
}

/// How a preset says what is in it.
#[derive(Debug, Clone)]
pub(super) enum Selection {
    /// Every scope that only reads.
    Reads,
    /// Every scope.
    All,
    /// These.
    Listed(Vec<Spanned<String>>),
}

#[derive(Debug, Clone)]
pub(super) struct DeclaredCategory {
    pub(super) id: Spanned<String>,
    pub(super) label: Label,
    pub(super) management: bool,
    pub(super) rate_group: Option<Spanned<String>>,
    pub(super) scopes: Vec<DeclaredScope>,
}

#[derive(Debug, Clone)]
pub(super) struct DeclaredScope {
    pub(super) id: Spanned<String>,
    pub(super) label: Label,
    pub(super) operations: Vec<Spanned<DeclaredOperation>>,
    pub(super) since: Option<Spanned<u16>>,
    pub(super) until: Option<Spanned<u16>>,
    pub(super) rate_group: Option<Spanned<String>>,
    pub(super) manages: Option<Spanned<ManagementRight>>,
}

#[derive(Debug, Clone)]
pub(super) struct DeclaredOperation {
    pub(super) method: &'static str,
    pub(super) template: PathTemplate,
}

impl CatalogFile {
    /// Reads the whole file; `None` when a part of it cannot be read, with the problems told.
    pub(super) fn read(mut section: Section<'_, '_>, problems: &mut Problems) -> Option<Self> {
        let version_header = section.text("version_header", problems);
        let version_parameter = section.text("version_parameter", problems);
        let method_override = section.flag("method_override", problems);
        let kinds =
            section.tables("kind", ("the account kind", CATALOG_KINDS_MAX), problems, DeclaredKind::read);
        if kinds.as_ref().is_some_and(Vec::is_empty) {
            problems.add(0, "the file declares no account kind", "add a [[kind]] table");
        }
        section.finish(problems);
        Some(Self {
            version_header: entry::header(&version_header?, problems)?,
            version_parameter: entry::parameter(&version_parameter?, problems)?,
            method_override: method_override?,
            kinds: kinds?,
        })
    }

    /// Every scope of the file in file order.
    pub(super) fn scopes(&self) -> impl Iterator<Item = &DeclaredScope> {
        self.kinds.iter().flat_map(|kind| &kind.categories).flat_map(|category| &category.scopes)
    }
}

impl DeclaredKind {
    fn read(mut section: Section<'_, '_>, problems: &mut Problems) -> Option<Self> {
        let id = section.text("id", problems);
        let code = section.text("code", problems);
        let label = section.label("label", problems);
        let page_label = section.label("page_label", problems);
        let menu_path = section.labels("menu_path", problems);
        let legacy_cut_over = section.optional_date("legacy_cut_over", problems);
        let default_rate_group = section.optional_text("default_rate_group", problems);
        let token_lifetime = read_lifetime(&mut section, problems);
        let base_url = section.optional_text("base_url", problems);
        let entries = CATALOG_ENTRIES_MAX;
        let versions = section.tables("version", ("the version", API_VERSIONS_MAX), problems, read_version);
        let roles = section.tables("role", ("the role", ROLES_MAX), problems, DeclaredRole::read);
        let groups =
            section.tables("rate_group", ("the rate group", entries), problems, DeclaredRateGroup::read);
        let presets = section.tables("preset", ("the preset", entries), problems, DeclaredPreset::read);
        let categories =
            section.tables("category", ("the category", entries), problems, DeclaredCategory::read);
        section.finish(problems);
        let menu_path = menu_path?;
        if menu_path.get_ref().len() > MENU_PATH_MAX {
            problems.add(
                menu_path.span().start,
                format!("the menu path has more than {MENU_PATH_MAX} steps"),
                "shorten it",
            );
        }
        Some(Self {
            id: entry::id(id?, problems),
            code: entry::code(&code?, problems)?,
            label: label?,
            page_label: page_label?,
            menu_path: menu_path.into_inner(),
            legacy_cut_over: legacy_cut_over.map(Spanned::into_inner),
            token_lifetime,
            base_url: base_url.and_then(|url| entry::base_url(url, problems)),
            default_rate_group,
            versions: versions?,
            roles: roles?,
            rate_groups: groups?,
            presets: presets?,
            categories: categories?,
        })
    }
}

fn read_lifetime(section: &mut Section<'_, '_>, problems: &mut Problems) -> Option<Lifetime> {
    let days = section.optional_number("token_lifetime_days", TOKEN_LIFETIME_DAYS_MAX, problems)?;
    let lifetime = Lifetime::new(*days.get_ref());
    if let Err(error) = &lifetime {
        problems.add(days.span().start, error.to_string(), "choose a number of days, or leave the line out");
    }
    lifetime.ok()
}

fn read_version(mut section: Section<'_, '_>, problems: &mut Problems) -> Option<Spanned<VersionPlan>> {
    let number = section.number("number", u16::MAX, problems);
    let released = section.optional_date("released", problems);
    let deprecated = section.optional_date("deprecated", problems);
    let sunset = section.optional_date("sunset", problems);
    let notes_url = section.optional_text("notes_url", problems);
    section.finish(problems);
    let notes_url = notes_url.and_then(|url| entry::notes_url(url, problems));
    let dates = [&released, &deprecated, &sunset];
    entry::ascending(dates, problems);
    let number = number?;
    let plan = VersionPlan {
        number: ApiVersion(*number.get_ref()),
        released_at: released.map(Spanned::into_inner),
        deprecated_at: deprecated.map(Spanned::into_inner),
        sunset_at: sunset.map(Spanned::into_inner),
        notes_url,
    };
    Some(Spanned::new(number.span(), plan))
}

impl DeclaredRole {
    fn read(mut section: Section<'_, '_>, problems: &mut Problems) -> Option<Self> {
        let id = section.text("id", problems);
        let label = section.label("label", problems);
        let patterns = section.texts("permissions", problems);
        section.finish(problems);
        let mut permissions = PermissionSet::default();
        for pattern in patterns? {
            match Permission::parse_pattern(pattern.get_ref()) {
                Some(set) => permissions = permissions.union(set),
                None => problems.add(
                    pattern.span().start,
                    format!("`{}` is not a permission", pattern.get_ref().escape_debug()),
                    format!("use *, tokens.*, or {}", Permission::ALL.map(Permission::as_str).join(", ")),
                ),
            }
        }
        Some(Self { id: entry::id(id?, problems), label: label?, permissions })
    }
}

impl DeclaredRateGroup {
    fn read(mut section: Section<'_, '_>, problems: &mut Problems) -> Option<Self> {
        let id = section.text("id", problems);
        let requests = section.number("requests", RATE_REQUESTS_MAX, problems);
        let window = section.number("window_secs", RATE_WINDOW_SECS_MAX, problems);
        let enforced = section.flag("enforced", problems);
        section.finish(problems);
        let limit = match RateLimit::new(*requests.as_ref()?.get_ref(), *window?.get_ref()) {
            Ok(limit) => limit,
            Err(error) => {
                problems.add(
                    requests?.span().start,
                    error.to_string(),
                    "choose numbers between these limits",
                );
                return None;
            }
        };
        Some(Self { id: entry::id(id?, problems), limit, enforced: enforced? })
    }
}

impl DeclaredPreset {
    fn read(mut section: Section<'_, '_>, problems: &mut Problems) -> Option<Self> {
        let at = section.at();
        let id = section.text("id", problems);
        let label = section.label("label", problems);
        let select = section.optional_text("select", problems);
        let scopes = section.optional_texts("scopes", problems);
        section.finish(problems);
        let selection = match (select.as_ref().map(|rule| rule.get_ref().as_str()), scopes) {
            (Some("reads"), None) => Selection::Reads,
            (Some("all"), None) => Selection::All,
            (None, Some(scopes)) => Selection::Listed(scopes),
            _ => {
                let fix = "write either select = \"reads\", select = \"all\", or scopes = [\"...\"]";
                problems.add(
                    select.map_or(at, |rule| rule.span().start),
                    "the preset does not say what is in it",
                    fix,
                );
                return None;
            }
        };
        Some(Self { id: entry::id(id?, problems), label: label?, selection })
    }
}

impl DeclaredCategory {
    fn read(mut section: Section<'_, '_>, problems: &mut Problems) -> Option<Self> {
        let id = section.text("id", problems);
        let label = section.label("label", problems);
        let management = section.flag("management", problems);
        let rate_group = section.optional_text("rate_group", problems);
        let scopes = section.tables("scope", ("the scope", SCOPES_MAX), problems, DeclaredScope::read);
        section.finish(problems);
        let id = entry::id(id?, problems);
        Some(Self { id, label: label?, management: management?, rate_group, scopes: scopes? })
    }
}

impl DeclaredScope {
    fn read(mut section: Section<'_, '_>, problems: &mut Problems) -> Option<Self> {
        let id = section.text("id", problems);
        let label = section.label("label", problems);
        let operations = section.optional_texts("operations", problems);
        let since = section.optional_number("since", u16::MAX, problems);
        let until = section.optional_number("until", u16::MAX, problems);
        let rate_group = section.optional_text("rate_group", problems);
        let manages = section.optional_text("manages", problems);
        section.finish(problems);
        let operations = entry::operations(&operations.unwrap_or_default(), problems);
        let manages = match manages {
            Some(right) => Some(entry::right(&right, problems)?),
            None => None,
        };
        let id = entry::id(id?, problems);
        Some(Self { id, label: label?, operations: operations?, since, until, rate_group, manages })
    }
}
