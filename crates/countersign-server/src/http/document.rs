//! What the OpenAPI document says beside its operations: how callers prove who they are, the problems every operation
//! shares, and the headers the envelope puts on every answer. It describes; nothing here answers.

use utoipa::{
    PartialSchema as _, ToSchema as _,
    openapi::{
        Components, Header, HeaderBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use super::{
    extract::SESSION_COOKIE,
    problem::{self, Problem},
};

const REQUEST_ID: &str = "X-Request-Id";

/// What the document says of itself. Where an operation does not say otherwise, people and machines of the platform may
/// ask for it, and tokens may not.
pub(super) fn head() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Countersign management API")
        .description(Some(
            "Accounts, people, tokens, gateways and the audit trail. Problems are `application/problem+json` (RFC 9457).",
        ))
        .version(env!("CARGO_PKG_VERSION"));
    let callers = ["session", "platform_credential"]
        .map(|scheme| SecurityRequirement::new(scheme, Vec::<String>::new()));
    OpenApiBuilder::new().info(info.build()).components(Some(components())).security(Some(callers)).build()
}

/// The document with what the envelope adds to every answer.
pub(super) fn with_envelope(mut document: OpenApi) -> OpenApi {
    let operations = document.paths.paths.values_mut().flat_map(operations);
    let shared = document.components.iter_mut().flat_map(|components| components.responses.values_mut());
    let responses = operations.flat_map(|operation| operation.responses.responses.values_mut()).chain(shared);
    for response in responses {
        if let RefOr::T(response) = response {
            response.headers.insert(REQUEST_ID.to_owned(), header_named(REQUEST_ID));
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut utoipa::openapi::path::Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().flatten()
}

/// A reference to a header of the components.
pub(super) fn header_named(name: &str) -> RefOr<Header> {
    RefOr::Ref(Ref::new(format!("#/components/headers/{name}")))
}

fn components() -> Components {
    let mut components = Components::new();
    for (name, scheme) in security_schemes() {
        components.add_security_scheme(name, scheme);
    }
    for (name, schema, description) in [
        (REQUEST_ID, "RequestId", "The id of the request: what to tell the operator."),
        ("Retry-After", "Seconds", "How many seconds to wait before asking again."),
        ("WWW-Authenticate", "Challenge", "How to prove who one is (RFC 9110)."),
    ] {
        let schema = Ref::from_schema_name(schema);
        let header = HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build();
        components.headers.insert(name.to_owned(), RefOr::T(header));
    }
    let mut schemas = vec![
        ("Problem".to_owned(), Problem::schema()),
        ("Seconds".to_owned(), problem::Seconds::schema()),
        ("Challenge".to_owned(), problem::Challenge::schema()),
    ];
    Problem::schemas(&mut schemas);
    components.schemas.extend(schemas);
    components.responses = problem::responses();
    components
}

fn security_schemes() -> [(&'static str, SecurityScheme); 4] {
    let cookie = ApiKeyValue::with_description(
        SESSION_COOKIE,
        "The session of a person, set on signing in. Requests that change something need `Sec-Fetch-Site: same-origin`, \
         or an `Origin` equal to the public URL.",
    );
    let http = |scheme, words: &str| {
        SecurityScheme::Http(HttpBuilder::new().scheme(scheme).description(Some(words)).build())
    };
    [
        ("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie))),
        (
            "platform_credential",
            http(HttpAuthScheme::Bearer, "A platform credential: a machine with operator rights."),
        ),
        (
            "token_bearer",
            http(HttpAuthScheme::Bearer, "The Auth Token of a token with the management scope for it."),
        ),
        (
            "token_basic",
            http(
                HttpAuthScheme::Basic,
                "The Account SID and Auth Token of a token with the management scope for it.",
            ),
        ),
    ]
}
