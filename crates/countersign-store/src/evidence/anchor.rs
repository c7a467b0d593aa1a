//! The anchor: how far a database had come, in a few lines with a MAC, kept where whoever can write the database cannot
//! write. A database that is not as far, or came another way, was put back to an earlier state. Where it is kept and
//! when it is renewed is the caller's.

use std::fmt::Write as _;

use countersign_model::change::Seq;

use super::{key::Keyring, key::RowKey, mac::same};

/// The first line: what this is, and in which form.
const HEAD: &str = "countersign anchor 1";

/// How far a database has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Which installation.
    pub cluster: String,
    /// How often it was put back to an earlier state on purpose.
    pub epoch: u64,
    /// The number of its last change.
    pub head: Seq,
    /// The chain value of that change.
    pub chain: [u8; 32],
    /// The number of its last audit entry.
    pub audit_number: u64,
    /// The hash of that entry.
    pub audit_hash: [u8; 32],
}

impl Anchor {
    /// Of a database that says nothing.
    pub(crate) fn nothing() -> Self {
        Self {
            cluster: String::new(),
            epoch: 0,
            head: Seq(0),
            chain: [0; 32],
            audit_number: 0,
            audit_hash: [0; 32],
        }
    }

    /// The text to keep.
    pub fn to_text(&self, key: &RowKey) -> String {
        let mut text = self.body();
        let _ = writeln!(text, "mac {}", hexadecimal(&Keyring::new(key).anchor(text.as_bytes())));
        text
    }

    /// Reads a kept text with whichever of these keys it was written; `None` where it is none, or with another key.
    pub fn from_text(text: &str, keys: &[RowKey]) -> Option<Self> {
        let mut lines = text.lines();
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned);
        (field("countersign")? == "anchor 1").then_some(())?;
        let anchor = Self {
            cluster: field("cluster")?,
            epoch: field("epoch")?.parse().ok()?,
            head: Seq(field("head")?.parse().ok()?),
            chain: bytes(&field("chain")?)?,
            audit_number: field("audit")?.parse().ok()?,
            audit_hash: bytes(&field("audit_hash")?)?,
        };
        let mac = bytes(&field("mac")?)?;
        let body = anchor.body();
        let written_by = |key: &RowKey| same(&Keyring::new(key).anchor(body.as_bytes()), &mac);
        keys.iter().any(written_by).then_some(anchor)
    }

    fn body(&self) -> String {
        format!(
            "{HEAD}\ncluster {}\nepoch {}\nhead {}\nchain {}\naudit {}\naudit_hash {}\n",
            self.cluster,
            self.epoch,
            self.head.0,
            hexadecimal(&self.chain),
            self.audit_number,
            hexadecimal(&self.audit_hash),
        )
    }
}

fn hexadecimal(bytes: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*bytes).to_hex().to_string()
}

fn bytes(text: &str) -> Option<[u8; 32]> {
    blake3::Hash::from_hex(text).ok().map(|hash| *hash.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_writes_one() {
        let anchor = Anchor {
            cluster: "c0ffee".to_owned(),
            epoch: 2,
            head: Seq(17),
            chain: [3; 32],
            audit_number: 99,
            audit_hash: [4; 32],
        };
        let (key, other) = (RowKey::new([1; 32]), RowKey::new([2; 32]));
        let text = anchor.to_text(&key);
        assert_eq!(Anchor::from_text(&text, &[other.clone(), key.clone()]), Some(anchor));
        assert_eq!(Anchor::from_text(&text, &[other]), None);
        for place in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[place] ^= 1;
            let read = String::from_utf8(bytes)
                .ok()
                .and_then(|text| Anchor::from_text(&text, std::slice::from_ref(&key)));
            assert_eq!(read, None, "byte {place}");
        }
        assert_eq!(Anchor::from_text("", &[key]), None);
    }
}
