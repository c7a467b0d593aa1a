//! Query parameters and ids in paths. An unknown or repeated parameter is refused: a filter that is silently ignored
//! answers another question than the one asked.

use std::{
    collections::{HashMap, HashSet},
    str::FromStr,
    sync::Arc,
};

use axum::{
    RequestPartsExt as _,
    extract::{FromRequestParts, Path, Query as Pairs},
};
use countersign_model::{
    id,
    secret::{SecretFormat, Shape, is_like_access_token},
};
use http::{Uri, request::Parts};
use serde::de::DeserializeOwned;

use crate::{
    app::App,
    error::{Error, Kind},
    limits::SEARCH_CHARS_MAX,
};

/// Query parameters; give the type `deny_unknown_fields`.
pub struct Query<T>(pub T);

/// The last id of the path: `/api/v1/accounts/{account_id}/members/{user_id}`. A malformed id is an unknown one.
pub struct Id<K: id::Kind>(pub id::Id<K>);

/// Names under which people send credentials in URLs. No operation of ours has a parameter of these names.
const SECRET_NAMES: [&str; 20] = [
    "token",
    "access_token",
    "auth_token",
    "authtoken",
    "id_token",
    "refresh_token",
    "bearer",
    "bearer_token",
    "api_key",
    "apikey",
    "api-key",
    "key",
    "secret",
    "client_secret",
    "password",
    "passwd",
    "pwd",
    "auth",
    "authorization",
    "credentials",
];

impl<T: DeserializeOwned> FromRequestParts<Arc<App>> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Error> {
        read(&parts.uri).map(Self)
    }
}

impl<K: id::Kind> FromRequestParts<Arc<App>> for Id<K> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Error> {
        let Path(path) =
            parts.extract::<Path<HashMap<String, String>>>().await.map_err(|_| Error::not_found())?;
        let found = path.values().find_map(|value| id::Id::from_str(value).ok());
        found.map(Self).ok_or_else(Error::not_found)
    }
}

fn pairs(uri: &Uri) -> Vec<(String, String)> {
    Pairs::try_from_uri(uri).map(|Pairs(pairs)| pairs).unwrap_or_default()
}

fn read<T: DeserializeOwned>(uri: &Uri) -> Result<T, Error> {
    let refuse = |detail: String| Error::new(Kind::Malformed, "query_invalid", detail);
    let mut seen = HashSet::new();
    for (name, value) in pairs(uri) {
        if value.contains(['\0', '\u{fffd}']) {
            let detail = format!("The parameter `{}` is not readable text.", shown(&name));
            return Err(refuse(detail).at_field(shown(&name)));
        }
        if !seen.insert(name.clone()) {
            let detail = format!("The parameter `{}` was sent twice; send it once.", shown(&name));
            return Err(refuse(detail).at_field(shown(&name)));
        }
    }
    Pairs::try_from_uri(uri).map(|Pairs(query)| query).map_err(|rejection| {
        let words = rejection.body_text();
        let words = words.strip_prefix("Failed to deserialize query string: ").unwrap_or(&words);
        refuse(format!("The query cannot be read: {}.", shown(words)))
    })
}

fn shown(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(200).collect()
}

/// Whether somebody sent a credential in the URL, where logs along the way keep it.
pub(in crate::http) fn carries_secret(uri: &Uri, formats: &[&SecretFormat]) -> bool {
    let is_secret = |value: &str| {
        let value = value.as_bytes();
        is_like_access_token(value) || formats.iter().any(|format| format.shape(value) != Shape::Imported)
    };
    pairs(uri)
        .iter()
        .any(|(name, value)| SECRET_NAMES.contains(&name.to_ascii_lowercase().as_str()) || is_secret(value))
}

/// Reads a text to search for: trimmed, bounded; an empty one is none.
pub fn search(text: Option<String>) -> Result<Option<String>, Error> {
    let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if text.as_ref().is_some_and(|text| text.chars().count() > SEARCH_CHARS_MAX) {
        let detail = format!("The text to search for is longer than {SEARCH_CHARS_MAX} characters.");
        return Err(Error::new(Kind::Malformed, "query_invalid", detail).at_field("search"));
    }
    Ok(text)
}
