//! What an operator may write in an announcement: a subject on one line, and a plain text.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use unicode_normalization::UnicodeNormalization as _;

use crate::{
    limits::{ANNOUNCEMENT_CHARS_MAX, SUBJECT_CHARS_MAX},
    name::{NameError, refuse_invisible, refuse_long},
};

/// The subject of an announcement: up to 200 characters on one line. It may be empty where another language stands in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Subject(String);

/// The text of an announcement: plain, up to 10,000 characters, line feeds allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Body(String);

impl Subject {
    /// Cleans and checks a subject.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text: String = text.trim().nfc().collect();
        refuse_invisible(text.chars())?;
        refuse_long(&text, SUBJECT_CHARS_MAX)?;
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Body {
    /// Cleans and checks a text.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text: String = text.replace("\r\n", "\n").trim().nfc().collect();
        refuse_invisible(text.chars().filter(|&letter| letter != '\n'))?;
        refuse_long(&text, ANNOUNCEMENT_CHARS_MAX)?;
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_written() {
        assert_eq!(Subject::parse("  Version 15 is here ").unwrap().as_str(), "Version 15 is here");
        assert_eq!(Body::parse("one\r\n\r\ntwo\n").unwrap().as_str(), "one\n\ntwo");
        assert!(Subject::parse(&"x".repeat(SUBJECT_CHARS_MAX)).is_ok());
        assert!(Body::parse(&"版".repeat(ANNOUNCEMENT_CHARS_MAX)).is_ok());
        for bad in ["two\nlines", "a\rb", "a\0b", "turned \u{202e}around", &"x".repeat(SUBJECT_CHARS_MAX + 1)]
        {
            assert!(Subject::parse(bad).is_err(), "{bad:?}");
        }
        for bad in ["a\0b", "turned \u{202e}around", "bell \u{7}", &"x".repeat(ANNOUNCEMENT_CHARS_MAX + 1)] {
            assert!(Body::parse(bad).is_err(), "{}", bad.len());
        }
    }
}
