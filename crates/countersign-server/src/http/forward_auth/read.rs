//! What a gateway says of the request it holds: each fact in the one place its profile names, a header on exactly one line
//! or the question itself. Anything that could make gateway, Countersign and back end read them differently is refused,
//! never mended.

use std::net::IpAddr;

use hyper::{
    Request,
    header::{AUTHORIZATION, CONNECTION, HOST, HeaderMap, HeaderName, HeaderValue},
};

use super::{address, identity::IDENTITY_HEADERS};
use crate::{
    http::data_plane::{FORWARD_AUTH, caller::CREDENTIAL},
    node::GatewayProfile,
};

/// What a gateway asks with. Which part of it counts is its profile's to say.
#[derive(Debug)]
pub(in crate::http) struct Question<'r> {
    /// Its own method.
    pub method: &'r [u8],
    /// Its own host; empty where it names none.
    pub host: &'r [u8],
    /// Its own target: what follows the name of the gateway.
    pub target: Option<&'r [u8]>,
    /// Its headers.
    pub headers: &'r HeaderMap,
}

/// The original request.
#[derive(Debug)]
pub(in crate::http) struct Original<'r> {
    /// Its method.
    pub method: &'r [u8],
    /// Its target, in origin form.
    pub uri: &'r [u8],
    /// Its host; empty where nobody says it. Nothing is decided by it.
    pub host: &'r [u8],
    /// The client's address.
    pub address: IpAddr,
}

/// Why there is no original request.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::http) enum Fault {
    /// The request tries to be read in two ways: the client's doing, 400.
    OfRequest,
    /// What the profile names is missing, cannot be read, or has a double elsewhere: the gateway's doing, 503.
    OfGateway(String),
}

impl<'r> Question<'r> {
    /// The name of the gateway that asks over HTTP, and its question. A query right behind the name says nothing.
    pub fn of<B>(request: &'r Request<B>) -> (&'r str, Self) {
        let uri = request.uri();
        let target = uri.path_and_query().map_or("", |target| target.as_str());
        let named = target.strip_prefix(FORWARD_AUTH).unwrap_or_default();
        let (name, rest) = named.split_at(named.find(['/', '?']).unwrap_or(named.len()));
        let target = rest.starts_with('/').then_some(rest.as_bytes());
        let (method, headers) = (request.method().as_str().as_bytes(), request.headers());
        // HTTP/2 has its host in the target, HTTP/1.1 in a header, once.
        let line = || headers.get(HOST).map(HeaderValue::as_bytes).unwrap_or_default();
        let host = uri.authority().map_or_else(line, |authority| authority.as_str().as_bytes());
        (name, Self { method, host, target, headers })
    }
}

impl<'r> Original<'r> {
    /// Reads what a profile names. `version_header`: the header of the catalog that names a version.
    pub fn read(
        question: &Question<'r>,
        profile: &GatewayProfile,
        version_header: Option<&str>,
    ) -> Result<Self, Fault> {
        let headers = question.headers;
        refuse_aliases(headers, profile, version_header)?;
        let method = match &profile.method_header {
            Some(name) => only_line(headers, name)?,
            None => question.method,
        };
        let uri = match (&profile.uri_header, question.target) {
            (Some(name), None) => only_line(headers, name)?,
            (None, Some(target)) => target,
            // A gateway of another profile than its own: what that one names may be what a client wrote.
            (Some(_), Some(_)) | (None, None) => {
                return Err(Fault::OfGateway("the original path".to_owned()));
            }
        };
        let host = match &profile.host_header {
            Some(name) => only_line(headers, name)?,
            None => question.host,
        };
        refuse_list(host, b",")?;
        let address = client_address(headers, profile)?;
        refuse_list(method, b",")?;
        // A comma is a letter like any other in a target; but two targets joined by somebody on the way look like this.
        refuse_list(uri, b",/")?;
        Ok(Self { method, uri, host, address })
    }
}

/// The client's address, as the profile says where it is.
pub(in crate::http) fn client_address(
    headers: &HeaderMap,
    profile: &GatewayProfile,
) -> Result<IpAddr, Fault> {
    let line = only_line(headers, &profile.address_header)?;
    address::from_right(line, profile.address_hops)
        .ok_or_else(|| Fault::OfGateway(profile.address_header.clone()))
}

/// A header that is there more than once was added to by somebody: the gateway replaces it.
fn only_line<'r>(headers: &'r HeaderMap, name: &str) -> Result<&'r [u8], Fault> {
    let mut lines = headers.get_all(name).iter().map(HeaderValue::as_bytes);
    match (lines.next(), lines.next()) {
        (Some(line), None) => Ok(line),
        (Some(_), Some(_)) => Err(Fault::OfRequest),
        (None, _) => Err(Fault::OfGateway(name.to_owned())),
    }
}

fn refuse_list(value: &[u8], separator: &[u8]) -> Result<(), Fault> {
    let is_list = value.windows(separator.len()).any(|window| window == separator);
    let has_controls = value.iter().any(u8::is_ascii_control);
    if is_list || has_controls { Err(Fault::OfRequest) } else { Ok(()) }
}

/// Refuses names that some servers take for one of ours (`X_Original_URI`), and `Connection` tokens that would make a
/// proxy drop one.
fn refuse_aliases(
    headers: &HeaderMap,
    profile: &GatewayProfile,
    version_header: Option<&str>,
) -> Result<(), Fault> {
    let is_ours = |name: &str| {
        let one_of = |names: &[&str]| names.iter().any(|ours| ours.eq_ignore_ascii_case(name));
        profile.headers().any(|(_, ours)| ours.eq_ignore_ascii_case(name))
            || one_of(&IDENTITY_HEADERS)
            || CREDENTIAL.eq_ignore_ascii_case(name)
            || AUTHORIZATION.as_str().eq_ignore_ascii_case(name)
            || version_header.is_some_and(|ours| ours.eq_ignore_ascii_case(name))
    };
    let is_alias = |name: &HeaderName| plain(name.as_str()).is_some_and(|plain| is_ours(&plain));
    let mut dropped =
        headers.get_all(CONNECTION).iter().flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
    let names_ours = dropped.any(|token| {
        let token = String::from_utf8_lossy(token.trim_ascii());
        is_ours(&token) || plain(&token).is_some_and(|plain| is_ours(&plain))
    });
    if names_ours || headers.keys().any(is_alias) { Err(Fault::OfRequest) } else { Ok(()) }
}

/// A name with everything but letters, digits and hyphens made a hyphen; `None` where there is nothing to make.
fn plain(name: &str) -> Option<String> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let mapped = || name.chars().map(|letter| if is_plain(letter) { letter } else { '-' }).collect();
    (!name.chars().all(is_plain)).then(mapped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Recipe;

    const GOOD: [(&str, &str); 4] = [
        ("x-original-method", "GET"),
        ("x-original-uri", "/Advertisers?a=1,2"),
        ("x-original-address", "203.0.113.5"),
        ("authorization", "Bearer x"),
    ];

    fn read(pairs: &[(&str, &str)]) -> Result<(String, String, IpAddr), Fault> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let question = Question { method: b"GET", host: b"", target: None, headers: &headers };
        Original::read(&question, &Recipe::Nginx.profile(), Some("api-version"))
            .map(|original| (text(original.method), text(original.uri), original.address))
    }

    #[test]
    fn the_three_headers_of_the_profile_are_read() {
        let (method, uri, address) = read(&GOOD).unwrap();
        assert_eq!((method.as_str(), uri.as_str()), ("GET", "/Advertisers?a=1,2"));
        assert_eq!(address, IpAddr::from([203, 0, 113, 5]));
        for extra in [
            ("x-forwarded-uri", "/other"),
            ("x-countersign-sid", "BR1"),
            ("connection", "close, TE"),
            ("some_header", "x"),
        ] {
            let with = [GOOD.as_slice(), &[extra]].concat();
            assert!(read(&with).is_ok(), "{extra:?} is ignored");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for extra in [
            ("x-original-uri", "/a"),
            ("x-original-method", "POST"),
            ("x-original-address", "10.0.0.1"),
            ("x_original_uri", "/a"),
            ("X-Original_Uri", "/a"),
            ("x.original.method", "GET"),
            ("x~original~address", "10.0.0.1"),
            ("x_countersign_sid", "BR1"),
            ("x-countersign.account", "acc"),
            ("x_countersign-gateway", "x"),
            ("api_version", "14"),
            ("connection", "X-Original-URI"),
            ("connection", "close, authorization"),
            ("connection", "keep-alive,x-countersign-scope"),
            ("connection", "X_Countersign_Gateway"),
            ("Connection", "api-version"),
        ] {
            let with = [GOOD.as_slice(), &[extra]].concat();
            assert_eq!(read(&with).unwrap_err(), Fault::OfRequest, "{extra:?}");
        }
    }

    #[test]
    fn values_that_are_lists_are_refused_and_missing_ones_are_the_gateways_fault() {
        let replaced = |name: &str, value: &'static str| {
            GOOD.map(|(known, before)| if known == name { (known, value) } else { (known, before) })
        };
        for (name, value) in [
            ("x-original-method", "GET,POST"),
            ("x-original-method", "GET\tPOST"),
            ("x-original-uri", "/a,/b"),
            ("x-original-uri", "/a?b=c,/d"),
            ("x-original-uri", "/a\t"),
        ] {
            assert_eq!(read(&replaced(name, value)).unwrap_err(), Fault::OfRequest, "{name}: {value}");
        }
        for name in ["x-original-method", "x-original-uri", "x-original-address"] {
            let without: Vec<_> = GOOD.into_iter().filter(|(known, _)| *known != name).collect();
            assert_eq!(read(&without).unwrap_err(), Fault::OfGateway(name.to_owned()));
        }
        for value in ["", "unix:", "unknown", "10.0.0.1, ", "10.0.0.256", "fe80::1%eth0"] {
            let fault = read(&replaced("x-original-address", value)).unwrap_err();
            assert_eq!(fault, Fault::OfGateway("x-original-address".to_owned()), "{value:?}");
        }
    }
}
