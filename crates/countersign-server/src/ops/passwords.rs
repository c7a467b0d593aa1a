//! Password hashing (argon2id, m = 19 MiB, t = 2, p = 1), on few threads of low priority, so that a flood of sign-ins
//! never starves verification. It judges no password; `password_rules` does.

use std::sync::{
    Arc, Mutex, PoisonError,
    mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version,
    password_hash::{Error as HashError, phc::PasswordHash},
};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::{
    error::{Error, Kind},
    limits::{PASSWORD_QUEUE_MAX, PASSWORD_QUEUE_RETRY_SECS},
    random::Random,
};

const SALT_LEN: usize = 16;
/// How much the hashing threads give way to others (`nice`).
const PRIORITY: i32 = 10;

/// How costly passwords are to hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

/// The bounded hasher.
pub struct Passwords {
    cost: PasswordCost,
    queue: SyncSender<Job>,
}

struct Job {
    password: Zeroizing<String>,
    work: Work,
    answer: oneshot::Sender<Result<Done, Error>>,
}

enum Work {
    Hash { salt: [u8; SALT_LEN] },
    Verify { hash: String },
}

enum Done {
    Hashed(String),
    Matches(bool),
}

impl PasswordCost {
    /// What OWASP asks for at least: 19 MiB, two passes.
    pub const fn standard() -> Self {
        Self { memory_kib: 19_456, passes: 2 }
    }

    /// A hash of this cost that is of no password anybody knows.
    fn hash_of_nobody(self) -> String {
        let Self { memory_kib, passes } = self;
        format!("$argon2id$v=19$m={memory_kib},t={passes},p=1${}${}", "A".repeat(22), "A".repeat(43))
    }

    fn argon2(self) -> Result<Argon2<'static>, Error> {
        let params = Params::new(self.memory_kib, self.passes, 1, None);
        let params = params.map_err(|error| Error::internal("password cost", &error))?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

impl Passwords {
    /// Starts the hashing threads: one less than there are cores, at least one. They end when this is dropped.
    pub fn new(cost: PasswordCost) -> Self {
        let (queue, jobs) = sync_channel(PASSWORD_QUEUE_MAX);
        let jobs = Arc::new(Mutex::new(jobs));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for number in 1..=cores.saturating_sub(1).max(1) {
            let jobs = Arc::clone(&jobs);
            let started = std::thread::Builder::new()
                .name(format!("password-{number}"))
                .spawn(move || work(cost, &jobs));
            if let Err(error) = started {
                tracing::error!(%error, "cannot start a thread for passwords");
            }
        }
        Self { cost, queue }
    }

    /// Hashes a new password; answers PHC form.
    pub async fn hash(&self, random: &Random, password: &str) -> Result<String, Error> {
        match self.ask(password, Work::Hash { salt: random.bytes()? }).await? {
            Done::Hashed(hash) => Ok(hash),
            Done::Matches(_) => Err(unexpected()),
        }
    }

    /// Whether the password is the one that was hashed. Without a hash the same work is done for nothing, so that time
    /// does not tell who exists.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, Error> {
        let known = hash.is_some();
        let hash = hash.map_or_else(|| self.cost.hash_of_nobody(), str::to_owned);
        match self.ask(password, Work::Verify { hash }).await? {
            Done::Matches(matches) => Ok(matches & known),
            Done::Hashed(_) => Err(unexpected()),
        }
    }

    /// How costly hashes are that this makes.
    pub fn cost(&self) -> PasswordCost {
        self.cost
    }

    async fn ask(&self, password: &str, work: Work) -> Result<Done, Error> {
        let (answer, answered) = oneshot::channel();
        let job = Job { password: Zeroizing::new(password.to_owned()), work, answer };
        self.queue.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => Error::new(
                Kind::TooMany,
                "sign_ins_waiting",
                "Too many sign-ins are waiting; try again shortly.",
            )
            .retry_after(PASSWORD_QUEUE_RETRY_SECS),
            TrySendError::Disconnected(_) => Error::unavailable("passwords", &"no thread hashes"),
        })?;
        answered.await.map_err(|_| Error::unavailable("passwords", &"a hashing thread ended"))?
    }
}

fn unexpected() -> Error {
    Error::internal("passwords", &"another answer than asked for")
}

fn work(cost: PasswordCost, jobs: &Mutex<Receiver<Job>>) {
    // On Linux priority is the thread's own. Where it cannot be lowered, hashing is bounded all the same.
    if let Err(error) = rustix::process::setpriority_process(None, PRIORITY) {
        tracing::warn!(%error, "cannot lower the priority of a password thread");
    }
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { password, work, answer }) = next else { return };
        // Whoever asked may have gone away; then nobody needs the work.
        if !answer.is_closed() {
            let _ = answer.send(perform(cost, &password, work));
        }
    }
}

fn perform(cost: PasswordCost, password: &str, work: Work) -> Result<Done, Error> {
    let argon2 = cost.argon2()?;
    match work {
        Work::Hash { salt } => {
            let hash = argon2.hash_password_with_salt(password.as_bytes(), &salt);
            hash.map(|hash| Done::Hashed(hash.to_string()))
                .map_err(|error| Error::internal("password hash", &error))
        }
        Work::Verify { hash } => {
            let hash =
                PasswordHash::new(&hash).map_err(|error| Error::internal("stored password", &error))?;
            match argon2.verify_password(password.as_bytes(), &hash) {
                Ok(()) => Ok(Done::Matches(true)),
                Err(HashError::PasswordInvalid) => Ok(Done::Matches(false)),
                Err(error) => Err(Error::internal("stored password", &error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_hash_says_how_it_was_made_and_fits_only_its_password() {
        let (passwords, random) = (Passwords::new(PasswordCost::standard()), Random::seeded(7));
        let hash = passwords.hash(&random, "grumpy-otter-vanilla-lantern").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash(&random, "grumpy-otter-vanilla-lantern").await.unwrap(), "salted");
        assert!(passwords.verify("grumpy-otter-vanilla-lantern", Some(&hash)).await.unwrap());
        assert!(!passwords.verify("grumpy-otter-vanilla-lanterN", Some(&hash)).await.unwrap());
        assert!(!passwords.verify("grumpy-otter-vanilla-lantern", None).await.unwrap());
        assert!(passwords.verify("x", Some("nonsense")).await.is_err());
    }

    #[tokio::test]
    async fn a_flood_waits_in_a_bounded_queue_and_the_rest_is_told_to_come_back() {
        let passwords = Passwords::new(PasswordCost::standard());
        let mut waiting = Vec::new();
        let mut refused = 0;
        for _ in 0..PASSWORD_QUEUE_MAX + 200 {
            let mut asked = Box::pin(passwords.verify("grumpy-otter-vanilla-lantern", None));
            match (&mut asked).now_or_never() {
                Some(Err(error)) => {
                    assert_eq!(
                        (error.kind, error.retry_after_secs),
                        (Kind::TooMany, Some(PASSWORD_QUEUE_RETRY_SECS))
                    );
                    refused += 1;
                }
                _ => waiting.push(asked),
            }
        }
        assert!(refused > 100, "{refused}");
        // Whoever waits and goes away costs nothing: their work is passed over.
        let last = waiting.pop().unwrap();
        drop(waiting);
        assert!(!last.await.unwrap());
        assert!(!passwords.verify("grumpy-otter-vanilla-lantern", None).await.unwrap());
    }
}
