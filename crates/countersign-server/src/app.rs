//! The one concrete application: what every use case and door works with.

use std::{path::PathBuf, sync::Arc};

use countersign_model::{actor::PermissionSet, catalog::Catalog, id::AccountId, secret::SecretFormat};
use countersign_store::{Committed, Store, Write};
use countersign_verify::Verifier;

use crate::{
    assertions::Assertions,
    audit_signer::AuditSigner,
    clock::Clock,
    error::Error,
    keys::Keys,
    mail::{MailSettings, Mailer},
    node::{AnchorKeeper, Follower, GatewayTable},
    ops::{keys::Rotations, passwords::Passwords, throttle::SignInThrottle},
    random::Random,
    webhooks::{Policy, Sender},
};

/// What the binary decided by flags, environment and file.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What links, cookies and Origin checks use: `https://tokens.example.com`, without a slash at the end.
    pub public_url: String,
    /// Whether the data plane speaks HTTP/2 without TLS beside HTTP/1.1.
    pub http2: bool,
    /// The prefixes of secrets.
    pub format: SecretFormat,
    /// Whether every account shows secrets once, whatever the account says.
    pub reveal_once: bool,
    /// Proxies in front of the console whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// Where signed checkpoints of the audit trail are kept beside the database, a line each.
    pub checkpoint_file: Option<PathBuf>,
    /// Days after which entries of the audit trail are removed; `None` keeps them for ever.
    pub audit_retention_days: Option<u32>,
    /// Console sessions end after so long without use, in seconds.
    pub session_idle_secs: i64,
    /// Console sessions end after so long, in seconds.
    pub session_secs: i64,
    /// The mail server; `None` where there is none, and letters wait.
    pub mail: Option<MailSettings>,
    /// Where webhooks may lead.
    pub webhooks: Policy,
}

/// The application. One per process, behind an `Arc`.
pub struct App {
    /// What is remembered.
    pub store: Store,
    /// Where the database is; nothing else is kept there but what comes and goes with it.
    pub data_dir: PathBuf,
    /// Held while a backup is being copied.
    pub backups: tokio::sync::Mutex<()>,
    /// What decides.
    pub verifier: Arc<Verifier>,
    /// What time it is.
    pub clock: Clock,
    /// Where randomness comes from.
    pub random: Random,
    /// The roots.
    pub keys: Keys,
    /// Tells back ends what was decided, signed.
    pub assertions: Assertions,
    /// Signs the audit trail.
    pub signer: AuditSigner,
    /// The settings.
    pub settings: Settings,
    /// Says beside the keys how far the store has come.
    pub anchor: Arc<AnchorKeeper>,
    /// What the task that rotates keys has to do.
    pub rotations: Rotations,
    /// Keeps the verifier level with the store.
    pub follower: Follower,
    /// The gateways that may ask, in memory.
    pub gateways: GatewayTable,
    /// Password hashing, bounded.
    pub passwords: Passwords,
    /// Counts failed sign-ins.
    pub throttle: SignInThrottle,
    /// Hears of every commit that has something to tell. Only a hint: the outbox looks by itself, too.
    pub outbox: tokio::sync::watch::Sender<()>,
    /// Sends letters; `None` where no mail server is configured.
    pub mailer: Option<Mailer>,
    /// Sends to webhooks.
    pub webhooks: Sender,
}

impl App {
    /// Commits a write and answers when it is in force: this node's verifier has applied it. The only way `ops` write.
    pub async fn commit(&self, write: Write) -> Result<Committed, Error> {
        let posts = write.posts();
        let committed = self.store.commit(write).await?;
        if posts {
            self.outbox.send_replace(());
        }
        self.follower.in_force(committed.seq).await?;
        Ok(committed)
    }

    /// Anchors what was committed and closes the store. What is accepted already is finished.
    pub async fn close(&self) -> Result<(), Error> {
        // Where it cannot be written that was told; the data is no worse for it.
        let _ = self.anchor.renew(self.clock.wall()).await;
        Ok(self.store.clone().close().await?)
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
