//! The keys in use at one moment, and what is derived from them. A rotation never changes a ring: it puts another in its
//! place, so that whoever works with one sees one state of things.

use std::sync::Arc;

use countersign_model::{
    digest::{Digest, Former, LookupKey, LookupKeys},
    time::Timestamp,
};
use countersign_store::WrappedKey;
use zeroize::Zeroizing;

use super::{Purpose, Root};

/// The keys in use.
pub struct Ring {
    pub(super) verify: InUse<Arc<Root>>,
    pub(super) reveal: InUse<Arc<Root>>,
    pub(super) peppers: InUse<Pepper>,
    pub(super) installation: InUse<WrappedKey>,
    /// When the newest verify root was made.
    pub(super) verify_since: Timestamp,
}

/// The generations of one key that are in use.
pub(super) struct InUse<T> {
    /// What everything new is made with.
    pub(super) newest: T,
    /// What is still needed for what was made before, newest first.
    pub(super) former: Vec<T>,
}

/// A generation of the pepper, and how far it is still accepted.
#[derive(Clone)]
pub struct Pepper {
    /// Its generation.
    pub generation: u16,
    /// The verify root it is derived from.
    pub(super) root: Arc<Root>,
    /// Whether digests made with it alone are still accepted; else it is only needed under a layer.
    pub direct: bool,
}

impl<T> InUse<T> {
    /// From a list that is newest first; `None` where it is empty.
    pub(super) fn of(all: Vec<T>) -> Option<Self> {
        let mut all = all.into_iter();
        Some(Self { newest: all.next()?, former: all.collect() })
    }

    /// All of them, newest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.newest).chain(&self.former)
    }
}

impl Pepper {
    /// The key of this pepper.
    pub(super) fn lookup(&self) -> LookupKey {
        LookupKey::new(self.generation, *lookup_key(&self.root, self.generation))
    }

    /// What is kept of it to tell a wrong key from the right one.
    pub(super) fn proof(&self) -> [u8; 32] {
        pepper_proof(&self.root, self.generation)
    }
}

impl Ring {
    /// The newest verify root, which everything new is derived from.
    pub(super) fn verify_root(&self) -> &Root {
        &self.verify.newest
    }

    /// The generation of the newest verify root.
    pub(crate) fn verify_root_generation(&self) -> u16 {
        self.verify.newest.generation()
    }

    /// When the newest verify root was made: what was made with one before it is older, or not ours.
    pub(crate) fn verify_root_since(&self) -> Timestamp {
        self.verify_since
    }

    /// The seeds of the keys that assertions of a period are signed with, one of each verify root in use, newest first.
    pub(crate) fn assertion_seeds(&self, period: u32) -> Vec<Zeroizing<[u8; 32]>> {
        self.verify.iter().map(|root| assertion_seed(root, period)).collect()
    }

    /// The key that access tokens are sealed with under each verify root in use, newest first.
    pub(crate) fn access_token_keys(&self) -> impl Iterator<Item = (u16, Zeroizing<[u8; 32]>)> {
        self.verify.iter().map(|root| (root.generation(), derive(root, "countersign 2026 access token")))
    }

    /// The newest reveal root, which everything new is wrapped with.
    pub(crate) fn reveal_root(&self) -> &Root {
        &self.reveal.newest
    }

    /// The reveal root of a generation, while it is in use.
    pub(crate) fn reveal_root_of(&self, generation: u16) -> Option<&Root> {
        self.reveal.iter().map(AsRef::as_ref).find(|root| root.generation() == generation)
    }

    /// The newest key of the installation, wrapped.
    pub(crate) fn installation_key(&self) -> &WrappedKey {
        &self.installation.newest
    }

    /// The key of the installation of a generation, wrapped.
    pub(crate) fn installation_key_of(&self, generation: u32) -> Option<&WrappedKey> {
        self.installation.iter().find(|key| key.generation == generation)
    }

    /// The peppers in use, newest first.
    pub fn peppers(&self) -> impl Iterator<Item = &Pepper> {
        self.peppers.iter()
    }

    /// The keys verification looks secrets up by.
    pub(super) fn lookup_keys(&self) -> LookupKeys {
        let present = LookupKeys::of(self.peppers.newest.lookup());
        match self.peppers.former.first() {
            Some(former) if former.direct => present.after(former.lookup(), Former::Alone),
            Some(former) => present.after(former.lookup(), Former::Layered),
            None => present,
        }
    }

    /// The keyed tag of a value under every verify root in use, newest first.
    pub(super) fn tags(&self, purpose: Purpose, value: &[u8]) -> Vec<Digest> {
        let newest = &self.verify.newest;
        let former: Vec<Digest> = self.verify.former.iter().map(|root| tag(root, purpose, value)).collect();
        let layered = former.iter().map(|former| layer_tag(newest, purpose, *former));
        std::iter::once(tag(newest, purpose, value)).chain(layered).chain(former.iter().copied()).collect()
    }

    /// A key derived for one use, under every verify root in use, newest first.
    pub(super) fn derived(&self, context: &'static str) -> Vec<Zeroizing<[u8; 32]>> {
        self.verify.iter().map(|root| derive(root, context)).collect()
    }

    /// A key derived for one use from the newest verify root.
    pub(super) fn newest_derived(&self, context: &'static str) -> Zeroizing<[u8; 32]> {
        derive(&self.verify.newest, context)
    }
}

/// The key of a pepper generation. The first was derived with its number in the context; contexts are fixed texts, so
/// later ones have the number in what is derived from.
fn lookup_key(root: &Root, generation: u16) -> Zeroizing<[u8; 32]> {
    if generation == 1 {
        return derive(root, "countersign 2026 lookup 1");
    }
    let mut material = Zeroizing::new([0; 34]);
    material[..32].copy_from_slice(root.expose());
    material[32..].copy_from_slice(&generation.to_be_bytes());
    Zeroizing::new(blake3::derive_key("countersign 2026 lookup of a generation", material.as_ref()))
}

/// Contexts are fixed texts, so the period is in what is derived from.
fn assertion_seed(root: &Root, period: u32) -> Zeroizing<[u8; 32]> {
    let mut material = Zeroizing::new([0; 36]);
    material[..32].copy_from_slice(root.expose());
    material[32..].copy_from_slice(&period.to_be_bytes());
    Zeroizing::new(blake3::derive_key("countersign 2026 assertion of a period", material.as_ref()))
}

pub(super) fn pepper_proof(root: &Root, generation: u16) -> [u8; 32] {
    blake3::derive_key("countersign 2026 proof of a pepper", lookup_key(root, generation).as_ref())
}

pub(super) fn tag(root: &Root, purpose: Purpose, value: &[u8]) -> Digest {
    let tag = match purpose {
        Purpose::Gateway => blake3::keyed_hash(root.gateway(), value),
        _ => blake3::keyed_hash(&derive(root, purpose.context()), value),
    };
    Digest::from_bytes(*tag.as_bytes())
}

/// A tag under a layer of another root. The layers of each purpose have a key of their own, too.
pub(super) fn layer_tag(root: &Root, purpose: Purpose, former: Digest) -> Digest {
    let key = Zeroizing::new(blake3::derive_key(
        "countersign 2026 layer of a tag",
        derive(root, purpose.context()).as_ref(),
    ));
    Digest::from_bytes(*blake3::keyed_hash(&key, former.as_bytes()).as_bytes())
}

fn derive(root: &Root, context: &'static str) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(blake3::derive_key(context, root.expose()))
}

#[cfg(test)]
impl Ring {
    /// A ring of these roots, the reveal roots newest first and numbered down to 1.
    pub(crate) fn of_roots(verify: [u8; 32], reveal: &[[u8; 32]]) -> Self {
        let numbers = (1..=u16::try_from(reveal.len()).unwrap()).rev();
        let reveal = reveal.iter().zip(numbers).map(|(key, number)| Arc::new(Root::new(number, *key)));
        let reveal = InUse::of(reveal.collect()).unwrap();
        let verify = Arc::new(Root::new(1, verify));
        let random = crate::random::Random::seeded(1);
        let installation = crate::sealing::make_installation_key(&reveal.newest, &random, 1).unwrap();
        Self {
            peppers: InUse::of(vec![Pepper { generation: 1, root: Arc::clone(&verify), direct: true }])
                .unwrap(),
            verify: InUse::of(vec![verify]).unwrap(),
            reveal,
            verify_since: Timestamp::from_unix_millis(0),
            installation: InUse::of(vec![installation]).unwrap(),
        }
    }

    /// The same after its verify root replaced another at a moment.
    pub(crate) fn after_verify_root(mut self, former: [u8; 32], since: Timestamp) -> Self {
        self.verify.former = vec![Arc::new(Root::new(0, former))];
        self.verify_since = since;
        self
    }

    /// The same, its newest reveal root being of another generation.
    pub(crate) fn with_first_generation(mut self, generation: u16) -> Self {
        self.reveal.newest = Arc::new(Root::new(generation, *self.reveal.newest.expose()));
        self
    }
}
