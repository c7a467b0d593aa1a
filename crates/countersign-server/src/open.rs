//! Opens an installation: keys, store, the first catalog, the verifier and what keeps it fresh. It binds no port and
//! serves nobody; `run` does.

use std::{
    fs::DirBuilder,
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use countersign_model::{
    actor::Actor,
    catalog::{self, Numbering},
};
use countersign_store::{AuditDraft, Outcome, Store, StoredCatalog, Write};
use countersign_verify::{FailureLimit, Verifier};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{
    app::{App, Settings},
    clock::Clock,
    error::Error,
    keys::{Keys, KeysError},
    node::{Follower, GatewayTable},
    ops::{
        passwords::{PasswordCost, Passwords},
        throttle::SignInThrottle,
    },
    random::Random,
};

/// The name of the database in the data directory.
pub const DATABASE_FILE: &str = "countersign.db";

/// Everything an installation is opened with.
pub struct OpenOptions {
    /// Where the database is. The caller holds the lock of this directory.
    pub data_dir: PathBuf,
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
    #[error("cannot open the database {path}: {cause}")]
    Store {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: countersign_store::Error,
    },
    /// Loading failed.
    #[error("cannot load the installation: {0}")]
    Load(#[from] Error),
}

impl App {
    /// Opens the installation; on an empty data directory makes keys and loads the default catalog.
    pub async fn open(options: OpenOptions) -> Result<Arc<Self>, OpenError> {
        let OpenOptions { data_dir, keys_dir, settings, clock, random, password_cost, stop } = options;
        let database = data_dir.join(DATABASE_FILE);
        make_data_directory(&data_dir)?;
        let keys = Keys::load(&keys_dir, &data_dir, !database.exists(), &random)?;
        let store = Store::open_sqlite(&database)
            .map_err(|cause| OpenError::Store { path: database.clone(), cause })?;
        ensure_catalog(&store, &clock).await?;
        let failures = FailureLimit::default();
        let verifier_settings = countersign_verify::Settings { format: settings.format.clone(), failures };
        let verifier = Arc::new(Verifier::new(vec![keys.lookup()], verifier_settings));
        // One node with its own database is always level with it: changes are answered after they are applied.
        verifier.freshness().always();
        let follower = Follower::start(store.clone(), Arc::clone(&verifier), stop).await?;
        let gateways = GatewayTable::default();
        gateways.reload(&store).await?;
        let passwords = Passwords::new(password_cost);
        let throttle = SignInThrottle::default();
        Ok(Arc::new(Self {
            store,
            verifier,
            clock,
            random,
            keys,
            settings,
            follower,
            gateways,
            passwords,
            throttle,
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
    let audit = AuditDraft {
        at: now,
        actor: Actor::System,
        actor_label: "countersign".to_owned(),
        client_address: String::new(),
        request_id: None,
        account: None,
        action: "catalog.load",
        subject: "1".to_owned(),
        subject_label: "default catalog".to_owned(),
        outcome: Outcome::Done,
        before: Value::Null,
        after: json!({ "number": 1, "scopes": loaded.catalog.scopes.len() }),
    };
    store.commit(Write::new(audit).insert_catalog(&loaded)).await?;
    Ok(())
}
