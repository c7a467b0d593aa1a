//! The Account SID: a token's public identifier, and the user name in HTTP Basic. Not a secret. It is held without heap,
//! because every answer about a token carries one.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use subtle::{Choice, ConstantTimeEq};

use crate::{bytes::all, crockford, limits::SID_BYTES_MAX};

/// A valid SID: 1 to 64 characters of `[A-Za-z0-9_-]`, compared byte for byte.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid {
    /// Zero behind the text; no text has a zero, so the order is that of the texts.
    bytes: [u8; SID_BYTES_MAX],
    len: u8,
}

/// A SID in our own form, as numbers: what a compact table keeps of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MintedSid {
    /// Two upper-case letters.
    pub kind_code: [u8; 2],
    /// The 128 bits behind them.
    pub bits: u128,
}

/// Why a text is not a SID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an Account SID is 1 to {SID_BYTES_MAX} characters of A-Z, a-z, 0-9, `_` and `-`")]
pub struct SidError;

impl Sid {
    /// Whether the bytes have the form of a SID.
    pub fn is_valid(bytes: &[u8]) -> bool {
        (1..=SID_BYTES_MAX).contains(&bytes.len())
            && all(bytes, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    }

    /// Makes a SID in our own form: a two-letter kind code (`BR`) and 26 characters of Crockford base32.
    pub fn mint(kind_code: [u8; 2], random: [u8; 16]) -> Self {
        MintedSid {
            kind_code: kind_code.map(|letter| letter.to_ascii_uppercase()),
            bits: u128::from_be_bytes(random),
        }
        .sid()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The bytes of the text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The numbers of a SID in our own form; `None` for any other, as imports may bring.
    pub fn minted(&self) -> Option<MintedSid> {
        let (code, digits) = self.as_bytes().split_first_chunk::<2>()?;
        let bits = crockford::decode_bytes(digits)?;
        code.iter().all(u8::is_ascii_uppercase).then_some(MintedSid { kind_code: *code, bits })
    }

    /// Takes bytes that are known to be valid.
    fn of(text: &[u8]) -> Self {
        let mut bytes = [0; SID_BYTES_MAX];
        bytes[..text.len()].copy_from_slice(text);
        // At most 64.
        Self { bytes, len: u8::try_from(text.len()).unwrap_or(0) }
    }
}

impl ConstantTimeEq for Sid {
    /// A word at a time: what is behind a text is zero in both, or they differ.
    fn ct_eq(&self, other: &Self) -> Choice {
        let (words, _) = self.bytes.as_chunks::<8>();
        let (others, _) = other.bytes.as_chunks::<8>();
        let differing = words
            .iter()
            .zip(others)
            .fold(0, |seen, (one, other)| seen | u64::from_ne_bytes(*one) ^ u64::from_ne_bytes(*other));
        differing.ct_eq(&0)
    }
}

impl MintedSid {
    /// The SID with these numbers.
    pub fn sid(self) -> Sid {
        let mut text = [0; 2 + crockford::LEN];
        text[..2].copy_from_slice(&self.kind_code);
        text[2..].copy_from_slice(&crockford::encode_bytes(self.bits));
        Sid::of(&text)
    }
}

impl FromStr for Sid {
    type Err = SidError;

    fn from_str(text: &str) -> Result<Self, SidError> {
        Self::try_from(text.as_bytes())
    }
}

impl TryFrom<&[u8]> for Sid {
    type Error = SidError;

    fn try_from(text: &[u8]) -> Result<Self, SidError> {
        if Self::is_valid(text) { Ok(Self::of(text)) } else { Err(SidError) }
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Sid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
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

    #[test]
    fn only_our_own_form_has_numbers() {
        for text in [
            "BR",
            "br7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "BR8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "B17ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        ] {
            assert_eq!(text.parse::<Sid>().unwrap().minted(), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn numbers_and_text_are_one_thing(bits: u128, code in "[A-Z]{2}") {
            let sid = Sid::mint(code.as_bytes().try_into().unwrap(), bits.to_be_bytes());
            let minted = sid.minted().unwrap();
            prop_assert_eq!(minted.bits, bits);
            prop_assert_eq!(minted.sid(), sid);
        }

        #[test]
        fn order_is_that_of_the_texts(one in "[A-Za-z0-9_-]{1,64}", other in "[A-Za-z0-9_-]{1,64}") {
            let (first, second): (Sid, Sid) = (one.parse().unwrap(), other.parse().unwrap());
            prop_assert_eq!(first.cmp(&second), one.cmp(&other));
            prop_assert_eq!(first.as_str(), one);
        }

        #[test]
        fn exactly_the_alphabet_is_a_sid(text in "\\PC{0,70}") {
            let oracle = !text.is_empty() && text.len() <= 64
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
            prop_assert_eq!(text.parse::<Sid>().is_ok(), oracle);
        }
    }
}
