//! The Auth Token: minted, recognised, checked. A `Secret` cannot be printed, compared or cloned, and is zeroed when
//! dropped. Its checksum catches typing errors and feeds secret scanners; it is not security.

use zeroize::Zeroizing;

use crate::{bytes, limits::SECRET_BYTES_MAX};

/// Random characters of a minted secret: 32 of 62, about 190 bits.
const RANDOM_LEN: usize = 32;
/// Characters of the checksum.
const CHECKSUM_LEN: usize = 6;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What every access token begins with. No prefix of secrets can be the same: those have five letters or more.
pub const ACCESS_TOKEN_PREFIX: &str = "csat_";
/// Shorter than any access token, in bytes: what has fewer is a word that begins like one.
const ACCESS_TOKEN_BYTES_MIN: usize = 64;

/// A secret in the clear. Reaching its bytes has a name that is easy to search for.
pub struct Secret(Zeroizing<String>);

/// The text before the underscore of every secret of an installation, with the underscore: `csign_`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretPrefix(String);

/// The prefixes an installation knows: one to mint with, former ones still accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFormat {
    current: SecretPrefix,
    former: Vec<SecretPrefix>,
}

/// What a presented secret looks like, before any look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One of ours with a right checksum.
    Minted,
    /// Not ours: brought in by an import, or made up.
    Imported,
    /// Has one of our prefixes and cannot be ours. Refused without a look-up.
    Broken,
}

/// Why a text is not a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret prefix is a lower-case letter, 4 to 14 lower-case letters or digits, and an underscore")]
pub struct PrefixError;

/// Why a text cannot be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret is 1 to {SECRET_BYTES_MAX} printable ASCII characters without spaces or colons")]
pub struct SecretError;

/// Whether a text has the form of an access token. Only who holds the key can say whether it is one.
pub fn is_like_access_token(text: &[u8]) -> bool {
    text.len() >= ACCESS_TOKEN_BYTES_MIN
        && text.starts_with(ACCESS_TOKEN_PREFIX.as_bytes())
        && bytes::all(text, |byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

impl Secret {
    /// Takes in a secret as somebody wrote it: 1 to 256 visible ASCII characters. A colon would make the user name
    /// and password of HTTP Basic ambiguous for people, so it is refused too.
    pub fn parse(text: String) -> Result<Self, SecretError> {
        let text = Zeroizing::new(text);
        let fits = (1..=SECRET_BYTES_MAX).contains(&text.len());
        let clean = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
        if fits && clean { Ok(Self(text)) } else { Err(SecretError) }
    }

    /// The secret in the clear, for the one answer that shows it and for the digest.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The last four characters, which lists may show.
    pub fn last4(&self) -> String {
        let start = self.0.len().saturating_sub(4);
        self.0.get(start..).unwrap_or_default().to_owned()
    }

    /// Whether guessing it is out of reach: at least 112 bits, counted generously by alphabet and length.
    pub fn is_strong(&self) -> bool {
        let mut classes = [false; 4];
        let mut distinct = [false; 128];
        for byte in self.0.bytes() {
            let class = match byte {
                b'0'..=b'9' => 0,
                b'a'..=b'z' => 1,
                b'A'..=b'Z' => 2,
                _ => 3,
            };
            classes[class] = true;
            distinct[usize::from(byte & 127)] = true;
        }
        let alphabet: u32 =
            classes.iter().zip([10, 26, 26, 32]).map(|(&used, size)| if used { size } else { 0 }).sum();
        let seen = distinct.iter().filter(|&&used| used).count();
        let bits =
            f64::from(alphabet.max(1)).log2() * f64::from(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        bits >= 112.0 && seen >= 8
    }
}

impl SecretPrefix {
    /// Reads `[a-z][a-z0-9]{4,14}_`.
    pub fn parse(text: &str) -> Result<Self, PrefixError> {
        let body = text.strip_suffix('_').ok_or(PrefixError)?;
        let starts = body.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
        let plain = body.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if (5..=15).contains(&body.len()) && starts && plain {
            Ok(Self(text.to_owned()))
        } else {
            Err(PrefixError)
        }
    }

    /// The prefix with its underscore.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SecretFormat {
    /// The format with the prefix to mint with and the former ones.
    pub fn new(current: SecretPrefix, former: Vec<SecretPrefix>) -> Self {
        Self { current, former }
    }

    /// `csign_` and no former prefix.
    pub fn standard() -> Self {
        Self { current: SecretPrefix("csign_".to_owned()), former: Vec::new() }
    }

    /// Makes a secret. `fill` fills a buffer with random bytes; bytes that would favour a letter are drawn again.
    pub fn mint(&self, fill: &mut dyn FnMut(&mut [u8])) -> Secret {
        let prefix = self.current.as_str();
        let mut text = Zeroizing::new(String::with_capacity(prefix.len() + RANDOM_LEN + CHECKSUM_LEN));
        text.push_str(prefix);
        let mut buffer = Zeroizing::new([0_u8; 64]);
        while text.len() < prefix.len() + RANDOM_LEN {
            fill(buffer.as_mut());
            let missing = prefix.len() + RANDOM_LEN - text.len();
            // 248 is the largest multiple of 62 a byte can hold.
            let letters = buffer.iter().filter(|&&byte| byte < 248).take(missing);
            letters.for_each(|&byte| text.push(char::from(BASE62[usize::from(byte % 62)])));
        }
        let checksum = checksum(text.as_bytes());
        text.extend(checksum.iter().map(|&byte| char::from(byte)));
        Secret(text)
    }

    /// What a presented secret looks like.
    pub fn shape(&self, presented: &[u8]) -> Shape {
        let prefix = std::iter::once(&self.current)
            .chain(&self.former)
            .find(|prefix| presented.starts_with(prefix.as_str().as_bytes()));
        let Some(prefix) = prefix else { return Shape::Imported };
        let body = &presented[prefix.as_str().len()..];
        if body.len() != RANDOM_LEN + CHECKSUM_LEN || !bytes::all(body, |byte| byte.is_ascii_alphanumeric()) {
            return Shape::Broken;
        }
        let (signed, written) = presented.split_at(presented.len() - CHECKSUM_LEN);
        if checksum(signed) == written { Shape::Minted } else { Shape::Broken }
    }

    /// The regular expression of our secrets, for secret scanners.
    pub fn regular_expression(&self) -> String {
        let prefixes: Vec<&str> =
            std::iter::once(&self.current).chain(&self.former).map(SecretPrefix::as_str).collect();
        format!("\\b(?:{})[0-9A-Za-z]{{{}}}\\b", prefixes.join("|"), RANDOM_LEN + CHECKSUM_LEN)
    }
}

/// CRC-32/ISO-HDLC of the bytes as six base62 characters, most significant first, padded with `0`.
fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_LEN] {
    let mut rest = crc32fast::hash(bytes);
    let mut text = [b'0'; CHECKSUM_LEN];
    for place in text.iter_mut().rev() {
        *place = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counting() -> impl FnMut(&mut [u8]) {
        let mut next = 0_u8;
        move |buffer| {
            for byte in buffer {
                next = next.wrapping_add(37);
                *byte = next;
            }
        }
    }

    #[test]
    fn a_minted_secret_is_recognised_and_its_checksum_is_the_published_one() {
        let format = SecretFormat::standard();
        let secret = format.mint(&mut counting());
        assert_eq!(secret.expose().len(), 6 + 32 + 6);
        assert_eq!(format.shape(secret.expose().as_bytes()), Shape::Minted);
        assert!(secret.is_strong());
        // CRC-32/ISO-HDLC of "123456789" is 0xCBF43926 = 3421780262 = "3jZQtu" in this base62.
        let mut value = 0_u64;
        for byte in checksum(b"123456789") {
            value = value * 62 + BASE62.iter().position(|&letter| letter == byte).unwrap() as u64;
        }
        assert_eq!(value, 0xCBF4_3926);
    }

    #[test]
    fn former_prefixes_stay_accepted() {
        let old = SecretFormat::new(SecretPrefix::parse("former_").unwrap(), Vec::new());
        let new = SecretFormat::new(
            SecretPrefix::parse("newer_").unwrap(),
            vec![SecretPrefix::parse("former_").unwrap()],
        );
        let secret = old.mint(&mut counting());
        assert_eq!(new.shape(secret.expose().as_bytes()), Shape::Minted);
        assert_eq!(SecretFormat::standard().shape(secret.expose().as_bytes()), Shape::Imported);
        for bad in ["", "_", "abcd_", "1bcde_", "Abcde_", "abcde", "abcdefghijklmnop_", "ab-de_"] {
            assert!(SecretPrefix::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn one_changed_character_breaks_the_checksum(place in 6_usize..44, letter in "[0-9A-Za-z]") {
            let format = SecretFormat::standard();
            let mut text = format.mint(&mut counting()).expose().as_bytes().to_vec();
            let letter = letter.as_bytes()[0];
            let same = text[place] == letter;
            text[place] = letter;
            prop_assert_eq!(format.shape(&text), if same { Shape::Minted } else { Shape::Broken });
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = SecretFormat::standard().shape(&bytes);
        }
    }
}
