//! The codes of links that go to addresses: one confirms an address, the other ends letters that are not about security.
//! Neither is kept. The first is derived when the question is asked and again when its letter is sent; the second can be
//! checked by itself, works as long as letters are kept, and lets nobody in.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_model::{
    digest::Digest,
    id::AccountId,
    name::{EmailAddress, fold},
    time::Timestamp,
};
use countersign_store::Address;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{app::App, keys::Purpose, limits::UNSUBSCRIBE_CODE_BYTES_MAX};

/// The code with which an address is asked at this moment.
pub(super) fn of_question(
    app: &App,
    account: AccountId,
    email: &EmailAddress,
    asked_at: Timestamp,
) -> Zeroizing<String> {
    text(&app.keys.tag(Purpose::Code, &question(account, email, asked_at)))
}

/// The code of the question an address was asked last. `None` where it is spent, or its key is gone.
pub(super) fn of_asked(app: &App, address: &Address) -> Option<Zeroizing<String>> {
    let (kept, asked_at) = (address.code?, address.asked_at?);
    let candidates = app.keys.tags(Purpose::Code, &question(address.account, &address.email, asked_at));
    candidates.iter().map(text).find(|code| app.keys.tags(Purpose::Code, code.as_bytes()).contains(&kept))
}

/// The code that ends letters to an address: the address, and proof that it is from us.
pub(super) fn of_subscription(app: &App, email: &str) -> String {
    let key = fold(email);
    let proof = app.keys.tag(Purpose::Code, &subscription(&key));
    format!("{}.{}", URL_SAFE_NO_PAD.encode(&key), URL_SAFE_NO_PAD.encode(proof.as_bytes()))
}

/// The folded address a code that ends letters is for; `None` where we never gave it.
pub(super) fn read_subscription(app: &App, code: &str) -> Option<String> {
    if code.len() > UNSUBSCRIBE_CODE_BYTES_MAX {
        return None;
    }
    let (key, proof) = code.split_once('.')?;
    let key = String::from_utf8(URL_SAFE_NO_PAD.decode(key).ok()?).ok()?;
    let proof = URL_SAFE_NO_PAD.decode(proof).ok()?;
    let known = app.keys.tags(Purpose::Code, &subscription(&key));
    known.iter().any(|tag| bool::from(tag.as_bytes().as_slice().ct_eq(&proof))).then_some(key)
}

/// What the key is asked for. No code has this form, so no kept tag is a code.
fn question(account: AccountId, email: &EmailAddress, asked_at: Timestamp) -> Vec<u8> {
    format!("address/1/{account}/{}/{}", asked_at.unix_millis(), email.key()).into_bytes()
}

fn subscription(key: &str) -> Vec<u8> {
    format!("subscription/1/{key}").into_bytes()
}

fn text(tag: &Digest) -> Zeroizing<String> {
    Zeroizing::new(URL_SAFE_NO_PAD.encode(tag.as_bytes()))
}
