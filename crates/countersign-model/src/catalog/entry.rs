//! What the single values of a catalog file must look like: ids, codes, names of headers, operations. Each check tells
//! its problem where the value stands, and hands on what can still be used.

use toml::Spanned;

use super::{file::DeclaredOperation, parse::Problems};
use crate::{
    actor::ManagementRight,
    limits::{CATALOG_ID_BYTES_MAX, NOTES_URL_BYTES_MAX, OPERATIONS_PER_SCOPE_MAX},
    route::PathTemplate,
    time::Timestamp,
};

/// The methods an operation may have. HEAD is not among them: whoever may GET may HEAD.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Headers that are read for something else, or are not the caller's to set.
const RESERVED_HEADERS: [&str; 5] =
    ["authorization", "cookie", "host", "content-length", "transfer-encoding"];

/// The front of the identity headers that answers carry.
const IDENTITY_HEADERS: &str = "x-countersign-";

/// Tells when an id has not the form of one; it is kept either way, so that references to it can be checked.
pub(super) fn id(id: Spanned<String>, problems: &mut Problems) -> Spanned<String> {
    let text = id.get_ref();
    let fits = text.len() <= CATALOG_ID_BYTES_MAX
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte));
    if !fits {
        let message = format!("`{}` is not an id", text.escape_debug());
        let fix = format!(
            "begin with a-z, go on with a-z, 0-9, `_`, `.` or `-`, at most {CATALOG_ID_BYTES_MAX} bytes"
        );
        problems.add(id.span().start, message, fix);
    }
    id
}

/// The code at the front of minted SIDs.
pub(super) fn code(code: &Spanned<String>, problems: &mut Problems) -> Option<Spanned<[u8; 2]>> {
    match *code.get_ref().as_bytes() {
        [first, second] if first.is_ascii_uppercase() && second.is_ascii_uppercase() => {
            Some(Spanned::new(code.span(), [first, second]))
        }
        _ => {
            let message = format!("`{}` is not a kind code", code.get_ref().escape_debug());
            problems.add(code.span().start, message, "write two letters A-Z, such as BR");
            None
        }
    }
}

/// The header that names a version, in lower case.
pub(super) fn header(name: &Spanned<String>, problems: &mut Problems) -> Option<String> {
    let lower = name.get_ref().to_ascii_lowercase();
    let formed = (1..=CATALOG_ID_BYTES_MAX).contains(&lower.len())
        && lower.starts_with(|letter: char| letter.is_ascii_lowercase())
        && lower.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if formed && !RESERVED_HEADERS.contains(&lower.as_str()) && !lower.starts_with(IDENTITY_HEADERS) {
        return Some(lower);
    }
    let message = format!("`{}` cannot be the version header", name.get_ref().escape_debug());
    problems.add(
        name.span().start,
        message,
        "write letters, digits and `-`, such as API-Version; no header in use",
    );
    None
}

/// The query parameter that names a version, in lower case.
pub(super) fn parameter(name: &Spanned<String>, problems: &mut Problems) -> Option<String> {
    let lower = name.get_ref().to_ascii_lowercase();
    let formed = (1..=CATALOG_ID_BYTES_MAX).contains(&lower.len())
        && lower.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if formed && lower != "_method" {
        return Some(lower);
    }
    let message = format!("`{}` cannot be the version parameter", name.get_ref().escape_debug());
    problems.add(
        name.span().start,
        message,
        "write letters, digits, `_`, `.` and `-`, such as ApiVersion; not _method",
    );
    None
}

/// The address of change notes. The console links to it, so it must be a web page and nothing that runs.
pub(super) fn notes_url(url: Spanned<String>, problems: &mut Problems) -> Option<String> {
    let rest = url.get_ref().strip_prefix("https://").unwrap_or_default();
    let fits = !rest.is_empty() && url.get_ref().len() <= NOTES_URL_BYTES_MAX;
    if fits && rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte)) {
        return Some(url.into_inner());
    }
    let message = format!("`{}` is not the address of a web page", url.get_ref().escape_debug());
    problems.add(url.span().start, message, "write an address that begins with https://");
    None
}

/// The address of an API, without a slash at the end. Examples of calls begin with it.
pub(super) fn base_url(url: Spanned<String>, problems: &mut Problems) -> Option<String> {
    let text = url.get_ref();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let formed = !rest.is_empty() && !rest.starts_with('/') && !rest.ends_with('/');
    let plain = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/[]".contains(&byte));
    if formed && plain && text.len() <= NOTES_URL_BYTES_MAX {
        return Some(url.into_inner());
    }
    let message = format!("`{}` is not where an API is reached", text.escape_debug());
    let fix =
        "write scheme, host and perhaps a path, without a slash at the end, such as https://api.example.com";
    problems.add(url.span().start, message, fix);
    None
}

/// Dates of one version in the order in which they must come.
pub(super) fn ascending(dates: [&Option<Spanned<Timestamp>>; 3], problems: &mut Problems) {
    let given: Vec<&Spanned<Timestamp>> = dates.into_iter().flatten().collect();
    for pair in given.windows(2) {
        if pair[0].get_ref() > pair[1].get_ref() {
            let (earlier, later) = (pair[0].get_ref().to_date(), pair[1].get_ref().to_date());
            let message = format!("{later} comes before {earlier}");
            problems.add(
                pair[1].span().start,
                message,
                "let released, deprecated and sunset follow in this order",
            );
        }
    }
}

/// Operations as `METHOD /path`; `None` when one of them cannot be read.
pub(super) fn operations(
    texts: &[Spanned<String>],
    problems: &mut Problems,
) -> Option<Vec<Spanned<DeclaredOperation>>> {
    if let Some(first) = texts.first().filter(|_| texts.len() > OPERATIONS_PER_SCOPE_MAX) {
        let message =
            format!("the scope has {} operations; the limit is {OPERATIONS_PER_SCOPE_MAX}", texts.len());
        problems.add(first.span().start, message, "split it into several scopes");
        return None;
    }
    let read: Vec<_> = texts.iter().map(|text| operation(text, problems)).collect();
    read.into_iter().collect()
}

fn operation(text: &Spanned<String>, problems: &mut Problems) -> Option<Spanned<DeclaredOperation>> {
    let shown = text.get_ref().escape_debug();
    let Some((method, path)) = text.get_ref().split_once(' ') else {
        let message = format!("`{shown}` is not an operation");
        problems.add(
            text.span().start,
            message,
            "write a method, one space and a path, such as \"GET /Things/{Id}\"",
        );
        return None;
    };
    let known = METHODS.into_iter().find(|known| *known == method);
    if known.is_none() {
        let fix = if method == "HEAD" {
            "leave HEAD out: whoever may GET may HEAD".to_owned()
        } else {
            format!("use one of {}", METHODS.join(", "))
        };
        problems.add(text.span().start, format!("`{shown}` has no method of the catalog"), fix);
    }
    match PathTemplate::parse(path) {
        Ok(template) => Some(Spanned::new(text.span(), DeclaredOperation { method: known?, template })),
        Err(error) => {
            problems.add(text.span().start, format!("`{shown}` has no path template"), error.to_string());
            None
        }
    }
}

/// A management right by its name.
pub(super) fn right(text: &Spanned<String>, problems: &mut Problems) -> Option<Spanned<ManagementRight>> {
    let found = ManagementRight::ALL.into_iter().find(|right| right.as_str() == text.get_ref());
    if found.is_none() {
        let message = format!("`{}` is not a management right", text.get_ref().escape_debug());
        let rights = ManagementRight::ALL.map(ManagementRight::as_str).join(", ");
        problems.add(text.span().start, message, format!("use one of {rights}"));
    }
    found.map(|right| Spanned::new(text.span(), right))
}
