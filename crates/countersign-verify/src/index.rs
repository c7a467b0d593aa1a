//! What is known: secrets by digest, accounts by id, the catalog. Readers never wait and see every change at once;
//! one writer at a time changes it, under the lock of the verifier. It decides nothing.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use countersign_model::{
    catalog::Catalog,
    change::{AccountRecord, SecretRecord, TokenRecord},
    id::{AccountId, TokenId},
    sid::Sid,
};

use crate::{
    limit::{Bucket, GroupBuckets},
    usage::Usage,
};

/// Everything known as of the changes applied so far.
pub(crate) struct Index {
    /// By the first 128 bits of the digest, which is a keyed hash already; all 256 are compared after the look-up. The
    /// map hashes them again under a random key of its own, as it does ids (T-26).
    pub(crate) secrets: papaya::HashMap<u128, SecretEntry>,
    /// By SID, for access tokens: they name their token and hold no secret of it.
    pub(crate) sids: papaya::HashMap<Sid, Arc<TokenEntry>>,
    pub(crate) accounts: papaya::HashMap<AccountId, Arc<AccountRecord>>,
    pub(crate) catalog: ArcSwapOption<Catalog>,
}

/// A token, and what must outlive its edits.
pub(crate) struct TokenEntry {
    pub(crate) record: Arc<TokenRecord>,
    /// The token's own rate limit.
    pub(crate) own_limit: Option<Arc<Bucket>>,
    /// The rate-limit groups it has met.
    pub(crate) groups: Arc<GroupBuckets>,
    /// The uses of its secrets, in their order.
    usages: Vec<Arc<Usage>>,
}

/// One secret of a token.
#[derive(Clone)]
pub(crate) struct SecretEntry {
    pub(crate) token: Arc<TokenEntry>,
    pub(crate) secret: SecretRecord,
    pub(crate) usage: Arc<Usage>,
}

impl Index {
    pub(crate) fn new() -> Self {
        Self {
            secrets: papaya::HashMap::new(),
            sids: papaya::HashMap::new(),
            accounts: papaya::HashMap::new(),
            catalog: ArcSwapOption::empty(),
        }
    }

    /// Puts a token in the place of what was known of it. New secrets are in before old ones are out, so there is no
    /// moment at which a secret that works before and after does not.
    pub(crate) fn put_token(&self, token: &Arc<TokenEntry>, before: Option<&TokenEntry>) {
        let secrets = self.secrets.pin();
        for (secret, usage) in token.record.secrets.iter().zip(&token.usages) {
            let entry =
                SecretEntry { token: Arc::clone(token), secret: secret.clone(), usage: Arc::clone(usage) };
            secrets.insert(secret.digest.index_key(), entry);
        }
        let kept = |old: &SecretRecord| token.record.secrets.iter().any(|new| new.digest == old.digest);
        for old in before.into_iter().flat_map(|before| &before.record.secrets).filter(|old| !kept(old)) {
            self.remove_secret(token.record.id, old);
        }
        self.sids.pin().insert(token.record.sid.clone(), Arc::clone(token));
    }

    /// Takes a token out.
    pub(crate) fn remove_token(&self, token: &TokenEntry) {
        self.sids.pin().remove(&token.record.sid);
        token.record.secrets.iter().for_each(|secret| self.remove_secret(token.record.id, secret));
    }

    /// Takes a secret out, unless another token has it by now.
    fn remove_secret(&self, owner: TokenId, secret: &SecretRecord) {
        let is_owners = |_: &u128, entry: &SecretEntry| entry.token.record.id == owner;
        // A secret that has another owner, or is not there at all, is as it should be.
        let _ = self.secrets.pin().remove_if(&secret.digest.index_key(), is_owners);
    }
}

impl TokenEntry {
    /// Its secret of this generation.
    pub(crate) fn secret(self: &Arc<Self>, generation: u32) -> Option<SecretEntry> {
        let mut known = self.record.secrets.iter().zip(&self.usages);
        let (secret, usage) = known.find(|(secret, _)| secret.generation == generation)?;
        Some(SecretEntry { token: Arc::clone(self), secret: secret.clone(), usage: Arc::clone(usage) })
    }

    /// A token as it is now, with the counters of what was known of it. A rate limit starts anew only when it is
    /// another limit.
    pub(crate) fn new(record: Arc<TokenRecord>, before: Option<&Self>) -> Self {
        let own_limit = record.rate_limit.map(|limit| {
            let same =
                before.and_then(|before| before.own_limit.as_ref()).filter(|bucket| bucket.limit() == limit);
            same.map_or_else(|| Arc::new(Bucket::new(limit)), Arc::clone)
        });
        let usage = |secret: &SecretRecord| {
            let known = before.into_iter().flat_map(|before| &before.usages);
            let same = known.into_iter().find(|usage| usage.generation() == secret.generation);
            same.map_or_else(|| Arc::new(Usage::new(record.id, secret.generation)), Arc::clone)
        };
        let usages = record.secrets.iter().map(usage).collect();
        let groups = before.map(|before| Arc::clone(&before.groups)).unwrap_or_default();
        Self { record, own_limit, groups, usages }
    }
}
