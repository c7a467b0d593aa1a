//! The keyed digest of a secret: all that verification needs, and useless without the key (`security.md`, *Lookup*).
//! Keyed, so that a stolen database cannot test a guess and a database writer cannot plant a row.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::Digest as _;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::secret::Shape;

const MINTED: &[u8] = b"tok/1";
const IMPORTED: &[u8] = b"imported/1";
const LAYER: &[u8] = b"layer/1";
/// Bytes of a block of BLAKE3.
const BLOCK: usize = 64;

/// 256 bits of BLAKE3 keyed with a look-up key. Written as 64 hexadecimal characters.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

/// The key of one pepper generation, derived from `root-verify`.
pub struct LookupKey {
    generation: u16,
    key: Zeroizing<[u8; 32]>,
}

/// The look-up keys in use: the present one, and the one before while there are digests made with it. Without any,
/// nobody is known.
#[derive(Default)]
pub struct LookupKeys {
    present: Option<LookupKey>,
    former: Option<(LookupKey, Former)>,
}

/// How far a former key is still accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Former {
    /// Digests made with it alone, and those under a layer of the present one.
    Alone,
    /// Only digests under a layer of the present one.
    Layered,
}

/// Every digest a presented secret may be kept under.
#[derive(Debug, Clone, Copy)]
pub struct Digests {
    /// Made with the former key alone.
    pub former: Option<Digest>,
    /// Made with the former key, under a layer of the present one.
    pub layered: Option<Digest>,
    /// Made with the present key.
    pub present: Option<Digest>,
}

impl LookupKeys {
    /// One key, which everything is made with.
    pub fn of(present: LookupKey) -> Self {
        Self { present: Some(present), former: None }
    }

    /// The same, with the key before.
    #[must_use]
    pub fn after(self, former: LookupKey, accepted: Former) -> Self {
        Self { former: Some((former, accepted)), ..self }
    }

    /// The pepper generation everything new is made with; 0 without any key.
    pub fn generation(&self) -> u16 {
        self.present.as_ref().map_or(0, LookupKey::generation)
    }

    /// Every digest a presented secret may be kept under; none for one whose checksum is wrong. Always the same work,
    /// whatever is found.
    pub fn digests(&self, secret: &[u8], shape: Shape) -> Digests {
        let present = self.present.as_ref();
        let former = self.former.as_ref().and_then(|(former, _)| former.digest(secret, shape));
        let alone = self.former.as_ref().is_some_and(|(_, accepted)| *accepted == Former::Alone);
        Digests {
            former: former.filter(|_| alone),
            layered: former.as_ref().and_then(|former| Some(present?.layer(former))),
            present: present.and_then(|present| present.digest(secret, shape)),
        }
    }
}

impl LookupKey {
    /// A key and the number of its generation, which is stored beside every digest.
    pub fn new(generation: u16, key: [u8; 32]) -> Self {
        Self { generation, key: Zeroizing::new(key) }
    }

    /// The pepper generation.
    pub fn generation(&self) -> u16 {
        self.generation
    }

    /// The digest of a presented secret, `None` for one whose checksum is wrong.
    pub fn digest(&self, secret: &[u8], shape: Shape) -> Option<Digest> {
        match shape {
            Shape::Minted => Some(self.keyed(MINTED, secret)),
            Shape::Imported => Some(self.digest_of_imported(sha2::Sha256::digest(secret).into())),
            Shape::Broken => None,
        }
    }

    /// The digest of an imported secret of which only the SHA-256 is known.
    pub fn digest_of_imported(&self, sha256: [u8; 32]) -> Digest {
        self.keyed(IMPORTED, &sha256)
    }

    /// The digest of a digest that was made with the key before: a leak of that key alone is then worth nothing, although
    /// the secret itself is not at hand.
    pub fn layer(&self, former: &Digest) -> Digest {
        self.keyed(LAYER, &former.0)
    }

    /// At once where context and bytes fit one block of BLAKE3, as a minted secret does: the state of a hasher for any
    /// length is two kilobytes to set up.
    fn keyed(&self, context: &[u8], bytes: &[u8]) -> Digest {
        let mut block = Zeroizing::new([0; BLOCK]);
        let len = context.len() + bytes.len();
        if let Some(room) = block.get_mut(..len) {
            let (front, rest) = room.split_at_mut(context.len());
            front.copy_from_slice(context);
            rest.copy_from_slice(bytes);
            return Digest(*blake3::keyed_hash(&self.key, room).as_bytes());
        }
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(context);
        hasher.update(bytes);
        Digest(*hasher.finalize().as_bytes())
    }
}

impl Digest {
    /// The digest with these bytes, as a store keeps them.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// All 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 128 bits, by which an index knows it. A pseudo-random value nobody outside can aim.
    pub fn index_key(&self) -> u128 {
        let mut front = [0; 16];
        front.copy_from_slice(&self.0[..16]);
        u128::from_be_bytes(front)
    }
}

impl PartialEq for Digest {
    /// In constant time.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        blake3::Hash::from_hex(&text).map(|hash| Self(*hash.as_bytes())).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_known_under_every_key_in_use() {
        let key = |generation| LookupKey::new(generation, [u8::try_from(generation).unwrap(); 32]);
        let (secret, shape) = (b"some-secret".as_slice(), Shape::Imported);
        let old = key(1).digest(secret, shape).unwrap();
        let one = LookupKeys::of(key(1)).digests(secret, shape);
        assert_eq!((one.former, one.layered, one.present), (None, None, Some(old)));
        let both = LookupKeys::of(key(2)).after(key(1), Former::Alone).digests(secret, shape);
        let layered = key(2).layer(&old);
        assert_eq!((both.former, both.layered), (Some(old), Some(layered)));
        assert_eq!(both.present, key(2).digest(secret, shape));
        let late = LookupKeys::of(key(2)).after(key(1), Former::Layered).digests(secret, shape);
        assert_eq!((late.former, late.layered, late.present), (None, Some(layered), both.present));
        // No digest of a digest is the digest of a secret.
        assert_ne!(Some(layered), key(2).digest(old.as_bytes(), Shape::Imported));
        assert_ne!(Some(layered), key(2).digest(old.as_bytes(), Shape::Minted));
        let broken = LookupKeys::of(key(2)).after(key(1), Former::Alone).digests(secret, Shape::Broken);
        assert!(broken.former.is_none() && broken.layered.is_none() && broken.present.is_none());
        let nobody = LookupKeys::default();
        assert!(nobody.digests(secret, shape).present.is_none());
        assert_eq!((nobody.generation(), LookupKeys::of(key(2)).generation()), (0, 2));
    }

    #[test]
    fn a_digest_row_and_the_secret_itself_meet() {
        let key = LookupKey::new(1, [9; 32]);
        let presented = key.digest(b"old-secret", Shape::Imported).unwrap();
        assert_eq!(presented, key.digest_of_imported(sha2::Sha256::digest(b"old-secret").into()));
        assert_ne!(presented, key.digest(b"old-secret", Shape::Minted).unwrap());
        assert_ne!(presented, LookupKey::new(1, [8; 32]).digest(b"old-secret", Shape::Imported).unwrap());
        assert!(key.digest(b"csign_broken", Shape::Broken).is_none());
        let text = serde_json::to_string(&presented).unwrap();
        assert_eq!(serde_json::from_str::<Digest>(&text).unwrap(), presented);
    }
}
