//! Signs statements about the audit trail and checks them: Ed25519 (RFC 8032) with a key of its own, which no other
//! key of the installation is derived from. A checkpoint says which hash an entry has; a trim says the same of the last
//! entry that was removed. Neither passes for the other, nor for one of another installation.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use countersign_model::time::Timestamp;
use countersign_store::Checkpoint;

use crate::error::Error;

/// What is said of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statement {
    /// The trail has this entry.
    Checkpoint,
    /// The trail had this entry, and begins behind it.
    Trim,
}

/// The signing key of one installation.
pub struct AuditSigner {
    pair: Ed25519KeyPair,
    cluster: String,
}

impl Statement {
    const fn word(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Trim => "trim",
        }
    }
}

impl AuditSigner {
    /// The signer of this installation, from the seed of its key.
    pub fn new(seed: &[u8; 32], cluster: String) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed)
            .map_err(|_| Error::internal("audit signing key", &"it is no seed of a key"))?;
        Ok(Self { pair, cluster })
    }

    /// Which installation it signs for.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// Signs a statement.
    pub fn sign(&self, statement: Statement, number: u64, hash: [u8; 32], at: Timestamp) -> Checkpoint {
        let message = message(statement, &self.cluster, number, &hash, at);
        Checkpoint {
            number,
            hash,
            at,
            public_key: self.pair.public_key().as_ref().to_vec(),
            signature: self.pair.sign(&message).as_ref().to_vec(),
        }
    }

    /// Whether this installation made a statement. The key that counts is ours; the one beside it is for people.
    pub fn made(&self, statement: Statement, checkpoint: &Checkpoint) -> bool {
        let Checkpoint { number, hash, at, signature, .. } = checkpoint;
        let message = message(statement, &self.cluster, *number, hash, *at);
        let key = UnparsedPublicKey::new(&ED25519, self.pair.public_key().as_ref());
        key.verify(&message, signature).is_ok()
    }
}

/// What is signed: lines of text, none of which can hold a line break.
fn message(statement: Statement, cluster: &str, number: u64, hash: &[u8; 32], at: Timestamp) -> Vec<u8> {
    let hash = blake3::Hash::from_bytes(*hash).to_hex();
    let (word, at) = (statement.word(), at.unix_millis());
    format!("countersign audit 1\n{word}\n{cluster}\n{number}\n{hash}\n{at}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_of_one_kind_one_installation_and_one_entry() {
        let signer = AuditSigner::new(&[7; 32], "here".to_owned()).unwrap();
        let at = Timestamp::from_unix_secs(5);
        let signed = signer.sign(Statement::Checkpoint, 9, [3; 32], at);
        assert!(signer.made(Statement::Checkpoint, &signed));
        assert!(!signer.made(Statement::Trim, &signed));
        let elsewhere = AuditSigner::new(&[7; 32], "there".to_owned()).unwrap();
        let other_key = AuditSigner::new(&[8; 32], "here".to_owned()).unwrap();
        assert!(!elsewhere.made(Statement::Checkpoint, &signed));
        assert!(!other_key.made(Statement::Checkpoint, &signed));
        let mut flipped = signed.signature.clone();
        flipped[5] ^= 1;
        for changed in [
            Checkpoint { number: 8, ..signed.clone() },
            Checkpoint { hash: [4; 32], ..signed.clone() },
            Checkpoint { at: Timestamp::from_unix_secs(6), ..signed.clone() },
            Checkpoint { signature: flipped, ..signed.clone() },
            Checkpoint { signature: Vec::new(), ..signed.clone() },
        ] {
            assert!(!signer.made(Statement::Checkpoint, &changed), "{changed:?}");
        }
    }
}
