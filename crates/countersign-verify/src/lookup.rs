//! From a presented credential to the secret it proves. Unknown, wrong and deleted take the same steps and the same
//! time; where nothing is found, a decoy is compared. The SID is compared, never looked up: only whoever opened an
//! access token of ours asks by SID.

use std::{net::IpAddr, sync::Arc};

use countersign_model::{
    credential::{Authorization, Credential, CredentialRoom, DerivedCredential},
    decision::{Denial, Unavailable},
    digest::{Digest, Digests},
    sid::Sid,
    time::{Now, Timestamp},
};
use subtle::{Choice, ConstantTimeEq};

use crate::{
    Verifier,
    index::{Found, Index, Known},
    limits::LOOKS_MAX,
};

/// What an ask is to be known by, well formed.
pub(crate) enum Presented<'a> {
    /// A secret, perhaps with a SID.
    Secret(Credential<'a>),
    /// An access token that its door has opened.
    Derived(&'a DerivedCredential),
}

/// Why nobody is proven.
pub(crate) enum Unproven {
    /// Nobody is known by this.
    Denied(Denial),
    /// Nobody can say.
    Unavailable(Unavailable),
    /// The index or the keys changed meanwhile; ask those of now.
    Again,
}

impl<'a> Presented<'a> {
    /// Reads a credential.
    pub(crate) fn read(
        authorization: Authorization<'a>,
        room: &'a mut CredentialRoom,
    ) -> Result<Self, Denial> {
        match authorization {
            Authorization::Absent => Err(Denial::CredentialsMissing),
            Authorization::Many => Err(Denial::CredentialsMalformed),
            Authorization::Derived(derived) => Ok(Self::Derived(derived)),
            Authorization::One(value) => {
                Credential::parse(value, room).map(Self::Secret).map_err(|_| Denial::CredentialsMalformed)
            }
        }
    }

    /// The access token, where it is one.
    pub(crate) fn derived(&self) -> Option<&'a DerivedCredential> {
        match self {
            Self::Secret(_) => None,
            Self::Derived(derived) => Some(derived),
        }
    }
}

impl Verifier {
    /// The secret that this proves, in this index. A failure is counted by the address it comes from, where the door knows
    /// one. `look` counts how often this was asked.
    pub(crate) fn prove<'i>(
        &self,
        index: &'i Arc<Index>,
        presented: &Presented<'_>,
        (address, now): (Option<IpAddr>, Now),
        look: usize,
    ) -> Result<Known<'i>, Unproven> {
        let again = |index: &Arc<Index>| look + 1 < LOOKS_MAX && !Arc::ptr_eq(index, &self.index());
        let credential = match presented {
            Presented::Secret(credential) => credential,
            // Not counted: it was issued here, so nobody guesses.
            Presented::Derived(derived) => {
                return match index.by_sid(&derived.sid, derived.generation) {
                    Found::Known(known) if lives(index, derived, &known, now.wall) => Ok(known),
                    Found::Newer if again(index) => Err(Unproven::Again),
                    Found::Newer => Err(Unproven::Unavailable(Unavailable::Loading)),
                    Found::Known(_) | Found::Nothing => Err(Unproven::Denied(Denial::CredentialsInvalid)),
                };
            }
        };
        let shape = self.format().shape(credential.secret());
        let keys = self.lookup_keys();
        let digests = keys.digests(credential.secret(), shape);
        match look_up(index, &digests, credential.sid(), now) {
            Found::Known(known) => {
                self.offer_renewal(&known, &digests, keys.generation());
                return Ok(known);
            }
            Found::Newer if !again(index) => return Err(Unproven::Unavailable(Unavailable::Loading)),
            Found::Newer => return Err(Unproven::Again),
            Found::Nothing => {}
        }
        // A digest may have been made anew with a key that was not there yet when this ask began, or may have moved to a
        // segment that this index does not have.
        if again(index) || look + 1 < LOOKS_MAX && !Arc::ptr_eq(&keys, &self.lookup_keys()) {
            return Err(Unproven::Again);
        }
        Err(Unproven::Denied(match address.and_then(|address| self.note_failure(address, now)) {
            Some(retry_after_secs) => Denial::TooManyFailures { retry_after_secs },
            None => Denial::CredentialsInvalid,
        }))
    }

    /// Offers the digest of a proven secret to be made anew, where it was made with an earlier key.
    fn offer_renewal(&self, known: &Known<'_>, digests: &Digests, pepper: u16) {
        let Some(present) = digests.present.filter(|present| present.index_key() != known.tag()) else {
            return;
        };
        let former = [digests.former, digests.layered].into_iter().flatten();
        for former in former.filter(|former| former.index_key() == known.tag()) {
            self.renewals().offer(known, former, present, pepper);
        }
    }
}

/// Looks under every digest, also after one was found, so that the time does not tell which. A secret moves from the
/// former digest to the layered one and on to the present one, and is put under the next before it is taken from the
/// one before; looking in that order never misses it.
fn look_up<'i>(index: &'i Index, digests: &Digests, sid: Option<&Sid>, now: Now) -> Found<'i> {
    let mut found = Found::Nothing;
    for digest in [digests.former, digests.layered, digests.present].into_iter().flatten() {
        match look_under(index, &digest, sid, now.wall) {
            Found::Nothing => {}
            other => found = other,
        }
    }
    found
}

fn look_under<'i>(index: &'i Index, digest: &Digest, sid: Option<&Sid>, now: Timestamp) -> Found<'i> {
    match index.by_digest(digest) {
        Found::Known(known) if !bool::from(same_sid(sid, &known.sid)) || has_ended(&known, now) => {
            Found::Nothing
        }
        found => found,
    }
}

/// Whether an overlap is over: the old secret is then as unknown as any other.
fn has_ended(known: &Known<'_>, now: Timestamp) -> bool {
    known.ends_at().is_some_and(|end| end <= now)
}

/// Whether an access token is good: the token was not disabled or reset since, the secret still works, and the access
/// token has not ended by itself.
fn lives(index: &Index, derived: &DerivedCredential, known: &Known<'_>, now: Timestamp) -> bool {
    let ended = index.has_ended_access_tokens(&derived.sid, derived.issued_at);
    !ended && now < derived.ends_at && !has_ended(known, now)
}

/// A Bearer token names no SID; one that is named must be the token's, byte for byte.
fn same_sid(presented: Option<&Sid>, known: &Sid) -> Choice {
    presented.map_or(Choice::from(1), |sid| sid.ct_eq(known))
}
