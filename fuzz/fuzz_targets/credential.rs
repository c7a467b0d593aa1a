//! Whatever an `Authorization` header holds: reading it never panics, and what is read keeps the promises of its types.
#![no_main]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use countersign_model::{
    credential::{Credential, CredentialRoom},
    digest::LookupKey,
    limits::{CREDENTIAL_BYTES_MAX, SECRET_BYTES_MAX},
    secret::{SecretFormat, Shape},
    sid::Sid,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    check(data);
    // Most bytes are no base64, so the same bytes are also tried as the inside of HTTP Basic, and as a Bearer token.
    check(format!("Basic {}", STANDARD.encode(data)).as_bytes());
    check(&[b"Bearer ", data].concat());
});

fn check(value: &[u8]) {
    let format = SecretFormat::standard();
    let shape = format.shape(value);
    let digest = LookupKey::new(1, [7; 32]).digest(value, shape);
    assert_eq!(digest.is_none(), shape == Shape::Broken);
    let (mut room, mut room_again) = (CredentialRoom::default(), CredentialRoom::default());
    let Ok(credential) = Credential::parse(value, &mut room) else { return };
    assert!(value.len() <= CREDENTIAL_BYTES_MAX);
    let secret = credential.secret();
    assert!((1..=SECRET_BYTES_MAX).contains(&secret.len()));
    assert!(secret.iter().all(|byte| byte.is_ascii_graphic() && *byte != b':'));
    let written = match credential.sid() {
        Some(sid) => {
            assert!(Sid::is_valid(sid.as_str().as_bytes()));
            format!("Basic {}", STANDARD.encode([sid.as_str().as_bytes(), b":", secret].concat()))
        }
        None => format!("Bearer {}", String::from_utf8_lossy(secret)),
    };
    let again =
        Credential::parse(written.as_bytes(), &mut room_again).expect("what was read can be written");
    assert_eq!((again.secret(), again.sid()), (secret, credential.sid()));
}
