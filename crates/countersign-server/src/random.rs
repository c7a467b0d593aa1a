//! The only source of randomness: the operating system's, or a seeded stream in tests.

use std::sync::{Arc, Mutex, PoisonError};

use countersign_model::{
    id::{Id, Kind, RequestId},
    time::Timestamp,
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{RngCore as _, SeedableRng as _},
};

use crate::error::Error;

/// Where random bytes come from.
#[derive(Clone)]
pub enum Random {
    /// The operating system.
    System,
    /// A stream that is the same for the same seed. For tests only: whoever knows the seed knows every secret.
    Seeded(Arc<Mutex<ChaCha20Rng>>),
}

impl Random {
    /// A stream from a seed.
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(ChaCha20Rng::seed_from_u64(seed))))
    }

    /// Fills a buffer. A system without randomness is an outage of ours, never a weaker secret.
    pub fn fill(&self, buffer: &mut [u8]) -> Result<(), Error> {
        match self {
            Self::System => getrandom::fill(buffer).map_err(|error| Error::internal("no randomness", &error)),
            Self::Seeded(stream) => {
                stream.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(buffer);
                Ok(())
            }
        }
    }

    /// An array of random bytes.
    pub fn bytes<const N: usize>(&self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// A new id.
    pub fn id<K: Kind>(&self, now: Timestamp) -> Result<Id<K>, Error> {
        Ok(Id::new(now, self.bytes()?))
    }
}

/// Ids of requests, for one thread: they need to differ and nothing more, so a stream that the system's randomness began is
/// enough, and costs no system call for each.
pub struct RequestIds(Mutex<ChaCha20Rng>);

impl RequestIds {
    /// A stream that nobody else has.
    pub fn new(random: &Random) -> Result<Self, Error> {
        Ok(Self(Mutex::new(ChaCha20Rng::from_seed(random.bytes()?))))
    }

    /// The id of a request that came now.
    pub fn next(&self, now: Timestamp) -> RequestId {
        let mut bytes = [0; 10];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        Id::new(now, bytes)
    }
}
