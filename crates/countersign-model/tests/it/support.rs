//! A small catalog, and reading what a test writes.

use std::fmt::Write;

use countersign_model::{
    catalog::{Catalog, Numbering, Problem, compile, parse},
    decision::Denial,
    route::Request,
};

/// A catalog with two kinds that keeps every rule; tests spoil copies of it.
pub const SMALL: &str = include_str!("small.toml");

/// Compiles a source over an empty numbering.
pub fn catalog(source: &str) -> Catalog {
    let file = parse(source).unwrap_or_else(|problems| panic!("{}\n{source}", told(&problems)));
    compile(&file, &Numbering::default()).unwrap().0
}

/// Problems, one to a line.
pub fn told(problems: &[Problem]) -> String {
    problems.iter().fold(String::new(), |mut text, problem| {
        writeln!(text, "{problem}").unwrap();
        text
    })
}

/// The decoded segments of a path, or why it is refused.
pub fn segments(path: &str) -> Result<Vec<String>, Denial> {
    let request = Request::read(b"GET", path.as_bytes(), true)?;
    Ok(request.segments.iter().map(|segment| segment.clone().into_owned()).collect())
}

/// The id of the scope that a request needs in a version.
pub fn scope_id(catalog: &Catalog, method: &str, uri: &str, version: u16) -> Option<String> {
    let request = Request::read(method.as_bytes(), uri.as_bytes(), catalog.method_override).unwrap();
    let route = catalog.routes.find(&request)?;
    let scope = route.scope(catalog, &request.method, countersign_model::api_version::ApiVersion(version))?;
    catalog.scope(scope).map(|scope| scope.id.clone())
}
