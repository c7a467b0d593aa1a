//! The Account SID: a token's public identifier, and the user name in HTTP Basic. Not a secret.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{crockford, limits::SID_BYTES_MAX};

/// A valid SID: 1 to 64 characters of `[A-Za-z0-9_-]`, compared byte for byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid(Box<str>);

/// Why a text is not a SID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an Account SID is 1 to {SID_BYTES_MAX} characters of A-Z, a-z, 0-9, `_` and `-`")]
pub struct SidError;

impl Sid {
    /// Whether the bytes have the form of a SID.
    pub fn is_valid(bytes: &[u8]) -> bool {
        (1..=SID_BYTES_MAX).contains(&bytes.len())
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    }

    /// Makes a SID in our own form: a two-letter kind code (`BR`) and 26 characters of Crockford base32.
    pub fn mint(kind_code: [u8; 2], random: [u8; 16]) -> Self {
        let code = kind_code.map(|letter| char::from(letter.to_ascii_uppercase()));
        Self(format!("{}{}{}", code[0], code[1], crockford::encode(u128::from_be_bytes(random))).into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Sid {
    type Err = SidError;

    fn from_str(text: &str) -> Result<Self, SidError> {
        if Self::is_valid(text.as_bytes()) { Ok(Self(text.into())) } else { Err(SidError) }
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Sid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Sid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_minted_sid_has_our_form() {
        let sid = Sid::mint(*b"BR", [0xff; 16]);
        assert_eq!(sid.as_str(), "BR7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
        assert_eq!(sid.as_str().parse::<Sid>().unwrap(), sid);
    }

    proptest! {
        #[test]
        fn exactly_the_alphabet_is_a_sid(text in "\\PC{0,70}") {
            let oracle = !text.is_empty() && text.len() <= 64
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
            prop_assert_eq!(text.parse::<Sid>().is_ok(), oracle);
        }
    }
}
