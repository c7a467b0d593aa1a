//! Where the gateway is and what is asked of it. Only plain HTTP: what a probe sends must reach the gateway byte for byte,
//! so it is asked where TLS is already taken off, or at a listener of its own.

use http::Uri;

use crate::recipe::Endpoint;

/// The gateway.
#[derive(Debug, Clone)]
pub struct Target {
    /// Host and port.
    endpoint: Endpoint,
    /// The value of `Host`.
    pub authority: String,
    /// A path the token may call by GET.
    pub path: String,
    /// Other paths nobody may call without a credential.
    pub closed_paths: Vec<String>,
}

impl Target {
    /// Reads `http://host[:port]`, the path that may be called, and others that nobody may.
    pub fn parse(url: &str, path: &str, closed_paths: &[String]) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!("{url:?} {why}; give the gateway's plain listener, such as http://127.0.0.1:8080")
        };
        let uri: Uri = url.parse().map_err(|_| wrong("is no URL"))?;
        if uri.scheme_str() != Some("http") {
            return Err(wrong("does not begin with http://"));
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong("has a path; give it with --path"));
        }
        let authority = uri.authority().ok_or_else(|| wrong("has no host"))?;
        let endpoint = format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80)).parse()?;
        if !is_path(path) || path.contains("//") || path == "/" {
            return Err(format!("{path:?} is no path that a token may call, such as /Advertisers/…/Actions"));
        }
        if let Some(wrong) = closed_paths.iter().find(|path| !is_path(path)) {
            return Err(format!("{wrong:?} is no path of a request"));
        }
        Ok(Self {
            endpoint,
            authority: authority.as_str().to_owned(),
            path: path.to_owned(),
            closed_paths: closed_paths.to_vec(),
        })
    }

    /// Where to connect to.
    pub fn address(&self) -> String {
        self.endpoint.written()
    }

    /// The path without its query.
    pub fn bare_path(&self) -> &str {
        self.path.split_once('?').map_or(&self.path, |(path, _)| path)
    }
}

/// What may stand in a request line as it is.
fn is_path(text: &str) -> bool {
    text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_plain_urls_and_paths_are_taken() {
        let target = Target::parse("http://[::1]:8080/", "/a/b?c=d", &[]).unwrap();
        assert_eq!((target.address().as_str(), target.bare_path()), ("[::1]:8080", "/a/b"));
        assert_eq!(Target::parse("http://a.example", "/a", &[]).unwrap().address(), "a.example:80");
        for (url, path) in [
            ("https://a", "/a"),
            ("a:80", "/a"),
            ("http://", "/a"),
            ("http://a/b", "/a"),
            ("http://a?b", "/a"),
            ("http://a", "a"),
            ("http://a", "/"),
            ("http://a", "/a b"),
            ("http://a", "//a"),
            ("http://a", "/a\r\nX: y"),
        ] {
            assert!(Target::parse(url, path, &[]).is_err(), "{url} {path:?}");
        }
    }
}
