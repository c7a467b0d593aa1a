//! Tokens in Redis: a string under the SHA-256 of each. One multiplexed connection, as the library recommends: requests
//! that come together go out together.

use redis::{AsyncCommands as _, Client, aio::ConnectionManager};

use crate::{Failure, record::Record};

/// A connection that reconnects by itself.
#[derive(Clone)]
pub struct Tokens(ConnectionManager);

impl Tokens {
    /// Connects.
    pub async fn connect(url: &str) -> Result<Self, Failure> {
        Ok(Self(ConnectionManager::new(Client::open(url)?).await?))
    }

    /// The token with this SHA-256.
    pub async fn find(&self, digest: &[u8; 32]) -> Result<Option<Record>, Failure> {
        let found: Option<String> = self.0.clone().get(digest.as_slice()).await?;
        found.map(|line| Record::parse(&line).ok_or_else(|| "a record of Redis is broken".into())).transpose()
    }
}
