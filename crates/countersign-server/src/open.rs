//! Opens an installation: keys, store, the first catalog, the verifier and what keeps it fresh. It binds no port and
//! serves nobody; `run` does.

mod anchored;
mod database;

use std::{
    fs::DirBuilder,
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use countersign_model::catalog::{self, Numbering};
use countersign_store::{DatabaseUrl, PageAsk, Store, StoredCatalog, Write};
use countersign_verify::{FailureLimit, Verifier};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

pub use self::anchored::inspect;

use self::{anchored::Anchored, database::Database};
use crate::{
    app::{App, Settings},
    assertions::Assertions,
    audit_signer::AuditSigner,
    caller::Deed,
    clock::Clock,
    error::Error,
    keys::{KeyFiles, Keys, KeysError},
    mail::Mailer,
    node::{AnchorError, AnchorKeeper, Follower, GatewayTable},
    ops::{
        backup,
        keys::Rotations,
        passwords::{PasswordCost, Passwords},
        throttle::SignInThrottle,
    },
    random::Random,
    webhooks::Sender,
};

/// The name of the database in the data directory.
pub const DATABASE_FILE: &str = "countersign.db";

/// Everything an installation is opened with.
pub struct OpenOptions {
    /// Where the database is, unless it is on a server, and what belongs to the process. The caller holds the lock of this
    /// directory.
    pub data_dir: PathBuf,
    /// The database on a PostgreSQL server; `None`: a file in the data directory.
    pub database_url: Option<DatabaseUrl>,
    /// Where the keys are.
    pub keys_dir: PathBuf,
    /// What was configured.
    pub settings: Settings,
    /// What time it is.
    pub clock: Clock,
    /// Where randomness comes from.
    pub random: Random,
    /// How costly passwords are to hash.
    pub password_cost: PasswordCost,
    /// Takes a database that is behind its anchor, because somebody wants that state; notes it in the audit trail.
    pub accept_rollback: bool,
    /// Ends the background tasks.
    pub stop: CancellationToken,
}

/// Why an installation does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The data directory cannot be made.
    #[error(
        "cannot use the data directory {path}: {cause}; choose another with --data-dir or mend its rights"
    )]
    DataDirectory {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The database does not open.
    #[error("cannot open the database {place}: {cause}")]
    Store {
        /// Which: its file, or its address without the password.
        place: String,
        /// Why.
        cause: countersign_store::Error,
    },
    /// The anchor.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// Loading failed.
    #[error("cannot load the installation: {0}")]
    Load(#[from] Error),
}

impl OpenError {
    /// Whether something was found that is not as it was left: trying again changes nothing.
    pub fn is_finding(&self) -> bool {
        match self {
            Self::Store { cause, .. } => matches!(cause, countersign_store::Error::Corrupt(_)),
            Self::Anchor(AnchorError::Foreign(_)) => true,
            _ => false,
        }
    }
}

impl App {
    /// Opens the installation; on an empty data directory makes keys and loads the default catalog.
    pub async fn open(options: OpenOptions) -> Result<Arc<Self>, OpenError> {
        let OpenOptions {
            data_dir,
            database_url,
            keys_dir,
            settings,
            clock,
            random,
            password_cost,
            accept_rollback,
            stop,
        } = options;
        let database = Database::at(&data_dir, database_url.as_ref());
        make_data_directory(&data_dir)?;
        backup::remove_left_over(&data_dir);
        let unusable = |cause| OpenError::Store { place: database.to_string(), cause };
        let is_new = database.is_new().map_err(unusable)?;
        let key_files = KeyFiles::open(&keys_dir, &data_dir, is_new, &random)?;
        let anchored = Anchored::read(&keys_dir, key_files.row_keys()?, accept_rollback)?;
        let store = database.open(&anchored.opening).map_err(unusable)?;
        // Everything is checked here, before anything that was read is used or written on.
        let snapshot = store.snapshot().await.map_err(unusable)?;
        if accept_rollback {
            anchored.accept(&store, &clock).await?;
        }
        let signer = signer(&key_files, &store, &random).await?;
        let keys = Keys::load(key_files, &store, clock.wall(), &random).await?;
        ensure_catalog(&store, &clock).await?;
        let failures = FailureLimit::default();
        let verifier_settings = countersign_verify::Settings { format: settings.format.clone(), failures };
        let verifier = Arc::new(Verifier::new(keys.lookup_keys(), verifier_settings));
        // One node with its own database is always level with it: changes are answered after they are applied.
        verifier.freshness().always();
        let follower = Follower::start(store.clone(), Arc::clone(&verifier), snapshot, stop).await?;
        let anchor = Arc::new(AnchorKeeper::new(anchored.file, keys.row_key(), &store));
        let gateways = GatewayTable::default();
        gateways.reload(&store).await?;
        let passwords = Passwords::new(password_cost);
        let throttle = SignInThrottle::default();
        let assertions = Assertions::new(settings.public_url.clone());
        let mailer = settings.mail.clone().map(Mailer::from_settings);
        let webhooks = Sender::new(settings.webhooks.clone());
        Ok(Arc::new(Self {
            store,
            data_dir,
            backups: tokio::sync::Mutex::default(),
            verifier,
            clock,
            random,
            keys,
            assertions,
            signer,
            settings,
            anchor,
            rotations: Rotations::default(),
            follower,
            gateways,
            passwords,
            throttle,
            outbox: tokio::sync::watch::Sender::new(()),
            mailer,
            webhooks,
        }))
    }
}

fn make_data_directory(path: &Path) -> Result<(), OpenError> {
    DirBuilder::new()
        .mode(0o700)
        .recursive(true)
        .create(path)
        .map_err(|cause| OpenError::DataDirectory { path: path.to_owned(), cause })
}

/// The key that signs the audit trail. A new one is made only while nothing is signed with another.
async fn signer(files: &KeyFiles, store: &Store, random: &Random) -> Result<AuditSigner, OpenError> {
    let newest = store.checkpoints(&PageAsk { after: None, limit: 1 }).await.map_err(Error::from)?;
    let is_signed = !newest.rows.is_empty() || store.audit_floor().await.map_err(Error::from)?.is_some();
    let seed = files.signing(!is_signed, random)?;
    let cluster = store.facts().await.map_err(Error::from)?.cluster;
    Ok(AuditSigner::new(&seed, cluster)?)
}

/// Loads the default catalog where there is none.
async fn ensure_catalog(store: &Store, clock: &Clock) -> Result<(), Error> {
    if store.catalog().await?.is_some() {
        return Ok(());
    }
    let source = catalog::standard_source();
    let file = catalog::parse(source)
        .map_err(|problems| Error::internal("default catalog", &format!("{} problems", problems.len())))?;
    let (compiled, numbering) = catalog::compile(&file, &Numbering::default())
        .map_err(|problem| Error::internal("default catalog", &problem.to_string()))?;
    let now = clock.wall();
    let loaded = StoredCatalog {
        number: 1,
        source: source.to_owned(),
        numbering,
        catalog: Arc::new(compiled),
        loaded_at: now,
    };
    let audit = Deed {
        action: "catalog.load",
        subject: "1".to_owned(),
        subject_label: "default catalog",
        before: Value::Null,
        after: json!({ "number": 1, "scopes": loaded.catalog.scopes.len() }),
    }
    .by_system(now);
    store.commit(Write::new(audit).insert_catalog(&loaded)).await?;
    Ok(())
}
