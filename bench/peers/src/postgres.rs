//! Tokens in PostgreSQL: a row under the SHA-256 of each, read by a prepared statement over a pool of connections.

use deadpool_postgres::{Config, ManagerConfig, Pool, PoolConfig, RecyclingMethod, Runtime};
use tokio_postgres::NoTls;

use crate::{Failure, record::Record};

/// Connections of the pool.
const CONNECTIONS: usize = 8;
const FIND: &str = "select sid, account, enabled, expires_at, operations from tokens where digest = $1";

/// A pool of connections.
#[derive(Clone)]
pub struct Tokens(Pool);

impl Tokens {
    /// Connects when first asked.
    pub fn connect(url: &str) -> Result<Self, Failure> {
        let config = Config {
            url: Some(url.to_owned()),
            manager: Some(ManagerConfig { recycling_method: RecyclingMethod::Fast }),
            pool: Some(PoolConfig::new(CONNECTIONS)),
            ..Config::default()
        };
        Ok(Self(config.create_pool(Some(Runtime::Tokio1), NoTls)?))
    }

    /// The token with this SHA-256.
    pub async fn find(&self, digest: &[u8; 32]) -> Result<Option<Record>, Failure> {
        let connection = self.0.get().await?;
        let statement = connection.prepare_cached(FIND).await?;
        let row = connection.query_opt(&statement, &[&digest.as_slice()]).await?;
        Ok(row.map(|row| Record {
            sid: row.get(0),
            account: row.get(1),
            enabled: row.get(2),
            expires_at: row.get(3),
            operations: row.get(4),
        }))
    }
}
