//! Crockford's base32 of 128 bits, in 26 characters with two zero bits in front. Strict: one text for one value,
//! so no lower case, no look-alikes and no check character are accepted here.

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters that 128 bits take.
pub const LEN: usize = 26;

/// The digit of each character; 255 for one that is none.
const DIGITS: [u8; 256] = digits();
const NO_DIGIT: u8 = 255;

const fn digits() -> [u8; 256] {
    let mut digits = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < 32 {
        digits[ALPHABET[digit as usize] as usize] = digit;
        digit += 1;
    }
    digits
}

/// Writes 128 bits as 26 characters, without a heap: every answer writes some.
pub fn encode_bytes(bits: u128) -> [u8; LEN] {
    let mut text = [0; LEN];
    // 13 digits are 65 bits, so the front is 63 bits.
    let (mut front, mut rest) = ((bits >> 65) as u64, bits);
    for place in (0..LEN / 2).rev() {
        text[place] = ALPHABET[(front & 31) as usize];
        front >>= 5;
        text[place + LEN / 2] = ALPHABET[(rest & 31) as usize];
        rest >>= 5;
    }
    text
}

/// Reads 26 characters; `None` for any other text, and for a value of more than 128 bits.
pub fn decode(text: &str) -> Option<u128> {
    decode_bytes(text.as_bytes())
}

/// The same of bytes.
pub fn decode_bytes(text: &[u8]) -> Option<u128> {
    let text: &[u8; LEN] = text.try_into().ok()?;
    let half = |digits: &[u8]| -> Option<u128> {
        digits.iter().try_fold(0_u128, |bits, &byte| {
            let digit = DIGITS[usize::from(byte)];
            (digit != NO_DIGIT).then_some(bits << 5 | u128::from(digit))
        })
    };
    let (front, rest) = text.split_at(LEN / 2);
    let front = half(front).filter(|front| front >> 63 == 0)?;
    Some(front << 65 | half(rest)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back(bits: u128) {
            prop_assert_eq!(decode_bytes(&encode_bytes(bits)), Some(bits));
        }

        #[test]
        fn only_one_text_has_a_value(text in "[0-9A-Za-z]{26}") {
            if let Some(bits) = decode(&text) {
                prop_assert_eq!(encode_bytes(bits).to_vec(), text.into_bytes());
            }
        }
    }
}
