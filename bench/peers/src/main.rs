//! `countersign-bench-peers redis|postgres LISTEN URL`: an axum service that checks a Bearer token on each request, as
//! somebody would write it who needs nothing more: the SHA-256 of the token is looked up, and what is found says whose it
//! is, whether it is enabled, when it ends and which operations it may call. It checks less than Countersign does: no
//! address list, no rate limit, no versions, one route.

mod postgres;
mod record;
mod redis;

use std::{env, error::Error, io};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::AUTHORIZATION},
    response::IntoResponse,
    routing::get,
};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

use crate::record::Record;

/// Who remembers the tokens.
#[derive(Clone)]
enum Tokens {
    Redis(redis::Tokens),
    Postgres(postgres::Tokens),
}

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [kind, listen, url] = arguments.as_slice() else {
        return Err("usage: countersign-bench-peers redis|postgres LISTEN URL".into());
    };
    let tokens = match kind.as_str() {
        "redis" => Tokens::Redis(redis::Tokens::connect(url).await?),
        "postgres" => Tokens::Postgres(postgres::Tokens::connect(url)?),
        other => return Err(format!("{other} is neither redis nor postgres").into()),
    };
    let router = Router::new().route("/Advertisers/{sid}/Actions", get(list_actions)).with_state(tokens);
    let listener = TcpListener::bind(listen).await?;
    axum::serve(listener, router).await.map_err(io::Error::into)
}

async fn list_actions(
    State(tokens): State<Tokens>,
    Path(sid): Path<String>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, StatusCode> {
    let token = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "))
        .ok_or(StatusCode::UNAUTHORIZED)?;
    let digest: [u8; 32] = Sha256::digest(token).into();
    let found = tokens.find(&digest).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let record = found.ok_or(StatusCode::UNAUTHORIZED)?;
    if !record.allows(&sid) {
        return Err(StatusCode::FORBIDDEN);
    }
    let account = HeaderValue::from_str(&record.account).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok((StatusCode::NO_CONTENT, [(HeaderName::from_static("x-account"), account)]))
}

impl Tokens {
    async fn find(&self, digest: &[u8; 32]) -> Result<Option<Record>, Failure> {
        match self {
            Self::Redis(tokens) => tokens.find(digest).await,
            Self::Postgres(tokens) => tokens.find(digest).await,
        }
    }
}
