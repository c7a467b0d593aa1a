//! From a presented credential to the secret it proves. Unknown, wrong and deleted take the same steps and the same
//! time; where nothing is found, a decoy is compared. The SID is compared, never looked up.

use std::{net::IpAddr, sync::Arc};

use countersign_model::{
    address::AddressList,
    api_version::ApiVersion,
    change::{SecretRecord, TokenRecord},
    credential::{Credential, CredentialProblem, DerivedCredential},
    decision::Denial,
    digest::{Digest, Digests},
    grant::Access,
    id::{AccountId, TokenId},
    scope::ScopeSet,
    sid::Sid,
    time::{Now, Timestamp},
};
use subtle::{Choice, ConstantTimeEq};

use crate::{
    Verifier,
    index::{Index, SecretEntry, TokenEntry},
    usage::Usage,
};

/// How often a credential that nobody has is looked up again because the keys changed meanwhile.
const LOOKS_MAX: usize = 2;

type Secrets<'g, G> = papaya::HashMapRef<'g, u128, SecretEntry, std::hash::RandomState, G>;

impl Verifier {
    /// The secret that this credential proves, among these. A failure is counted by the address it comes from, where
    /// the door knows one.
    pub(crate) fn prove<'i>(
        &self,
        secrets: &'i Secrets<'_, impl papaya::Guard>,
        credential: &Credential,
        address: Option<IpAddr>,
        now: Now,
    ) -> Result<&'i SecretEntry, Denial> {
        let shape = self.format().shape(credential.secret());
        for _ in 0..LOOKS_MAX {
            let keys = self.lookup_keys();
            let digests = keys.digests(credential.secret(), shape);
            if let Some(found) = self.look(secrets, &digests, credential, now) {
                if let (Some(present), false) =
                    (digests.present, Some(found.secret.digest) == digests.present)
                {
                    self.renewals().offer(found, present, keys.generation());
                }
                return Ok(found);
            }
            // A digest may have been made anew with a key that was not there yet when this ask began.
            if Arc::ptr_eq(&keys, &self.lookup_keys()) {
                break;
            }
        }
        match address.and_then(|address| self.note_failure(address, now)) {
            Some(retry_after_secs) => Err(Denial::TooManyFailures { retry_after_secs }),
            None => Err(Denial::CredentialsInvalid),
        }
    }

    /// Looks under every digest, also after one was found, so that the time does not tell which. A secret moves from the
    /// former digest to the layered one and on to the present one, and is put under the next before it is taken from the
    /// one before; looking in that order never misses it.
    fn look<'i>(
        &self,
        secrets: &'i Secrets<'_, impl papaya::Guard>,
        digests: &Digests,
        credential: &Credential,
        now: Now,
    ) -> Option<&'i SecretEntry> {
        let mut proved = None;
        for digest in [digests.former, digests.layered, digests.present].into_iter().flatten() {
            let found = secrets.get(&digest.index_key());
            let candidate = found.unwrap_or(self.decoy());
            let same = candidate.secret.digest.as_bytes().ct_eq(digest.as_bytes())
                & same_sid(credential.sid(), &candidate.token.record.sid);
            if bool::from(same & Choice::from(u8::from(found.is_some())))
                && !has_ended(&candidate.secret, now.wall)
            {
                proved = found;
            }
        }
        proved
    }
}

/// The secret that an access token was derived from, while both are good: the token was not disabled or reset since, the
/// secret still works, and the access token has not ended by itself.
pub(crate) fn derived(index: &Index, credential: &DerivedCredential, now: Timestamp) -> Option<SecretEntry> {
    let sids = index.sids.pin();
    let token = sids.get(&credential.sid)?;
    let ended = token.record.access_tokens_from.is_some_and(|from| credential.issued_at <= from);
    let lives = !ended && now < credential.ends_at;
    token.secret(credential.generation).filter(|secret| lives && !has_ended(&secret.secret, now))
}

/// A credential as it was sent, or the reason why there is none.
pub(crate) fn denial_of(problem: CredentialProblem) -> Denial {
    match problem {
        CredentialProblem::Missing => Denial::CredentialsMissing,
        CredentialProblem::Malformed => Denial::CredentialsMalformed,
    }
}

/// What is compared when nothing is found. Nothing proves it: it is in no index.
pub(crate) fn decoy() -> SecretEntry {
    let id = TokenId::from_u128(0);
    let secret =
        SecretRecord { digest: Digest::from_bytes([0; 32]), pepper: 0, generation: 0, ends_at: None };
    let record = TokenRecord {
        id,
        account: AccountId::from_u128(0),
        sid: Sid::mint(*b"ZZ", [0; 16]),
        name: String::new(),
        enabled: false,
        access: Access::Scoped(ScopeSet::new()),
        api_version: ApiVersion(0),
        expires_at: None,
        created_at: Timestamp::from_unix_millis(0),
        addresses: AddressList::default(),
        rate_limit: None,
        access_tokens_from: None,
        secrets: Vec::new(),
    };
    let token = Arc::new(TokenEntry::new(Arc::new(record), None));
    SecretEntry { token, secret, usage: Arc::new(Usage::new(id, 0)) }
}

/// A Bearer token names no SID; one that is named must be the token's, byte for byte.
fn same_sid(presented: Option<&Sid>, known: &Sid) -> Choice {
    presented.map_or(Choice::from(1), |sid| sid.as_str().as_bytes().ct_eq(known.as_str().as_bytes()))
}

/// Whether an overlap is over: the old secret is then as unknown as any other.
fn has_ended(secret: &SecretRecord, now: Timestamp) -> bool {
    secret.ends_at.is_some_and(|end| end <= now)
}
