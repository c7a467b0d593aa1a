//! Credentials where none may be: in the query and in the user part of a URL. URLs are logged on the way, so whoever
//! sends a secret in one hears of it, even when a right one came in its place. Nothing found here is ever looked up.

use countersign_model::{
    route::Request,
    secret::{SecretFormat, Shape, is_like_access_token},
};

use crate::limits::MINTED_SECRET_BYTES_MAX;

/// Whether a name or value of the query has the form of one of our secrets or access tokens.
pub(crate) fn in_query(request: &Request<'_>, format: &SecretFormat) -> bool {
    request.query.is_some()
        && request
            .parameters()
            .any(|(name, value)| holds_secret(&name, format) || holds_secret(&value, format))
}

/// Whether a target in absolute form (RFC 9112 section 3.2.2) names a user: `https://SID:secret@host/`.
pub(crate) fn in_user_part(uri: &[u8]) -> bool {
    let Some(colon) = uri.windows(3).position(|window| window == b"://") else { return false };
    let (scheme, rest) = (&uri[..colon], &uri[colon + 3..]);
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
    let named = scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte));
    named && rest[..end].contains(&b'@')
}

/// Some old back ends take `;` for `&`, and some clients write the scheme in front; so the parts are looked at.
fn holds_secret(text: &str, format: &SecretFormat) -> bool {
    let is_minted =
        |part: &[u8]| part.len() <= MINTED_SECRET_BYTES_MAX && format.shape(part) == Shape::Minted;
    text.split([';', ' ', ':', ',', '"'])
        .map(str::as_bytes)
        .any(|part| is_minted(part) || is_like_access_token(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_wherever_it_hides_in_a_query() {
        let format = SecretFormat::standard();
        let mut next = 0_u8;
        let secret = format.mint(&mut |buffer| {
            for byte in buffer {
                next = next.wrapping_add(41);
                *byte = next;
            }
        });
        let secret = secret.expose();
        let access = format!("csat_{}", "Ab-_0".repeat(20));
        let escaped = secret.replacen('c', "%63", 1);
        let parameters = [
            "token",
            "access_token",
            "api_key",
            "apikey",
            "key",
            "auth",
            "auth_token",
            "Authorization",
            "password",
            "secret",
            "pass",
            "pwd",
            "t",
            "code",
            "credential",
            "AuthToken",
            "x",
            "sid",
            "_method2",
            "%74oken",
        ];
        for name in parameters {
            for value in [
                secret,
                &escaped,
                &access,
                &format!("Bearer%20{access}"),
                &format!("Bearer+{secret}"),
                &format!("BR1%3A{secret}"),
                &format!("1;b={secret}").replace("b=", ""),
            ] {
                let uri = format!("/a?first=1&{name}={value}&last");
                let request = Request::read(b"GET", uri.as_bytes(), false).unwrap();
                assert!(in_query(&request, &format), "{name}={value}");
            }
        }
        let request = |uri: &str| in_query(&Request::read(b"GET", uri.as_bytes(), false).unwrap(), &format);
        assert!(request(&format!("/a?{secret}")));
        assert!(request(&format!("/a?{secret}=1")));
        for fine in [
            "/a",
            "/a?",
            "/a?token=csign_x",
            "/a?token=AKIA",
            "/a?q=csat_scores",
            &format!("/a?q=csat_{}", "a.b".repeat(40)),
            &format!("/a?x={secret}x"),
            &format!("/{secret}"),
        ] {
            assert!(!request(fine), "{fine}");
        }
    }

    #[test]
    fn a_user_part_is_found_in_absolute_form_only() {
        for (uri, found) in [
            ("https://BR1:secret@api.example/Advertisers", true),
            ("http://BR1@api.example", true),
            ("x+y://a@b?c", true),
            ("https://api.example/a@b", false),
            ("https://api.example?a@b", false),
            ("/a@b/c", false),
            ("/a?next=https://a:b@c/", false),
            ("://a@b", false),
            ("", false),
        ] {
            assert_eq!(in_user_part(uri.as_bytes()), found, "{uri}");
        }
    }
}
