//! Texts that people give: names, descriptions, e-mail addresses. Trimmed, in Unicode normalisation form C, without
//! control or bidirectional formatting characters, so that what is shown is what was typed.

use std::{fmt, str::FromStr};

use icu_casemap::CaseMapper;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use crate::limits::{DESCRIPTION_CHARS_MAX, EMAIL_BYTES_MAX, NAME_CHARS_MAX, PERSON_NAME_CHARS_MAX};

/// The name of a token: 1 to 100 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct TokenName(String);

/// The name of a person or an account: 1 to 100 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct PersonName(String);

/// A description: up to 500 characters, line feeds allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Description(String);

/// An e-mail address, as typed; compared by [`EmailAddress::key`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is left after trimming.
    #[error("it must not be empty")]
    Empty,
    /// Longer than the limit.
    #[error("it has {length} characters; the limit is {limit}")]
    TooLong {
        /// Characters it has.
        length: usize,
        /// Characters it may have.
        limit: usize,
    },
    /// Holds a character nobody can see.
    #[error(
        "it holds the invisible character U+{code:04X}; control and text direction characters are not allowed"
    )]
    Invisible {
        /// The code point.
        code: u32,
    },
    /// Not the form of an e-mail address.
    #[error("it is not an e-mail address such as name@example.com")]
    NotAnEmail,
}

impl TokenName {
    /// Cleans and checks a name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        one_line(text, NAME_CHARS_MAX).map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What makes two names the same: case folded.
    pub fn key(&self) -> String {
        fold(&self.0)
    }

    /// `Copy of …`, cut so that it fits, numbered from the second copy on.
    #[must_use]
    pub fn copy_of(&self, number: u32) -> Self {
        let front = if number < 2 { "Copy of ".to_owned() } else { format!("Copy {number} of ") };
        let room = NAME_CHARS_MAX - front.chars().count();
        let rest: String = self.0.chars().take(room).collect();
        Self(format!("{front}{rest}").trim_end().to_owned())
    }
}

impl PersonName {
    /// Cleans and checks a name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        one_line(text, PERSON_NAME_CHARS_MAX).map(Self)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What search compares: case folded.
    pub fn key(&self) -> String {
        fold(&self.0)
    }
}

impl Description {
    /// Cleans and checks a description.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text: String = text.replace("\r\n", "\n").trim().nfc().collect();
        refuse_invisible(text.chars().filter(|&letter| letter != '\n'))?;
        refuse_long(&text, DESCRIPTION_CHARS_MAX)?;
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl EmailAddress {
    /// Checks the form: a local part of RFC 5321 dot-atoms (UTF-8 letters allowed, RFC 6531), and a domain of at least
    /// two labels. Whether anybody reads it, only a mail can tell.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text: String = text.trim().nfc().collect();
        refuse_invisible(text.chars())?;
        if text.len() > EMAIL_BYTES_MAX {
            return Err(NameError::TooLong { length: text.len(), limit: EMAIL_BYTES_MAX });
        }
        let (local, domain) = text.rsplit_once('@').ok_or(NameError::NotAnEmail)?;
        let local_fits = (1..=64).contains(&local.len()) && local.split('.').all(is_atom);
        let labels: Vec<&str> = domain.split('.').collect();
        let named = labels.last().is_some_and(|last| !last.bytes().all(|byte| byte.is_ascii_digit()));
        if local_fits && named && labels.len() >= 2 && labels.iter().all(|label| is_label(label)) {
            Ok(Self(text))
        } else {
            Err(NameError::NotAnEmail)
        }
    }

    /// The address as typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What makes two addresses the same person's: case folded.
    pub fn key(&self) -> String {
        fold(&self.0)
    }
}

impl FromStr for EmailAddress {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

/// Simple case folding, locale independent: what uniqueness and search compare on every database.
pub fn fold(text: &str) -> String {
    let folded = CaseMapper::new().fold_string(text);
    folded.nfc().collect()
}

pub(crate) fn one_line(text: &str, limit: usize) -> Result<String, NameError> {
    let text: String = text.trim().nfc().collect();
    refuse_invisible(text.chars())?;
    refuse_long(&text, limit)?;
    if text.is_empty() { Err(NameError::Empty) } else { Ok(text) }
}

pub(crate) fn refuse_long(text: &str, limit: usize) -> Result<(), NameError> {
    let length = text.chars().count();
    if length > limit { Err(NameError::TooLong { length, limit }) } else { Ok(()) }
}

pub(crate) fn refuse_invisible(mut letters: impl Iterator<Item = char>) -> Result<(), NameError> {
    match letters.find(|&letter| is_invisible(letter)) {
        Some(letter) => Err(NameError::Invisible { code: u32::from(letter) }),
        None => Ok(()),
    }
}

fn is_invisible(letter: char) -> bool {
    // Zero-width joiners are format characters too, but several scripts and emoji cannot be written without them.
    let joins = matches!(letter, '\u{200c}' | '\u{200d}');
    let category = letter.general_category();
    let hidden = matches!(
        category,
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::PrivateUse
            | GeneralCategory::Unassigned
    );
    hidden && !joins
}

fn is_atom(atom: &str) -> bool {
    !atom.is_empty()
        && atom.chars().all(|letter| letter.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(letter))
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

impl<'de> Deserialize<'de> for TokenName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for PersonName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Description {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for EmailAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl Serialize for EmailAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names() {
        assert_eq!(TokenName::parse("  Storefront  ").unwrap().as_str(), "Storefront");
        assert_eq!(TokenName::parse("Cafe\u{301}").unwrap().as_str(), "Caf\u{e9}");
        assert_eq!(
            TokenName::parse("STRASSE").unwrap().key(),
            TokenName::parse("stra\u{df}e").unwrap().key()
        );
        assert_eq!(TokenName::parse(" "), Err(NameError::Empty));
        assert_eq!(TokenName::parse(&"x".repeat(101)), Err(NameError::TooLong { length: 101, limit: 100 }));
        for hidden in ["a\0b", "a\nb", "a\u{202e}b", "a\u{2066}b", "\u{feff}a", "a\u{7f}"] {
            assert!(matches!(TokenName::parse(hidden), Err(NameError::Invisible { .. })), "{hidden:?}");
        }
        assert_eq!(TokenName::parse(&"x".repeat(100)).unwrap().copy_of(1).as_str().chars().count(), 100);
        assert!(Description::parse("two\nlines").is_ok());
    }

    #[test]
    fn addresses() {
        for good in
            ["a@example.com", "first.last+tag@sub.example.co", "\u{674e}@example.cn", "o'neil@example.ie"]
        {
            assert!(EmailAddress::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "a@",
            "@example.com",
            "a@b",
            "a b@example.com",
            "a@example..com",
            "a@-x.com",
            ".a@x.com",
            "a@1.2.3.4",
            "a@x.com\r\nBcc: b@x.com",
            "\"a\"@x.com",
            "a@@x.com",
        ] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_cleaned_text_stays_as_it_is(text in "\\PC{0,120}") {
            if let Ok(name) = TokenName::parse(&text) {
                prop_assert_eq!(TokenName::parse(name.as_str()), Ok(name.clone()));
            }
            if let Ok(email) = EmailAddress::parse(&text) {
                prop_assert_eq!(EmailAddress::parse(email.as_str()), Ok(email.clone()));
            }
            let _ = Description::parse(&text);
        }
    }
}
