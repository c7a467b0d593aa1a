//! May this token do this, now? A pure state machine: it is fed changes, and decides without IO, without a clock of its
//! own, and without waiting. It mints nothing, stores nothing and tells nobody; the same input has the same answer.
//!
//! | file | what it holds |
//! |---|---|
//! | [`Verifier::decide`], `decide.rs` | the whole decision, on one screen, in the documented order |
//! | `verifier.rs` | the state machine: load, apply, and the order in which readers see a change |
//! | `index/` | what is known: a table of secrets, one cache line each; SIDs, policies, accounts, catalog |
//! | `lookup.rs` | from a presented credential to the secret it proves |
//! | `place.rs` | where a request leads: account kind, SID, version, scope |
//! | `misplaced.rs` | credentials in a URL |
//! | `limit.rs` | rate limits, in whole nanoseconds |
//! | `failures.rs` | wrong credentials, counted by address |
//! | `freshness.rs` | when this node may not answer |
//! | `renewals.rs` | digests to make anew with the present key |
//! | `usage/` | how often, when, from where and in which API versions secrets were used |
//! | `limits.rs` | every bound of this crate |
//!
//! ```
//! use countersign_model::{
//!     catalog::standard,
//!     change::{Record, Seq},
//!     credential::Authorization,
//!     decision::{Ask, Decision, Denial, Target, Unavailable},
//!     digest::LookupKeys,
//!     time::{Now, Timestamp},
//! };
//! use countersign_verify::{Settings, Verifier};
//!
//! let verifier = Verifier::new(LookupKeys::default(), Settings::default());
//! let ask = Ask {
//!     authorization: Authorization::Absent,
//!     target: Target::Request { method: b"GET", uri: b"/Advertisers/BR1/Ads" },
//!     version_headers: &[],
//!     client_address: None,
//!     min_seq: None,
//! };
//! let now = Now { wall: Timestamp::from_unix_secs(1_795_305_600), boot_nanos: 1 };
//! let answer = verifier.decide(&ask, now);
//! assert!(matches!(answer, Decision::Unavailable(Unavailable::Loading)));
//!
//! verifier.load(Seq(0), [Record::Catalog(standard().unwrap())]);
//! verifier.freshness().always();
//! let Decision::Deny(denied) = verifier.decide(&ask, now) else { panic!("nobody is known yet") };
//! assert_eq!(denied.denial, Denial::CredentialsMissing);
//! ```

mod decide;
mod failures;
mod freshness;
mod index;
mod limit;
pub mod limits;
mod lookup;
mod mapping;
mod misplaced;
mod place;
mod renewals;
mod settings;
mod sync;
mod usage;
mod verifier;

pub use freshness::Freshness;
pub use renewals::Renewal;
pub use settings::{FailureLimit, Settings};
pub use sync::LINES_PER_CHUNK;
pub use usage::{LINE_WORDS, Seen, TornLine, Use, UseMemory, Versions, left_behind};
pub use verifier::{Gap, Verifier};
