//! Crockford's base32 of 128 bits, in 26 characters with two zero bits in front. Strict: one text for one value,
//! so no lower case, no look-alikes and no check character are accepted here.

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters that 128 bits take.
pub const LEN: usize = 26;

/// Writes 128 bits as 26 characters.
pub fn encode(bits: u128) -> String {
    (0..LEN).rev().map(|place| char::from(ALPHABET[(bits >> (place * 5) & 31) as usize])).collect()
}

/// Reads 26 characters; `None` for any other text, and for a value of more than 128 bits.
pub fn decode(text: &str) -> Option<u128> {
    if text.len() != LEN {
        return None;
    }
    let mut bits: u128 = 0;
    for (place, byte) in text.bytes().enumerate() {
        let digit = ALPHABET.iter().position(|&letter| letter == byte)? as u128;
        if place == 0 && digit > 7 {
            return None;
        }
        bits = bits << 5 | digit;
    }
    Some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back(bits: u128) {
            prop_assert_eq!(decode(&encode(bits)), Some(bits));
        }

        #[test]
        fn only_one_text_has_a_value(text in "[0-9A-Za-z]{26}") {
            if let Some(bits) = decode(&text) {
                prop_assert_eq!(encode(bits), text);
            }
        }
    }
}
