//! Where a request leads: the account kind and SID of its path, the version it names, the scope it needs. It reads the
//! catalog and the ask, and knows nothing of the token's state.

use std::borrow::Cow;

use countersign_model::{
    api_version::ApiVersion,
    catalog::{AccountKind, Catalog, KindIndex, ScopeInfo},
    decision::{Ask, Denial, Target},
    grant::Access,
    route::{Request, Route},
    sid::Sid,
    time::Timestamp,
};

use crate::misplaced;

/// The target of an ask, well formed. It lives on the stack of one decision, which must not touch the heap.
#[allow(clippy::large_enum_variant, reason = "a box would be an allocation for every ask")]
pub(crate) enum Wanted<'a> {
    /// A request to the API behind the gateway.
    Request(Request<'a>),
    /// A scope named directly.
    Scope(&'a str),
    /// Nothing but to be known.
    Identity,
}

/// What a target stands for in the catalog; `None` inside where the catalog has no such thing.
pub(crate) enum Place<'p> {
    /// A path, whatever the version, and the effective method.
    Path(Option<Route<'p, 'p>>, &'p str),
    /// A scope.
    Scope(Option<&'p ScopeInfo>),
}

impl<'a> Wanted<'a> {
    /// Reads a target. A URL with a user part is no origin form; it gets the answer that tells its sender most.
    pub(crate) fn read(target: Target<'a>, method_override: bool) -> Result<Self, Denial> {
        match target {
            Target::Request { method, uri } => match Request::read(method, uri, method_override) {
                Ok(request) => Ok(Self::Request(request)),
                Err(_) if misplaced::in_user_part(uri) => Err(Denial::CredentialsMisplaced),
                Err(denial) => Err(denial),
            },
            Target::Scope(id) => Ok(Self::Scope(id)),
            Target::Identity => Ok(Self::Identity),
        }
    }

    /// The request, where there is one.
    pub(crate) fn request(&self) -> Option<&Request<'a>> {
        match self {
            Self::Request(request) => Some(request),
            Self::Scope(_) | Self::Identity => None,
        }
    }
}

impl<'p> Place<'p> {
    /// Finds the place of a target; `None` where nothing is wanted but to be known.
    pub(crate) fn find(wanted: &'p Wanted<'_>, catalog: &'p Catalog) -> Option<Self> {
        match wanted {
            Wanted::Request(request) => Some(Self::Path(catalog.routes.find(request), &request.method)),
            Wanted::Scope(id) => {
                Some(Self::Scope(catalog.scope_by_id(id).filter(|scope| !scope.is_retired())))
            }
            Wanted::Identity => None,
        }
    }

    /// Whether the place is of this account kind and carries this SID, where it carries one. A place that the catalog
    /// does not have is nobody's.
    pub(crate) fn belongs_to(&self, kind: KindIndex, sid: &Sid) -> bool {
        match self {
            Self::Path(Some(route), _) => {
                route.kind == kind && route.sid.is_none_or(|found| found == sid.as_str())
            }
            Self::Scope(Some(scope)) => scope.kind == Some(kind),
            Self::Path(None, _) | Self::Scope(None) => true,
        }
    }

    /// The scope that is needed here in this version.
    pub(crate) fn scope(&self, catalog: &'p Catalog, version: ApiVersion) -> Option<&'p ScopeInfo> {
        match self {
            Self::Path(route, method) => catalog.scope(route.as_ref()?.scope(catalog, method, version)?),
            Self::Scope(scope) => scope.filter(|scope| scope.exists_in(version)),
        }
    }

    /// Whether nothing is changed by what is asked for. HEAD is GET without the body.
    pub(crate) fn only_reads(&self) -> bool {
        match self {
            Self::Path(_, method) => matches!(*method, "GET" | "HEAD"),
            Self::Scope(scope) => scope.is_some_and(ScopeInfo::only_reads),
        }
    }
}

/// The version in effect: the one the request names, else the token's own. It must exist and not be past its sunset.
pub(crate) fn version_in_effect(
    ask: &Ask<'_>,
    request: Option<&Request<'_>>,
    parameter: &str,
    own: ApiVersion,
    kind: &AccountKind,
    now: Timestamp,
) -> Result<ApiVersion, Denial> {
    let version = named_version(ask.version_headers, request, parameter)?.unwrap_or(own);
    match kind.version(version) {
        None => Err(Denial::ApiVersionUnknown),
        Some(plan) if plan.is_retired(now) => Err(Denial::ApiVersionRetired),
        Some(_) => Ok(version),
    }
}

/// The version that headers and query name. All lines and parameters must say the same, letter by letter: back ends
/// differ in whether they believe the first or the last.
fn named_version(
    headers: &[&[u8]],
    request: Option<&Request<'_>>,
    parameter: &str,
) -> Result<Option<ApiVersion>, Denial> {
    let parameters = request.into_iter().flat_map(|request| request.parameter_values(parameter));
    let mut named = headers.iter().map(|value| String::from_utf8_lossy(value.trim_ascii())).chain(parameters);
    let Some(first) = named.next() else { return Ok(None) };
    if named.any(|other: Cow<'_, str>| other != first) {
        return Err(Denial::ApiVersionConflict);
    }
    ApiVersion::parse(&first).map(Some).ok_or(Denial::ApiVersionUnknown)
}

/// Whether this access reaches the scope. Legacy credentials reach every operation of their kind, but managing tokens
/// is granted by hand only.
pub(crate) fn reaches(access: &Access, scope: &ScopeInfo, only_reads: bool) -> Result<(), Denial> {
    match access {
        Access::Scoped(scopes) if scopes.contains(scope.number) => Ok(()),
        Access::ReadWrite if scope.management.is_none() => Ok(()),
        Access::ReadOnly if scope.management.is_none() && only_reads => Ok(()),
        Access::ReadOnly if scope.management.is_none() => Err(Denial::WriteNotAllowed),
        Access::Scoped(_) | Access::ReadWrite | Access::ReadOnly => Err(Denial::ScopeMissing(scope.number)),
    }
}
