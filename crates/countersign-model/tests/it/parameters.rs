//! Query parameters: the override of the method, and the values of any other.

use countersign_model::{decision::Denial, route::Request};
use proptest::prelude::*;

/// The effective method of a request with that query, or `None` when it is refused.
fn effective(method: &str, query: &str, method_override: bool) -> Option<String> {
    let uri = format!("/a?{query}");
    match Request::read(method.as_bytes(), uri.as_bytes(), method_override) {
        Ok(request) => Some(request.method.into_owned()),
        Err(denial) => {
            assert_eq!(denial, Denial::RequestMalformed);
            None
        }
    }
}

#[test]
fn the_override_is_one_clear_word_of_a_post() {
    for (method, query, expected) in [
        ("POST", "", Some("POST")),
        ("POST", "a=1", Some("POST")),
        ("POST", "_method=PUT", Some("PUT")),
        ("POST", "_method=DELETE", Some("DELETE")),
        ("POST", "a=1&_method=DELETE&b=2", Some("DELETE")),
        ("POST", "_method=%44ELETE", Some("DELETE")),
        ("POST", "%5fmethod=DELETE", Some("DELETE")),
        ("GET", "a=_method", Some("GET")),
        ("POST", "x_method=DELETE", Some("POST")),
        ("POST", "a=_method=DELETE", Some("POST")),
        // Other values.
        ("POST", "_method", None),
        ("POST", "_method=", None),
        ("POST", "_method=delete", None),
        ("POST", "_method=DELETE%20", None),
        ("POST", "_method=+DELETE", None),
        ("POST", "_method=PATCH", None),
        ("POST", "_method=GET", None),
        ("POST", "_method=POST", None),
        ("POST", "_method=%zz", None),
        // Twice.
        ("POST", "_method=PUT&_method=PUT", None),
        ("POST", "_method=PUT&_method=DELETE", None),
        ("POST", "_method=PUT&%5Fmethod=DELETE", None),
        // Other methods.
        ("GET", "_method=DELETE", None),
        ("HEAD", "_method=PUT", None),
        ("PUT", "_method=PUT", None),
        ("DELETE", "_method=DELETE", None),
        // A semicolon is a separator to some.
        ("POST", "a=1;_method=DELETE", None),
        ("POST", "_method=PUT;_method=DELETE", None),
        ("POST", "a;%5fmethod=DELETE", None),
        ("POST", "a=1;b=2", Some("POST")),
    ] {
        assert_eq!(effective(method, query, true).as_deref(), expected, "{method} {query}");
        assert_eq!(
            effective(method, query, false).as_deref(),
            Some(method),
            "{method} {query} without override"
        );
    }
}

fn values(query: &str, name: &str) -> Vec<String> {
    let uri = format!("/a?{query}");
    let request = Request::read(b"GET", uri.as_bytes(), false).unwrap();
    request.parameter_values(name).map(std::borrow::Cow::into_owned).collect()
}

#[test]
fn values_are_found_by_name_in_any_case() {
    for (query, expected) in [
        ("", &[][..]),
        ("ApiVersion=13", &["13"]),
        ("apiversion=13&APIVERSION=14", &["13", "14"]),
        ("%41piVersion=13", &["13"]),
        ("ApiVersion", &[""]),
        ("ApiVersion=", &[""]),
        ("ApiVersion=1=2", &["1=2"]),
        ("&&ApiVersion=13&&", &["13"]),
        ("ApiVersion=%31%33", &["13"]),
        ("ApiVersion=1+3", &["1 3"]),
        ("ApiVersion=%2531", &["%31"]),
        ("ApiVersion=%3", &["%3"]),
        ("ApiVersion=%zz", &["%zz"]),
        ("ApiVersion=%ff+", &["%ff+"]),
        ("xApiVersion=1&ApiVersionx=2&Api=Version", &[]),
    ] {
        assert_eq!(values(query, "apiversion"), expected, "{query}");
    }
    let request = Request::read(b"GET", b"/a", false).unwrap();
    assert_eq!(request.parameter_values("a").count(), 0);
}

proptest! {
    #[test]
    fn what_is_encoded_is_what_is_found(pairs in proptest::collection::vec(("[a-z]{1,3}", "\\PC{0,8}"), 0..6)) {
        let query: Vec<String> = pairs
            .iter()
            .map(|(name, value)| {
                let escapes: Vec<String> = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
                format!("{name}={}", escapes.concat())
            })
            .collect();
        for (name, _) in &pairs {
            let expected: Vec<&String> = pairs.iter().filter(|(other, _)| other == name).map(|(_, value)| value).collect();
            let found = values(&query.join("&"), name);
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected);
        }
    }
}
