//! Pages and their cursors. A cursor is sealed: it opens only for the list and the account it was made for, so nobody
//! can walk with it into another's rows, and nobody comes to rely on what is in it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use countersign_model::id::AccountId;
use countersign_store::PageAsk;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::App,
    error::{Error, Kind},
    http::words,
    limits::{PAGE_ROWS, PAGE_ROWS_MAX},
};

const NONCE_LEN: usize = 24;
/// Longest cursor that is looked at, in characters.
const CURSOR_CHARS_MAX: usize = 2048;

/// Which page of a list. Lists with filters have the same two fields beside their own.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageParameters {
    /// The `next` of the page before.
    #[param(inline, value_type = Option<words::Cursor>)]
    pub after: Option<String>,
    /// Rows at most; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// Which list a cursor belongs to.
#[derive(Debug, Clone, Copy)]
pub struct ListPlace {
    /// The name of the list: `tokens`.
    pub list: &'static str,
    /// The account whose list it is.
    pub account: Option<AccountId>,
}

impl PageParameters {
    /// Opens the cursor and bounds the page.
    pub fn open(self, app: &App, place: ListPlace) -> Result<PageAsk, Error> {
        let limit = self.limit.unwrap_or(PAGE_ROWS);
        if !(1..=PAGE_ROWS_MAX).contains(&limit) {
            let detail = format!("The parameter `limit` must be 1 to {PAGE_ROWS_MAX}.");
            return Err(Error::new(Kind::Malformed, "query_invalid", detail).at_field("limit"));
        }
        let after = self.after.map(|cursor| open_cursor(app, place, &cursor)).transpose()?;
        Ok(PageAsk { after, limit })
    }
}

/// Seals where the next page of a list starts.
pub fn seal_cursor(app: &App, place: ListPlace, next: Option<String>) -> Result<Option<String>, Error> {
    let Some(next) = next else { return Ok(None) };
    let nonce: [u8; NONCE_LEN] = app.random.bytes()?;
    let payload = Payload { msg: next.as_bytes(), aad: &place.associated_data() };
    let sealed = cipher(&app.keys.cursor())
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| Error::internal("cursor", &"the cipher refused"))?;
    Ok(Some(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat())))
}

fn open_cursor(app: &App, place: ListPlace, cursor: &str) -> Result<String, Error> {
    let open = || {
        let bytes =
            URL_SAFE_NO_PAD.decode(Some(cursor).filter(|cursor| cursor.len() <= CURSOR_CHARS_MAX)?).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let data = place.associated_data();
        let keys = app.keys.cursors();
        let opened = keys.iter().find_map(|key| {
            let payload = Payload { msg: sealed, aad: &data };
            cipher(key).decrypt(&XNonce::from(*nonce), payload).ok()
        });
        String::from_utf8(opened?).ok()
    };
    open().ok_or_else(|| {
        let detail =
            "The parameter `after` is not the `next` of a page of this list; start from the first page.";
        Error::new(Kind::Malformed, "cursor_invalid", detail).at_field("after")
    })
}

fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.into())
}

impl ListPlace {
    fn associated_data(self) -> Vec<u8> {
        let account = self.account.map_or(0, AccountId::as_u128).to_be_bytes();
        [b"cursor/1/".as_slice(), &account, self.list.as_bytes()].concat()
    }
}
