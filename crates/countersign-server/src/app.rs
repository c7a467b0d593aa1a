//! The one concrete application: what every use case and door works with.

use std::sync::Arc;

use countersign_model::{actor::PermissionSet, catalog::Catalog, id::AccountId, secret::SecretFormat};
use countersign_store::{Committed, Store, Write};
use countersign_verify::Verifier;

use crate::{
    clock::Clock,
    error::Error,
    keys::Keys,
    node::{Follower, GatewayTable},
    ops::{passwords::Passwords, throttle::SignInThrottle},
    random::Random,
};

/// What the binary decided by flags, environment and file.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What links, cookies and Origin checks use: `https://tokens.example.com`, without a slash at the end.
    pub public_url: String,
    /// The prefixes of secrets.
    pub format: SecretFormat,
    /// Whether every account shows secrets once, whatever the account says.
    pub reveal_once: bool,
    /// Proxies in front of the console whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// Console sessions end after so long without use, in seconds.
    pub session_idle_secs: i64,
    /// Console sessions end after so long, in seconds.
    pub session_secs: i64,
}

/// The application. One per process, behind an `Arc`.
pub struct App {
    /// What is remembered.
    pub store: Store,
    /// What decides.
    pub verifier: Arc<Verifier>,
    /// What time it is.
    pub clock: Clock,
    /// Where randomness comes from.
    pub random: Random,
    /// The roots.
    pub keys: Keys,
    /// The settings.
    pub settings: Settings,
    /// Keeps the verifier level with the store.
    pub follower: Follower,
    /// The gateways that may ask, in memory.
    pub gateways: GatewayTable,
    /// Password hashing, bounded.
    pub passwords: Passwords,
    /// Counts failed sign-ins.
    pub throttle: SignInThrottle,
}

impl App {
    /// Commits a write and answers when it is in force: this node's verifier has applied it. The only way `ops` write.
    pub async fn commit(&self, write: Write) -> Result<Committed, Error> {
        let committed = self.store.commit(write).await?;
        self.follower.in_force(committed.seq).await?;
        Ok(committed)
    }

    /// The catalog in force.
    pub fn catalog(&self) -> Result<Arc<Catalog>, Error> {
        self.verifier.catalog().ok_or_else(|| Error::unavailable("catalog", &"not loaded yet"))
    }

    /// What a role of an account's kind may do; a role the catalog no longer has may do nothing.
    pub async fn permissions_of(&self, account: AccountId, role: &str) -> Result<PermissionSet, Error> {
        let catalog = self.catalog()?;
        let kind = self.store.account(account).await?.map(|account| account.kind).unwrap_or_default();
        let role = catalog.kind(&kind).and_then(|(_, kind)| kind.role(role));
        Ok(role.map(|role| role.permissions).unwrap_or_default())
    }
}
