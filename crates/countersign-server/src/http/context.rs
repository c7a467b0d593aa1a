//! What is known of a request beside its own words: its id, its door, from where it comes, and, once somebody proved
//! it, who calls. Shared between the envelope around every request and the extractors inside.

use std::{
    net::IpAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use countersign_model::id::RequestId;
use http::Extensions;

use super::Door;
use crate::{caller::Caller, error::Error};

/// One request, as the envelope sees it.
#[derive(Clone)]
pub struct RequestContext {
    /// Its id: in the answer, in problems, in the audit trail.
    pub id: RequestId,
    /// The door it came through.
    pub door: Door,
    /// Whose it is, as far as trusted proxies tell.
    pub address: Option<IpAddr>,
    /// Who calls, once proved.
    caller: Arc<OnceLock<Caller>>,
    /// Whether a right was asked for and not there.
    denied: Arc<AtomicBool>,
}

impl RequestContext {
    /// The context of a new request.
    pub fn new(id: RequestId, door: Door, address: Option<IpAddr>) -> Self {
        Self { id, door, address, caller: Arc::default(), denied: Arc::default() }
    }

    /// The context the envelope put into the request.
    pub fn of(extensions: &Extensions) -> Result<Self, Error> {
        extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| Error::internal("request context", &"a handler stands outside of the envelope"))
    }

    /// Notes who calls. The first proof stands.
    pub fn note_caller(&self, caller: &Caller) {
        let _ = self.caller.set(caller.clone());
    }

    /// Notes that a right was asked for and not there, whatever the caller is told.
    pub fn note_denied(&self) {
        self.denied.store(true, Ordering::Relaxed);
    }

    /// Whether a right was asked for and not there.
    pub fn was_denied(&self) -> bool {
        self.denied.load(Ordering::Relaxed)
    }

    /// Who calls, if that was proved.
    pub fn caller(&self) -> Option<&Caller> {
        self.caller.get()
    }
}
