//! The whole of a secret that does not fit its slot: one of a token with two secrets of which one ends, or with a SID from
//! elsewhere. It is never changed, only put in the place of another.

use std::sync::Arc;

use countersign_model::{sid::Sid, time::Timestamp};

use super::Policy;
use crate::limit::Bucket;

/// All there is to know of one secret and its token.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Of which secret: a number is given to another once this one needs it no more.
    pub(crate) tag: u128,
    pub(crate) sid: Sid,
    pub(crate) account: u32,
    pub(crate) generation: u32,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) enabled: bool,
    pub(crate) policy: Policy,
    /// From when this secret no longer works.
    pub(crate) ends_at: Option<Timestamp>,
    /// The token's own rate limit, where several secrets share it; else its state is in the slot.
    pub(crate) bucket: Option<Arc<Bucket>>,
}
