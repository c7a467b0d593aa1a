//! Bytes as lower-case hexadecimal digits and back, for hashes and signatures that people and other programs read.

use std::fmt::Write as _;

/// The digits of these bytes.
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of these digits, at most `max`; `None` for anything else.
pub fn decode(text: &str, max: usize) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() || pairs.len() > max {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_digits_is_nothing() {
        for text in ["0", "0g", "+1", " 1", "é", "000"] {
            assert_eq!(decode(text, 64), None, "{text:?}");
        }
        assert_eq!(decode("00FF", 2), Some(vec![0, 255]));
        assert_eq!(decode("00ff00", 2), None, "longer than asked for");
    }

    proptest! {
        #[test]
        fn there_and_back(bytes: Vec<u8>) {
            prop_assert_eq!(decode(&encode(&bytes), bytes.len()), Some(bytes));
        }
    }
}
