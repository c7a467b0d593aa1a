//! Signatures by the Standard Webhooks specification: whoever has the secret can tell that a request is ours, whole, and
//! of now. While a secret is being replaced, a request carries one signature for each.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::{error::Error, random::Random};

/// What secrets of webhooks start with.
const PREFIX: &str = "whsec_";
/// Bytes of a secret; the specification allows 24 to 64.
const SECRET_BYTES: usize = 32;

/// The secret of a webhook. It has no `Debug`, and is zeroed when dropped.
pub struct SigningSecret(Zeroizing<Vec<u8>>);

impl SigningSecret {
    /// A new one.
    pub fn mint(random: &Random) -> Result<Self, Error> {
        let mut bytes = Zeroizing::new(vec![0; SECRET_BYTES]);
        random.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The one with these bytes.
    pub fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be sealed.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As its owner is shown it, once: `whsec_` and base64.
    pub fn expose(&self) -> Zeroizing<String> {
        let text = Zeroizing::new(STANDARD.encode(&*self.0));
        Zeroizing::new(format!("{PREFIX}{}", text.as_str()))
    }

    /// The signature of one message.
    fn signature(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut signing = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.0));
        signing.update(id.as_bytes());
        signing.update(b".");
        signing.update(timestamp.to_string().as_bytes());
        signing.update(b".");
        signing.update(body);
        format!("v1,{}", STANDARD.encode(signing.sign()))
    }
}

/// The value of `webhook-signature`: a signature for every secret that holds, the newest first.
pub fn signatures(secrets: &[SigningSecret], id: &str, timestamp: i64, body: &[u8]) -> String {
    let all: Vec<String> = secrets.iter().map(|secret| secret.signature(id, timestamp, body)).collect();
    all.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn the_signature_is_the_one_others_compute() {
        let bytes = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let secret = SigningSecret::from_bytes(Zeroizing::new(bytes));
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let body = br#"{"test": 2432232314}"#;
        let signed = signatures(&[secret], id, 1_614_265_330, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn both_secrets_sign_while_one_replaces_the_other() {
        let random = Random::seeded(7);
        let secrets = [SigningSecret::mint(&random).unwrap(), SigningSecret::mint(&random).unwrap()];
        let signed = signatures(&secrets, "id", 1, b"{}");
        let parts: Vec<&str> = signed.split(' ').collect();
        assert_eq!(parts.len(), 2);
        assert_ne!(parts[0], parts[1]);
        assert!(secrets[0].expose().starts_with(PREFIX));
    }
}
