//! The address of a database on a server. It may hold a password, so it says of itself only the rest.

use std::fmt;

use zeroize::Zeroizing;

use crate::{Error, db::Target};

/// What stands in place of a password.
const HIDDEN: &str = "[redacted]";

/// An address `postgres://…` that can be understood.
#[derive(Clone)]
pub struct DatabaseUrl(Zeroizing<String>);

impl DatabaseUrl {
    /// Reads one; `Unavailable` says what is wrong without telling the password.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Target::parse(text)?;
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// All of it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether there is a password in it.
    pub fn has_password(&self) -> bool {
        self.to_string() != *self.0
    }
}

impl fmt::Display for DatabaseUrl {
    /// Without its password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, query) = self.0.split_once('?').map_or((self.0.as_str(), None), |(a, b)| (a, Some(b)));
        let (scheme, rest) = place.split_once("://").unwrap_or(("", place));
        // An `@` may stand in a password; the host begins behind the last one.
        match rest.rsplit_once('@') {
            Some((who, host)) => match who.split_once(':') {
                Some((user, _)) => write!(f, "{scheme}://{user}:{HIDDEN}@{host}")?,
                None => write!(f, "{scheme}://{who}@{host}")?,
            },
            None => write!(f, "{scheme}://{rest}")?,
        }
        let Some(query) = query else { return Ok(()) };
        let pairs: Vec<String> = query
            .split('&')
            .map(|pair| match pair.split_once('=') {
                Some((name, _)) if name.contains("pass") || name.contains('%') => format!("{name}={HIDDEN}"),
                _ => pair.to_owned(),
            })
            .collect();
        write!(f, "?{}", pairs.join("&"))
    }
}

impl fmt::Debug for DatabaseUrl {
    /// Without its password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_never_shown() {
        for (url, shown) in [
            ("postgres://u@h:5432/c", "postgres://u@h:5432/c"),
            ("postgres://u:hunter2@h/c?sslmode=require", "postgres://u:[redacted]@h/c?sslmode=require"),
            ("postgres://u:hun%40ter2@h/c", "postgres://u:[redacted]@h/c"),
            (
                "postgresql:///c?host=/run&user=u&password=hunter2",
                "postgresql:///c?host=/run&user=u&password=[redacted]",
            ),
        ] {
            let parsed = DatabaseUrl::parse(url).unwrap();
            assert_eq!(parsed.to_string(), shown);
            assert_eq!(format!("{parsed:?}"), shown);
            assert_eq!(parsed.has_password(), url != shown);
            assert_eq!(parsed.reveal(), url);
        }
        assert!(!format!("{:?}", DatabaseUrl::parse("postgres://u:hunter2@h:x/c")).contains("hunter2"));
    }
}
